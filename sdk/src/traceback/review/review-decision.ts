import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import type { CustomerAction, CustomerStatement, FindingArm } from '../../core/traceback-request.js';

/** What a person has decided about a request: the one thing that the command line, the page and the portal hand in. */
export interface ReviewDecision {
  readonly format: 'hopback.review-decision.1';
  /** Given once: the same decision handed in twice is one. */
  readonly decisionId: string;
  readonly requestId: string;
  /** Who decides: stands in the answer. 1 to 128 characters. */
  readonly by: string;
  /** RFC 3339 in UTC. */
  readonly decidedAt: string;
  readonly arm: FindingArm;
  /** `recordId` of the record by which the call that is meant came in, where there is one: `candidate` of the view. */
  readonly candidate?: string;
  /** For `received-from` and `number-served-by`, where the directory does not say or is wrong. */
  readonly provider?: ProviderReference;
  /** For `received-from-unlisted` and `point-of-entry`. */
  readonly contact?: ContactDetails;
  /** For `origin` and `serves-number`. */
  readonly customer?: CustomerStatement;
  readonly upstreamAction?: CustomerAction;
  /** For `refused`. */
  readonly reason?: string;
  readonly comment?: string;
  /** Why an answer that was given is changed; only then is a second one taken. */
  readonly amendReason?: string;
  /** Warnings of the view that the person has seen and decides against, by name. */
  readonly despite?: readonly string[];
}
