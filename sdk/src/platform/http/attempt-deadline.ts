import type { TimerClock } from '../../core/runtime/clock.js';

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
  schedule: TimerClock['schedule'],
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
