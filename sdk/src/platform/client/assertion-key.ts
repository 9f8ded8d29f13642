import { createPrivateKey, KeyObject } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';
import { SignJWT } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import { HopbackError } from '../../errors.js';

/** How assertions are signed. RFC 7518 section 3.1, RFC 8037 section 3.1 */
export type AssertionAlgorithm = 'ES256' | 'ES384' | 'PS256' | 'EdDSA';

/** Signs with a key that is elsewhere: what the stir folder calls a signer is one. */
export interface AssertionSigner {
  readonly algorithm: AssertionAlgorithm;
  /**
   * @param signingInput - `header.payload` in base64url
   * @returns the signature as JWS has it; r and s for ECDSA
   */
  readonly sign: (signingInput: string) => Uint8Array | Promise<Uint8Array>;
}

/** The key of a client: a PEM text (PKCS#8, SEC 1), a private JWK, a key of Node or Web Crypto, or what signs with one that is elsewhere. */
export type AssertionKey = string | JsonWebKey | KeyObject | CryptoKey | AssertionSigner;

/** Signs the claims of one assertion. */
export type SignAssertion = (claims: JWTPayload) => Promise<string>;

/**
 * Makes ready what signs assertions.
 * @throws {@link HopbackError} `key-unusable` when the key cannot be read; rejecting with the same when it does not sign
 */
export function assertionSigning(
  key: AssertionKey,
  { algorithm, keyId }: { readonly algorithm: AssertionAlgorithm; readonly keyId: string },
): SignAssertion {
  const header = { alg: algorithm, kid: keyId, typ: 'JWT' };
  if (isSigner(key)) {
    if (key.algorithm !== algorithm)
      throw new HopbackError('key-unusable', `the signer signs ${key.algorithm}, and ${algorithm} is asked for`);
    return async (claims) => {
      const input = `${base64url(header)}.${base64url(claims)}`;
      return `${input}.${Buffer.from(await key.sign(input)).toString('base64url')}`;
    };
  }
  const imported = importKey(key);
  return async (claims) => {
    try {
      return await new SignJWT(claims).setProtectedHeader(header).sign(imported);
    } catch (cause) {
      throw unusable(`the key of the client does not sign ${algorithm}`, cause);
    }
  };
}

const isSigner = (key: AssertionKey): key is AssertionSigner =>
  typeof key === 'object' && 'sign' in key && typeof key.sign === 'function';

const isKey = (key: Exclude<AssertionKey, AssertionSigner>): key is KeyObject | CryptoKey =>
  typeof key === 'object' && (key instanceof KeyObject || !('kty' in key));

function importKey(key: Exclude<AssertionKey, AssertionSigner>): KeyObject | CryptoKey {
  if (isKey(key)) return key;
  try {
    return typeof key === 'string'
      ? createPrivateKey({ key, format: 'pem' })
      : createPrivateKey({ key, format: 'jwk' });
  } catch (cause) {
    throw unusable('the private key of the client cannot be read: PEM as PKCS#8 or SEC 1, or a private JWK', cause);
  }
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const unusable = (message: string, cause: unknown): HopbackError =>
  new HopbackError('key-unusable', message, { cause });
