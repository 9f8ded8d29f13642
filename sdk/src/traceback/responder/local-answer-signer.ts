import { createPublicKey, KeyObject, sign } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, importPKCS8 } from 'jose';
import { HopbackError } from '../../errors.js';
import type { AnswerSigner } from './answer-signer.js';

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
