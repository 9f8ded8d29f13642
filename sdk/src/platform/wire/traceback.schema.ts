import { z } from 'zod';
import { customerAction, findingArm } from './traceback-answer.schema.js';
import {
  direction,
  hop,
  MAX_HOPS,
  requestedCallSchema,
  requestedCampaignSchema,
  requesterSchema,
} from './traceback-request.schema.js';
import type { Traceback, TracebackConclusion, TracebackHop, TracebackOpening } from './traceback.js';
import { identifier, providerReferenceSchema, text, utcTime } from './wire-words.schema.js';

/** Opens a traceback. */
export const tracebackOpeningSchema: z.ZodType<TracebackOpening> = z.object({
  direction,
  call: requestedCallSchema,
  campaign: z.exactOptional(requestedCampaignSchema),
  requester: z.exactOptional(requesterSchema),
  firstProvider: z.exactOptional(providerReferenceSchema),
  reportId: z.exactOptional(identifier),
  comment: z.exactOptional(text),
});

const tracebackHop: z.ZodType<TracebackHop> = z.object({
  hop,
  requestId: identifier,
  provider: providerReferenceSchema,
  state: z.enum([
    'asked',
    'acknowledged',
    'overdue',
    'non-responsive',
    'answered',
    'corrected',
    'not-askable',
    'withdrawn',
  ]),
  issuedAt: z.exactOptional(utcTime),
  dueAt: z.exactOptional(utcTime),
  answeredAt: z.exactOptional(utcTime),
  answerId: z.exactOptional(identifier),
  arm: z.exactOptional(findingArm),
  upstream: z.exactOptional(providerReferenceSchema),
  customerAction: z.exactOptional(customerAction),
});

const conclusion: z.ZodType<TracebackConclusion> = z.enum([
  'origin',
  'point-of-entry',
  'foreign-provider',
  'serves-number',
  'non-responsive',
  'refused',
  'no-record',
  'not-retained',
  'number-not-ours',
  'ambiguous',
  'disputed',
  'unlisted-provider',
  'not-askable',
  'several-neighbours',
  'loop',
  'too-many-hops',
]);

/** A whole traceback. */
export const tracebackSchema: z.ZodType<Traceback> = z.object({
  format: z.literal('hopback.traceback.1'),
  tracebackId: identifier,
  direction,
  state: z.enum(['open', 'closed', 'withdrawn']),
  outcome: z.exactOptional(conclusion),
  requester: requesterSchema,
  campaign: z.exactOptional(requestedCampaignSchema),
  call: requestedCallSchema,
  openedAt: utcTime,
  updatedAt: utcTime,
  closedAt: z.exactOptional(utcTime),
  // A provider that a call crosses twice is asked twice.
  hops: z.array(tracebackHop).max(MAX_HOPS),
});
