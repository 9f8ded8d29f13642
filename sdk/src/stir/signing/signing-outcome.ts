import type { ShakenClaims } from '../passport-types/shaken.js';
import type { AttestationDecision } from './attestation-policy.js';
import type { AttestationRecord, DiversionClaims, DiversionRecord } from './attestation-record.js';
import type { CredentialRefusal } from './credential.js';

/** Why a call is rightly left as it is. */
export type NotSignedReason =
  /** The request says so. */
  | 'switched-off'
  /** It carries a PASSporT for its caller already. */
  | 'already-signed'
  /** The attestation policy says so. */
  | 'policy'
  /** Caller or called party are nothing that a PASSporT can name. */
  | 'no-usable-number'
  | 'emergency';

/** Why a signature could not be made, or must not be, whatever it is for. */
export type SignatureRefusal =
  'no-certificate' | CredentialRefusal | 'identity-header-too-long' | 'signer-failed' | 'signer-is-asynchronous';

/** Why a call was refused a signature. */
export type SigningRefusal =
  | SignatureRefusal
  | 'attestation-not-permitted'
  /** The request asks for a time of issue that is not now. */
  | 'iat-not-current'
  /** The request names something that no PASSporT can carry. */
  | 'request-invalid';

/** A signature that was refused, with both values where two were compared. */
export interface RefusedSigning<Reason extends string = SigningRefusal> {
  readonly status: 'refused';
  readonly reason: Reason;
  /** For people; free of telephone numbers. */
  readonly detail: string;
  readonly expected?: string;
  readonly actual?: string;
  /** Whether the same request may be signed later without anybody doing anything. */
  readonly retryable: boolean;
}

/** A call that was left as it is. */
export interface NotSigned<Reason extends string = NotSignedReason> {
  readonly status: 'not-signed';
  readonly reason: Reason;
  readonly detail: string;
  /** With `policy`: what was decided and why. */
  readonly decision?: AttestationDecision;
}

/** What became of a record that was handed to the sink of a service. */
export type RecordDelivery = 'no-sink' | 'delivered' | 'failed';

/** A signed call. */
export interface SignedCall {
  readonly status: 'signed';
  /** Values of the Identity headers to add to the request; those it has stay. */
  readonly identityHeaders: readonly string[];
  /** The value that the Date header must get; undefined when the request has one that is right. @see RFC 8224 section 6.1 */
  readonly date: string | undefined;
  /** The PASSporT, full form. */
  readonly token: string;
  readonly claims: ShakenClaims;
  readonly record: AttestationRecord;
  readonly recordDelivery: RecordDelivery;
}

/** Result of `sign`. */
export type SigningOutcome = SignedCall | NotSigned | RefusedSigning;

/** Why no div is added. */
export type NotDivertedReason =
  | 'switched-off'
  /** There is no Identity, so that there is nothing that a div could refer to (RFC 8946 section 4). */
  | 'no-identity'
  /** Old and new target are the same. */
  | 'not-retargeted'
  | 'no-usable-number';

/** Why a div must not be added. */
export type DiversionRefusal =
  | SignatureRefusal
  /** No PASSporT of the request has the diverting number as its destination. */
  | 'diverted-passport-missing'
  /** The PASSporT that is diverted speaks for another caller than the request says. */
  | 'orig-mismatch'
  /** Several callers are spoken for. */
  | 'orig-ambiguous'
  | 'too-many-identity-headers';

/** A diverted call, its div signed. */
export interface SignedDiversion {
  readonly status: 'signed';
  /** The value to add. */
  readonly identityHeader: string;
  /** All values that the request must leave with: those it came with, in order, and the new one. */
  readonly identityHeaders: readonly string[];
  readonly token: string;
  readonly claims: DiversionClaims;
  readonly record: DiversionRecord;
  readonly recordDelivery: RecordDelivery;
}

/** Result of `signDiversion`. */
export type DiversionOutcome = SignedDiversion | NotSigned<NotDivertedReason> | RefusedSigning<DiversionRefusal>;

/** @internal */
export function refused<Reason extends string>(
  reason: Reason,
  detail: string,
  more: { readonly expected?: string; readonly actual?: string; readonly retryable?: boolean } = {},
): RefusedSigning<Reason> {
  return { status: 'refused', reason, detail, retryable: false, ...more };
}

/** @internal */
export function notSigned<Reason extends string>(reason: Reason, detail: string): NotSigned<Reason> {
  return { status: 'not-signed', reason, detail };
}
