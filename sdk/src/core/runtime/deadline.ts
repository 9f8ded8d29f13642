import { MACHINE_CLOCK } from './clock.js';
import type { Schedule } from './clock.js';

/** How long something may take. */
export interface Deadline {
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Default: the timers of the machine. */
  readonly schedule?: Schedule | undefined;
}

/** What became of work under a deadline. */
type DeadlineResult<Value> =
  | { readonly status: 'done'; readonly value: Value }
  | { readonly status: 'threw'; readonly cause: unknown }
  | { readonly status: 'late' };

/**
 * Waits for work no longer than its deadline. Work that is late has its signal aborted; what it does after that is ignored.
 * @param work - may throw or reject
 * @returns how it went; never rejects
 */
export function withinDeadline<Value>(
  work: (signal: AbortSignal) => Value | Promise<Value>,
  { timeoutMs, schedule = MACHINE_CLOCK.schedule }: Deadline,
): Promise<DeadlineResult<Value>> {
  const controller = new AbortController();
  return new Promise((resolve) => {
    const cancel = schedule(() => {
      // Resolving first: work that rejects on abort must not win with a reason of its own.
      resolve({ status: 'late' });
      controller.abort();
    }, timeoutMs);
    // Called within a promise, so that a throw is a rejection.
    new Promise<Value>((settle) => settle(work(controller.signal))).then(
      (value) => {
        cancel();
        resolve({ status: 'done', value });
      },
      (cause: unknown) => {
        cancel();
        resolve({ status: 'threw', cause });
      },
    );
  });
}

/**
 * What a promise gives, or `late` when it takes longer than its deadline.
 * @returns rejects where the promise does in time
 */
export async function valueWithin<Value, Late>(
  promise: Promise<Value>,
  deadline: Deadline & { readonly late: Late },
): Promise<Value | Late> {
  const result = await withinDeadline(() => promise, deadline);
  if (result.status === 'threw') throw result.cause;
  return result.status === 'done' ? result.value : deadline.late;
}

/** The time of one attempt, and whoever may end it before. */
export interface AttemptDeadline {
  /** Aborted when the time is over, or when the outer signal is. */
  readonly signal: AbortSignal;
  /** Whether it was the time that ended it. */
  readonly isOver: () => boolean;
  /** Begins the time anew: something came. */
  readonly restart: () => void;
  /** Takes the timer away; to be called whatever happened. */
  readonly end: () => void;
}

/**
 * One deadline for everything up to the last octet of an answer. Not AbortSignal.any: on Node 20 what it makes of a lasting signal stays.
 * @param timeoutMs - milliseconds, 1 or more
 * @param outer - whoever may give the attempt up
 * @param schedule - timers
 */
export function attemptDeadline(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  schedule: Schedule,
): AttemptDeadline {
  const controller = new AbortController();
  let over = false;
  const abort = (): void => controller.abort(outer?.reason);
  const expire = (): void => {
    over = true;
    abort();
  };
  let cancel = schedule(expire, timeoutMs);
  outer?.addEventListener('abort', abort, { once: true });
  if (outer?.aborted === true) abort();
  return {
    signal: controller.signal,
    isOver: () => over,
    restart: () => {
      cancel();
      if (!controller.signal.aborted) cancel = schedule(expire, timeoutMs);
    },
    end: () => {
      cancel();
      outer?.removeEventListener('abort', abort);
    },
  };
}

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

/** Asks code of others. @returns its answer; undefined where it throws */
export function attempt<Value>(ask: () => Value): Value | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** Tells a listener, whose own business it is what it throws or rejects with. @returns whether it took the news without throwing */
export function tell<News>(listener: ((news: News) => unknown) | undefined, news: News): boolean {
  try {
    const returned = listener?.(news);
    if (returned instanceof Promise) returned.catch(() => undefined);
    return true;
  } catch {
    return false;
  }
}

/** Does work the first time that it is asked for, and hands out the one promise of it. */
export function once(work: () => Promise<void>): () => Promise<void> {
  let working: Promise<void> | undefined;
  return () => (working ??= work());
}
