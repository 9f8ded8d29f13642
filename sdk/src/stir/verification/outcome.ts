import type { Attestation, Spc, Verstat } from '../../core/terms.js';
import type { VerdictEvidence } from '../../core/call-record.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import type { FailureReason, SipResponse } from './failure-reasons.js';
import type { StepException, StepName } from './step.js';

/** Who signed: as the certificate says, and only once a path to a trust anchor was found and the signature verified. */
export interface PassportSigner {
  /** Service Provider Code of the TNAuthList, where it has one. */
  readonly spc?: Spc;
  /** SHA-256 of the DER of the certificate, lower-case hex. */
  readonly certificateSha256: string;
  /** Subject of the certificate, for people: `CN=SHAKEN 1234, O=…`. Certified, yet not unique. */
  readonly subject: string;
  /** URL that the certificate came from, as in the PASSporT. */
  readonly x5u: string;
}

declare const verified: unique symbol;

/**
 * A PASSporT that passed every step: its claims may be believed as far as its signer is. Only the verification service makes
 * one, so a function that takes it needs no checks of its own.
 * @see RFC 8225 section 5
 */
export interface VerifiedPassport {
  /** A brand for the compiler; nothing is there at run time. */
  readonly [verified]: true;
  /** PASSporT type; undefined for the one without extension. */
  readonly ppt: string | undefined;
  /** Who calls, as signed; the same party as the request names. */
  readonly orig: PassportParty;
  /** Who is called, as signed. */
  readonly dest: readonly PassportParty[];
  /** When it was issued, whole seconds since the epoch; fresh when the verdict was given. */
  readonly iatSeconds: number;
  /** shaken only: how well the signer says to know the caller. */
  readonly attestation?: Attestation;
  /** shaken only: finds the call, or the customer, again at the signer. */
  readonly origId?: string;
  /** div only: the number that diverted the call. */
  readonly div?: PassportParty;
  /** Whose key signed it. */
  readonly signer: PassportSigner;
}

/**
 * One thing that was wrong, or could not be checked, with both values. The values are what a peer wrote: print them with care,
 * and mask telephone numbers before they reach a log.
 */
export interface VerificationFailure {
  /** What it is; its meaning on the wire is in {@link FAILURE_REASONS}. */
  readonly reason: FailureReason;
  /** The step that found it; its rule and section are in {@link VERIFICATION_STEPS}. */
  readonly step: StepName;
  /** What the rule asked for, or the value of the request. */
  readonly expected?: string | number;
  /** What was found, or the value of the token. */
  readonly actual?: string | number;
  /** What else helps a person. Not kept in evidence. */
  readonly detail?: string;
}

/**
 * What was found of one Identity header. `index` is its position in the request, from 0; `notes` are deviations that policy lets
 * pass.
 */
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

/**
 * What a call gets: one answer for the whole request, and everything it rests on.
 *
 * `status`, `verstat`, `attestation`, `origId` and `signer` may be trusted: the last three are there only when a PASSporT passed
 * every step under a certificate of the trust list. `outcomes`, `reasons` and `evidence` also tell of what did not pass; values
 * of tokens in them are what a stranger wrote.
 * @see RFC 8224 section 6.2, ATIS-1000074 section 5.3
 */
export interface CallVerdict {
  /**
   * `passed`: a PASSporT speaks for this caller and all of its steps passed. `failed`: something was found wrong.
   * `indeterminate`: nobody can tell, since there is no Identity, or something could not be checked; neither good nor bad.
   */
  readonly status: 'passed' | 'failed' | 'indeterminate';
  /**
   * What to tell the callee's network; {@link withVerstat} writes it. `TN-Validation-Failed` only where the signature or the
   * certificate was found bad; all else that is not passed is `No-TN-Validation`.
   */
  readonly verstat: Verstat;
  /** How well the signer says to know the caller. Only when passed, and only of a shaken PASSporT. */
  readonly attestation?: Attestation;
  /** Finds the call again at its signer, for a traceback. Only when passed, and only of a shaken PASSporT. */
  readonly origId?: string;
  /** Who vouches for the caller. Only when passed. */
  readonly signer?: PassportSigner;
  /** The final response for a policy that refuses such calls; absent when there is nothing to refuse for. */
  readonly sipResponse?: SipResponse;
  /**
   * Values of Reason header fields, for a policy that lets the call go on: they go into the provisional or final response, towards
   * the caller. Empty when there is nothing to reproach the caller with; several need RFC 9366. @see RFC 9410
   */
  readonly reasonHeaders: readonly string[];
  /** All reasons of all headers, those of the header that decided first. Empty when everything passed. */
  readonly reasons: readonly FailureReason[];
  /** One outcome per Identity header, in the order of the request. */
  readonly outcomes: readonly VerificationOutcome[];
  /**
   * Plain JSON to keep with the call record: what was checked, against which values and under which certificate. Holds telephone
   * numbers in full. {@link explainEvidence} reads it months later.
   */
  readonly evidence: VerdictEvidence;
}
