import type { CallRecord } from '../../contract/call-record.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
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
  checkedPage,
  coverageFrom,
  coverageWith,
  coverageWithout,
  createCoverageTable,
  endedEntries,
  isOnPage,
  matchesQuery,
  mergedRecords,
  placedHold,
  scopeOf,
  tooManyToHold,
} from './record-store.js';
import type {
  FoundRecords,
  HoldAuditEntry,
  HoldOrder,
  LegalHold,
  RecordPage,
  RecordQuery,
  RecordStore,
  StoreStatistics,
} from './record-store.js';

/**
 * Makes a store that lives as long as its process: for tests, demonstrations and small tools. What it resolves is durable in no
 * sense. A look-up goes through all records of its window.
 * @param options - the clock by which holds are dated and end; default: the machine's
 * @returns an empty store; making it never throws
 * @see {@link openDuckDbRecordStore} for one that keeps its records
 * @example
 * ```ts
 * await using store = createMemoryRecordStore({ clock: { nowMs: () => 1_700_000_000_000 } });
 * const found = await store.find({ window: { fromUs: 0, toUs: 1_700_000_000_000_000 }, calledTn: '12155550112' });
 * console.log(found.records.length); // 0
 * ```
 */
export function createMemoryRecordStore(options: { readonly clock?: Clock } = {}): RecordStore {
  const records = createTimeline();
  const holds = new Holds(options.clock ?? MACHINE_CLOCK);
  const coverage = createCoverageTable();
  const sources = new Set<string>();
  let retainedFromUs = 0;
  let isClosed = false;
  /** Turns what is thrown into a rejection, as in the stores on disk. */
  const whileOpen = async <Result>(work: () => Result): Promise<Result> => {
    if (isClosed) throw new HopbackError('closed', 'the record store is closed');
    return work();
  };

  const matching = (query: RecordQuery, limit: number): FoundRecords => {
    const { fromUs, toUs } = query.window;
    const live = records
      .within(fromUs - OTHER_INSTANT_US, toUs + OTHER_INSTANT_US)
      .filter((record) => matchesQuery(record, query));
    return mergedRecords(live, holds.matching(query), limit);
  };

  const close = async (): Promise<void> => {
    isClosed = true;
  };

  return {
    insert: (added) =>
      whileOpen(() => {
        for (const record of added) checkRecord(record);
        for (const { source } of added) sources.add(source.id);
        const fresh = added.filter((record) => record.inviteAtUs >= retainedFromUs);
        const inserted = records.add(fresh);
        return { inserted, repeated: fresh.length - inserted, expired: added.length - fresh.length };
      }),
    find: (query) => whileOpen(() => matching(query, checkedLimit(query))),
    page: (query) => whileOpen(() => pageOf(records, holds, checkedPage(query))),
    cover: (interval) =>
      whileOpen(() => {
        checkInterval(interval);
        sources.add(interval.sourceId);
        const all = coverageWith(coverage.of(interval.sourceId), interval);
        coverage.set(interval.sourceId, coverageFrom(all, retainedFromUs));
      }),
    uncover: (interval) =>
      whileOpen(() => {
        checkInterval(interval);
        sources.add(interval.sourceId);
        coverage.set(interval.sourceId, coverageWithout(coverage.of(interval.sourceId), interval));
      }),
    scope: () => whileOpen(() => scopeOf([...sources].sort(), retainedFromUs)),
    coverage: (window) =>
      whileOpen(() => {
        checkWindow(window);
        return coverage.within(window);
      }),
    expire: (beforeUs) =>
      whileOpen(() => {
        retainedFromUs = Math.max(retainedFromUs, beforeUs);
        for (const id of coverage.sources()) coverage.set(id, coverageFrom(coverage.of(id), beforeUs));
        holds.expire();
        return records.removeBefore(beforeUs);
      }),
    hold: (order) =>
      whileOpen(() => {
        checkHoldOrder(order);
        return holds.place(order, matching(order.query, order.query.limit ?? MAX_HELD_RECORDS));
      }),
    release: (holdId, reason, by) => whileOpen(() => holds.release(holdId, reason, by)),
    holds: () => whileOpen(() => holds.inForce()),
    holdAudit: () => whileOpen(() => [...holds.audit]),
    statistics: () => whileOpen(() => records.statistics()),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function pageOf(records: ReturnType<typeof createTimeline>, holds: Holds, page: RecordPage): FoundRecords {
  const fitting = (list: readonly CallRecord[]): readonly CallRecord[] =>
    list.filter((record) => isOnPage(record, page));
  const live = records.within(Math.max(page.window.fromUs, page.after.inviteAtUs), page.window.toUs);
  return mergedRecords(fitting(live), fitting(holds.all()), page.limit);
}

/** Holds, with the records that they keep, and their audit. */
class Holds {
  readonly audit: HoldAuditEntry[] = [];
  readonly #clock: Clock;
  readonly #held = new Map<
    string,
    {
      hold: LegalHold;
      records: readonly CallRecord[];
      isReleased: boolean;
    }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(): readonly CallRecord[] {
    return [...this.#held.values()].flatMap(({ records }) => records);
  }

  matching(query: RecordQuery): readonly CallRecord[] {
    return this.all().filter((record) => matchesQuery(record, query));
  }

  inForce(): readonly LegalHold[] {
    return [...this.#held.values()].filter(({ isReleased }) => !isReleased).map(({ hold }) => hold);
  }

  place(order: HoldOrder, { records, isCut }: FoundRecords): LegalHold {
    if (isCut && order.query.limit === undefined) throw tooManyToHold();
    const facts = { place: this.audit.length + 1, placedAtUs: this.#nowUs(), count: records.length };
    const { hold, entry } = placedHold(order, facts);
    this.#held.set(hold.holdId, { hold, records, isReleased: false });
    this.audit.push(entry);
    return hold;
  }

  release(holdId: string, reason: string, by?: string): boolean {
    const entry = this.#held.get(holdId);
    if (entry === undefined || entry.isReleased) return false;
    entry.isReleased = true;
    const { count } = entry.hold;
    this.audit.push(
      auditEntry(
        {
          action: 'released',
          holdId,
          atUs: this.#nowUs(),
          reason,
          count,
        },
        by,
      ),
    );
    return true;
  }

  /** Ends the holds whose time is over, and drops those that were released. */
  expire(): void {
    const ended = endedEntries(this.inForce(), this.#nowUs());
    for (const { holdId } of ended) this.#held.delete(holdId);
    for (const [holdId, { isReleased }] of this.#held) if (isReleased) this.#held.delete(holdId);
    this.audit.push(...ended);
  }

  #nowUs(): number {
    return this.#clock.nowMs() * 1_000;
  }
}

/** Records by time. */
function createTimeline() {
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
    /** @returns how many were not there yet */
    add: (records: readonly CallRecord[]): number => {
      const before = sorted.length;
      for (const record of records) {
        if (ids.has(record.recordId)) continue;
        ids.add(record.recordId);
        sorted.push(record);
      }
      isSorted &&= sorted.length === before;
      return sorted.length - before;
    },
    within: (fromUs: number, toUs: number) => inOrder().slice(indexOf(fromUs), indexOf(toUs + 1)),
    /** @returns how many there were */
    removeBefore: (beforeUs: number): number => {
      const end = indexOf(beforeUs);
      for (const record of sorted.slice(0, end)) ids.delete(record.recordId);
      sorted = sorted.slice(end);
      return end;
    },
    statistics: (): StoreStatistics => {
      const [oldest] = inOrder();
      const newest = sorted.at(-1);
      const base = { records: sorted.length, sizeBytes: 0, partitions: oldest === undefined ? 0 : 1 };
      if (oldest === undefined || newest === undefined) return base;
      return Object.assign(base, { oldestUs: oldest.inviteAtUs, newestUs: newest.inviteAtUs });
    },
  };
}
