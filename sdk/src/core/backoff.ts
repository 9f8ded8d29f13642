/** How waits grow between attempts that fail. */
export interface Backoff {
  /** Longest first wait, milliseconds. */
  readonly baseMs: number;
  /** Longest wait of all, milliseconds. */
  readonly capMs: number;
}

/** 2^30 is past every cap; beyond, the power would only lose precision. */
const MOST_DOUBLINGS = 30;

/**
 * How long to wait before the next attempt: anything from 0 to a bound that doubles with every failure ("full jitter"), so that many
 * senders that failed together do not come back together. Never throws.
 * @param failures - failures in a row, 1 for the first
 * @param backoff - first and longest bound
 * @param random - a number from 0 up to, not including, 1
 * @returns milliseconds, a whole number
 * @see Brooker, Exponential Backoff And Jitter, AWS Architecture Blog 2015
 * @example
 * ```ts
 * console.log(fullJitterMs(3, { baseMs: 500, capMs: 60_000 }, () => 0.5)); // 1000
 * ```
 */
export function fullJitterMs(failures: number, backoff: Backoff, random: () => number): number {
  return Math.floor(random() * backoffBoundMs(failures, backoff));
}

/**
 * The longest wait after so many failures in a row. Never throws.
 * @param failures - failures in a row, 1 for the first
 * @param backoff - first and longest bound
 * @returns milliseconds
 * @example
 * ```ts
 * console.log(backoffBoundMs(3, { baseMs: 500, capMs: 60_000 })); // 2000
 * ```
 */
export function backoffBoundMs(failures: number, { baseMs, capMs }: Backoff): number {
  return Math.min(baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, MOST_DOUBLINGS), capMs);
}
