/** Time and timers as an argument. The manual clock of `@hopback/sdk/testing` is one. */
export interface RunnerClock {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Runs `callback` once, `delayMs` from now, unless the returned function is called before. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/** Node's timers, and the time that has gone by since the process started: nobody who sets the clock of the machine makes calls late. */
export const NODE_CLOCK: RunnerClock = {
  nowMs: () => performance.timeOrigin + performance.now(),
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
