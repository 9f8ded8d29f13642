import { z } from 'zod';
import type { CallRecord, CoverageInterval } from '../../contract/call-record.js';
import { HopbackError } from '../../errors.js';
import { RECORD_ID_DIGITS } from '../record-id.js';

/** Records that a look-up returns where the query gives no limit. */
export const DEFAULT_QUERY_LIMIT = 1_000;

/** Most records that one look-up may ask for: some 12 MB as JSON, which an answer can still be made of at once. */
export const MAX_QUERY_LIMIT = 10_000;

/** Most records under one hold. A demand that covers more is several holds, by day or trunk, so that each is a bounded copy. */
export const MAX_HELD_RECORDS = 100_000;

/** Longest text that is looked up by; no record has one as long, and then nothing is found. */
const MAX_TEXT_CHARS = 262_144;

const shortText = z.string().max(MAX_TEXT_CHARS);
const wholeNumber = z.int().min(0);

/** A stretch of time, microseconds since the epoch, both ends included. */
export const TimeWindow = z.object({ fromUs: z.number(), toUs: z.number() });
export type TimeWindow = Readonly<z.infer<typeof TimeWindow>>;

/**
 * What is looked for. All that is given has to match; at least one of `calledTn`, `callingTn`, `callId`, `origId`, `callGroupId`, `trunk`
 * and `recordId` is given. Numbers are canonical.
 */
export const RecordQuery = z.object({
  /** When the leg began; of one whose local time comes twice, and is not told apart, either instant will do. */
  window: TimeWindow,
  /** The number called, as written, translated, or the location routing number that stood for it. */
  calledTn: z.exactOptional(shortText),
  /** The number of From or the asserted one. */
  callingTn: z.exactOptional(shortText),
  /** SIP Call-ID of either side. */
  callId: z.exactOptional(shortText),
  origId: z.exactOptional(shortText),
  /** What the legs of one call have in common: finds those in which the switch wrote other numbers. */
  callGroupId: z.exactOptional(shortText),
  /** Name of the trunk, in or out. */
  trunk: z.exactOptional(shortText),
  recordId: z.exactOptional(shortText),
  /** Records at most, 1 to 10,000. Default 1,000. */
  limit: z.exactOptional(z.number()),
});
export type RecordQuery = Readonly<z.infer<typeof RecordQuery>>;

/** Which records of a window are read, when all of them are wanted. */
export const RecordPageQuery = z.object({
  /** When the leg began, by `inviteAtUs` alone. */
  window: TimeWindow,
  /** The last record of the page before. */
  after: z.exactOptional(z.object({ inviteAtUs: z.number(), recordId: shortText })),
  /** Records at most, 1 to 10,000. Default 1,000. */
  limit: z.exactOptional(z.number()),
});
export type RecordPageQuery = Readonly<z.infer<typeof RecordPageQuery>>;

/** What a look-up found. */
export interface FoundRecords {
  /** By `inviteAtUs`, then `recordId`. */
  readonly records: readonly CallRecord[];
  /** Whether there are more than `limit`. */
  readonly isCut: boolean;
}

/** What became of records that were handed in. */
export const Inserted = z.object({
  /** Records that are new. */
  inserted: wholeNumber,
  /** Records whose id was there already: left as they were. */
  repeated: wholeNumber,
  /** Records older than retention, not taken. */
  expired: wholeNumber,
});
export type Inserted = Readonly<z.infer<typeof Inserted>>;

/** Adds what became of further records. */
export function addInserted(sum: { -readonly [Name in keyof Inserted]: Inserted[Name] }, more: Inserted): void {
  sum.inserted += more.inserted;
  sum.repeated += more.repeated;
  sum.expired += more.expired;
}

/** A hold: records that outlive retention until it is released. */
export const LegalHold = z.object({
  holdId: shortText,
  reason: shortText,
  query: RecordQuery,
  /** When it was ordered, microseconds since the epoch. */
  placedAtUs: z.number(),
  /** Until when, microseconds since the epoch; undefined without end. */
  untilUs: z.exactOptional(z.number()),
  /** Records under it. */
  count: wholeNumber,
});
export type LegalHold = Readonly<z.infer<typeof LegalHold>>;

/** One line of the list that a store keeps of its holds: who did what, when and why. Nothing is ever taken off it. */
export const HoldAuditEntry = z.object({
  /** `ended`: the time that the hold was ordered for is over; found by `expire`. */
  action: z.enum(['held', 'released', 'ended']),
  holdId: shortText,
  /** When, microseconds since the epoch, by the clock of the store. */
  atUs: z.number(),
  /** Who ordered it, as the caller named them; absent where nobody was named, and where time did it. */
  by: z.exactOptional(shortText),
  reason: shortText,
  /** Records that were under the hold then. */
  count: wholeNumber,
});
export type HoldAuditEntry = Readonly<z.infer<typeof HoldAuditEntry>>;

/** An order to keep records. */
export const HoldOrder = z.object({
  query: RecordQuery,
  /** Why: the matter, the demand, the case number. */
  reason: shortText,
  /** Until when, microseconds since the epoch; without it until it is released. */
  untilUs: z.exactOptional(z.number()),
  /** Who orders it, for the audit. */
  by: z.exactOptional(shortText),
});
export type HoldOrder = Readonly<z.infer<typeof HoldOrder>>;

/** What a store holds. */
export const StoreStatistics = z.object({
  records: wholeNumber,
  /** Octets on disk; 0 where there is none. */
  sizeBytes: wholeNumber,
  partitions: wholeNumber,
  /** Of the oldest and newest leg; absent in an empty store. */
  oldestUs: z.exactOptional(z.number()),
  newestUs: z.exactOptional(z.number()),
});
export type StoreStatistics = Readonly<z.infer<typeof StoreStatistics>>;

/** What "not found" has to hold for in a store. */
export const StoreScope = z.object({
  /** Every source that records came from or coverage was told of, in order, also where nothing of it is complete or left. */
  sources: z.array(shortText).readonly(),
  /**
   * How far retention went, microseconds since the epoch: what began before is not kept, which is another answer than that it was not there.
   * Absent where nothing was ever removed.
   */
  retainedFromUs: z.exactOptional(z.number()),
});
export type StoreScope = Readonly<z.infer<typeof StoreScope>>;

/** Where look-ups are made. Every store is one; carriers whose records live elsewhere have no other. */
export interface RecordLookup extends AsyncDisposable {
  /**
   * @throws HopbackError `invalid-argument` for a query that names nothing or a window that ends before it begins;
   * `storage-failed` when the store cannot be read
   */
  readonly find: (query: RecordQuery) => Promise<FoundRecords>;
  /** For which times, by source, the store holds everything that was written. */
  readonly coverage: (window: TimeWindow) => Promise<readonly CoverageInterval[]>;
  /** For which sources, and from when on, "not found" can be said at all. */
  readonly scope: () => Promise<StoreScope>;
  readonly statistics: () => Promise<StoreStatistics>;
  readonly close: () => Promise<void>;
}

/** Keeps the records of one carrier. One process writes; readers go through it. */
export interface RecordStore extends RecordLookup {
  /**
   * Reads all records of a window, a page at a time, also those that only a hold keeps. Records that come in meanwhile are read where their
   * place is still to come.
   * @returns the next page; `isCut` while there are more
   * @throws HopbackError `invalid-argument` for a window that ends before it begins, a place or a limit out of bounds
   */
  readonly page: (query: RecordPageQuery) => Promise<FoundRecords>;
  /**
   * Takes records. Resolved means durable; a record whose id is there already is left as it is, so that reading a file twice does
   * no harm.
   * @throws HopbackError `storage-failed`, after which none, some or all of them are there: hand them in again;
   * `invalid-argument` for a record whose `recordId` is no record id or whose `inviteAtUs` is no time: then none of them is there
   */
  readonly insert: (records: readonly CallRecord[]) => Promise<Inserted>;
  /**
   * Adds to what the store is complete for. Intervals of one source that touch or overlap become one; what is older than retention is
   * left out.
   */
  readonly cover: (interval: CoverageInterval) => Promise<void>;
  /** Takes from it: a source was down, or rows of that time were lost or rejected. A source that nothing is known of is known then. */
  readonly uncover: (interval: CoverageInterval) => Promise<void>;
  /**
   * Removes what began before a time, except what is under a hold, and coverage with it.
   * @returns records removed
   */
  readonly expire: (beforeUs: number) => Promise<number>;
  /**
   * Puts what a query finds under a hold: copies that retention does not reach. `limit` of the query counts where it is given;
   * without it all that there is, up to 100,000. Records that come in later are not under it.
   * @throws HopbackError `invalid-argument` for a query as in `find`, an empty reason or more records than may be held at once
   */
  readonly hold: (order: HoldOrder) => Promise<LegalHold>;
  /**
   * Ends a hold; records older than retention go with the next `expire`.
   * @returns false where no such hold is in force
   */
  readonly release: (holdId: string, reason: string, by?: string) => Promise<boolean>;
  /** Those in force, in the order in which they were placed. */
  readonly holds: () => Promise<readonly LegalHold[]>;
  /** Every hold, release and end of a hold since the store was made, oldest first. */
  readonly holdAudit: () => Promise<readonly HoldAuditEntry[]>;
}

/** Microseconds of a day of UTC, which knows no leap seconds here. */
export const DAY_US = 86_400_000_000;

/**
 * How far the two instants of a local time that comes twice may be apart, microseconds: clocks are put back by an hour, in few places by
 * half of one or by two.
 */
export const OTHER_INSTANT_US = 7_200_000_000;

/** What a query may name; one of them has to be there. */
const KEYS = ['calledTn', 'callingTn', 'callId', 'origId', 'callGroupId', 'trunk', 'recordId'] as const;

/**
 * Refuses a query that names nothing, a window that is none, and a limit out of bounds.
 * @returns records at most
 * @throws HopbackError `invalid-argument`
 * @example
 * ```ts
 * console.log(checkedLimit({ window: { fromUs: 0, toUs: 1 }, trunk: 'east-1' })); // 1000
 * ```
 */
export function checkedLimit(query: RecordQuery): number {
  checkWindow(query.window);
  if (KEYS.every((key) => query[key] === undefined))
    throw new HopbackError('invalid-argument', `a query names at least one of ${KEYS.join(', ')}`);
  return limitOf(query);
}

function limitOf({ limit = DEFAULT_QUERY_LIMIT }: { readonly limit?: number }): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_QUERY_LIMIT)
    throw new HopbackError('invalid-argument', `limit is a whole number from 1 to ${MAX_QUERY_LIMIT}, not ${limit}`);
  return limit;
}

/** A page that is asked for; `after` is before all records where nothing was read yet. */
export type RecordPage = Required<RecordPageQuery>;

/**
 * Refuses a page of a window that is none, behind a record that cannot be, and limits as in {@link checkedLimit}.
 * @throws HopbackError `invalid-argument`
 */
export function checkedPage({ window, after, limit }: RecordPageQuery): RecordPage {
  checkWindow(window);
  if (after !== undefined) checkRecordPlace(after);
  const first = { inviteAtUs: -1, recordId: '0'.repeat(RECORD_ID_DIGITS) };
  return { window, after: after ?? first, limit: limitOf(limit === undefined ? {} : { limit }) };
}

/** Whether a record lies in a window, and behind the last one of the page before. */
export function isOnPage(record: CallRecord, { window, after }: RecordPage): boolean {
  return isWithin(record.inviteAtUs, window) && byTime(after, record) < 0;
}

/**
 * Refuses a window that ends before it begins, or whose ends are no numbers.
 * @throws HopbackError `invalid-argument`
 */
export function checkWindow({ fromUs, toUs }: TimeWindow): void {
  if (!(fromUs <= toUs)) throw new HopbackError('invalid-argument', 'a window begins before it ends');
}

/**
 * Refuses an interval of coverage that names no source or is no stretch of whole microseconds.
 * @throws HopbackError `invalid-argument`
 */
export function checkInterval({ sourceId, fromUs, toUs }: CoverageInterval): void {
  if (sourceId === '') throw new HopbackError('invalid-argument', 'an interval of coverage names its source');
  if (!Number.isSafeInteger(fromUs) || !Number.isSafeInteger(toUs) || fromUs > toUs)
    throw new HopbackError('invalid-argument', 'an interval of coverage begins before it ends, in whole microseconds');
}

/**
 * Refuses an order without a reason, and queries as in {@link checkedLimit}.
 * @throws HopbackError `invalid-argument`
 */
export function checkHoldOrder({ query, reason, untilUs }: HoldOrder): void {
  checkedLimit(query);
  if (reason.trim() === '') throw new HopbackError('invalid-argument', 'a hold needs a reason');
  if (untilUs !== undefined && !Number.isSafeInteger(untilUs))
    throw new HopbackError('invalid-argument', 'untilUs is a time in whole microseconds');
}

/**
 * Refuses a record that cannot be told from others or has no place in time.
 * @throws HopbackError `invalid-argument`
 */
export function checkRecord(record: CallRecord): void {
  checkRecordPlace(record);
}

function checkRecordPlace({ recordId, inviteAtUs }: RecordPlace): void {
  if (!isRecordId(recordId))
    throw new HopbackError('invalid-argument', `a recordId is ${RECORD_ID_DIGITS} lower-case hexadecimal digits`);
  if (!Number.isSafeInteger(inviteAtUs) || inviteAtUs < 0)
    throw new HopbackError('invalid-argument', 'inviteAtUs is a time in whole microseconds since 1970');
}

/** Whether a text is spelled as a record id. Never throws. */
export function isRecordId(text: string): boolean {
  if (text.length !== RECORD_ID_DIGITS) return false;
  for (let at = 0; at < RECORD_ID_DIGITS; at += 1) {
    const code = text.charCodeAt(at);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
}

/**
 * Whether a record is what a query looks for: all that the query names has to match, each in any of the places it may stand in.
 * Never throws.
 * @param record - with numbers in canonical form
 * @param query - its window in microseconds since the epoch, both ends included; `limit` is not looked at
 * @returns true when all that is named matches
 * @see {@link RecordQuery} for where each key is looked for
 * @example
 * ```ts
 * const record = {
 *   format: 'hopback.call-record.1',
 *   recordId: 'd546c842a20f26164092a1e15ac8fa4e',
 *   source: { id: 'sbc-1', format: 'ribbon-act', readerVersion: 1, sha256: '0'.repeat(64) },
 *   legId: 'a84b4c76',
 *   callGroupId: 'a84b4c76',
 *   inviteAtUs: 1_700_000_000_000_000,
 *   time: { written: 'utc', resolutionUs: 100_000 },
 *   called: { asWritten: '8005550199', tn: '18005550199', translatedTn: '12155550112' },
 *   ingress: { trunk: 'east-1' },
 *   egress: {},
 *   disposition: 'answered',
 * } as const;
 * const window = { fromUs: 1_699_999_999_000_000, toUs: 1_700_000_001_000_000 };
 * console.log(matchesQuery(record, { window, calledTn: '12155550112' })); // true
 * ```
 */
export function matchesQuery(record: CallRecord, query: RecordQuery): boolean {
  const { window, calledTn, callingTn, callId, origId, callGroupId, trunk, recordId } = query;
  const { otherInviteAtUs } = record.time;
  if (!isWithin(record.inviteAtUs, window) && !(otherInviteAtUs !== undefined && isWithin(otherInviteAtUs, window)))
    return false;
  if (recordId !== undefined && record.recordId !== recordId) return false;
  if (calledTn !== undefined && !isCalled(record, calledTn)) return false;
  if (callingTn !== undefined && record.calling?.tn !== callingTn && record.asserted?.tn !== callingTn) return false;
  if (callId !== undefined && record.ingress.callId !== callId && record.egress.callId !== callId) return false;
  if (origId !== undefined && record.received?.origId !== origId && record.signed?.origId !== origId) return false;
  if (callGroupId !== undefined && record.callGroupId !== callGroupId) return false;
  return trunk === undefined || record.ingress.trunk === trunk || record.egress.trunk === trunk;
}

function isWithin(us: number, { fromUs, toUs }: TimeWindow): boolean {
  return us >= fromUs && us <= toUs;
}

function isCalled({ called }: CallRecord, tn: string): boolean {
  return called !== undefined && (called.tn === tn || called.translatedTn === tn || called.lrn === tn);
}

/** The order in which records are found: by time, then id. For `sort`. */
export function byTime(one: RecordPlace, other: RecordPlace): number {
  if (one.inviteAtUs !== other.inviteAtUs) return one.inviteAtUs - other.inviteAtUs;
  return one.recordId < other.recordId ? -1 : Number(one.recordId > other.recordId);
}

type RecordPlace = Pick<CallRecord, 'recordId' | 'inviteAtUs'>;

/**
 * What was found in two places, each record once. Never throws.
 * @param limit - records at most
 */
export function mergedRecords(
  found: readonly CallRecord[],
  others: readonly CallRecord[],
  limit: number,
): FoundRecords {
  const byId = new Map<string, CallRecord>();
  for (const record of others) byId.set(record.recordId, record);
  // What is live wins: it is the same record, and the more usual place.
  for (const record of found) byId.set(record.recordId, record);
  const records = [...byId.values()].sort(byTime);
  return { records: records.slice(0, limit), isCut: records.length > limit };
}

/**
 * Adds a stretch to the coverage of one source. Stretches that touch or overlap become one: microseconds are whole, so that one
 * that ends at 9 touches one that begins at 10.
 * @param intervals - of one source, in order, apart from each other, as this function returns them
 * @param added - one that ends before it begins adds nothing
 * @returns in order, apart from each other. Never throws
 * @see {@link coverageWithout}, which takes away
 * @example
 * ```ts
 * const day = coverageWith([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { sourceId: 'sbc-1', fromUs: 10, toUs: 19 });
 * console.log(day); // [ { sourceId: 'sbc-1', fromUs: 0, toUs: 19 } ]
 * ```
 */
export function coverageWith(
  intervals: readonly CoverageInterval[],
  added: CoverageInterval,
): readonly CoverageInterval[] {
  if (added.toUs < added.fromUs) return intervals;
  let { fromUs, toUs } = added;
  const before: CoverageInterval[] = [];
  const after: CoverageInterval[] = [];
  for (const interval of intervals) {
    if (interval.toUs + 1 < fromUs) before.push(interval);
    else if (interval.fromUs - 1 > toUs) after.push(interval);
    else {
      fromUs = Math.min(fromUs, interval.fromUs);
      toUs = Math.max(toUs, interval.toUs);
    }
  }
  return [...before, { sourceId: added.sourceId, fromUs, toUs }, ...after];
}

/**
 * Takes a stretch from the coverage of one source; what lay across its ends is cut there.
 * @param intervals - of one source, in order, apart from each other
 * @param removed - one that ends before it begins takes nothing
 * @returns in order, apart from each other. Never throws
 * @see {@link coverageWith}, which adds
 * @example
 * ```ts
 * const left = coverageWithout([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { fromUs: 4, toUs: 5 });
 * console.log(left.map(({ fromUs, toUs }) => `${fromUs}-${toUs}`).join(' ')); // 0-3 6-9
 * ```
 */
export function coverageWithout(
  intervals: readonly CoverageInterval[],
  removed: TimeWindow,
): readonly CoverageInterval[] {
  if (removed.toUs < removed.fromUs) return intervals;
  const left: CoverageInterval[] = [];
  for (const { sourceId, fromUs, toUs } of intervals) {
    if (toUs < removed.fromUs || fromUs > removed.toUs) left.push({ sourceId, fromUs, toUs });
    else {
      if (fromUs < removed.fromUs) left.push({ sourceId, fromUs, toUs: removed.fromUs - 1 });
      if (toUs > removed.toUs) left.push({ sourceId, fromUs: removed.toUs + 1, toUs });
    }
  }
  return left;
}

/**
 * The coverage from a time on: where records that began before are not kept, "not found" says nothing about them.
 * @param intervals - of one source, in order, apart from each other
 * @param fromUs - microseconds since the epoch
 * @returns in order, cut at the time. Never throws
 */
export function coverageFrom(intervals: readonly CoverageInterval[], fromUs: number): readonly CoverageInterval[] {
  return coverageWithout(intervals, { fromUs: -Infinity, toUs: fromUs - 1 });
}

/**
 * The part of the coverage that lies in a window.
 * @param intervals - of any sources, in any order
 * @param window - microseconds since the epoch, both ends included
 * @returns in the same order, cut to the window. Never throws
 * @see {@link coverageGaps} for what is not covered
 * @example
 * ```ts
 * const hour = coverageWithin([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { fromUs: 5, toUs: 50 });
 * console.log(hour); // [ { sourceId: 'sbc-1', fromUs: 5, toUs: 9 } ]
 * ```
 */
export function coverageWithin(
  intervals: readonly CoverageInterval[],
  window: TimeWindow,
): readonly CoverageInterval[] {
  const within: CoverageInterval[] = [];
  for (const { sourceId, fromUs, toUs } of intervals) {
    const from = Math.max(fromUs, window.fromUs);
    const to = Math.min(toUs, window.toUs);
    if (from <= to) within.push({ sourceId, fromUs: from, toUs: to });
  }
  return within;
}

/**
 * The stretches of a window that a source does not cover: what "not found" may not be said about.
 * @param intervals - of one source, in order, apart from each other
 * @param window - microseconds since the epoch, both ends included
 * @returns in order; empty where all of it is covered. Never throws
 * @see `coverageWithin` for what is covered
 * @example
 * ```ts
 * console.log(coverageGaps([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { fromUs: 5, toUs: 12 })); // [ { fromUs: 10, toUs: 12 } ]
 * ```
 */
export function coverageGaps(intervals: readonly CoverageInterval[], window: TimeWindow): readonly TimeWindow[] {
  const gaps: TimeWindow[] = [];
  let next = window.fromUs;
  for (const { fromUs, toUs } of coverageWithin(intervals, window)) {
    if (fromUs > next) gaps.push({ fromUs: next, toUs: fromUs - 1 });
    next = toUs + 1;
  }
  if (next <= window.toUs) gaps.push({ fromUs: next, toUs: window.toUs });
  return gaps;
}

/**
 * The scope of a store.
 * @param retainedFromUs - 0 where retention never removed anything
 */
export function scopeOf(sources: readonly string[], retainedFromUs: number): StoreScope {
  return retainedFromUs > 0 ? { sources, retainedFromUs } : { sources };
}

/** Coverage of every source of a store, in memory. */
export type CoverageTable = ReturnType<typeof createCoverageTable>;

/**
 * Makes an empty table of coverage.
 * @example
 * ```ts
 * const table = createCoverageTable();
 * table.set('sbc-1', coverageWith(table.of('sbc-1'), { sourceId: 'sbc-1', fromUs: 0, toUs: 9 }));
 * console.log(table.within({ fromUs: 0, toUs: 3 })); // [ { sourceId: 'sbc-1', fromUs: 0, toUs: 3 } ]
 * ```
 */
export function createCoverageTable() {
  const bySource = new Map<string, readonly CoverageInterval[]>();
  const sources = (): readonly string[] => [...bySource.keys()].sort();
  return {
    of: (sourceId: string): readonly CoverageInterval[] => bySource.get(sourceId) ?? [],
    /** Sets the coverage of a source; none removes it. */
    set: (sourceId: string, intervals: readonly CoverageInterval[]) => {
      if (intervals.length === 0) bySource.delete(sourceId);
      else bySource.set(sourceId, intervals);
    },
    sources,
    /** By source, then time. */
    within: (window: TimeWindow): readonly CoverageInterval[] =>
      sources().flatMap((sourceId) => coverageWithin(bySource.get(sourceId) ?? [], window)),
  };
}

/** What a hold of too many records is refused with. */
export function tooManyToHold(): HopbackError {
  return new HopbackError('invalid-argument', `a hold covers at most ${MAX_HELD_RECORDS} records: narrow its query`);
}

/** An entry of the audit, with who did it where that is known. */
export function auditEntry(entry: HoldAuditEntry, by: string | undefined): HoldAuditEntry {
  return by === undefined ? entry : Object.assign({}, entry, { by });
}

interface HoldPlace {
  readonly place: number;
  readonly placedAtUs: number;
  readonly count: number;
}

/**
 * The hold that an order makes, and its entry in the audit.
 * @param facts - `place` of the entry in the audit, from 1, which names the hold: the audit is never cut, so that no name comes twice
 */
export function placedHold(
  { query, reason, untilUs, by }: HoldOrder,
  { place, placedAtUs, count }: HoldPlace,
): { readonly hold: LegalHold; readonly entry: HoldAuditEntry } {
  const holdId = `hold-${place}`;
  const placed = {
    holdId,
    reason,
    query,
    placedAtUs,
    count,
  };
  const entry = auditEntry(
    {
      action: 'held',
      holdId,
      atUs: placedAtUs,
      reason,
      count,
    },
    by,
  );
  return { hold: untilUs === undefined ? placed : Object.assign(placed, { untilUs }), entry };
}

/** Entries for the holds whose time is over. */
export function endedEntries(holds: readonly LegalHold[], nowUs: number): readonly HoldAuditEntry[] {
  return holds
    .filter(({ untilUs }) => untilUs !== undefined && untilUs < nowUs)
    .map(({ holdId, count }) => ({
      action: 'ended',
      holdId,
      atUs: nowUs,
      reason: 'its time is over',
      count,
    }));
}
