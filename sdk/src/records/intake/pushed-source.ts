import { HopbackError } from '../../errors.js';
import type { RecordReader } from '../ingest/record-reader.js';
import type { RejectFile } from '../ingest/reject-file.js';
import type { RejectedRow } from '../ingest/reject.js';
import type { RowCoverage } from '../ingest/row-coverage.js';
import { createRowIntake } from '../ingest/row-intake.js';
import { createRowSplitter } from '../ingest/row-splitter.js';
import type { SourceProgress } from '../ingest/source-progress.js';
import type { SplitRow } from '../ingest/row-splitter.js';
import type { Inserted, RecordStore } from '../store/record-store.js';
import { MAX_PUSHED_REJECTS } from './intake-source.js';
import type { IntakeSource, Pushed, PushedReject } from './intake-source.js';

/** Octets that fall into rows at a time: that is quick. */
const PIECE_BYTES = 65_536;

/** Rows that are read before everything else has its turn: a millisecond or two. */
const ROWS_PER_TURN = 32;

/** Records that go to the store at a time. */
const BATCH_RECORDS = 4_096;

/** What a source that is sent is made of. */
export interface PushedSourceParts {
  readonly sourceId: string;
  /** Closed by its owner. */
  readonly progress: SourceProgress;
  /** One for what is sent at a time, so that none goes on with the rows of another. */
  readonly newReader: () => RecordReader;
  readonly store: Pick<RecordStore, 'insert'>;
  readonly rejects: Pick<RejectFile, 'reject' | 'flush' | 'statistics'>;
  /** Lets everything else have its turn. */
  readonly pause: () => Promise<void>;
}

/** Claims nothing: nobody knows what a sender has kept to itself. */
const NO_COVERAGE: RowCoverage = {
  saw: () => undefined,
  broke: () => undefined,
  claims: () => [],
  state: () => undefined,
};

/** Makes a source whose rows are sent, each time some that are complete. Its owner closes the reject file. */
export function createPushedSource(parts: PushedSourceParts): IntakeSource & Required<Pick<IntakeSource, 'push'>> {
  const { sourceId, rejects, progress } = parts;
  const counts = { rows: 0, records: 0, skipped: 0, rejected: 0, inserted: 0, repeated: 0, waiting: 0, failures: 0 };
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;

  const push = async (octets: Uint8Array): Promise<Pushed> => {
    const { records, rejected, rejects: named, ...read } = await rowsOf(octets, parts);
    counts.rows += read.rows;
    counts.records += records.length;
    counts.skipped += read.skipped;
    counts.rejected += rejected;
    counts.waiting += records.length;
    try {
      const stored = await progress.storing(() => insertAll(records, parts.store));
      counts.failures = 0;
      counts.inserted += stored.inserted;
      counts.repeated += stored.repeated;
      const lostBefore = rejects.statistics().lost;
      if (rejected > 0) await rejects.flush();
      const areRejectsKept = rejects.statistics().lost === lostBefore && !read.isRejectLost;
      return { status: 'taken', ...stored, skipped: read.skipped, rejected, rejects: named, areRejectsKept };
    } catch (error) {
      counts.failures += 1;
      throw error;
    } finally {
      counts.waiting -= records.length;
    }
  };
  const nothing = { unreadBytes: 0, unreadFiles: 0, brokenFiles: 0 };
  return {
    // What is refused is kept by its sender.
    state: () => ({ id: sourceId, ...counts, ...nothing, ...progress.state(), lost: rejects.statistics().lost }),
    look: async () => void (await Promise.allSettled(underWay)),
    async push(octets) {
      if (isClosed) throw new HopbackError('closed', `The source ${sourceId} is not taken in any more.`);
      const pushing = push(octets);
      underWay.add(pushing);
      try {
        return await pushing;
      } finally {
        underWay.delete(pushing);
      }
    },
    async close() {
      isClosed = true;
      await Promise.allSettled(underWay);
    },
  };
}

interface RowsRead {
  readonly records: ReturnType<ReturnType<typeof createRowIntake>['handOver']>;
  readonly rejected: number;
  readonly rejects: readonly PushedReject[];
  readonly rows: number;
  readonly skipped: number;
  /** Whether the reject file had no room for one. */
  readonly isRejectLost: boolean;
}

async function rowsOf(octets: Uint8Array, parts: PushedSourceParts): Promise<RowsRead> {
  const { sourceId, newReader, rejects, pause } = parts;
  const reader = newReader();
  const named: PushedReject[] = [];
  let isRejectLost = false;
  const reject = (row: RejectedRow): void => {
    const { line, reason, field, detail } = row;
    if (named.length < MAX_PUSHED_REJECTS)
      named.push({ line, reason, ...(field === undefined ? {} : { field }), detail });
    const lostBefore = rejects.statistics().lost;
    rejects.reject(row);
    isRejectLost ||= rejects.statistics().lost > lostBefore;
  };
  const sink = { reject, flush: rejects.flush };
  const rows = createRowIntake({ sourceId, reader, rejects: sink, coverage: NO_COVERAGE });
  const splitter = createRowSplitter({ framing: reader.framing });
  let taken = 0;
  const take = async (found: readonly SplitRow[]): Promise<void> => {
    for (const row of found) {
      rows.take(row, '');
      taken += 1;
      // The octets of the rows hold until the next push, however long that is.
      if (taken % ROWS_PER_TURN === 0) await pause();
    }
  };
  for (let at = 0; at < octets.length; at += PIECE_BYTES)
    await take(splitter.push(octets.subarray(at, at + PIECE_BYTES)));
  await take(splitter.end());
  rows.expire(Infinity);
  const { rows: count, skipped, rejected } = rows.counts();
  return { records: rows.handOver(), rejected, rejects: named, rows: count, skipped, isRejectLost };
}

/** One batch after the other: a store that shares its time sees no larger ones from followers. */
async function insertAll(records: RowsRead['records'], store: PushedSourceParts['store']): Promise<Inserted> {
  const sum = { inserted: 0, repeated: 0, expired: 0 };
  for (let at = 0; at < records.length; at += BATCH_RECORDS) {
    const { inserted, repeated, expired } = await store.insert(records.slice(at, at + BATCH_RECORDS));
    sum.inserted += inserted;
    sum.repeated += repeated;
    sum.expired += expired;
  }
  return sum;
}
