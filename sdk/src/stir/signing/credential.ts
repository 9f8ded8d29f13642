import type { KeyObject } from 'node:crypto';
import type { Spc } from '../../core/terms.js';
import type { Certificate } from '../certificates/certificate.js';
import { createPathMemory, extendPath, startPath } from '../certificates/path-checks.js';
import type { PathRules } from '../certificates/path-checks.js';
import type { PathFailure, PathFailureReason } from '../certificates/path.js';
import { DEFAULT_SIGNATURE_ALGORITHMS } from '../certificates/signed-object.js';
import type { SigningCertificate } from './certificate-source.js';

/** Why a certificate must not be signed under. */
export type CredentialRefusal =
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'key-mismatch'
  | 'spc-mismatch'
  /** Verifiers would refuse it whatever the time: self-signed, wrong key usage, a link that the next did not sign. */
  | 'certificate-unsuitable';

/** A certificate that must not be used, and both values that were compared. */
export interface CredentialProblem {
  readonly reason: CredentialRefusal;
  /** What the certificate would have to be. */
  readonly expected: string;
  /** What it is. */
  readonly actual: string;
}

/** What of a certificate does not depend on the time: worked out once, for every signature under it. */
export interface Credential {
  readonly signingCertificate: SigningCertificate;
  /** Key, SPC or certificate that must not be used at any time; undefined when all may. */
  readonly problem: CredentialProblem | undefined;
  /** From when every certificate of the chain is valid, milliseconds since the epoch, included. */
  readonly notBeforeMs: number;
  /** Until when every certificate of the chain is valid, milliseconds since the epoch, included. */
  readonly notAfterMs: number;
}

/** Whose certificate it has to be. */
export interface CredentialOwner {
  /** 1 to 15 characters of `0-9A-Z`; the TNAuthList of the certificate must have it. */
  readonly spc: Spc;
  /** Public key of the signer, P-256. */
  readonly publicKey: KeyObject;
}

/**
 * Compares a certificate with the key that would sign and the provider that would be named by the signature, and makes the checks
 * that every verifier will make and that no later time changes: key usage, critical extensions, each link signed by the next.
 * @param signingCertificate - certificate and chain, end entity first
 * @param owner - whose certificate it has to be
 * @returns the credential, with its problem where it has one; never throws for what certificates hold
 * @see RFC 8224 section 4 (authority over the identity), 47 CFR 64.6301 (own certificate), RFC 8226 section 9, RFC 5280 section 6.1
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
    problem: keyProblem(certificate, owner) ?? spcProblem(certificate, owner) ?? chainProblem(signingCertificate),
    notBeforeMs,
    notAfterMs,
  };
}

/**
 * Whether a signature may be made under a certificate at an instant.
 * @param credential - from {@link examineCredential}
 * @param nowMs - milliseconds since the epoch; what is no number is no time at which a certificate is valid
 * @returns undefined when it may, else the problem; never throws
 * @see RFC 8224 section 6.1 step 3, RFC 5280 section 4.1.2.5
 */
export function credentialProblem(credential: Credential, nowMs: number): CredentialProblem | undefined {
  if (credential.problem !== undefined) return credential.problem;
  // Written so that NaN, which compares as false with everything, is refused.
  if (!(nowMs <= credential.notAfterMs)) {
    return { reason: 'certificate-expired', expected: `not after ${iso(credential.notAfterMs)}`, actual: iso(nowMs) };
  }
  if (!(nowMs >= credential.notBeforeMs)) {
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

/** The path checks of verification over the chain as published, but for dates, revocation and the anchor above it. */
function chainProblem({ certificate, chain }: SigningCertificate): CredentialProblem | undefined {
  const [target, ...issuers] = chain;
  if (target?.sha256 !== certificate.sha256) {
    return unsuitable('the certificate first in its chain', target?.sha256 ?? 'an empty chain');
  }
  // A root may vouch for itself, whoever signs calls may not.
  if (isSelfIssued(target)) return unsuitable('a certificate of another issuer', 'a self-signed certificate');
  const memory = createPathMemory(DEFAULT_SIGNATURE_ALGORITHMS);
  const rules: PathRules = { ...TIMELESS_RULES, atMs: target.notBeforeMs, memory };
  let path = startPath(target, rules);
  for (const [at, issuer] of issuers.entries()) {
    path = extendPath(path, issuer, { ...rules, isAnchor: at === issuers.length - 1 && isSelfIssued(issuer) });
  }
  const failure = path.failures.find(({ reason }) => !OF_THE_HOUR.has(reason));
  return failure === undefined ? undefined : unsuitable(expectedOf(failure), actualOf(failure));
}

const TIMELESS_RULES: Omit<PathRules, 'atMs' | 'memory'> = {
  purpose: 'passport',
  algorithms: DEFAULT_SIGNATURE_ALGORITHMS,
  revocation: () => ({ status: 'unknown', detail: 'not looked at before signing' }),
};

/** Asked at every signature instead. */
const OF_THE_HOUR: ReadonlySet<PathFailureReason> = new Set(['certificate-expired', 'certificate-not-yet-valid']);

const isSelfIssued = ({ issuer, subject }: Certificate): boolean => issuer.canonical === subject.canonical;

const unsuitable = (expected: string, actual: string): CredentialProblem => ({
  reason: 'certificate-unsuitable',
  expected,
  actual,
});

const expectedOf = ({ expected }: PathFailure): string =>
  expected === undefined ? 'a chain that verifiers accept' : String(expected);

const actualOf = ({ reason, certificateSha256, actual }: PathFailure): string =>
  `${reason}${actual === undefined ? '' : ` (${String(actual)})`} of certificate ${certificateSha256}`;

/** Years beyond 9999 are not dates that a certificate can carry, but a clock can be anything. */
function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
