import type { CallRecord } from '../../contract/call-record.js';
import { HopbackError } from '../../errors.js';
import { shareRecord } from '../redaction/share-record.js';
import type { SharingDecision, SharingOutcome } from '../redaction/share-record.js';
import type { SharingPolicy } from '../redaction/sharing-policy.js';
import { addInserted } from '../store/record-store.js';
import type { RecordStore } from '../store/record-store.js';
import type { OpenRecordStream, RecordRefusal } from '../stream/record-stream.js';
import { createSuspicionTracker } from '../suspicion/suspicion-tracker.js';
import type { SuspicionTracker } from '../suspicion/suspicion-tracker.js';

/** What a feed brings together. */
export interface RecordFeedOptions {
  /** Where every record goes. Its owner closes it. */
  readonly store: Pick<RecordStore, 'insert' | 'cover'>;
  /** Where records go that may leave. Its owner closes it, after whoever hands records in. */
  readonly stream: Pick<OpenRecordStream, 'record' | 'flush'>;
  /** What may leave, from {@link createSharingPolicy}. */
  readonly policy: SharingPolicy;
  /** Judges the calls; has seen what was handed in since it was made. Default one with the default policy and no lists. */
  readonly tracker?: SuspicionTracker;
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

/** Takes records once, and sees to it that they are stored, and on their way where they may leave. */
export interface RecordFeed extends Pick<RecordStore, 'insert' | 'cover'> {
  readonly counts: () => RecordFeedCounts;
}

/**
 * Makes one sink of a store and a stream, for followers, listeners and imports. Each record is stored, judged, made ready by the sharing
 * policy, and handed to the stream.
 *
 * When `insert` resolves, every record is durable in the store (or older than its retention), and of those that may leave every one is durable in the
 * spool, except those that the stream refused for good: its spool full or too old, the record too large or no JSON. Those are counted
 * by reason, stay in the store, and stop nothing. When it rejects, some may be in either: handed in again, nothing is lost, and what
 * is there twice is known by its id, in the store as at the receiver. A follower keeps its place behind `insert`; killed at any instant, it
 * hands in again whatever was not in both. So records that the store had already are handed to the stream as well.
 *
 * What is suspicious is judged by what this feed has seen: after a restart a campaign has to show itself anew before its calls are shared
 * by a policy that shares suspicious ones alone.
 * @param options - store, stream, sharing policy, and who judges the calls
 * @returns the feed
 * @throws {@link HopbackError} out of `insert`: what the store throws; `storage-failed` (retryable) where the disk of the spool refuses; `closed`
 * where the stream was closed before
 * @see {@link followFiles}, {@link importFiles} and {@link listenToSource}, which take it for their store
 * @example
 * ```ts
 * const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
 * const stream = { record: () => ({ accepted: true, sequence: 1 }) as const, flush: async () => 1 };
 * const policy = createSharingPolicy({ key: new Uint8Array(32).fill(7), rotationId: '2026-11', tenantId: 'carrier-1' });
 * const feed = createRecordFeed({ store, stream, policy });
 * await feed.insert([]);
 * console.log(feed.counts().shared); // 0
 * ```
 */
export function createRecordFeed(options: RecordFeedOptions): RecordFeed {
  const { store, stream, policy, tracker = createSuspicionTracker() } = options;
  const counts = { inserted: 0, repeated: 0, expired: 0, shared: 0 };
  const withheld: Partial<Record<SharingDecision['reason'], number>> = {};
  const refused: { -readonly [Reason in keyof RecordFeedCounts['refused']]: number } = {};
  /** What was decided of records that were handed in, until it is durable: handed in again, they are judged and spooled once. */
  const unsettled = new Map<string, Unsettled>();

  const judged = (record: CallRecord): Unsettled => {
    const known = unsettled.get(record.recordId);
    if (known !== undefined) return known;
    const outcome = shareRecord(policy, record, tracker.judge(record));
    const made: Unsettled = { outcome, isDealtWith: false };
    unsettled.set(record.recordId, made);
    return made;
  };
  /** @returns whether that is settled; false where the disk of the spool is behind */
  const offer = (outcome: SharingOutcome): boolean => {
    if (outcome.status === 'withheld') {
      const { reason } = outcome.decision;
      withheld[reason] = (withheld[reason] ?? 0) + 1;
      return true;
    }
    const acceptance = stream.record(outcome.record);
    if (acceptance.accepted) {
      counts.shared += 1;
      return true;
    }
    const { reason } = acceptance;
    if (reason === 'closed') throw new HopbackError('closed', 'The stream of records is closed.');
    if (reason === 'disk-behind') return false;
    refused[reason] = (refused[reason] ?? 0) + 1;
    return true;
  };
  const share = async (records: readonly CallRecord[]): Promise<void> => {
    for (const record of records) {
      const state = judged(record);
      for (let attempt = 1; !state.isDealtWith; attempt += 1) {
        state.isDealtWith = offer(state.outcome);
        if (state.isDealtWith) break;
        if (attempt === MOST_ATTEMPTS)
          throw new HopbackError('storage-failed', 'The spool of the stream takes no record.', { retryable: true });
        // There is room when what waits for the disk is on it.
        await stream.flush();
      }
    }
    await stream.flush();
    for (const { recordId } of records) unsettled.delete(recordId);
  };

  return {
    async insert(records) {
      const stored = await store.insert(records);
      addInserted(counts, stored);
      await share(records);
      return stored;
    },
    cover: (interval) => store.cover(interval),
    counts: () => ({ ...counts, withheld: { ...withheld }, refused: { ...refused } }),
  };
}

/** A flush that resolves has made room; others may take it before. So often in a row they do not. */
const MOST_ATTEMPTS = 100;

interface Unsettled {
  readonly outcome: SharingOutcome;
  /** Withheld, accepted or refused for good. */
  isDealtWith: boolean;
}
