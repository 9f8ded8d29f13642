import { createPublicKey, sign, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';

/** What answers and receipts may be signed with: the contract says ES256 or EdDSA, and larger curves are no weaker. RFC 8725 section 3.1 */
const HASHES: Readonly<Record<string, string | undefined>> = {
  ES256: 'sha256',
  ES384: 'sha384',
  // RFC 8037 section 3.1: the signature has its own hash.
  EdDSA: undefined,
  Ed25519: undefined,
};
/** Algorithms of a key, by its kind and curve. RFC 7518 section 3.4, RFC 8037 section 3.1 */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  ed25519: ['EdDSA', 'Ed25519'],
};

/** A public key, and what it verifies. */
export interface VerifyingKey {
  readonly key: KeyObject;
  readonly algorithms: readonly string[];
}

/**
 * Reads a key that signatures are verified with.
 * @param jwk - may be anything
 * @returns undefined where it is none, or is for something else; never throws
 * @see RFC 7517 section 4
 */
export function verifyingKey(jwk: Readonly<Record<string, unknown>>): VerifyingKey | undefined {
  const { alg, use = 'sig', key_ops: operations = ['verify'] } = jwk;
  if (use !== 'sig' || !Array.isArray(operations) || !operations.includes('verify')) return undefined;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
  const algorithms = ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? ''] ?? [];
  // Names of one algorithm are one: RFC 9864 section 2.2.
  const isFor = alg === undefined ? algorithms.length > 0 : algorithms.some((algorithm) => algorithm === alg);
  return isFor ? { key, algorithms } : undefined;
}

/** A JWS that was taken apart, and of which nothing is believed yet. */
export interface ReadJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly signingInput: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Takes a compact JWS apart.
 * @param jws - may be any text
 * @returns undefined where it is none, or has extensions that have to be understood, of which there are none here; never throws
 * @see RFC 7515 sections 4.1.11 and 7.1
 */
export function readCompactJws(jws: string): ReadJws | undefined {
  const [protectedHeader = '', payload = '', signature = '', ...more] = jws.split('.');
  if (more.length > 0 || ![protectedHeader, payload, signature].every(isBase64url)) return undefined;
  const header = headerOf(protectedHeader);
  if (header === undefined || 'crit' in header) return undefined;
  return {
    header,
    signingInput: `${protectedHeader}.${payload}`,
    payload: Buffer.from(payload, 'base64url'),
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** RFC 7515 section 2: without padding. One character alone is of no octet. */
const isBase64url = (part: string): boolean => /^[\w-]+$/.test(part) && part.length % 4 !== 1;

function headerOf(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    const isObject = typeof header === 'object' && header !== null && !Array.isArray(header);
    return isObject ? (header as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a signature is that of a key, by an algorithm that is one of the key's.
 * @returns never throws for what peers send
 * @see RFC 7515 section 5.2, RFC 8725 section 3.1
 */
export function isSignedBy({ header, signingInput, signature }: ReadJws, { key, algorithms }: VerifyingKey): boolean {
  const { alg } = header;
  if (typeof alg !== 'string' || !algorithms.includes(alg)) return false;
  return verify(HASHES[alg], Buffer.from(signingInput), { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/**
 * Signs with a key in this process what has one header each time.
 * @throws HopbackError `key-unusable` where the key is of another algorithm
 */
export function createJwsSigner(
  header: {
    readonly alg: 'ES256' | 'EdDSA';
    readonly kid: string;
    readonly typ: string;
  },
  privateKey: KeyObject,
): (payload: unknown) => string {
  const { algorithms } = verifyingKey({ ...createPublicKey(privateKey).export({ format: 'jwk' }) }) ?? {};
  if (algorithms?.includes(header.alg) !== true)
    throw new HopbackError('key-unusable', 'a key is of another algorithm than what it is to sign by', {
      details: { algorithm: header.alg, keyId: header.kid },
    });
  const protectedHeader = base64url(header);
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return (payload) => {
    const input = `${protectedHeader}.${base64url(payload)}`;
    return `${input}.${sign(HASHES[header.alg], Buffer.from(input), key).toString('base64url')}`;
  };
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
