import { scheduleInBackground } from '@hopback/sdk/internal';
import type { TimerClock } from '@hopback/sdk/platform';

/** The clock of the machine, which is moved on: what is due by then runs at once. */
export interface WorldClock extends TimerClock {
  /** Moves it on by so many milliseconds, 0 or more. */
  readonly advance: (ms: number) => void;
}

/**
 * Makes a clock that goes as that of the machine does until it is moved on, so that a day of waiting takes no time. Its timers keep no process alive.
 * @returns the clock, of this process; never throws
 * @see {@link openWorld}
 * @example
 * ```ts
 * const clock = createWorldClock();
 * let isTomorrow = false;
 * clock.schedule(() => {
 *   isTomorrow = true;
 * }, 86_400_000);
 * clock.advance(86_400_000);
 * console.log(isTomorrow); // true
 * ```
 */
export function createWorldClock(): WorldClock {
  let offsetMs = 0;
  const waiting = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  const nowMs = (): number => Date.now() + offsetMs;
  return {
    nowMs,
    schedule: (callback, delayMs) => {
      const fire = (): void => {
        if (waiting.delete(entry)) callback();
      };
      const cancel = scheduleInBackground(fire, delayMs);
      const entry = { atMs: nowMs() + delayMs, fire };
      waiting.add(entry);
      return () => {
        cancel();
        waiting.delete(entry);
      };
    },
    advance: (ms) => {
      offsetMs += ms;
      for (const entry of [...waiting]) if (entry.atMs <= nowMs()) entry.fire();
    },
  };
}
