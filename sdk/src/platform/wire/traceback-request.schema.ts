import { z } from 'zod';
import type {
  RequestedCall,
  RequestedCampaign,
  Requester,
  StatedTime,
  TracebackRequest,
} from '../../core/traceback-request.js';
import { name, recordId, spc } from './call-record.schema.js';
import { attestation, sha256 } from './verdict-evidence.schema.js';
import {
  email,
  identifier,
  line,
  offsetTime,
  providerReferenceSchema,
  text,
  transcriptText,
} from './wire-words.schema.js';

/** Longest chain of hops that is followed: averages are below six, and a call that came through more providers than this went in circles. */
export const MAX_HOPS = 64;
/** Longest call that is asked about, seconds: a week. */
const MAX_DURATION_SECONDS = 604_800;

/** A moment as somebody stated it. */
export const statedTimeSchema: z.ZodType<StatedTime> = z.object({
  asWritten: line,
  local: z.string().regex(/^\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?)?$/),
  zone: z.exactOptional(z.string().regex(/^[A-Za-z0-9_+:/-]{1,64}$/)),
  precision: z.enum(['day', 'hour', 'minute', 'second', 'millisecond', 'microsecond']),
});

/** The call that is asked about: by the number called, or by a record that the asked provider itself shared. */
export const requestedCallSchema: z.ZodType<RequestedCall> = z
  .object({
    called: z.exactOptional(line),
    calling: z.exactOptional(line),
    at: statedTimeSchema,
    callId: z.exactOptional(name),
    origId: z.exactOptional(name),
    recordId: z.exactOptional(recordId),
    attestation: z.exactOptional(attestation),
    spc: z.exactOptional(spc),
    durationSeconds: z.exactOptional(z.number().min(0).max(MAX_DURATION_SECONDS)),
  })
  .refine(({ called, recordId: shared }) => called !== undefined || shared !== undefined)
  .meta({ anyOf: [{ required: ['called'] }, { required: ['recordId'] }] });

/** Whoever asks. */
export const requesterSchema: z.ZodType<Requester> = z.object({
  kind: z.enum(['itg', 'fcc', 'civil-law-enforcement', 'criminal-law-enforcement']),
  name: line,
  email: z.exactOptional(email),
});

/** What the call is suspected to be part of. */
export const requestedCampaignSchema: z.ZodType<RequestedCampaign> = z.object({
  campaignId: z.exactOptional(identifier),
  name: line,
  description: z.exactOptional(text),
  transcript: z.exactOptional(transcriptText),
  recordingSha256: z.exactOptional(sha256),
});

/** Which way a traceback goes. */
export const direction: z.ZodType<'back' | 'forward'> = z.enum(['back', 'forward']);
/** Place in the chain, 1 for the provider at which it starts. */
export const hop: z.ZodType<number> = z.int().min(1).max(MAX_HOPS);

/** One request to one provider about one call. */
export const tracebackRequestSchema: z.ZodType<TracebackRequest> = z.object({
  format: z.literal('hopback.traceback-request.1'),
  requestId: identifier,
  tracebackId: identifier,
  direction,
  hop,
  requester: requesterSchema,
  issuedAt: offsetTime,
  dueAt: z.exactOptional(offsetTime),
  provider: providerReferenceSchema,
  downstream: z.exactOptional(providerReferenceSchema),
  campaign: z.exactOptional(requestedCampaignSchema),
  call: requestedCallSchema,
  comment: z.exactOptional(text),
});
