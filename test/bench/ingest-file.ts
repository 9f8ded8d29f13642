import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { importFiles } from '../../sdk/src/records/ingest/import-files.js';
import type { RecordReader } from '../../sdk/src/records/ingest/record-reader.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { garbageCollector } from '../support/garbage-collector.js';
import type { Figure } from './bench.js';
import { asteriskRows } from './ingest-rows.js';

/** What an import of a large file took. */
export interface ImportMemory {
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
export const MEMORY_GROWTH_BAR_MB = 64;

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
