import { z } from 'zod';
import type {
  CalledNumber,
  CallRecord,
  HopSide,
  OwnSigning,
  PartyNumber,
  ReceivedVerification,
  RecordSource,
  Release,
  TimeBasis,
} from '../core/call-record.js';
import type { EvidenceException, PassportEvidence, VerdictEvidence } from '../core/verdict-evidence.js';

// Bounds are those of whoever writes: names of the readers, headers of the SIP stack, steps of the verification. Keys that are not known
// are left out, so that a later release may add some.

/** Longest name of a leg, trunk, call, customer or rule, as the readers cut them. */
const MAX_NAME_CHARS = 256;
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

const name = z.string().min(1).max(MAX_NAME_CHARS);
const word = z.string().max(MAX_WORD_CHARS);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const canonicalTn = z.string().regex(/^[0-9*#]{1,32}$/);
const spc = z.string().regex(/^[0-9A-Z]{1,15}$/);
const microseconds = z.int().min(0);
const count = z.int().min(0);
const attestation = z.enum(['A', 'B', 'C']);
const verstat = z.enum(['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation']);

const recordSource: z.ZodType<RecordSource> = z.object({
  id: z.string().min(1).max(128),
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
  readerVersion: count,
  sha256,
});

const timeBasis: z.ZodType<TimeBasis> = z.object({
  written: z.enum(['utc', 'local', 'observed']),
  zone: z.exactOptional(z.string().max(64)),
  resolutionUs: z.int().min(1),
  otherInviteAtUs: z.exactOptional(microseconds),
});

const partyNumber: z.ZodType<PartyNumber> = z.object({
  asWritten: name,
  tn: z.exactOptional(canonicalTn),
});

const calledNumber: z.ZodType<CalledNumber> = z.object({
  asWritten: name,
  tn: z.exactOptional(canonicalTn),
  translatedTn: z.exactOptional(canonicalTn),
  lrn: z.exactOptional(canonicalTn),
  techPrefix: z.exactOptional(z.string().min(1).max(32)),
});

const hopSide: z.ZodType<HopSide> = z.object({
  trunk: z.exactOptional(name),
  provider: z.exactOptional(name),
  address: z.exactOptional(name),
  callId: z.exactOptional(name),
});

const release: z.ZodType<Release> = z.object({
  sipStatus: z.exactOptional(z.int().min(100).max(699)),
  q850Cause: z.exactOptional(z.int().min(0).max(127)),
  cause: z.exactOptional(name),
  party: z.exactOptional(z.enum(['calling', 'called', 'network'])),
});

const evidenceException: z.ZodType<EvidenceException> = z.object({
  step: word,
  result: z.enum(['failed', 'unknown', 'noted']),
  reason: word,
  expected: z.exactOptional(z.union([z.string().max(MAX_URL_CHARS), z.number()])),
  actual: z.exactOptional(z.union([z.string().max(MAX_URL_CHARS), z.number()])),
});

const passportEvidence: z.ZodType<PassportEvidence> = z.object({
  index: count,
  ppt: z.exactOptional(word),
  status: z.enum(['passed', 'failed', 'indeterminate', 'ignored']),
  signingInputSha256: z.exactOptional(sha256),
  x5u: z.exactOptional(z.string().max(MAX_URL_CHARS)),
  certificateSha256: z.exactOptional(sha256),
  trustAnchorSha256: z.exactOptional(sha256),
  spc: z.exactOptional(word),
  orig: z.exactOptional(word),
  dest: z.exactOptional(z.array(word).max(MAX_DESTINATIONS)),
  div: z.exactOptional(word),
  iatSeconds: z.exactOptional(z.number()),
  attestation: z.exactOptional(attestation),
  origId: z.exactOptional(word),
  passed: z.array(word).max(MAX_STEPS),
  exceptions: z.array(evidenceException).max(MAX_STEPS),
});

/** What a verification service found, as it is kept with a call record; unknown keys are left out. */
export const verdictEvidenceSchema: z.ZodType<VerdictEvidence> = z.object({
  format: z.literal('hopback.verdict-evidence.1'),
  checkedAtMs: z.number(),
  profile: z.enum(['shaken', 'rfc8224']),
  freshnessSeconds: z.number(),
  trustStore: z.exactOptional(word),
  verstat,
  request: z.object({
    orig: z.exactOptional(word),
    origSource: z.exactOptional(z.enum(['p-asserted-identity', 'from', 'given'])),
    dest: z.exactOptional(word),
    destSource: z.exactOptional(z.enum(['to', 'request-uri', 'given'])),
    target: z.exactOptional(word),
    dateSeconds: z.exactOptional(z.number()),
  }),
  passports: z.array(passportEvidence).max(MAX_PASSPORTS),
  surplusHeaders: z.exactOptional(count),
  callKey: z.exactOptional(sha256),
  seenCount: z.exactOptional(count),
  firstSeenMs: z.exactOptional(z.number()),
});

const receivedVerification: z.ZodType<ReceivedVerification> = z.object({
  verstat: z.exactOptional(verstat),
  attestation: z.exactOptional(attestation),
  origId: z.exactOptional(name),
  iatSeconds: z.exactOptional(z.number()),
  spc: z.exactOptional(spc),
  evidence: z.exactOptional(verdictEvidenceSchema),
});

const ownSigning: z.ZodType<OwnSigning> = z.object({
  attestation,
  origId: z.exactOptional(name),
  basis: z.exactOptional(word),
});

/** A call record as JSON: every member in its form and its bounds; unknown keys are left out. */
export const callRecordSchema: z.ZodType<CallRecord> = z.object({
  format: z.literal('hopback.call-record.1'),
  recordId: z.string().regex(/^[0-9a-f]{32}$/),
  source: recordSource,
  legId: name,
  callGroupId: name,
  inviteAtUs: microseconds,
  answeredAtUs: z.exactOptional(microseconds),
  endedAtUs: z.exactOptional(microseconds),
  time: timeBasis,
  calling: z.exactOptional(partyNumber),
  asserted: z.exactOptional(partyNumber),
  called: z.exactOptional(calledNumber),
  ingress: hopSide,
  egress: hopSide,
  disposition: z.enum(['answered', 'busy', 'no-answer', 'cancelled', 'rejected', 'failed', 'blocked']),
  release: z.exactOptional(release),
  received: z.exactOptional(receivedVerification),
  signed: z.exactOptional(ownSigning),
  customerId: z.exactOptional(name),
  blockedBy: z.exactOptional(name),
});
