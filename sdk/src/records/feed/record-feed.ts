import type { CallRecord, CoverageInterval } from '../../contract/call-record.js';
import { HopbackError } from '../../errors.js';
import type { SharingDecision, SharingOutcome, SharingPolicy } from '../redaction/sharing-policy.js';
import { addInserted } from '../store/record-store.js';
import type { Inserted, RecordStore } from '../store/record-store.js';
import type { RecordRefusal, RecordStream } from '../stream/record-stream.js';
import { SuspicionTracker } from '../suspicion/suspicion-tracker.js';

/** What a feed brings together. */
export interface RecordFeedOptions {
  /** Where every record goes. Its owner closes it. */
  readonly store: Pick<RecordStore, 'insert' | 'cover'>;
  /** Where records go that may leave. Its owner closes it, after whoever hands records in. */
  readonly stream: Pick<RecordStream, 'record' | 'flush'>;
  /** What may leave. */
  readonly policy: SharingPolicy;
  /** Judges the calls; has seen what was handed in since it was made. Default one with the default policy and no lists. */
  readonly tracker?: Pick<SuspicionTracker, 'judge'>;
}

/** What became of the records that were handed in to a feed. */
export interface RecordFeedCounts {
  /** New to the store. */
  readonly inserted: number;
  /** There already. */
  readonly repeated: number;
  /** Older than retention, and not stored. */
  readonly expired: number;
  /** Accepted by the stream. */
  readonly shared: number;
  /** Stayed, by the reason of the policy. */
  readonly withheld: Readonly<Partial<Record<SharingDecision['reason'], number>>>;
  /**
   * Would have left, and the stream did not take them, by its reason: they are in the store alone. For a disk that is behind a feed waits;
   * to a stream that is closed nothing is handed in.
   */
  readonly refused: Readonly<Partial<Record<Exclude<RecordRefusal, 'disk-behind' | 'closed'>, number>>>;
}

/**
 * Takes records once, and makes one sink of a store and a stream, for followers, listeners and imports. Each record is stored, judged, made
 * ready by the sharing policy, and handed to the stream.
 *
 * What is suspicious is judged by what this feed has seen: after a restart a campaign has to show itself anew before its calls are shared
 * by a policy that shares suspicious ones alone.
 * @see {@link FileFollower}, {@link importFiles} and {@link SourceListener}, which take it for their store
 * @example
 * ```ts
 * const store = createMemoryRecordStore();
 * const stream = { record: () => ({ accepted: true, sequence: 1 }) as const, flush: async () => 1 };
 * const policy = new SharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * const feed = new RecordFeed({ store, stream, policy });
 * await feed.insert([]);
 * console.log(feed.counts().shared); // 0
 * ```
 */
export class RecordFeed {
  readonly #options: RecordFeedOptions;
  readonly #tracker: Pick<SuspicionTracker, 'judge'>;
  readonly #counts = { inserted: 0, repeated: 0, expired: 0, shared: 0 };
  readonly #withheld: Partial<Record<SharingDecision['reason'], number>> = {};
  readonly #refused: { -readonly [Reason in keyof RecordFeedCounts['refused']]: number } = {};
  /** What was decided of records that were handed in, until it is durable: handed in again, they are judged and spooled once. */
  readonly #unsettled = new Map<string, Unsettled>();

  /** @param options - store, stream, sharing policy, and who judges the calls */
  constructor(options: RecordFeedOptions) {
    this.#options = { ...options };
    this.#tracker = options.tracker ?? new SuspicionTracker();
  }

  /**
   * Stores records, and hands on those that may leave. When it resolves, every record is durable in the store (or older than its retention),
   * and of those that may leave every one is durable in the spool, except those that the stream refused for good: its spool full or too old,
   * the record too large or no JSON. Those are counted by reason, stay in the store, and stop nothing. When it rejects, some may be in
   * either: handed in again, nothing is lost, and what is there twice is known by its id, in the store as at the receiver. A follower keeps
   * its place behind it; killed at any instant, it hands in again whatever was not in both. So records that the store had already are handed
   * to the stream as well.
   * @throws {@link HopbackError} what the store throws; `storage-failed` (retryable) where the disk of the spool refuses; `closed` where the
   * stream was closed before
   */
  async insert(records: readonly CallRecord[]): Promise<Inserted> {
    const stored = await this.#options.store.insert(records);
    addInserted(this.#counts, stored);
    await this.#share(records);
    return stored;
  }

  cover(interval: CoverageInterval): Promise<void> {
    return this.#options.store.cover(interval);
  }

  counts(): RecordFeedCounts {
    return { ...this.#counts, withheld: { ...this.#withheld }, refused: { ...this.#refused } };
  }

  async #share(records: readonly CallRecord[]): Promise<void> {
    const { stream } = this.#options;
    for (const record of records) {
      const state = this.#judged(record);
      for (let attempt = 1; !state.isDealtWith; attempt += 1) {
        state.isDealtWith = this.#offer(state.outcome);
        if (state.isDealtWith) break;
        if (attempt === MOST_ATTEMPTS)
          throw new HopbackError('storage-failed', 'The spool of the stream takes no record.', { retryable: true });
        // There is room when what waits for the disk is on it.
        await stream.flush();
      }
    }
    await stream.flush();
    for (const { recordId } of records) this.#unsettled.delete(recordId);
  }

  #judged(record: CallRecord): Unsettled {
    const known = this.#unsettled.get(record.recordId);
    if (known !== undefined) return known;
    const outcome = this.#options.policy.share(record, this.#tracker.judge(record));
    const made: Unsettled = { outcome, isDealtWith: false };
    this.#unsettled.set(record.recordId, made);
    return made;
  }

  /** @returns whether that is settled; false where the disk of the spool is behind */
  #offer(outcome: SharingOutcome): boolean {
    if (outcome.status === 'withheld') {
      const { reason } = outcome.decision;
      this.#withheld[reason] = (this.#withheld[reason] ?? 0) + 1;
      return true;
    }
    const acceptance = this.#options.stream.record(outcome.record);
    if (acceptance.accepted) {
      this.#counts.shared += 1;
      return true;
    }
    const { reason } = acceptance;
    if (reason === 'closed') throw new HopbackError('closed', 'The stream of records is closed.');
    if (reason === 'disk-behind') return false;
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    return true;
  }
}

/** A flush that resolves has made room; others may take it before. So often in a row they do not. */
const MOST_ATTEMPTS = 100;

interface Unsettled {
  readonly outcome: SharingOutcome;
  /** Withheld, accepted or refused for good. */
  isDealtWith: boolean;
}
