/** Time as an argument: tests and replays hand in their own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, as `Date.now()` counts them. */
  readonly nowMs: () => number;
}
