import { KeyObject, createHash, createPrivateKey, createPublicKey, createSign } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { importJWK, importPKCS8 } from 'jose';
import type { JWK } from 'jose';
import { derToRawSignature } from '../../core/base64url.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { Schedule } from '../../core/runtime/clock.js';
import { withinDeadline } from '../../core/runtime/deadline.js';
import type { Deadline } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';
import { ES256_SIGNATURE_OCTETS, verifyEs256Bytes } from '../es256.js';

/**
 * Whatever holds the private key of a provider and makes ES256 signatures with it. One signer stands for one provider: whoever
 * signs for several has a signer and a certificate for each.
 * @see RFC 7515 section 5.1, 47 CFR 64.6301
 */
export type Signer = {
  /** The only algorithm of a PASSporT. @see RFC 8225 section 8.1 */
  readonly algorithm: 'ES256';
  /** Where the private key is: in this process, or behind a service or device. Goes into the record of each signature. */
  readonly kind: 'local' | 'external';
  /** P-256 public key that belongs to the signatures; compared with the certificate before anything is signed. */
  readonly publicKey: KeyObject;
} & (
  | {
      /** It answers at once, so that no promise stands between a call and its Identity header. */
      readonly synchronous: true;
      /**
       * Signs a JWS signing input.
       * @param signingInput - `header.payload` in base64url, or its octets
       * @returns r and s, 64 octets
       * @throws {@link HopbackError} `signer-failed`
       */
      readonly sign: (signingInput: string | Uint8Array) => Uint8Array;
    }
  | {
      /** Its key is elsewhere: in a key management service, a hardware module. */
      readonly synchronous: false;
      /**
       * Signs a JWS signing input.
       * @param signingInput - `header.payload` in base64url, or its octets
       * @returns r and s, 64 octets; rejects with {@link HopbackError} `signer-failed`
       */
      readonly sign: (signingInput: string | Uint8Array) => Promise<Uint8Array>;
    }
);

/** Of {@link createLocalSigner}. */
export type LocalSigner = Extract<Signer, { readonly synchronous: true }>;

/**
 * Lets a P-256 key pass and no other. A curve spelled out in parameters counts as P-256 only where all of them, the base point
 * included, are those of P-256: OpenSSL gives it the name then, and none otherwise.
 * @see RFC 7518 section 3.4, RFC 5480 section 2.1.1
 */
function requireP256(key: KeyObject, half: 'private' | 'public'): KeyObject {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.type === half && key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return key;
  const found = `${key.type} ${key.asymmetricKeyType ?? 'key'}${curve === undefined ? '' : ` on ${curve}`}`;
  throw new HopbackError('key-unusable', `The ${half} key must be EC P-256 for ES256; this one is a ${found}.`);
}

/** The private key of {@link createLocalSigner}: a PEM text or a JWK. */
export type LocalSignerOptions =
  | {
      /** PKCS#8 (`PRIVATE KEY`), encrypted PKCS#8 (`ENCRYPTED PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`), P-256. */
      readonly privateKeyPem: string;
      /** Of an encrypted PEM. */
      readonly passphrase?: string;
    }
  | {
      /** `kty` EC, `crv` P-256, with `d`. */
      readonly privateKeyJwk: Readonly<Record<string, unknown>>;
    };

/**
 * Makes a signer from a private key that this process may hold. The key is imported once; every signature is one synchronous
 * call with the imported key.
 * @param options - the key, P-256
 * @returns the signer; its `sign` throws {@link HopbackError} `signer-failed` when the platform refuses
 * @throws {@link HopbackError} `key-unusable` when the key cannot be read, is not P-256, or its halves do not belong together
 * @see RFC 7518 section 3.4, RFC 5958, RFC 5915
 * @example
 * ```ts
 * const { privateKeyPem } = createTestKey();
 * const signer = await createLocalSigner({ privateKeyPem });
 * console.log(signer.sign('header.payload').length); // 64
 * ```
 */
export async function createLocalSigner(
  options: LocalSignerOptions,
): Promise<Extract<Signer, { readonly synchronous: true }>> {
  const key = requireP256(await importKey(options), 'private');
  const publicKey = createPublicKey(key);
  const parameters = { key, dsaEncoding: 'ieee-p1363' } as const;
  const signer: LocalSigner = {
    algorithm: 'ES256',
    kind: 'local',
    synchronous: true,
    publicKey,
    sign(signingInput) {
      // The other way through Node, `sign`, would want octets: this one takes the text as it is, as its UTF-8.
      const signature = createSign('sha256');
      try {
        if (typeof signingInput === 'string') signature.update(signingInput, 'utf8');
        else signature.update(signingInput);
        return signature.sign(parameters);
      } catch (cause) {
        throw new HopbackError('signer-failed', 'The local key did not sign; load it again.', { cause });
      }
    },
  };
  proveKeyPair(signer);
  return signer;
}

const isPlainPkcs8 = (pem: string): boolean =>
  pem.startsWith('-----BEGIN PRIVATE KEY-----') && pem.indexOf('-----BEGIN ', 1) < 0;

async function importKey(options: LocalSignerOptions): Promise<KeyObject> {
  try {
    if ('privateKeyJwk' in options) return await importPrivateJwk(options.privateKeyJwk);
    const pem = options.privateKeyPem.trim();
    if (isPlainPkcs8(pem)) return KeyObject.from(await importPKCS8(pem, 'ES256', { extractable: false }));
    // SEC 1, encrypted keys and files with other blocks around the key are beyond Web Crypto.
    return createPrivateKey({ key: pem, format: 'pem', passphrase: options.passphrase });
  } catch (cause) {
    throw unusable('The private key cannot be read: it must be a P-256 key as PKCS#8 or SEC 1 PEM or as a JWK.', cause);
  }
}

async function importPrivateJwk(jwk: JWK): Promise<KeyObject> {
  const key = await importJWK({ ...jwk, ext: false }, 'ES256');
  if (key instanceof Uint8Array) throw new TypeError('a symmetric key signs no PASSporT');
  return KeyObject.from(key);
}

/** A JWK states its public half apart from `d`, so that the two may not belong together: signatures would verify nowhere. */
function proveKeyPair(signer: LocalSigner): void {
  const challenge = Buffer.from('hopback key pair');
  if (verifyEs256Bytes(signer.publicKey, challenge, signer.sign(challenge))) return;
  throw unusable('The public half of the key (x, y) does not belong to its private half (d).');
}

const unusable = (message: string, cause?: unknown): HopbackError =>
  new HopbackError('key-unusable', message, { cause });

/** Longest time that a signature may be given, milliseconds: no INVITE waits for a minute. */
export const MAX_SIGNER_TIMEOUT_MS = 60_000;

/** Makes a deadline out of settings. */
export function deadlineOf(name: string, timeoutMs: number, schedule: Schedule = MACHINE_CLOCK.schedule): Deadline {
  if (timeoutMs > 0 && timeoutMs <= MAX_SIGNER_TIMEOUT_MS) return { timeoutMs, schedule };
  throw new HopbackError(
    'invalid-argument',
    `${name} must be more than 0 and at most ${String(MAX_SIGNER_TIMEOUT_MS)} ms, not ${String(timeoutMs)}.`,
  );
}

/**
 * How long one signature may take, milliseconds. Ringing is expected within about two seconds of dialling; a signature that
 * takes longer than a quarter of that had better be given up, and the call sent on without.
 */
export const DEFAULT_SIGNER_TIMEOUT_MS = 500;

/**
 * How many signatures may be under way at once. A service that answers in 50 ms then signs 5,000 calls a second; when it
 * hangs, no more than this waits for it.
 */
export const DEFAULT_MAX_IN_FLIGHT = 256;

/** Settings of {@link createExternalSigner}. */
export interface ExternalSignerOptions {
  /**
   * Signs with the key that lies elsewhere.
   * @param input - the message, or its SHA-256 (32 octets), as `inputKind` says
   * @param signal - aborted when the time is over
   */
  readonly sign: (input: Uint8Array, signal: AbortSignal) => Uint8Array | Promise<Uint8Array>;
  /** The public half: a key object, a PEM (`PUBLIC KEY`) or a JWK. P-256. */
  readonly publicKey: KeyObject | string | JsonWebKey;
  /** How signatures come: `der` (`Ecdsa-Sig-Value`) or `raw` (r and s, 64 octets). */
  readonly format: 'der' | 'raw';
  /** What `sign` is given. */
  readonly inputKind: 'message' | 'sha256-digest';
  /** Milliseconds for one signature, at most 60,000. Default 500. */
  readonly timeoutMs?: number;
  /** Signatures under way at once, a whole number from 1. Default 256. */
  readonly maxInFlight?: number;
  /**
   * Whether each signature is verified before it is used: under a tenth of a millisecond, little beside a round trip, and it
   * keeps a service whose key was exchanged from spoiling every call. Default true; the first is verified in any case.
   */
  readonly verifyEach?: boolean;
  /** Timers, for tests. Default those of the platform. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
}

/**
 * Makes a signer from a key management service, PKCS#11 module or anything else that signs with P-256. Signs once before it
 * is handed out, and verifies that signature, so that a wrong key, encoding or kind of input shows at start-up.
 * @param options - how to reach the key, and how signatures come from there
 * @returns the signer; its `sign` rejects with {@link HopbackError} `signer-failed`, with a reason (`timeout`, `threw`, `malformed-signature`, `signature-invalid`, `overloaded`) in `details.reason`
 * @throws {@link HopbackError} `key-unusable` when the public key is not P-256 or the first signature does not verify with it;
 * `invalid-argument` when `timeoutMs` or `maxInFlight` is out of bounds; `signer-failed` (retryable) when the first signature could not be had
 * @see RFC 7518 section 3.4
 * @example
 * ```ts
 * // The key of a service of one's own, here in this process.
 * const { sign } = await import('node:crypto');
 * const { privateKey, publicKey } = createTestKey();
 * const signer = await createExternalSigner({
 *   publicKey,
 *   sign: async (message) => sign('sha256', message, privateKey),
 *   inputKind: 'message',
 *   format: 'der',
 *   timeoutMs: 300,
 * });
 * console.log((await signer.sign('header.payload')).length); // 64
 * ```
 */
export async function createExternalSigner(
  options: ExternalSignerOptions,
): Promise<Extract<Signer, { readonly synchronous: false }>> {
  const publicKey = requireP256(importPublicKey(options.publicKey), 'public');
  const signOnce = signatureSource(options);
  const challenge = Buffer.from('hopback signer self-test');
  const first = await signOnce(challenge);
  if (!verifyEs256Bytes(publicKey, challenge, first)) {
    throw new HopbackError(
      'key-unusable',
      'The external signer signs with another key, or signs another input, than it was configured for.',
    );
  }
  return {
    algorithm: 'ES256',
    kind: 'external',
    synchronous: false,
    publicKey,
    async sign(signingInput) {
      const message = typeof signingInput === 'string' ? Buffer.from(signingInput, 'utf8') : signingInput;
      const signature = await signOnce(message);
      if (options.verifyEach !== false && !verifyEs256Bytes(publicKey, message, signature)) {
        throw failed(
          'signature-invalid',
          'The external signer returned a signature that its public key does not verify.',
        );
      }
      return signature;
    },
  };
}

type SignOnce = (message: Uint8Array) => Promise<Uint8Array>;

/** One signature, converted and bounded in time and number. */
function signatureSource(options: ExternalSignerOptions): SignOnce {
  const { inputKind, format } = options;
  const deadline = deadlineOf('timeoutMs', options.timeoutMs ?? DEFAULT_SIGNER_TIMEOUT_MS, options.schedule);
  const maxInFlight = wholeNumber('maxInFlight', options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT);
  let inFlight = 0;
  return async (message) => {
    if (inFlight >= maxInFlight) throw failed('overloaded', `${String(maxInFlight)} signatures are under way already.`);
    inFlight += 1;
    try {
      const input = inputKind === 'message' ? message : createHash('sha256').update(message).digest();
      const answer = await withinDeadline((signal) => options.sign(input, signal), deadline);
      if (answer.status === 'done') return rawSignature(answer.value, format);
      if (answer.status === 'threw') throw failed('threw', 'The external signer reported an error.', answer.cause);
      throw failed('timeout', `The external signer did not answer within ${String(deadline.timeoutMs)} ms.`);
    } finally {
      inFlight -= 1;
    }
  };
}

function rawSignature(answer: unknown, format: 'der' | 'raw'): Uint8Array {
  const problem = 'The external signer returned something that is no ES256 signature';
  if (!(answer instanceof Uint8Array)) throw failed('malformed-signature', `${problem}: not octets.`);
  if (format === 'raw') {
    if (answer.length === ES256_SIGNATURE_OCTETS) return answer;
    throw failed('malformed-signature', `${problem}: ${String(answer.length)} octets, not 64.`);
  }
  const converted = derToRawSignature(answer);
  if (converted.status === 'converted') return converted.signature;
  throw failed('malformed-signature', `${problem} in DER: ${converted.reason}.`);
}

function importPublicKey(key: KeyObject | string | JsonWebKey): KeyObject {
  if (key instanceof KeyObject) return key;
  try {
    return typeof key === 'string' ? createPublicKey(key) : createPublicKey({ key, format: 'jwk' });
  } catch (cause) {
    throw new HopbackError('key-unusable', 'The public key of the external signer cannot be read.', { cause });
  }
}

function wholeNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new HopbackError('invalid-argument', `${name} must be a whole number from 1, not ${String(value)}.`);
}

function failed(reason: string, message: string, cause?: unknown): HopbackError {
  return new HopbackError('signer-failed', message, { retryable: true, cause, details: { reason } });
}
