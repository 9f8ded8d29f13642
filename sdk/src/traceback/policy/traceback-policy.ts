import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import type {
  AnsweredCall,
  CustomerAction,
  FindingArm,
  RequesterKind,
  SearchStatement,
  TracebackFinding,
  TracebackRequest,
} from '../../contract/traceback-exchange.js';
import type { ExplainingTrunkDirectory } from '../directory/trunk-directory.js';
import type { MatchOutcome } from '../match-outcome.js';
import type { TrunkDirectory } from '../trunk-directory.js';

/** Arms that a policy may give without a person. A refusal and "ambiguous" never are: a person is answerable for them. */
export type AutomaticArm = Exclude<
  FindingArm,
  'refused' | 'ambiguous' | 'not-our-number' | 'serves-number' | 'number-served-by'
>;

/** What may be answered without a person. Everything in it makes less automatic than the rules that no policy changes. */
export interface AutomaticPolicy {
  /** Arms; none: nothing is answered without a person. */
  readonly arms: readonly AutomaticArm[];
  readonly requesters: readonly RequesterKind[];
  /** Least score of the match, 0 to 1. */
  readonly leastScore: number;
  /** By how much the best other call of the window has to score less, 0 to 1. */
  readonly leastLead: number;
  /** How far recorded and stated time may be apart beyond what was stated, seconds, 0 to 3,600. */
  readonly mostTimeOffsetSeconds: number;
  /** Coarsest step of the times of the source, seconds, 1 to 3,600. */
  readonly mostTimeStepSeconds: number;
  /** Whether a time that was stated without a zone goes to a person. */
  readonly zoneRequired: boolean;
  /** For how long around the call, as far as it was searched, every source has to be complete, seconds to each side, 0 to 86,400. */
  readonly completeAroundSeconds: number;
  /** For how long "not found" has to have been searched, seconds in all, 0 to 604,800. */
  readonly leastSearchedSeconds: number;
  /** Whether a request with a comment for people goes to a person. */
  readonly commentsToPerson: boolean;
  /** Whether "not found" at the first hop goes to a person, who can say whose number it is. */
  readonly firstHopNotFoundToPerson: boolean;
  /** Whether "not found" goes to a person where the call was looked for by the number called alone: it may be on record under another. */
  readonly notFoundWithoutCallerToPerson: boolean;
}

/** Why a request goes to a person: each with a queue of its own where the policy names one. */
export type ReviewTopic =
  /** Which call is meant, or whom it came from. */
  | 'match'
  /** A trunk that the directory does not know, contradicts itself about, or that changed hands. */
  | 'directory'
  /** Records are missing, or their time cannot be relied on. */
  | 'records'
  /** Law enforcement, a legal hold, a dispute with whoever named us. */
  | 'legal'
  /** What is said about a customer. */
  | 'customer'
  /** Everything else that the policy keeps for a person. */
  | 'policy';

/** What is said about a customer whose call began here. */
export interface CustomerPolicy {
  /** How much is said: nothing but that there is one; the provider's own name for it; name and address of the customer. */
  readonly details: 'none' | 'identifier' | 'contact';
  /** Customers by the carrier's name for them. */
  readonly statements: Readonly<Record<string, CustomerEntry>>;
  /** What the provider does to know its customers, where no statement says otherwise. */
  readonly knowYourCustomer?: string;
  /** Whether "we are the origin" needs the basis on which the customer is known. */
  readonly basisRequired: boolean;
}

/** What is on file of one customer. */
export interface CustomerEntry {
  readonly contact?: ContactDetails;
  readonly knowYourCustomer?: string;
  readonly action?: CustomerAction;
}

/** Which members of the record an answer carries. */
export interface AnswerDetailPolicy {
  readonly numbers: boolean;
  readonly trunks: boolean;
  readonly addresses: boolean;
  readonly callIds: boolean;
}

/** What is answered without a person, what goes to whom, and what is said: as data. */
export interface TracebackPolicyData {
  /** Name and version, 1 to 128 characters: stands in every answer that no person gave. */
  readonly policyId: string;
  readonly automatic: AutomaticPolicy;
  /** Queue by topic, 1 to 64 characters each. */
  readonly queues: Readonly<Record<ReviewTopic, string>>;
  readonly customers: CustomerPolicy;
  readonly answer: AnswerDetailPolicy;
}

/** The policy that holds where none is given: few arms, one requester, and a person for the rest. */
export const DEFAULT_TRACEBACK_POLICY: TracebackPolicyData = Object.freeze({
  policyId: 'hopback-traceback-1',
  automatic: Object.freeze({
    // A listed provider by a trunk that is known, and what the store itself can vouch for. What says something of a customer, makes us the
    // point of entry, disputes what another provider said, or names somebody whom no registry lists is signed by a person who has seen it.
    arms: Object.freeze(['received-from', 'not-found', 'not-retained'] as const),
    // The registered consortium asks most, and in one form. What others ask is due in the same 24 hours; whether legal process has to come first
    // (18 USC 2702 and 2703) is for a person to say.
    requesters: Object.freeze(['itg'] as const),
    // The number called, the time and the provider it was sent to, each as it was stated: less than that and one of them was not there to be
    // compared, or an identifier has to stand for it.
    leastScore: 0.7,
    // A second call that is nearly as good is what makes a wrong upstream.
    leastLead: 0.2,
    // Clocks of switches agree to a second, those of telephones and apps to a minute or two.
    mostTimeOffsetSeconds: 120,
    // Times written by the minute still tell calls apart; those by the hour do not.
    mostTimeStepSeconds: 60,
    // Without a zone the time means another call in each of them.
    zoneRequired: true,
    // Another call that fits as well may be in what is missing: past a quarter of an hour it would no longer fit.
    completeAroundSeconds: 900,
    // An hour to each side, as a first search is made.
    leastSearchedSeconds: 7_200,
    // Somebody wrote it to be read.
    commentsToPerson: true,
    // At the first hop it means as a rule that the number is not ours, which the records do not show.
    firstHopNotFoundToPerson: true,
    // Numbers are rewritten and ported on the way; then only the caller leads to the call.
    notFoundWithoutCallerToPerson: true,
  }),
  queues: Object.freeze({
    match: 'traceback',
    directory: 'traceback',
    records: 'traceback',
    legal: 'legal',
    customer: 'traceback',
    policy: 'traceback',
  }),
  customers: Object.freeze({
    // The carrier's own name for it says which customer, and nothing about it to anybody else.
    details: 'identifier',
    statements: Object.freeze({}),
    // A good answer says how the customer is known, and the requester asks for it where it does not.
    basisRequired: true,
  }),
  // All of it is what a good answer says; 47 USC 222(d)(2) permits it towards the traceback group.
  answer: Object.freeze({ numbers: true, trunks: true, addresses: true, callIds: true }),
});

/** A directory, which may say why as well. */
export type PolicyDirectory = TrunkDirectory & Partial<Pick<ExplainingTrunkDirectory, 'lookUp' | 'directoryId'>>;

/** Whether records of the call are under a legal hold; `unknown` where the store could not be asked. */
export type HoldState = 'none' | 'held' | 'unknown';

/** Everything that a decision rests on. */
export interface PolicyInput {
  readonly request: TracebackRequest;
  /** Absent where nothing was looked for, as for a trace forward. */
  readonly outcome?: MatchOutcome;
  /** Who answers. */
  readonly provider: ProviderReference;
  readonly policy: TracebackPolicyData;
  readonly directory: PolicyDirectory;
  readonly hold: HoldState;
  /** Sources that have to be complete, beside those whose coverage the outcome names: `scope().sources` of the store. */
  readonly sources: readonly string[];
  /** Microseconds since the epoch. */
  readonly nowUs: number;
}

/** An answer but for who gives it, when, and under which ids. */
export interface AnswerDraft {
  readonly finding: TracebackFinding;
  readonly call?: AnsweredCall;
  readonly upstreamAction?: CustomerAction;
  readonly searched: SearchStatement;
  readonly comment?: string;
}

/** One rule as it was applied: what it looked at, and what came of it. */
export interface RuleResult {
  /** Name of the rule. */
  readonly rule: string;
  /** `passed`: nothing against an answer without a person; `review`: a person decides; `not-applicable`: says nothing of this request. */
  readonly result: 'passed' | 'review' | 'not-applicable';
  /** Whether a policy can change it. */
  readonly isFixed: boolean;
  /** What was compared. Free of telephone numbers. */
  readonly inputs: Readonly<Record<string, string | number | boolean>>;
  /** In words. */
  readonly text: string;
}

/** How a decision came about: goes into the evidence. */
export interface PolicyTrace {
  readonly policyId: string;
  readonly directoryId?: string;
  /** In the order in which they were applied; all of them always are. */
  readonly rules: readonly RuleResult[];
}

/** Why a person is asked. */
export interface ReviewReason {
  readonly rule: string;
  readonly topic: ReviewTopic;
  readonly text: string;
}

/** What is to become of a request. */
export type PolicyDecision =
  | { readonly kind: 'automatic'; readonly draft: AnswerDraft; readonly trace: PolicyTrace }
  | {
      readonly kind: 'review';
      /** Of the weightiest reason. */
      readonly queue: string;
      /** Weightiest first; at least one. */
      readonly reasons: readonly ReviewReason[];
      /** What would be answered, where something would: for the person to look at. */
      readonly proposal?: AnswerDraft;
      readonly trace: PolicyTrace;
    };
