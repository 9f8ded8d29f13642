import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { printableText, defined } from '../../core/text.js';
import { createSourceReader, importFiles, readRejects, RejectFile } from '../../records/index.js';
import { sourceFileName, rejectsFolder, rejectsFile, makeSourceKnown } from '../../records/intake/intake-source.js';
import type {
  DamagedMember,
  FileSourceConfiguration,
  ImportProgress,
  ImportReport,
  Inserted,
  IntakeCounts,
  RejectedRow,
  RejectReason,
  SharedRecordStore,
} from '../../records/index.js';
import { EXIT, optionSpecs, refuseOperands, requirePath, UsageError } from '../kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { countText, reasonLines, report, tallied } from '../kit/output.js';
import { createStatusLine } from '../kit/status-line.js';
import { fileSourceOf, openStore, SOURCE_OPTIONS, STORE_OPTIONS, storeDirectory } from '../inputs/record-sources.js';
import type { ImportedFile } from '../../records/ingest/import-files.js';

const IMPORT_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  ...SOURCE_OPTIONS,
  partial: 'the files contain only some rows of their period, so the store does not mark that period as complete',
});

const IMPORT: CommandBody = {
  usage: [
    '--store DIR --source FILE [--partial] FILE...',
    '--store DIR --id ID --format FORMAT --zone ZONE [--keep-raw] FILE...',
  ],
  options: IMPORT_OPTIONS,
  notes: [
    'Files are plain text or gzip. Give them in the order in which they were written. Importing a file again adds ' +
      'nothing. If the files hold only some rows of their time, for example repaired or selected rows, use ' +
      '--partial: without it, the store counts as complete for that time and can wrongly report "not found". Rows ' +
      'that cannot be read go to a file below the store and do not stop the import: hopback records rejects lists ' +
      'them. Ctrl-C ends after the current batch, and within 10 seconds; a second one ends at once.',
    'Exit codes: 0 all rows read, 1 rows were rejected, a file is damaged or unreadable, or the import was ' +
      'stopped, 2 command line or input not valid, 4 the store is not usable.',
    '  hopback records import --store /var/lib/hopback --id pbx-1 --format asterisk-cdr --zone America/New_York Master.csv',
  ],
  run: runImport,
};

async function runImport(options: OptionsOf<typeof IMPORT_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const paths = options.operands.map(requirePath);
  if (paths.length === 0) throw new UsageError('name at least one file to import');
  const directory = storeDirectory(options);
  const declared = await fileSourceOf(options, io);
  const source = options.isOn('keep-raw') ? { ...declared, keepRaw: true } : declared;
  const store = await openStore(options, io);
  try {
    const rejectPath = rejectsFile(directory, source.id, 'import');
    await using rejects = await RejectFile.open({ path: rejectPath });
    const outcome = await imported(paths, {
      source,
      store,
      rejects,
      io,
      isQuiet: options.isOn('json'),
      isPartial: options.isOn('partial'),
    });
    if (outcome.rows > 0) await makeSourceKnown(store, source.id);
    const lost = rejects.statistics().lost;
    const exitCode = isClean(outcome) && lost === 0 ? EXIT.ok : EXIT.negative;
    const { files, isStopped, elapsedMs, ...counts } = outcome;
    const document = {
      format: 'hopback.records-import.1',
      exitCode,
      source: source.id,
      ...counts,
      isStopped,
      elapsedMs: Math.round(elapsedMs),
      rejectFile: outcome.rejected > 0 ? rejectPath : undefined,
      rejectsLost: lost,
      files: files.map((file) => ({ ...file, cause: file.cause === undefined ? undefined : causeText(file.cause) })),
    };
    return report(options, io, document, summaryLines(outcome, rejectPath, lost));
  } finally {
    await store.close();
  }
}

interface ImportParts {
  readonly source: FileSourceConfiguration;
  readonly store: SharedRecordStore;
  readonly rejects: RejectFile;
  readonly io: CliIo;
  readonly isQuiet: boolean;
  /** Whether rows are left out, so that what is read proves nothing about what is not. */
  readonly isPartial: boolean;
}

/** What became of one file, as far as it was read. */
interface FileTally extends IntakeCounts {
  readonly path: string;
  readonly status: ImportReport['files'][number]['status'] | 'stopped';
  readonly cause?: unknown;
  readonly damaged?: DamagedMember;
}

interface Outcome extends IntakeCounts, Inserted {
  readonly files: readonly FileTally[];
  readonly reasons: Readonly<Partial<Record<RejectReason, number>>>;
  readonly isStopped: boolean;
  readonly elapsedMs: number;
}

async function imported(paths: readonly string[], parts: ImportParts): Promise<Outcome> {
  const { source, store, rejects, io, isQuiet, isPartial } = parts;
  const stopped = io.stopSignal();
  const beganMs = io.elapsedMs();
  const line = createStatusLine(io, { output: io.stderr, isQuiet });
  const stored = { inserted: 0, repeated: 0, expired: 0 };
  const reasons: Partial<Record<RejectReason, number>> = {};
  /** By its place in the list: the counts of all files when it ended, or as far as it came. */
  const through = new Map<number, IntakeCounts>();
  const onProgress = (progress: ImportProgress): void => {
    through.set(progress.filesDone, progress);
    line.show(() => progressText(progress, paths.length, io.elapsedMs() - beganMs));
  };
  let files: ImportReport['files'] = [];
  let total = NOTHING;
  try {
    const read = await importFiles(paths, {
      sourceId: source.id,
      reader: createSourceReader(source),
      store: {
        insert: async (records) => {
          const result = await store.insert(records);
          stored.inserted += result.inserted;
          stored.repeated += result.repeated;
          stored.expired += result.expired;
          return result;
        },
        cover: (interval) => (isPartial ? Promise.resolve() : store.cover(interval)),
      },
      rejects: {
        reject(row) {
          reasons[row.reason] = (reasons[row.reason] ?? 0) + 1;
          rejects.reject(row);
        },
        flush: () => rejects.flush(),
      },
      ...defined({ longestCallMs: source.longestCallMs, longestSilenceMs: source.longestSilenceMs }),
      onProgress,
      signal: stopped,
    });
    files = read.files;
    total = read;
  } catch (error) {
    if (!stopped.aborted) throw error;
    total = [...through.values()].at(-1) ?? NOTHING;
  } finally {
    line.end();
  }
  const isStopped = files.length < paths.length;
  const { rows, records, skipped, rejected } = total;
  return {
    rows,
    records,
    skipped,
    rejected,
    ...stored,
    reasons,
    isStopped,
    elapsedMs: io.elapsedMs() - beganMs,
    files: paths.map((path, at) => talliedFile({ path, at, file: files[at], through, isStopped })),
  };
}

const NOTHING: IntakeCounts = { rows: 0, records: 0, skipped: 0, rejected: 0 };

function talliedFile(of: {
  readonly path: string;
  readonly at: number;
  readonly file: ImportedFile | undefined;
  readonly through: ReadonlyMap<number, IntakeCounts>;
  readonly isStopped: boolean;
}): FileTally {
  const { path, at, file, through, isStopped } = of;
  const end = through.get(at) ?? before(through, at);
  const start = before(through, at);
  const status = file?.status ?? (isStopped && !through.has(at + 1) ? 'stopped' : 'imported');
  return {
    path,
    status,
    rows: end.rows - start.rows,
    records: end.records - start.records,
    skipped: end.skipped - start.skipped,
    rejected: end.rejected - start.rejected,
    ...(file !== undefined && 'cause' in file ? { cause: file.cause } : {}),
    ...defined({ damaged: file?.status === 'damaged' ? file.damaged : undefined }),
  };
}

/** The counts when the files before were read. A file that could not be opened was never told of. */
function before(through: ReadonlyMap<number, IntakeCounts>, at: number): IntakeCounts {
  for (let earlier = at - 1; earlier >= 0; earlier -= 1) {
    const counts = through.get(earlier);
    if (counts !== undefined) return counts;
  }
  return NOTHING;
}

function isClean(outcome: Outcome): boolean {
  return outcome.rejected === 0 && !outcome.isStopped && outcome.files.every(({ status }) => status === 'imported');
}

function progressText(
  { path, filesDone, bytesRead, sizeBytes, rows, rejected }: ImportProgress,
  files: number,
  elapsedMs: number,
): string {
  const percent = sizeBytes === 0 ? 100 : Math.min(100, Math.floor((100 * bytesRead) / sizeBytes));
  return (
    `file ${String(filesDone + 1)} of ${String(files)}, ${String(percent)} %: ${shownText(path)}, ` +
    `${countText(rows, 'row')} (${rateText(rows, elapsedMs)}), ${String(rejected)} rejected`
  );
}

function rateText(rows: number, elapsedMs: number): string {
  return `${String(Math.round((rows * 1000) / Math.max(1, elapsedMs)))} rows/s`;
}

const MARKS: Readonly<Record<FileTally['status'], string>> = {
  imported: '✓',
  damaged: '✗',
  'not-gzip': '✗',
  unreadable: '✗',
  stopped: '!',
};

function summaryLines(outcome: Outcome, rejectPath: string, lost: number): readonly string[] {
  const { files, reasons, inserted, repeated, expired, isStopped, elapsedMs } = outcome;
  return [
    ...files.map((file) => {
      const status = file.status === 'imported' ? '' : `${file.status}${causeText(file.cause)}${damagedText(file)}; `;
      return `${MARKS[file.status]} ${shownText(file.path)}: ${status}${countsText(file)}`;
    }),
    ...(isStopped ? ['! stopped before the end; what was read is stored. Import the same files again to go on.'] : []),
    `${isClean(outcome) ? '✓' : '!'} in all ${countsText(outcome)}; ${rateText(outcome.rows, elapsedMs)}`,
    `  records: ${String(inserted)} new, ${String(repeated)} already stored, ${String(expired)} expired`,
    ...reasonLines(reasons, 'rejected '),
    ...(outcome.rejected > 0 ? [`  rejected rows are in ${shownText(rejectPath)}`] : []),
    ...(lost > 0 ? [`✗ ${countText(lost, 'rejected row')} could not be written there`] : []),
  ];
}

function countsText({ rows, records, skipped, rejected }: IntakeCounts): string {
  return `${countText(rows, 'row')}: ${countText(records, 'record')}, ${String(skipped)} skipped, ${String(rejected)} rejected`;
}

function damagedText({ damaged }: FileTally): string {
  if (damaged === undefined) return '';
  return ` in member ${String(damaged.member)}, of which ${countText(damaged.rows, 'row')} came in unchecked`;
}

function causeText(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? ` (${code})` : '';
}

const DEFAULT_LIMIT = 100;
/** With 64 KiB each some 6 GB would be the most; rows are a hundredth of that. */
const MAX_LIMIT = 100_000;
/** Longest row that is shown: an answer is read by a person. */
const MAX_SHOWN_BYTES = 4_096;

const REJECTS_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  'id <SOURCE>': 'only rows of this source',
  bytes: 'show the rows themselves: they hold telephone numbers',
  'limit <N>': `the last N rows, up to ${String(MAX_LIMIT)}; default ${String(DEFAULT_LIMIT)}; counts include all rows`,
});

const REJECTS: CommandBody = {
  usage: ['--store DIR [--id SOURCE] [--bytes] [--limit N]'],
  options: REJECTS_OPTIONS,
  notes: [
    'Shows counts by reason, then the rows, newest last. Reads files beside the store: you can run it while the ' +
      'store is in use.',
    'Exit codes: 0 listed, 2 command line or input not valid, 4 the files cannot be read.',
  ],
  run: runRejects,
};

async function runRejects(options: OptionsOf<typeof REJECTS_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const folder = rejectsFolder(storeDirectory(options));
  const id = options.text('id');
  const limit = options.number('limit', 1, MAX_LIMIT) ?? DEFAULT_LIMIT;
  const files = await rejectFiles(folder, id, io);
  const { count, reasons, last } = await tallied(rejectedRows(files, id), limit, ({ reason }) => reason);
  const withBytes = options.isOn('bytes');
  const rows = last.map(({ bytes, ...row }) => ({
    ...row,
    bytes: withBytes ? Buffer.from(bytes).toString('base64') : undefined,
  }));
  return report(options, io, { format: 'hopback.records-rejects.1', count, reasons, rows }, [
    count === 0 ? '✓ no row was rejected' : `! ${countText(count, 'rejected row')}`,
    ...reasonLines(reasons),
    ...(count > last.length ? [`· the last ${String(last.length)}:`] : []),
    ...last.flatMap((row) => rowLines(row, withBytes)),
  ]);
}

/** Paths of reject files, the one that was written to last at the end. */
async function rejectFiles(folder: string, id: string | undefined, io: CliIo): Promise<readonly string[]> {
  const heads = new Set<string>();
  for (const name of (await io.files.list(folder)) ?? []) {
    // What was put aside when it was full has a number behind its name.
    const [, head, owner] = /^(([a-z0-9_~-]{1,64})(?:\.import)?\.ndjson)(?:\.\d{1,9})?$/.exec(name) ?? [];
    if (head !== undefined && (id === undefined || owner === sourceFileName(id))) heads.add(head);
  }
  const dated = await Promise.all(
    [...heads].map(async (head) => {
      const path = join(folder, head);
      const atMs = await stat(path).then(
        (found) => found.mtimeMs,
        () => 0,
      );
      return { path, atMs };
    }),
  );
  return dated.toSorted((one, other) => one.atMs - other.atMs).map(({ path }) => path);
}

async function* rejectedRows(files: readonly string[], id: string | undefined): AsyncGenerator<RejectedRow> {
  for (const file of files)
    for await (const row of readRejects(file)) if (id === undefined || row.sourceId === id) yield row;
}

function rowLines(row: RejectedRow, withBytes: boolean): readonly string[] {
  const { sourceId, file, line, reason, field, detail, sizeBytes, bytes } = row;
  const place = file === '' ? '' : ` ${file}${line === 0 ? '' : `:${String(line)}`}`;
  const named = field === undefined ? '' : ` ${field}`;
  const head = `✗ ${sourceId}${place}: ${reason}${named}: ${detail} (${countText(sizeBytes, 'octet')})`;
  if (!withBytes || bytes.length === 0) return [head];
  const text = Buffer.from(bytes).toString('utf8');
  return [head, `    ${printableText(text, MAX_SHOWN_BYTES)}`];
}

export const COMMANDS = { 'records import': IMPORT, 'records rejects': REJECTS };
