import { setImmediate as turn } from 'node:timers/promises';
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
      const next = setImmediate(() => {
        waits.push(delayMs);
        callback();
      });
      return () => clearImmediate(next);
    },
  };
}

/** Waits for what sockets bring, one turn of the event loop after the other; the time limit of the test is its end. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}
