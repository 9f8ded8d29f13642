import type { DuckDBConnection } from '@duckdb/node-api';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { nextTurn } from '../../core/runtime/clock.js';
import type { CallRecord } from '../../contract/call-record.js';
import type { Clock } from '../../core/runtime/clock.js';
import { makeFolder } from '../../log/log-files.js';
import {
  DAY_US,
  MAX_HELD_RECORDS,
  auditEntry,
  checkHoldOrder,
  checkInterval,
  checkRecord,
  checkWindow,
  checkedLimit,
  checkedPage,
  coverageWith,
  coverageWithout,
  endedEntries,
  mergedRecords,
  placedHold,
  scopeOf,
  tooManyToHold,
} from './record-store.js';
import { countDay, countDays, createFileAccess, openEngine, StateFile } from './duckdb/engine.js';
import type { Engine, FileAccess, OpenFiles } from './duckdb/engine.js';
import { DayError, inUse, loadDuckDb, storageFailed } from './duckdb/duckdb-module.js';
import { findInDay, pageOfDay } from './duckdb/partitions.js';
import type { Partition } from './duckdb/partitions.js';
import { InsertQueue, writeDay } from './duckdb/insert-queue.js';
import { aroundOtherInstants, dateOf, dayOf, millisecondsWithin } from './duckdb/partition-rows.js';
import type { FoundRecords, Inserted, RecordPage, RecordQuery, RecordStore, StoreStatistics } from './record-store.js';

/** Options of {@link openDuckDbRecordStore}. */
export interface DuckDbRecordStoreOptions {
  /** Folder of the store; made, for its owner only, where it is not there. */
  readonly directory: string;
  /** By which holds are dated and end. Default the machine's. */
  readonly clock?: Clock;
  /** What DuckDB may take beside the memory of Node, MB. Default 1,024; 256 is enough for look-ups. */
  readonly memoryLimitMb?: number;
  /** Threads of DuckDB. Default 2: look-ups scan little, and a switch has other work. */
  readonly threads?: number;
}

/**
 * Folders that are open in this process. The lock that DuckDB takes keeps other processes out, but belongs to the process: a second
 * store on the same folder would get it, and give it away for both when it is closed.
 */
const openFolders = new Set<string>();

/**
 * Opens the embedded record store: one DuckDB file for each UTC day of `inviteAtUs`, so that retention is deleting files, and one for
 * coverage, holds and their audit. `insert` resolves when its records are synced to disk; records of many callers share a
 * transaction. A process that is killed, or loses power, comes back with everything that was acknowledged, unattended.
 *
 * One process at a time has a store open. Others ask that process: {@link SharedRecordStore} is this store for all processes of a
 * user.
 * @param options - folder, clock, and what DuckDB may take: MB of memory, threads
 * @returns the store, this process alone having it open; to be closed
 * @throws HopbackError `unavailable` where `@duckdb/node-api` is not installed; `storage-failed` where the folder cannot be used or
 * another process, or another store of this one, has it open
 * @see https://duckdb.org/docs/stable/connect/concurrency
 * @example
 * ```ts
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * const directory = mkdtempSync(join(tmpdir(), 'hopback-records-'));
 * const store = await openDuckDbRecordStore({ directory });
 * await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: 86_399_999_999 });
 * const window = { fromUs: 0, toUs: 3_599_999_999 };
 * const { records } = await store.find({ window, calledTn: '12155550112' });
 * console.log(records.length, await store.coverage(window)); // 0 [ { sourceId: 'sbc-1', fromUs: 0, toUs: 3599999999 } ]
 * await store.close();
 * rmSync(directory, { recursive: true });
 * ```
 */
export async function openDuckDbRecordStore(options: DuckDbRecordStoreOptions): Promise<RecordStore> {
  const duckdb = await loadDuckDb();
  const directory = await madeFolder(options.directory);
  if (openFolders.has(directory)) throw inUse(`the record store ${directory} is open in this process already`);
  openFolders.add(directory);
  const { memoryLimitMb = 1_024, threads = 2, clock = { nowMs: () => Date.now() } } = options;
  const open = async (): Promise<OpenFiles> => {
    const engine = await openEngine(duckdb, { directory, memoryLimitMb, threads });
    const state = await StateFile.open(duckdb, engine.writer);
    await state.meetDays(engine.partitions.days());
    return { engine, state };
  };
  try {
    return storeOf(await open(), { open, clock, directory });
  } catch (error) {
    openFolders.delete(directory);
    throw storageFailed(`open ${directory}`, error);
  }
}

interface StoreParts {
  readonly open: () => Promise<OpenFiles>;
  readonly clock: Clock;
  readonly directory: string;
}

function storeOf(opened: OpenFiles, { open, clock, directory }: StoreParts): RecordStore {
  const access = createFileAccess(opened, { open, directory });
  const { use, change } = access;
  const nowUs = (): number => clock.nowMs() * 1_000;
  const queue = queueTo(access);
  let closing: Promise<void> | undefined;

  const closed = async (): Promise<void> => {
    await queue.drained();
    await access.close().finally(() => openFolders.delete(directory));
  };
  const close = (): Promise<void> => (closing ??= closed());

  return {
    insert: (records) => insertInto(access, queue, records),
    find: async (query) => search(access, query, checkedLimit(query)),
    page: async (query) => readPage(access, checkedPage(query)),
    cover: async (interval) => {
      checkInterval(interval);
      await change('keep coverage', ({ state }) =>
        state.setCoverage(interval.sourceId, coverageWith(state.coverage.of(interval.sourceId), interval)),
      );
    },
    uncover: async (interval) => {
      checkInterval(interval);
      await change('keep coverage', ({ state }) =>
        state.setCoverage(interval.sourceId, coverageWithout(state.coverage.of(interval.sourceId), interval)),
      );
    },
    scope: async () => use('be read', async ({ state }) => scopeOf(state.sources(), state.retainedFromUs())),
    coverage: async (window) => {
      checkWindow(window);
      return use('be read', async ({ state }) => state.coverage.within(window));
    },
    expire: async (beforeUs) => {
      await change('expire records', async ({ state }) => state.expire(beforeUs, endedEntries(state.holds(), nowUs())));
      return use('expire records', (files) => removeBefore(files, beforeUs, access.inTurn));
    },
    hold: async (order) => {
      checkHoldOrder(order);
      const { records, isCut } = await search(access, order.query, order.query.limit ?? MAX_HELD_RECORDS);
      if (isCut && order.query.limit === undefined) throw tooManyToHold();
      return change('keep a hold', async ({ state }) => {
        const place = state.audit().length + 1;
        const { hold, entry } = placedHold(order, { place, placedAtUs: nowUs(), count: records.length });
        await state.hold(hold, entry, records);
        return hold;
      });
    },
    release: async (holdId, reason, by) =>
      change('release a hold', async ({ state }) => {
        const hold = state.holds().find((one) => one.holdId === holdId);
        if (hold === undefined) return false;
        const released = { action: 'released', holdId, atUs: nowUs(), reason, count: hold.count } as const;
        await state.release(holdId, auditEntry(released, by));
        return true;
      }),
    holds: async () => use('be read', async ({ state }) => state.holds()),
    holdAudit: async () => use('be read', async ({ state }) => state.audit()),
    statistics: async () => statisticsOf(access),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function insertInto(
  { use, change }: FileAccess,
  queue: InsertQueue,
  records: readonly CallRecord[],
): Promise<Inserted> {
  const { state } = await use('take records', (opened) => Promise.resolve(opened));
  for (const record of records) checkRecord(record);
  const known = new Set(state.sources());
  const unknown = new Set(records.map(({ source }) => source.id).filter((id) => !known.has(id)));
  if (unknown.size > 0) await change('take records', (files) => files.state.addSources([...unknown]));
  const retained = state.retainedFromUs();
  const fresh = records.filter(({ inviteAtUs }) => inviteAtUs >= retained);
  const { inserted, repeated } = await queue.insert(fresh);
  // Nothing waits for its turn to write where nothing is new.
  const days = new Set(fresh.map(({ inviteAtUs }) => dayOf(inviteAtUs)).filter((day) => !state.hasDay(day)));
  if (days.size > 0) await change('take records', (files) => files.state.addDays(days));
  return { inserted, repeated, expired: records.length - fresh.length };
}

function queueTo({ use, inTurn }: FileAccess): InsertQueue {
  return new InsertQueue({
    using: (day, work) =>
      use('take records', ({ engine }) =>
        engine.partitions
          .using(day, (partition) => work(partition, (batch) => inTurn(() => writeDay(engine, partition, batch))))
          .catch((error: unknown) => {
            throw new DayError(dateOf(day), error);
          }),
      ),
    pause: nextTurn,
  });
}

function search({ use }: FileAccess, query: RecordQuery, limit: number): Promise<FoundRecords> {
  return use('be read', async ({ engine, state }) => {
    const live = await findLive(engine, query, limit + 1);
    // Behind the days: a record that is held and expires meanwhile is in one of the two.
    const copies = await engine.reading((connection) => state.held(connection, query));
    return mergedRecords(live, copies, limit);
  });
}

function readPage({ use }: FileAccess, page: RecordPage): Promise<FoundRecords> {
  return use('be read', async ({ engine, state }) => {
    const found: CallRecord[] = [];
    const firstDay = dayOf(Math.max(page.window.fromUs, page.after.inviteAtUs));
    for (const day of engine.partitions.days()) {
      if (day < firstDay || day > dayOf(page.window.toUs)) continue;
      const ofDay = { ...page, limit: page.limit + 1 - found.length };
      found.push(...(await ofOneDay(engine, day, (connection, partition) => pageOfDay(connection, partition, ofDay))));
      if (found.length > page.limit) break;
    }
    const copies = await engine.reading((connection) => state.heldPage(connection, page));
    return mergedRecords(found, copies, page.limit);
  });
}

/** What one day has; nothing where it was removed meanwhile. */
async function ofOneDay(
  engine: Engine,
  day: number,
  read: (connection: DuckDBConnection, partition: Partition) => Promise<readonly CallRecord[]>,
): Promise<readonly CallRecord[]> {
  const found = await engine
    .reading((connection) => engine.partitions.usingIfThere(day, (partition) => read(connection, partition)))
    .catch((error: unknown) => {
      throw new DayError(dateOf(day), error);
    });
  return found ?? [];
}

async function madeFolder(directory: string): Promise<string> {
  try {
    await makeFolder(join(directory, 'days'));
    return await realpath(directory);
  } catch (error) {
    throw storageFailed(`make its folder ${join(directory, 'days')}`, error);
  }
}

/** Day after day, until there are enough. */
async function findLive(engine: Engine, query: RecordQuery, limit: number): Promise<readonly CallRecord[]> {
  // A record of a local time that comes twice may lie in the day beside.
  const { fromUs, toUs } = aroundOtherInstants(query.window);
  const found: CallRecord[] = [];
  for (const day of engine.partitions.days()) {
    if (day < dayOf(fromUs) || day > dayOf(toUs)) continue;
    const left = limit - found.length;
    found.push(
      ...(await ofOneDay(engine, day, (connection, partition) => findInDay(connection, partition, query, left))),
    );
    if (found.length >= limit) break;
  }
  return found;
}

/** Whole days by their files, the day of the limit by its rows. */
async function removeBefore(
  { engine, state }: OpenFiles,
  beforeUs: number,
  inTurn: (work: () => Promise<number>) => Promise<number>,
): Promise<number> {
  // Cut in memory with the next opening alone: what was counted of a day still holds while it is removed.
  const sums = state.daySums;
  let removed = 0;
  for (const day of engine.partitions.days()) {
    if (day * DAY_US >= beforeUs) break;
    if ((day + 1) * DAY_US <= beforeUs) {
      // One that is damaged cannot be counted, and goes all the same: those behind it would stay for ever.
      const count = await countDay(engine, sums, day).catch(() => 0);
      await engine.partitions.remove(day);
      removed += count;
      continue;
    }
    const { from } = millisecondsWithin(day, { fromUs: beforeUs, toUs: beforeUs });
    const condition = `at_ms < ${from} OR (at_ms = ${from} AND at_us < ${beforeUs % 1_000})`;
    removed += await inTurn(async () => {
      const deleted = await engine.partitions.usingIfThere(day, ({ schema }) =>
        engine.writer.run(`DELETE FROM ${schema}.records WHERE ${condition}`),
      );
      return deleted?.rowsChanged ?? 0;
    });
  }
  return removed;
}

/** Counts, and keeps what was counted for the next time: where that fails, it is counted again. */
async function statisticsOf({ use, change }: Pick<FileAccess, 'use' | 'change'>): Promise<StoreStatistics> {
  const { statistics, fresh } = await use('be read', ({ engine, state }) => countDays(engine, state.daySums));
  if (fresh.size > 0) await change('keep sums', ({ state }) => state.daySums.keep(fresh)).catch(() => undefined);
  return statistics;
}
