import { performance } from 'node:perf_hooks';
import type { RelayClock } from './delivery-schedule.js';

/** Makes the clock of the machine: milliseconds since the epoch that nobody turns back, and Node's timers. */
export function createNodeClock(): RelayClock {
  return {
    nowMs: () => performance.timeOrigin + performance.now(),
    schedule: (callback, delayMs) => {
      // Up, since Node cuts the fraction off and the timer would fire for nothing.
      const timer = setTimeout(callback, Math.ceil(delayMs));
      return () => clearTimeout(timer);
    },
  };
}
