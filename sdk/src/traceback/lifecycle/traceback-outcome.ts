import { createMemo } from '../../core/memo.js';
import { defined } from '../../core/text.js';
import { isSameProvider } from '../../contract/same-provider.js';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import type { CustomerAction } from '../../contract/traceback-exchange.js';
import type { CallDifference } from '../asked-call.js';
import { factsOf } from './traceback-state.js';
import type { FactOf, TracebackFact, TracebackState } from './traceback-state.js';
import type { OutcomeKind } from './hop-machine.js';
import {
  HEARD,
  denies,
  generations,
  hopOnPath,
  hopRequest,
  isForeignEntry,
  isHeardOf,
  isOpen,
  isSameQuestion,
  isSilent,
  knownFacts,
  namedRequest,
  neighboursOf,
  onceAsked,
  reportedRequest,
  reportsTo,
  roleOf,
  tracedHop,
} from './traced-hop.js';
import type { FoundBefore, HopQuestion, HopRequest, KnownFacts, NamedRequest, TracedHop } from './traced-hop.js';

/** Why the traceback does not go where an answer leads. */
type PathEnd =
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
      const cancelledMs = facts.of.done.get(`cancel:${request.requestId}`)?.atMs ?? since;
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
function isAllHeardOf(requestIds: ReadonlySet<string>, { of, statements }: KnownFacts): boolean {
  for (const heard of [statements, ...HEARD.map((kind) => of[kind])])
    for (const requestId of heard.keys()) if (!requestIds.has(requestId)) return false;
  return true;
}

/** When the last thing happened that may have led the traceback elsewhere from here. */
function turnedAwayMs(hop: TracedHop, facts: KnownFacts): number {
  const times = [
    facts.state.startedAtMs,
    ...hop.statements.map(({ atMs }) => atMs),
    ...reportsTo(hop, facts).map(({ atMs }) => atMs),
    facts.of.choice.get(hop.requestId)?.atMs ?? 0,
    ...[...facts.of.identified.values()].map(({ atMs }) => atMs),
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

/** Two statements that cannot both be true. Which one is false is not said: that is for people. */
export interface TracebackDispute {
  /** For the event that decides it. */
  readonly disputeId: string;
  readonly kind:
    /** One names the other, who says that the call was none of its own, or was not sent there; or one denies the record that it shared itself. */
    | 'denied'
    /** One names another, and a third says that the call came from it. */
    | 'neighbour-contradicts'
    /** An answer discloses another call than its request was about: whom it names is left out. */
    | 'other-call';
  /** Of the hop that names. */
  readonly requestId: string;
  /** Who says from whom it had the call. */
  readonly downstream?: ProviderReference;
  /** Whom it names. */
  readonly upstream?: ProviderReference;
  /** The third. */
  readonly neighbour?: ProviderReference;
  /** Answers and reports that contradict each other. */
  readonly statements: readonly string[];
  /** Of an `other-call` dispute: in what the disclosed call differs. */
  readonly differsIn?: readonly CallDifference[];
  /** What a person decided. */
  readonly ruling?: FactOf<'ruling'>;
}

/** All contradictions between statements about the hops that a traceback leads over. */
export function disputesOf({ hops, facts }: TracedPath): readonly TracebackDispute[] {
  // Somebody denies or answers about another call, or a third reports.
  if (!facts.isDenied && facts.reports.length === 0) return [];
  return hops.flatMap((hop) => {
    const found = [...denialOf(hop, facts), ...otherCallOf(hop), ...contradictionsOf(hop, facts)];
    return found.map((dispute): TracebackDispute => {
      const ruling = facts.of.ruling.get(dispute.disputeId);
      return ruling === undefined ? dispute : { ...dispute, ruling };
    });
  });
}

type Facts = TracedPath['facts'];

function denialOf(hop: TracedHop, facts: Facts): readonly TracebackDispute[] {
  const named = namedRequest(hop, facts);
  // A neighbour may say that it sent the call, and when it is asked that it did not; as may who shared a record of it.
  const saidSo = hop.namedBy === 'neighbour' || hop.namedBy === 'start';
  const asked = named !== undefined ? hopOnPath(named, facts) : saidSo ? hop : undefined;
  if (asked === undefined || !denies(asked) || asked.current === undefined) return [];
  return [
    {
      disputeId: `denied:${asked.requestId}`,
      kind: 'denied',
      requestId: asked.fromRequestId ?? hop.requestId,
      ...defined({ downstream: asked.downstream, upstream: asked.provider }),
      statements: [...(asked.basedOn === undefined ? [] : [asked.basedOn]), asked.current.id],
    },
  ];
}

function otherCallOf({ requestId, provider, basedOn, current }: TracedHop): readonly TracebackDispute[] {
  if (current?.otherCall === undefined) return [];
  return [
    {
      // An amended answer makes another dispute, which the ruling on this one does not decide.
      disputeId: `other-call:${requestId}:${current.id}`,
      kind: 'other-call',
      requestId,
      ...defined({ downstream: provider }),
      statements: [...(basedOn === undefined ? [] : [basedOn]), current.id],
      differsIn: current.otherCall,
    },
  ];
}

function contradictionsOf(hop: TracedHop, facts: Facts): readonly TracebackDispute[] {
  const named = namedRequest(hop, facts);
  const { provider, current } = hop;
  if (named === undefined || provider === undefined || current === undefined) return [];
  return reportsTo(hop, facts)
    .filter((report) => named.provider === undefined || !isSameProvider(report.provider, named.provider))
    .map((report) => ({
      disputeId: `contradicted:${hop.requestId}:${report.id}`,
      kind: 'neighbour-contradicts',
      requestId: hop.requestId,
      downstream: provider,
      ...defined({ upstream: named.provider }),
      neighbour: report.provider,
      statements: [current.id, report.id],
    }));
}

/** What a traceback has come to, at which provider, and on whose word. */
export interface TracebackOutcome {
  readonly kind: OutcomeKind;
  /** Another one for every other outcome, so that each is told of once. */
  readonly key: string;
  /**
   * Whether there is nothing more to come: a provisional outcome waits for a correction, a neighbour or a person, until it is accepted or the time
   * for that is over.
   */
  readonly isFinal: boolean;
  /** Of the hop at which it was reached. */
  readonly requestId: string;
  readonly provider?: ProviderReference;
  /** Of a foreign or unlisted provider. */
  readonly contact?: ContactDetails;
  /** Who took the call from a foreign provider. */
  readonly gateway?: ProviderReference;
  /** Whether the origin said who called, and what it did about it. */
  readonly caller?: { readonly isIdentified: boolean; readonly action?: CustomerAction };
  /** Why it was refused. */
  readonly reason?: string;
  readonly disputeId?: string;
  /** Answers and reports that it rests upon. */
  readonly statements: readonly string[];
  readonly because: string;
}

/** What an outcome means, in words. */
export interface OutcomeText {
  /** Whether the traceback is over with it. */
  readonly isFinal: boolean;
  readonly because: string;
}

/** Each outcome, whether it ends the traceback, and what it means. */
export const OUTCOMES: Readonly<Record<OutcomeKind, OutcomeText>> = {
  origin: { isFinal: true, because: 'The provider itself says that the call began at it.' },
  'point-of-entry': {
    isFinal: true,
    because: 'The provider itself says that the call entered the United States at it.',
  },
  'foreign-provider': {
    isFinal: true,
    because: 'The call came from a provider outside the United States, which is not asked.',
  },
  'serves-number': { isFinal: true, because: 'The provider itself says that it serves the number.' },
  'no-record': {
    isFinal: true,
    because: 'The first provider has no such call, and its records of that time are complete.',
  },
  'number-not-ours': { isFinal: true, because: 'The first provider does not serve the number that was called.' },
  'not-retained': { isFinal: true, because: 'Records of that time have been removed.' },
  'non-responsive': {
    isFinal: false,
    because: 'The provider did not answer in time. A neighbour may still name who sent the call.',
  },
  ambiguous: { isFinal: false, because: 'Several calls fit, or two answers of one revision contradict each other.' },
  refused: { isFinal: false, because: 'The provider will not answer, for the reason that it gives.' },
  disputed: {
    isFinal: false,
    because: 'Two statements contradict each other, and evidence has not decided which is false.',
  },
  'unlisted-provider': { isFinal: false, because: 'Somebody was named that no registry has.' },
  'not-askable': { isFinal: false, because: 'The provider that was named cannot be asked.' },
  'several-neighbours': {
    isFinal: false,
    because: 'Several providers say that they sent the call, and nobody has chosen whom to ask.',
  },
  loop: { isFinal: false, because: 'The answers lead round in a circle.' },
  'too-many-hops': { isFinal: false, because: 'More hops than the rules follow.' },
};

/** What the traceback has come to; undefined while an answer is still to come. */
export function outcomeOf(path: TracedPath, disputes: readonly TracebackDispute[]): TracebackOutcome | undefined {
  const tip = path.hops.at(-1);
  if (tip === undefined) return undefined;
  const kind = kindOf(tip, path.end, disputes);
  if (kind === undefined) return undefined;
  const { isFinal, because } = OUTCOMES[kind];
  const dispute = disputes.find((one) => isOwnDispute(tip, one)) ?? disputes.find((one) => isBefore(tip, one));
  const statements = [tip.basedOn, tip.current?.id].filter((id) => id !== undefined);
  const isDecided = kind === 'disputed' && dispute?.ruling !== undefined;
  const key = [kind, tip.requestId, ...statements].join(':');
  return {
    kind,
    key,
    isFinal: isFinal || path.facts.of.accepted.has(key) || isDecided || isWaitOver(path),
    requestId: tip.requestId,
    ...(tip.provider !== undefined && { provider: tip.provider }),
    ...saidAt(tip, path),
    ...(kind === 'disputed' && dispute !== undefined && { disputeId: dispute.disputeId }),
    statements,
    because,
  };
}

function kindOf(
  tip: TracedHop,
  end: PathEnd | undefined,
  disputes: readonly TracebackDispute[],
): OutcomeKind | undefined {
  if (end !== undefined) return end;
  const role = roleOf(tip);
  if (role === 'open' || role === 'withdrawn' || role === 'transit' || (isOpen(tip) && role !== 'unlisted-provider')) {
    return undefined;
  }
  // Of whom it is contested that the call came from it, it is not said either that it was asked in vain.
  const isContested = disputes.some(
    ({ kind, requestId, ruling }) =>
      kind === 'neighbour-contradicts' && requestId === tip.fromRequestId && ruling?.ruling !== 'downstream-stands',
  );
  return isContested && tip.current === undefined ? 'disputed' : role;
}

function isOwnDispute({ requestId }: TracedHop, dispute: TracebackDispute): boolean {
  return (
    dispute.disputeId === `denied:${requestId}` || (dispute.kind === 'other-call' && dispute.requestId === requestId)
  );
}

/** Whether a dispute is about the hop that led to this one. */
function isBefore({ fromRequestId }: TracedHop, dispute: TracebackDispute): boolean {
  return dispute.requestId === fromRequestId;
}

/** Whether nothing has come for so long that nobody waits any more. */
function isWaitOver(path: TracedPath): boolean {
  const { nowMs, state } = path.facts;
  return nowMs > lastMovedMs(path) + state.rules.closeStalledAfterMs;
}

/** When the last thing happened to a hop that the traceback leads over. */
export function lastMovedMs({ hops, facts }: TracedPath): number {
  const times = hops.flatMap(({ history, statements }) => [...history, ...statements].map(({ atMs }) => atMs));
  return Math.max(facts.state.startedAtMs, ...times);
}

function saidAt(tip: TracedHop, { hops }: TracedPath): Partial<TracebackOutcome> {
  const { current } = tip;
  const contact = current?.contact ?? tip.contact;
  const gateway = isForeignEntry(tip) ? hops.at(-2)?.provider : undefined;
  return {
    ...defined({ contact, gateway, reason: current?.reason }),
    ...(current?.callerIdentified !== undefined && {
      caller: defined({ isIdentified: current.callerIdentified, action: current.callerAction }),
    }),
  };
}
