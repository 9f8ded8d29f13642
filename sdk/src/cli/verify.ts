import { defined, instantText } from '../core/text.js';
import { VerificationService, describeVerdict, explainEvidence, verificationRequestOf } from '../stir/index.js';
import { claimedParties } from '../stir/verification/request.js';
import type {
  CallVerdict,
  FailureReason,
  TrustStore,
  VerificationFailure,
  VerificationPolicy,
  VerificationRequest,
  VerificationServiceOptions,
} from '../stir/index.js';
import { INPUT_NOTE, instantOption, parseCallInput, partyOption, readInput } from './inputs/call-input.js';
import type { CallInput } from './inputs/call-input.js';
import { EXIT, optionSpecs, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import type { CliIo } from './kit/node-io.js';
import { report } from './kit/output.js';
import {
  allowListOf,
  loadTrust,
  openRepository,
  REPOSITORY_OPTIONS,
  repositoryOfFile,
  requireStored,
  requireTrust,
  TRUST_OPTIONS,
} from './inputs/trust-options.js';

/** What a hint may depend on beside the verdict. */
interface HintContext {
  readonly trustStore: TrustStore;
  readonly hasCrls: boolean;
  readonly isOffline: boolean;
  readonly inputKind: CallInput['kind'];
  readonly isAssumed: boolean;
}

type Hint = (
  verdict: CallVerdict,
  context: HintContext,
  failure: VerificationFailure | undefined,
) => string | undefined;

/**
 * What whoever looks at a verdict can do about it, most important first.
 * @returns sentences without telephone numbers; none where there is nothing to do
 */
function verifyHints(verdict: CallVerdict, context: HintContext): readonly string[] {
  const failures = verdict.outcomes.flatMap((outcome) => ('failures' in outcome ? outcome.failures : []));
  const hints = verdict.reasons.map((reason) =>
    HINTS[reason]?.(
      verdict,
      context,
      failures.find((failure) => failure.reason === reason),
    ),
  );
  return [...new Set([...hints, ...refusedCrls(context)].filter((hint) => hint !== undefined))];
}

function refusedCrls({ trustStore }: HintContext): readonly string[] {
  return trustStore.revocation.refused.map(
    ({ crl, reason, detail }) =>
      `The CRL of ${crl.issuer.text} is not used: ${reason}${detail === '' ? '' : ` (${detail})`}.`,
  );
}

const parties: Hint = (_verdict, { inputKind, isAssumed }) => {
  if (isAssumed || inputKind === 'request') return undefined;
  return 'An Identity header alone does not say for which call it came: give --orig and --dest (or --from, --to), or the whole INVITE.';
};

const stale: Hint = (verdict) => {
  const { iatSeconds } = verdict.evidence.passports.find((passport) => passport.iatSeconds !== undefined) ?? {};
  if (iatSeconds === undefined || iatSeconds > 99_999_999_999) return undefined;
  return `To judge an old capture as of its own time, add --at ${instantText(iatSeconds * 1000)}; for a live call, look at both clocks.`;
};

const chain: Hint = () =>
  'See how far the path gets: hopback cert chain URL|FILE --trust PATH. If the issuer is on the STI-PA list, load the current list.';

const LABORATORY: ReadonlySet<string> = new Set([
  'address-special-purpose',
  'host-not-permitted',
  'port-not-permitted',
]);

const HINTS: Readonly<Partial<Record<FailureReason, Hint>>> = {
  'identity-absent': () =>
    'The request has no Identity header: nobody upstream signed it, or something on the way took it out.',
  'orig-unusable': parties,
  'dest-unusable': parties,
  'iat-stale': stale,
  'iat-in-future': stale,
  'date-stale': stale,
  'ppt-unsupported': ({ reasons }) =>
    reasons[0] === 'ppt-unsupported'
      ? '--profile rfc8224 verifies PASSporTs without ppt; it ignores those with an unknown ppt.'
      : undefined,
  'compact-form': () => 'The compact form is accepted by --profile rfc8224, for PASSporTs without ppt.',
  'x5u-unreachable': (_verdict, { isOffline }, failure) => {
    if (isOffline)
      return 'Without --offline the certificate is fetched; or preload it: hopback cache preload URL --cache DIR.';
    if (failure?.actual === 'tls-failed') return 'Where a laboratory has its own TLS root, name it with --tls-ca FILE.';
    return 'Fetch the certificate by other means and give it with --certificate FILE, or try again with a longer --fetch-timeout.';
  },
  'info-invalid': (_verdict, _context, failure) => {
    return LABORATORY.has(String(failure?.actual))
      ? 'Only for test networks: --allow-address, --allow-host and --allow-port make exceptions for it.'
      : undefined;
  },
  'no-path-to-trust-anchor': chain,
  'certificate-expired': () => 'For an old capture add --at TIME; for a live call the signer has to renew.',
  'revocation-unknown': (_verdict, { hasCrls }) =>
    hasCrls
      ? 'No loaded CRL speaks for this certificate at this time: load the current one, or accept that with --revocation-unknown accept.'
      : 'No CRL is loaded: add --crl FILE (with --crl-signer and --sti-pa-root for that of the STI-PA), or --revocation-unknown accept.',
  'retarget-without-div': () =>
    'The provider that forwarded the call should have added a div PASSporT (hopback sign --div-from).',
  'signature-invalid': () =>
    'Claims were changed after signing, or the certificate at the x5u is not the one that was signed with.',
  'time-budget-spent': () => 'Give it more time with --time-budget MS.',
};

const OPTIONS = optionSpecs({
  ...TRUST_OPTIONS,
  ...REPOSITORY_OPTIONS,
  'certificate <FILE>': 'use this PEM chain instead of fetching the x5u',
  'orig <TN|URI>': 'the caller, if the input has none or to override it; a number with + or its country code',
  'dest <TN|URI...>': 'the called party, if the input has none or to override it',
  'from <VALUE>': 'From header value, if the input has none or to override it',
  'pai <VALUE...>': 'P-Asserted-Identity header value, if the input has none or to override it',
  'to <VALUE>': 'To header value, if the input has none or to override it',
  'request-uri <URI>': 'Request-URI, if the input has none or to override it; a div chain must end there',
  'date <DATE>': 'Date header value, if the input has none or to override it',
  'dangerously-assume-parties':
    'take caller and called party from the token itself, so that everything else can be checked; the verdict is never better than indeterminate',
  'at <TIME>': 'judge as of this time, for old captures: ISO 8601, epoch seconds, or "date" for the Date header',
  'profile <NAME>': {
    choices: ['shaken', 'rfc8224'],
    text: 'shaken (default), or rfc8224 with its compact form and open ppt',
  },
  'freshness <SECONDS>': 'how old or how far ahead iat may be; default 60',
  'revocation-unknown <CHOICE>': {
    choices: ['indeterminate', 'accept'],
    text: 'if the revocation status of a certificate is unknown: indeterminate (default), or accept with a note',
  },
  'destination <PART>': {
    choices: ['to', 'request-uri'],
    text: 'field that dest is compared with: to (default) or request-uri',
  },
  'time-budget <MS>': 'time for the whole verification; default 5000',
});

type VerifyOptions = OptionsOf<typeof OPTIONS>;

/** Longer than a call would wait: a person may as well see what a slow repository has to say. */
const DEFAULT_BUDGET_MS = 5_000;

/** Whoever trusts nobody yet may want to look at what came first. */
const DECODE_HINT = 'To look into an Identity header without verifying it: hopback decode';

const VERIFY: CommandBody = {
  usage: ['[OPTION...] [FILE|-]', '[OPTION...] "IDENTITY HEADER"'],
  options: OPTIONS,
  notes: [
    INPUT_NOTE,
    'The verdict comes first, then the values for SIP, then every step of every Identity header: ✓ passed, ✗ ' +
      'failed, ? could not be checked, ! accepted with a note, · not applicable or not reached. Telephone numbers ' +
      'are shown in full.',
    'Exit codes: 0 passed, 1 failed, 2 command line or input not valid, 3 indeterminate because something could not be checked, 4 ' +
      'trust, files or cache not usable.',
    '  hopback verify invite.txt --trust sti-ca-roots/ --crl sti-pa.crl --crl-signer crl-signer.pem --sti-pa-root sti-pa.pem\n' +
      '  hopback verify "$IDENTITY" --orig +12155550100 --dest +12125550123 --trust roots.pem --revocation-unknown accept\n' +
      '  cat invite.txt | hopback verify - --trust roots.pem --at date --json',
  ],
  run,
};

async function run(options: VerifyOptions, io: CliIo): Promise<ExitCode> {
  const input = parseCallInput(await readInput(options.operands, io));
  const given = requestOf(input, options);
  const atMs = atOption(options, given);
  const nowMs = atMs ?? io.clock.nowMs();
  const policy = policyOf(options);
  const timeBudgetMs = options.number('time-budget', 0, 60_000) ?? DEFAULT_BUDGET_MS;
  requireTrust(options, [DECODE_HINT]);
  const clock = { nowMs: () => nowMs };
  const trustStore = await loadTrust(options, io, clock);
  const isAssumed = options.isOn('dangerously-assume-parties');
  const request = isAssumed ? { ...given, ...claimedParties(given.identity ?? []) } : given;
  const verdict = await withCertificates(options, io, (certificates) =>
    new VerificationService({
      certificates,
      trustStore,
      clock,
      policy,
      timeBudgetMs,
    }).verify(request),
  );
  const hints = verifyHints(verdict, {
    trustStore,
    isAssumed,
    inputKind: input.kind,
    hasCrls: options.texts('crl').length > 0,
    isOffline: options.isOn('offline'),
  });
  const remarks = [
    ...(isAssumed
      ? ['! caller and called party were taken from the token: whether they are those of the call was not checked']
      : []),
    ...(input.kind === 'token' ? [`! ${tokenRemark(input.values)}: info, alg and ppt were taken from there`] : []),
    ...(atMs === undefined ? [] : [`! judged as of ${instantText(nowMs)}`]),
  ];
  const document = {
    format: 'hopback.verify.1',
    exitCode: exitCodeOf(verdict, isAssumed),
    input: input.kind,
    partiesAssumed: isAssumed,
    verdict,
    explanation: explainEvidence(verdict.evidence),
    hints,
  };
  return report(options, io, document, [
    ...describeVerdict(verdict),
    ...(remarks.length === 0 ? [] : ['', ...remarks]),
    ...(hints.length === 0 ? [] : ['', 'What to do', ...hints.map((hint) => `  - ${hint}`)]),
  ]);
}

/** What the input says, and over it what options say. */
function requestOf(input: CallInput, options: VerifyOptions): VerificationRequest {
  const base = input.kind === 'request' ? verificationRequestOf(input.request) : { identity: input.values };
  const [asserted, dest, orig] = [options.texts('pai'), options.texts('dest'), options.text('orig')];
  const given = defined({
    from: options.text('from'),
    to: options.text('to'),
    date: options.text('date'),
    requestUri: options.text('request-uri'),
    pAssertedIdentity: asserted.length === 0 ? undefined : asserted,
    orig: orig === undefined ? undefined : partyOption('orig', orig),
    dest: dest.length === 0 ? undefined : dest.map((text) => partyOption('dest', text)),
  });
  return { ...base, ...given };
}

function atOption(options: VerifyOptions, { date }: VerificationRequest): number | undefined {
  const at = options.text('at');
  if (at !== 'date') return at === undefined ? undefined : instantOption('at', at);
  if (date === undefined) throw new UsageError('--at date: the request has no Date header');
  return instantOption('date', date);
}

async function withCertificates(
  options: VerifyOptions,
  io: CliIo,
  use: (certificates: VerificationServiceOptions['certificates']) => Promise<CallVerdict>,
): Promise<CallVerdict> {
  const path = options.text('certificate');
  if (path !== undefined) return use(await repositoryOfFile(path, allowListOf(options), io));
  // The repository takes a cache that it cannot read for an empty one: calls go on. Whoever named it here wants to know.
  const directory = options.text('cache');
  if (directory !== undefined) await io.files.list(directory);
  const repository = await openRepository(options, io);
  let verdict: CallVerdict;
  try {
    verdict = await use(repository);
  } finally {
    await repository.close();
  }
  // What was fetched has reached the disk, or failed to, once the repository is closed.
  requireStored(repository.stats());
  return verdict;
}

// The options were checked against the choices, which are these words.
const policyOf = (options: VerifyOptions): Partial<VerificationPolicy> =>
  defined({
    profile: options.text('profile') as VerificationPolicy['profile'] | undefined,
    revocationUnknown: options.text('revocation-unknown') as VerificationPolicy['revocationUnknown'] | undefined,
    destination: options.text('destination') as VerificationPolicy['destination'] | undefined,
    freshnessSeconds: options.number('freshness', 1, 86_400),
  });

function exitCodeOf({ status }: CallVerdict, isAssumed: boolean): ExitCode {
  if (status === 'failed') return EXIT.negative;
  return status === 'passed' && !isAssumed ? EXIT.ok : EXIT.indeterminate;
}

const tokenRemark = (values: readonly string[]): string =>
  values.length === 1 ? 'a token alone, its Identity header made up' : 'tokens alone, their Identity headers made up';

export const COMMANDS = { verify: VERIFY };
