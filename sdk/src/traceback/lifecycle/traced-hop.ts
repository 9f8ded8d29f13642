import { hash } from 'node:crypto';
import { isSameProvider } from '../../contract/same-provider.js';
import { grouped } from '../../core/text.js';
import type { Draft } from '../../core/text.js';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import { runHop } from './hop-machine.js';
import type { HopChange, HopState, HopStep, OutcomeKind } from './hop-machine.js';
import { ARM_MEANINGS, contactKey, providerKey, saysTheSame, statementFault } from './statement.js';
import type { StatementFault } from './statement.js';
import { FACT_KINDS } from './traceback-state.js';
import type { FactKind, FactOf, StatementFact, TracebackFact, TracebackState } from './traceback-state.js';

/** What a hop is in the course of the call, for the record of its provider. */
export type HopRole = OutcomeKind | 'transit' | 'open' | 'withdrawn';

/** A question to a provider, and how the traceback came to it. */
export interface HopRequest {
  readonly requestId: string;
  /** 1 for the first hop. */
  readonly hop: number;
  /** Absent where somebody named one that no registry has, and no person has found out who it is. */
  readonly provider?: ProviderReference;
  /** The name that was given in its place. */
  readonly contact?: ContactDetails;
  /** To whom it is said to have sent the call. */
  readonly downstream?: ProviderReference;
  /** Who led here: the start, the answer of the hop before, or a neighbour of a silent one. */
  readonly namedBy: 'start' | 'answer' | 'neighbour';
  /** Of the hop before. */
  readonly fromRequestId?: string;
  /** The answer or report that named it; of the first hop the record that it shared itself, `record:` before its id. */
  readonly basedOn?: string;
}

/** What a request asks, before it has an id. */
export type HopQuestion = Omit<HopRequest, 'requestId'>;

/** Digits of a hash that tell the requests of one traceback apart: among 2,000 of them two are alike once in 10^8 tracebacks. */
const HASH_DIGITS = 12;
/** How often a provider is asked the same again after its request was cancelled; a traceback that turns more often stays with the last. */
const MAX_GENERATIONS = 16;

/**
 * The request that asks a question now. Its id follows from the question, so that whoever computes it anew after a crash, or hears of things in another
 * order, asks the same request and not a second one. An answer to it stands; where the provider was told before it answered that its answer is
 * not needed, it is asked by a request of its own.
 */
export function hopRequest(question: HopQuestion, facts: KnownFacts): HopRequest {
  return currentRequest(generations(question, facts), facts);
}

/** Of requests with one question the one that stands: one that was answered, or else the last. */
function currentRequest(requests: Generations, { statements }: KnownFacts): HopRequest {
  return requests.find(({ requestId }) => statements.has(requestId)) ?? requests.at(-1) ?? requests[0];
}

/** Requests with one question, in the order in which they are asked: the next one when the one before was cancelled. */
type Generations = readonly [HopRequest, ...HopRequest[]];

/** All requests with a question that there are so far. */
export function generations(question: HopQuestion, facts: KnownFacts): Generations {
  const first = requestWith(firstIdOf(question, facts), question);
  const requests: [HopRequest, ...HopRequest[]] = [first];
  let before = first.requestId;
  for (let generation = 2; generation <= MAX_GENERATIONS; generation += 1) {
    const requestId = `${first.requestId}-r${generation}`;
    // What was heard of is there, also where the word that led to it is heard of later.
    if (!wasCancelled(before, facts) && !isHeardOf(requestId, facts)) break;
    requests.push(requestWith(requestId, question));
    before = requestId;
  }
  return requests;
}

/** Written out: questions are of many forms, and to spread them takes longer than to find out what is asked. */
function requestWith(requestId: string, question: HopQuestion): HopRequest {
  const { provider, contact, downstream, fromRequestId, basedOn } = question;
  const request: Draft<HopRequest> = { requestId, hop: question.hop, namedBy: question.namedBy };
  if (provider !== undefined) request.provider = provider;
  if (contact !== undefined) request.contact = contact;
  if (downstream !== undefined) request.downstream = downstream;
  if (fromRequestId !== undefined) request.fromRequestId = fromRequestId;
  if (basedOn !== undefined) request.basedOn = basedOn;
  return request;
}

/** Whether the provider was told that its answer is not needed, for another reason than that the whole traceback ended. */
function wasCancelled(requestId: string, { of, cancelled }: KnownFacts): boolean {
  const told = of.done.get(`cancel:${requestId}`);
  return told !== undefined && (cancelled === undefined || told.atMs < cancelled.atMs);
}

/** Id of the first request with a question. */
function firstIdOf({ provider, contact, downstream, hop }: HopQuestion, facts: KnownFacts): string {
  const asked = provider !== undefined ? providerKey(provider) : contact !== undefined ? contactKey(contact) : '';
  const digits = hashOf(`${asked}\n${downstream === undefined ? '' : providerKey(downstream)}`, facts);
  return `${facts.state.tracebackId}-${hop}-${digits}`;
}

function hashOf(text: string, { questionHashes }: KnownFacts): string {
  const known = questionHashes.get(text);
  if (known !== undefined) return known;
  const digits = hash('sha256', text, 'hex').slice(0, HASH_DIGITS);
  questionHashes.set(text, digits);
  return digits;
}

/** The facts of a state, where they are looked for. */
export interface KnownFacts {
  readonly state: TracebackState;
  /** The latest time that was heard of. */
  readonly nowMs: number;
  /** By kind and id. */
  readonly of: { readonly [Kind in FactKind]: ReadonlyMap<string, FactOf<Kind>> };
  /** By request, the first revision first. */
  readonly statements: ReadonlyMap<string, readonly StatementFact[]>;
  readonly reports: readonly FactOf<'report'>[];
  readonly cancelled: FactOf<'cancelled'> | undefined;
  /** Whether any answer denies the call, or is about another call than its request. */
  readonly isDenied: boolean;
  /** What was found out from them already, for as long as they are looked at: hops of the path by the id of their requests. */
  readonly tracedHops: Map<string, TracedHop>;
  /** Requests to which answers lead, by the id of the request that was answered. */
  readonly namedRequests: Map<string, NamedRequest>;
  /** Hashes of questions, of which each is asked for many times. */
  readonly questionHashes: Map<string, string>;
  /** Hops of the state before that nothing new was heard of, and that time does not change any more. */
  readonly settledHops: ReadonlyMap<string, TracedHop>;
}

/** What is known of a state from the one before it. */
export type FoundBefore = Pick<KnownFacts, 'questionHashes' | 'settledHops' | 'namedRequests'>;

/** A request that asks what an answer leads to. */
export interface NamedRequest {
  /** The hop whose answer it is, as it stood: who is asked is told of it. */
  readonly from: TracedHop;
  readonly request: HopRequest;
  /** Id of the first request with that question: those that came after it was cancelled begin with it. */
  readonly firstId: string;
}

/** Sorts the facts of a state by what they are about. */
export function knownFacts(state: TracebackState, before?: FoundBefore): KnownFacts {
  const byKind = Object.fromEntries(FACT_KINDS.map((kind) => [kind, new Map<string, TracebackFact>()]));
  let isDenied = false;
  let { nowMs } = state;
  for (const fact of state.facts) {
    nowMs = Math.max(nowMs, fact.atMs);
    byKind[fact.kind]?.set(fact.id, fact);
    if (fact.kind === 'statement') isDenied ||= ARM_MEANINGS[fact.arm].denies || fact.otherCall !== undefined;
  }
  const of = byKind as unknown as KnownFacts['of'];
  const statements = grouped(of.statement.values(), ({ requestId }) => [requestId]);
  for (const ofRequest of statements.values())
    ofRequest.sort((one, other) => one.revision - other.revision || (one.id < other.id ? -1 : 1));
  const [cancelled] = of.cancelled.values();
  return {
    state,
    nowMs,
    of,
    statements,
    reports: [...of.report.values()],
    cancelled,
    isDenied,
    tracedHops: new Map(),
    namedRequests: before?.namedRequests ?? new Map<string, NamedRequest>(),
    questionHashes: before?.questionHashes ?? new Map<string, string>(),
    settledHops: before?.settledHops ?? NO_HOPS,
  };
}

const NO_HOPS: ReadonlyMap<string, TracedHop> = new Map();

/** Whether anything was heard of a request: it was asked, or somebody said something to it. */
export function isHeardOf(requestId: string, { of, statements }: KnownFacts): boolean {
  return statements.has(requestId) || HEARD.some((kind) => of[kind].has(requestId));
}

/** Beside an answer. */
export const HEARD = ['sent', 'acknowledged', 'not-askable'] as const;

/** A hop as it stands. */
export interface TracedHop extends HopRequest {
  readonly state: HopState;
  /** How it came to that. */
  readonly history: readonly HopStep[];
  /** All answers, the first revision first. */
  readonly statements: readonly StatementFact[];
  /** The answer that counts: the last revision. Undefined where there is none, or two of that revision contradict each other. */
  readonly current?: StatementFact;
  /** Whether the last revision exists twice, and says different things. */
  readonly contradictsItself: boolean;
  readonly sentAtMs?: number;
  /** Why it cannot be asked, where that is its state. */
  readonly notAskable?: FactOf<'not-askable'>['reason'];
  /** Milliseconds since the epoch. */
  readonly dueAtMs?: number;
  readonly nonResponsiveAtMs?: number;
  /** Whether it answered after its deadline. */
  readonly isLate: boolean;
  /** Whether the traceback leads over this hop now. */
  readonly isOnPath: boolean;
  /** What it is in the course of the call. */
  readonly role: HopRole;
}

/** How a hop stands by what is known of it. `withdrawnAtMs`: since when the traceback does not lead here any more. */
export function tracedHop(
  request: HopRequest,
  facts: KnownFacts,
  { isOnPath, withdrawnAtMs }: { readonly isOnPath: boolean; readonly withdrawnAtMs: number | undefined },
): TracedHop {
  const { requestId } = request;
  const statements = validStatements(request, facts);
  const last = statements.at(-1);
  const contradictsItself =
    last !== undefined &&
    statements.length > 1 &&
    statements.some((other) => other.revision === last.revision && !saysTheSame(other, last));
  const sent = facts.of.sent.get(requestId);
  const notAskable = facts.of['not-askable'].get(requestId);
  const nonResponsiveAtMs =
    sent === undefined ? undefined : Math.max(sent.dueAtMs, sent.atMs) + facts.state.rules.nonResponsiveAfterDueMs;
  const happened = changes(request, facts);
  addAnswers(happened, statements);
  if (withdrawnAtMs !== undefined) happened.push({ event: 'withdrawn', atMs: withdrawnAtMs });
  const { state, history } = runHop(happened);
  const isLate = sent !== undefined && statements.length > 0 && firstTime(statements) > sent.dueAtMs;
  // One after the other: to spread a request, and members that may be absent, takes longer than all else here.
  const hop: Draft<TracedHop> = {
    requestId,
    hop: request.hop,
    namedBy: request.namedBy,
    state,
    history,
    statements,
    contradictsItself,
    isLate,
    isOnPath,
    role: 'open',
  };
  if (request.provider !== undefined) hop.provider = request.provider;
  if (request.contact !== undefined) hop.contact = request.contact;
  if (request.downstream !== undefined) hop.downstream = request.downstream;
  if (request.fromRequestId !== undefined) hop.fromRequestId = request.fromRequestId;
  if (request.basedOn !== undefined) hop.basedOn = request.basedOn;
  if (last !== undefined && !contradictsItself) hop.current = last;
  if (state === 'not-askable' && notAskable !== undefined) hop.notAskable = notAskable.reason;
  if (sent !== undefined && nonResponsiveAtMs !== undefined) {
    hop.sentAtMs = sent.atMs;
    hop.dueAtMs = sent.dueAtMs;
    hop.nonResponsiveAtMs = nonResponsiveAtMs;
  }
  hop.role = roleOf(hop);
  return hop;
}

/** Answers that are none to the request that they name, and why. */
export function faultyStatements(
  request: HopRequest,
  facts: KnownFacts,
): readonly { readonly statement: StatementFact; readonly fault: StatementFault }[] {
  return (facts.statements.get(request.requestId) ?? []).flatMap((statement) => {
    const fault = statementFault(statement, askedIn(request, facts));
    return fault === undefined ? [] : [{ statement, fault }];
  });
}

function validStatements(request: HopRequest, facts: KnownFacts): readonly StatementFact[] {
  const known = facts.statements.get(request.requestId);
  if (known === undefined) return NO_STATEMENTS;
  const asked = askedIn(request, facts);
  return known.filter((statement) => statementFault(statement, asked) === undefined);
}

function askedIn({ provider, downstream }: HopRequest, { state }: KnownFacts): Parameters<typeof statementFault>[1] {
  return { direction: state.direction, provider, downstream };
}

const NO_STATEMENTS: readonly StatementFact[] = [];

function changes({ requestId }: HopRequest, facts: KnownFacts): HopChange[] {
  const list: HopChange[] = [];
  const notAskable = facts.of['not-askable'].get(requestId);
  if (notAskable !== undefined) list.push({ event: 'not-askable', atMs: notAskable.atMs });
  const acknowledged = facts.of.acknowledged.get(requestId);
  if (acknowledged !== undefined) list.push({ event: 'acknowledged', atMs: acknowledged.atMs });
  const sent = facts.of.sent.get(requestId);
  if (sent === undefined) return list;
  list.push({ event: 'sent', atMs: sent.atMs });
  const { nowMs } = facts;
  const { rules } = facts.state;
  // A deadline passes with the first moment after it. One that was stated may lie before the request.
  const dueAtMs = Math.max(sent.dueAtMs, sent.atMs);
  if (nowMs > dueAtMs) list.push({ event: 'due-passed', atMs: dueAtMs });
  const graceMs = dueAtMs + rules.nonResponsiveAfterDueMs;
  if (nowMs > graceMs) list.push({ event: 'grace-passed', atMs: graceMs });
  return list;
}

function addAnswers(happened: HopChange[], statements: readonly StatementFact[]): void {
  const inTime = statements.length < 2 ? statements : statements.toSorted((one, other) => one.atMs - other.atMs);
  for (const [index, { atMs }] of inTime.entries())
    happened.push({ event: index === 0 ? 'answered' : 'amended', atMs });
}

function firstTime(statements: readonly StatementFact[]): number {
  return Math.min(...statements.map(({ atMs }) => atMs));
}

/** A hop, whose role follows from the rest. */
type HopStanding = Omit<TracedHop, 'role'>;

/** Whether an answer is still to come. */
export function isOpen(hop: HopStanding): boolean {
  return OPEN.includes(hop.state);
}

const OPEN: readonly HopState[] = ['planned', 'asked', 'acknowledged', 'overdue'];

/** Whether the provider says that the call was none of its own, although somebody named it or it shared a record of the call itself. */
export function denies(hop: HopStanding): boolean {
  return hop.basedOn !== undefined && hop.current !== undefined && ARM_MEANINGS[hop.current.arm].denies;
}

/** Whether the provider answered about another call than it was asked about. */
function answersOtherCall(hop: HopStanding): boolean {
  return hop.current?.otherCall !== undefined;
}

/** Whether the provider has said where the call came from, or nobody can expect that it will in time. */
export function isSilent(hop: HopStanding): boolean {
  if (hop.contradictsItself || answersOtherCall(hop)) return true;
  if (hop.current !== undefined) return ARM_MEANINGS[hop.current.arm].silent;
  return SILENT.includes(hop.state) && hop.notAskable !== 'foreign';
}

const SILENT: readonly HopState[] = ['overdue', 'non-responsive', 'not-askable'];

/** What a provider turned out to be by what it said, or did not say. */
export function roleOf(hop: HopStanding): HopRole {
  if (hop.contradictsItself) return 'ambiguous';
  if (denies(hop) || answersOtherCall(hop)) return 'disputed';
  if (hop.current !== undefined) return ARM_MEANINGS[hop.current.arm].outcome;
  if (hop.state === 'withdrawn') return 'withdrawn';
  if (hop.state === 'non-responsive') return 'non-responsive';
  if (hop.state === 'not-askable') return isForeignEntry(hop) ? 'foreign-provider' : 'not-askable';
  return hop.state === 'planned' && hop.provider === undefined ? 'unlisted-provider' : 'open';
}

/**
 * Whether a provider outside the United States was named by whom it sent the call to, who says thereby that the call entered the country at it. What a
 * foreign provider reports itself says that of another, who has not said it.
 */
export function isForeignEntry({ notAskable, namedBy }: HopStanding): boolean {
  return notAskable === 'foreign' && namedBy !== 'neighbour';
}

/** The request that an answer leads to, as of now. Undefined where it names nobody. */
export function namedRequest(hop: TracedHop, facts: KnownFacts): HopRequest | undefined {
  const { current } = hop;
  if (current === undefined || !names(current)) return undefined;
  const known = facts.namedRequests.get(hop.requestId);
  if (known?.from === hop) return known.request;
  const requests = generations(namedQuestion(hop, current, facts), facts);
  const request = currentRequest(requests, facts);
  facts.namedRequests.set(hop.requestId, { from: hop, request, firstId: requests[0].requestId });
  return request;
}

/** Whether a statement names the provider to ask next. */
function names({ arm, otherCall }: StatementFact): boolean {
  return ARM_MEANINGS[arm].names && otherCall === undefined;
}

/** All questions to which a provider's answers and neighbours have led, those that were amended or chosen away included. */
export function onceAsked(hop: TracedHop, facts: KnownFacts): readonly HopQuestion[] {
  const named = hop.statements.filter(names).flatMap((statement) => {
    const unidentified = namedQuestion(hop, statement, facts, []);
    return identifications(unidentified, facts).length === 0
      ? [unidentified]
      : identifications(unidentified, facts).map((identified) => namedQuestion(hop, statement, facts, [identified]));
  });
  return [...named, ...reportsTo(hop, facts).map((report) => reportedQuestion(hop, report))];
}

/** What is known of the neighbours of a hop: who says that it sent the call to this provider. */
interface Neighbours {
  /** Whose report is followed: the only one that there is, or the one that a person chose. */
  readonly followed?: FactOf<'report'>;
  /** Different providers that report. */
  readonly count: number;
}

/** Who reports to have sent the call to the provider of a hop. */
export function neighboursOf(hop: TracedHop, facts: KnownFacts): Neighbours {
  const reports = reportsTo(hop, facts);
  const different = reports.filter(
    (report, index) => reports.findIndex((other) => isSameProvider(other.provider, report.provider)) === index,
  );
  // A name alone may fit two providers that are not the same: whichever report comes first, a person chooses then.
  const areOne = reports.every((one) => reports.every((other) => isSameProvider(one.provider, other.provider)));
  const count = different.length === 1 && !areOne ? 2 : different.length;
  const chosen = facts.of.choice.get(hop.requestId)?.reportId;
  const followed = reports.find(({ id }) => id === chosen) ?? (count === 1 ? different[0] : undefined);
  return { count, ...(followed !== undefined && { followed }) };
}

/** Reports of others that they sent the call to the provider of a hop; what it reports of itself is none. */
export function reportsTo({ provider }: TracedHop, { reports, state }: KnownFacts): readonly FactOf<'report'>[] {
  if (provider === undefined || state.direction === 'forward') return [];
  return reports.filter(
    (report) => isSameProvider(report.sentTo, provider) && !isSameProvider(report.provider, provider),
  );
}

/** The request that a neighbour's report leads to. */
export function reportedRequest(hop: TracedHop, report: FactOf<'report'>, facts: KnownFacts): HopRequest {
  return hopRequest(reportedQuestion(hop, report), facts);
}

/** A hop to which the traceback leads now. */
export function hopOnPath(request: HopRequest, facts: KnownFacts): TracedHop {
  const known = facts.tracedHops.get(request.requestId);
  // One request can be led to by an answer and by a report.
  if (known !== undefined && known.basedOn === request.basedOn) return known;
  const settled = facts.settledHops.get(request.requestId);
  const hop =
    settled !== undefined && isSameQuestion(settled, request)
      ? settled
      : tracedHop(request, facts, { isOnPath: true, withdrawnAtMs: facts.cancelled?.atMs });
  facts.tracedHops.set(request.requestId, hop);
  return hop;
}

/** Whether two questions with one id came about in the same way; providers of the same facts are the same objects. */
export function isSameQuestion(one: HopRequest, other: HopRequest): boolean {
  return (
    one.basedOn === other.basedOn &&
    one.fromRequestId === other.fromRequestId &&
    one.namedBy === other.namedBy &&
    one.provider === other.provider &&
    one.contact === other.contact &&
    one.downstream === other.downstream
  );
}

function reportedQuestion(hop: TracedHop, { provider, id }: FactOf<'report'>): HopQuestion {
  return {
    hop: hop.hop + 1,
    provider,
    ...(hop.provider !== undefined && { downstream: hop.provider }),
    namedBy: 'neighbour',
    fromRequestId: hop.requestId,
    basedOn: id,
  };
}

/** What an answer leads to ask. `known`: who the one is that no registry has; the latest finding where it is not given. */
function namedQuestion(
  hop: TracedHop,
  { upstream, contact, id }: StatementFact,
  facts: KnownFacts,
  known?: readonly FactOf<'identified'>[],
): HopQuestion {
  const question: Draft<HopQuestion> = {
    hop: hop.hop + 1,
    namedBy: 'answer',
    fromRequestId: hop.requestId,
    basedOn: id,
  };
  if (upstream !== undefined) question.provider = upstream;
  if (contact !== undefined) question.contact = contact;
  if (hop.provider !== undefined) question.downstream = hop.provider;
  if (upstream !== undefined) return question;
  const [identified] = known ?? identifications(question, facts);
  return identified === undefined ? question : { ...question, provider: identified.provider };
}

/** Who an unlisted provider was found to be, the latest finding first. */
function identifications(question: HopQuestion, facts: KnownFacts): readonly FactOf<'identified'>[] {
  if (question.provider !== undefined) return [];
  const ids = new Set(generations(question, facts).map(({ requestId }) => requestId));
  return [...facts.of.identified.values()]
    .filter(({ requestId }) => ids.has(requestId))
    .sort((one, other) => other.atMs - one.atMs || (one.id < other.id ? -1 : 1));
}
