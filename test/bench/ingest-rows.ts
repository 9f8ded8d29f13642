import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { importFiles } from '../../sdk/dist/records/ingest/import-files.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { garbageCollector } from '../support/garbage-collector.js';
import { parse } from 'csv-parse/sync';
import type { RecordReader } from '../../sdk/dist/records/ingest/record-reader.js';
import { sourceSha256 } from '../../sdk/dist/records/record-id.js';
import { interleave, sized, type BenchContext, type Figure } from './bench.js';

/** Rows of one file, in its order, without line ends. */
type FileRows = readonly Buffer[];

/** Rows that are read between two looks at the clock. */
const BATCH_ROWS = 1_000;

/**
 * Measures a reader on rows as they stand in a file: hash of the raw bytes, text, fields, times, numbers, record id, record. csv-parse
 * beside it does the fields alone.
 * @param rows - whole batches of 1,000, each of which must make a record
 */
export async function measureReader(
  figure: string,
  { reader, rows, context }: { readonly reader: RecordReader; readonly rows: FileRows; readonly context: BenchContext },
): Promise<Figure> {
  const batches = batchesOf(rows);
  const files = batches.map((batch) => batch.map((row) => row.toString('latin1')).join('\n'));
  const rounds = sized(context, { quick: 5, short: 15, full: 45 });
  let next = 0;
  const turn = (): number => (next = (next + 1) % batches.length);
  const rates = await interleave(
    {
      reader: () => readBatch(reader, batches[turn()] ?? []),
      csvParse: () => (parse(files[turn()] ?? '', { relax_column_count: true }) as readonly unknown[]).length,
    },
    { rounds, ms: 150, steadyBy: 'csvParse' },
  );
  const bytes = rows.reduce((sum, row) => sum + row.length, 0) / rows.length;
  return {
    ...{ figure, value: rates.reader.median, unit: 'rows/s' },
    baseline: 'csv-parse/sync, fields only',
    baselineValue: rates.csvParse.median,
    bar: { valueAtLeast: 150_000 },
    note: `one core, medians of the steadiest ${rounds} of ${rates.csvParse.made} rounds over ${rows.length} distinct rows of ${bytes.toFixed(0)} bytes, two SHA-256 a row`,
  };
}

function batchesOf(rows: FileRows): readonly FileRows[] {
  return Array.from({ length: Math.floor(rows.length / BATCH_ROWS) }, (_, index) =>
    rows.slice(index * BATCH_ROWS, (index + 1) * BATCH_ROWS),
  );
}

/** @returns how many records were made */
function readBatch(reader: RecordReader, rows: FileRows): number {
  let records = 0;
  let line = 0;
  for (const bytes of rows) {
    line += 1;
    const readings = reader.read({ text: bytes.toString('latin1'), sha256: sourceSha256(bytes), line });
    for (const { status } of readings) if (status === 'record') records += 1;
  }
  if (records !== rows.length) throw new Error(`${rows.length} rows made ${records} records`);
  return records;
}

/** Distinct rows as Asterisk's cdr_csv writes them with `loguniqueid` and `loguserfield`, 25 calls a second from a given one on. */
export function asteriskRows(count: number, startMs: number): FileRows {
  return Array.from({ length: count }, (_, index) => {
    const offsetMs = index * 40;
    const at = (seconds: number): string =>
      new Date(startMs + offsetMs + seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ');
    const src = `${AREAS[index % AREAS.length]}55501${twoDigits(index)}`;
    const dst = `1${AREAS[(index >> 2) % AREAS.length]}55501${twoDigits(index * 7)}`;
    const counter = (index + 16).toString(16).padStart(8, '0');
    const isAnswered = index % 3 !== 0;
    return Buffer.from(
      `"","${src}","${dst}","from-carrier","""Caller ${index % 50}"" <${src}>","PJSIP/carrier-${index % 9}-${counter}",` +
        `"PJSIP/carrier-out-${counter}","Dial","PJSIP/+${dst}@carrier-out,60","${at(0)}",${isAnswered ? `"${at(6)}"` : ''},` +
        `"${at(31)}",31,${isAnswered ? 25 : 0},"${isAnswered ? 'ANSWERED' : 'NO ANSWER'}","DOCUMENTATION",` +
        `"${Math.floor((startMs + offsetMs) / 1_000)}.${index}",""`,
    );
  });
}

const AREAS = ['202', '212', '312', '415'];

function twoDigits(number: number): string {
  return String(number % 100).padStart(2, '0');
}

/** What an import of a large file took. */
interface ImportMemory {
  /** Size of the file, MiB. */
  readonly fileMb: number;
  readonly rows: number;
  readonly rowsPerSecond: number;
  /** Highest resident memory during the import above that before it, MiB; V8's garbage that nobody has collected yet included. */
  readonly growthMb: number;
  /** Of that, what was there at the last looks above what was there at the first, MiB, each after a full collection. */
  readonly keptMb: number;
}

/** Octets of the files: each is long enough to show growth. */
export const FILE_BYTES = { quick: 128 * 1_048_576, short: 256 * 1_048_576, full: 2_048 * 1_048_576 } as const;

/** Most that a process may grow by, MiB: heap that V8 is in no hurry to give back, two batches of records, pieces of the file. */
const MEMORY_GROWTH_BAR_MB = 64;

/** The figure `memory-flat` of the bench `ingest`. */
export function memoryFlatFigure({ growthMb, fileMb, rowsPerSecond, keptMb }: ImportMemory): Figure {
  return {
    figure: 'memory-flat',
    value: growthMb,
    unit: 'MiB',
    bar: { valueAtMost: MEMORY_GROWTH_BAR_MB },
    note: `file of ${fileMb} MiB, ${Math.round(rowsPerSecond)} rows/s through import, ${keptMb.toFixed(1)} MiB kept`,
  };
}

/**
 * Writes a file of Asterisk's cdr_csv and imports it into a store that keeps nothing.
 * @param reader - new, of that format, zone UTC
 * @param fileBytes - size of the file
 */
export async function measureImportMemory(reader: RecordReader, fileBytes: number): Promise<ImportMemory> {
  await using directory = await createTemporaryDirectory();
  const path = join(directory.path, 'Master.csv');
  await writeAsteriskFile(path, fileBytes);
  // What a first pass loads and compiles is no growth of the second. Formats of one row a record keep nothing between rows.
  await importFile({ ...reader }, path, { stopAtBytes: WARM_UP_BYTES });
  return await importFile(reader, path, {});
}

const MEGABYTE = 1_048_576;
const WARM_UP_BYTES = 32 * MEGABYTE;

async function importFile(
  reader: RecordReader,
  path: string,
  { stopAtBytes = Infinity }: { readonly stopAtBytes?: number },
): Promise<ImportMemory> {
  const collect = garbageCollector();
  collect();
  const beforeMb = residentMb();
  const stop = new AbortController();
  let peakMb = 0;
  const kept: number[] = [];
  let lookedAtBytes = 0;
  let fileMb = 0;
  let rows = 0;
  const startedMs = performance.now();
  await importFiles([path], {
    sourceId: 'bench',
    reader,
    store: {
      insert: (records) => Promise.resolve({ inserted: records.length, repeated: 0, expired: 0 }),
      cover: () => Promise.resolve(),
    },
    rejects: { reject: refuse, flush: () => Promise.resolve() },
    signal: stop.signal,
    onProgress: (progress) => {
      rows = progress.rows;
      fileMb = Math.round(progress.sizeBytes / MEGABYTE);
      peakMb = Math.max(peakMb, residentMb() - beforeMb);
      if (progress.bytesRead - lookedAtBytes >= progress.sizeBytes / KEPT_LOOKS) {
        lookedAtBytes = progress.bytesRead;
        collect();
        kept.push(process.memoryUsage().heapUsed / MEGABYTE);
      }
      if (progress.bytesRead >= stopAtBytes) stop.abort();
    },
  }).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  return {
    fileMb,
    rows,
    rowsPerSecond: rows / seconds,
    growthMb: peakMb,
    keptMb: (kept.at(-1) ?? 0) - (kept[0] ?? 0),
  };
}

/** Full collections during an import: each takes some tens of milliseconds. */
const KEPT_LOOKS = 16;

function refuse(row: { readonly line: number; readonly detail: string }): never {
  throw new Error(`the bench wrote a row that its reader rejects: line ${row.line}, ${row.detail}`);
}

function residentMb(): number {
  return process.memoryUsage.rss() / MEGABYTE;
}

/** A day of calls of a PBX, over and over: some 200 octets a row, as `cdr_csv` with `loguniqueid` writes them. */
async function writeAsteriskFile(path: string, fileBytes: number): Promise<void> {
  await using file = await open(path, 'w');
  let written = 0;
  for (let first = 0; written < fileBytes; first += ROWS_A_WRITE) {
    const rows = asteriskRows(ROWS_A_WRITE, FIRST_CALL_MS + first * 40);
    const { bytesWritten } = await file.write(`${rows.join('\n')}\n`);
    written += bytesWritten;
  }
}

const ROWS_A_WRITE = 5_000;
const FIRST_CALL_MS = Date.UTC(2026, 10, 2);
