import type { Clock } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';

/** The instant that test certificates, tokens and clocks start from unless told otherwise: 2026-11-02T12:00:00Z. */
export const TEST_NOW_MS: number = Date.UTC(2026, 10, 2, 12, 0, 0);

/** A clock that moves only when a test moves it, with timers that fire while it moves. */
export interface ManualClock extends Clock {
  /** Moves forward by `ms` milliseconds (0 or more), firing every timer that falls due, in order of its due time. */
  readonly advance: (ms: number) => void;
  /**
   * Jumps to an instant in milliseconds since the epoch. Forward it fires what falls due, as `advance` does; backward it
   * fires nothing, as when an operator corrects a wrong clock.
   */
  readonly set: (nowMs: number) => void;
  /** Runs `callback` once, `delayMs` from now; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** How many timers wait; 0 at the end of a test that leaves nothing behind. */
  readonly pendingTimers: () => number;
}

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * Makes a clock for tests that stands still until it is moved. Never throws.
 * @param startMs - first instant, milliseconds since the epoch; default {@link TEST_NOW_MS}
 * @returns the clock; its `advance` and `schedule` throw {@link HopbackError} `invalid-argument` when a duration is negative or not a
 * number
 * @see RFC 8224 section 6.2 step 4 for what a clock decides
 * @example
 * ```ts
 * const clock = createManualClock();
 * let fired = 0;
 * clock.schedule(() => (fired += 1), 30_000);
 * clock.advance(60_000);
 * console.log(new Date(clock.nowMs()).toISOString(), fired); // 2026-11-02T12:01:00.000Z 1
 * ```
 */
export function createManualClock(startMs: number = TEST_NOW_MS): ManualClock {
  let nowMs = startMs;
  let order = 0;
  const timers = new Set<Timer>();

  const moveTo = (targetMs: number): void => {
    for (let next = earliest(timers, targetMs); next !== undefined; next = earliest(timers, targetMs)) {
      timers.delete(next);
      // A timer set for the past (after a backward jump forward again) must not turn the clock back.
      nowMs = Math.max(nowMs, next.dueMs);
      next.callback();
    }
    nowMs = targetMs;
  };

  return {
    nowMs: () => nowMs,
    advance: (ms) => moveTo(nowMs + duration(ms)),
    set: (targetMs) => {
      if (targetMs >= nowMs) moveTo(targetMs);
      else nowMs = targetMs;
    },
    schedule: (callback, delayMs) => {
      const timer: Timer = { dueMs: nowMs + duration(delayMs), order: order++, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pendingTimers: () => timers.size,
  };
}

function duration(ms: number): number {
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new HopbackError('invalid-argument', `a duration must be 0 or more milliseconds, not ${ms}`);
}

function earliest(timers: ReadonlySet<Timer>, untilMs: number): Timer | undefined {
  let first: Timer | undefined;
  for (const timer of timers) {
    if (timer.dueMs > untilMs) continue;
    if (
      first === undefined ||
      timer.dueMs < first.dueMs ||
      (timer.dueMs === first.dueMs && timer.order < first.order)
    ) {
      first = timer;
    }
  }
  return first;
}
