import { hash } from 'node:crypto';
import { encodeBase64Url } from '../../core/base64url.js';
import type { Clock } from '../../core/clock.js';
import type { Spc } from '../../core/terms.js';
import { isHopbackError } from '../../errors.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import { formatIdentityHeader, MAX_IDENTITY_HEADER_CHARS } from '../identity-header.js';
import type { SignatureFacts, SignatureRecord } from './attestation-record.js';
import type { CertificateSource, SigningCertificate } from './certificate-source.js';
import { credentialProblem, examineCredential } from './credential.js';
import type { Credential } from './credential.js';
import { passportHeaderSegment } from './passport-writer.js';
import type { Signer } from './signer.js';
import { refused } from './signing-outcome.js';
import type { RecordDelivery, RefusedSigning, SignatureRefusal } from './signing-outcome.js';

/** One provider's means to sign: its code, key and certificate. */
export interface SigningIdentity {
  readonly spc: Spc;
  readonly signer: Signer;
  readonly certificateSource: CertificateSource;
  readonly clock: Clock;
}

/** A certificate in force that may be signed under, with what is the same for every call under it. */
export interface UsableCredential {
  readonly status: 'usable';
  readonly credential: Credential;
  /** Header segments by PASSporT type, base64url. */
  readonly headerSegments: Readonly<Record<'shaken' | 'div', string>>;
  readonly nowMs: number;
}

/** A signing input and what will be written around its signature. */
export interface TokenDraft {
  readonly ppt: 'shaken' | 'div';
  readonly signingInput: string;
  readonly credential: UsableCredential;
}

/** A signed token and its Identity header value. */
export interface SignedToken {
  readonly status: 'signed';
  readonly token: string;
  readonly identityHeader: string;
}

/**
 * Looks up the certificate in force, at every signature anew; what does not depend on the time is worked out once per certificate.
 * @returns a function that gives the credential, or why nothing may be signed now
 */
export function credentialInForce(
  identity: SigningIdentity,
): () => UsableCredential | RefusedSigning<SignatureRefusal> {
  const owner = { spc: identity.spc, publicKey: identity.signer.publicKey };
  let last: Omit<UsableCredential, 'status' | 'nowMs'> | undefined;
  return () => {
    const current = identity.certificateSource.current();
    if (current === undefined) {
      return refused('no-certificate', 'There is no certificate to sign under.', { retryable: true });
    }
    if (last?.credential.signingCertificate !== current) last = examined(current, owner);
    const nowMs = identity.clock.nowMs();
    const problem = credentialProblem(last.credential, nowMs);
    if (problem === undefined) return { status: 'usable', ...last, nowMs };
    const { reason, expected, actual } = problem;
    return refused(reason, CREDENTIAL_DETAIL[reason], { expected, actual });
  };
}

/** Puts a payload behind the header of its type. @param payloadText - canonical JSON */
export function draftToken(credential: UsableCredential, ppt: 'shaken' | 'div', payloadText: string): TokenDraft {
  return { ppt, credential, signingInput: `${credential.headerSegments[ppt]}.${encodeBase64Url(payloadText)}` };
}

/** Signs at once where the signer can. Never throws. */
export function signTokenNow(signer: Signer, draft: TokenDraft): SignedToken | RefusedSigning<SignatureRefusal> {
  if (!signer.synchronous) {
    return refused('signer-is-asynchronous', 'The key is behind a service; ask for a promise instead.');
  }
  try {
    return finishToken(draft, signer.sign(draft.signingInput));
  } catch (cause) {
    return signerFailed(cause);
  }
}

/** Signs with any signer. Never rejects. */
export async function signToken(
  signer: Signer,
  draft: TokenDraft,
): Promise<SignedToken | RefusedSigning<SignatureRefusal>> {
  if (signer.synchronous) return signTokenNow(signer, draft);
  try {
    return finishToken(draft, await signer.sign(draft.signingInput));
  } catch (cause) {
    return signerFailed(cause);
  }
}

/** What a record says of the signature itself. */
export function signatureFacts(identity: SigningIdentity, draft: TokenDraft): SignatureFacts {
  const { certificate, x5u } = draft.credential.credential.signingCertificate;
  return {
    spc: identity.spc,
    signedAtMs: draft.credential.nowMs,
    signingInputSha256: hash('sha256', draft.signingInput),
    certificateSha256: certificate.sha256,
    x5u,
    signerKind: identity.signer.kind,
  };
}

/** Hands a record to the sink; whatever the sink does, the call goes on. */
export function deliverRecord(
  sink: ((record: SignatureRecord) => void) | undefined,
  record: SignatureRecord,
): RecordDelivery {
  if (sink === undefined) return 'no-sink';
  try {
    const returned: unknown = sink(record);
    // An async function fits the type of a sink; its rejection would end the process.
    if (returned instanceof Promise) returned.catch(() => undefined);
    return 'delivered';
  } catch {
    return 'failed';
  }
}

const CREDENTIAL_DETAIL = {
  'certificate-expired': 'The certificate, or one above it, has expired.',
  'certificate-not-yet-valid': 'The certificate, or one above it, is not valid yet.',
  'key-mismatch': 'The key of the signer is not the key of the certificate.',
  'spc-mismatch': 'The certificate is not one of this provider.',
} as const satisfies Partial<Record<SignatureRefusal, string>>;

function examined(
  current: SigningCertificate,
  owner: Parameters<typeof examineCredential>[1],
): Omit<UsableCredential, 'status' | 'nowMs'> {
  const { x5u } = current;
  const headerSegments = { shaken: passportHeaderSegment('shaken', x5u), div: passportHeaderSegment('div', x5u) };
  return { credential: examineCredential(current, owner), headerSegments };
}

function finishToken(draft: TokenDraft, signature: Uint8Array): SignedToken | RefusedSigning<SignatureRefusal> {
  if (signature.length !== ES256_SIGNATURE_OCTETS) {
    const lengths = {
      expected: `${String(ES256_SIGNATURE_OCTETS)} octets`,
      actual: `${String(signature.length)} octets`,
    };
    return refused('signer-failed', 'The signer returned something that is no ES256 signature.', lengths);
  }
  const token = `${draft.signingInput}.${encodeBase64Url(signature)}`;
  const { x5u } = draft.credential.credential.signingCertificate;
  const identityHeader = formatIdentityHeader({ token, info: x5u, ppt: draft.ppt });
  if (identityHeader.length <= MAX_IDENTITY_HEADER_CHARS) return { status: 'signed', token, identityHeader };
  const lengths = { expected: `at most ${String(MAX_IDENTITY_HEADER_CHARS)}`, actual: String(identityHeader.length) };
  return refused('identity-header-too-long', 'Verifiers would not look at an Identity header of this length.', lengths);
}

function signerFailed(cause: unknown): RefusedSigning<SignatureRefusal> {
  if (!isHopbackError(cause)) return refused('signer-failed', 'The signer failed.', { retryable: true });
  const { reason } = cause.details;
  return refused('signer-failed', cause.message, {
    retryable: cause.retryable,
    ...(typeof reason === 'string' ? { actual: reason } : undefined),
  });
}
