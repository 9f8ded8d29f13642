import { z } from 'zod';
import type {
  PseudonymousNumber,
  SharedCalledNumber,
  SharedCallingNumber,
  SharedRecord,
  SharedVerification,
  SharingMark,
} from '../../core/call-record.js';
import {
  calledNumber,
  canonicalTn,
  disposition,
  hopSide,
  microseconds,
  name,
  ownSigning,
  partyNumber,
  recordFormat,
  recordId,
  release,
  sourceId,
  spc,
  timeBasis,
} from './call-record.schema.js';
import {
  attestation,
  count,
  pseudonym,
  sha256,
  sharedEvidenceSchema,
  verdictEvidenceSchema,
  verstat,
} from './verdict-evidence.schema.js';

/** Signals that judge one call, with room for those to come. */
const MAX_SIGNALS = 64;

const whole = z.object({ shown: z.literal('whole') });

/** A number under a pseudonym. */
export const pseudonymousNumberSchema: z.ZodType<PseudonymousNumber> = z.object({
  shown: z.literal('pseudonym'),
  pseudonym,
  npaNxx: z.exactOptional(z.string().regex(/^\d{6}$/)),
});

const sharedCalledNumber: z.ZodType<SharedCalledNumber> = z.union([
  z.intersection(whole, calledNumber),
  pseudonymousNumberSchema,
]);

const sharedCallingNumber: z.ZodType<SharedCallingNumber> = z.union([
  z.intersection(whole, partyNumber),
  z.object({ shown: z.literal('number'), tn: canonicalTn }),
  pseudonymousNumberSchema,
  z.object({ shown: z.literal('no-number'), isAnonymous: z.boolean() }),
]);

const sharedVerification: z.ZodType<SharedVerification> = z.object({
  verstat: z.exactOptional(verstat),
  attestation: z.exactOptional(attestation),
  origId: z.exactOptional(name),
  iatSeconds: z.exactOptional(z.number()),
  spc: z.exactOptional(spc),
  evidence: z.exactOptional(z.union([verdictEvidenceSchema, sharedEvidenceSchema])),
});

const sharingMark: z.ZodType<SharingMark> = z.object({
  policyId: z.string().min(1).max(128),
  form: z.enum(['pseudonymous', 'full']),
  rotationId: z.string().min(1).max(64),
  suspicion: z.exactOptional(
    z.object({
      score: z.number().min(0).max(1),
      level: z.enum(['none', 'watch', 'suspicious']),
      signals: z.array(z.string().min(1).max(64)).max(MAX_SIGNALS),
    }),
  ),
});

/** One line of a batch: a call record as it left the carrier. Keys that are not known are left out. */
export const sharedRecordSchema: z.ZodType<SharedRecord> = z.object({
  format: z.literal('hopback.shared-record.1'),
  recordId,
  sharing: sharingMark,
  source: z.object({
    id: z.exactOptional(sourceId),
    format: recordFormat,
    readerVersion: count,
    sha256: z.exactOptional(sha256),
  }),
  legId: z.exactOptional(name),
  callGroupId: name,
  inviteAtUs: microseconds,
  answeredAtUs: z.exactOptional(microseconds),
  endedAtUs: z.exactOptional(microseconds),
  time: timeBasis,
  calling: z.exactOptional(sharedCallingNumber),
  asserted: z.exactOptional(sharedCallingNumber),
  called: z.exactOptional(sharedCalledNumber),
  ingress: hopSide,
  egress: hopSide,
  disposition,
  release: z.exactOptional(release),
  received: z.exactOptional(sharedVerification),
  signed: z.exactOptional(ownSigning),
  blockedBy: z.exactOptional(name),
});
