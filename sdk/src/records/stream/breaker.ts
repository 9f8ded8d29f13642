import { backoffBoundMs, type Backoff } from '../../core/backoff.js';

/**
 * Whether the receiver is tried.
 * ```
 *            failures in a row                wait is over
 *   closed ───────────────────► open ───────────────────────► half-open (one batch)
 *     ▲                          ▲  │ a straggler succeeds       │      │
 *     └──────────────────────────┼──┴────────────────────────────┘      │
 *        it is acknowledged      └──────────────────────────────────────┘ it fails: longer wait
 * ```
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** Lets attempts through or not. Times are monotonic milliseconds. */
export interface Breaker {
  readonly state: () => BreakerState;
  /** Whether an attempt may begin; in `half-open` only one, which this call then takes. */
  readonly permit: (nowMs: number) => boolean;
  /** When an attempt may be permitted at the earliest; Infinity while one is being tried. */
  readonly permittedAtMs: () => number;
  /** The receiver answered as one should, whatever it thought of the batch. */
  readonly onAnswered: () => void;
  readonly onFailed: (nowMs: number) => void;
  /** It makes no sense to go on until somebody has changed something: open at once. */
  readonly onBarred: (nowMs: number) => void;
  /** The attempt was given up before anything could be learnt from it. */
  readonly onAbandoned: () => void;
}

/**
 * Makes a closed breaker. Pure: it holds state and no timer.
 * @param options - failures in a row that open it, how long it stays so, and a number from 0 up to 1 that spreads the waits over the
 * upper half of their bound
 */
export function createBreaker(options: {
  readonly failures: number;
  readonly open: Backoff;
  readonly random: () => number;
}): Breaker {
  let state: BreakerState = 'closed';
  let failures = 0;
  let openings = 0;
  let permittedAtMs = 0;
  let isProbing = false;

  const open = (nowMs: number): void => {
    state = 'open';
    isProbing = false;
    openings += 1;
    // Never less than half: an open breaker that tries at once would be none.
    permittedAtMs = nowMs + backoffBoundMs(openings, options.open) * (0.5 + options.random() / 2);
  };

  return {
    state: () => state,
    permit: (nowMs) => {
      if (state === 'closed') return true;
      if (nowMs < permittedAtMs || isProbing) return false;
      state = 'half-open';
      isProbing = true;
      return true;
    },
    permittedAtMs: () => (isProbing ? Number.POSITIVE_INFINITY : state === 'closed' ? 0 : permittedAtMs),
    onAnswered: () => {
      state = 'closed';
      failures = 0;
      openings = 0;
      isProbing = false;
    },
    onFailed: (nowMs) => {
      failures += 1;
      // Of those that were on their way when it opened, failures are no news.
      if (state === 'half-open' || (state === 'closed' && failures >= options.failures)) open(nowMs);
    },
    onBarred: (nowMs) => {
      failures += 1;
      if (state !== 'open') open(nowMs);
    },
    onAbandoned: () => {
      isProbing = false;
    },
  };
}
