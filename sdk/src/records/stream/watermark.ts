import type { Delivery } from './delivery.js';
import type { SpoolReader } from './spool-reader.js';
import type { StreamClock } from './stream-clock.js';

/** Up to where everything is settled: lanes settle out of turn, the spool is freed and the position kept in order. */
export interface Watermark {
  readonly sequence: () => number;
  /**
   * Looks how far it is now.
   * @returns whether that is further than before
   */
  readonly advance: () => boolean;
  /**
   * Waits until it is so far.
   * @returns false when time was up, or `close` was called, before
   */
  readonly reached: (
    sequence: number,
    limit: { readonly clock: StreamClock; readonly timeoutMs?: number },
  ) => Promise<boolean>;
  readonly close: () => void;
}

interface Waiter {
  readonly sequence: number;
  readonly end: (isReached: boolean) => void;
}

/** Begins at `from`. */
export function createWatermark(parts: {
  readonly from: number;
  readonly delivery: Pick<Delivery, 'floorSequence'>;
  readonly reader: Pick<SpoolReader, 'nextSequence'>;
}): Watermark {
  let sequence = parts.from;
  let isClosed = false;
  const waiters = new Set<Waiter>();

  const endWaiters = (): void => {
    for (const waiter of waiters) if (waiter.sequence <= sequence || isClosed) waiter.end(waiter.sequence <= sequence);
  };

  return {
    sequence: () => sequence,
    advance: () => {
      const now = Math.min(parts.delivery.floorSequence(), parts.reader.nextSequence()) - 1;
      if (now <= sequence) return false;
      sequence = now;
      endWaiters();
      return true;
    },
    reached: (wanted, { clock, timeoutMs }) => {
      if (wanted <= sequence || isClosed) return Promise.resolve(wanted <= sequence);
      return new Promise((resolve) => {
        const waiter: Waiter = {
          sequence: wanted,
          end: (isReached) => {
            cancel?.();
            waiters.delete(waiter);
            resolve(isReached);
          },
        };
        const cancel = timeoutMs === undefined ? undefined : clock.schedule(() => waiter.end(false), timeoutMs);
        waiters.add(waiter);
      });
    },
    close: () => {
      isClosed = true;
      endWaiters();
    },
  };
}
