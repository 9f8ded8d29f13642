import { join } from 'node:path';
import type { CallRecord } from '../../contract/call-record.js';
import { nextTurn } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { once } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';
import { FolderLock, ValueJournal } from '../../log/index.js';
import { exists } from '../../log/log-files.js';
import { FileFollower, SourceProgress } from '../ingest/follow-files.js';
import type { FollowNotice } from '../ingest/follow-turn.js';
import { SourceListener } from '../ingest/listen-source.js';
import { RejectFile } from '../ingest/rejects.js';
import type { RejectedRow } from '../ingest/rejects.js';
import type { RowCoverage } from '../ingest/row-intake.js';
import { createRowIntake } from '../ingest/row-intake.js';
import { createRowSplitter } from '../ingest/row-splitter.js';
import type { SplitRow } from '../ingest/row-splitter.js';
import { createSourceReader } from '../ingest/source-configuration.js';
import type { FileSourceConfiguration, HepConfiguration, SourceConfiguration } from '../ingest/source-configuration.js';
import { addInserted } from '../store/record-store.js';
import type { Inserted, RecordStore } from '../store/record-store.js';
import { MAX_PUSHED_REJECTS, followFolder, rejectsFile, sourceNotice } from './intake-source.js';
import type { IntakeSource, IntakeSourceNotice, Pushed } from './intake-source.js';

/** Octets that fall into rows at a time: that is quick. */
const PIECE_BYTES = 65_536;

/** Rows that are read before everything else has its turn: a millisecond or two. */
const ROWS_PER_TURN = 32;

/** Records that go to the store at a time. */
const BATCH_RECORDS = 4_096;

/** What sources are taken in with. */
interface IntakeSourceParts {
  /** Directory of the store. */
  readonly directory: string;
  readonly sink: Pick<RecordStore, 'insert' | 'cover'>;
  readonly clock: Clock;
  /** Runs something later; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  readonly onNotice: (notice: IntakeSourceNotice) => void;
}

/**
 * Begins to take in one source: follows its files, listens for it, or waits for what is sent where it has no path. A source is taken in
 * by one process at a time.
 */
export async function openIntakeSource(source: SourceConfiguration, parts: IntakeSourceParts): Promise<IntakeSource> {
  const lock = await FolderLock.take(followFolder(parts.directory, source.id), `the source ${source.id}`);
  let rejects: RejectFile | undefined;
  try {
    rejects = await RejectFile.open({ path: rejectsFile(parts.directory, source.id, 'tail') });
    const open = { ...parts, rejects, lock };
    if (source.format === 'hep') return await listened(source, open);
    return source.path === undefined ? sent(source, open) : await followed({ ...source, path: source.path }, open);
  } catch (error) {
    await rejects?.close();
    await lock.close();
    throw error;
  }
}

interface OpenParts extends IntakeSourceParts {
  readonly rejects: RejectFile;
  readonly lock: { readonly close: () => Promise<void> };
}

/** Notices of files whose rows may be missing. */
const BROKEN: ReadonlySet<FollowNotice['kind']> = new Set(['lost', 'damaged', 'not-gzip']);

async function followed(
  source: FileSourceConfiguration & { readonly path: string },
  parts: OpenParts,
): Promise<IntakeSource> {
  const { rejects, lock, sink, clock, schedule, onNotice } = parts;
  const { id, path } = source;
  const reader = createSourceReader(source);
  let brokenFiles = 0;
  const values = await ValueJournal.open({ directory: join(followFolder(parts.directory, id), 'places') });
  if (!/[*?]/.test(path) && !(await exists(path)))
    onNotice({ source: id, kind: 'waiting-for-file', path, detail: 'there is no such file yet' });
  const follower = await FileFollower.open({
    ...source,
    sourceId: id,
    reader,
    store: sink,
    rejects,
    values,
    clock,
    schedule,
    onNotice: (notice) => {
      if (BROKEN.has(notice.kind)) brokenFiles += 1;
      onNotice(sourceNotice(id, notice));
    },
  }).catch(async (error: unknown) => {
    await values.close().catch(() => undefined);
    throw error;
  });
  return {
    state: () => ({ id, ...follower.statistics(), brokenFiles, lost: rejects.statistics().lost }),
    look: follower.look,
    close: once(async () => {
      await follower.close();
      await rejects.close();
      try {
        await values.close();
      } finally {
        await lock.close();
      }
    }),
  };
}

async function listened(configuration: HepConfiguration, parts: OpenParts): Promise<IntakeSource> {
  const { rejects, lock, sink, schedule, onNotice } = parts;
  const { id } = configuration;
  const progress = progressOf(configuration, parts);
  let failures = 0;
  const listener = await SourceListener.open({
    configuration,
    rejects,
    schedule,
    store: {
      async insert(records) {
        const inserted = await progress.storing(() => sink.insert(records));
        failures = 0;
        return inserted;
      },
    },
    onFailed: (cause) => {
      failures += 1;
      progress.failed();
      onNotice(sourceNotice(id, { kind: 'failed', cause }));
    },
  });
  progress.start();
  for (const { transport, host, port } of listener.listening)
    onNotice({ source: id, kind: 'listening', detail: `${transport} ${host} port ${String(port)}` });
  return {
    state() {
      const { records, rejected, inserted, repeated, waiting, lost } = listener.statistics();
      const { udpPackets, tcpPackets } = listener.counters();
      const skipped = 0;
      return {
        id,
        rows: udpPackets + tcpPackets,
        records,
        skipped,
        rejected,
        inserted,
        repeated,
        waiting,
        ...progress.state(),
        unreadBytes: 0,
        unreadFiles: 0,
        brokenFiles: 0,
        failures,
        lost: lost + rejects.statistics().lost,
      };
    },
    look: () => listener.commit(),
    close: once(async () => {
      progress.close();
      await listener.close();
      await rejects.close();
      await lock.close();
    }),
  };
}

/** Claims nothing: nobody knows what a sender has kept to itself. */
const NO_COVERAGE: RowCoverage = {
  saw: () => undefined,
  broke: () => undefined,
  claims: () => [],
  state: () => undefined,
};

/** A source whose rows are sent, each time some that are complete. */
function sent(source: FileSourceConfiguration, parts: OpenParts): IntakeSource {
  const { rejects, lock, sink } = parts;
  const { id } = source;
  const progress = progressOf(source, parts);
  const counts = {
    rows: 0,
    records: 0,
    skipped: 0,
    rejected: 0,
    inserted: 0,
    repeated: 0,
    waiting: 0,
    failures: 0,
  };
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;

  const push = async (octets: Uint8Array): Promise<Pushed> => {
    const { records, rejected, rejects: named, ...read } = await rowsOf(octets, source, rejects);
    counts.rows += read.rows;
    counts.records += records.length;
    counts.skipped += read.skipped;
    counts.rejected += rejected;
    counts.waiting += records.length;
    try {
      const stored = await progress.storing(() => insertAll(records, sink));
      counts.failures = 0;
      counts.inserted += stored.inserted;
      counts.repeated += stored.repeated;
      const lostBefore = rejects.statistics().lost;
      if (rejected > 0) await rejects.flush();
      const areRejectsKept = rejects.statistics().lost === lostBefore && !read.isRejectLost;
      return {
        status: 'taken',
        ...stored,
        skipped: read.skipped,
        rejected,
        rejects: named,
        areRejectsKept,
      };
    } catch (error) {
      counts.failures += 1;
      throw error;
    } finally {
      counts.waiting -= records.length;
    }
  };
  progress.start();
  const nothing = { unreadBytes: 0, unreadFiles: 0, brokenFiles: 0 };
  return {
    // What is refused is kept by its sender.
    state: () => ({
      id,
      ...counts,
      ...nothing,
      ...progress.state(),
      lost: rejects.statistics().lost,
    }),
    look: async () => void (await Promise.allSettled(underWay)),
    async push(octets) {
      if (isClosed) throw new HopbackError('closed', `The source ${id} is not taken in any more.`);
      const pushing = push(octets);
      underWay.add(pushing);
      try {
        return await pushing;
      } finally {
        underWay.delete(pushing);
      }
    },
    close: once(async () => {
      progress.close();
      isClosed = true;
      await Promise.allSettled(underWay);
      await rejects.close();
      await lock.close();
    }),
  };
}

/** Reads what was sent with a reader of its own, so that none goes on with the rows of another. */
async function rowsOf(octets: Uint8Array, source: FileSourceConfiguration, rejects: RejectFile) {
  const reader = createSourceReader(source);
  const named: Pushed['rejects'][number][] = [];
  let isRejectLost = false;
  const reject = (row: RejectedRow): void => {
    const { line, reason, field, detail } = row;
    if (named.length < MAX_PUSHED_REJECTS)
      named.push({ line, reason, ...(field === undefined ? {} : { field }), detail });
    const lostBefore = rejects.statistics().lost;
    rejects.reject(row);
    isRejectLost ||= rejects.statistics().lost > lostBefore;
  };
  const sink = { reject, flush: () => rejects.flush() };
  const rows = createRowIntake({ sourceId: source.id, reader, rejects: sink, coverage: NO_COVERAGE });
  const splitter = createRowSplitter({ framing: reader.framing });
  let taken = 0;
  const take = async (found: readonly SplitRow[]): Promise<void> => {
    for (const row of found) {
      rows.take(row, '');
      taken += 1;
      // The octets of the rows hold until the next push, however long that is.
      if (taken % ROWS_PER_TURN === 0) await nextTurn();
    }
  };
  for (let at = 0; at < octets.length; at += PIECE_BYTES)
    await take(splitter.push(octets.subarray(at, at + PIECE_BYTES)));
  await take(splitter.end());
  rows.expire(Infinity);
  const { rows: count, skipped, rejected } = rows.counts();
  /** `isRejectLost`: the reject file had no room for one. */
  return {
    records: rows.handOver(),
    rejected,
    rejects: named,
    rows: count,
    skipped,
    isRejectLost,
  };
}

/** One batch after the other: a store that shares its time sees no larger ones from followers. */
async function insertAll(records: readonly CallRecord[], store: Pick<RecordStore, 'insert'>): Promise<Inserted> {
  const sum = { inserted: 0, repeated: 0, expired: 0 };
  for (let at = 0; at < records.length; at += BATCH_RECORDS)
    addInserted(sum, await store.insert(records.slice(at, at + BATCH_RECORDS)));
  return sum;
}

function progressOf(
  { id, stuckAfterMs }: SourceConfiguration,
  { clock, schedule, onNotice }: IntakeSourceParts,
): SourceProgress {
  return new SourceProgress({
    clock,
    schedule,
    stuckAfterMs,
    notice: (notice) => onNotice(sourceNotice(id, notice)),
  });
}
