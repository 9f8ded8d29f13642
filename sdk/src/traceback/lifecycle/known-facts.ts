import type { HopRequest } from './hop-request.js';
import { ARM_MEANINGS } from './statement.js';
import type { TracedHop } from './traced-hop.js';
import type { FactOf, ReportFact, StatementFact, TracebackState } from './traceback-state.js';

/** The facts of a state, where they are looked for. */
export interface KnownFacts {
  readonly state: TracebackState;
  /** The latest time that was heard of. */
  readonly nowMs: number;
  readonly sent: ReadonlyMap<string, FactOf<'sent'>>;
  readonly acknowledged: ReadonlyMap<string, FactOf<'acknowledged'>>;
  readonly notAskable: ReadonlyMap<string, FactOf<'not-askable'>>;
  readonly identified: readonly FactOf<'identified'>[];
  readonly choices: ReadonlyMap<string, FactOf<'choice'>>;
  readonly rulings: ReadonlyMap<string, FactOf<'ruling'>>;
  readonly accepted: ReadonlyMap<string, FactOf<'accepted'>>;
  readonly done: ReadonlyMap<string, FactOf<'done'>>;
  /** By request, the first revision first. */
  readonly statements: ReadonlyMap<string, readonly StatementFact[]>;
  readonly reports: readonly ReportFact[];
  readonly forwards: readonly FactOf<'forward'>[];
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
  const sent = new Map<string, FactOf<'sent'>>();
  const acknowledged = new Map<string, FactOf<'acknowledged'>>();
  const notAskable = new Map<string, FactOf<'not-askable'>>();
  const identified: FactOf<'identified'>[] = [];
  const choices = new Map<string, FactOf<'choice'>>();
  const rulings = new Map<string, FactOf<'ruling'>>();
  const accepted = new Map<string, FactOf<'accepted'>>();
  const done = new Map<string, FactOf<'done'>>();
  const statements = new Map<string, StatementFact[]>();
  const reports: ReportFact[] = [];
  const forwards: FactOf<'forward'>[] = [];
  let cancelled: FactOf<'cancelled'> | undefined;
  let isDenied = false;
  let { nowMs } = state;
  for (const fact of state.facts) {
    nowMs = Math.max(nowMs, fact.atMs);
    if (fact.kind === 'sent') sent.set(fact.id, fact);
    else if (fact.kind === 'acknowledged') acknowledged.set(fact.id, fact);
    else if (fact.kind === 'not-askable') notAskable.set(fact.id, fact);
    else if (fact.kind === 'identified') identified.push(fact);
    else if (fact.kind === 'choice') choices.set(fact.id, fact);
    else if (fact.kind === 'ruling') rulings.set(fact.id, fact);
    else if (fact.kind === 'accepted') accepted.set(fact.id, fact);
    else if (fact.kind === 'done') done.set(fact.id, fact);
    else if (fact.kind === 'report') reports.push(fact);
    else if (fact.kind === 'forward') forwards.push(fact);
    else if (fact.kind === 'cancelled') cancelled = fact;
    else {
      isDenied ||= ARM_MEANINGS[fact.arm].denies || fact.otherCall !== undefined;
      const ofRequest = statements.get(fact.requestId);
      if (ofRequest === undefined) statements.set(fact.requestId, [fact]);
      else ofRequest.push(fact);
    }
  }
  for (const ofRequest of statements.values()) {
    ofRequest.sort((one, other) => one.revision - other.revision || (one.id < other.id ? -1 : 1));
  }
  return {
    state,
    nowMs,
    sent,
    acknowledged,
    notAskable,
    identified,
    choices,
    rulings,
    accepted,
    done,
    statements,
    reports,
    forwards,
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
export function isHeardOf(requestId: string, { sent, acknowledged, statements, notAskable }: KnownFacts): boolean {
  return sent.has(requestId) || acknowledged.has(requestId) || statements.has(requestId) || notAskable.has(requestId);
}
