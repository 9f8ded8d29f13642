import { z } from 'zod';
import type { CallRecord } from '../../core/call-record.js';
import type { VerdictEvidence } from '../../core/verdict-evidence.js';

/** Longest text of any field: what SIP elements take as one header field. */
const MAX_TEXT_LENGTH = 4_096;
/** Most PASSporTs that a verification looks at, with room. */
const MAX_PASSPORTS = 64;
/** Most steps, exceptions or destinations of one PASSporT. */
const MAX_LIST = 256;

const text = z.string().max(MAX_TEXT_LENGTH);
const optionalText = z.exactOptional(text);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Microseconds since the epoch, up to the year 2255: the whole numbers that a double holds exactly. */
const instantUs = z.int();
const whole = z.int().min(0);
const attestation = z.enum(['A', 'B', 'C']);
const verstat = z.enum(['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation']);
/** Canonical or a pseudonym that keeps the first digits. */
const number = z.string().max(128);

const passportEvidence = z.object({
  index: whole,
  ppt: optionalText,
  status: z.enum(['passed', 'failed', 'indeterminate', 'ignored']),
  signingInputSha256: z.exactOptional(sha256),
  x5u: optionalText,
  certificateSha256: z.exactOptional(sha256),
  trustAnchorSha256: z.exactOptional(sha256),
  spc: optionalText,
  orig: optionalText,
  dest: z.exactOptional(z.array(text).max(MAX_LIST)),
  div: optionalText,
  iatSeconds: z.exactOptional(z.int()),
  attestation: z.exactOptional(attestation),
  origId: optionalText,
  passed: z.array(text).max(MAX_LIST),
  exceptions: z
    .array(
      z.object({
        step: text,
        result: z.enum(['failed', 'unknown', 'noted']),
        reason: text,
        expected: z.exactOptional(z.union([text, z.number()])),
        actual: z.exactOptional(z.union([text, z.number()])),
      }),
    )
    .max(MAX_LIST),
});

/** The evidence of a verdict. */
export const verdictEvidenceSchema: z.ZodType<VerdictEvidence> = z.object({
  format: z.literal('hopback.verdict-evidence.1'),
  checkedAtMs: z.number(),
  profile: z.enum(['shaken', 'rfc8224']),
  freshnessSeconds: z.number().min(0),
  trustStore: optionalText,
  verstat,
  request: z.object({
    orig: optionalText,
    origSource: z.exactOptional(z.enum(['p-asserted-identity', 'from', 'given'])),
    dest: optionalText,
    destSource: z.exactOptional(z.enum(['to', 'request-uri', 'given'])),
    target: optionalText,
    dateSeconds: z.exactOptional(z.number()),
  }),
  passports: z.array(passportEvidence).max(MAX_PASSPORTS),
  surplusHeaders: z.exactOptional(whole),
  callKey: z.exactOptional(sha256),
  seenCount: z.exactOptional(whole),
  firstSeenMs: z.exactOptional(z.number()),
});

const party = z.object({ asWritten: text, tn: z.exactOptional(number) });
const hopSide = z.object({ trunk: optionalText, provider: optionalText, address: optionalText, callId: optionalText });

/** One line of a batch: a call record, whole or with its numbers under pseudonyms; keys that are not known are let pass. */
export const callRecordSchema: z.ZodType<CallRecord> = z.object({
  format: z.literal('hopback.call-record.1'),
  recordId: z.string().regex(/^[0-9a-f]{32}$/),
  source: z.object({
    id: text,
    format: z.enum([
      'asterisk-cdr',
      'asterisk-cel',
      'freeswitch-csv',
      'freeswitch-json',
      'kamailio-acc',
      'oracle-sbc',
      'ribbon-act',
      'broadworks',
      'hep',
      'columns',
      'hopback',
    ]),
    readerVersion: whole,
    sha256,
  }),
  legId: text,
  callGroupId: text,
  inviteAtUs: instantUs,
  answeredAtUs: z.exactOptional(instantUs),
  endedAtUs: z.exactOptional(instantUs),
  time: z.object({
    written: z.enum(['utc', 'local', 'observed']),
    zone: optionalText,
    resolutionUs: whole,
    otherInviteAtUs: z.exactOptional(instantUs),
  }),
  calling: z.exactOptional(party),
  asserted: z.exactOptional(party),
  called: z.exactOptional(
    party.extend({ translatedTn: z.exactOptional(number), lrn: z.exactOptional(number), techPrefix: optionalText }),
  ),
  ingress: hopSide,
  egress: hopSide,
  disposition: z.enum(['answered', 'busy', 'no-answer', 'cancelled', 'rejected', 'failed', 'blocked']),
  release: z.exactOptional(
    z.object({
      sipStatus: z.exactOptional(whole),
      q850Cause: z.exactOptional(whole),
      cause: optionalText,
      party: z.exactOptional(z.enum(['calling', 'called', 'network'])),
    }),
  ),
  received: z.exactOptional(
    z.object({
      verstat: z.exactOptional(verstat),
      attestation: z.exactOptional(attestation),
      origId: optionalText,
      iatSeconds: z.exactOptional(z.int()),
      spc: optionalText,
      evidence: z.exactOptional(verdictEvidenceSchema),
    }),
  ),
  signed: z.exactOptional(z.object({ attestation, origId: optionalText, basis: optionalText })),
  customerId: optionalText,
  blockedBy: optionalText,
});
