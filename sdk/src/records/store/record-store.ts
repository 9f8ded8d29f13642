import type { CallRecord } from '../../core/call-record.js';
import type { CoverageInterval } from '../../core/call-record.js';

/** Records that a look-up returns where the query gives no limit. */
export const DEFAULT_QUERY_LIMIT = 1_000;

/** Most records that one look-up may ask for: some 12 MB as JSON, which an answer can still be made of at once. */
export const MAX_QUERY_LIMIT = 10_000;

/** Most records under one hold. A demand that covers more is several holds, by day or trunk, so that each is a bounded copy. */
export const MAX_HELD_RECORDS = 100_000;

/** A stretch of time, microseconds since the epoch, both ends included. */
export interface TimeWindow {
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * What is looked for. All that is given has to match; at least one of `calledTn`, `callingTn`, `callId`, `origId`, `callGroupId`, `trunk`
 * and `recordId` is given. Numbers are canonical.
 */
export interface RecordQuery {
  /** When the leg began; of one whose local time comes twice, and is not told apart, either instant will do. */
  readonly window: TimeWindow;
  /** The number called, as written, translated, or the location routing number that stood for it. */
  readonly calledTn?: string;
  /** The number of From or the asserted one. */
  readonly callingTn?: string;
  /** SIP Call-ID of either side. */
  readonly callId?: string;
  readonly origId?: string;
  /** What the legs of one call have in common: finds those in which the switch wrote other numbers. */
  readonly callGroupId?: string;
  /** Name of the trunk, in or out. */
  readonly trunk?: string;
  readonly recordId?: string;
  /** Records at most, 1 to 10,000. Default 1,000. */
  readonly limit?: number;
}

/** What a look-up found. */
export interface FoundRecords {
  /** By `inviteAtUs`, then `recordId`. */
  readonly records: readonly CallRecord[];
  /** Whether there are more than `limit`. */
  readonly isCut: boolean;
}

/** What became of records that were handed in. */
export interface Inserted {
  /** Records that are new. */
  readonly inserted: number;
  /** Records whose id was there already: left as they were. */
  readonly repeated: number;
  /** Records older than retention, not taken. */
  readonly expired: number;
}

/** A hold: records that outlive retention until it is released. */
export interface LegalHold {
  readonly holdId: string;
  readonly reason: string;
  readonly query: RecordQuery;
  /** When it was ordered, microseconds since the epoch. */
  readonly placedAtUs: number;
  /** Until when, microseconds since the epoch; undefined without end. */
  readonly untilUs?: number;
  /** Records under it. */
  readonly count: number;
}

/** One line of the list that a store keeps of its holds: who did what, when and why. Nothing is ever taken off it. */
export interface HoldAuditEntry {
  /** `ended`: the time that the hold was ordered for is over; found by `expire`. */
  readonly action: 'held' | 'released' | 'ended';
  readonly holdId: string;
  /** When, microseconds since the epoch, by the clock of the store. */
  readonly atUs: number;
  /** Who ordered it, as the caller named them; absent where nobody was named, and where time did it. */
  readonly by?: string;
  readonly reason: string;
  /** Records that were under the hold then. */
  readonly count: number;
}

/** An order to keep records. */
export interface HoldOrder {
  readonly query: RecordQuery;
  /** Why: the matter, the demand, the case number. */
  readonly reason: string;
  /** Until when, microseconds since the epoch; without it until it is released. */
  readonly untilUs?: number;
  /** Who orders it, for the audit. */
  readonly by?: string;
}

/** What a store holds. */
export interface StoreStatistics {
  readonly records: number;
  /** Octets on disk; 0 where there is none. */
  readonly sizeBytes: number;
  readonly partitions: number;
  /** Of the oldest and newest leg; absent in an empty store. */
  readonly oldestUs?: number;
  readonly newestUs?: number;
}

/** What "not found" has to hold for in a store. */
export interface StoreScope {
  /** Every source that records came from or coverage was told of, in order, also where nothing of it is complete or left. */
  readonly sources: readonly string[];
  /**
   * How far retention went, microseconds since the epoch: what began before is not kept, which is another answer than that it was not there.
   * Absent where nothing was ever removed.
   */
  readonly retainedFromUs?: number;
}

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
   * without it all that there is, up to {@link MAX_HELD_RECORDS}. Records that come in later are not under it.
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
