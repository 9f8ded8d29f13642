/** Time and timers as an argument. The manual clock of `@hopback/sdk/testing` is one. */
export interface ServerClock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly nowMs: () => number;
  /** Runs `callback` once, `delayMs` from now, unless the returned function is called before. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/** Node's own timers. */
export const NODE_CLOCK: ServerClock = {
  nowMs: Date.now,
  schedule: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A clock that knows how many of its timers wait: what is left over after a call is a leak. */
export interface CountingClock extends ServerClock {
  readonly pendingTimers: () => number;
  /** Cancels every timer that waits. */
  readonly cancelAll: () => void;
}

/** Counts the timers of a clock. */
export function countingClock(clock: ServerClock): CountingClock {
  const pending = new Set<() => void>();
  return {
    nowMs: clock.nowMs,
    schedule: (callback, delayMs) => {
      const cancel = clock.schedule(() => {
        pending.delete(cancel);
        callback();
      }, delayMs);
      pending.add(cancel);
      return () => {
        if (pending.delete(cancel)) cancel();
      };
    },
    pendingTimers: () => pending.size,
    cancelAll: () => {
      for (const cancel of pending) cancel();
      pending.clear();
    },
  };
}
