import type { ContactDetails } from '../../core/traceback-request.js';
import type { CustomerAction, FindingArm } from '../../core/traceback-request.js';
import type { RequesterKind } from '../../core/traceback-request.js';

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
