import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { Schedule } from '../../core/runtime/clock.js';
import type { Deadline } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';

/** Longest time that a signature may be given, milliseconds: no INVITE waits for a minute. */
export const MAX_SIGNER_TIMEOUT_MS = 60_000;

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
