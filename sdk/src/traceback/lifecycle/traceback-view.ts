import type { Draft } from '../../core/text.js';
import { createMemo } from '../../core/memo.js';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import type { TracebackRequest } from '../../contract/traceback-exchange.js';
import { disputesOf, lastMovedMs, outcomeOf, tracePath } from './traceback-outcome.js';
import type { TracebackDispute, TracebackOutcome, TracedPath } from './traceback-outcome.js';
import type { TracebackState } from './traceback-state.js';
import { isSilent, neighboursOf } from './traced-hop.js';
import type { OutcomeKind } from './hop-machine.js';
import type { KnownFacts, TracedHop } from './traced-hop.js';

/** Why a person is asked to look at a traceback. */
type EscalationReason = Extract<TracebackEffect, { type: 'escalate' }>['reason'];

/**
 * What has to be done, by whoever has sockets and a clock. It stays pending until an event says that it was done, so that a crash in between does it
 * again: `request-sent` or `provider-not-askable` for `ask-provider`, `provider-identified` or `provider-not-askable` for `find-provider`,
 * `effect-done` for the rest. `effectId` names what has to be done once: whoever carries it out twice under one id has done it once.
 */
export type TracebackEffect = { readonly effectId: string } & (
  | {
      readonly type: 'ask-provider';
      readonly requestId: string;
      readonly provider: ProviderReference;
      readonly direction: TracebackRequest['direction'];
      readonly hop: number;
      readonly downstream?: ProviderReference;
      /** The answer or report that named the provider: what it says of the call is what this one is asked about. */
      readonly basedOn?: string;
    }
  | ({ readonly requestId: string; readonly provider?: ProviderReference } & (
      | {
          readonly type: 'remind';
          readonly dueAtMs: number;
          readonly beforeDueMs: number;
        }
      /** Put down that it did not answer this request; the other takes that back, as it did after all, or was asked by mistake. */
      | { readonly type: 'mark-non-responsive'; readonly dueAtMs: number }
      | { readonly type: 'clear-non-responsive'; readonly because: 'answered' | 'withdrawn' }
      /** Look for providers that sent the call to this one, in shared records or by asking: it says nothing of where the call came from. */
      | { readonly type: 'seek-neighbours' }
      /** Tell the provider that its answer is not needed any more. */
      | { readonly type: 'cancel-request' }
    ))
  /** Ask both to look again. */
  | {
      readonly type: 'dispute';
      readonly disputeId: string;
      readonly parties: readonly ProviderReference[];
      readonly statements: readonly string[];
    }
  /** Find out which listed provider is meant, if any. */
  | {
      readonly type: 'find-provider';
      readonly requestId: string;
      readonly contact: ContactDetails;
    }
  | {
      readonly type: 'escalate';
      readonly requestId: string;
      readonly reason:
        'overdue' | Exclude<OutcomeKind, 'origin' | 'point-of-entry' | 'foreign-provider' | 'serves-number'>;
    }
  | {
      readonly type: 'open-trace-forward';
      readonly forwardId: string;
      readonly number: string;
    }
  /** Tell the requester what it has come to so far. */
  | {
      readonly type: 'notify';
      readonly outcome: OutcomeKind;
      readonly outcomeKey: string;
      readonly isFinal: boolean;
    }
  | {
      readonly type: 'close';
      readonly outcome: OutcomeKind;
      readonly outcomeKey: string;
    }
);

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
 * @param state - from `startTraceback` or `stepTraceback`
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
  return facts.of.done.has(`close:${outcome.key}`) ? 'closed' : 'concluded';
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

/**
 * Everything that has to be done and was not reported done: what a service does first after a crash, and whenever it is not sure.
 * @param state - from `startTraceback` or `stepTraceback`
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
  return due.filter(({ effectId }) => !facts.of.done.has(effectId));
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
  if (state === 'withdrawn' && facts.of.sent.has(requestId)) {
    effects.push({ type: 'cancel-request', effectId: `cancel:${requestId}`, ...whoOf(hop) });
  }
  if (facts.of.done.has(`non-responsive:${requestId}`) && state !== 'non-responsive') {
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
  return {
    type: 'dispute',
    effectId: `dispute:${disputeId}:${statements.join(':')}`,
    disputeId,
    parties,
    statements,
  };
}

function forwardEffects({ of }: KnownFacts): readonly TracebackEffect[] {
  return [...of.forward.values()].map(({ id, number }) => ({
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
  effects.push({
    type: 'notify',
    effectId,
    outcome: kind,
    outcomeKey: key,
    isFinal,
  });
  if (status === 'concluded') effects.push({ type: 'close', effectId: `close:${key}`, outcome: kind, outcomeKey: key });
  return effects;
}

function isContent(kind: TracebackOutcome['kind']): kind is Exclude<TracebackOutcome['kind'], EscalationReason> {
  return kind === 'origin' || kind === 'point-of-entry' || kind === 'foreign-provider' || kind === 'serves-number';
}

function escalation(requestId: string, reason: EscalationReason): TracebackEffect {
  return { type: 'escalate', effectId: `escalate:${reason}:${requestId}`, requestId, reason };
}
