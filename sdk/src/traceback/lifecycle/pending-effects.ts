import { createMemo } from '../../core/memo.js';
import { isSilent } from './hop-standing.js';
import type { KnownFacts } from './known-facts.js';
import { neighboursOf } from './named-upstream.js';
import type { EscalationReason, TracebackEffect } from './traceback-effect.js';
import type { TracebackOutcome } from './traceback-outcome.js';
import { tracePath } from './trace-path.js';
import type { TracedPath } from './trace-path.js';
import { viewOf } from './traceback-view.js';
import type { HopView, TracebackView } from './traceback-view.js';
import type { TracebackState } from './traceback-state.js';

/**
 * Everything that has to be done and was not reported done: what a service does first after a crash, and whenever it is not sure.
 * @param state - from {@link startTraceback} or {@link stepTraceback}
 * @returns the effects, along the path; at most a few for each hop; never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const { state } = startTraceback({ tracebackId: 'tb-1', atMs: Date.UTC(2026, 1, 3, 15), first: { name: 'Example Telco' } });
 * console.log(pendingEffects(state).map(({ type }) => type)); // [ 'ask-provider' ]
 * ```
 */
export function pendingEffects(state: TracebackState): readonly TracebackEffect[] {
  const path = tracePath(state);
  return effectsOf(path, viewOf(path));
}

/** Effects of paths, for as long as the path is held. */
const effectsFor = createMemo<readonly TracebackEffect[]>();

/** The same of a path that was traced already. Once for each path. */
export function effectsOf(path: TracedPath, view: TracebackView): readonly TracebackEffect[] {
  return effectsFor(path, () => computedEffects(path, view));
}

function computedEffects({ facts }: TracedPath, view: TracebackView): readonly TracebackEffect[] {
  const hops = [...view.path, ...view.left];
  const withdrawn = hops.flatMap((hop) => withdrawalEffects(hop, facts));
  const due =
    view.status === 'cancelled'
      ? withdrawn
      : [
          ...view.path.flatMap((hop) => hopEffects(hop, facts)),
          ...withdrawn,
          ...view.disputes.filter(({ ruling }) => ruling === undefined).map(disputeEffect),
          ...forwardEffects(facts),
          ...(view.outcome === undefined ? [] : outcomeEffects(view.outcome, view.status)),
        ];
  return due.filter(({ effectId }) => !facts.done.has(effectId));
}

function hopEffects(hop: HopView, facts: KnownFacts): readonly TracebackEffect[] {
  if (hop.state === 'planned') return [planned(hop, facts)];
  const { requestId, dueAtMs } = hop;
  const effects: TracebackEffect[] = [];
  if (dueAtMs !== undefined && (hop.state === 'asked' || hop.state === 'acknowledged')) {
    const beforeDueMs = reminderNow(dueAtMs, facts);
    if (beforeDueMs !== undefined) {
      effects.push({
        type: 'remind',
        effectId: `remind:${requestId}:${beforeDueMs}`,
        ...whoOf(hop),
        dueAtMs,
        beforeDueMs,
      });
    }
  }
  if (hop.state === 'overdue') effects.push(escalation(requestId, 'overdue'));
  if (dueAtMs !== undefined && hop.state === 'non-responsive') {
    effects.push({ type: 'mark-non-responsive', effectId: `non-responsive:${requestId}`, ...whoOf(hop), dueAtMs });
  }
  if (facts.state.direction === 'back' && isSilent(hop) && neighboursOf(hop, facts).count === 0) {
    effects.push({ type: 'seek-neighbours', effectId: `neighbours:${requestId}`, ...whoOf(hop) });
  }
  return effects;
}

function whoOf({ requestId, provider }: HopView): Pick<HopView, 'requestId' | 'provider'> {
  return provider === undefined ? { requestId } : { requestId, provider };
}

function planned(hop: HopView, { state }: KnownFacts): TracebackEffect {
  const { requestId, provider, downstream, basedOn, contact } = hop;
  if (provider === undefined) {
    // Only who was named by contact details alone has no provider.
    return { type: 'find-provider', effectId: `find:${requestId}`, requestId, contact: contact ?? { name: '' } };
  }
  return {
    type: 'ask-provider',
    effectId: `ask:${requestId}`,
    requestId,
    provider,
    direction: state.direction,
    hop: hop.hop,
    ...(downstream !== undefined && { downstream }),
    ...(basedOn !== undefined && { basedOn }),
  };
}

/** Of the reminders whose time has come the last one: those before it would say the same. */
function reminderNow(dueAtMs: number, { nowMs, state: { rules } }: KnownFacts): number | undefined {
  return rules.remindBeforeDueMs.filter((beforeMs) => nowMs >= dueAtMs - beforeMs).at(-1);
}

function withdrawalEffects(hop: HopView, facts: KnownFacts): readonly TracebackEffect[] {
  const { requestId, state } = hop;
  const effects: TracebackEffect[] = [];
  if (state === 'withdrawn' && facts.sent.has(requestId)) {
    effects.push({ type: 'cancel-request', effectId: `cancel:${requestId}`, ...whoOf(hop) });
  }
  if (facts.done.has(`non-responsive:${requestId}`) && state !== 'non-responsive') {
    const because = state === 'withdrawn' ? 'withdrawn' : 'answered';
    effects.push({ type: 'clear-non-responsive', effectId: `responsive:${requestId}`, ...whoOf(hop), because });
  }
  return effects;
}

function disputeEffect({
  disputeId,
  downstream,
  upstream,
  neighbour,
  statements,
}: TracebackView['disputes'][number]): TracebackEffect {
  const parties = [downstream, upstream, neighbour].filter((party) => party !== undefined);
  return { type: 'dispute', effectId: `dispute:${disputeId}:${statements.join(':')}`, disputeId, parties, statements };
}

function forwardEffects({ forwards }: KnownFacts): readonly TracebackEffect[] {
  return forwards.map(({ id, number }) => ({
    type: 'open-trace-forward',
    effectId: `forward:${id}`,
    forwardId: id,
    number,
  }));
}

function outcomeEffects(outcome: TracebackOutcome, status: TracebackView['status']): readonly TracebackEffect[] {
  const { kind, key, requestId, isFinal } = outcome;
  const effects: TracebackEffect[] = [];
  if (!isFinal && !isContent(kind)) effects.push(escalation(requestId, kind));
  // A provisional outcome that becomes final is told of again.
  const effectId = `notify:${isFinal ? 'final' : 'so-far'}:${key}`;
  effects.push({ type: 'notify', effectId, outcome: kind, outcomeKey: key, isFinal });
  if (status === 'concluded') effects.push({ type: 'close', effectId: `close:${key}`, outcome: kind, outcomeKey: key });
  return effects;
}

function isContent(kind: TracebackOutcome['kind']): kind is Exclude<TracebackOutcome['kind'], EscalationReason> {
  return kind === 'origin' || kind === 'point-of-entry' || kind === 'foreign-provider' || kind === 'serves-number';
}

function escalation(requestId: string, reason: EscalationReason): TracebackEffect {
  return { type: 'escalate', effectId: `escalate:${reason}:${requestId}`, requestId, reason };
}
