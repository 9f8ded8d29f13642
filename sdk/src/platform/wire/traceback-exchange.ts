import type { TracebackRequest } from '../../core/traceback-request.js';
import type { EvidencePackSummary } from './evidence-pack.js';

/** `typ` of the JWS of an answer, so that no other thing the provider signed can be taken for one. RFC 8725 section 3.11 */
export const TRACEBACK_ANSWER_JWS_TYPE = 'traceback-answer+jws';

/** `typ` of the JWS of a receipt. RFC 8725 section 3.11 */
export const ANSWER_RECEIPT_JWS_TYPE = 'answer-receipt+jws';

/** Most characters of the JWS of an answer that a receiver has to take. */
export const MAX_ANSWER_JWS_CHARS = 262_144;

/** Where a request to a provider stands. Whether it is overdue is a matter of the clock: {@link TracebackRequestStatus.dueAt}. */
export type TracebackRequestState = 'open' | 'acknowledged' | 'answered' | 'cancelled';

/** A request to the calling provider, and what has been said to it so far. */
export interface TracebackRequestStatus {
  readonly request: TracebackRequest;
  readonly state: TracebackRequestState;
  /** By when an answer is due by the platform's reading of 47 CFR 64.1200(n)(1), RFC 3339 in UTC. The provider's own reading binds it. */
  readonly dueAt: string;
  /** When the provider first said that it has the request, RFC 3339 in UTC. */
  readonly acknowledgedAt?: string;
  readonly cancelled?: RequestCancellation;
  /** Answers in the order of their revision. */
  readonly answers: readonly ReceivedAnswer[];
}

/** Why no answer is wanted any longer. */
export interface RequestCancellation {
  /** RFC 3339 in UTC. */
  readonly cancelledAt: string;
  readonly reason: string;
}

/** That an answer is there; what it says is between those it concerns. */
export interface ReceivedAnswer {
  readonly answerId: string;
  readonly revision: number;
  /** RFC 3339 in UTC. */
  readonly receivedAt: string;
}

/** The provider has a request and works on it. Said again it changes nothing: the first one counts. */
export interface RequestAcknowledgement {
  readonly format: 'hopback.request-acknowledgement.1';
  /** When the provider took the request in, RFC 3339 in UTC. */
  readonly receivedAt: string;
  /** From when the clock runs by the provider's reading, and until when: RFC 3339 in UTC. */
  readonly clock?: { readonly startsAt: string; readonly dueAt: string };
  /** The provider's own number of the case. */
  readonly reference?: string;
}

/** An answer on its way to the platform. */
export interface AnswerSubmission {
  /**
   * Compact JWS (RFC 7515 section 7.1) over the JSON of a `TracebackAnswer`, `typ` `traceback-answer+jws`, signed
   * with ES256 or EdDSA under a key that the provider has registered, named by `kid`.
   */
  readonly answer: string;
  /** What the evidence pack holds, where there is one: the pack itself stays with the provider. */
  readonly evidence?: EvidencePackSummary;
}

/** What the platform states in a receipt: the payload of its JWS. */
export interface AnswerReceipt {
  readonly format: 'hopback.answer-receipt.1';
  readonly requestId: string;
  readonly tracebackId: string;
  readonly answerId: string;
  readonly revision: number;
  /** SHA-256 of the characters of the compact JWS that was submitted, lower-case hex. */
  readonly answerSha256: string;
  /** RFC 3339 in UTC. */
  readonly receivedAt: string;
  /** Whether `receivedAt` lies behind the platform's due time. */
  readonly isLate: boolean;
}

/** A receipt as it crosses the wire. */
export interface SignedReceipt {
  readonly answerId: string;
  /** Compact JWS over the JSON of an {@link AnswerReceipt}, `typ` `answer-receipt+jws`, under a key of the platform. */
  readonly receipt: string;
}
