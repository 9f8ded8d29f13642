import type { TimerClock } from '../../sdk/src/core/runtime/clock.js';

/** A clock on which every wait is over at once, but for one. */
export interface HastyClock extends TimerClock {
  /** Waits that were over, milliseconds, in their order. */
  readonly waits: readonly number[];
}

/**
 * Makes a clock that stands still: what is scheduled runs in the next turn, and is written down. Timers of `lastingMs` never run, which
 * leaves the time of an attempt to the test.
 */
export function hastyClock(nowMs: number, lastingMs: number): HastyClock {
  const waits: number[] = [];
  return {
    waits,
    nowMs: () => nowMs,
    schedule: (callback, delayMs) => {
      if (delayMs === lastingMs) return () => {};
      const turn = setImmediate(() => {
        waits.push(delayMs);
        callback();
      });
      return () => clearImmediate(turn);
    },
  };
}
