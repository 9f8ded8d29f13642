import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import type { KeyRing } from './key-ring.js';
import { createRandomPool } from './random-pool.js';

/** Octets of a nonce of AES-GCM. NIST SP 800-38D section 8.2.2: random ones for at most 2^32 values of a key, far from here. */
const NONCE_BYTES = 12;
/** Octets of its tag. */
const TAG_BYTES = 16;

const random = createRandomPool();

/** A text that was encrypted: key, nonce, and the rest with its tag. */
export interface EncryptedText {
  readonly keyId: string;
  /** Base64. */
  readonly nonce: string;
  /** Base64. */
  readonly ciphertext: string;
}

/** Encrypts with the current key: AES-256-GCM under a random nonce. */
export function encryptText({ current }: KeyRing, text: string, boundTo: string): EncryptedText {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', current.key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(`${current.id}\n${boundTo}`, 'utf8'));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { keyId: current.id, nonce: Buffer.from(nonce).toString('base64'), ciphertext: ciphertext.toString('base64') };
}

/** @throws HopbackError `key-unusable` without its key; `log-inconsistent` where it is not what was encrypted */
export function decryptText({ keys }: KeyRing, encrypted: EncryptedText, boundTo: string): string {
  const { keyId, nonce, ciphertext } = encrypted;
  const key = keys.get(keyId);
  if (key === undefined) {
    const details = { keyId };
    throw new HopbackError('key-unusable', 'a value is encrypted with a key that is not in the key ring', { details });
  }
  const octets = Buffer.from(ciphertext, 'base64');
  try {
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', key.key, Buffer.from(nonce, 'base64'), options);
    decipher.setAAD(Buffer.from(`${key.id}\n${boundTo}`, 'utf8'));
    decipher.setAuthTag(octets.subarray(-TAG_BYTES));
    return `${decipher.update(octets.subarray(0, -TAG_BYTES), undefined, 'utf8')}${decipher.final('utf8')}`;
  } catch (cause) {
    throw new HopbackError('log-inconsistent', 'an encrypted value is not what was encrypted: somebody changed it', {
      cause,
    });
  }
}

/** A key for one purpose: what is told of the one says nothing of another. */
export const derivedKey = (key: Uint8Array, purpose: string): Buffer =>
  createHmac('sha256', key).update(`hopback-platform-1 ${purpose}`).digest();
