import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseBoundedJson } from '../core/json-text.js';
import { HopbackError } from '../errors.js';
import { lockFolder } from '../log/index.js';
import { bearerToken, createHttpsRecordTransport } from '../platform/index.js';
import type { RecordTransport, RequestAuthorization } from '../platform/index.js';
import {
  createSharingPolicy,
  createSourceReader,
  createSuspicionTracker,
  DEFAULT_SHARING_POLICY,
  explainSharing,
  explainSuspicion,
  importFiles,
  MEMBER_RULES,
  openRecordStream,
  readSharingPolicy,
  SHARING_LEVELS,
} from '../records/index.js';
import type {
  CallRecord,
  DeadLetter,
  DeadLettersSettled,
  OpenRecordStream,
  SharingExplanation,
  SharingLevel,
  SharingPolicy,
  SharingPolicyData,
  Suspicion,
} from '../records/index.js';
import { jsonFile, secretFile } from './inputs/key-files.js';
import { EXIT, numberOption, requirePath, shownText, UsageError } from './kit/command.js';
import type { Command, ExitCode, Options, OptionSpecs } from './kit/command.js';
import type { CliIo } from './kit/io.js';
import { countText, instantText, printJson, printLines } from './kit/output.js';
import { fileSourceOf, SOURCE_OPTIONS, STORE_OPTIONS, storeDirectory } from './inputs/record-sources.js';
import type { SourceOption } from './inputs/record-sources.js';
import { utcText } from './inputs/records-query.js';
import { textFile } from './inputs/trust-options.js';

export type SharingOption = 'sharing' | 'pseudonym-key' | 'rotation' | 'tenant';

/** What may leave, and under which pseudonyms. */
export const SHARING_OPTIONS: OptionSpecs<SharingOption> = {
  sharing: {
    value: 'LEVEL|FILE',
    text: `what may be sent: ${SHARING_LEVELS.join(', ')}, or a JSON file with a policy; default suspicious`,
  },
  'pseudonym-key': {
    value: 'FILE',
    text: 'key of the pseudonyms, 64 hexadecimal digits or more: openssl rand -hex 32',
  },
  rotation: { value: 'ID', text: 'name of that key; a new key needs a new name' },
  tenant: { value: 'ID', text: 'your tenant id on the platform' },
};

/** A policy of which the whole is known, and who the platform takes its records to be of. */
export interface NamedSharingPolicy {
  readonly policy: SharingPolicy;
  readonly tenantId: string;
}

/**
 * The policy by which records leave.
 * @throws {@link UsageError} when the key, its name or the tenant is missing; {@link HopbackError} as {@link readSharingPolicy} and
 * {@link createSharingPolicy}
 */
export async function sharingPolicyOf(options: Options<SharingOption>, io: CliIo): Promise<NamedSharingPolicy> {
  const [keyFile, rotationId, tenantId] = (['pseudonym-key', 'rotation', 'tenant'] as const).map((name) =>
    options.text(name),
  );
  if (keyFile === undefined || rotationId === undefined || tenantId === undefined)
    throw new UsageError(
      'records leave under pseudonyms: --pseudonym-key FILE, --rotation ID and --tenant ID are needed',
    );
  const data = await policyData(options, io);
  const key = await pseudonymKey(keyFile, io);
  return { policy: createSharingPolicy({ data, key, rotationId, tenantId }), tenantId };
}

/** The policy of a dry run: pseudonyms are those of the key where one is given, else of a temporary key. */
export async function previewPolicyOf(
  options: Options<SharingOption>,
  io: CliIo,
): Promise<{ readonly policy: SharingPolicy; readonly isOwnKey: boolean }> {
  const given = (['pseudonym-key', 'rotation', 'tenant'] as const).filter((name) => options.text(name) !== undefined);
  if (given.length > 0) return { policy: (await sharingPolicyOf(options, io)).policy, isOwnKey: true };
  const data = await policyData(options, io);
  const policy = createSharingPolicy({ data, key: randomBytes(32), rotationId: 'preview', tenantId: 'preview' });
  return { policy, isOwnKey: false };
}

async function policyData(options: Options<SharingOption>, io: CliIo): Promise<SharingPolicyData> {
  const given = options.text('sharing');
  if (given === undefined) return DEFAULT_SHARING_POLICY;
  if (!isLevel(given)) return readSharingPolicy(await jsonFile(given, io), { at: shownText(given) });
  if (given === DEFAULT_SHARING_POLICY.share) return DEFAULT_SHARING_POLICY;
  return { ...DEFAULT_SHARING_POLICY, id: `${DEFAULT_SHARING_POLICY.id}-${given}`, share: given };
}

function isLevel(text: string): text is SharingLevel {
  return (SHARING_LEVELS as readonly string[]).includes(text);
}

async function pseudonymKey(path: string, io: CliIo): Promise<Uint8Array> {
  const text = await secretFile(path, io);
  if (/^(?:[0-9a-fA-F]{2}){32,1024}$/.test(text)) return Buffer.from(text, 'hex');
  throw new HopbackError(
    'key-unusable',
    `${shownText(path)} must have 64 hexadecimal digits or more: openssl rand -hex 32`,
  );
}

type RowsOption = Exclude<SourceOption, 'keep-raw'>;
type PreviewOption = RowsOption | SharingOption | 'limit';

const DEFAULT_PREVIEW = 20;
const MAX_PREVIEW = 10_000;

const { 'keep-raw': _keepRaw, ...ROWS_OPTIONS } = SOURCE_OPTIONS;

const PREVIEW_OPTIONS: OptionSpecs<PreviewOption> = {
  ...ROWS_OPTIONS,
  ...SHARING_OPTIONS,
  limit: {
    value: 'N',
    text: `show the first N records, up to ${String(MAX_PREVIEW)}; default ${String(DEFAULT_PREVIEW)}; all are judged`,
  },
};

/** `hopback records preview` */
export const recordsPreviewCommand: Command = {
  name: 'records preview',
  summary: 'show which call records would be sent, in which form and why',
  usage: [
    '--source FILE [--sharing LEVEL|FILE] FILE...',
    '--id ID --format FORMAT --zone ZONE [--sharing LEVEL|FILE] FILE...',
  ],
  options: PREVIEW_OPTIONS,
  notes: [
    'Reads the files as records import does, and judges each call by the calls before it. For each record it shows ' +
      'whether it would be sent, what happens to every member and by which rule, and the JSON that would be sent. ' +
      'It stores and sends nothing. Without --pseudonym-key it makes pseudonyms with a temporary key; they have ' +
      'the form of real ones.',
    'Exit codes: 0 shown, 1 rows could not be read, or a file is damaged or unreadable, 2 command line or input not valid, 4 a key cannot be used.',
  ],
  run: runPreview,
};

interface Previewed {
  readonly record: CallRecord;
  readonly suspicion: Suspicion;
  readonly sharing: SharingExplanation;
}

async function runPreview(options: Options<PreviewOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const paths = options.operands.map(requirePath);
  if (paths.length === 0) throw new UsageError('name at least one file to read');
  const limit = numberOption(options.text('limit'), { name: 'limit', min: 1, max: MAX_PREVIEW }) ?? DEFAULT_PREVIEW;
  const source = await fileSourceOf(options as Options<SourceOption>, io);
  const { policy, isOwnKey } = await previewPolicyOf(options, io);
  const tracker = createSuspicionTracker();
  const shown: Previewed[] = [];
  const counts = { records: 0, shared: 0, withheld: 0 };
  const report = await importFiles(paths, {
    sourceId: source.id,
    reader: createSourceReader(source),
    rejects: { reject: () => undefined, flush: () => Promise.resolve() },
    store: {
      insert(records) {
        for (const record of records) {
          const suspicion = tracker.judge(record);
          const sharing = explainSharing(policy, record, suspicion);
          counts.records += 1;
          counts[sharing.record === undefined ? 'withheld' : 'shared'] += 1;
          if (shown.length < limit) shown.push({ record, suspicion, sharing });
        }
        return Promise.resolve({ inserted: records.length, repeated: 0, expired: 0 });
      },
      cover: () => Promise.resolve(),
    },
    signal: io.stopSignal(),
  });
  const failed = report.files.filter(({ status }) => status !== 'imported');
  const exitCode = report.rejected === 0 && failed.length === 0 ? EXIT.ok : EXIT.negative;
  if (options.isOn('json')) {
    printJson(io, {
      format: 'hopback.records-preview.1',
      exitCode,
      ...{ policyId: policy.data.id, share: policy.data.share, isOwnKey },
      ...{ ...counts, rejected: report.rejected },
      files: report.files.map(({ path, status }) => ({ path, status })),
      previews: shown.map(documentOf),
    });
    return exitCode;
  }
  printLines(io, [
    ...shown.flatMap(previewLines),
    ...failed.map(({ path, status }) => `✗ ${shownText(path)} is ${status}`),
    ...(isOwnKey ? [] : ['! pseudonyms are made with a temporary key: --pseudonym-key shows those that would be sent']),
    ...(counts.records > shown.length ? [`· the first ${String(shown.length)} are shown: --limit shows more`] : []),
    `${exitCode === EXIT.ok ? '✓' : '!'} ${countText(counts.records, 'record')} under ${policy.data.id}: ` +
      `${String(counts.shared)} would be sent, ${String(counts.withheld)} would stay; ${String(report.rejected)} rejected`,
  ]);
  return exitCode;
}

function documentOf({ record, suspicion, sharing }: Previewed): Readonly<Record<string, unknown>> {
  const { decision, members, record: sent } = sharing;
  return { recordId: record.recordId, suspicion, decision, members, ...(sent === undefined ? {} : { sent }) };
}

function previewLines({ record, suspicion, sharing }: Previewed): readonly string[] {
  const { decision, members, record: sent } = sharing;
  const { level, decidedBy, reason } = decision;
  const fate = sent === undefined ? '· stays' : '✓ sent';
  const width = Math.max(0, ...members.map(({ member }) => member.length));
  return [
    `${fate} ${record.recordId} of ${instantText(Math.floor(record.inviteAtUs / 1_000))}: ${reason} (${level}, by ${decidedBy})`,
    ...explainSuspicion(suspicion).map((line) => `    ${line}`),
    ...members.map(
      ({ member, treatment, rule }) => `    ${treatment.padEnd(9)}  ${member.padEnd(width)}  ${MEMBER_RULES[rule]}`,
    ),
    ...(sent === undefined ? [] : [`    ${JSON.stringify(sent)}`]),
  ];
}

type DeadLettersOption = keyof typeof STORE_OPTIONS | 'spool' | 'requeue' | 'discard' | 'records' | 'limit';

const DEFAULT_DEAD_LETTERS = 100;
const MAX_DEAD_LETTERS = 100_000;
/** As a stream takes records: 1 MiB of JSON. */
const RECORD_LIMITS = { maxChars: 1_048_576, maxDepth: 16, maxEntries: 65_536 };

const DEAD_LETTERS_OPTIONS: OptionSpecs<DeadLettersOption> = {
  ...STORE_OPTIONS,
  spool: { value: 'DIR', text: 'where records wait for the platform; default spool below the store' },
  requeue: { text: 'put the records back into the spool: the next hopback records tail sends them again' },
  discard: { text: 'drop the records: they are not sent; the store keeps their calls' },
  records: { text: 'show the records as they were sent: they may hold telephone numbers' },
  limit: {
    value: 'N',
    text: `the last N records, up to ${String(MAX_DEAD_LETTERS)}; default ${String(DEFAULT_DEAD_LETTERS)}; counts include all`,
  },
};

/** `hopback records dead-letters` */
export const recordsDeadLettersCommand: Command = {
  name: 'records dead-letters',
  summary: 'list records that the platform refused permanently, and decide about them',
  usage: [
    '--store DIR [--spool DIR] [--records] [--limit N]',
    '--store DIR [--spool DIR] --requeue|--discard [RECORDID...]',
  ],
  options: DEAD_LETTERS_OPTIONS,
  notes: [
    'Without --requeue and --discard the command lists the records, newest last; with either, the command handles ' +
      'all of them, or the records that you name. The spool belongs to one process: stop hopback records tail ' +
      'first, and start it again afterwards.',
    'Exit codes: 0 listed or handled, 1 some could not be put back or are not there, 2 command line or input not valid, 4 the spool ' +
      'is in use or not usable.',
  ],
  run: runDeadLetters,
};

type Decision = 'requeue' | 'discard';

async function runDeadLetters(options: Options<DeadLettersOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const decision = decisionOf(options);
  const limit =
    numberOption(options.text('limit'), { name: 'limit', min: 1, max: MAX_DEAD_LETTERS }) ?? DEFAULT_DEAD_LETTERS;
  const spool = options.text('spool') ?? join(storeDirectory(options), 'spool');
  if (((await io.files.list(spool)) ?? []).length === 0)
    throw new HopbackError('storage-failed', `${shownText(spool)} is no spool`);
  const lock = await lockFolder(spool, 'the spool');
  try {
    const stream = await openRecordStream({ directory: spool, source: '/', transport: NOWHERE });
    try {
      if (decision === undefined) return await list(stream, { options, io, limit });
      return await settle(stream, { options, io, decision });
    } finally {
      await stream.close();
    }
  } finally {
    await lock.close();
  }
}

function decisionOf(options: Options<DeadLettersOption>): Decision | undefined {
  const [isRequeue, isDiscard] = [options.isOn('requeue'), options.isOn('discard')];
  if (isRequeue && isDiscard)
    throw new UsageError('letters are either put back or given up: one of --requeue, --discard');
  if (isRequeue) return 'requeue';
  if (isDiscard) return 'discard';
  if (options.operands.length > 0) throw new UsageError('say what is to be done with them: --requeue or --discard');
  return undefined;
}

/** Sends nothing: this command looks at letters, whatever waits beside them. */
const NOWHERE: RecordTransport = {
  deliver: (_batch, signal) =>
    new Promise((resolve) => {
      const end = (): void => resolve({ status: 'unavailable', reason: 'connection-failed' });
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    }),
  close: () => Promise.resolve(),
};

async function list(
  stream: OpenRecordStream,
  {
    options,
    io,
    limit,
  }: { readonly options: Options<DeadLettersOption | 'json'>; readonly io: CliIo; readonly limit: number },
): Promise<ExitCode> {
  const reasons: Record<string, number> = {};
  let letters: DeadLetter[] = [];
  let count = 0;
  for await (const letter of stream.deadLetters()) {
    count += 1;
    const word = reasonOf(letter);
    reasons[word] = (reasons[word] ?? 0) + 1;
    letters.push(letter);
    if (letters.length >= 2 * limit) letters = letters.slice(-limit);
  }
  letters = letters.slice(-limit);
  const withRecords = options.isOn('records');
  if (options.isOn('json')) {
    printJson(io, {
      ...{ format: 'hopback.records-dead-letters.1', exitCode: EXIT.ok, count, reasons },
      letters: letters.map(({ line, ...letter }) => ({
        ...{ ...letter, recordId: recordIdOf(line) },
        ...(withRecords ? { line } : {}),
      })),
    });
    return EXIT.ok;
  }
  printLines(io, [
    count === 0 ? '✓ no record was refused for good' : `! ${countText(count, 'dead letter')}`,
    ...Object.entries(reasons)
      .toSorted(([, one], [, other]) => other - one)
      .map(([reason, number]) => `  ${shownText(reason).padEnd(24)} ${String(number)}`),
    ...(count > letters.length ? [`· the last ${String(letters.length)}:`] : []),
    ...letters.flatMap((letter) => letterLines(letter, withRecords)),
  ]);
  return EXIT.ok;
}

async function settle(
  stream: OpenRecordStream,
  {
    options,
    io,
    decision,
  }: { readonly options: Options<DeadLettersOption | 'json'>; readonly io: CliIo; readonly decision: Decision },
): Promise<ExitCode> {
  const named = new Set(options.operands);
  const unseen = new Set(named);
  const settled = await stream.settleDeadLetters(({ line }) => {
    const recordId = recordIdOf(line) ?? '';
    unseen.delete(recordId);
    return named.size === 0 || named.has(recordId) ? decision : 'keep';
  });
  const exitCode = settled.remaining > 0 || unseen.size > 0 ? EXIT.negative : EXIT.ok;
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.records-dead-letters-settled.1', exitCode, ...settled, unknown: [...unseen] });
  else printLines(io, settledLines(settled, [...unseen]));
  return exitCode;
}

function settledLines(
  { requeued, kept, discarded, remaining }: DeadLettersSettled,
  unknown: readonly string[],
): readonly string[] {
  return [
    ...(requeued > 0
      ? [`✓ ${countText(requeued, 'record')} back in the spool: the next hopback records tail sends them`]
      : []),
    ...(discarded > 0 ? [`✓ ${countText(discarded, 'record')} given up`] : []),
    ...(kept > 0 ? [`· ${countText(kept, 'dead letter')} as before`] : []),
    ...(remaining > 0 ? [`! ${countText(remaining, 'dead letter')} not dealt with: the spool takes no more`] : []),
    ...unknown.map((recordId) => `✗ there is no dead letter of the record ${shownText(recordId)}`),
    ...(requeued + discarded + kept + remaining + unknown.length === 0 ? ['✓ there is no dead letter'] : []),
  ];
}

function letterLines(letter: DeadLetter, withRecords: boolean): readonly string[] {
  const { deadAtMs, detail, line } = letter;
  const why = detail === undefined ? '' : `: ${detail}`;
  const head = `✗ ${utcText(deadAtMs * 1_000)} ${recordIdOf(line) ?? 'not readable'}: ${reasonOf(letter)}${why}`;
  return withRecords ? [head, `    ${line}`] : [head];
}

/** Our word for it, and the platform's: `rejected bad-number`, `refused 422`. */
function reasonOf({ reason, code, httpStatus }: DeadLetter): string {
  const their = httpStatus === undefined ? code : String(httpStatus);
  return their === undefined ? reason : `${reason} ${their}`;
}

function recordIdOf(line: string): string | undefined {
  const parsed = parseBoundedJson(line, RECORD_LIMITS);
  if (parsed.status !== 'parsed' || typeof parsed.value !== 'object' || parsed.value === null) return undefined;
  const recordId = 'recordId' in parsed.value ? parsed.value['recordId'] : undefined;
  return typeof recordId === 'string' ? recordId : undefined;
}

export type PlatformOption = 'platform' | 'token-file' | 'platform-ca';

/** Whom records go to. */
export const PLATFORM_OPTIONS: OptionSpecs<PlatformOption> = {
  platform: {
    value: 'URL',
    env: 'HOPBACK_PLATFORM',
    text: 'where batches of records are posted; without it nothing is sent',
  },
  'token-file': {
    value: 'FILE',
    env: 'HOPBACK_TOKEN_FILE',
    text: 'file with the bearer token; read again when the platform refuses it',
  },
  'platform-ca': { value: 'FILE', text: 'root certificate (PEM) for the platform, instead of the public roots' },
};

/**
 * The way to the platform; undefined where none is named.
 * @throws {@link UsageError} when the token is missing; {@link HopbackError} when URL, token or certificate cannot be
 */
export async function transportOf(options: Options<PlatformOption>, io: CliIo): Promise<RecordTransport | undefined> {
  const url = options.text('platform');
  const file = options.text('token-file');
  const caFile = options.text('platform-ca');
  if (url === undefined) return undefined;
  if (file === undefined) throw new UsageError('--platform needs --token-file FILE');
  const ca = caFile === undefined ? undefined : await textFile(caFile, io);
  const authorization = await fileToken(file, io);
  return createHttpsRecordTransport({ url, authorization, ...(ca === undefined ? {} : { ca }) });
}

/** The token of a file. One that is refused is read again: whoever renews tokens writes there. */
export async function fileToken(path: string, io: CliIo): Promise<RequestAuthorization> {
  let authorization = await tokenIn(path, io);
  let isRefused = false;
  return {
    async fields(request, signal) {
      if (isRefused) authorization = await tokenIn(path, io);
      isRefused = false;
      return authorization.fields(request, signal);
    },
    refused: () => void (isRefused = true),
  };
}

async function tokenIn(path: string, io: CliIo): Promise<RequestAuthorization> {
  const token = await secretFile(path, io);
  try {
    return bearerToken(token);
  } catch (cause) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds no bearer token`, { cause });
  }
}
