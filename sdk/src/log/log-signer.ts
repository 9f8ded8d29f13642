import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { HopbackError } from '../errors.js';
import { algorithmOf, type LogSigner } from './checkpoint.js';

/**
 * Makes the signer of a log from a private key that this process may hold.
 * @param privateKeyPem - PKCS#8 or SEC 1, Ed25519 or P-256
 * @returns the signer
 * @throws {@link HopbackError} `key-unusable` when the key cannot be read, or is another kind of key
 * @see RFC 8032, RFC 7518 section 3.4
 * @example
 * ```ts
 * console.log(createLogSigner(createTestKey().privateKeyPem).algorithm); // ES256
 * ```
 */
export function createLogSigner(privateKeyPem: string): LogSigner {
  const key = privateKeyOf(privateKeyPem);
  const publicKey = createPublicKey(key);
  const algorithm = algorithmOf(publicKey);
  if (algorithm === undefined) {
    throw new HopbackError('key-unusable', 'The key of a log has to be Ed25519 or P-256.');
  }
  return {
    algorithm,
    publicKey,
    sign: (octets) =>
      algorithm === 'Ed25519' ? sign(null, octets, key) : sign('sha256', octets, { key, dsaEncoding: 'ieee-p1363' }),
  };
}

function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new HopbackError('key-unusable', 'The private key of the log cannot be read: PKCS#8 or SEC 1, PEM.', {
      cause,
    });
  }
}
