import type {
  FindingArm,
  TracebackAnswer,
  TracebackFinding,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import type { PolicyDecision } from '../policy/traceback-policy.js';
import type { TrunkParty } from '../directory/provider-identity.js';

/** A request as it stands, with everything that a person decides about. */
export interface ReviewSubject {
  readonly request: TracebackRequest;
  readonly state: string;
  /** Milliseconds since the epoch. */
  readonly dueAtMs: number;
  readonly outcome?: MatchOutcome;
  readonly decision?: PolicyDecision;
  /** Sources that had to be complete, beside those whose coverage the outcome names. */
  readonly sources?: readonly string[];
  /** What was answered, first revision first. */
  readonly answers: readonly {
    readonly answer: TracebackAnswer;
    /** How far it has come. */
    readonly delivery: string;
    /** Why the platform will not have it, or what is wrong with its receipt. */
    readonly detail?: string;
  }[];
}

/**
 * By what a call is named: the id of the record by which it came in. The group is no name: a call that crosses the carrier twice is two
 * calls of one group, each from another upstream.
 */
export function candidateId({ ingressLeg }: MatchCandidate): string {
  return ingressLeg.recordId;
}

/** The calls of an outcome that may be meant, best first. */
export function candidatesOf(outcome: MatchOutcome | undefined): readonly MatchCandidate[] {
  if (outcome?.status === 'unique') return [outcome.candidate, ...outcome.others];
  return outcome?.status === 'several' ? outcome.candidates : [];
}

/** Those of them that nothing which was stated speaks against, as far as their records say. */
export function fittingOf(outcome: MatchOutcome | undefined): readonly MatchCandidate[] {
  return candidatesOf(outcome).filter(({ reasons }) => reasons.every(({ verdict }) => verdict !== 'contradicts'));
}

/**
 * Everything that a person needs to decide about one request: plain JSON, the same for the command line, the page and the portal. Texts are
 * as peers wrote them: whoever shows them escapes them.
 */
export interface ReviewView {
  readonly format: 'hopback.review.1';
  readonly requestId: string;
  readonly tracebackId: string;
  readonly state: string;
  readonly queue?: string;
  /** Where the clock stands. `text` says the same as the state, so that nobody has to tell colours apart. */
  readonly deadline: {
    /** RFC 3339 in UTC. */
    readonly dueAt: string;
    /** Negative where it is over. */
    readonly remainingSeconds: number;
    readonly state: 'open' | 'close' | 'overdue' | 'done';
    readonly text: string;
  };
  /** Lines about the request, ready to be shown. */
  readonly request: readonly { readonly label: string; readonly value: string }[];
  /** Why a person is asked, weightiest first. */
  readonly reasons: readonly string[];
  /** Calls that may be meant, as a person looks at them. */
  readonly candidates: readonly {
    /** `recordId` of the record by which the call came in: by which a decision names it. */
    readonly candidate: string;
    /** From 1, best first. */
    readonly rank: number;
    /** 0 to 100. */
    readonly scorePercent: number;
    /** RFC 3339 in UTC. */
    readonly startedAt: string;
    /** Who sent it, in words. */
    readonly upstream: string;
    /** To whom it was sent, held against whoever named us, in words. */
    readonly downstream: string;
    readonly facts: ReviewView['request'];
    /** What would be answered were it this one; absent where nobody knows who sent it. */
    readonly finding?: TracebackFinding;
    /** What speaks against naming who sent it. */
    readonly warnings: ReviewView['warnings'];
    readonly legs: number;
  }[];
  /** Calls that were found, those that are not among the candidates included. */
  readonly callsFound: number;
  /** The candidates side by side, a row for each field that was compared. */
  readonly comparison: readonly {
    readonly field: string;
    readonly stated: string;
    /** One for each candidate, in their order. */
    readonly recorded: readonly {
      readonly text: string;
      readonly verdict: MatchCandidate['reasons'][number]['verdict'];
    }[];
  }[];
  /** What was looked through, in words. */
  readonly searched: ReviewView['request'];
  /** What the policy would answer. */
  readonly proposed?: {
    readonly finding: TracebackFinding;
    readonly text: string;
    readonly candidate?: string;
  };
  /** What was answered, last revision first. */
  readonly given: readonly {
    readonly answerId: string;
    readonly revision: number;
    readonly answeredAt: string;
    readonly by: string;
    readonly text: string;
    readonly delivery: string;
    /** Why the platform will not have it, or what is wrong with its receipt. */
    readonly detail?: string;
  }[];
  /** What a person has to have seen before the answer is given against it. */
  readonly warnings: readonly {
    /** By which a decision says that it was seen. */
    readonly name: string;
    readonly text: string;
    /** Whether an answer may be given in spite of it. */
    readonly isFinal: boolean;
  }[];
  /** What can be done about the request: the arms that may be given, and what each needs. */
  readonly actions: readonly {
    readonly action: 'answer' | 'amend';
    readonly arms: readonly {
      readonly arm: FindingArm;
      /** Whether one of the candidates has to be chosen. */
      readonly needsCandidate: boolean;
      /** Members of the decision that have to be there where the directory does not say. */
      readonly needs: readonly ('provider' | 'contact' | 'customer' | 'reason')[];
      /** Warnings that have to be confirmed whatever call is chosen; those of a call are with it. */
      readonly warnings: ReviewView['warnings'];
    }[];
  }[];
  /** Whether telephone numbers are masked. */
  readonly isMasked: boolean;
}

export type ViewWarning = ReviewView['warnings'][number];

/**
 * What an answer says, in one line. Never throws.
 * @param finding - any arm
 * @returns a text for people; names in it are as they were written: whoever shows them escapes them
 * @see {@link TracebackFinding}
 */
export function findingText(finding: TracebackFinding): string {
  const texts: {
    readonly [Arm in TracebackFinding['arm']]: (one: TracebackFinding & { readonly arm: Arm }) => string;
  } = {
    'received-from': ({ upstream }) => `received from ${upstream.name}${codes(upstream.ocn)}`,
    'received-from-unlisted': ({ upstream }) => `received from ${upstream.name}, which no registry lists`,
    origin: ({ customer }) =>
      `we are the origin${customer.customerId === undefined ? '' : `, customer ${customer.customerId}`}`,
    'point-of-entry': ({ upstream }) => `we are the point of entry; received from ${upstream.name}, abroad`,
    'not-found': () => 'not found',
    'not-retained': ({ retainedFrom }) => `not retained: records begin at ${retainedFrom}`,
    'not-our-number': () => 'not our number',
    'not-sent-to-downstream': ({ downstream }) => `there is such a call, and it was not sent to ${downstream.name}`,
    ambiguous: ({ candidates }) => `ambiguous: ${String(candidates)} calls fit`,
    'serves-number': ({ customer }) =>
      `the number is served here${customer.customerId === undefined ? '' : `, customer ${customer.customerId}`}`,
    'number-served-by': ({ provider }) => `the number is served by ${provider.name}${codes(provider.ocn)}`,
    refused: ({ reason }) => `refused: ${reason}`,
  };
  const text = texts[finding.arm] as (one: TracebackFinding) => string;
  return text(finding);
}

/** Who is at the other end of a trunk, in words. */
export function partyText(party: TrunkParty | undefined): string {
  if (party === undefined) return 'not known';
  if (party.kind === 'provider') return `${party.provider.name}${codes(party.provider.ocn)}`;
  if (party.kind === 'customer') return `customer ${party.customerId ?? 'without a name'}`;
  const { name, country } = party.contact;
  return party.kind === 'foreign-provider'
    ? `${name}, abroad${country === undefined ? '' : ` (${country})`}`
    : `${name}, unlisted`;
}

function codes(ocn: string | undefined): string {
  return ocn === undefined ? '' : ` (OCN ${ocn})`;
}

/** `3 h 20 min`; of less than a minute `59 s`. Never throws. */
export function spanText(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${String(seconds)} s`;
  if (minutes < 60) return `${String(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${String(hours)} h ${String(minutes % 60)} min`;
  return `${String(Math.floor(hours / 24))} d ${String(hours % 24)} h`;
}
