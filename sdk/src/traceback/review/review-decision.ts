import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import type { ContactDetails, ProviderReference } from '../../contract/common.js';
import { FINDING_ARMS } from '../../contract/traceback-exchange.js';
import type { CustomerAction, CustomerStatement, FindingArm } from '../../contract/traceback-exchange.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { contactDetailsSchema, providerReferenceSchema } from '../directory/read-trunk-directory.js';

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

const id = z.string().min(1).max(128);
const words = z.string().min(1).max(4_000);
const action = z.enum(['none', 'under-review', 'warned', 'suspended', 'terminated']);

const customer: z.ZodType<CustomerStatement> = z.strictObject({
  customerId: z.exactOptional(z.string().min(1).max(256)),
  contact: z.exactOptional(contactDetailsSchema),
  knowYourCustomer: z.exactOptional(words),
  action: z.exactOptional(action),
});

/** A person's decision as a file or a form has it. Keys that are not known are errors: it is signed in that person's name. */
const reviewDecisionSchema: z.ZodType<ReviewDecision> = z.strictObject({
  format: z.literal('hopback.review-decision.1'),
  decisionId: z.string().regex(/^[\w.-]{1,128}$/),
  requestId: id,
  by: id,
  decidedAt: z.string().min(20).max(40),
  arm: z.enum(FINDING_ARMS),
  candidate: z.exactOptional(z.string().min(1).max(512)),
  provider: z.exactOptional(providerReferenceSchema),
  contact: z.exactOptional(contactDetailsSchema),
  customer: z.exactOptional(customer),
  upstreamAction: z.exactOptional(action),
  reason: z.exactOptional(words),
  comment: z.exactOptional(words),
  amendReason: z.exactOptional(words),
  despite: z.exactOptional(z.array(z.string().min(1).max(64)).max(32)),
});

/** A decision, or what is wrong with the form of it. */
export type ReviewDecisionReading =
  | { readonly status: 'read'; readonly decision: ReviewDecision }
  | { readonly status: 'refused'; readonly detail: string };

/**
 * Reads a person's decision, as the command line, a page or a portal hands it in. Never throws.
 * @param value - what JSON was parsed to
 * @returns the decision, or what is wrong with it in words
 * @see {@link answerOfDecision} for whether it can be carried out
 * @example
 * ```ts
 * console.log(readReviewDecision({ format: 'hopback.review-decision.1' }).status); // refused
 * ```
 */
export function readReviewDecision(value: unknown): ReviewDecisionReading {
  const result = readBySchema(reviewDecisionSchema, value);
  if (result.success) return { status: 'read', decision: result.data };
  return { status: 'refused', detail: configurationError('the decision', { error: result.error, value }).message };
}
