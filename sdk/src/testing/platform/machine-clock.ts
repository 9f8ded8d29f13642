import type { TimerClock } from '../../core/clock.js';

/** Longest delay that a timer of Node keeps; a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** The clock of the machine. Its timers keep no process alive: a test that is over is over. */
export const MACHINE_CLOCK: TimerClock = {
  nowMs: () => Date.now(),
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, Math.min(Math.ceil(delayMs), MAX_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};
