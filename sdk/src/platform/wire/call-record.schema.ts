import { z } from 'zod';
import type {
  CalledNumber,
  CallRecord,
  Disposition,
  HopSide,
  OwnSigning,
  PartyNumber,
  RawRow,
  ReceivedVerification,
  RecordFormat,
  RecordSource,
  Release,
  TimeBasis,
} from '../../core/call-record.js';
import { MAX_RAW_BYTES, MAX_RAW_ROWS } from '../../core/raw-limits.js';
import { attestation, count, sha256, verdictEvidenceSchema, verstat, word } from './verdict-evidence.schema.js';

// Bounds are those of whoever writes: names of the readers, headers of the SIP stack, steps of the verification. Keys that are not known
// are left out, so that a later release may add some.

/** Longest name of a leg, trunk, call, customer or rule, as the readers cut them. */
const MAX_NAME_CHARS = 256;
/** Characters of base64 for {@link MAX_RAW_BYTES}. */
const MAX_BASE64_CHARS = Math.ceil(MAX_RAW_BYTES / 3) * 4;

/** Name of a leg, trunk, call, customer or rule. */
export const name: z.ZodType<string> = z.string().min(1).max(MAX_NAME_CHARS);
/** Name of a switch or feed. */
export const sourceId: z.ZodType<string> = z.string().min(1).max(128);
/** 32 lower-case hexadecimal digits. */
export const recordId: z.ZodType<string> = z.string().regex(/^[0-9a-f]{32}$/);
/** A telephone number in canonical form. */
export const canonicalTn: z.ZodType<string> = z.string().regex(/^[0-9*#]{1,32}$/);
/** Service Provider Code. @see ATIS-1000080 section 5.3 */
export const spc: z.ZodType<string> = z.string().regex(/^[0-9A-Z]{1,15}$/);
/** Microseconds since the epoch. */
export const microseconds: z.ZodType<number> = z.int().min(0);
/** How a call went. */
export const disposition: z.ZodType<Disposition> = z.enum([
  'answered',
  'busy',
  'no-answer',
  'cancelled',
  'rejected',
  'failed',
  'blocked',
]);

/** Layouts in which switches write down their calls. */
export const recordFormat: z.ZodType<RecordFormat> = z.enum([
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
]);

/** Which of the two a row is has to be plain: one that is both is neither. */
const nothing = z.exactOptional(z.never());
const rawRow: z.ZodType<RawRow> = z.union([
  z.object({ text: z.string().max(MAX_RAW_BYTES), base64: nothing }),
  z.object({ base64: z.base64().max(MAX_BASE64_CHARS), text: nothing }),
]);

const recordSource: z.ZodType<RecordSource> = z.object({
  id: sourceId,
  format: recordFormat,
  readerVersion: count,
  sha256,
  raw: z.exactOptional(z.array(rawRow).min(1).max(MAX_RAW_ROWS)),
});

/** Where an instant was taken from. */
export const timeBasis: z.ZodType<TimeBasis> = z.object({
  written: z.enum(['utc', 'local', 'observed']),
  zone: z.exactOptional(z.string().max(64)),
  resolutionUs: z.int().min(1),
  otherInviteAtUs: z.exactOptional(microseconds),
});

/** A number as it was written, and in canonical form. */
export const partyNumber: z.ZodType<PartyNumber> = z.object({
  asWritten: name,
  tn: z.exactOptional(canonicalTn),
});

/** The number called. */
export const calledNumber: z.ZodType<CalledNumber> = z.object({
  asWritten: name,
  tn: z.exactOptional(canonicalTn),
  translatedTn: z.exactOptional(canonicalTn),
  lrn: z.exactOptional(canonicalTn),
  techPrefix: z.exactOptional(z.string().min(1).max(32)),
});

/** Side of a hop. */
export const hopSide: z.ZodType<HopSide> = z.object({
  trunk: z.exactOptional(name),
  provider: z.exactOptional(name),
  address: z.exactOptional(name),
  callId: z.exactOptional(name),
});

/** Why and by whom a call was ended. */
export const release: z.ZodType<Release> = z.object({
  sipStatus: z.exactOptional(z.int().min(100).max(699)),
  q850Cause: z.exactOptional(z.int().min(0).max(127)),
  cause: z.exactOptional(name),
  party: z.exactOptional(z.enum(['calling', 'called', 'network'])),
});

const receivedVerification: z.ZodType<ReceivedVerification> = z.object({
  verstat: z.exactOptional(verstat),
  attestation: z.exactOptional(attestation),
  origId: z.exactOptional(name),
  iatSeconds: z.exactOptional(z.number()),
  spc: z.exactOptional(spc),
  evidence: z.exactOptional(verdictEvidenceSchema),
});

/** What the carrier itself signed. */
export const ownSigning: z.ZodType<OwnSigning> = z.object({
  attestation,
  origId: z.exactOptional(name),
  basis: z.exactOptional(word),
});

/** A call record as the carrier keeps it: every member in its form and its bounds. */
export const callRecordSchema: z.ZodType<CallRecord> = z.object({
  format: z.literal('hopback.call-record.1'),
  recordId,
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
  disposition,
  release: z.exactOptional(release),
  received: z.exactOptional(receivedVerification),
  signed: z.exactOptional(ownSigning),
  customerId: z.exactOptional(name),
  blockedBy: z.exactOptional(name),
});
