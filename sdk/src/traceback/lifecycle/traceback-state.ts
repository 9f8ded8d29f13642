import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import type { CustomerAction, FindingArm } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { CallDifference } from '../asked-call.js';
import type { LifecycleRules } from './lifecycle-rules.js';
import type { DisputeRuling, NotAskableReason } from './traceback-event.js';

/** What every fact has. */
export interface IdentifiedFact<Kind extends string> {
  readonly kind: Kind;
  /** Of the request, answer, report or effect: there is one fact of a kind with an id. */
  readonly id: string;
  /** Whole milliseconds since the epoch. */
  readonly atMs: number;
}

/** A request went out. */
export interface SentFact extends IdentifiedFact<'sent'> {
  readonly zone: string;
  readonly receivedAtMs: number;
  readonly dueAtMs: number;
}

/** What a provider stated in an answer, as far as the course of a traceback depends on it: the customer's details stay in the answer. */
export interface StatementFact extends IdentifiedFact<'statement'> {
  readonly requestId: string;
  readonly revision: number;
  readonly provider: ProviderReference;
  readonly arm: FindingArm;
  /** How the call that the answer discloses contradicts the one that was asked about: then whom the answer names is not here. */
  readonly otherCall?: readonly CallDifference[];
  /** The provider that is named, if one is. */
  readonly upstream?: ProviderReference;
  /** The same where no registry lists it, or it is a foreign one. */
  readonly contact?: ContactDetails;
  /** Whether it was said who called, or who is served. */
  readonly callerIdentified?: boolean;
  readonly callerAction?: CustomerAction;
  readonly upstreamAction?: CustomerAction;
  /** Why it was refused. */
  readonly reason?: string;
  /** Why it was amended. */
  readonly amendedBecause?: string;
}

/** A provider says that it sent the call to another. */
export interface ReportFact extends IdentifiedFact<'report'> {
  readonly provider: ProviderReference;
  readonly sentTo: ProviderReference;
}

/** What is known of a traceback: what happened, each thing once. */
export type TracebackFact =
  | SentFact
  | IdentifiedFact<'acknowledged'>
  | (IdentifiedFact<'not-askable'> & { readonly reason: NotAskableReason })
  | StatementFact
  | (IdentifiedFact<'identified'> & { readonly requestId: string; readonly provider: ProviderReference })
  | ReportFact
  | (IdentifiedFact<'choice'> & { readonly reportId: string; readonly by: string })
  | (IdentifiedFact<'ruling'> & { readonly ruling: DisputeRuling; readonly by: string; readonly reason: string })
  | (IdentifiedFact<'accepted'> & { readonly by: string })
  | (IdentifiedFact<'forward'> & { readonly number: string; readonly by: string })
  | (IdentifiedFact<'cancelled'> & { readonly by: string; readonly reason: string })
  | (IdentifiedFact<'done'> & { readonly reference?: string });

/** Name of a kind of fact. */
export type FactKind = TracebackFact['kind'];

/** The fact of a kind. */
export type FactOf<Kind extends FactKind> = Extract<TracebackFact, { readonly kind: Kind }>;

/**
 * A traceback, as it is stored: plain JSON. It is the set of what happened, in one order, and nothing that follows from it; so it is the same whatever
 * came first, and how a traceback is judged can be improved without touching what is stored. {@link viewTraceback} says what it means.
 */
export interface TracebackState {
  readonly format: 'hopback.traceback-state.1';
  readonly tracebackId: string;
  readonly direction: TracebackRequest['direction'];
  readonly startedAtMs: number;
  /** The provider that is asked first: the one that delivered the call, or that may serve the number. */
  readonly first: ProviderReference;
  readonly rules: LifecycleRules;
  /** Of a record of the call that the first provider shared itself. */
  readonly sharedRecordId?: string;
  /** The latest that `time-passed` told; facts have times of their own, and what is due is due by the latest of all. */
  readonly nowMs: number;
  /** By kind and id. At most {@link MAX_FACTS}. */
  readonly facts: readonly TracebackFact[];
}

/** Seventy hops with two dozen facts each, and to spare; what has more is not a traceback. */
export const MAX_FACTS = 2_000;
/** Characters of the id of a traceback: those of its requests are twenty longer, and fit where names on the wire fit. */
export const MAX_TRACEBACK_ID = 200;
/** Of answers to one request: whoever amends oftener is asked by a person. */
export const MAX_STATEMENTS = 64;

/** The facts of one kind. */
export function factsOf<Kind extends FactKind>(state: TracebackState, kind: Kind): readonly FactOf<Kind>[] {
  return state.facts.filter((fact): fact is FactOf<Kind> => fact.kind === kind);
}
