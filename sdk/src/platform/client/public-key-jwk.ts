import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { HopbackError } from '../../errors.js';
import type { AssertionAlgorithm } from './assertion-key.js';

/** A public key as a platform registers it. RFC 7517 section 4 */
export interface PublicKeyJwk {
  readonly kty: string;
  /** Name of the key: `sha256:` and its RFC 7638 thumbprint where nobody gave another. */
  readonly kid: string;
  readonly alg: AssertionAlgorithm;
  readonly use: 'sig';
  readonly [member: string]: string;
}

/** What a text with a key holds. */
export interface PublicKeyReading {
  readonly jwk: PublicKeyJwk;
  /** Whether the text has the private key too, of which nothing is in `jwk`. */
  readonly isPrivate: boolean;
}

/** Settings of {@link readPublicKeyJwk}. */
export interface PublicKeyJwkOptions {
  /** `kid` of the result. Default that of the JWK, else `sha256:` and its RFC 7638 thumbprint. */
  readonly keyId?: string;
  /** Opens an encrypted private key. */
  readonly passphrase?: string;
}

/** Longest text that is read, characters: an RSA key of 8,192 bits in PEM has 6,400. */
const MAX_KEY_CHARS = 65_536;

/**
 * Reads the public half of a key: of a PEM text (private key, public key or certificate) or of a JWK, public or private. Private members are never in
 * the result.
 * @param text - PEM, or JSON of one JWK: EC P-256 or P-384, Ed25519, or RSA
 * @param options - the key's name, and the passphrase of an encrypted key
 * @returns the public JWK with `kid`, `alg` and `use`, and whether the text held the private key
 * @throws {@link HopbackError} `key-unusable` where the text holds no such key, with what to do
 * @see RFC 7517 section 4, RFC 7638 section 3
 * @example
 * ```ts
 * const { jwk } = await readPublicKeyJwk(createTestKey().privateKeyPem, { keyId: 'client-2026' });
 * console.log(jwk.kid, jwk.alg, 'd' in jwk); // client-2026 ES256 false
 * ```
 */
export async function readPublicKeyJwk(text: string, options: PublicKeyJwkOptions = {}): Promise<PublicKeyReading> {
  if (text.length > MAX_KEY_CHARS) throw unusable(`has more than ${MAX_KEY_CHARS} characters, which no key has`);
  const { key, isPrivate, keyId } = text.trimStart().startsWith('{') ? ofJwk(text) : ofPem(text, options.passphrase);
  const { kty = '', crv, x, y, n, e } = key.export({ format: 'jwk' });
  const alg = algorithmOf(kty, crv);
  if (alg === undefined)
    throw unusable(`holds a key of the kind ${kty} ${crv ?? ''}: use EC P-256 or P-384, Ed25519, or RSA`);
  const members = Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e }).filter((member): member is [string, string] => member[1] !== undefined),
  );
  // A thumbprint may begin with a hyphen, with which no id of a platform begins.
  const kid = options.keyId ?? keyId ?? `sha256:${await calculateJwkThumbprint(members)}`;
  return { jwk: { ...members, kty, kid, alg, use: 'sig' }, isPrivate };
}

interface ReadKey {
  readonly key: KeyObject;
  readonly isPrivate: boolean;
  readonly keyId?: string;
}

function ofJwk(text: string): ReadKey {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw unusable('begins like JSON and is not JSON');
  }
  const { d, kid, keys, ...members } = given as Readonly<Record<string, unknown>>;
  if (keys !== undefined) throw unusable('holds a set of keys: take the one JWK out of `keys`');
  if (members['kty'] === 'oct') throw unusable('holds a secret of both sides, and no key pair');
  try {
    const key = createPublicKey({ key: members as JsonWebKey, format: 'jwk' });
    return { key, isPrivate: d !== undefined, ...(typeof kid === 'string' && { keyId: kid }) };
  } catch {
    throw unusable('holds JSON that is not a JWK of a public or private key');
  }
}

const PRIVATE_PEM = /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----/;

function ofPem(text: string, passphrase: string | undefined): ReadKey {
  const isPrivate = PRIVATE_PEM.test(text);
  if (!isPrivate && !text.includes('-----BEGIN ')) throw unusable('holds neither a key in PEM nor a JWK');
  try {
    if (!isPrivate) return { key: createPublicKey(text), isPrivate };
    const secret = passphrase === undefined ? {} : { passphrase };
    return { key: createPublicKey(createPrivateKey({ key: text, format: 'pem', ...secret })), isPrivate };
  } catch {
    const isEncrypted = isPrivate && /ENCRYPTED/.test(text);
    throw unusable(
      isEncrypted
        ? 'holds an encrypted private key, which the passphrase does not open'
        : 'holds PEM that is not a usable key',
    );
  }
}

function algorithmOf(kty: string, crv: string | undefined): AssertionAlgorithm | undefined {
  if (kty === 'RSA') return 'PS256';
  if (crv === 'Ed25519') return 'EdDSA';
  if (crv === 'P-256') return 'ES256';
  return crv === 'P-384' ? 'ES384' : undefined;
}

const unusable = (what: string): HopbackError => new HopbackError('key-unusable', `the text ${what}`);
