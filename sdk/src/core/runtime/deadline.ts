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
export type DeadlineResult<Value> =
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
