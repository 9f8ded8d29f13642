import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import type {
  CustomerAction,
  FindingArm,
  RequestedCall,
  TracebackAnswer,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import type { CallDifference } from '../asked-call.js';
import { deadlinePolicy } from '../deadline/deadline-policy.js';
import type { DeadlinePolicy } from '../deadline/deadline-policy.js';

/** How a traceback is conducted. Part of its state, so that a change of the rules changes no traceback that runs. */
export interface LifecycleRules {
  /** By which the deadline of each provider is computed. */
  readonly deadline: DeadlinePolicy;
  /** How long before it is due a request is reminded of, milliseconds, at most 24; default four hours and one hour. */
  readonly remindBeforeDueMs: readonly number[];
  /**
   * How long after the deadline a provider counts as non-responsive, milliseconds. Default 24 hours: a second deadline's worth, as a late answer
   * is worth more than a mark, and the search for neighbours begins with the deadline anyway.
   */
  readonly nonResponsiveAfterDueMs: number;
  /**
   * How long a traceback that got no further waits for a correction, a neighbour or a person before it is closed as it is, milliseconds.
   * Default 14 days, after which the calls are of a campaign gone by.
   */
  readonly closeStalledAfterMs: number;
  /** How many hops are followed, 1 to 70. Default 32: published chains have 5 hops on average, and none comes near. */
  readonly maxHops: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Beyond the 70 that Max-Forwards of SIP allows a call (RFC 3261 section 8.1.1.6) somebody leads the traceback round in circles. */
export const MAX_HOPS = 70;
/** More than one for each hour of a deadline reminds nobody. */
export const MAX_REMINDERS = 24;
/** A year: who sets more has used another unit. */
const MAX_WAIT_MS = 366 * DAY_MS;

/**
 * Makes the rules by which a traceback is conducted, and checks them.
 * @param partial - what differs from the defaults, which {@link LifecycleRules} gives with their reasons
 * @returns all rules
 * @throws {@link HopbackError} `invalid-configuration` for a value out of its bounds
 * @see 47 CFR 64.1200(n)(1)
 */
export function lifecycleRules(partial: Partial<LifecycleRules> = {}): LifecycleRules {
  const rules: LifecycleRules = {
    deadline: partial.deadline ?? deadlinePolicy(),
    remindBeforeDueMs: [...(partial.remindBeforeDueMs ?? [4 * HOUR_MS, HOUR_MS])].sort((one, other) => other - one),
    nonResponsiveAfterDueMs: partial.nonResponsiveAfterDueMs ?? DAY_MS,
    closeStalledAfterMs: partial.closeStalledAfterMs ?? 14 * DAY_MS,
    maxHops: partial.maxHops ?? 32,
  };
  check('maxHops', rules.maxHops, { from: 1, to: MAX_HOPS });
  check('nonResponsiveAfterDueMs', rules.nonResponsiveAfterDueMs, { from: 0, to: MAX_WAIT_MS });
  check('closeStalledAfterMs', rules.closeStalledAfterMs, { from: 0, to: MAX_WAIT_MS });
  check('number of remindBeforeDueMs', rules.remindBeforeDueMs.length, { from: 0, to: MAX_REMINDERS });
  for (const beforeMs of rules.remindBeforeDueMs) check('remindBeforeDueMs', beforeMs, { from: 1, to: MAX_WAIT_MS });
  return rules;
}

function check(name: string, value: number, { from, to }: { readonly from: number; readonly to: number }): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  const text = `${name} of the lifecycle rules is a whole number, ${from} to ${to}.`;
  throw new HopbackError('invalid-configuration', text, { details: { name, value: String(value) } });
}

/** Why a provider cannot be asked. */
type NotAskableReason =
  /** It lies outside the United States: whoever took the call from it is the point of entry. */
  | 'foreign'
  /** No registry has it. */
  | 'not-listed'
  /** It is listed, and nobody can be reached. */
  | 'no-contact'
  /** It was removed from the Robocall Mitigation Database. */
  | 'removed';

/** How a person decides a dispute: whose statement stands. Only recorded; it makes nobody the origin of a call. */
export type DisputeRuling = 'downstream-stands' | 'upstream-stands' | 'undecided';

/**
 * What can happen to a traceback. All of them may come twice, late and in any order.
 * `requestId` is the one of the `ask-provider` effect, and so the id of the request on the wire; `atMs` when it happened, whole milliseconds since
 * the epoch, and not when it was heard of.
 */
export type TracebackEvent = { readonly tracebackId: string; readonly atMs: number } &
  /** Nothing but time: brings reminders, deadlines and closings. */
  (
    | { readonly type: 'time-passed' }
    /** The request went out. Its clock runs by the local time of the provider's office. */
    | {
        readonly requestId: string;
        readonly type: 'request-sent';
        /** IANA name of the office's zone. */
        readonly zone: string;
        /** When it was received, where that is known to be another time. */
        readonly receivedAtMs?: number;
        /** An earlier deadline that the request states. */
        readonly statedDueAtMs?: number;
      }
    /** Whoever was to be asked cannot be. */
    | {
        readonly requestId: string;
        readonly type: 'provider-not-askable';
        readonly reason: NotAskableReason;
      }
    | { readonly requestId: string; readonly type: 'request-acknowledged' }
    /** An answer, authenticated as that of its provider. `atMs` is when it came. */
    | {
        readonly type: 'answer-received';
        readonly answer: TracebackAnswer;
        /**
         * The call that the request was about. If the answer discloses another call, it is disputed, and nobody that it names is asked. Without
         * it the disclosed call is not checked. The state keeps neither call.
         */
        readonly asked?: RequestedCall;
      }
    /** A person found out which listed provider somebody meant by a name that no registry had. */
    | {
        readonly requestId: string;
        readonly type: 'provider-identified';
        readonly provider: ProviderReference;
      }
    /** A provider states, unasked, that it sent the call to another: so a silent one is passed over. */
    | {
        readonly type: 'neighbour-reported';
        readonly reportId: string;
        readonly provider: ProviderReference;
        readonly sentTo: ProviderReference;
      }
    /** Several providers state that they sent the call: a person says which report is followed. */
    | {
        readonly requestId: string;
        readonly type: 'neighbour-chosen';
        readonly reportId: string;
        readonly by: string;
      }
    | {
        readonly type: 'dispute-decided';
        readonly disputeId: string;
        readonly ruling: DisputeRuling;
        readonly by: string;
        readonly reason: string;
      }
    /** A person takes an outcome for good that is none, such as a provider that does not answer. */
    | {
        readonly type: 'outcome-accepted';
        readonly outcomeKey: string;
        readonly by: string;
      }
    /** A call-back number was stated in the call: who serves it is to be found out, in a traceback of its own. */
    | {
        readonly type: 'trace-forward-asked';
        readonly forwardId: string;
        /** To be followed, canonical. */
        readonly number: string;
        readonly by: string;
      }
    | {
        readonly type: 'cancelled';
        readonly by: string;
        readonly reason: string;
      }
    /** An effect was carried out. Of those that have an event of their own, such as `request-sent`, nothing else is expected. */
    | {
        readonly type: 'effect-done';
        readonly effectId: string;
        /** What came of it: the id of the traceback that was opened, of the notification. */
        readonly reference?: string;
      }
  );

/** What every fact has. */
interface IdentifiedFact<Kind extends string> {
  readonly kind: Kind;
  /** Of the request, answer, report or effect: there is one fact of a kind with an id. */
  readonly id: string;
  /** Whole milliseconds since the epoch. */
  readonly atMs: number;
}

/** A request went out. */
interface SentFact extends IdentifiedFact<'sent'> {
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

/** What is known of a traceback: what happened, each thing once. */
export type TracebackFact =
  | SentFact
  | IdentifiedFact<'acknowledged'>
  | (IdentifiedFact<'not-askable'> & { readonly reason: NotAskableReason })
  | StatementFact
  | (IdentifiedFact<'identified'> & { readonly requestId: string; readonly provider: ProviderReference })
  /** A provider says that it sent the call to another. */
  | (IdentifiedFact<'report'> & { readonly provider: ProviderReference; readonly sentTo: ProviderReference })
  | (IdentifiedFact<'choice'> & { readonly reportId: string; readonly by: string })
  | (IdentifiedFact<'ruling'> & {
      readonly ruling: DisputeRuling;
      readonly by: string;
      readonly reason: string;
    })
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
 * came first, and how a traceback is judged can be improved without touching what is stored. `viewTraceback` says what it means.
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
  /** By kind and id. At most 2,000. */
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

/** What becomes of a state when something is heard of. */
type FactsStep =
  | { readonly status: 'added'; readonly state: TracebackState }
  /** It is known already, or what is known stands before it. */
  | { readonly status: 'known' }
  | { readonly status: 'refused'; readonly reason: 'conflicting-repeat' | 'too-many-facts' };

/**
 * Which of two facts with the same id stands. `content`: they have to say the same, since the id is that of something signed or stored; the
 * earlier time stands, so that a repeat changes nothing.
 */
const STANDING: Readonly<Record<FactKind, 'earliest' | 'latest' | 'content'>> = {
  sent: 'earliest',
  acknowledged: 'earliest',
  'not-askable': 'earliest',
  statement: 'content',
  identified: 'latest',
  report: 'content',
  choice: 'latest',
  ruling: 'latest',
  accepted: 'earliest',
  forward: 'content',
  cancelled: 'earliest',
  done: 'earliest',
};

/** Every kind of fact. */
export const FACT_KINDS = Object.keys(STANDING) as readonly FactKind[];

/** Adds a fact to a state. The order in which facts come makes no difference to what is there in the end. */
export function withFact(state: TracebackState, fact: TracebackFact): FactsStep {
  const index = state.facts.findIndex(({ kind, id }) => kind === fact.kind && id === fact.id);
  const known = state.facts[index];
  if (known === undefined) {
    if (state.facts.length >= MAX_FACTS) return { status: 'refused', reason: 'too-many-facts' };
    return { status: 'added', state: { ...state, facts: [...state.facts, fact].sort(byKindAndId) } };
  }
  const standing = STANDING[fact.kind];
  if (standing === 'content' && contentOf(known) !== contentOf(fact)) {
    return { status: 'refused', reason: 'conflicting-repeat' };
  }
  if (!replaces(fact, known, standing)) return { status: 'known' };
  return { status: 'added', state: { ...state, facts: state.facts.with(index, fact) } };
}

/** Takes note that nothing but time has passed. */
export function timePassed(state: TracebackState, atMs: number): FactsStep {
  return atMs > state.nowMs ? { status: 'added', state: { ...state, nowMs: atMs } } : { status: 'known' };
}

/** Two that happened at the same time are told apart by what they say, so that the order in which they come does not matter either. */
function replaces(fact: TracebackFact, known: TracebackFact, standing: 'earliest' | 'latest' | 'content'): boolean {
  if (fact.atMs !== known.atMs) return standing === 'latest' ? fact.atMs > known.atMs : fact.atMs < known.atMs;
  return JSON.stringify(fact) < JSON.stringify(known);
}

function contentOf(fact: TracebackFact): string {
  return JSON.stringify({ ...fact, atMs: 0 });
}

function byKindAndId(one: TracebackFact, other: TracebackFact): number {
  return compare(one.kind, other.kind) || compare(one.id, other.id);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
