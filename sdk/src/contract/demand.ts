import { z } from 'zod';
import type { BodyOf } from './common.js';
import {
  campaignId,
  canonicalTn,
  count,
  decisionId,
  demandId,
  email,
  fileName,
  fullDate,
  line,
  mediaType,
  object,
  oneOf,
  pattern,
  productionId,
  ProviderReference,
  sha256,
  telephone,
  text,
  tracebackId,
  utcTime,
} from './common.js';

/** Numbers, campaigns, tracebacks and providers that one demand names of each: what a PDF can list. */
const MAX_NAMED = 5_000;
/** Octets of the PDF of a demand at most. */
export const MAX_DEMAND_DOCUMENT_BYTES: number = 20 * 1_048_576;
/** Decisions about one demand, and productions under it. */
const MAX_OUTCOMES = 100;

export const DemandRecordClass = z.enum([
  'traceback-records',
  'call-records',
  'customer-records',
  'app-reports',
  'recordings',
]).describe(`Class of records. Classes are kept apart because each has its own legal limits.

- \`traceback-records\`: requests, answers, outcomes
- \`call-records\`: of providers' live streams
- \`customer-records\`: what providers said of their customers
- \`app-reports\`: of robocall-blocking applications
- \`recordings\`: content of calls. 18 USC 2702(a)`);
/**
 * Classes of records that can be demanded. They are kept apart because each has its own legal limits.
 * - `traceback-records`: requests, answers, outcomes
 * - `call-records`: of providers' live streams
 * - `customer-records`: what providers said of their customers
 * - `app-reports`: of robocall-blocking applications
 * - `recordings`: content of calls. 18 USC 2702(a)
 */
export type DemandRecordClass = z.output<typeof DemandRecordClass>;

/** What a demand covers: everything that meets all the stated conditions. */
export const DemandScope = object('What a demand covers: everything that meets all the stated conditions.', {
  /** Which classes of records are demanded. */
  recordClasses: z.array(DemandRecordClass).min(1).max(5).describe('Which classes of records are demanded.'),
  /** Beginning of the time that is demanded, RFC 3339 in UTC, included. */
  from: utcTime.describe('Beginning of the time that is demanded, RFC 3339 in UTC, included.'),
  /** End of the time that is demanded, RFC 3339 in UTC, not included; later than `from`. */
  to: utcTime.describe('End of the time that is demanded, RFC 3339 in UTC, not included; later than `from`.'),
  /** Calling numbers. */
  callingNumbers: z.array(canonicalTn).min(1).max(MAX_NAMED).exactOptional().describe('Calling numbers.'),
  /** Called numbers. */
  calledNumbers: z.array(canonicalTn).min(1).max(MAX_NAMED).exactOptional().describe('Called numbers.'),
  /** Ids of campaigns at the platform. */
  campaignIds: z.array(campaignId).min(1).max(MAX_NAMED).exactOptional().describe('Ids of campaigns at the platform.'),
  /** Ids of tracebacks. */
  tracebackIds: z.array(tracebackId).min(1).max(MAX_NAMED).exactOptional().describe('Ids of tracebacks.'),
  /** Providers that are concerned. */
  providers: z.array(ProviderReference).min(1).max(MAX_NAMED).exactOptional().describe('Providers that are concerned.'),
});
export type DemandScope = BodyOf<typeof DemandScope>;

const submission = {
  /** By which legal process records are demanded. */
  kind: z
    .enum(['subpoena', 'civil-investigative-demand', 'court-order'])
    .describe('By which legal process records are demanded.\n\nSee 18 USC 2703.'),
  /** Who demands. */
  agency: object('Who demands.', {
    /** Name of the agency. */
    name: line.describe('Name of the agency.'),
    /** State or federal body whose law it acts under: `US`, `US-TX` (ISO 3166). */
    jurisdiction: pattern(/^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/).describe(
      'State or federal body whose law it acts under: `US`, `US-TX` (ISO 3166).',
    ),
    /** Mail address of the person in charge. */
    contactEmail: email.describe('Mail address of the person in charge.'),
    /** Telephone number of the person in charge. */
    contactTelephone: telephone.exactOptional().describe('Telephone number of the person in charge.'),
  }),
  /** The agency's number of the matter. */
  reference: line.describe("The agency's number of the matter."),
  /** The law it is issued under, as the document cites it. */
  authority: line.describe('The law it is issued under, as the document cites it.'),
  /** What is demanded. */
  scope: DemandScope.describe('What is demanded.'),
  /** RFC 3339 full date by which production is demanded. */
  returnOn: fullDate.describe('RFC 3339 full date by which production is demanded.'),
  /** Whether calls go on, so that review should not wait. */
  isUrgent: z.boolean().describe('Whether calls go on, so that review should not wait.'),
  /** SHA-256 of the PDF, lower-case hex. */
  documentSha256: sha256.describe('SHA-256 of the PDF, lower-case hex.'),
  /** For the people at the other side. */
  comment: text.exactOptional().describe('For the people at the other side.'),
};

/** What an agency sends beside the PDF of its demand. */
export const DemandSubmission = z.object(submission).describe('What an agency sends beside the PDF of its demand.');
export type DemandSubmission = BodyOf<typeof DemandSubmission>;

const reason = text.describe('Why, in words.');
const approve = {
  /** What was decided. */
  decision: z.literal('approve').describe('What was decided.'),
  reason,
};
const narrow = {
  /** What was decided. */
  decision: z.literal('narrow').describe('What was decided.'),
  reason,
  /** How far it is approved. */
  scope: DemandScope.describe('How far it is approved.'),
};
const reject = {
  /** What was decided. */
  decision: z.literal('reject').describe('What was decided.'),
  reason,
};

/** What a reviewer decides. */
export const DemandDecisionRequest = z
  .discriminatedUnion('decision', [
    z.object(approve),
    z.object(narrow).describe('Approved as far as this scope reaches.'),
    z.object(reject),
  ])
  .describe('What a reviewer decides.');
export type DemandDecisionRequest = BodyOf<typeof DemandDecisionRequest>;

const decided = {
  decisionId,
  /** Who decided, by role. */
  decidedBy: line.describe('Who decided, by role.'),
  /** When it was decided, RFC 3339 in UTC. */
  decidedAt: utcTime.describe('When it was decided, RFC 3339 in UTC.'),
};

/** A decision that was taken. */
export const DemandDecision = z
  .discriminatedUnion('decision', [
    z.object({ ...approve, ...decided }),
    object('Approved as far as this scope reaches.', { ...narrow, ...decided }),
    z.object({ ...reject, ...decided }),
  ])
  .describe('A decision that was taken.');
export type DemandDecision = BodyOf<typeof DemandDecision>;

/** A subpoena, civil investigative demand or court order, and what became of it. */
export const Demand = object('A subpoena, civil investigative demand or court order, and what became of it.', {
  /** Marks the form. */
  format: z.literal('hopback.demand.1').describe('Marks the form.'),
  demandId,
  /** The state of the demand. */
  state: z
    .enum(['under-review', 'approved', 'narrowed', 'rejected', 'produced', 'withdrawn'])
    .describe('The state of the demand.'),
  /** When it was submitted, RFC 3339 in UTC. */
  submittedAt: utcTime.describe('When it was submitted, RFC 3339 in UTC.'),
  /** Size of the document in octets. */
  documentSizeBytes: count.describe('Size of the document in octets.'),
  /** All decisions, the first one first. */
  decisions: z.array(DemandDecision).max(MAX_OUTCOMES).describe('All decisions, the first one first.'),
  /** Ids of the productions that the demand led to. */
  productionIds: z.array(productionId).max(MAX_OUTCOMES).describe('Ids of the productions that the demand led to.'),
  ...submission,
});
export type Demand = BodyOf<typeof Demand>;

/** Files of one production: one a day and class for years. */
const MAX_FILES = 10_000;

export const ProductionFile = z.object({
  /** Last part of its address below the production. */
  name: fileName.describe('Last part of its address below the production.'),
  mediaType,
  /** Size in octets. */
  sizeBytes: count.describe('Size in octets.'),
  /** SHA-256 of the bytes, lower-case hex. */
  sha256: sha256.describe('SHA-256 of the bytes, lower-case hex.'),
  /** Class of its records; absent for manifests, certificates and the like. */
  recordClass: DemandRecordClass.exactOptional().describe(
    'Class of its records; absent for manifests, certificates and the like.',
  ),
  /** Records in the file. */
  records: count.exactOptional().describe('Records in the file.'),
});
/** One file of a production. */
export type ProductionFile = BodyOf<typeof ProductionFile>;

/** What is handed over to an agency under a reviewed demand. */
export const Production = object('What is handed over to an agency under a reviewed demand.', {
  /** Marks the form. */
  format: z.literal('hopback.production.1').describe('Marks the form.'),
  productionId,
  demandId,
  /** Id of the decision that it is made under. */
  decisionId: decisionId.describe('Id of the decision that it is made under.'),
  /** The state of the production. */
  state: oneOf('The state of the production.', ['in-preparation', 'ready', 'expired']),
  /** When it was begun, RFC 3339 in UTC. */
  createdAt: utcTime.describe('When it was begun, RFC 3339 in UTC.'),
  /** When it could be retrieved, RFC 3339 in UTC. */
  readyAt: utcTime.exactOptional().describe('When it could be retrieved, RFC 3339 in UTC.'),
  /** Until when its files can be fetched, RFC 3339 in UTC. */
  expiresAt: utcTime.exactOptional().describe('Until when its files can be fetched, RFC 3339 in UTC.'),
  /** Name of the file that lists all others with their hashes. */
  manifestName: fileName.exactOptional().describe('Name of the file that lists all others with their hashes.'),
  /** Name of the custodian's certificate. */
  certificateName: fileName
    .exactOptional()
    .describe("Name of the custodian's certificate.\n\nSee Federal Rules of Evidence 902(11), 902(13)."),
  /** The files, each with its SHA-256. */
  files: z.array(ProductionFile).max(MAX_FILES).describe('The files, each with its SHA-256.'),
});
export type Production = BodyOf<typeof Production>;
