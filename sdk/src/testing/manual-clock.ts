import type { Clock } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';

/** The instant that test certificates, tokens and clocks start from unless told otherwise: 2026-11-02T12:00:00Z. */
export const TEST_NOW_MS: number = Date.UTC(2026, 10, 2, 12, 0, 0);

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock for tests that stands still until a test moves it, with timers that fire while it moves. `advance` and `schedule` throw
 * {@link HopbackError} `invalid-argument` when a duration is negative or not a number.
 * @see RFC 8224 section 6.2 step 4 for what a clock decides
 * @example
 * ```ts
 * const clock = new ManualClock();
 * let fired = 0;
 * clock.schedule(() => (fired += 1), 30_000);
 * clock.advance(60_000);
 * console.log(new Date(clock.nowMs()).toISOString(), fired); // 2026-11-02T12:01:00.000Z 1
 * ```
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs: number;
  #order = 0;

  /** @param startMs - first instant, milliseconds since the epoch; default {@link TEST_NOW_MS} */
  constructor(startMs: number = TEST_NOW_MS) {
    this.#nowMs = startMs;
  }

  readonly nowMs = (): number => this.#nowMs;

  /** Runs `callback` once, `delayMs` from now; the returned function cancels it. */
  readonly schedule = (callback: () => void, delayMs: number): (() => void) => {
    const timer: Timer = { dueMs: this.#nowMs + duration(delayMs), order: this.#order, callback };
    this.#order += 1;
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Moves forward by `ms` milliseconds (0 or more), firing every timer that falls due, in order of its due time. */
  advance(ms: number): void {
    this.#moveTo(this.#nowMs + duration(ms));
  }

  /**
   * Jumps to an instant in milliseconds since the epoch. Forward it fires what falls due, as `advance` does; backward it
   * fires nothing, as when an operator corrects a wrong clock.
   */
  set(nowMs: number): void {
    if (nowMs >= this.#nowMs) this.#moveTo(nowMs);
    else this.#nowMs = nowMs;
  }

  /** How many timers wait; 0 at the end of a test that leaves nothing behind. */
  pendingTimers(): number {
    return this.#timers.size;
  }

  #moveTo(targetMs: number): void {
    const timers = this.#timers;
    for (let next = earliest(timers, targetMs); next !== undefined; next = earliest(timers, targetMs)) {
      timers.delete(next);
      // A timer set for the past (after a backward jump forward again) must not turn the clock back.
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
    }
    this.#nowMs = targetMs;
  }
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
