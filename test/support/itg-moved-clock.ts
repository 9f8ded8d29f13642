import type { TimerClock } from '../../sdk/src/core/clock.js';

/** The clock of the machine, which a test moves forward: what is due by then runs at once. */
export interface MovedClock extends TimerClock {
  readonly advance: (ms: number) => void;
}

/** Makes one. */
export function movedClock(): MovedClock {
  let offsetMs = 0;
  const waiting = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  const nowMs = (): number => Date.now() + offsetMs;
  return {
    nowMs,
    schedule: (callback, delayMs) => {
      const fire = (): void => {
        if (waiting.delete(entry)) callback();
      };
      const timer = setTimeout(fire, Math.min(delayMs, 2_147_483_647));
      timer.unref();
      const entry = { atMs: nowMs() + delayMs, fire };
      waiting.add(entry);
      return () => {
        clearTimeout(timer);
        waiting.delete(entry);
      };
    },
    advance: (ms) => {
      offsetMs += ms;
      for (const entry of [...waiting]) if (entry.atMs <= nowMs()) entry.fire();
    },
  };
}
