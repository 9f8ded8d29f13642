import type { Spc } from '../../core/telephone-number.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import type { ShakenClaims } from '../passport-types/shaken.js';
import type { AttestationDecision } from './attestation-policy.js';
import type { CredentialRefusal } from './certificate-source.js';
import type { Signer } from './signer.js';

/**
 * What is kept of each signature, told apart by `ppt`. Of an attestation it is the decision behind it: a third party may hold the key, but
 * the provider decides, under its own certificate, and must be able to show how. A div attests nothing: the caller's PASSporT stands.
 * Plain JSON; holds telephone numbers.
 * @see 47 CFR 64.6301, 90 FR 40241, RFC 8946
 */
export type SignatureRecord = {
  /** Name and version of this shape. */
  readonly format: 'hopback.attestation-record.1';
  /** Who signed, when and under which certificate. */
  readonly signature: {
    /** The provider whose certificate was used, and who answers for the signature. */
    readonly spc: Spc;
    /** By the clock of the signing service, milliseconds since the epoch. */
    readonly signedAtMs: number;
    /** SHA-256 of the JWS signing input, lower-case hex: finds the PASSporT again, however its token is spelled. */
    readonly signingInputSha256: string;
    /** SHA-256 of the DER of the provider's certificate, lower-case hex. */
    readonly certificateSha256: string;
    /** Where the certificate was published. */
    readonly x5u: string;
    /** Where the private key was. */
    readonly signerKind: Signer['kind'];
  };
} & (
  | {
      /** Type of the PASSporT that was signed. */
      readonly ppt: 'shaken';
      /** What was signed: attestation, origid, parties, time. */
      readonly claims: ShakenClaims;
      /** Who set the level: a rule of the policy, or the request where the policy lets it. */
      readonly decidedBy: 'policy' | 'request';
      /** Why this level: the basis of the rule, or `attestationBasis` of the request. */
      readonly basis: string;
      /** The policy's own answer with its basis, also where the request set the level. */
      readonly decision: AttestationDecision;
    }
  | {
      /** Type of the PASSporT that was signed. */
      readonly ppt: 'div';
      /** What was signed. @see RFC 8946 section 3 */
      readonly claims: {
        /** As signed by the PASSporT below, to the letter. */
        readonly orig: PassportParty;
        /** The number that diverted the call, canonical. */
        readonly divTn: string;
        /** The new target. */
        readonly dest: PassportParty;
        /** Time of issue, seconds since the epoch. */
        readonly iatSeconds: number;
      };
    }
);

/** Why a signature could not be made, or must not be, whatever it is for. */
export type SignatureRefusal =
  /** The source has none, or failed. */
  | 'no-certificate'
  | CredentialRefusal
  /** The certificate does not permit what would be said (RFC 8226 section 8, RFC 9118). */
  | 'claim-constraint'
  /** The clock gives no time. */
  | 'clock-invalid'
  | 'identity-header-too-long'
  /** It threw, did not answer in time, or answered with something that is no signature of its key. */
  | 'signer-failed'
  | 'signer-is-asynchronous';

/** A signature that was refused, with both values where two were compared. */
export interface RefusedSigning<
  Reason extends string =
    | SignatureRefusal
    /** The policy does not let the request set its level, or the facts speak against the level. */
    | 'attestation-not-permitted'
    /** The request sets a level and does not say what it rests on. */
    | 'attestation-basis-missing'
    /** `randomUuid` of the service made no UUID. */
    | 'orig-id-unusable'
    /** The request asks for a time of issue that is not now. */
    | 'iat-not-current'
    /** The request is none, or names something that no PASSporT can carry, or that can be read in two ways. */
    | 'request-invalid',
> {
  readonly status: 'refused';
  /** A word that does not change between releases. */
  readonly reason: Reason;
  /** For people; free of telephone numbers. */
  readonly detail: string;
  /** What it would have to be, where two values were compared. */
  readonly expected?: string;
  /** What it is; with `signer-failed`, why. */
  readonly actual?: string;
  /** Whether the same request may be signed later without anybody doing anything. */
  readonly retryable: boolean;
}

/** A call that is rightly left as it is. */
export interface NotSigned<
  Reason extends string =
    /** The request says so. */
    | 'switched-off'
    /** It carries a PASSporT for its caller already. */
    | 'already-signed'
    /** The attestation policy says so. */
    | 'policy'
    /** Caller or called party are nothing that a PASSporT can name. */
    | 'no-usable-number'
    | 'emergency',
> {
  readonly status: 'not-signed';
  /** A word that does not change between releases. */
  readonly reason: Reason;
  /** For people; free of telephone numbers. */
  readonly detail: string;
  /** With `policy`: what was decided and why. */
  readonly decision?: AttestationDecision;
}

/** Result of `sign`. */
export type SigningOutcome =
  | {
      readonly status: 'signed';
      /** Values of the Identity headers to add to the request; those it has stay. */
      readonly identityHeaders: readonly string[];
      /** The value that the Date header must get; undefined when the request has one that is right. @see RFC 8224 section 6.1 */
      readonly date: string | undefined;
      /** The PASSporT, full form. */
      readonly token: string;
      /** What it says. */
      readonly claims: ShakenClaims;
      /** To be kept: how the attestation came about. Holds telephone numbers. */
      readonly record: Extract<SignatureRecord, { readonly ppt: 'shaken' }>;
      /** Whether `onRecord` took it. */
      readonly recordDelivery: 'no-sink' | 'delivered' | 'failed';
    }
  | NotSigned
  | RefusedSigning;

/** Result of `signDiversion`. */
export type DiversionOutcome =
  | {
      readonly status: 'signed';
      /** The value to add. */
      readonly identityHeader: string;
      /** All values that the request must leave with: those it came with, in order, and the new one. */
      readonly identityHeaders: readonly string[];
      /** The div PASSporT, full form. */
      readonly token: string;
      /** What it says. */
      readonly claims: Extract<SignatureRecord, { readonly ppt: 'div' }>['claims'];
      /** To be kept. Holds telephone numbers. */
      readonly record: Extract<SignatureRecord, { readonly ppt: 'div' }>;
      /** Whether `onRecord` took it. */
      readonly recordDelivery: 'no-sink' | 'delivered' | 'failed';
    }
  | NotSigned<
      | 'switched-off'
      /** There is no Identity, so that there is nothing that a div could refer to (RFC 8946 section 4). */
      | 'no-identity'
      /** Old and new target are the same. */
      | 'not-retargeted'
      | 'no-usable-number'
    >
  | RefusedSigning<
      | SignatureRefusal
      /** The request is none, or has a number that can be read in two ways. */
      | 'request-invalid'
      /** No PASSporT of the request has the diverting number as its destination. */
      | 'diverted-passport-missing'
      /** The PASSporT that is diverted speaks for another caller than the request says. */
      | 'orig-mismatch'
      /** Several callers are spoken for. */
      | 'orig-ambiguous'
      | 'too-many-identity-headers'
    >;

/**
 */
export function refused<Reason extends string>(
  reason: Reason,
  detail: string,
  more: {
    readonly expected?: string;
    readonly actual?: string;
    readonly retryable?: boolean;
  } = {},
): RefusedSigning<Reason> {
  return {
    status: 'refused',
    reason,
    detail,
    retryable: false,
    ...more,
  };
}

/**
 */
export function notSigned<Reason extends string>(reason: Reason, detail: string): NotSigned<Reason> {
  return { status: 'not-signed', reason, detail };
}

/** Requests also come from JavaScript and from JSON. */
export function isRequest(request: unknown): boolean {
  return typeof request === 'object' && request !== null;
}

/** @internal */
export const NO_REQUEST: RefusedSigning<'request-invalid'> = refused('request-invalid', 'The request is no object.');
