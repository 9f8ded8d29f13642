import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { defined, instantText } from '../../core/text.js';
import { parseBoundedJson } from '../../core/json-text.js';
import { HopbackError } from '../../errors.js';
import { FolderLock } from '../../log/index.js';
import { createHttpsRecordTransport } from '../../platform/index.js';
import type { RecordTransport } from '../../platform/index.js';
import {
  createSourceReader,
  DEFAULT_SHARING_POLICY,
  explainSuspicion,
  importFiles,
  RecordStream,
  SharingPolicy,
  SuspicionTracker,
} from '../../records/index.js';
import { SHARING_LEVELS } from '../../records/redaction/sharing-policy.js';
import { MEMBER_RULES } from '../../records/redaction/member-tree.js';
import type { CallRecord, DeadLetter, SharingExplanation, SharingPolicyData, Suspicion } from '../../records/index.js';
import { fileToken, pseudonymKey, sharingPolicyData } from '../../sidecar/services/record-platform.js';
import { jsonFile, secretFile } from '../inputs/key-files.js';
import { EXIT, optionSpecs, requirePath, UsageError } from '../kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { countText, reasonLines, report, tallied } from '../kit/output.js';
import { whenAborted } from '../kit/status-line.js';
import { fileSourceOf, ROWS_OPTIONS, STORE_OPTIONS, storeDirectory } from '../inputs/record-sources.js';
import { utcText } from '../inputs/records-query.js';
import { textFile } from '../inputs/trust-options.js';

/** What may leave, and under which pseudonyms. */
export const SHARING_OPTIONS = optionSpecs({
  'sharing <LEVEL|FILE>': `what may be sent: ${SHARING_LEVELS.join(', ')}, or a JSON file with a policy; default suspicious`,
  'pseudonym-key <FILE>': 'key of the pseudonyms, 64 hexadecimal digits or more: openssl rand -hex 32',
  'rotation <ID>': 'name of that key; a new key needs a new name',
  'tenant <ID>': 'your tenant id on the platform',
});

/**
 * The policy by which records leave.
 * @throws {@link UsageError} when the key, its name or the tenant is missing; {@link HopbackError} as `readSharingPolicy` and
 * {@link SharingPolicy}
 */
export async function sharingPolicyOf(options: OptionsOf<typeof SHARING_OPTIONS>, io: CliIo) {
  const [keyFile, rotationId, tenantId] = (['pseudonym-key', 'rotation', 'tenant'] as const).map((name) =>
    options.text(name),
  );
  if (keyFile === undefined || rotationId === undefined || tenantId === undefined)
    throw new UsageError(
      'records leave under pseudonyms: --pseudonym-key FILE, --rotation ID and --tenant ID are needed',
    );
  const data = await policyData(options, io);
  const key = pseudonymKey(await secretFile(keyFile, io), shownText(keyFile));
  return { policy: new SharingPolicy({ data, key, rotationId, tenantId }), tenantId };
}

/** The policy of a dry run: pseudonyms are those of the key where one is given, else of a temporary key. */
async function previewPolicyOf(options: OptionsOf<typeof SHARING_OPTIONS>, io: CliIo) {
  const isOwnKey = (['pseudonym-key', 'rotation', 'tenant'] as const).some((name) => options.isOn(name));
  if (isOwnKey) return { policy: (await sharingPolicyOf(options, io)).policy, isOwnKey };
  const data = await policyData(options, io);
  const policy = new SharingPolicy({ data, key: randomBytes(32), rotationId: 'preview', tenantId: 'preview' });
  return { policy, isOwnKey };
}

const policyData = (options: OptionsOf<typeof SHARING_OPTIONS>, io: CliIo): Promise<SharingPolicyData> =>
  sharingPolicyData(options.text('sharing') ?? DEFAULT_SHARING_POLICY.share, (path) => jsonFile(path, io));

const DEFAULT_PREVIEW = 20;
const MAX_PREVIEW = 10_000;

const PREVIEW_OPTIONS = optionSpecs({
  ...ROWS_OPTIONS,
  ...SHARING_OPTIONS,
  'limit <N>': `show the first N records, up to ${String(MAX_PREVIEW)}; default ${String(DEFAULT_PREVIEW)}; all are judged`,
});

const PREVIEW: CommandBody = {
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

async function runPreview(options: OptionsOf<typeof PREVIEW_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const paths = options.operands.map(requirePath);
  if (paths.length === 0) throw new UsageError('name at least one file to read');
  const limit = options.number('limit', 1, MAX_PREVIEW) ?? DEFAULT_PREVIEW;
  const source = await fileSourceOf(options, io);
  const { policy, isOwnKey } = await previewPolicyOf(options, io);
  const tracker = new SuspicionTracker();
  const shown: Previewed[] = [];
  const counts = { records: 0, shared: 0, withheld: 0 };
  const { files, rejected } = await importFiles(paths, {
    sourceId: source.id,
    reader: createSourceReader(source),
    rejects: { reject: () => undefined, flush: () => Promise.resolve() },
    store: {
      insert(records) {
        for (const record of records) {
          const suspicion = tracker.judge(record);
          const sharing = policy.explain(record, suspicion);
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
  const failed = files.filter(({ status }) => status !== 'imported');
  const exitCode = rejected === 0 && failed.length === 0 ? EXIT.ok : EXIT.negative;
  const document = {
    format: 'hopback.records-preview.1',
    exitCode,
    policyId: policy.data.id,
    share: policy.data.share,
    isOwnKey,
    ...counts,
    rejected,
    files: files.map(({ path, status }) => ({ path, status })),
    previews: shown.map(documentOf),
  };
  return report(options, io, document, [
    ...shown.flatMap(previewLines),
    ...failed.map(({ path, status }) => `✗ ${shownText(path)} is ${status}`),
    ...(isOwnKey ? [] : ['! pseudonyms are made with a temporary key: --pseudonym-key shows those that would be sent']),
    ...(counts.records > shown.length ? [`· the first ${String(shown.length)} are shown: --limit shows more`] : []),
    `${exitCode === EXIT.ok ? '✓' : '!'} ${countText(counts.records, 'record')} under ${policy.data.id}: ` +
      `${String(counts.shared)} would be sent, ${String(counts.withheld)} would stay; ${String(rejected)} rejected`,
  ]);
}

function documentOf({ record, suspicion, sharing }: Previewed): Readonly<Record<string, unknown>> {
  const { decision, members, record: sent } = sharing;
  return {
    recordId: record.recordId,
    suspicion,
    decision,
    members,
    sent,
  };
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

const DEFAULT_DEAD_LETTERS = 100;
const MAX_DEAD_LETTERS = 100_000;
/** As a stream takes records: 1 MiB of JSON. */
const RECORD_LIMITS = { maxChars: 1_048_576, maxDepth: 16, maxEntries: 65_536 };

const DEAD_LETTERS_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  'spool <DIR>': 'where records wait for the platform; default spool below the store',
  requeue: 'put the records back into the spool: the next hopback records tail sends them again',
  discard: 'drop the records: they are not sent; the store keeps their calls',
  records: 'show the records as they were sent: they may hold telephone numbers',
  'limit <N>': `the last N records, up to ${String(MAX_DEAD_LETTERS)}; default ${String(DEFAULT_DEAD_LETTERS)}; counts include all`,
});

type DeadLetterOptions = OptionsOf<typeof DEAD_LETTERS_OPTIONS>;

const DEAD_LETTERS: CommandBody = {
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

async function runDeadLetters(options: DeadLetterOptions, io: CliIo): Promise<ExitCode> {
  const decision = decisionOf(options);
  const limit = options.number('limit', 1, MAX_DEAD_LETTERS) ?? DEFAULT_DEAD_LETTERS;
  const spool = options.text('spool') ?? join(storeDirectory(options), 'spool');
  if (((await io.files.list(spool)) ?? []).length === 0)
    throw new HopbackError('storage-failed', `${shownText(spool)} is no spool`);
  const lock = await FolderLock.take(spool, 'the spool');
  try {
    const stream = await RecordStream.open({ directory: spool, source: '/', transport: NOWHERE });
    try {
      return await (decision === undefined ? list(stream, options, io, limit) : settle(stream, options, io, decision));
    } finally {
      await stream.close();
    }
  } finally {
    await lock.close();
  }
}

function decisionOf(options: DeadLetterOptions): Decision | undefined {
  const [isRequeue, isDiscard] = [options.isOn('requeue'), options.isOn('discard')];
  if (isRequeue && isDiscard) throw new UsageError('choose one: --requeue or --discard');
  if (isRequeue) return 'requeue';
  if (isDiscard) return 'discard';
  if (options.operands.length > 0) throw new UsageError('say what is to be done with them: --requeue or --discard');
  return undefined;
}

/** Sends nothing: this command looks at letters, whatever waits beside them. */
const NOWHERE: RecordTransport = {
  deliver: async (_batch, signal) => {
    await whenAborted(signal);
    return { status: 'unavailable', reason: 'connection-failed' };
  },
  close: () => Promise.resolve(),
};

async function list(stream: RecordStream, options: DeadLetterOptions, io: CliIo, limit: number): Promise<ExitCode> {
  const { count, reasons, last } = await tallied(stream.deadLetters(), limit, reasonOf);
  const withRecords = options.isOn('records');
  const letters = last.map(({ line, ...letter }) => ({
    ...letter,
    recordId: recordIdOf(line),
    line: withRecords ? line : undefined,
  }));
  return report(options, io, { format: 'hopback.records-dead-letters.1', count, reasons, letters }, [
    count === 0 ? '✓ no record was refused permanently' : `! ${countText(count, 'dead letter')}`,
    ...reasonLines(reasons),
    ...(count > last.length ? [`· the last ${String(last.length)}:`] : []),
    ...last.flatMap((letter) => letterLines(letter, withRecords)),
  ]);
}

async function settle(
  stream: RecordStream,
  options: DeadLetterOptions,
  io: CliIo,
  decision: Decision,
): Promise<ExitCode> {
  const named = new Set(options.operands);
  const unseen = new Set(named);
  const settled = await stream.settleDeadLetters(({ line }) => {
    const recordId = recordIdOf(line) ?? '';
    unseen.delete(recordId);
    return named.size === 0 || named.has(recordId) ? decision : 'keep';
  });
  const exitCode = settled.remaining > 0 || unseen.size > 0 ? EXIT.negative : EXIT.ok;
  const unknown = [...unseen];
  const document = { format: 'hopback.records-dead-letters-settled.1', exitCode, ...settled, unknown };
  return report(options, io, document, settledLines(settled, unknown));
}

function settledLines(
  { requeued, kept, discarded, remaining }: Awaited<ReturnType<RecordStream['settleDeadLetters']>>,
  unknown: readonly string[],
): readonly string[] {
  return [
    ...(requeued > 0
      ? [`✓ ${countText(requeued, 'record')} back in the spool: the next hopback records tail sends them`]
      : []),
    ...(discarded > 0 ? [`✓ ${countText(discarded, 'record')} discarded`] : []),
    ...(kept > 0 ? [`· ${countText(kept, 'dead letter')} as before`] : []),
    ...(remaining > 0 ? [`! ${countText(remaining, 'dead letter')} not handled: the spool accepts no more`] : []),
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

/** Whom records go to. */
export const PLATFORM_OPTIONS = optionSpecs({
  'platform <URL> [HOPBACK_PLATFORM]': 'where batches of records are posted; without it nothing is sent',
  'token-file <FILE> [HOPBACK_TOKEN_FILE]': 'file with the bearer token; read again when the platform refuses it',
  'platform-ca <FILE>': 'root certificate (PEM) for the platform, instead of the public roots',
});

/**
 * The way to the platform; undefined where none is named.
 * @throws {@link UsageError} when the token is missing; {@link HopbackError} when URL, token or certificate cannot be
 */
export async function transportOf(
  options: OptionsOf<typeof PLATFORM_OPTIONS>,
  io: CliIo,
): Promise<RecordTransport | undefined> {
  const url = options.text('platform');
  if (url === undefined) return undefined;
  const file = options.needed('token-file', '--platform needs --token-file FILE');
  const caFile = options.text('platform-ca');
  const ca = caFile === undefined ? undefined : await textFile(caFile, io);
  const authorization = await fileToken(file, (path) => secretFile(path, io));
  return createHttpsRecordTransport({ url, authorization, ...defined({ ca }) });
}

export const COMMANDS = { 'records preview': PREVIEW, 'records dead-letters': DEAD_LETTERS };
