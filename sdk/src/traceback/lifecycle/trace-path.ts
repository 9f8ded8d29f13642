import { createMemo } from '../../core/memo.js';
import { generations, hopRequest } from './hop-request.js';
import type { HopQuestion, HopRequest } from './hop-request.js';
import { denies, isSilent } from './hop-standing.js';
import { isHeardOf, knownFacts } from './known-facts.js';
import type { FoundBefore, KnownFacts, NamedRequest } from './known-facts.js';
import {
  hopOnPath,
  isSameQuestion,
  namedRequest,
  neighboursOf,
  onceAsked,
  reportedRequest,
  reportsTo,
} from './named-upstream.js';
import { isSameProvider } from './provider-identity.js';
import { tracedHop } from './traced-hop.js';
import type { TracedHop } from './traced-hop.js';
import { factsOf } from './traceback-state.js';
import type { TracebackFact, TracebackState } from './traceback-state.js';

/** Why the traceback does not go where an answer leads. */
export type PathEnd =
  /** The same provider was asked whom it had the call from that it sent to the same provider, or it names itself. */
  | 'loop'
  /** More hops than the rules allow. */
  | 'too-many-hops'
  /** Several neighbours report, and nobody has chosen. */
  | 'several-neighbours';

/** The course of a traceback: the hops that it leads over now, first hop first, and those that it led over before. */
export interface TracedPath {
  readonly facts: KnownFacts;
  readonly hops: readonly TracedHop[];
  /** Hops that were asked or answered, and to which it does not lead any more; by the id of their requests. */
  readonly left: readonly TracedHop[];
  /** Why it ends at the last of `hops`, where something leads on. */
  readonly end?: PathEnd;
}

/**
 * Paths of states that are still held by somebody: a service asks the same state for its view, its effects and the next step. A state is never
 * changed, so that what follows from it does not change either.
 */
const pathFor = createMemo<TracedPath>();

/** What is known of a path from the one before it. */
type PathBefore = FoundBefore & {
  /** Hops with which it begins again, each of which has led to the next one by its answer and does so still. */
  readonly beginning: readonly TracedHop[];
};

/** Follows a traceback from its first hop as far as it leads, by what is known now. Once for each state. */
export function tracePath(state: TracebackState): TracedPath {
  return pathFor(state, () => followPath(state));
}

/**
 * The same of a state that has one fact more than another, or a later time: of hops that the fact is not about and that have answered, the path
 * before is taken for what it says.
 */
export function tracePathAfter(before: TracedPath, state: TracebackState, fact: TracebackFact | undefined): TracedPath {
  return pathFor(state, () =>
    followPath(state, {
      questionHashes: before.facts.questionHashes,
      ...settledBefore(before, fact),
    }),
  );
}

/**
 * What was answered is not changed by time; and by a fact only where it is about the same request, or ends all of them. Where it leads is not changed
 * either but by a fact about a request with the same question, by who somebody was found to be, and by a request that was cancelled.
 */
function settledBefore(
  { facts, hops }: TracedPath,
  fact: TracebackFact | undefined,
): Omit<PathBefore, 'questionHashes'> {
  const settledHops = new Map<string, TracedHop>();
  const namedRequests = new Map<string, NamedRequest>();
  if (fact?.kind === 'cancelled' || facts.cancelled !== undefined) return { settledHops, namedRequests, beginning: [] };
  const touched = fact === undefined ? undefined : fact.kind === 'statement' ? fact.requestId : fact.id;
  const leadsElsewhere = fact?.kind === 'identified' || (fact?.kind === 'done' && fact.id.startsWith('cancel:'));
  for (const hop of hops) {
    const isAnswered = hop.state === 'answered' || hop.state === 'corrected';
    if (!isAnswered || hop.requestId === touched) continue;
    settledHops.set(hop.requestId, hop);
    const named = facts.namedRequests.get(hop.requestId);
    if (named === undefined || leadsElsewhere) continue;
    const isTouched = touched?.startsWith(named.firstId) === true && touched !== named.request.requestId;
    if (!isTouched) namedRequests.set(hop.requestId, named);
  }
  const isFirst = touched?.startsWith(`${facts.state.tracebackId}-1-`) === true || leadsElsewhere;
  return { settledHops, namedRequests, beginning: isFirst ? [] : beginningOf(hops, { settledHops, namedRequests }) };
}

function beginningOf(
  hops: readonly TracedHop[],
  { settledHops, namedRequests }: Pick<FoundBefore, 'settledHops' | 'namedRequests'>,
): readonly TracedHop[] {
  const count = hops.findIndex((hop, at) => {
    const named = namedRequests.get(hop.requestId);
    const next = hops[at + 1];
    if (named?.from !== hop || next === undefined || !settledHops.has(hop.requestId)) return true;
    // Whoever denies is passed over for whom others report.
    return !settledHops.has(next.requestId) || denies(next) || !isSameQuestion(next, named.request);
  });
  return hops.slice(0, count);
}

function followPath(state: TracebackState, found?: PathBefore): TracedPath {
  const facts = knownFacts(state, found);
  const hops = found === undefined ? [] : [...found.beginning];
  let end: PathEnd | undefined;
  let next: HopRequest | undefined =
    facts.namedRequests.get(hops.at(-1)?.requestId ?? '')?.request ?? hopRequest(firstQuestion(state), facts);
  while (next !== undefined && end === undefined) {
    end = refusedStep(next, hops, state);
    if (end !== undefined) break;
    const hop = hopOnPath(next, facts);
    hops.push(hop);
    const on = stepFrom(hop, hops.at(-2), facts);
    next = on.request;
    end = on.end;
  }
  return { facts, hops, left: leftHops(hops, facts), ...(end !== undefined && { end }) };
}

function firstQuestion({ first, sharedRecordId }: TracebackState): HopQuestion {
  return {
    hop: 1,
    provider: first,
    namedBy: 'start',
    ...(sharedRecordId !== undefined && { basedOn: `record:${sharedRecordId}` }),
  };
}

interface Onward {
  readonly request?: HopRequest;
  readonly end?: PathEnd;
}

function stepFrom(hop: TracedHop, before: TracedHop | undefined, facts: KnownFacts): Onward {
  const named = namedRequest(hop, facts);
  if (named !== undefined) return { request: unlessDenied(hop, named, facts) };
  if (!isSilent(hop)) return {};
  // Whoever denies a call that others say it had is passed over only where nobody speaks for its word too.
  if (denies(hop) && before !== undefined && contradicting(before, hop, facts) > 0) return {};
  const { followed, count } = neighboursOf(hop, facts);
  if (followed !== undefined) return { request: reportedRequest(hop, followed, facts) };
  return count > 1 ? { end: 'several-neighbours' } : {};
}

/** Where the provider that was named denies, and another says that it is the one that was meant, the other is asked. */
function unlessDenied(hop: TracedHop, named: HopRequest, facts: KnownFacts): HopRequest {
  const child = hopOnPath(named, facts);
  if (!denies(child) || neighboursOf(child, facts).count > 0) return named;
  const { followed } = neighboursOf(hop, facts);
  const isAnother =
    followed !== undefined && (child.provider === undefined || !isSameProvider(followed.provider, child.provider));
  return isAnother ? reportedRequest(hop, followed, facts) : named;
}

/** How many others report to have sent the call to a provider than the one that it named. */
function contradicting(hop: TracedHop, { provider: named }: TracedHop, facts: KnownFacts): number {
  return reportsTo(hop, facts).filter(({ provider }) => named === undefined || !isSameProvider(provider, named)).length;
}

function refusedStep(request: HopRequest, hops: readonly TracedHop[], state: TracebackState): PathEnd | undefined {
  if (request.hop > state.rules.maxHops) return 'too-many-hops';
  const { provider, downstream } = request;
  if (provider === undefined || downstream === undefined) return undefined;
  const isAsked = hops.some(
    (hop) =>
      hop.provider !== undefined &&
      hop.downstream !== undefined &&
      isSameProvider(hop.provider, provider) &&
      isSameProvider(hop.downstream, downstream),
  );
  return isAsked || isSameProvider(provider, downstream) ? 'loop' : undefined;
}

/** Hops off the path of which something is known: they are looked for from every answer that there ever was. */
function leftHops(path: readonly TracedHop[], facts: KnownFacts): readonly TracedHop[] {
  const seen = new Set(path.map(({ requestId }) => requestId));
  if (isAllHeardOf(seen, facts)) return [];
  const left: TracedHop[] = [];
  const queue = [...path];
  for (let hop = queue.shift(); hop !== undefined; hop = queue.shift()) {
    const since = Math.max(turnedAwayMs(hop, facts), withdrawalOf(hop));
    const requests = onceAsked(hop, facts).flatMap((question) => generations(question, facts));
    for (const request of requests) {
      if (seen.has(request.requestId) || !isHeardOf(request.requestId, facts)) continue;
      const cancelledMs = facts.done.get(`cancel:${request.requestId}`)?.atMs ?? since;
      const withdrawnAtMs = Math.min(since, cancelledMs, facts.cancelled?.atMs ?? since);
      const child = tracedHop(request, facts, { isOnPath: false, withdrawnAtMs });
      seen.add(request.requestId);
      left.push(child);
      queue.push(child);
    }
  }
  return left.sort((one, other) => (one.requestId < other.requestId ? -1 : 1));
}

/** Whether all that was heard of is about some requests. */
function isAllHeardOf(requestIds: ReadonlySet<string>, facts: KnownFacts): boolean {
  const { sent, acknowledged, statements, notAskable } = facts;
  for (const heard of [sent, acknowledged, statements, notAskable])
    for (const requestId of heard.keys()) if (!requestIds.has(requestId)) return false;
  return true;
}

/** When the last thing happened that may have led the traceback elsewhere from here. */
function turnedAwayMs(hop: TracedHop, facts: KnownFacts): number {
  const times = [
    facts.state.startedAtMs,
    ...hop.statements.map(({ atMs }) => atMs),
    ...reportsTo(hop, facts).map(({ atMs }) => atMs),
    facts.choices.get(hop.requestId)?.atMs ?? 0,
    ...facts.identified.map(({ atMs }) => atMs),
  ];
  return Math.max(...times);
}

function withdrawalOf(hop: TracedHop): number {
  return Math.max(0, ...hop.history.filter(({ event }) => event === 'withdrawn').map(({ atMs }) => atMs));
}

/** Requests of a traceback that are known: what is heard of others waits until they are. */
export function knownRequestIds({ hops, left }: TracedPath): ReadonlySet<string> {
  return new Set([...hops, ...left].map(({ requestId }) => requestId));
}

/** Statements of a state without those that are no answers to the requests that they name, once those are known. */
export function withoutFaulty(state: TracebackState, isFaulty: (statementId: string) => boolean): TracebackState {
  const { length } = factsOf(state, 'statement').filter(({ id }) => isFaulty(id));
  if (length === 0) return state;
  return { ...state, facts: state.facts.filter((fact) => fact.kind !== 'statement' || !isFaulty(fact.id)) };
}
