import { lacksAnswer } from './responder-entry.js';
import type { EntrySummary } from './responder-entry.js';

/** When somebody else is told that nobody has answered. */
export interface EscalationStep {
  /** Seconds before the deadline; 0 at it, negative after it. -604,800 to 604,800. */
  readonly beforeDueSeconds: number;
  /** Whom: a queue, a role, an address that the notifier understands. 1 to 128 characters. */
  readonly to: string;
}

/**
 * Four hours are half a working day, one hour is what it takes to find the one who knows; at the deadline it is a matter of those who answer
 * for it.
 */
export const DEFAULT_ESCALATIONS: readonly EscalationStep[] = Object.freeze([
  Object.freeze({ beforeDueSeconds: 14_400, to: 'queue' }),
  Object.freeze({ beforeDueSeconds: 3_600, to: 'on-call' }),
  Object.freeze({ beforeDueSeconds: 0, to: 'management' }),
]);

/** More than anybody reads. */
export const MAX_ESCALATIONS = 16;

/**
 * When the next step of a request falls due.
 * @param steps - by time, the earliest first
 * @returns milliseconds since the epoch; undefined where none is left
 */
export function nextEscalationMs(
  { state, dueAtMs, escalated }: EntrySummary,
  steps: readonly EscalationStep[],
): number | undefined {
  const step = steps[escalated];
  return step === undefined || !lacksAnswer(state) ? undefined : dueAtMs - step.beforeDueSeconds * 1_000;
}

/**
 * The step that a request has come to: of several that have passed meanwhile the last, since those before it say less.
 * @returns its number from 1, and whom it tells; undefined where none is due
 */
export function dueEscalation(
  summary: EntrySummary,
  steps: readonly EscalationStep[],
  nowMs: number,
): { readonly step: number; readonly to: string } | undefined {
  if (!lacksAnswer(summary.state)) return undefined;
  const passed = steps.filter(({ beforeDueSeconds }) => summary.dueAtMs - beforeDueSeconds * 1_000 <= nowMs).length;
  const last = steps[passed - 1];
  return last === undefined || passed <= summary.escalated ? undefined : { step: passed, to: last.to };
}
