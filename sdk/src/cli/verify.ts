import {
  claimedParties,
  createVerificationService,
  describeVerdict,
  explainEvidence,
  verificationRequestOf,
} from '../stir/index.js';
import type {
  CallVerdict,
  CertificateRepository,
  CertificateRepositoryService,
  FailureReason,
  TrustStore,
  VerificationFailure,
  VerificationPolicy,
  VerificationRequest,
  VerificationService,
  VerificationServiceOptions,
} from '../stir/index.js';
import { INPUT_NOTE, instantOption, parseCallInput, partyOption, readInput } from './inputs/call-input.js';
import type { CallInput } from './inputs/call-input.js';
import { EXIT, numberOption, UsageError } from './kit/command.js';
import type { Command, ExitCode, Options, OptionSpecs } from './kit/command.js';
import type { CliIo } from './kit/io.js';
import { instantText, printJson, printLines } from './kit/output.js';
import {
  allowListOf,
  loadTrust,
  openRepository,
  REPOSITORY_OPTIONS,
  repositoryOfFile,
  requireStored,
  requireTrust,
  requireUsable,
  TRUST_OPTIONS,
} from './inputs/trust-options.js';
import type { RepositoryOption, TrustOption } from './inputs/trust-options.js';

/** What a hint may depend on beside the verdict. */
export interface HintContext {
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
export function verifyHints(verdict: CallVerdict, context: HintContext): readonly string[] {
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
      ? 'PASSporTs without or with an unknown ppt are looked at by --profile rfc8224.'
      : undefined,
  'compact-form': () => 'The compact form is accepted by --profile rfc8224, for PASSporTs without ppt.',
  'x5u-unreachable': (_verdict, { isOffline }, failure) => {
    if (isOffline)
      return 'Without --offline the certificate is fetched; or preload it: hopback cache preload URL --cache DIR.';
    if (failure?.actual === 'tls-failed') return 'Where a laboratory has its own TLS root, name it with --tls-ca FILE.';
    return 'Fetch the certificate by other means and give it with --certificate FILE, or try again with a longer --fetch-timeout.';
  },
  'info-invalid': (_verdict, _context, failure) => {
    const isLab = ['address-special-purpose', 'host-not-permitted', 'port-not-permitted'].includes(
      String(failure?.actual),
    );
    return isLab
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
    'Whoever forwarded the call should have added a div PASSporT (hopback sign --div-from).',
  'signature-invalid': () =>
    'Claims were changed after signing, or the certificate at the x5u is not the one that was signed with.',
  'time-budget-spent': () => 'Give it more time with --time-budget MS.',
};

type OwnOption =
  | 'certificate'
  | 'orig'
  | 'dest'
  | 'from'
  | 'pai'
  | 'to'
  | 'request-uri'
  | 'date'
  | 'dangerously-assume-parties'
  | 'at'
  | 'profile'
  | 'freshness'
  | 'revocation-unknown'
  | 'destination'
  | 'time-budget';
type VerifyOption = OwnOption | TrustOption | RepositoryOption;
type VerifyOptions = Options<VerifyOption | 'json'>;

const OPTIONS: OptionSpecs<VerifyOption> = {
  ...TRUST_OPTIONS,
  ...REPOSITORY_OPTIONS,
  certificate: { value: 'FILE', text: 'use this PEM chain instead of fetching the x5u' },
  orig: {
    value: 'TN|URI',
    text: 'the caller, if the input has none or to override it; a number with + or its country code',
  },
  dest: { value: 'TN|URI', multiple: true, text: 'the called party, if the input has none or to override it' },
  from: { value: 'VALUE', text: 'From header value, if the input has none or to override it' },
  pai: {
    value: 'VALUE',
    multiple: true,
    text: 'P-Asserted-Identity header value, if the input has none or to override it',
  },
  to: { value: 'VALUE', text: 'To header value, if the input has none or to override it' },
  'request-uri': {
    value: 'URI',
    text: 'Request-URI, if the input has none or to override it; a div chain must end there',
  },
  date: { value: 'DATE', text: 'Date header value, if the input has none or to override it' },
  'dangerously-assume-parties': {
    text: 'take caller and called party from the token itself, so that everything else can be checked; the verdict is never better than indeterminate',
  },
  at: {
    value: 'TIME',
    text: 'judge as of this time, for old captures: ISO 8601, epoch seconds, or "date" for the Date header',
  },
  profile: {
    value: 'NAME',
    choices: ['shaken', 'rfc8224'],
    text: 'shaken (default), or rfc8224 with its compact form and open ppt',
  },
  freshness: { value: 'SECONDS', text: 'how old or how far ahead iat may be; default 60' },
  'revocation-unknown': {
    value: 'CHOICE',
    choices: ['indeterminate', 'accept'],
    text: 'if the revocation status of a certificate is unknown: indeterminate (default), or accept with a note',
  },
  destination: {
    value: 'PART',
    choices: ['to', 'request-uri'],
    text: 'field that dest is compared with: to (default) or request-uri',
  },
  'time-budget': { value: 'MS', text: 'time for the whole verification; default 5000' },
};

/** Longer than a call would wait: a person may as well see what a slow repository has to say. */
const DEFAULT_BUDGET_MS = 5_000;

/** Whoever trusts nobody yet may want to look at what came first. */
const DECODE_HINT = 'To look into an Identity header without verifying it: hopback decode';

/** `hopback verify` */
export const verifyCommand: Command = {
  name: 'verify',
  summary: 'verify the Identity headers of a call and show why',
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
  const nowMs = atOption(options, given) ?? io.clock.nowMs();
  const settings = settingsOf(options);
  requireTrust(options, [DECODE_HINT]);
  const trustStore = await loadTrust(options, io, { nowMs: () => nowMs });
  const isAssumed = options.isOn('dangerously-assume-parties');
  const request = isAssumed ? { ...given, ...claimedParties(given.identity ?? []) } : given;
  const verdict = await withCertificates(options, io, (certificates) =>
    serviceOf(certificates, { settings, trustStore, nowMs }).verify(request),
  );
  const hints = verifyHints(verdict, {
    trustStore,
    hasCrls: options.texts('crl').length > 0,
    isOffline: options.isOn('offline'),
    inputKind: input.kind,
    isAssumed,
  });
  const exitCode = exitCodeOf(verdict, isAssumed);
  if (options.isOn('json')) printVerdictJson(io, { verdict, hints, exitCode, input, isAssumed });
  else
    printLines(
      io,
      textOf(verdict, { hints, input, isAssumed, nowMs: options.text('at') === undefined ? undefined : nowMs }),
    );
  return exitCode;
}

/** What the input says, and over it what options say. */
function requestOf(input: CallInput, options: VerifyOptions): VerificationRequest {
  const base = input.kind === 'request' ? verificationRequestOf(input.request) : { identity: input.values };
  const headers = { from: options.text('from'), to: options.text('to'), date: options.text('date') };
  const requestUri = options.text('request-uri');
  const asserted = options.texts('pai');
  const orig = options.text('orig');
  const dest = options.texts('dest');
  return {
    ...base,
    ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    ...(requestUri === undefined ? {} : { requestUri }),
    ...(asserted.length === 0 ? {} : { pAssertedIdentity: asserted }),
    ...(orig === undefined ? {} : { orig: partyOption('orig', orig) }),
    ...(dest.length === 0 ? {} : { dest: dest.map((text) => partyOption('dest', text)) }),
  };
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
  use: (certificates: CertificateRepository) => Promise<CallVerdict>,
): Promise<CallVerdict> {
  const path = options.text('certificate');
  if (path !== undefined) return use(await repositoryOfFile(path, { allow: allowListOf(options), io }));
  // The repository takes a cache that it cannot read for an empty one: calls go on. Whoever named it here wants to know.
  const directory = options.text('cache');
  if (directory !== undefined) await requireUsable(directory, io);
  const repository = await openRepository(options, io);
  const verdict = await usedAndClosed(repository, use);
  requireStored(repository.stats());
  return verdict;
}

/** What was fetched has reached the disk, or failed to, once the repository is closed. */
async function usedAndClosed(
  repository: CertificateRepositoryService,
  use: (certificates: CertificateRepository) => Promise<CallVerdict>,
): Promise<CallVerdict> {
  await using certificates = repository;
  return await use(certificates);
}

type Settings = Pick<VerificationServiceOptions, 'policy' | 'timeBudgetMs'>;

function settingsOf(options: VerifyOptions): Settings {
  const timeBudgetMs = numberOption(options.text('time-budget'), { name: 'time-budget', min: 0, max: 60_000 });
  return { policy: policyOf(options), timeBudgetMs: timeBudgetMs ?? DEFAULT_BUDGET_MS };
}

/** One service for one verification, its clock standing still. */
function serviceOf(
  certificates: CertificateRepository,
  context: { readonly settings: Settings; readonly trustStore: TrustStore; readonly nowMs: number },
): VerificationService {
  const { settings, trustStore, nowMs } = context;
  return createVerificationService({ certificates, trustStore, clock: { nowMs: () => nowMs }, ...settings });
}

function policyOf(options: VerifyOptions): Partial<VerificationPolicy> {
  const freshnessSeconds = numberOption(options.text('freshness'), { name: 'freshness', min: 1, max: 86_400 });
  // The options were checked against the choices, which are these words.
  const words = {
    profile: options.text('profile') as VerificationPolicy['profile'] | undefined,
    revocationUnknown: options.text('revocation-unknown') as VerificationPolicy['revocationUnknown'] | undefined,
    destination: options.text('destination') as VerificationPolicy['destination'] | undefined,
  };
  const { profile, revocationUnknown, destination } = words;
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(revocationUnknown === undefined ? {} : { revocationUnknown }),
    ...(destination === undefined ? {} : { destination }),
    ...(freshnessSeconds === undefined ? {} : { freshnessSeconds }),
  };
}

function exitCodeOf({ status }: CallVerdict, isAssumed: boolean): ExitCode {
  if (status === 'failed') return EXIT.negative;
  return status === 'passed' && !isAssumed ? EXIT.ok : EXIT.indeterminate;
}

function textOf(
  verdict: CallVerdict,
  context: {
    readonly hints: readonly string[];
    readonly input: CallInput;
    readonly isAssumed: boolean;
    readonly nowMs: number | undefined;
  },
): readonly string[] {
  const { hints, input, isAssumed, nowMs } = context;
  const remarks = [
    ...(isAssumed
      ? ['! caller and called party were taken from the token: whether they are those of the call was not checked']
      : []),
    ...(input.kind === 'token' ? [`! ${tokenRemark(input.values)}: info, alg and ppt were taken from there`] : []),
    ...(nowMs === undefined ? [] : [`! judged as of ${instantText(nowMs)}`]),
  ];
  const advice = hints.length === 0 ? [] : ['', 'What to do', ...hints.map((hint) => `  - ${hint}`)];
  return [...describeVerdict(verdict), ...(remarks.length === 0 ? [] : ['', ...remarks]), ...advice];
}

const tokenRemark = (values: readonly string[]): string =>
  values.length === 1 ? 'a token alone, its Identity header made up' : 'tokens alone, their Identity headers made up';

function printVerdictJson(
  io: CliIo,
  context: {
    readonly verdict: CallVerdict;
    readonly hints: readonly string[];
    readonly exitCode: ExitCode;
    readonly input: CallInput;
    readonly isAssumed: boolean;
  },
): void {
  const { verdict, hints, exitCode, input, isAssumed } = context;
  const explanation = explainEvidence(verdict.evidence);
  printJson(io, {
    format: 'hopback.verify.1',
    exitCode,
    input: input.kind,
    partiesAssumed: isAssumed,
    verdict,
    explanation,
    hints,
  });
}
