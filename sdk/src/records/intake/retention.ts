import type { Clock } from '../../core/runtime/clock.js';
import type { RecordStore } from '../store/record-store.js';

const DAY_MS = 86_400_000;

/** What keeps retention. */
export interface RetentionParts {
  readonly store: Pick<RecordStore, 'expire'>;
  /** Days that records are kept. */
  readonly days: number;
  readonly clock: Clock;
  /** Runs something later; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  readonly onExpired: (records: number) => void;
  /** Told what the store refuses with, except the first time: it is asked again the next day. */
  readonly onFailed: (cause: unknown) => void;
}

/** Removes what is too old, now and once a day. @throws what the store refuses with the first time */
export async function startRetention(parts: RetentionParts): Promise<{ readonly close: () => Promise<void> }> {
  const { store, days, clock, schedule, onExpired, onFailed } = parts;
  const expire = async (): Promise<void> => {
    const removed = await store.expire((clock.nowMs() - days * DAY_MS) * 1_000);
    if (removed > 0) onExpired(removed);
  };
  await expire();
  let running: Promise<void> = Promise.resolve();
  let cancel: () => void = () => undefined;
  const again = (): void => {
    cancel = schedule(() => {
      running = expire().catch(onFailed);
      again();
    }, DAY_MS);
  };
  again();
  return {
    async close() {
      cancel();
      await running;
    },
  };
}
