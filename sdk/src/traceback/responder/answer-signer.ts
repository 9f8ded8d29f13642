import { KeyObject, createHash, createPublicKey, sign } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, createLocalJWKSet, exportJWK, importPKCS8 } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { readBySchema } from '../../core/schema-findings.js';
import {
  ANSWER_RECEIPT_JWS_TYPE,
  AnswerReceipt,
  MAX_ANSWER_JWS_CHARS,
  TRACEBACK_ANSWER_JWS_TYPE,
} from '../../contract/traceback-exchange.js';
import type { TracebackAnswer } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';

/** Verifies a receipt of the platform, and says what it says. Never rejects. */
export type VerifyReceipt = (receipt: string) => Promise<
  | {
      readonly status: 'verified';
      readonly answerId: string;
      readonly answerSha256: string;
      readonly receivedAt: string;
    }
  | { readonly status: 'rejected'; readonly reason: string }
>;

/**
 * Whatever holds the key that a provider signs its answers with. It is another key than the one that signs calls: whoever may sign calls may
 * not speak for the provider, and a key that is revoked for the one goes on for the other.
 * @see RFC 7515
 */
export interface AnswerSigner {
  /** JWS algorithm, `ES256` as a rule. RFC 7518 section 3.1 */
  readonly algorithm: 'ES256' | 'ES384' | 'EdDSA';
  /** Under which name the platform knows the public key, 1 to 256 characters. */
  readonly keyId: string;
  /**
   * Signs the octets of `header.payload`.
   * @returns the signature as a JWS has it: for ES256 r and s, 64 octets
   * @throws {@link HopbackError} `signer-failed`
   */
  readonly sign: (signingInput: Uint8Array) => Promise<Uint8Array>;
}

/**
 * Signs an answer as a compact JWS. The `typ` says what it is, so that no other thing that the provider signed can be taken for it.
 * @param answer - what is said
 * @param signer - with the key that answers are signed with
 * @returns header, payload and signature in base64url, with points between
 * @throws {@link HopbackError} `signer-failed` where the signer refuses; `invalid-argument` for an answer longer than a platform has to take
 * @see RFC 7515 section 7.1, RFC 8725 section 3.11
 * @example
 * ```ts
 * const { privateKeyPem } = createTestKey();
 * const signer = await createLocalAnswerSigner({ privateKeyPem, keyId: 'answers-2026' });
 * const answer: TracebackAnswer = {
 *   format: 'hopback.traceback-answer.1', answerId: 'a-1', requestId: 'r-1', tracebackId: 't-1', revision: 1,
 *   answeredAt: '2026-11-02T16:00:00Z', provider: { name: 'Example Telecom LLC' }, answeredBy: { kind: 'automatic', policyId: 'p' },
 *   finding: { arm: 'not-found' }, searched: { windows: [], keys: [], coverage: [], recordsConsidered: 0 },
 * };
 * console.log((await signAnswer(answer, signer)).split('.').length); // 3
 * ```
 */
export async function signAnswer(answer: TracebackAnswer, signer: AnswerSigner): Promise<string> {
  const header = { alg: signer.algorithm, kid: signer.keyId, typ: TRACEBACK_ANSWER_JWS_TYPE };
  const input = `${base64url(header)}.${base64url(answer)}`;
  let signature: Uint8Array;
  try {
    signature = await signer.sign(Buffer.from(input));
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    throw new HopbackError('signer-failed', 'the signer of answers did not sign', { retryable: true, cause });
  }
  const jws = `${input}.${Buffer.from(signature).toString('base64url')}`;
  if (jws.length <= MAX_ANSWER_JWS_CHARS) return jws;
  throw new HopbackError('invalid-argument', `an answer has at most ${String(MAX_ANSWER_JWS_CHARS)} characters`);
}

/**
 * The hash by which a receipt names what was submitted. Never throws.
 * @param jws - compact JWS of an answer, as it was sent
 * @returns SHA-256 of its characters, lower-case hex
 * @see FIPS 180-4
 * @example
 * ```ts
 * console.log(answerSha256('e30.e30.AA').length); // 64
 * ```
 */
export function answerSha256(jws: string): string {
  return createHash('sha256').update(jws).digest('hex');
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The key of {@link createLocalAnswerSigner}. */
export interface LocalAnswerSignerOptions {
  /** PKCS#8 PEM, P-256. */
  readonly privateKeyPem: string;
  /** Under which name the platform knows the public key, 1 to 256 characters. */
  readonly keyId: string;
  /**
   * Public keys (PEM) or certificates by which calls are signed: this one may be none of them. Whoever holds the key of the switch could
   * otherwise speak for the provider.
   */
  readonly callSigningKeysPem?: readonly string[];
}

/**
 * Makes a signer of answers from a private key that this process may hold.
 * @param options - the key, its name, and the keys that calls are signed with
 * @returns the signer, ES256
 * @throws {@link HopbackError} `key-unusable` where the key cannot be read, is not P-256, or signs calls as well; `invalid-argument` for a name
 * that is none
 * @see RFC 7518 section 3.4, RFC 7638
 * @example
 * ```ts
 * const { privateKeyPem } = createTestKey();
 * const signer = await createLocalAnswerSigner({ privateKeyPem, keyId: 'answers-2026' });
 * console.log(signer.algorithm, (await signer.sign(Buffer.from('header.payload'))).length); // ES256 64
 * ```
 */
export async function createLocalAnswerSigner(options: LocalAnswerSignerOptions): Promise<AnswerSigner> {
  const { privateKeyPem, keyId, callSigningKeysPem = [] } = options;
  if (keyId.length < 1 || keyId.length > 256)
    throw new HopbackError('invalid-argument', 'the name of a key has 1 to 256 characters');
  const key = await privateKeyOf(privateKeyPem);
  const own = await thumbprintOf(createPublicKey(key));
  for (const pem of callSigningKeysPem) {
    if ((await thumbprintOf(publicKeyOf(pem))) !== own) continue;
    throw new HopbackError('key-unusable', 'answers are not signed with a key that signs calls: make another one');
  }
  return {
    algorithm: 'ES256',
    keyId,
    sign: (signingInput) =>
      new Promise((resolve, reject) => {
        sign('sha256', signingInput, { key, dsaEncoding: 'ieee-p1363' }, (cause, signature) => {
          if (cause === null) resolve(signature);
          else reject(new HopbackError('signer-failed', 'the key of answers did not sign', { cause }));
        });
      }),
  };
}

async function privateKeyOf(pem: string): Promise<KeyObject> {
  try {
    return KeyObject.from(await importPKCS8(pem.trim(), 'ES256', { extractable: false }));
  } catch (cause) {
    throw new HopbackError('key-unusable', 'the key of answers cannot be read: it must be a P-256 key as PKCS#8 PEM', {
      cause,
    });
  }
}

function publicKeyOf(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new HopbackError('key-unusable', 'a key that signs calls cannot be read: it must be PEM', { cause });
  }
}

async function thumbprintOf(key: KeyObject): Promise<string> {
  return calculateJwkThumbprint(await exportJWK(key));
}

/** Longest receipt that is looked at. */
const MAX_RECEIPT_CHARS = 8_192;

/**
 * Makes a verifier of the receipts that a platform signs.
 * @param keys - public keys of the platform, as a JWK set (RFC 7517): ES256, ES384 or EdDSA
 * @returns verifies one receipt; never rejects
 * @throws {@link HopbackError} `key-unusable` where the set is none
 * @see RFC 7515 section 5.2, RFC 8725 section 3.11
 * @example
 * ```ts
 * const verify = createReceiptVerifier({ keys: [] });
 * console.log((await verify('a.b.c')).status); // rejected
 * ```
 */
export function createReceiptVerifier(keys: {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}): VerifyReceipt {
  let keySet: ReturnType<typeof createLocalJWKSet>;
  try {
    keySet = createLocalJWKSet(structuredClone(keys) as unknown as JSONWebKeySet);
  } catch (cause) {
    throw new HopbackError('key-unusable', 'the keys of the platform are no JWK set', { cause });
  }
  return async (receipt) => {
    if (receipt.length > MAX_RECEIPT_CHARS) return { status: 'rejected', reason: 'too-long' };
    let payload: unknown;
    try {
      const verified = await compactVerify(receipt, keySet, { algorithms: ['ES256', 'ES384', 'EdDSA', 'Ed25519'] });
      if (verified.protectedHeader.typ !== ANSWER_RECEIPT_JWS_TYPE)
        return { status: 'rejected', reason: 'another-type' };
      payload = JSON.parse(Buffer.from(verified.payload).toString('utf8'));
    } catch {
      return { status: 'rejected', reason: 'signature' };
    }
    const read = readBySchema(AnswerReceipt, payload);
    if (!read.success) return { status: 'rejected', reason: 'unreadable' };
    const { answerId, answerSha256: sha256, receivedAt } = read.data;
    return { status: 'verified', answerId, answerSha256: sha256, receivedAt };
  };
}
