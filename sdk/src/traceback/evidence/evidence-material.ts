import type { CallRecord } from '../../core/call-record.js';
import type { EvidenceReference, TracebackAnswer } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { VerdictEvidence } from '../../core/call-record.js';
import type { MatchReason } from '../match-outcome.js';

/** A value that a rule looked at. */
export type DecisionInput = string | number | boolean | null;

/** One rule that a policy applied. */
export interface DecisionStep {
  /** Name of the rule, as the policy has it. */
  readonly rule: string;
  /** What it looked at: name and value. No personal data that the answer does not hold as well. */
  readonly inputs: Readonly<Record<string, DecisionInput>>;
  /** What came out: `passed`, `to-person`, `skipped`, or whatever the rule calls it. */
  readonly result: string;
  /** Why, for people. */
  readonly because?: string;
}

/** How it was decided what an answer says, and whether a machine may say it: every rule in the order in which it was applied. */
export interface DecisionTrace {
  readonly policyId: string;
  /** SHA-256 of the policy as it was configured, lower-case hex. */
  readonly policySha256?: string;
  /** `automatic`, `person`, `refused`, or whatever the policy calls it. */
  readonly outcome: string;
  readonly steps: readonly DecisionStep[];
}

/** A request as it came in, before anybody read it. */
export interface ReceivedRequest {
  /** Octet for octet: the body of the webhook, the e-mail, the pasted text. At most {@link EVIDENCE_REQUEST_BYTES}. */
  readonly bytes: Uint8Array;
  /**
   * Whether `bytes` are those that came, which is the default, or `written-anew` by the program from what it had read, because nobody kept
   * what came: a custodian certifies which.
   */
  readonly octets?: 'as-they-came' | 'written-anew';
  /** `application/json`, `message/rfc822`, `text/plain`, … */
  readonly mediaType: string;
  /** How it came: `webhook`, `poll`, `events`, `e-mail`, `portal`, `command`. */
  readonly channel: string;
  /** RFC 3339 in UTC. */
  readonly receivedAt: string;
}

/** How far the clock that wrote the records was off, as far as anybody measured it. */
export type ClockStatement =
  | {
      readonly status: 'measured';
      /** Name of the source, as in `CallRecord.source.id`; absent where it holds for all of them. */
      readonly sourceId?: string;
      /** What has to be added to the times of the records to have UTC, milliseconds. */
      readonly offsetMs: number;
      /** How far off that may be, milliseconds. */
      readonly uncertaintyMs: number;
      /** Against what: `ntp 192.0.2.123`. */
      readonly against: string;
      /** RFC 3339 in UTC. */
      readonly measuredAt: string;
    }
  /** Nobody measured it, and the pack says so. */
  | { readonly status: 'not-measured'; readonly sourceId?: string };

/** What an evidence pack is made of. */
export interface EvidenceMaterial {
  /** The request as it was read. */
  readonly request: TracebackRequest;
  readonly received: ReceivedRequest;
  /** The answer that is about to be signed. Its `evidence`, if there is any, is passed over: it is what comes out. */
  readonly answer: TracebackAnswer;
  /** The records that the answer rests on, `source.raw` included where it is kept; empty where none was found. */
  readonly records: readonly CallRecord[];
  /** What spoke for the call that was chosen, and against it. */
  readonly reasons?: readonly MatchReason[];
  /** One for each source, or one for all; empty says that nothing is known. */
  readonly clocks: readonly ClockStatement[];
  /** Of the call, where it is not in the records themselves. */
  readonly verdict?: VerdictEvidence;
  readonly decision: DecisionTrace;
}

/** Longest request that a pack keeps, octets: an e-mail with a recording of some minutes. */
export const EVIDENCE_REQUEST_BYTES: number = 16 * 2 ** 20;
/** Records of one answer at most: a call of many legs has dozens. */
export const EVIDENCE_RECORDS = 1_000;

/** Where a signed answer lies in the log. */
export interface AnswerPosition {
  readonly packId: string;
  /** SHA-256 of the compact JWS, lower-case hex. */
  readonly answerSha256: string;
  readonly logId: string;
  readonly leafIndex: number;
}

/** What is added to a pack once the answer is signed. */
export interface SignedAnswer {
  /** Compact JWS of the answer, with the reference that `write` gave in its `evidence`. */
  readonly answerJws: string;
  /** Compact JWS of the receipt, where the platform gave one already. */
  readonly receiptJws?: string;
}

/**
 * Keeps the evidence of answers. An answer names its pack, and a pack holds its answer: so there are two steps, each an entry of the log.
 */
export interface EvidenceWriter {
  /**
   * Writes the pack, and its hash to the log; both are durable when it resolves. Call it before the answer is signed, and sign the answer
   * with the reference. A pack whose answer was never signed does no harm: whoever crashed in between writes another.
   * @throws HopbackError `invalid-argument` for what no pack can hold; `storage-failed` (retryable); `signer-failed`; `closed`
   */
  readonly write: (material: EvidenceMaterial) => Promise<EvidenceReference>;
  /**
   * Adds the signed answer to its pack, and its hash to the log. Called again with the same answer it gives the same position, and takes a
   * receipt where there is none yet.
   * @throws HopbackError `invalid-argument` when there is no such pack, or it has another answer; else as `write`
   */
  readonly attachAnswer: (packId: string, signed: SignedAnswer) => Promise<AnswerPosition>;
}
