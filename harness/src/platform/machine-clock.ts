import type { TimerClock } from '@hopback/sdk/platform';

/** Node counts in 31 bits, and does at once what is further away. */
const MAX_DELAY_MS = 2_147_483_647;

/** Clock and timers of this machine. */
export const MACHINE_CLOCK: TimerClock = {
  nowMs: () => Date.now(),
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};
