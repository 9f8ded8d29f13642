import type { TimerClock } from '../../sdk/src/core/runtime/clock.js';

/**
 * Makes a clock that stands still: what is scheduled runs in the next turn, and is written down. Timers of `lastingMs` never run, which
 * leaves the time of an attempt to the test.
 */
export function hastyClock(nowMs: number, lastingMs: number): TimerClock & { readonly waits: readonly number[] } {
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
