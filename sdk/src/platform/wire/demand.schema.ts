import { z } from 'zod';
import { canonicalTn } from './call-record.schema.js';
import type {
  Demand,
  DemandDecision,
  DemandDecisionRequest,
  DemandingAgency,
  DemandRecordClass,
  DemandScope,
  DemandSubmission,
} from './demand.js';
import { count, sha256 } from './verdict-evidence.schema.js';
import {
  email,
  fullDate,
  identifier,
  line,
  providerReferenceSchema,
  telephone,
  text,
  utcTime,
} from './wire-words.schema.js';

/** Numbers, campaigns, tracebacks and providers that one demand names of each: what a PDF can list. */
const MAX_NAMED = 5_000;
/** Decisions about one demand, and productions under it. */
const MAX_OUTCOMES = 100;

/** A class of what can be demanded. */
export const demandRecordClass: z.ZodType<DemandRecordClass> = z.enum([
  'traceback-records',
  'call-records',
  'customer-records',
  'app-reports',
  'recordings',
]);

/** What a demand reaches. */
export const demandScopeSchema: z.ZodType<DemandScope> = z.object({
  recordClasses: z.array(demandRecordClass).min(1).max(5),
  from: utcTime,
  to: utcTime,
  callingNumbers: z.exactOptional(z.array(canonicalTn).min(1).max(MAX_NAMED)),
  calledNumbers: z.exactOptional(z.array(canonicalTn).min(1).max(MAX_NAMED)),
  campaignIds: z.exactOptional(z.array(identifier).min(1).max(MAX_NAMED)),
  tracebackIds: z.exactOptional(z.array(identifier).min(1).max(MAX_NAMED)),
  providers: z.exactOptional(z.array(providerReferenceSchema).min(1).max(MAX_NAMED)),
});

const agency: z.ZodType<DemandingAgency> = z.object({
  name: line,
  jurisdiction: z.string().regex(/^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/),
  contactEmail: email,
  contactTelephone: z.exactOptional(telephone),
});

const submissionMembers = {
  kind: z.enum(['subpoena', 'civil-investigative-demand', 'court-order']),
  agency,
  reference: line,
  authority: line,
  scope: demandScopeSchema,
  returnOn: fullDate,
  isUrgent: z.boolean(),
  documentSha256: sha256,
  comment: z.exactOptional(text),
};

/** What an agency sends beside the PDF. */
export const demandSubmissionSchema: z.ZodType<DemandSubmission> = z.object(submissionMembers);

const decided = { decisionId: identifier, decidedBy: line, decidedAt: utcTime };
const approve = { decision: z.literal('approve'), reason: text };
const narrow = { decision: z.literal('narrow'), reason: text, scope: demandScopeSchema };
const reject = { decision: z.literal('reject'), reason: text };

/** What a reviewer decides. */
export const demandDecisionRequestSchema: z.ZodType<DemandDecisionRequest> = z.discriminatedUnion('decision', [
  z.object(approve),
  z.object(narrow),
  z.object(reject),
]);

/** A decision that was taken. */
export const demandDecisionSchema: z.ZodType<DemandDecision> = z.discriminatedUnion('decision', [
  z.object({ ...approve, ...decided }),
  z.object({ ...narrow, ...decided }),
  z.object({ ...reject, ...decided }),
]);

/** A demand, and what became of it. */
export const demandSchema: z.ZodType<Demand> = z.object({
  format: z.literal('hopback.demand.1'),
  demandId: identifier,
  state: z.enum(['under-review', 'approved', 'narrowed', 'rejected', 'produced', 'withdrawn']),
  submittedAt: utcTime,
  documentSizeBytes: count,
  decisions: z.array(demandDecisionSchema).max(MAX_OUTCOMES),
  productionIds: z.array(identifier).max(MAX_OUTCOMES),
  ...submissionMembers,
});
