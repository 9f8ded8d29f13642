import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { ED25519KeyPairOptions, JsonWebKey, KeyObject } from 'node:crypto';
import { asn1Null, objectIdentifier, sequence } from './der.js';

/** Kinds of key the test PKI makes: P-256 is what SHAKEN asks for, the rest are there to be refused or tolerated. */
export type TestKeyType = 'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'RSA-2048' | 'RSA-1024' | 'Ed25519';

/** Hash of a certificate signature; Ed25519 has its own and ignores this. */
export type SignatureHash = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';

/** A key pair in every form that callers ask for. Random unless made from a given PEM. */
export interface TestKey {
  readonly type: TestKeyType;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** PKCS#8 PEM. */
  readonly privateKeyPem: string;
  /** SubjectPublicKeyInfo PEM. */
  readonly publicKeyPem: string;
  readonly privateKeyJwk: JsonWebKey;
  readonly publicKeyJwk: JsonWebKey;
}

/**
 * Makes a key pair, random each time. Never throws.
 * @param type - kind of key; default P-256, the one that ES256 signs with
 * @returns the pair in every form that callers ask for
 * @see RFC 8225 section 6, RFC 7518 section 3.4
 * @example
 * ```ts
 * const { publicKeyJwk, privateKeyPem } = createTestKey();
 * const signer = await createLocalSigner({ privateKeyPem });
 * console.log(publicKeyJwk.crv, signer.publicKey.asymmetricKeyType); // P-256 ec
 * ```
 */
export function createTestKey(type: TestKeyType = 'P-256'): TestKey {
  return describeKey(type, generate(type));
}

/**
 * Reads a PKCS#8 or SEC 1 private key, for fixtures whose bytes must not change between runs.
 * @param privateKeyPem - the key, not encrypted
 * @param type - kind of key that it is, which is believed; default P-256
 * @returns the pair in every form that callers ask for
 * @throws what node:crypto throws when the text is no private key
 * @see RFC 5208 section 5, RFC 5915 section 3
 * @example
 * ```ts
 * const { privateKeyPem, publicKeyPem } = createTestKey();
 * console.log(testKeyFromPem(privateKeyPem).publicKeyPem === publicKeyPem); // true
 * ```
 */
export function testKeyFromPem(privateKeyPem: string, type: TestKeyType = 'P-256'): TestKey {
  return describeKey(type, createPrivateKey(privateKeyPem));
}

/** SubjectPublicKeyInfo as DER. */
export function publicKeyDer(key: TestKey): Uint8Array {
  return key.publicKey.export({ type: 'spki', format: 'der' });
}

/** The 160-bit SHA-1 of the public key bits. @see RFC 5280 section 4.2.1.2 method (1) */
export function keyIdentifier(key: TestKey): Uint8Array {
  return createHash('sha1')
    .update(publicKeyBits(publicKeyDer(key)))
    .digest();
}

/** AlgorithmIdentifier of a certificate signature by this key with this hash. */
export function signatureAlgorithm(key: TestKey, hash: SignatureHash): Uint8Array {
  if (key.type === 'Ed25519') return sequence(objectIdentifier('1.3.101.112'));
  const isRsa = key.type.startsWith('RSA');
  const oid = objectIdentifier((isRsa ? RSA_SIGNATURE_OIDS : ECDSA_SIGNATURE_OIDS)[hash]);
  return isRsa ? sequence(oid, asn1Null()) : sequence(oid);
}

/** Signs DER (a TBSCertificate or TBSCertList). */
export function signDer(key: TestKey, hash: SignatureHash, der: Uint8Array): Uint8Array {
  return sign(key.type === 'Ed25519' ? null : hash.replace('-', ''), der, key.privateKey);
}

/** The hash that goes with a key: SHA-384 for P-384, SHA-512 for P-521, else SHA-256. */
export function defaultHash(key: TestKey): SignatureHash {
  if (key.type === 'P-384') return 'SHA-384';
  return key.type === 'P-521' ? 'SHA-512' : 'SHA-256';
}

const AS_PEM: ED25519KeyPairOptions<'pem', 'pem'> = {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
};

const ECDSA_SIGNATURE_OIDS: Readonly<Record<SignatureHash, string>> = {
  'SHA-1': '1.2.840.10045.4.1',
  'SHA-256': '1.2.840.10045.4.3.2',
  'SHA-384': '1.2.840.10045.4.3.3',
  'SHA-512': '1.2.840.10045.4.3.4',
};

const RSA_SIGNATURE_OIDS: Readonly<Record<SignatureHash, string>> = {
  'SHA-1': '1.2.840.113549.1.1.5',
  'SHA-256': '1.2.840.113549.1.1.11',
  'SHA-384': '1.2.840.113549.1.1.12',
  'SHA-512': '1.2.840.113549.1.1.13',
};

/**
 * Keys are made as text and read again. A KeyObject that comes out of `generateKeyPairSync` shares a lock with the job that made it,
 * and Node 20 hangs for good when the garbage collector finds that job while the key is being exported as JWK.
 */
function generate(type: TestKeyType): KeyObject {
  return createPrivateKey(pkcs8(type));
}

function pkcs8(type: TestKeyType): string {
  if (type === 'Ed25519') return generateKeyPairSync('ed25519', AS_PEM).privateKey;
  if (type === 'RSA-1024') return generateKeyPairSync('rsa', { modulusLength: 1024, ...AS_PEM }).privateKey;
  if (type === 'RSA-2048') return generateKeyPairSync('rsa', { modulusLength: 2048, ...AS_PEM }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: type, ...AS_PEM }).privateKey;
}

function describeKey(type: TestKeyType, privateKey: KeyObject): TestKey {
  const publicKey = createPublicKey(privateKey);
  return {
    type,
    privateKey,
    publicKey,
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKeyJwk: privateKey.export({ format: 'jwk' }),
    publicKeyJwk: publicKey.export({ format: 'jwk' }),
  };
}

/** The contents of the BIT STRING that ends a SubjectPublicKeyInfo, without its count of unused bits. */
function publicKeyBits(spki: Uint8Array): Uint8Array {
  const outer = contentsAt(spki, 0);
  const algorithm = contentsAt(spki, outer.start);
  const bits = contentsAt(spki, algorithm.end);
  return spki.subarray(bits.start + 1, bits.end);
}

function contentsAt(der: Uint8Array, offset: number): { readonly start: number; readonly end: number } {
  const first = der[offset + 1] ?? 0;
  if (first < 0x80) return { start: offset + 2, end: offset + 2 + first };
  let size = 0;
  for (let index = 0; index < (first & 0x7f); index++) size = size * 256 + (der[offset + 2 + index] ?? 0);
  const start = offset + 2 + (first & 0x7f);
  return { start, end: start + size };
}
