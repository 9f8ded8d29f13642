import { z } from 'zod';
import type { FccNotice, MitigationMeasure, NoticeResponse, NoticeSource } from './notice.js';
import { requestedCallSchema } from './traceback-request.schema.js';
import { contactDetailsSchema, identifier, line, providerReferenceSchema, text, utcTime } from './wire-words.schema.js';

/** Calls, tracebacks and sources that a notice or response names. */
const MAX_NAMED = 500;
/** Measures of one response. */
const MAX_MEASURES = 100;
/** Responses to one notice: the two that are due, and what was added. */
const MAX_RESPONSES = 100;

const measure: z.ZodType<MitigationMeasure> = z.object({
  action: z.enum([
    'none',
    'under-review',
    'warned',
    'suspended',
    'terminated',
    'traffic-blocked',
    'upstream-notified',
    'other',
  ]),
  takenAt: utcTime,
  detail: text,
});

const source: z.ZodType<NoticeSource> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('customer'), contact: contactDetailsSchema }),
  z.object({ kind: z.literal('provider'), upstream: providerReferenceSchema }),
  z.object({ kind: z.literal('unlisted-provider'), upstream: contactDetailsSchema }),
]);

/** What a provider says to a notice. */
export const noticeResponseSchema: z.ZodType<NoticeResponse> = z.object({
  format: z.literal('hopback.notice-response.1'),
  responseId: identifier,
  kind: z.enum(['mitigation', 'report']),
  respondedAt: utcTime,
  finding: z.enum(['traffic-illegal', 'traffic-lawful', 'not-our-traffic', 'under-investigation']),
  statement: text,
  measures: z.array(measure).max(MAX_MEASURES),
  sources: z.array(source).max(MAX_NAMED),
});

/** A notice of suspected illegal traffic. */
export const fccNoticeSchema: z.ZodType<FccNotice> = z.object({
  format: z.literal('hopback.fcc-notice.1'),
  noticeId: identifier,
  state: z.enum(['open', 'mitigation-stated', 'reported', 'withdrawn']),
  reference: line,
  provider: providerReferenceSchema,
  issuedAt: utcTime,
  mitigationDueAt: utcTime,
  reportDueAt: utcTime,
  description: text,
  campaignId: z.exactOptional(identifier),
  calls: z.array(requestedCallSchema).max(MAX_NAMED),
  tracebackIds: z.array(identifier).max(MAX_NAMED),
  responses: z.array(noticeResponseSchema).max(MAX_RESPONSES),
});
