import type { ProviderReference } from '../../contract/common.js';
import type { TracebackRequest } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import { eventFact, isBounded, isEventTime, keptProvider } from './statement.js';
import type { EventFault, StatementFault } from './statement.js';
import type { HopEvent, HopState } from './hop-machine.js';
import { MAX_STATEMENTS, MAX_TRACEBACK_ID, factsOf, lifecycleRules, timePassed, withFact } from './traceback-state.js';
import type { LifecycleRules, TracebackEvent, TracebackFact, TracebackState } from './traceback-state.js';
import { effectsOf, viewOf } from './traceback-view.js';
import type { TracebackEffect, TracebackStatus, TracebackView } from './traceback-view.js';
import { faultyStatements } from './traced-hop.js';
import { knownRequestIds, tracePath, tracePathAfter, withoutFaulty } from './traceback-outcome.js';
import type { TracedPath } from './traceback-outcome.js';

/** Why an event was refused: it changes nothing. */
export type EventRefusal =
  | EventFault
  | StatementFault
  /** The id is known, and what it stands for says something else. */
  | 'conflicting-repeat'
  | 'too-many-facts'
  | 'too-many-answers';

/** Something that changed, and why. */
export type TracebackTransition =
  | {
      readonly of: 'hop';
      readonly requestId: string;
      readonly from: HopState | 'unknown';
      readonly to: HopState;
      readonly event?: HopEvent;
      readonly because: string;
    }
  | {
      readonly of: 'traceback';
      readonly from: TracebackStatus;
      readonly to: TracebackStatus;
      readonly because: string;
    };

/** What became of an event. */
export interface TracebackStep {
  /**
   * `held`: it is about a request that is not known yet, and counts when it is. `unchanged`: it was known, or what is known stands before it.
   */
  readonly status: 'applied' | 'held' | 'unchanged' | 'refused';
  /** The state to store; the same object where nothing changed. */
  readonly state: TracebackState;
  /** What has to be done now that had not to be done before. */
  readonly effects: readonly TracebackEffect[];
  readonly transitions: readonly TracebackTransition[];
  /** Why it was refused. */
  readonly reason?: EventRefusal;
  /** Answers that had been held, and turned out to be none to the requests that they name. */
  readonly dropped: readonly { readonly answerId: string; readonly reason: StatementFault }[];
}

/** What a traceback begins with. */
export interface TracebackStart {
  /** 1 to 200 characters; the ids of its requests begin with it. */
  readonly tracebackId: string;
  /** Whole milliseconds since the epoch. */
  readonly atMs: number;
  /** Who is asked first: the provider that delivered the call; in a trace forward the one that may serve the number. */
  readonly first: ProviderReference;
  /** Default `back`. */
  readonly direction?: TracebackRequest['direction'];
  /** What differs from the defaults. */
  readonly rules?: Partial<LifecycleRules>;
  /**
   * Id of a record of the call that the first provider shared itself: its own statement that it had the call, which an answer that denies it
   * contradicts.
   */
  readonly sharedRecordId?: string;
}

/**
 * Starts a traceback: the first provider is to be asked.
 * @param start - its id, the time, who is asked first and by which rules
 * @returns the state to store, and the first effect
 * @throws {@link HopbackError} `invalid-argument` where the id has no or more than 200 characters, or the time is none;
 * `invalid-configuration` for a rule out of its bounds
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const { effects } = startTraceback({ tracebackId: 'tb-1', atMs: Date.UTC(2026, 1, 3, 15), first: { name: 'Example Telco' } });
 * console.log(effects[0]?.type, effects.length); // ask-provider 1
 * ```
 */
export function startTraceback(start: TracebackStart): TracebackStep {
  checkStart(start);
  const state: TracebackState = {
    format: 'hopback.traceback-state.1',
    tracebackId: start.tracebackId,
    direction: start.direction ?? 'back',
    startedAtMs: start.atMs,
    first: keptProvider(start.first),
    rules: lifecycleRules(start.rules),
    ...(start.sharedRecordId !== undefined && { sharedRecordId: start.sharedRecordId }),
    nowMs: start.atMs,
    facts: [],
  };
  const path = tracePath(state);
  const view = viewOf(path);
  const transitions = view.path.map(({ requestId }): TracebackTransition => ({
    of: 'hop',
    requestId,
    from: 'unknown',
    to: 'planned',
    because: 'The traceback begins here.',
  }));
  return {
    status: 'applied',
    state,
    effects: effectsOf(path, view),
    transitions,
    dropped: [],
  };
}

/**
 * Takes note of an event: the state afterwards, what has to be done, and what changed and why. Events may come twice, late and in any order: when all have
 * been heard of, the state is the same.
 * @param state - as it was stored last
 * @param event - what happened; an answer has been authenticated as its provider's, and references stand as the registry has them
 * @returns the step; an event that cannot be is `refused` with its reason and leaves the state as it is; never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const tracebackId = 'tb-1';
 * const { state, effects } = startTraceback({ tracebackId, atMs: Date.UTC(2026, 1, 3, 15), first: { name: 'Example Telco' } });
 * const [ask] = effects;
 * if (ask?.type === 'ask-provider') {
 *   const { requestId } = ask;
 *   const sent = { type: 'request-sent', tracebackId, requestId, atMs: Date.UTC(2026, 1, 3, 16), zone: 'America/Chicago' } as const;
 *   const step = stepTraceback(state, sent);
 *   const [hop] = viewTraceback(step.state).path;
 *   console.log(step.status, hop?.state, new Date(hop?.dueAtMs ?? 0).toISOString()); // applied asked 2026-02-04T16:00:00.000Z
 * }
 * ```
 */
export function stepTraceback(state: TracebackState, event: TracebackEvent): TracebackStep {
  const read = eventFact(state, event);
  if (read.status === 'refused') return unchanged(state, 'refused', read.reason);
  const { fact } = read;
  const before = tracePath(state);
  const reason = fact === undefined ? undefined : refusalOf(state, fact, before);
  if (reason !== undefined) return unchanged(state, 'refused', reason);
  const added = fact === undefined ? timePassed(state, event.atMs) : withFact(state, fact);
  if (added.status === 'refused') return unchanged(state, 'refused', added.reason);
  if (added.status === 'known') return unchanged(state, 'unchanged');
  return changed(before, added.state, fact);
}

function checkStart({ tracebackId, atMs, first, sharedRecordId = 'none' }: TracebackStart): void {
  const isStart =
    tracebackId.length >= 1 &&
    tracebackId.length <= MAX_TRACEBACK_ID &&
    isEventTime(atMs) &&
    isBounded({ id: sharedRecordId, first: keptProvider(first) });
  if (isStart) return;
  throw new HopbackError(
    'invalid-argument',
    `A traceback starts with an id of 1 to ${MAX_TRACEBACK_ID} characters, a time in milliseconds and a provider with a name.`,
  );
}

function unchanged(state: TracebackState, status: 'unchanged' | 'refused', reason?: EventRefusal): TracebackStep {
  return {
    status,
    state,
    effects: [],
    transitions: [],
    dropped: [],
    ...(reason !== undefined && { reason }),
  };
}

/** What speaks against a statement, as far as the request is known that it answers. */
function refusalOf(state: TracebackState, fact: TracebackFact, before: TracedPath): EventRefusal | undefined {
  if (fact.kind !== 'statement') return undefined;
  const others = factsOf(state, 'statement').filter(
    ({ requestId, id }) => requestId === fact.requestId && id !== fact.id,
  );
  if (others.length >= MAX_STATEMENTS) return 'too-many-answers';
  const hop = [...before.hops, ...before.left].find(({ requestId }) => requestId === fact.requestId);
  if (hop === undefined) return undefined;
  const facts = { ...before.facts, statements: new Map([[fact.requestId, [fact]]]) };
  return faultyStatements(hop, facts)[0]?.fault;
}

function changed(before: TracedPath, heard: TracebackState, fact: TracebackFact | undefined): TracebackStep {
  const { state, path, dropped } = settled(heard, tracePathAfter(before, heard, fact));
  const view = viewOf(path);
  const viewBefore = viewOf(before);
  const known = new Set(effectsOf(before, viewBefore).map(({ effectId }) => effectId));
  const requestId = fact === undefined ? undefined : requestOf(fact);
  const isHeld = requestId !== undefined && !knownRequestIds(path).has(requestId);
  return {
    status: isHeld ? 'held' : 'applied',
    state,
    effects: effectsOf(path, view).filter(({ effectId }) => !known.has(effectId)),
    transitions: transitionsBetween(viewBefore, view),
    dropped,
  };
}

/** Drops answers that had been held until their requests were known, and are none to them. */
function settled(
  heard: TracebackState,
  path: TracedPath,
): {
  readonly state: TracebackState;
  readonly path: TracedPath;
  readonly dropped: TracebackStep['dropped'];
} {
  const dropped = [...path.hops, ...path.left]
    .filter(({ requestId, statements }) => statements.length !== (path.facts.statements.get(requestId)?.length ?? 0))
    .flatMap((hop) => faultyStatements(hop, path.facts))
    .map(({ statement, fault }) => ({ answerId: statement.id, reason: fault }));
  if (dropped.length === 0) return { state: heard, path, dropped };
  const state = withoutFaulty(heard, (id) => dropped.some(({ answerId }) => answerId === id));
  return { state, path: tracePath(state), dropped };
}

function requestOf(fact: TracebackFact): string | undefined {
  switch (fact.kind) {
    case 'statement':
      return fact.requestId;
    case 'sent':
    case 'acknowledged':
    case 'not-askable':
    case 'choice':
      return fact.id;
    default:
      return undefined;
  }
}

function transitionsBetween(before: TracebackView, after: TracebackView): readonly TracebackTransition[] {
  const known = new Map([...before.path, ...before.left].map((hop) => [hop.requestId, hop]));
  const hops = [...after.path, ...after.left].flatMap((hop): TracebackTransition[] => {
    const { requestId, state, history } = hop;
    const earlier = known.get(requestId);
    if (earlier?.state === state && earlier.statements.length === hop.statements.length) return [];
    const last = history.at(-1);
    const because = last?.because ?? LED_TO[hop.namedBy];
    const from = earlier?.state ?? 'unknown';
    return [
      {
        of: 'hop',
        requestId,
        from,
        to: state,
        ...(last !== undefined && { event: last.event }),
        because,
      },
    ];
  });
  if (before.status === after.status) return hops;
  const because = after.outcome?.because ?? STATUS_REASONS[after.status];
  return [...hops, { of: 'traceback', from: before.status, to: after.status, because }];
}

const LED_TO: Readonly<Record<TracebackView['path'][number]['namedBy'], string>> = {
  start: 'The traceback begins here.',
  answer: 'The provider before names this one.',
  neighbour: 'This provider says that it sent the call to the one before, which is silent.',
};

const STATUS_REASONS: Readonly<Record<TracebackStatus, string>> = {
  tracing: 'There is a provider to be asked again.',
  stalled: 'There is no way on.',
  concluded: 'There is an outcome.',
  closed: 'The outcome was told.',
  cancelled: 'The traceback was cancelled.',
};
