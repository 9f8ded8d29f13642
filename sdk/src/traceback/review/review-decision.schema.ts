import { FINDING_ARMS } from '../../core/traceback-request.js';
import { z } from 'zod';
import type { CustomerStatement } from '../../core/traceback-request.js';
import { contactDetailsSchema, providerReferenceSchema } from '../directory/trunk-directory.schema.js';
import type { ReviewDecision } from './review-decision.js';

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
export const reviewDecisionSchema: z.ZodType<ReviewDecision> = z.strictObject({
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
