/**
 * How the time of a plan goes by: as fast as that of the machine, times a factor, or not at all. What is due is told from where the plan is, never
 * from when the last call was placed, so that calls that were late make none of the following late.
 */
export interface Pace {
  /** Where in the plan it is, milliseconds from its beginning. */
  readonly planMs: (nowMs: number) => number;
  /** How long until an instant of the plan is there, milliseconds; 0: it is past. Undefined: never, while it is paused. */
  readonly untilMs: (planMs: number, nowMs: number) => number | undefined;
  /** Factor that holds when it is not paused. */
  readonly factor: () => number;
  readonly isPaused: () => boolean;
  /** Takes factors from {@link RATE_FACTORS}; others are moved to its ends. */
  readonly setFactor: (factor: number, nowMs: number) => void;
  readonly pause: (nowMs: number) => void;
  readonly resume: (nowMs: number) => void;
  /** Begins anew at an instant of the plan, with the factor that holds, and goes on unless it is paused. */
  readonly restart: (nowMs: number, fromMs: number) => void;
}

/** Slower than a hundredth nobody waits for, and faster than a hundred times no machine is. */
export const RATE_FACTORS: { readonly min: number; readonly max: number } = { min: 0.01, max: 100 };

/** Makes a pace that goes at once. `fromMs`: where in the plan it begins. */
export function createPace(nowMs: number, { factor = 1, fromMs = 0 }: { factor?: number; fromMs?: number } = {}): Pace {
  let [sinceMs, baseMs, current, paused] = [nowMs, fromMs, within(factor), false];
  const planMs = (at: number): number => baseMs + (paused ? 0 : Math.max(0, at - sinceMs) * current);
  const anchored = (at: number, change: () => void): void => {
    baseMs = planMs(at);
    sinceMs = at;
    change();
  };
  return {
    planMs,
    untilMs: (target, at) => {
      const left = target - planMs(at);
      if (left <= 0) return 0;
      return paused ? undefined : left / current;
    },
    factor: () => current,
    isPaused: () => paused,
    setFactor: (next, at) => anchored(at, () => (current = within(next))),
    pause: (at) => anchored(at, () => (paused = true)),
    resume: (at) => anchored(at, () => (paused = false)),
    restart: (at, from) => {
      [sinceMs, baseMs] = [at, from];
    },
  };
}

function within(factor: number): number {
  return Number.isFinite(factor) ? Math.min(RATE_FACTORS.max, Math.max(RATE_FACTORS.min, factor)) : 1;
}
