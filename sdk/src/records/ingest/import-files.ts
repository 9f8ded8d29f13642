import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { CallRecord } from '../../contract/call-record.js';
import { addInserted } from '../store/record-store.js';
import type { RecordStore } from '../store/record-store.js';
import { filePieces, GzipFault, isPackedOtherwise, MemberRows } from './readable-files.js';
import type { DamagedMember } from './readable-files.js';
import type { RecordReader } from './record-reader.js';
import type { RejectSink } from './rejects.js';
import { createRowCoverage, createRowIntake } from './row-intake.js';
import type { IntakeCounts, RowIntake } from './row-intake.js';
import { createRowSplitter } from './row-splitter.js';

/** Records that go to the store at a time. A commit costs a sync of the disk, some milliseconds; 4,096 records some MiB. */
export const IMPORT_BATCH_RECORDS = 4_096;

/** How far an import has come. */
export interface ImportProgress extends IntakeCounts {
  /** The file that is being read. */
  readonly path: string;
  /** Files before it. */
  readonly filesDone: number;
  /** Of this file, as it lies on disk. */
  readonly bytesRead: number;
  readonly sizeBytes: number;
}

/** Options of {@link importFiles}. */
export interface ImportOptions {
  /** Name of the source, as in its description. */
  readonly sourceId: string;
  /** Of the format of the files, new; used up afterwards. */
  readonly reader: RecordReader;
  readonly store: Pick<RecordStore, 'insert' | 'cover'>;
  readonly rejects: RejectSink;
  /** 1 to 1,000,000. Default 4,096. */
  readonly batchRecords?: number;
  /** Octets of a row at most. Default 1,048,576. */
  readonly maxRowBytes?: number;
  /** How long a call may last before its row is written. Default 14,400,000. */
  readonly longestCallMs?: number;
  /**
   * Silence in which the source counts as running, whatever its pace. Default 3,600,000, and less for a source whose rows
   * come fast: a hundred times their mean distance, five minutes at least.
   */
  readonly longestSilenceMs?: number;
  /** Told after every batch and every file. */
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Ends the import after the batch that is under way. */
  readonly signal?: AbortSignal;
}

/** What became of one file. */
export type ImportedFile = ImportReport['files'][number];

/** What became of an import. */
export interface ImportReport extends IntakeCounts {
  /** What became of each file. */
  readonly files: readonly (
    | { readonly status: 'imported'; readonly path: string }
    /** Its packed content is damaged or cut off; what came before is imported, and rows of the member that is. */
    | {
        readonly status: 'damaged';
        readonly path: string;
        readonly cause: unknown;
        readonly damaged?: DamagedMember;
      }
    /** Its name says that it is packed, and it holds neither gzip nor text. None of it is read. */
    | { readonly status: 'not-gzip'; readonly path: string }
    /** It is not there, or cannot be read to its end; what was read is imported. */
    | {
        readonly status: 'unreadable';
        readonly path: string;
        readonly cause: unknown;
      }
  )[];
  /** Records that are new to the store. */
  readonly inserted: number;
  /** Records that were there already. */
  readonly repeated: number;
  /** Records older than the store's retention. */
  readonly expired: number;
}

/**
 * Reads files of one source into a store: plain or packed with gzip, of any length, with a few batches in memory. Reading goes on while
 * a batch is stored, and waits when the next is full. Rows that cannot be read go to the reject sink and stop nothing.
 *
 * Claims coverage as far as the rows prove it, which ends `longestCallMs` before the last row. Files are to be given in the order in which
 * they were written.
 * @param paths - of files
 * @param options - source, reader, store and reject sink; batches of 1 to 1,000,000 records, rows of `maxRowBytes` octets at most
 * @returns counts, and what became of each file
 * @throws {@link HopbackError} `storage-failed` when the store refuses a batch: import again, records that are there are left as they
 * are; the reason of `signal` when it is aborted
 * @see {@link FileFollower} for files that are still written to
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const file = `${directory}/Master.csv`;
 * await writeFile(file, 'not a row of Asterisk\n');
 * const reader: RecordReader = {
 *   framing: 'csv',
 *   read: () => [{ status: 'rejected', reason: 'too-few-fields', detail: '1 field, not 16' }],
 *   expire: () => [],
 *   waiting: () => 0,
 * };
 * await using rejects = await RejectFile.open({ path: `${directory}/rejects.ndjson` });
 * const store = { insert: async () => ({ inserted: 0, repeated: 0, expired: 0 }), cover: async () => undefined };
 * const { rows, rejected } = await importFiles([file], { sourceId: 'pbx-1', reader, store, rejects });
 * console.log(rows, rejected); // 1 1
 * await rm(directory, { recursive: true });
 * ```
 */
export async function importFiles(paths: readonly string[], options: ImportOptions): Promise<ImportReport> {
  const { sourceId, reader, store, rejects } = options;
  const coverage = createRowCoverage(options);
  const intake = createRowIntake({
    sourceId,
    reader,
    rejects,
    coverage,
  });
  const stored = createStoredBatches(store);
  const files: ImportedFile[] = [];
  try {
    for (const path of paths) {
      const tell = (bytesRead: number, sizeBytes: number): void =>
        options.onProgress?.({
          ...intake.counts(),
          path,
          filesDone: files.length,
          bytesRead,
          sizeBytes,
        });
      const file = await importFile(path, {
        options,
        intake,
        stored,
        tell,
      });
      // Rows may be missing behind the break, and nobody knows of which time.
      if (file.status !== 'imported') coverage.broke();
      files.push(file);
    }
    intake.expire(Infinity);
    await stored.put(intake.handOver());
  } finally {
    await Promise.allSettled([stored.settled(), rejects.flush()]);
  }
  await stored.settled();
  // Last: coverage says that all of it is there.
  for (const interval of coverage.claims()) await store.cover(interval);
  return { ...intake.counts(), ...stored.counts(), files };
}

interface FileImport {
  readonly options: ImportOptions;
  readonly intake: RowIntake;
  readonly stored: StoredBatches;
  readonly tell: (bytesRead: number, sizeBytes: number) => void;
}

async function importFile(path: string, { options, intake, stored, tell }: FileImport): Promise<ImportedFile> {
  const { batchRecords = IMPORT_BATCH_RECORDS, maxRowBytes, reader, signal } = options;
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    return { status: 'unreadable', path, cause };
  }
  let bytesRead = 0;
  const onRead = (sizeBytes: number): void => {
    // Packed content of any length may hold no row.
    signal?.throwIfAborted();
    bytesRead += sizeBytes;
  };
  const members = new MemberRows();
  const pieces = filePieces(file, { onRead, members });
  try {
    const splitter = createRowSplitter({
      framing: reader.framing,
      ...(maxRowBytes === undefined ? {} : { maxRowBytes }),
    });
    const { size } = await file.stat();
    // What the disk refuses here it refuses the reader, too, who tells of it.
    if (await isPackedOtherwise(file, path).catch(() => false)) {
      tell(0, size);
      return { status: 'not-gzip', path };
    }
    for (;;) {
      const piece = await nextPiece(pieces);
      signal?.throwIfAborted();
      if (piece.status === 'failed') {
        tell(bytesRead, size);
        const { cause } = piece;
        if (!(cause instanceof GzipFault)) return { status: 'unreadable', path, cause };
        const damaged = members.damagedBy(cause);
        return {
          status: 'damaged',
          path,
          cause: cause.of(damaged),
          ...(damaged === undefined ? {} : { damaged }),
        };
      }
      const rows = piece.status === 'piece' ? splitter.push(piece.octets) : splitter.end();
      members.add(rows);
      for (const row of rows) intake.take(row, path);
      if (intake.pending().length >= batchRecords) {
        await stored.put(intake.handOver());
        tell(bytesRead, size);
      }
      if (piece.status === 'end') break;
    }
    await options.rejects.flush();
    tell(bytesRead, size);
    return { status: 'imported', path };
  } finally {
    // First: a read that is under way needs the file.
    await pieces.return(undefined);
    await file.close();
  }
}

type NextPiece =
  | { readonly status: 'piece'; readonly octets: Uint8Array }
  | { readonly status: 'end' }
  | { readonly status: 'failed'; readonly cause: unknown };

/** What goes wrong with the file is kept apart from what goes wrong with the store. */
async function nextPiece(pieces: AsyncGenerator<Uint8Array>): Promise<NextPiece> {
  try {
    const next = await pieces.next();
    return next.done === true ? { status: 'end' } : { status: 'piece', octets: next.value };
  } catch (cause) {
    return { status: 'failed', cause };
  }
}

type StoredBatches = ReturnType<typeof createStoredBatches>;

/** One batch is stored while the next is read, and no more than that are in memory. */
function createStoredBatches(store: ImportOptions['store']) {
  const counts = { inserted: 0, repeated: 0, expired: 0 };
  let storing: Promise<void> = Promise.resolve();
  const insert = async (records: readonly CallRecord[]): Promise<void> => {
    addInserted(counts, await store.insert(records));
  };
  return {
    /** Begins to store a batch when the one before it is stored. */
    async put(records: readonly CallRecord[]): Promise<void> {
      await storing;
      if (records.length === 0) return;
      storing = insert(records);
      // Whoever waits next hears of it; until then it is not unhandled.
      storing.catch(() => undefined);
    },
    settled: () => storing,
    counts: (): {
      readonly inserted: number;
      readonly repeated: number;
      readonly expired: number;
    } => ({ ...counts }),
  };
}
