import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { DER_TAG, derBitStringBytes, derCursor, derObjectIdentifier, hex } from './der.js';
import type { DerElement } from './der.js';

/** Object identifier of an EC public key. @see RFC 5480 section 2.1.1 */
const EC_PUBLIC_KEY_OID = '1.2.840.10045.2.1';

/** Named curves by object identifier. @see RFC 5480 section 2.1.1.1 */
const CURVES: Readonly<Record<string, string>> = {
  '1.2.840.10045.3.1.7': 'EC P-256',
  '1.3.132.0.34': 'EC P-384',
  '1.3.132.0.35': 'EC P-521',
  '1.3.132.0.10': 'EC secp256k1',
};

/** y² = x³ - 3x + b over the numbers below p. */
interface Curve {
  readonly coordinateBytes: number;
  readonly p: bigint;
  readonly b: bigint;
}

/** The two curves that a SHAKEN path may use. @see SP 800-186 sections 3.2.1.3 and 3.2.1.4 */
const CURVE_PARAMETERS: Readonly<Record<string, Curve>> = {
  'EC P-256': {
    coordinateBytes: 32,
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  'EC P-384': {
    coordinateBytes: 48,
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
};

/** A public key that is known to be one: what `node:crypto` makes a key object of, or the object. */
export interface PublicKey {
  /** `EC P-256`, `RSA 2048` … */
  readonly type: string;
  /** SubjectPublicKeyInfo, until the object is asked for. */
  material: Uint8Array | KeyObject;
}

/**
 * Reads a SubjectPublicKeyInfo. Making a key object costs more than taking the rest of a certificate apart, and many never need one: the
 * store has its own copy of an intermediate, and the keys of a chain that is refused are not used. A point that lies on P-256 or P-384 is a key, so that its object can wait;
 * for all other keys `node:crypto` has to say now whether they are.
 * @throws when it is no public key - callers in this folder catch it
 * @see RFC 5280 section 4.1.2.7, RFC 5480
 */
export function readPublicKey(element: DerElement): PublicKey {
  const cursor = derCursor(element);
  const algorithm = derCursor(cursor.take(DER_TAG.sequence));
  const oid = derObjectIdentifier(algorithm.take(DER_TAG.objectIdentifier));
  const parameters = algorithm.atEnd() ? undefined : algorithm.takeAny();
  algorithm.end();
  const bits = derBitStringBytes(cursor.take(DER_TAG.bitString));
  cursor.end();
  const type = oid === EC_PUBLIC_KEY_OID ? ecKeyType(parameters) : undefined;
  if (type !== undefined && isPointOn(CURVE_PARAMETERS[type], bits)) return { type, material: element.encoded };
  const key = keyObject(element.encoded);
  return { type: type ?? otherKeyType(key, oid), material: key };
}

/** Under which a certificate keeps its key; not enumerable, so that a copy of the certificate has the key object itself. */
const KEY: unique symbol = Symbol('public key');

/** One getter for all certificates: with one each, every certificate would take a kilobyte more. */
const KEY_ON_DEMAND = {
  enumerable: true,
  get(this: { readonly [KEY]: PublicKey }): KeyObject {
    const key = this[KEY];
    if (key.material instanceof Uint8Array) key.material = keyObject(key.material);
    return key.material;
  },
};

/** Adds `publicKey` to the fields of a certificate; the key object is made by the first reading of it, which never throws. */
export function withPublicKey<T extends object>(fields: T, key: PublicKey): T & { readonly publicKey: KeyObject } {
  Object.defineProperty(fields, KEY, { value: key });
  return Object.defineProperty(fields, 'publicKey', KEY_ON_DEMAND) as T & { readonly publicKey: KeyObject };
}

function keyObject(der: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(der.buffer, der.byteOffset, der.byteLength), format: 'der', type: 'spki' });
}

function ecKeyType(parameters: DerElement | undefined): string {
  // Only a curve given by its name counts: explicit parameters can imitate a curve with another generator.
  if (parameters?.tag !== DER_TAG.objectIdentifier) return 'EC explicit parameters';
  const curve = derObjectIdentifier(parameters);
  return CURVES[curve] ?? `EC ${curve}`;
}

function otherKeyType(publicKey: KeyObject, oid: string): string {
  const { modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  const name = publicKey.asymmetricKeyType ?? oid;
  if (modulusLength !== undefined) return `${name.toUpperCase()} ${modulusLength}`;
  return name === 'ed25519' ? 'Ed25519' : name === 'ed448' ? 'Ed448' : name;
}

/** Whether a key is an uncompressed point of this curve. @see SEC 1 section 3.2.2.1 */
function isPointOn(curve: Curve | undefined, point: Uint8Array): boolean {
  if (curve === undefined || point[0] !== 0x04 || point.length !== 1 + 2 * curve.coordinateBytes) return false;
  const { coordinateBytes, p, b } = curve;
  const x = BigInt(`0x${hex(point.subarray(1, 1 + coordinateBytes))}`);
  const y = BigInt(`0x${hex(point.subarray(1 + coordinateBytes))}`);
  return x < p && y < p && (y * y - (x * x - 3n) * x - b) % p === 0n;
}
