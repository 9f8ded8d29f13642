import type { Draft } from '../../core/draft.js';
import { createMemo } from '../../core/memo.js';
import { disputesOf } from './disputes.js';
import type { TracebackDispute } from './disputes.js';
import { lastMovedMs, outcomeOf } from './traceback-outcome.js';
import type { TracebackOutcome } from './traceback-outcome.js';
import type { TracedHop } from './traced-hop.js';
import { tracePath } from './trace-path.js';
import type { TracedPath } from './trace-path.js';
import type { TracebackState } from './traceback-state.js';

/**
 * Where a traceback stands.
 *
 * ```text
 *             an answer leads on, a neighbour reports,
 *             an answer is amended
 *        ┌──────────────────────────────────────────┐
 *        ▼                                          │
 *   tracing ──no way on──► stalled ──accepted, decided, or waited for──┐
 *        │                                                             ▼
 *        └──────origin, point of entry, no record, …──────────────► concluded ──close done──► closed
 *
 *   from everywhere ──cancelled──► cancelled
 *   from stalled, concluded and closed back to tracing: whatever leads on
 * ```
 */
export type TracebackStatus =
  /** An answer is still to come. */
  | 'tracing'
  /** None is, and the outcome is none to be content with: see `outcome` and the effects. */
  | 'stalled'
  /** There is an outcome; it is still to be told. */
  | 'concluded'
  /** The `close` effect of that outcome was carried out. */
  | 'closed'
  | 'cancelled';

/** A hop, and what it is in the course of the call. */
export type HopView = TracedHop;

/** What a state means. */
export interface TracebackView {
  readonly status: TracebackStatus;
  /** Hops that the traceback leads over, first hop first. */
  readonly path: readonly HopView[];
  /** Hops that it led over before, and does not lead over any more since an answer was amended or came after all. */
  readonly left: readonly HopView[];
  readonly outcome?: TracebackOutcome;
  readonly disputes: readonly TracebackDispute[];
  /** When time alone brings something, milliseconds since the epoch: send `time-passed` then. Undefined where nothing is waited for. */
  readonly wakeAtMs?: number;
}

/**
 * Says what the state of a traceback means: its hops with their states, whether it goes on, what it has come to, and what is contradicted. Whatever
 * came first, the same facts always mean the same.
 * @param state - from {@link startTraceback} or {@link stepTraceback}
 * @returns the view, the same object for the same state; at most a few hundred hops; never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const { state } = startTraceback({ tracebackId: 'tb-1', atMs: Date.UTC(2026, 1, 3, 15), first: { name: 'Example Telco' } });
 * const { status, path } = viewTraceback(state);
 * console.log(status, path[0]?.state, path[0]?.role); // tracing planned open
 * ```
 */
export function viewTraceback(state: TracebackState): TracebackView {
  return viewOf(tracePath(state));
}

/** Views of paths, for as long as the path is held. */
const viewFor = createMemo<TracebackView>();

/** The view of a path that was traced already. Once for each path. */
export function viewOf(path: TracedPath): TracebackView {
  return viewFor(path, () => computedView(path));
}

function computedView(path: TracedPath): TracebackView {
  const disputes = disputesOf(path);
  const outcome = outcomeOf(path, disputes);
  const wakeAtMs = wakeOf(path, outcome);
  const view: Draft<TracebackView> = {
    status: statusOf(path, outcome),
    path: path.hops,
    left: path.left,
    disputes,
  };
  if (outcome !== undefined) view.outcome = outcome;
  if (wakeAtMs !== undefined) view.wakeAtMs = wakeAtMs;
  return view;
}

function statusOf({ facts }: TracedPath, outcome: TracebackOutcome | undefined): TracebackStatus {
  if (facts.cancelled !== undefined) return 'cancelled';
  if (outcome === undefined) return 'tracing';
  if (!outcome.isFinal) return 'stalled';
  return facts.done.has(`close:${outcome.key}`) ? 'closed' : 'concluded';
}

function wakeOf(path: TracedPath, outcome: TracebackOutcome | undefined): number | undefined {
  const { state, nowMs, cancelled } = path.facts;
  if (cancelled !== undefined) return undefined;
  const { rules } = state;
  const times = path.hops.flatMap(({ state: hopState, dueAtMs, nonResponsiveAtMs }) => {
    if (dueAtMs === undefined || nonResponsiveAtMs === undefined) return [];
    // Deadlines pass with the first moment after them.
    if (hopState === 'overdue') return [nonResponsiveAtMs + 1];
    if (hopState !== 'asked' && hopState !== 'acknowledged') return [];
    return [...rules.remindBeforeDueMs.map((beforeMs) => dueAtMs - beforeMs), dueAtMs + 1];
  });
  if (outcome?.isFinal === false) times.push(lastMovedMs(path) + rules.closeStalledAfterMs + 1);
  const later = times.filter((atMs) => atMs > nowMs);
  return later.length === 0 ? undefined : Math.min(...later);
}
