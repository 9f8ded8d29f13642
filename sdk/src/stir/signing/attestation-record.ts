import type { Spc } from '../../core/terms.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import type { ShakenClaims } from '../passport-types/shaken.js';
import type { AttestationDecision } from './attestation-policy.js';
import type { Signer } from './signer.js';

/** Who signed what, with which certificate. */
export interface SignatureFacts {
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
}

/**
 * The decision behind one attestation, kept beside the signature: a third party may hold the key, but the provider decides, under
 * its own certificate, and must be able to show how. Plain JSON; holds telephone numbers.
 * @see 47 CFR 64.6301, 90 FR 40241
 */
export interface AttestationRecord {
  /** Name and version of this shape. */
  readonly format: 'hopback.attestation-record.1';
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
  /** Who signed, when and under which certificate. */
  readonly signature: SignatureFacts;
}

/** Claims of a div PASSporT that was made. @see RFC 8946 section 3 */
export interface DiversionClaims {
  /** As signed by the PASSporT below, to the letter. */
  readonly orig: PassportParty;
  /** The number that diverted the call, canonical. */
  readonly divTn: string;
  /** The new target. */
  readonly dest: PassportParty;
  /** Time of issue, seconds since the epoch. */
  readonly iatSeconds: number;
}

/** What is kept of a div signature. There is nothing to attest: the caller's PASSporT stands. @see RFC 8946 */
export interface DiversionRecord {
  /** Name and version of this shape. */
  readonly format: 'hopback.attestation-record.1';
  /** Type of the PASSporT that was signed. */
  readonly ppt: 'div';
  /** What was signed. */
  readonly claims: DiversionClaims;
  /** Who signed, when and under which certificate. */
  readonly signature: SignatureFacts;
}

/** Either kind of record, told apart by `ppt`. */
export type SignatureRecord = AttestationRecord | DiversionRecord;
