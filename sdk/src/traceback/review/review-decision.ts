import { z } from 'zod';
import type { BodyOf } from '../../contract/common.js';
import { CustomerAction, FINDING_ARMS } from '../../contract/traceback-exchange.js';
import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { contactDetailsSchema, providerReferenceSchema } from '../directory/provider-identity.js';

const id = z.string().min(1).max(128);
const words = z.string().min(1).max(4_000);

/**
 * What a person has decided about a request: the one thing that the command line, the page and the portal hand in. Keys that are not known are
 * errors: it is signed in that person's name.
 */
export const ReviewDecision = z.strictObject({
  format: z.literal('hopback.review-decision.1'),
  /** Given once: the same decision handed in twice is one. */
  decisionId: z.string().regex(/^[\w.-]{1,128}$/),
  requestId: id,
  /** Who decides: stands in the answer. 1 to 128 characters. */
  by: id,
  /** RFC 3339 in UTC. */
  decidedAt: z.string().min(20).max(40),
  arm: z.enum(FINDING_ARMS),
  /** `recordId` of the record by which the call that is meant came in, where there is one: `candidate` of the view. */
  candidate: z.exactOptional(z.string().min(1).max(512)),
  /** For `received-from` and `number-served-by`, where the directory does not say or is wrong. */
  provider: z.exactOptional(providerReferenceSchema),
  /** For `received-from-unlisted` and `point-of-entry`. */
  contact: z.exactOptional(contactDetailsSchema),
  /** For `origin` and `serves-number`. */
  customer: z.exactOptional(
    z
      .strictObject({
        customerId: z.string().min(1).max(256),
        contact: contactDetailsSchema,
        knowYourCustomer: words,
        action: CustomerAction,
      })
      .exactPartial(),
  ),
  upstreamAction: z.exactOptional(CustomerAction),
  /** For `refused`. */
  reason: z.exactOptional(words),
  comment: z.exactOptional(words),
  /** Why an answer that was given is changed; only then is a second one taken. */
  amendReason: z.exactOptional(words),
  /** Warnings of the view that the person has seen and decides against, by name. */
  despite: z.exactOptional(z.array(z.string().min(1).max(64)).max(32)),
});
export type ReviewDecision = BodyOf<typeof ReviewDecision>;

/** What became of a person's decision. */
export type Decided =
  | {
      readonly status: 'accepted';
      readonly answerId: string;
      readonly revision: number;
    }
  /** The same decision was carried out before. */
  | { readonly status: 'repeated' }
  | {
      readonly status: 'refused';
      /** Why it cannot be carried out. */
      readonly problems: readonly {
        /** Member of the decision, or name of the warning. */
        readonly about: string;
        readonly text: string;
        /** Whether `despite` with this name lets the answer be given all the same. */
        readonly isConfirmable?: boolean;
      }[];
    };
export type DecisionProblem = Extract<Decided, { status: 'refused' }>['problems'][number];

/** A decision, or what is wrong with the form of it. */
export type ReviewDecisionReading =
  | { readonly status: 'read'; readonly decision: ReviewDecision }
  | { readonly status: 'refused'; readonly detail: string };

/**
 * Reads a person's decision, as the command line, a page or a portal hands it in. Never throws.
 * @param value - what JSON was parsed to
 * @returns the decision, or what is wrong with it in words
 * @see `answerOfDecision` for whether it can be carried out
 */
export function readReviewDecision(value: unknown): ReviewDecisionReading {
  const result = readBySchema(ReviewDecision, value);
  if (result.success) return { status: 'read', decision: result.data };
  return { status: 'refused', detail: configurationError('the decision', { error: result.error, value }).message };
}
