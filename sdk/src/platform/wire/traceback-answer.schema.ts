import { z } from 'zod';
import type { CoverageInterval } from '../../core/call-record.js';
import type {
  AnsweredCall,
  Answerer,
  CustomerAction,
  CustomerStatement,
  EvidenceReference,
  FindingArm,
  SearchStatement,
  TracebackAnswer,
  TracebackFinding,
} from '../../core/traceback-request.js';
import { MAX_DIVERTED_TO } from '../../core/traceback-request.js';
import { disposition, microseconds, name, ownSigning, release, sourceId, spc } from './call-record.schema.js';
import { attestation, count, sha256, verstat } from './verdict-evidence.schema.js';
import {
  contactDetailsSchema,
  identifier,
  line,
  logId,
  providerReferenceSchema,
  text,
  utcTime,
} from './wire-words.schema.js';

/** Windows that were searched: the one that was asked for, widened some times, and again for an hour that comes twice. */
const MAX_WINDOWS = 64;
/** What a call can be looked up by, with room for more. */
const MAX_KEYS = 32;
/** Stretches of complete data: some for each of the sources of a large carrier. */
const MAX_COVERAGE_INTERVALS = 1_024;
/** Revisions of an answer, with the first one. */
export const MAX_REVISION = 1_000;

/** What was done about a customer or upstream provider. */
export const customerAction: z.ZodType<CustomerAction> = z.enum([
  'none',
  'under-review',
  'warned',
  'suspended',
  'terminated',
]);

const customerStatement: z.ZodType<CustomerStatement> = z.object({
  customerId: z.exactOptional(name),
  contact: z.exactOptional(contactDetailsSchema),
  knowYourCustomer: z.exactOptional(text),
  action: z.exactOptional(customerAction),
});

/** Every arm of a finding under its name: an arm more in the type does not compile here. */
const arms = {
  'received-from': z.object({ arm: z.literal('received-from'), upstream: providerReferenceSchema }),
  'received-from-unlisted': z.object({ arm: z.literal('received-from-unlisted'), upstream: contactDetailsSchema }),
  origin: z.object({ arm: z.literal('origin'), customer: customerStatement }),
  'point-of-entry': z.object({ arm: z.literal('point-of-entry'), upstream: contactDetailsSchema }),
  'not-found': z.object({ arm: z.literal('not-found') }),
  'not-retained': z.object({ arm: z.literal('not-retained'), retainedFrom: utcTime }),
  'not-our-number': z.object({ arm: z.literal('not-our-number') }),
  'not-sent-to-downstream': z.object({
    arm: z.literal('not-sent-to-downstream'),
    downstream: providerReferenceSchema,
  }),
  ambiguous: z.object({ arm: z.literal('ambiguous'), candidates: z.int().min(1).max(100_000) }),
  'serves-number': z.object({ arm: z.literal('serves-number'), customer: customerStatement }),
  'number-served-by': z.object({ arm: z.literal('number-served-by'), provider: providerReferenceSchema }),
  refused: z.object({ arm: z.literal('refused'), reason: text }),
} satisfies Record<FindingArm, z.ZodType>;

/** Names of the arms. */
export const findingArm: z.ZodType<FindingArm> = z.enum(Object.keys(arms) as [FindingArm, ...FindingArm[]]);

/** What the provider says. */
export const tracebackFindingSchema: z.ZodType<TracebackFinding> = z.discriminatedUnion('arm', [
  arms['received-from'],
  arms['received-from-unlisted'],
  arms.origin,
  arms['point-of-entry'],
  arms['not-found'],
  arms['not-retained'],
  arms['not-our-number'],
  arms['not-sent-to-downstream'],
  arms.ambiguous,
  arms['serves-number'],
  arms['number-served-by'],
  arms.refused,
]);

const answeredCall: z.ZodType<AnsweredCall> = z.object({
  startedAt: utcTime,
  answeredAt: z.exactOptional(utcTime),
  endedAt: z.exactOptional(utcTime),
  calling: z.exactOptional(name),
  called: z.exactOptional(name),
  divertedTo: z.exactOptional(z.array(name).min(1).max(MAX_DIVERTED_TO)),
  disposition,
  release: z.exactOptional(release),
  ingressTrunk: z.exactOptional(name),
  ingressAddress: z.exactOptional(name),
  ingressCallId: z.exactOptional(name),
  egressTrunk: z.exactOptional(name),
  received: z.exactOptional(
    z.object({
      verstat: z.exactOptional(verstat),
      attestation: z.exactOptional(attestation),
      origId: z.exactOptional(name),
      spc: z.exactOptional(spc),
    }),
  ),
  signed: z.exactOptional(ownSigning),
  blockedBy: z.exactOptional(name),
});

const coverageInterval: z.ZodType<CoverageInterval> = z.object({
  sourceId,
  fromUs: microseconds,
  toUs: microseconds,
});

const searchStatement: z.ZodType<SearchStatement> = z.object({
  windows: z.array(z.object({ from: utcTime, to: utcTime })).max(MAX_WINDOWS),
  keys: z.array(line).max(MAX_KEYS),
  coverage: z.array(coverageInterval).max(MAX_COVERAGE_INTERVALS),
  recordsConsidered: count,
});

const answerer: z.ZodType<Answerer> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('automatic'), policyId: line }),
  z.object({ kind: z.literal('person'), name: line }),
]);

const evidenceReference: z.ZodType<EvidenceReference> = z.object({
  packId: identifier,
  manifestSha256: sha256,
  logId,
  leafIndex: count,
});

/** Number of an answer among those to a request. */
export const revision: z.ZodType<number> = z.int().min(1).max(MAX_REVISION);

/** A provider's answer: the payload of its JWS. */
export const tracebackAnswerSchema: z.ZodType<TracebackAnswer> = z.object({
  format: z.literal('hopback.traceback-answer.1'),
  answerId: identifier,
  requestId: identifier,
  tracebackId: identifier,
  revision,
  amends: z.exactOptional(z.object({ answerId: identifier, reason: text })),
  answeredAt: utcTime,
  provider: providerReferenceSchema,
  answeredBy: answerer,
  finding: tracebackFindingSchema,
  call: z.exactOptional(answeredCall),
  upstreamAction: z.exactOptional(customerAction),
  searched: searchStatement,
  evidence: z.exactOptional(evidenceReference),
  comment: z.exactOptional(text),
});
