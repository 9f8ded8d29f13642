import type { EvidenceReference, TracebackAnswer } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { MatchOutcome } from '../match-outcome.js';
import type { PolicyTrace } from '../policy/policy-decision.js';

/** Finds the call that is asked about. Rejects where the records cannot be read: then it is asked again later. */
export type FindMatch = (request: TracebackRequest) => Promise<MatchOutcome>;

/** When an answer is due. */
export interface AnswerDeadline {
  /** Deemed receipt: when the clock begins to run, milliseconds since the epoch. */
  readonly deemedReceivedAtMs: number;
  readonly dueAtMs: number;
}

/** The clock of 47 CFR 64.1200(n)(1). Pure; never throws. */
export type DeadlineOf = (request: TracebackRequest, receivedAtMs: number) => AnswerDeadline;

/** What an answer rests on. */
export interface AnswerEvidence {
  /** The answer as it will be signed, but for its reference to the evidence. */
  readonly answer: TracebackAnswer;
  readonly request: TracebackRequest;
  /** Absent where nothing was looked for, such as for a trace forward. */
  readonly outcome?: MatchOutcome;
  readonly trace: PolicyTrace;
}

/**
 * Keeps what an answer rests on before it is signed. Called again for the same `answerId` where a crash came between: one pack more does no
 * harm, the answer names one. Rejects where the disk refuses: then it is tried again later, as it is after a minute without an outcome.
 */
export type WriteEvidence = (evidence: AnswerEvidence) => Promise<EvidenceReference>;

/** What became of an answer that was handed to the platform. */
export type AnswerDelivery =
  /** It has it, and says so: a compact JWS over the id of the answer, the SHA-256 of what was sent, and when it came. */
  | { readonly status: 'taken'; readonly receipt: string }
  /** Nobody knows; the same bytes under the same key may succeed later. */
  | { readonly status: 'unavailable'; readonly detail: string; readonly retryAfterMs?: number }
  /**
   * The credential or the address is wrong, or something before the platform says no: nothing gets through until somebody has changed
   * something. The answer waits.
   */
  | { readonly status: 'barred'; readonly detail: string }
  /** The platform says that it wants no answer to this request any longer, and does not have this one: the request is cancelled. */
  | { readonly status: 'cancelled'; readonly detail: string }
  /** The platform itself says that it will not have this answer. A person looks at it. */
  | { readonly status: 'refused'; readonly reason: 'conflict' | 'content'; readonly detail: string };

/** An answer on its way. */
export interface AnswerToDeliver {
  readonly requestId: string;
  readonly answerId: string;
  /** Compact JWS of a {@link TracebackAnswer}. */
  readonly jws: string;
  /** The same for the same answer, whatever happens between. */
  readonly idempotencyKey: string;
}

/** The way of answers to the platform. Never rejects; what takes longer than two minutes is aborted, and tried again later. */
export interface AnswerTransport {
  readonly deliver: (answer: AnswerToDeliver, signal: AbortSignal) => Promise<AnswerDelivery>;
}

/** What a receipt of the platform says, after its signature was verified. */
export type ReceiptReading =
  | {
      readonly status: 'verified';
      readonly answerId: string;
      readonly answerSha256: string;
      readonly receivedAt: string;
    }
  | { readonly status: 'rejected'; readonly reason: string };

/** Verifies a receipt of the platform. Never rejects. */
export type VerifyReceipt = (receipt: string) => Promise<ReceiptReading>;

/** Something that a person should hear of. Told at least once; `eventId` is the same each time. */
export type ResponderEvent =
  | {
      readonly kind: 'review-wanted' | 'answer-sent' | 'answer-refused' | 'request-cancelled';
      readonly eventId: string;
      readonly requestId: string;
      readonly queue: string;
      readonly dueAtMs: number;
    }
  | {
      /** Nobody has answered, and the deadline comes near, or is over. */
      readonly kind: 'escalation';
      readonly eventId: string;
      readonly requestId: string;
      readonly queue: string;
      readonly dueAtMs: number;
      readonly step: number;
      readonly to: string;
    }
  | {
      /** A part of the answer to a notice of the FCC is due. 47 CFR 64.1200(n) */
      readonly kind: 'notice-due';
      readonly eventId: string;
      readonly noticeId: string;
      readonly part: 'mitigation' | 'report';
      readonly dueAtMs: number;
      readonly to: string;
    };

/** Tells people. Where it rejects, or takes longer than 30 seconds, it is called again later. */
export type Notify = (event: ResponderEvent) => Promise<void> | void;
