import { z } from 'zod';
import type { SharedEvidence, SharedPassportEvidence } from '../../core/call-record.js';
import type { Attestation, Verstat } from '../../core/terms.js';
import type { EvidenceException, PassportEvidence, VerdictEvidence } from '../../core/call-record.js';

// Bounds are those of whoever writes: steps of the verification, headers of the SIP stack. Keys that are not known are left out, so that a
// later release may add some.

/** Longest word of the verification service: steps, reasons, values that it compares. */
const MAX_WORD_CHARS = 1_024;
/** Longest URL of a certificate that is looked at. */
const MAX_URL_CHARS = 2_048;
/** Steps of a verification, with room for those to come. */
const MAX_STEPS = 256;
/** Identity headers that are looked at. */
const MAX_PASSPORTS = 64;
/** Called numbers in one PASSporT. */
const MAX_DESTINATIONS = 256;

/** A word of the verification service or of a policy. */
export const word: z.ZodType<string> = z.string().max(MAX_WORD_CHARS);
/** SHA-256 as lower-case hexadecimal digits. */
export const sha256: z.ZodType<string> = z.string().regex(/^[0-9a-f]{64}$/);
/** A whole number that counts or numbers something. */
export const count: z.ZodType<number> = z.int().min(0);
/** A level of attestation. @see ATIS-1000074 section 5.2.3 */
export const attestation: z.ZodType<Attestation> = z.enum(['A', 'B', 'C']);
/** A verification status. @see 3GPP TS 24.229 section 7.2A.20 */
export const verstat: z.ZodType<Verstat> = z.enum(['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation']);
/** A pseudonym: 32 lower-case hexadecimal digits. */
export const pseudonym: z.ZodType<string> = z.string().regex(/^[0-9a-f]{32}$/);

/** What of a check leaves the carrier in any case: without the values that were compared. */
const exceptionNames = { step: word, result: z.enum(['failed', 'unknown', 'noted']), reason: word };
const compared = z.union([z.string().max(MAX_URL_CHARS), z.number()]);

const evidenceException: z.ZodType<EvidenceException> = z.object({
  ...exceptionNames,
  expected: z.exactOptional(compared),
  actual: z.exactOptional(compared),
});

/** Members of a PASSporT's evidence without numbers and without what is made of them. */
const passportFacts = {
  index: count,
  ppt: z.exactOptional(word),
  status: z.enum(['passed', 'failed', 'indeterminate', 'ignored']),
  x5u: z.exactOptional(z.string().max(MAX_URL_CHARS)),
  certificateSha256: z.exactOptional(sha256),
  trustAnchorSha256: z.exactOptional(sha256),
  spc: z.exactOptional(word),
  iatSeconds: z.exactOptional(z.number()),
  attestation: z.exactOptional(attestation),
  origId: z.exactOptional(word),
  passed: z.array(word).max(MAX_STEPS),
};

const passportEvidence: z.ZodType<PassportEvidence> = z.object({
  ...passportFacts,
  signingInputSha256: z.exactOptional(sha256),
  orig: z.exactOptional(word),
  dest: z.exactOptional(z.array(word).max(MAX_DESTINATIONS)),
  div: z.exactOptional(word),
  exceptions: z.array(evidenceException).max(MAX_STEPS),
});

const sharedPassportEvidence: z.ZodType<SharedPassportEvidence> = z.object({
  ...passportFacts,
  exceptions: z.array(z.object(exceptionNames)).max(MAX_STEPS),
});

/** Members of evidence without numbers and without what is made of them. */
const evidenceFacts = {
  checkedAtMs: z.number(),
  profile: z.enum(['shaken', 'rfc8224']),
  freshnessSeconds: z.number(),
  trustStore: z.exactOptional(word),
  verstat,
  surplusHeaders: z.exactOptional(count),
  seenCount: z.exactOptional(count),
  firstSeenMs: z.exactOptional(z.number()),
};

/** What a verification service found, as it is kept with a call record. */
export const verdictEvidenceSchema: z.ZodType<VerdictEvidence> = z.object({
  format: z.literal('hopback.verdict-evidence.1'),
  ...evidenceFacts,
  request: z.object({
    orig: z.exactOptional(word),
    origSource: z.exactOptional(z.enum(['p-asserted-identity', 'from', 'given'])),
    dest: z.exactOptional(word),
    destSource: z.exactOptional(z.enum(['to', 'request-uri', 'given'])),
    target: z.exactOptional(word),
    dateSeconds: z.exactOptional(z.number()),
  }),
  passports: z.array(passportEvidence).max(MAX_PASSPORTS),
  callKey: z.exactOptional(sha256),
});

/** The same as it leaves the carrier where the number called does not. */
export const sharedEvidenceSchema: z.ZodType<SharedEvidence> = z.object({
  format: z.literal('hopback.shared-evidence.1'),
  ...evidenceFacts,
  passports: z.array(sharedPassportEvidence).max(MAX_PASSPORTS),
  callKey: z.exactOptional(pseudonym),
});
