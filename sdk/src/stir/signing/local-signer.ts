import { createPrivateKey, createPublicKey, createSign, KeyObject } from 'node:crypto';
import { importJWK, importPKCS8 } from 'jose';
import type { JWK } from 'jose';
import { HopbackError } from '../../errors.js';
import { verifyEs256Bytes } from '../es256.js';
import { requireP256 } from './p256-key.js';
import type { SynchronousSigner } from './signer.js';

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
export async function createLocalSigner(options: LocalSignerOptions): Promise<SynchronousSigner> {
  const key = requireP256(await importKey(options), 'private');
  const publicKey = createPublicKey(key);
  const parameters = { key, dsaEncoding: 'ieee-p1363' } as const;
  const signer: SynchronousSigner = {
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
    return createPrivateKey({ key: pem, format: 'pem', ...passphraseOf(options.passphrase) });
  } catch (cause) {
    throw unusable('The private key cannot be read: it must be a P-256 key as PKCS#8 or SEC 1 PEM or as a JWK.', cause);
  }
}

async function importPrivateJwk(jwk: JWK): Promise<KeyObject> {
  const key = await importJWK({ ...jwk, ext: false }, 'ES256');
  if (key instanceof Uint8Array) throw new TypeError('a symmetric key signs no PASSporT');
  return KeyObject.from(key);
}

const passphraseOf = (passphrase: string | undefined): { readonly passphrase?: string } =>
  passphrase === undefined ? {} : { passphrase };

/** A JWK states its public half apart from `d`, so that the two may not belong together: signatures would verify nowhere. */
function proveKeyPair(signer: SynchronousSigner): void {
  const challenge = Buffer.from('hopback key pair');
  if (verifyEs256Bytes(signer.publicKey, challenge, signer.sign(challenge))) return;
  throw unusable('The public half of the key (x, y) does not belong to its private half (d).');
}

const unusable = (message: string, cause?: unknown): HopbackError =>
  new HopbackError('key-unusable', message, { cause });
