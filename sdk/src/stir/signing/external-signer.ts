import { KeyObject, createHash, createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { derToRawSignature } from '../../core/base64url.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { Schedule } from '../../core/runtime/clock.js';
import { withinDeadline } from '../../core/runtime/deadline.js';
import type { Deadline } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';
import { ES256_SIGNATURE_OCTETS, verifyEs256Bytes } from '../es256.js';
import { requireP256 } from './p256-key.js';
import type { AsynchronousSigner } from './signer.js';

/** Longest time that a signature may be given, milliseconds: no INVITE waits for a minute. */
export const MAX_SIGNER_TIMEOUT_MS = 60_000;

/**
 * Makes a deadline out of settings.
 * @param name - of the setting, for the message
 * @param timeoutMs - milliseconds, more than 0, at most {@link MAX_SIGNER_TIMEOUT_MS}
 * @param schedule - timers; default those of the platform
 * @returns the deadline
 * @throws {@link HopbackError} `invalid-argument` when the time is out of bounds
 */
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
  /** Milliseconds for one signature, at most {@link MAX_SIGNER_TIMEOUT_MS}. Default {@link DEFAULT_SIGNER_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Signatures under way at once, a whole number from 1. Default {@link DEFAULT_MAX_IN_FLIGHT}. */
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
 * @param options - how to reach the key, and how signatures come from there
 * @returns the signer; its `sign` rejects with {@link HopbackError} `signer-failed`, with a {@link SignerFailure} in `details.reason`
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

function failed(reason: SignerFailure, message: string, cause?: unknown): HopbackError {
  return new HopbackError('signer-failed', message, { retryable: true, cause, details: { reason } });
}
