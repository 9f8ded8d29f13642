/** Time as an argument: tests and replays hand in their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, as `Date.now()` counts them. */
  readonly nowMs: () => number;
}

/** Time that can also be waited for. */
export interface TimerClock extends Clock {
  /** Runs `callback` once, `delayMs` from now, unless the returned function is called before. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/** Share of the drain time in which requests and calls under way may end. The rest of it is for closing stores and files. */
export const DRAINING_SHARE = 0.9;
