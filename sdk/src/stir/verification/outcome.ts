import type { Attestation, Spc, Verstat } from '../../core/terms.js';
import type { VerdictEvidence } from '../../core/verdict-evidence.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import type { FailureReason, SipResponse } from './failure-reasons.js';
import type { StepException, StepName } from './step.js';

/** Who signed: as the certificate says, and only once a path to a trust anchor was found and the signature verified. */
export interface PassportSigner {
  /** Service Provider Code of the TNAuthList, where it has one. */
  readonly spc?: Spc;
  /** SHA-256 of the DER of the certificate, lower-case hex. */
  readonly certificateSha256: string;
  /** Subject of the certificate, for people. */
  readonly subject: string;
  readonly x5u: string;
}

declare const verified: unique symbol;

/**
 * A PASSporT that passed every step: its claims may be believed as far as its signer is. Only the verification service makes
 * one, so a function that takes it needs no checks of its own.
 */
export interface VerifiedPassport {
  readonly [verified]: true;
  readonly ppt: string | undefined;
  readonly orig: PassportParty;
  readonly dest: readonly PassportParty[];
  readonly iatSeconds: number;
  readonly attestation?: Attestation;
  readonly origId?: string;
  readonly div?: PassportParty;
  readonly signer: PassportSigner;
}

/** One thing that was wrong, or could not be checked, with both values. */
export interface VerificationFailure {
  readonly reason: FailureReason;
  readonly step: StepName;
  readonly expected?: string | number;
  readonly actual?: string | number;
  readonly detail?: string;
}

/** What was found of one Identity header. */
export type VerificationOutcome =
  | {
      readonly status: 'passed';
      readonly index: number;
      readonly passport: VerifiedPassport;
      readonly notes: readonly StepException[];
    }
  | {
      /** `failed`: found wrong. `indeterminate`: could not be checked; neither good nor bad. */
      readonly status: 'failed' | 'indeterminate';
      readonly index: number;
      readonly ppt: string | undefined;
      /** At least one; the first is the one that decides the SIP response. */
      readonly failures: readonly VerificationFailure[];
      readonly notes: readonly StepException[];
    }
  | {
      /** A PASSporT type that is not verified here, left alone. */
      readonly status: 'ignored';
      readonly index: number;
      readonly ppt: string | undefined;
    };

/** What a call gets: one answer for the whole request, and everything it rests on. */
export interface CallVerdict {
  readonly status: 'passed' | 'failed' | 'indeterminate';
  readonly verstat: Verstat;
  /** Only when passed. */
  readonly attestation?: Attestation;
  /** Only when passed. */
  readonly origId?: string;
  /** Only when passed. */
  readonly signer?: PassportSigner;
  /** The final response for a policy that refuses such calls; absent when there is nothing to refuse for. */
  readonly sipResponse?: SipResponse;
  /** Values of Reason header fields for a policy that lets the call go on; several need RFC 9366. @see RFC 9410 */
  readonly reasonHeaders: readonly string[];
  /** All reasons of all headers, those of the header that decided first. Empty when everything passed. */
  readonly reasons: readonly FailureReason[];
  /** One outcome per Identity header, in the order of the request. */
  readonly outcomes: readonly VerificationOutcome[];
  readonly evidence: VerdictEvidence;
}
