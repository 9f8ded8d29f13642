import { open, stat } from 'node:fs/promises';
import { defined } from '../core/text.js';
import { endsWithinLine } from '../core/runtime/whole-file.js';
import { HopbackError } from '../errors.js';
import { AttestationPolicy, AuthenticationService, headerValues, verificationRequestOf } from '../stir/index.js';
import type {
  AttestationFacts,
  DiversionOutcome,
  DiversionRequest,
  NotSigned,
  PassportParty,
  RefusedSigning,
  SignatureRecord,
  SigningOutcome,
  SigningRequest,
} from '../stir/index.js';
import {
  INPUT_NOTE,
  numberToSignOption,
  parseCallInput,
  partyOption,
  readInput,
  withHeaders,
} from './inputs/call-input.js';
import type { CallInput, RawInput } from './inputs/call-input.js';
import { EXIT, namesOf, optionSpecs, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import { shownText } from './kit/node-io.js';
import type { CliIo } from './kit/node-io.js';
import { printJson, printLines } from './kit/output.js';
import { attestationOf, CREDENTIAL_OPTIONS, FACT_OPTIONS, loadCredentials } from './inputs/signing-options.js';

const OPTIONS = optionSpecs({
  ...CREDENTIAL_OPTIONS,
  ...FACT_OPTIONS,
  'orig <TN>':
    'the calling number, with + or its country code, if there is no INVITE; with --div-from, selects one caller if the headers name several',
  'dest <TN|URI...>': 'the called party, if there is no INVITE; with --div-from, the party that the call goes to now',
  'orig-id <UUID>': 'origid; default a new one',
  'iat <SECONDS>': 'time of issue, epoch seconds, at most 30 seconds from now; default now',
  'div-from <TN>': 'add a div PASSporT instead: the call was for this number and is forwarded',
  'sign-emergency': 'also sign calls to emergency numbers',
});

type SignOptions = OptionsOf<typeof OPTIONS>;

const SIGN: CommandBody = {
  usage: [
    '--key FILE --certificate FILE --x5u URL --role ROLE [OPTION...] [INVITE|-]',
    '--key FILE --certificate FILE --x5u URL --role ROLE [OPTION...] --orig TN --dest TN',
    '--key FILE --certificate FILE --x5u URL --div-from TN [--dest TN] [INVITE|-]',
  ],
  options: OPTIONS,
  notes: [
    INPUT_NOTE,
    'The command prints the INVITE with its Identity header (and a Date if its own is missing or wrong) and ' +
      'changes nothing else in it. Without an INVITE, it prints the Identity header value. The decision and its ' +
      'reasons go to standard error; --json prints them as an attestation record. Keep this record.',
    'Exit codes: 0 signed, 1 not signed or refused, 2 command line or input not valid, 4 key, certificate or files not usable.',
    '  hopback sign invite.txt --key sp.key --certificate sp.pem --x5u https://certs.example.com/sp.pem \\\n' +
      '    --role originating --customer-known --caller-authenticated --number-ownership owned',
  ],
  run,
};

async function run(options: SignOptions, io: CliIo): Promise<ExitCode> {
  const raw = await inputOf(options, io);
  const input = raw === undefined ? undefined : parseCallInput(raw);
  const isDiversion = options.text('div-from') !== undefined;
  const outcome = await (isDiversion ? signDiversion : signCall)(options, io, input);
  const exitCode = outcome.status === 'signed' ? EXIT.ok : EXIT.negative;
  if (options.isOn('json')) printJson(io, { format: 'hopback.sign.1', exitCode, outcome });
  else if (outcome.status === 'signed') printSigned(outcome, { io, raw, input, hasTarget: options.isOn('dest') });
  else printLines(io, unsignedLines(outcome), io.stderr);
  return exitCode;
}

/** Both parties by option are a call of their own; a diversion needs the Identity headers that came in. */
function inputOf(options: SignOptions, io: CliIo): Promise<RawInput> | undefined {
  const isByNumber = options.text('orig') !== undefined && options.texts('dest').length > 0;
  const needsNone = isByNumber && options.text('div-from') === undefined && options.operands.length === 0;
  return needsNone ? undefined : readInput(options.operands, io);
}

async function serviceOf(options: SignOptions, io: CliIo, policy: AttestationPolicy): Promise<AuthenticationService> {
  const { signer, signingCertificate, spc } = await loadCredentials(options, io);
  return new AuthenticationService({
    spc,
    signer,
    certificateSource: { current: () => signingCertificate },
    clock: io.clock,
    policy,
    randomUuid: io.randomUuid,
    emergencyCalls: options.isOn('sign-emergency') ? 'sign' : 'do-not-sign',
  });
}

async function signCall(options: SignOptions, io: CliIo, input: CallInput | undefined): Promise<SigningOutcome> {
  const { facts, policy } = await attestationOf(options, io);
  const request = requestOf(options, input, facts);
  return (await serviceOf(options, io, policy)).sign(request);
}

/** Options that say something of a call of one's own. A div attests nothing and is issued now, and nothing of them would be in it. */
const NOT_FOR_DIVERSIONS = [...namesOf(FACT_OPTIONS), 'orig-id', 'iat', 'sign-emergency'] as const;

async function signDiversion(options: SignOptions, io: CliIo, input: CallInput | undefined): Promise<DiversionOutcome> {
  const unheard = NOT_FOR_DIVERSIONS.find((name) => options.isOn(name));
  if (unheard !== undefined) throw new UsageError(`--${unheard} does not go with --div-from: a div does not state it`);
  const request = diversionOf(options, input);
  // Any policy would do: there is nothing to attest.
  return (await serviceOf(options, io, new AttestationPolicy())).signDiversion(request);
}

function requestOf(options: SignOptions, input: CallInput | undefined, facts: AttestationFacts): SigningRequest {
  const base = {
    facts,
    ...defined({
      attestation: options.text('attest') as SigningRequest['attestation'],
      attestationBasis: options.text('basis'),
      origId: options.text('orig-id'),
    }),
  };
  const orig = options.text('orig');
  const origTn = orig === undefined ? undefined : numberToSignOption('orig', orig);
  const dests = options.texts('dest').map(targetOption);
  if (origTn !== undefined && dests.length > 0) {
    const valuesOf = (kind: 'tn' | 'uri'): readonly string[] =>
      dests.flatMap((party) => (party.kind === kind ? [party.value] : []));
    const destUri = valuesOf('uri');
    return {
      ...base,
      ...(input?.kind === 'request' ? identityAndDate(input) : {}),
      origTn,
      destTn: valuesOf('tn'),
      ...defined({
        destUri: destUri.length === 0 ? undefined : destUri,
        iatSeconds: options.number('iat', 0, 99_999_999_999),
      }),
    };
  }
  if (input?.kind !== 'request') throw new UsageError('an INVITE is needed, or both --orig and --dest');
  if (origTn !== undefined || dests.length > 0) throw new UsageError('--orig and --dest go together');
  if (options.text('iat') !== undefined) throw new UsageError('--iat needs --orig and --dest');
  return { ...base, ...verificationRequestOf(input.request) };
}

/** A called party; numbers so that they are signed as they were read here. */
function targetOption(text: string): PassportParty {
  const party = partyOption('dest', text);
  return party.kind === 'tn' ? { kind: 'tn', value: numberToSignOption('dest', text) } : party;
}

function identityAndDate({
  request,
}: CallInput & { readonly kind: 'request' }): Pick<SigningRequest, 'identity' | 'date'> {
  const [date] = headerValues(request, 'date');
  return { identity: headerValues(request, 'identity'), ...defined({ date }) };
}

function diversionOf(options: SignOptions, input: CallInput | undefined): DiversionRequest {
  const divertingTn = numberToSignOption('div-from', options.text('div-from') ?? '');
  const orig = options.text('orig');
  const [dest, ...more] = options.texts('dest');
  if (more.length > 0) throw new UsageError('a diversion has one new target');
  const identity = input?.kind === 'request' ? headerValues(input.request, 'identity') : (input?.values ?? []);
  const origTn = orig === undefined ? undefined : numberToSignOption('orig', orig);
  const base = { identity, divertingTn, ...defined({ origTn }) };
  const target = dest === undefined ? undefined : targetOption(dest);
  if (target?.kind === 'tn') return { ...base, newTargetTn: target.value };
  const newTargetUri = target?.value ?? (input?.kind === 'request' ? input.request.requestUri : undefined);
  if (newTargetUri === undefined)
    throw new UsageError('where does the call go now? --dest, or an INVITE with its new Request-URI');
  return { ...base, newTargetUri };
}

interface SignedContext {
  readonly io: CliIo;
  readonly raw: RawInput | undefined;
  readonly input: CallInput | undefined;
  /** The called party came by option. */
  readonly hasTarget: boolean;
}

type Signed = Extract<SigningOutcome | DiversionOutcome, { readonly status: 'signed' }>;

function printSigned(outcome: Signed, { io, raw, input, hasTarget }: SignedContext): void {
  const added = 'identityHeader' in outcome ? [outcome.identityHeader] : outcome.identityHeaders;
  const date = 'date' in outcome ? outcome.date : undefined;
  if (input?.kind === 'request' && raw !== undefined) {
    const text = Buffer.from(raw.bytes).toString('latin1');
    const signed = withHeaders(text, added, date);
    io.stdout.write(Buffer.from(signed, 'latin1'));
  } else {
    io.stdout.write(added.map((value) => `${value}\n`).join(''));
  }
  const isRequest = input?.kind === 'request';
  printLines(io, signedLines(outcome, isRequest ? undefined : date), io.stderr);
  // Whether the URI names that party is for whoever routes the call; a chain that does not end in it fails.
  if (isRequest && hasTarget && outcome.record.ppt === 'div') printLines(io, [REQUEST_URI_LEFT], io.stderr);
}

const REQUEST_URI_LEFT = '! the Request-URI is unchanged: set it to the new target before you forward the call';

function signedLines(outcome: Signed, date: string | undefined): readonly string[] {
  const { record } = outcome;
  const { spc, certificateSha256 } = record.signature;
  const under = `SPC ${spc}, certificate ${certificateSha256.slice(0, 16)}…`;
  if (record.ppt === 'div') {
    const { orig, divTn, dest } = record.claims;
    return [`✓ diverted, signed by ${under}`, `  from ${orig.value}, for ${divTn}, now to ${dest.value}`];
  }
  const { decision, decidedBy, claims, basis } = record;
  return [
    `✓ signed with attestation ${claims.attestation} by ${under}`,
    `  from ${claims.origTn} to ${[...claims.destTn, ...(claims.destUri ?? [])].join(', ')}`,
    `  because: ${basis}`,
    ...(decidedBy === 'policy' ? [] : [`  as asked; the policy says ${decision.attestation}: ${decision.basis}`]),
    `  origid ${claims.origId}`,
    ...(date === undefined ? [] : [`  the request must carry Date: ${date}`]),
  ];
}

type Unsigned = Exclude<SigningOutcome | DiversionOutcome, { readonly status: 'signed' }> &
  (NotSigned<string> | RefusedSigning<string>);

function unsignedLines(outcome: Unsigned): readonly string[] {
  const heading = outcome.status === 'refused' ? '✗ refused' : '· not signed';
  const values =
    outcome.status === 'refused' && outcome.expected !== undefined
      ? [`  expected ${outcome.expected}${outcome.actual === undefined ? '' : `, found ${outcome.actual}`}`]
      : [];
  return [`${heading}: ${outcome.reason}: ${outcome.detail}`, ...values];
}

/** A file to which attestation records are written, a line of JSON each. */
export type AttestationFile = Awaited<ReturnType<typeof openAttestationFile>>;

/** Records that wait for the disk at most, some hundred bytes each: a stalled disk must not become a full memory. */
const MAX_WAITING = 100_000;

/**
 * Opens it, and finds out at once whether it can be written. It is opened anew for each batch, so that a file that was moved away begins again.
 * @throws {@link HopbackError} `storage-failed` when it cannot be written
 */
export async function openAttestationFile(path: string, onTrouble: (error: HopbackError) => void) {
  let waiting: string[] = [];
  let lost = 0;
  let writing: Promise<void> | undefined;
  let isOverflowTold = false;
  // A record that a full disk or a kill has cut off is ended first: the next one must not be glued to it.
  let mayBeCut = true;
  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      isOverflowTold = false;
      const isCut = mayBeCut && (await isLastLineCut(path));
      await append(path, `${isCut ? '\n' : ''}${lines.join('')}`).then(
        () => (mayBeCut = false),
        (error: unknown) => {
          mayBeCut = true;
          lost += lines.length;
          onTrouble(error as HopbackError);
        },
      );
    }
    writing = undefined;
  };
  await append(path, '');
  return {
    keep: (record: SignatureRecord) => {
      if (waiting.length < MAX_WAITING) waiting.push(`${JSON.stringify(record)}\n`);
      else {
        lost += 1;
        // Once for each time that the disk stalls, not once a call.
        if (!isOverflowTold) onTrouble(overflow(path));
        isOverflowTold = true;
      }
      writing ??= write();
    },
    /** Records that the disk did not take, and that are gone. */
    lost: () => lost,
    /** Waits until what was handed over is written. */
    close: async () => {
      await writing;
    },
  };
}

const overflow = (path: string): HopbackError =>
  new HopbackError('storage-failed', `${shownText(path)} cannot be written at the moment: new records are lost`);

/** A file that is not there, that is none, or that cannot be read back, has no line that is cut. */
async function isLastLineCut(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false;
    await using file = await open(path, 'r');
    return await endsWithinLine(file);
  } catch {
    return false;
  }
}

/** Telephone numbers are in it: for its user alone. */
async function append(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'a', 0o600);
    await file.writeFile(text);
    // Neither a terminal nor a pipe has a disk behind it.
    await file.sync().catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'EINVAL') throw cause;
    });
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new HopbackError('storage-failed', `${shownText(path)} cannot be written (${code})`, { cause });
  }
}

export const COMMANDS = { sign: SIGN };
