import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import type { ReviewDecision } from './review-decision.js';
import { reviewDecisionSchema } from './review-decision.schema.js';

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
