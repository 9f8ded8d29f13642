import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { Schedule } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';

/** Longest time that a signature may be given, milliseconds: no INVITE waits for a minute. */
export const MAX_SIGNER_TIMEOUT_MS = 60_000;

/** How long something may take, and by which timers. */
export interface Deadline {
  /** Milliseconds, more than 0, at most {@link MAX_SIGNER_TIMEOUT_MS}. */
  readonly timeoutMs: number;
  readonly schedule: Schedule;
}

/** What became of work under a deadline. */
export type DeadlineResult<Value> =
  | { readonly status: 'done'; readonly value: Value }
  | { readonly status: 'threw'; readonly cause: unknown }
  | { readonly status: 'late' };

/**
 * Makes a deadline out of settings.
 * @param name - of the setting, for the message
 * @param timeoutMs - milliseconds, more than 0, at most {@link MAX_SIGNER_TIMEOUT_MS}
 * @param schedule - timers; default those of the platform
 * @returns the deadline
 * @throws {@link HopbackError} `invalid-argument` when the time is out of bounds
 */
export function deadlineOf(name: string, timeoutMs: number, schedule: Schedule = MACHINE_CLOCK.schedule): Deadline {
  if (timeoutMs > 0 && timeoutMs <= MAX_SIGNER_TIMEOUT_MS) return { timeoutMs, schedule };
  throw new HopbackError(
    'invalid-argument',
    `${name} must be more than 0 and at most ${String(MAX_SIGNER_TIMEOUT_MS)} ms, not ${String(timeoutMs)}.`,
  );
}

/**
 * Waits for work no longer than a deadline. Work that is late is told so and goes on unheard.
 * @param work - gets a signal that is aborted when the time is over; may throw or reject
 * @param deadline - from {@link deadlineOf}
 * @returns how it went; never rejects
 */
export function withinDeadline<Value>(
  work: (signal: AbortSignal) => Value | Promise<Value>,
  deadline: Deadline,
): Promise<DeadlineResult<Value>> {
  const controller = new AbortController();
  return new Promise((resolve) => {
    const cancel = deadline.schedule(() => {
      // Resolving first: work that rejects on abort must not win with a reason of its own.
      resolve({ status: 'late' });
      controller.abort();
    }, deadline.timeoutMs);
    attempt(work, controller.signal).then(
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

/** So that a throw is a rejection. */
async function attempt<Value>(
  work: (signal: AbortSignal) => Value | Promise<Value>,
  signal: AbortSignal,
): Promise<Value> {
  return work(signal);
}
