import { z } from 'zod';
import { evidencePackSummarySchema } from './evidence-pack.schema.js';
import { MAX_REVISION, revision } from './traceback-answer.schema.js';
import {
  MAX_ANSWER_JWS_CHARS,
  type AnswerReceipt,
  type AnswerSubmission,
  type ReceivedAnswer,
  type RequestAcknowledgement,
  type RequestCancellation,
  type SignedReceipt,
  type TracebackRequestStatus,
} from './traceback-exchange.js';
import { tracebackRequestSchema } from './traceback-request.schema.js';
import { sha256 } from './verdict-evidence.schema.js';
import { compactJws, identifier, line, text, utcTime } from './wire-words.schema.js';

/** Longest receipt: a dozen short members, base64url, and a signature. */
const MAX_RECEIPT_JWS_CHARS = 8_192;

/** Why no answer is wanted any longer, member by member: an event carries them beside others. */
export const cancellationMembers: { readonly cancelledAt: z.ZodType<string>; readonly reason: z.ZodType<string> } = {
  cancelledAt: utcTime,
  reason: text,
};
const requestCancellation: z.ZodType<RequestCancellation> = z.object(cancellationMembers);

const receivedAnswer: z.ZodType<ReceivedAnswer> = z.object({ answerId: identifier, revision, receivedAt: utcTime });

/** A request to the calling provider, and what has been said to it. */
export const tracebackRequestStatusSchema: z.ZodType<TracebackRequestStatus> = z.object({
  request: tracebackRequestSchema,
  state: z.enum(['open', 'acknowledged', 'answered', 'cancelled']),
  dueAt: utcTime,
  acknowledgedAt: z.exactOptional(utcTime),
  cancelled: z.exactOptional(requestCancellation),
  answers: z.array(receivedAnswer).max(MAX_REVISION),
});

/** The provider has a request and works on it. */
export const requestAcknowledgementSchema: z.ZodType<RequestAcknowledgement> = z.object({
  format: z.literal('hopback.request-acknowledgement.1'),
  receivedAt: utcTime,
  clock: z.exactOptional(z.object({ startsAt: utcTime, dueAt: utcTime })),
  reference: z.exactOptional(line),
});

/** An answer on its way to the platform. */
export const answerSubmissionSchema: z.ZodType<AnswerSubmission> = z.object({
  answer: compactJws(MAX_ANSWER_JWS_CHARS),
  evidence: z.exactOptional(evidencePackSummarySchema),
});

/** The payload of a receipt. */
export const answerReceiptSchema: z.ZodType<AnswerReceipt> = z.object({
  format: z.literal('hopback.answer-receipt.1'),
  requestId: identifier,
  tracebackId: identifier,
  answerId: identifier,
  revision,
  answerSha256: sha256,
  receivedAt: utcTime,
  isLate: z.boolean(),
});

/** A receipt as it crosses the wire. */
export const signedReceiptSchema: z.ZodType<SignedReceipt> = z.object({
  answerId: identifier,
  receipt: compactJws(MAX_RECEIPT_JWS_CHARS),
});
