import type { KeyObject } from 'node:crypto';
import type { Spc } from '../../core/terms.js';
import type { Certificate } from '../certificates/certificate.js';
import type { SigningCertificate } from './certificate-source.js';

/** Why a certificate must not be signed under. */
export type CredentialRefusal = 'certificate-expired' | 'certificate-not-yet-valid' | 'key-mismatch' | 'spc-mismatch';

/** A certificate that must not be used, and both values that were compared. */
export interface CredentialProblem {
  readonly reason: CredentialRefusal;
  readonly expected: string;
  readonly actual: string;
}

/** What of a certificate does not depend on the time: worked out once, for every signature under it. */
export interface Credential {
  readonly signingCertificate: SigningCertificate;
  /** Key or SPC that do not belong to the provider; undefined when both do. */
  readonly problem: CredentialProblem | undefined;
  /** When every certificate of the chain is valid, milliseconds since the epoch, both ends included. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Whose certificate it has to be. */
export interface CredentialOwner {
  readonly spc: Spc;
  /** Public key of the signer. */
  readonly publicKey: KeyObject;
}

/**
 * Compares a certificate with the key that would sign and the provider that would be named by the signature.
 * @see RFC 8224 section 4 (authority over the identity), 47 CFR 64.6301 (own certificate), RFC 8226 section 9
 */
export function examineCredential(signingCertificate: SigningCertificate, owner: CredentialOwner): Credential {
  const { certificate, chain } = signingCertificate;
  let notBeforeMs = -Infinity;
  let notAfterMs = Infinity;
  for (const link of chain) {
    notBeforeMs = Math.max(notBeforeMs, link.notBeforeMs);
    notAfterMs = Math.min(notAfterMs, link.notAfterMs);
  }
  return {
    signingCertificate,
    problem: keyProblem(certificate, owner) ?? spcProblem(certificate, owner),
    notBeforeMs,
    notAfterMs,
  };
}

/**
 * Whether a signature may be made under a certificate at an instant.
 * @param nowMs - milliseconds since the epoch
 * @returns undefined when it may, else the problem
 * @see RFC 8224 section 6.1 step 3, RFC 5280 section 4.1.2.5
 */
export function credentialProblem(credential: Credential, nowMs: number): CredentialProblem | undefined {
  if (credential.problem !== undefined) return credential.problem;
  if (nowMs > credential.notAfterMs) {
    return { reason: 'certificate-expired', expected: `not after ${iso(credential.notAfterMs)}`, actual: iso(nowMs) };
  }
  if (nowMs < credential.notBeforeMs) {
    return {
      reason: 'certificate-not-yet-valid',
      expected: `not before ${iso(credential.notBeforeMs)}`,
      actual: iso(nowMs),
    };
  }
  return undefined;
}

function keyProblem(certificate: Certificate, owner: CredentialOwner): CredentialProblem | undefined {
  if (certificate.publicKey.equals(owner.publicKey)) return undefined;
  return {
    reason: 'key-mismatch',
    expected: 'the public key of the signer',
    actual: `the key of certificate ${certificate.sha256}`,
  };
}

function spcProblem(certificate: Certificate, owner: CredentialOwner): CredentialProblem | undefined {
  const spcs = (certificate.tnAuthList ?? []).flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
  if (spcs.includes(owner.spc)) return undefined;
  return { reason: 'spc-mismatch', expected: owner.spc, actual: spcs.length === 0 ? 'no SPC' : spcs.join(', ') };
}

/** Years beyond 9999 are not dates that a certificate can carry, but a clock can be anything. */
function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
