/** Time and timers as an argument. The manual clock of `@hopback/sdk/testing` is one. */
export interface ServerClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly nowMs: () => number;
  /** Runs `callback` once, `delayMs` from now, unless the returned function is called before. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/**
 * Node's own timers. The time is that of the start of the process and what has gone by since: timers do not run early or late when
 * somebody sets the clock of the machine.
 */
export const NODE_CLOCK: ServerClock = {
  nowMs: () => Math.floor(performance.timeOrigin + performance.now()),
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
