import type { StreamClock } from './stream-clock.js';

/**
 * The clock of the machine and Node's timers. They keep a process alive while records wait for another attempt; closing the stream ends
 * them.
 */
export const NODE_STREAM_CLOCK: StreamClock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (callback, delayMs) => {
    // Up, since Node cuts the fraction off and the timer would fire for nothing.
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return () => clearTimeout(timer);
  },
};
