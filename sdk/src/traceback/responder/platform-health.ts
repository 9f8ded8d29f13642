import type { Breaker } from '../../records/stream/breaker.js';

/**
 * What becomes of attempts to deliver, request by request: one that the platform always says no to, or fails over, while it takes those of
 * others, is its own matter and keeps no other waiting.
 */
export interface PlatformHealth {
  readonly answered: (requestId: string) => void;
  readonly failed: (requestId: string, nowMs: number) => void;
  readonly barred: (requestId: string, nowMs: number) => void;
  /** Whether its last attempt failed: when the platform is tried anew, others go first. */
  readonly hasFailed: (requestId: string) => boolean;
  /** Nothing more is to be delivered of it. */
  readonly forget: (requestId: string) => void;
}

/** @param breaker - is told of what concerns all of them */
export function createPlatformHealth(breaker: Breaker): PlatformHealth {
  /** How many answers there were when a request failed last, or was barred first. */
  const failedAt = new Map<string, number>();
  let answers = 0;

  /** Whether others were answered since. */
  const isItsOwn = (requestId: string): boolean => {
    const before = failedAt.get(requestId);
    return before !== undefined && before < answers;
  };
  return {
    answered: (requestId) => {
      answers += 1;
      failedAt.delete(requestId);
      breaker.onAnswered();
    },
    failed: (requestId, nowMs) => {
      if (isItsOwn(requestId)) breaker.onAbandoned();
      else breaker.onFailed(nowMs);
      // Outages come and go: what was answered before this one says nothing of the next.
      failedAt.set(requestId, answers);
    },
    barred: (requestId, nowMs) => {
      if (isItsOwn(requestId)) return breaker.onAbandoned();
      breaker.onBarred(nowMs);
      failedAt.set(requestId, answers);
    },
    hasFailed: (requestId) => failedAt.has(requestId),
    forget: (requestId) => void failedAt.delete(requestId),
  };
}
