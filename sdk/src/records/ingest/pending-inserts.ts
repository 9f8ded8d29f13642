import { backoffBoundMs } from '../../core/runtime/deadline.js';
import type { CallRecord } from '../../contract/call-record.js';
import type { RecordStore } from '../store/record-store.js';

/** How long a record waits for others that go to the store with it, milliseconds: a sync of the disk takes some of them. */
const PENDING_COMMIT_MS = 250;

/** Records that wait for a store that refuses at most: a quarter of an hour of 200 calls a second, some 200 MB. */
const MAX_PENDING_INSERTS = 200_000;

/** Longest wait after a store has refused, milliseconds. */
const RETRY_MAX_MS = 30_000;

/** Records that go to the store at a time. */
const BATCH_RECORDS = 4_096;

/** Options of {@link createPendingInserts}. */
export interface PendingInsertsOptions {
  readonly store: Pick<RecordStore, 'insert'>;
  /** Runs something later; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** Default {@link MAX_PENDING_INSERTS}. */
  readonly maxPending?: number;
  /** Runs after a batch was stored, before that counts as done. */
  readonly settled?: () => Promise<void>;
  /** Told when the store refuses; it is tried again. */
  readonly onFailed?: ((cause: unknown) => void) | undefined;
}

/** Records on their way to a store that may be slow, or refuse for a while. */
export type PendingInserts = ReturnType<typeof createPendingInserts>;

/**
 * Keeps records that come one by one until the store has them, in their order; a store that refuses is asked again, less and less often. What waits when
 * the process is killed is lost.
 * @param options - the store, and what runs something later, as the timers of Node do without keeping a process alive
 * @returns what takes the records; to be closed. Never throws
 * @see {@link RecordFeed} for a store with a stream behind it
 */
export function createPendingInserts(options: PendingInsertsOptions) {
  const { store, schedule, maxPending = MAX_PENDING_INSERTS, settled, onFailed } = options;
  const counts = { inserted: 0, repeated: 0 };
  let pending: CallRecord[] = [];
  let running: Promise<void> = Promise.resolve();
  let cancel: (() => void) | undefined;
  let failures = 0;

  const commitOnce = async (): Promise<void> => {
    while (pending.length > 0) {
      const batch = pending.slice(0, BATCH_RECORDS);
      const { inserted, repeated } = await store.insert(batch);
      pending = pending.slice(batch.length);
      counts.inserted += inserted;
      counts.repeated += repeated;
    }
    await settled?.();
    failures = 0;
  };
  /** Stores what was taken. @throws what the store refused with; it is tried again */
  const commit = (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    const turn = running.then(commitOnce);
    running = turn.catch((cause: unknown) => {
      failures += 1;
      onFailed?.(cause);
      commitLater();
    });
    return turn;
  };
  /** Sees to a commit within a moment. */
  const commitLater = (): void => {
    const delayMs = backoffBoundMs(failures + 1, { baseMs: PENDING_COMMIT_MS, capMs: RETRY_MAX_MS });
    cancel ??= schedule(() => void commit().catch(() => undefined), delayMs);
  };
  return {
    /** Takes a record at once. @returns false where too many wait already */
    take(record: CallRecord): boolean {
      if (pending.length >= maxPending) return false;
      pending.push(record);
      return true;
    },
    commitLater,
    commit,
    /** What became of records that were taken; `pending` are not in the store yet, `failures` are attempts since the last that did not fail. */
    statistics: () => ({ ...counts, pending: pending.length, failures }),
    /** Tries once more, and ends. Never rejects. */
    async close(): Promise<void> {
      await commit().catch(() => undefined);
      cancel?.();
    },
  };
}
