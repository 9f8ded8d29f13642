import { hash } from 'node:crypto';
import { encodeBase64Url } from '../../core/base64url.js';
import type { JsonObject, JsonValue } from '../../core/json-text.js';
import { MACHINE_CLOCK, timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { tell, withinDeadline } from '../../core/runtime/deadline.js';
import type { Deadline } from '../../core/runtime/deadline.js';
import type { Spc } from '../../core/telephone-number.js';
import { isHopbackError } from '../../errors.js';
import type { JwtClaimConstraints } from '../certificates/certificate.js';
import { ES256_SIGNATURE_OCTETS, verifyEs256 } from '../es256.js';
import { MAX_IDENTITY_HEADER_CHARS, formatIdentityHeader } from '../identity-header.js';
import { divPayload } from '../passport-types/div.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import type { ShakenClaims } from '../passport-types/shaken.js';
import { canonicalJson } from '../passport.js';
import { credentialProblem, examineCredential } from './certificate-source.js';
import type { PartyOptions } from '../verification/request.js';
import type { AttestationPolicy } from './attestation-policy.js';
import type { CertificateSource, Credential, SigningCertificate } from './certificate-source.js';
import type { Signer } from './signer.js';
import { refused } from './signing-outcome.js';
import type { RefusedSigning, SignatureRecord, SignatureRefusal } from './signing-outcome.js';

/** What of a certificate's claim constraints concerns PASSporTs of one type; worked out once per certificate. */
interface ClaimLimits {
  /** Why no PASSporT of the type fits the certificate: a claim that it never has, or always; undefined when some can. */
  readonly always: ClaimViolation | undefined;
  /** Claims of the type that may have certain values only; empty for nearly every certificate. */
  readonly permittedValues: JwtClaimConstraints['permittedValues'];
}

/** Both values of a claim that the certificate does not permit. Free of telephone numbers. */
interface ClaimViolation {
  readonly expected: string;
  readonly actual: string;
}

/**
 * Works out what the constraints of a certificate mean for the PASSporTs of one type, whose claims are always the same.
 * @see RFC 8226 section 8, RFC 9118 section 4
 */
function claimLimits(constraints: JwtClaimConstraints | undefined, claims: readonly string[]): ClaimLimits {
  if (constraints === undefined) return NO_LIMITS;
  const missing = constraints.mustInclude.find((claim) => !claims.includes(claim));
  const excluded = constraints.mustExclude.find((claim) => claims.includes(claim));
  const always =
    missing !== undefined
      ? { expected: `${missing} present`, actual: 'absent' }
      : excluded !== undefined
        ? { expected: `${excluded} absent`, actual: 'present' }
        : undefined;
  return { always, permittedValues: constraints.permittedValues.filter(({ claim }) => claims.includes(claim)) };
}

/** Compares the claims of a PASSporT with the values that its certificate permits, as verifiers do. @see RFC 8226 section 8 */
function claimViolation(
  permittedValues: ClaimLimits['permittedValues'],
  payload: Readonly<Record<string, JsonValue>>,
): ClaimViolation | undefined {
  for (const { claim, permitted } of permittedValues) {
    const value = payload[claim];
    if (value === undefined || permitted.includes(claimText(value))) continue;
    // Other claims hold telephone numbers, which no outcome repeats.
    return claim === 'attest'
      ? { expected: `attest ${permitted.join(' or ')}`, actual: claimText(value) }
      : { expected: `a value of ${claim} that the certificate permits`, actual: 'another one' };
  }
  return undefined;
}

const NO_LIMITS: ClaimLimits = { always: undefined, permittedValues: [] };

const claimText = (value: JsonValue): string => (typeof value === 'string' ? value : canonicalJson(value));

/**
 * The payload of a SHAKEN PASSporT as it is signed: what `canonicalJson(shakenPayload(claims))` gives, put together by hand since
 * this is done for every call.
 * @returns canonical JSON
 * @see RFC 8588 section 6, RFC 8225 section 9
 */
export function shakenPayloadText(claims: ShakenClaims): string {
  const { attestation, destTn, destUri, iatSeconds, origTn, origId } = claims;
  const tn = destTn.length === 0 ? '' : `"tn":["${destTn.join('","')}"]`;
  const uri = destUri === undefined ? '' : `${tn === '' ? '' : ','}"uri":${JSON.stringify(destUri)}`;
  return `{"attest":"${attestation}","dest":{${tn}${uri}},"iat":${String(iatSeconds)},"orig":{"tn":"${origTn}"},"origid":${JSON.stringify(origId)}}`;
}

/** What a div says. */
export type DiversionClaims = Extract<SignatureRecord, { readonly ppt: 'div' }>['claims'];

/** The payload of a div PASSporT as it is signed. @see RFC 8946 section 3, RFC 8225 section 9 */
export function divPayloadText(claims: DiversionClaims): string {
  const { orig, dest, divTn, iatSeconds } = claims;
  const payload = divPayload({ origTn: '', destTn: [], divTn, iatSeconds });
  return canonicalJson({ ...payload, orig: party(orig), dest: { [dest.kind]: [dest.value] } });
}

const party = (value: PassportParty): Readonly<Record<string, string>> => ({ [value.kind]: value.value });

/** Settings of {@link AuthenticationService}. */
export interface AuthenticationServiceOptions extends Partial<PartyOptions> {
  /** Service provider code, 1 to 15 characters of `0-9A-Z`; the certificate must have it. */
  readonly spc: Spc;
  /** Holds the private key of the certificate. */
  readonly signer: Signer;
  /** Asked for the certificate at every signature. */
  readonly certificateSource: CertificateSource;
  /** Says when a call is signed; nothing is signed while it gives no time. Default: the machine's. */
  readonly clock?: Clock;
  /** Decides the attestation of each call. */
  readonly policy: AttestationPolicy;
  /** A new UUID each time: the origid of a call that brings none. Default `randomUUID` of `node:crypto`. */
  readonly randomUuid?: () => string;
  /**
   * Whether calls to emergency numbers are signed. Default `do-not-sign`: such a call must reach its destination whatever
   * becomes of its signature, and its own PASSporT type speaks for it. @see RFC 9027
   */
  readonly emergencyCalls?: 'do-not-sign' | 'sign';
  /** Gets the record of each signature, before the outcome is returned. What it throws is dropped and noted in the outcome. */
  readonly onRecord?: (record: SignatureRecord) => void;
  /**
   * How long `sign` and `signDiversion` wait for a signer that is asynchronous, milliseconds, at most 60,000; the
   * signer's own time, where it has one, goes on beside it. Default 5,000.
   */
  readonly signerTimeoutMs?: number;
  /** Timers for that, for tests. Default those of the platform. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
}

/** A certificate in force that may be signed under, with what is the same for every call under it. */
export interface UsableCredential extends ExaminedCredential {
  readonly status: 'usable';
  /** Milliseconds since the epoch, finite and positive. */
  readonly nowMs: number;
}

/** What is worked out once per certificate. */
interface ExaminedCredential {
  readonly credential: Credential;
  /** Header segments by PASSporT type, base64url. */
  readonly headerSegments: Readonly<Record<'shaken' | 'div', string>>;
  /** What the certificate lets PASSporTs of each type say. */
  readonly limits: Readonly<Record<'shaken' | 'div', ClaimLimits>>;
  /** Whether a signature was seen to verify with the key of the certificate. */
  readonly proof: { isGood: boolean };
}

/** A signing input and what will be written around its signature. */
export interface TokenDraft {
  readonly status: 'token-draft';
  readonly ppt: 'shaken' | 'div';
  /** `header.payload`, base64url. */
  readonly signingInput: string;
  readonly credential: UsableCredential;
}

/** A signed token and its Identity header value. */
export interface SignedToken {
  readonly status: 'signed';
  /** Compact JWS, full form. */
  readonly token: string;
  /** Value of the Identity header field. */
  readonly identityHeader: string;
}

/**
 * Looks up the certificate in force, at every signature anew; what does not depend on the time is worked out once per certificate.
 * @returns a function that gives the credential, or why nothing may be signed now; it never throws, whatever source and clock do
 * @see RFC 8224 section 6.1
 */
export function credentialInForce(
  identity: AuthenticationServiceOptions,
): () => UsableCredential | RefusedSigning<SignatureRefusal> {
  const owner = { spc: identity.spc, publicKey: identity.signer.publicKey };
  let last: ExaminedCredential | undefined;
  return () => {
    try {
      const current = identity.certificateSource.current();
      if (current === undefined) return NO_CERTIFICATE;
      if (last?.credential.signingCertificate !== current) last = examined(current, owner);
    } catch {
      return SOURCE_FAILED;
    }
    const nowMs = timeOf(identity.clock ?? MACHINE_CLOCK);
    if (nowMs === undefined) return NO_TIME;
    const problem = credentialProblem(last.credential, nowMs);
    if (problem === undefined) {
      const { credential, headerSegments, limits, proof } = last;
      return {
        status: 'usable',
        credential,
        headerSegments,
        limits,
        proof,
        nowMs,
      };
    }
    const { reason, expected, actual } = problem;
    return refused(reason, CREDENTIAL_DETAIL[reason], { expected, actual });
  };
}

/** Puts a payload behind the header of its type, where the certificate permits its claims. @see RFC 8225 section 9, RFC 8226 section 8 */
export function draftToken(
  credential: UsableCredential,
  ppt: 'shaken' | 'div',
  payloadText: string,
): TokenDraft | RefusedSigning<'claim-constraint'> {
  const { always, permittedValues } = credential.limits[ppt];
  // Nearly no certificate has constraints: nothing is parsed for those that have none.
  const violation =
    always ??
    (permittedValues.length === 0 ? undefined : claimViolation(permittedValues, JSON.parse(payloadText) as JsonObject));
  if (violation !== undefined) return constraintRefusal(violation);
  const signingInput = `${credential.headerSegments[ppt]}.${encodeBase64Url(payloadText)}`;
  return { status: 'token-draft', ppt, credential, signingInput };
}

/** What stands in the way of every call, as far as the service itself goes. */
export function obstacleOf(
  credential: UsableCredential | RefusedSigning<SignatureRefusal>,
): RefusedSigning<SignatureRefusal> | undefined {
  if (credential.status === 'refused') return credential;
  const { always } = credential.limits.shaken;
  return always === undefined ? undefined : constraintRefusal(always);
}

/** Signs at once where the signer can. */
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

/** Signs with any signer, and gives up on one that does not answer. */
export async function signToken(
  { signer, deadline }: { readonly signer: Signer; readonly deadline: Deadline },
  draft: TokenDraft,
): Promise<SignedToken | RefusedSigning<SignatureRefusal>> {
  if (signer.synchronous) return signTokenNow(signer, draft);
  const answer = await withinDeadline(() => signer.sign(draft.signingInput), deadline);
  if (answer.status === 'threw') return signerFailed(answer.cause);
  if (answer.status === 'late') {
    const waited = { expected: `within ${String(deadline.timeoutMs)} ms`, actual: 'timeout', retryable: true };
    return refused('signer-failed', 'The signer did not answer in time.', waited);
  }
  try {
    return finishToken(draft, answer.value);
  } catch (cause) {
    return signerFailed(cause);
  }
}

const NO_CERTIFICATE = refused('no-certificate', 'There is no certificate to sign under.', { retryable: true });
const SOURCE_FAILED = refused('no-certificate', 'The certificate source failed.', { retryable: true });
const NO_TIME = refused('clock-invalid', 'The clock gives no time to sign at.', {
  expected: 'milliseconds since the epoch',
  retryable: true,
});

const CREDENTIAL_DETAIL = {
  'certificate-expired': 'The certificate, or one above it, has expired.',
  'certificate-not-yet-valid': 'The certificate, or one above it, is not valid yet.',
  'key-mismatch': 'The key of the signer is not the key of the certificate.',
  'spc-mismatch': 'The certificate is not one of this provider.',
  'certificate-unsuitable': 'Verifiers would refuse the certificate or its chain.',
} as const satisfies Partial<Record<SignatureRefusal, string>>;

/** Claims that every PASSporT of a type has, and no others. @see RFC 8588 section 6, RFC 8946 section 3 */
const CLAIMS = {
  shaken: ['attest', 'dest', 'iat', 'orig', 'origid'],
  div: ['dest', 'div', 'iat', 'orig'],
} as const;

function examined(current: SigningCertificate, owner: Parameters<typeof examineCredential>[1]): ExaminedCredential {
  const { certificate, x5u } = current;
  const constraints = certificate.jwtClaimConstraints;
  // @see RFC 8225 section 4, RFC 8588 section 4, RFC 8946 section 3
  const headerSegment = (ppt: string): string =>
    encodeBase64Url(canonicalJson({ alg: 'ES256', ppt, typ: 'passport', x5u }));
  return {
    credential: examineCredential(current, owner),
    headerSegments: { shaken: headerSegment('shaken'), div: headerSegment('div') },
    limits: { shaken: claimLimits(constraints, CLAIMS.shaken), div: claimLimits(constraints, CLAIMS.div) },
    proof: { isGood: false },
  };
}

const constraintRefusal = (violation: ClaimViolation): RefusedSigning<'claim-constraint'> =>
  refused('claim-constraint', 'The certificate does not permit its holder to say this.', { ...violation });

/** @param signature - whatever the signer returned */
function finishToken(draft: TokenDraft, signature: unknown): SignedToken | RefusedSigning<SignatureRefusal> {
  if (!(signature instanceof Uint8Array) || signature.length !== ES256_SIGNATURE_OCTETS) {
    return noSignature(signature);
  }
  if (!isProven(draft, signature)) {
    const detail = 'The signer made a signature that the key of the certificate does not verify.';
    return refused('signer-failed', detail, { actual: 'signature-invalid' });
  }
  const token = `${draft.signingInput}.${encodeBase64Url(signature)}`;
  const { x5u } = draft.credential.credential.signingCertificate;
  const identityHeader = formatIdentityHeader({ token, info: x5u, ppt: draft.ppt });
  if (identityHeader.length <= MAX_IDENTITY_HEADER_CHARS) return { status: 'signed', token, identityHeader };
  const lengths = { expected: `at most ${String(MAX_IDENTITY_HEADER_CHARS)}`, actual: String(identityHeader.length) };
  return refused('identity-header-too-long', 'Verifiers would not look at an Identity header of this length.', lengths);
}

/**
 * Verifies signatures under a certificate until one is good. A signer that signs with another key, or not at all, shows at the
 * first call; to look at each would double the work of every call.
 */
function isProven({ signingInput, credential }: TokenDraft, signature: Uint8Array): boolean {
  const { proof } = credential;
  if (!proof.isGood) {
    const { publicKey } = credential.credential.signingCertificate.certificate;
    proof.isGood = verifyEs256({ publicKey, signingInput, signature });
  }
  return proof.isGood;
}

function noSignature(answer: unknown): RefusedSigning<'signer-failed'> {
  const actual = answer instanceof Uint8Array ? `${String(answer.length)} octets` : 'no octets';
  const lengths = { expected: `${String(ES256_SIGNATURE_OCTETS)} octets`, actual };
  return refused('signer-failed', 'The signer returned something that is no ES256 signature.', lengths);
}

function signerFailed(cause: unknown): RefusedSigning<SignatureRefusal> {
  if (!isHopbackError(cause)) return refused('signer-failed', 'The signer failed.', { retryable: true });
  const { reason } = cause.details;
  return refused('signer-failed', cause.message, {
    retryable: cause.retryable,
    ...(typeof reason === 'string' ? { actual: reason } : undefined),
  });
}

/** What a record says of the signature itself. */
export function signatureFacts(
  identity: AuthenticationServiceOptions,
  draft: TokenDraft,
): SignatureRecord['signature'] {
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
): 'no-sink' | 'delivered' | 'failed' {
  if (sink === undefined) return 'no-sink';
  return tell(sink, record) ? 'delivered' : 'failed';
}
