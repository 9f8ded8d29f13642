import { createHash, createPublicKey, KeyObject } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { HopbackError } from '../../errors.js';
import { ES256_SIGNATURE_OCTETS, verifyEs256Bytes } from '../es256.js';
import { derToRawSignature } from './der-signature.js';
import { requireP256 } from './p256-key.js';
import type { AsynchronousSigner } from './signer.js';

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

/** Runs a callback once after a delay in milliseconds; the returned function cancels it. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

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
  /** Default {@link DEFAULT_SIGNER_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Default {@link DEFAULT_MAX_IN_FLIGHT}. */
  readonly maxInFlight?: number;
  /**
   * Whether each signature is verified before it is used: under a tenth of a millisecond, little beside a round trip, and it
   * keeps a service whose key was exchanged from spoiling every call. Default true; the first is verified in any case.
   */
  readonly verifyEach?: boolean;
  /** Timers, for tests. Default those of the platform. */
  readonly schedule?: Schedule;
}

/** Why an external signer failed; in `details.reason` of the error. */
export type SignerFailure = 'timeout' | 'threw' | 'malformed-signature' | 'signature-invalid' | 'overloaded';

/**
 * Makes a signer from a key management service, PKCS#11 module or anything else that signs with P-256. Signs once before it
 * is handed out, and verifies that signature, so that a wrong key, encoding or kind of input shows at start-up.
 * @throws {@link HopbackError} `key-unusable` when the public key is not P-256 or the first signature does not verify with it;
 * `invalid-argument` when a bound is not a positive number; `signer-failed` (retryable) when the first signature could not be had
 * @see RFC 7518 section 3.4
 * @example
 * ```ts
 * // the whole of it: examples/sign-external-signer.ts
 * const signer = await createExternalSigner({ publicKey, sign, inputKind: 'sha256-digest', format: 'der' });
 * ```
 */
export async function createExternalSigner(options: ExternalSignerOptions): Promise<AsynchronousSigner> {
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
  const timeoutMs = positive('timeoutMs', options.timeoutMs ?? DEFAULT_SIGNER_TIMEOUT_MS);
  const maxInFlight = positive('maxInFlight', options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT);
  const schedule = options.schedule ?? platformSchedule;
  let inFlight = 0;
  return async (message) => {
    if (inFlight >= maxInFlight) throw failed('overloaded', `${String(maxInFlight)} signatures are under way already.`);
    inFlight += 1;
    try {
      const input = inputKind === 'message' ? message : createHash('sha256').update(message).digest();
      return rawSignature(await withDeadline((signal) => options.sign(input, signal), { timeoutMs, schedule }), format);
    } finally {
      inFlight -= 1;
    }
  };
}

interface Deadline {
  readonly timeoutMs: number;
  readonly schedule: Schedule;
}

function withDeadline(
  work: (signal: AbortSignal) => Uint8Array | Promise<Uint8Array>,
  deadline: Deadline,
): Promise<Uint8Array> {
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = deadline.schedule(() => {
      // Rejecting first: a client that rejects on abort must not win with a reason of its own.
      reject(failed('timeout', `The external signer did not answer within ${String(deadline.timeoutMs)} ms.`));
      controller.abort();
    }, deadline.timeoutMs);
    attempt(work, controller.signal).then(
      (signature) => {
        cancel();
        resolve(signature);
      },
      (cause: unknown) => {
        cancel();
        reject(failed('threw', 'The external signer reported an error.', cause));
      },
    );
  });
}

/** So that a throw is a rejection. */
async function attempt(
  work: (signal: AbortSignal) => Uint8Array | Promise<Uint8Array>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return work(signal);
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

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new HopbackError('invalid-argument', `${name} must be a positive number, not ${String(value)}.`);
}

function failed(reason: SignerFailure, message: string, cause?: unknown): HopbackError {
  return new HopbackError('signer-failed', message, { retryable: true, cause, details: { reason } });
}

const platformSchedule: Schedule = (callback, delayMs) => {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
};
