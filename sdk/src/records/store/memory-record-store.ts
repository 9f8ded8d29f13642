import type { CallRecord } from '../../contract/call-record.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import {
  MAX_HELD_RECORDS,
  OTHER_INSTANT_US,
  auditEntry,
  byTime,
  checkHoldOrder,
  checkInterval,
  checkRecord,
  checkWindow,
  checkedLimit,
  coverageFrom,
  coverageWith,
  coverageWithout,
  createCoverageTable,
  endedEntries,
  matchesQuery,
  mergedRecords,
  placedHold,
  scopeOf,
  tooManyToHold,
} from './record-store.js';
import type { HoldAuditEntry, LegalHold, RecordQuery, RecordStore, StoreStatistics } from './record-store.js';

/** Options of {@link createMemoryRecordStore}. */
export interface MemoryRecordStoreOptions {
  /** By which holds are dated and end. */
  readonly clock: Clock;
}

interface Held {
  readonly hold: LegalHold;
  readonly records: readonly CallRecord[];
  isReleased: boolean;
}

/**
 * Makes a store that lives as long as its process: for tests, demonstrations and small tools. What it resolves is durable in no
 * sense. A look-up goes through all records of its window.
 * @param options - the clock by which holds are dated and end
 * @returns an empty store; making it never throws
 * @see {@link openDuckDbRecordStore} for one that keeps its records
 * @example
 * ```ts
 * await using store = createMemoryRecordStore({ clock: { nowMs: () => 1_700_000_000_000 } });
 * const found = await store.find({ window: { fromUs: 0, toUs: 1_700_000_000_000_000 }, calledTn: '12155550112' });
 * console.log(found.records.length); // 0
 * ```
 */
export function createMemoryRecordStore(options: MemoryRecordStoreOptions): RecordStore {
  const { clock } = options;
  const records = createTimeline();
  const coverage = createCoverageTable();
  const sources = new Set<string>();
  const held = new Map<string, Held>();
  const audit: HoldAuditEntry[] = [];
  let retainedFromUs = 0;
  let isClosed = false;
  const nowUs = (): number => clock.nowMs() * 1_000;
  const open = (): void => {
    if (isClosed) throw new HopbackError('closed', 'the record store is closed');
  };

  const matching = (query: RecordQuery, limit: number): ReturnType<typeof mergedRecords> => {
    const { fromUs, toUs } = query.window;
    const live = records
      .within(fromUs - OTHER_INSTANT_US, toUs + OTHER_INSTANT_US)
      .filter((record) => matchesQuery(record, query));
    const copies = [...held.values()].flatMap((entry) => entry.records.filter((record) => matchesQuery(record, query)));
    return mergedRecords(live, copies, limit);
  };

  const inForce = (): readonly LegalHold[] =>
    [...held.values()].filter((entry) => !entry.isReleased).map((entry) => entry.hold);

  const endHolds = (): void => {
    const ended = endedEntries(inForce(), nowUs());
    for (const { holdId } of ended) held.delete(holdId);
    for (const [holdId, entry] of held) if (entry.isReleased) held.delete(holdId);
    audit.push(...ended);
  };

  const close = (): Promise<void> => {
    isClosed = true;
    return Promise.resolve();
  };

  // Every member is async, so that what is thrown is a rejection, as it is of the stores that have a disk.
  return {
    insert: async (added) => {
      open();
      for (const record of added) checkRecord(record);
      for (const { source } of added) sources.add(source.id);
      const fresh = added.filter((record) => record.inviteAtUs >= retainedFromUs);
      const inserted = records.add(fresh);
      return { inserted, repeated: fresh.length - inserted, expired: added.length - fresh.length };
    },
    find: async (query) => {
      open();
      return matching(query, checkedLimit(query));
    },
    cover: async (interval) => {
      open();
      checkInterval(interval);
      sources.add(interval.sourceId);
      const all = coverageWith(coverage.of(interval.sourceId), interval);
      coverage.set(interval.sourceId, coverageFrom(all, retainedFromUs));
    },
    uncover: async (interval) => {
      open();
      checkInterval(interval);
      sources.add(interval.sourceId);
      coverage.set(interval.sourceId, coverageWithout(coverage.of(interval.sourceId), interval));
    },
    scope: async () => {
      open();
      return scopeOf([...sources].sort(), retainedFromUs);
    },
    coverage: async (window) => {
      open();
      checkWindow(window);
      return coverage.within(window);
    },
    expire: async (beforeUs) => {
      open();
      retainedFromUs = Math.max(retainedFromUs, beforeUs);
      for (const sourceId of coverage.sources()) coverage.set(sourceId, coverageFrom(coverage.of(sourceId), beforeUs));
      endHolds();
      return records.removeBefore(beforeUs);
    },
    hold: async (order) => {
      open();
      checkHoldOrder(order);
      const { query } = order;
      const found = matching(query, query.limit ?? MAX_HELD_RECORDS);
      if (found.isCut && query.limit === undefined) throw tooManyToHold();
      const facts = { place: audit.length + 1, placedAtUs: nowUs(), count: found.records.length };
      const { hold, entry } = placedHold(order, facts);
      held.set(hold.holdId, { hold, records: found.records, isReleased: false });
      audit.push(entry);
      return hold;
    },
    release: async (holdId, reason, by) => {
      open();
      const entry = held.get(holdId);
      if (entry === undefined || entry.isReleased) return false;
      entry.isReleased = true;
      audit.push(auditEntry({ action: 'released', holdId, atUs: nowUs(), reason, count: entry.hold.count }, by));
      return true;
    },
    holds: async () => {
      open();
      return inForce();
    },
    holdAudit: async () => {
      open();
      return [...audit];
    },
    statistics: async () => {
      open();
      return records.statistics();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Records by time. */
interface Timeline {
  /** @returns how many were not there yet */
  readonly add: (records: readonly CallRecord[]) => number;
  readonly within: (fromUs: number, toUs: number) => readonly CallRecord[];
  /** @returns how many there were */
  readonly removeBefore: (beforeUs: number) => number;
  readonly statistics: () => StoreStatistics;
}

function createTimeline(): Timeline {
  let sorted: CallRecord[] = [];
  let isSorted = true;
  const ids = new Set<string>();

  const inOrder = (): readonly CallRecord[] => {
    if (!isSorted) sorted.sort(byTime);
    isSorted = true;
    return sorted;
  };

  /** Index of the first record at or after a time. */
  const indexOf = (atUs: number): number => {
    const list = inOrder();
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((list[middle]?.inviteAtUs ?? Infinity) < atUs) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    add: (records) => {
      const before = sorted.length;
      for (const record of records) {
        if (ids.has(record.recordId)) continue;
        ids.add(record.recordId);
        sorted.push(record);
      }
      isSorted &&= sorted.length === before;
      return sorted.length - before;
    },
    within: (fromUs, toUs) => inOrder().slice(indexOf(fromUs), indexOf(toUs + 1)),
    removeBefore: (beforeUs) => {
      const end = indexOf(beforeUs);
      for (const record of sorted.slice(0, end)) ids.delete(record.recordId);
      sorted = sorted.slice(end);
      return end;
    },
    statistics: () => {
      const [oldest] = inOrder();
      const newest = sorted.at(-1);
      const base = { records: sorted.length, sizeBytes: 0, partitions: oldest === undefined ? 0 : 1 };
      if (oldest === undefined || newest === undefined) return base;
      return Object.assign(base, { oldestUs: oldest.inviteAtUs, newestUs: newest.inviteAtUs });
    },
  };
}
