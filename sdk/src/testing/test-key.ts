import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { ED25519KeyPairOptions, JsonWebKey, KeyObject } from 'node:crypto';
import { writePemBlock } from '../stir/certificates/certificate.js';

// A DER writer that shares nothing with the reader of the library: a mistake common to both would cancel out and no test would
// see it. It writes whatever it is told, also what no encoder with a schema would; openssl and pkijs read it as well.

/** Tag numbers used in certificates and CRLs. @see X.690 section 8 */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One tag, definite length and contents; the contents are concatenated. */
function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(size), ...contents]);
}

/** SEQUENCE of the given encodings. */
export const sequence = (...items: readonly Uint8Array[]): Uint8Array => tlv(TAG.sequence, ...items);
/** SET of the given encodings, in the order given. */
export const set = (...items: readonly Uint8Array[]): Uint8Array => tlv(TAG.set, ...items);
/** OCTET STRING. */
export const octetString = (bytes: Uint8Array): Uint8Array => tlv(TAG.octetString, bytes);
/** BIT STRING of whole octets, or with so many unused bits at the end. */
export const bitString = (bytes: Uint8Array, unusedBits = 0): Uint8Array =>
  tlv(TAG.bitString, Uint8Array.of(unusedBits), bytes);
/** NULL. */
const asn1Null = (): Uint8Array => tlv(TAG.null);
/** BOOLEAN: 0xff or 0x00. */
export const boolean = (value: boolean): Uint8Array => tlv(TAG.boolean, Uint8Array.of(value ? 0xff : 0));
/** UTF8String. */
export const utf8String = (text: string): Uint8Array => tlv(TAG.utf8String, Buffer.from(text, 'utf8'));
/** PrintableString; the alphabet is not checked. */
const printableString = (text: string): Uint8Array => tlv(TAG.printableString, Buffer.from(text, 'latin1'));
/** IA5String; the alphabet is not checked. */
export const ia5String = (text: string): Uint8Array => tlv(TAG.ia5String, Buffer.from(text, 'latin1'));
/** ENUMERATED from 0 to 127. */
export const enumerated = (value: number): Uint8Array => tlv(TAG.enumerated, Uint8Array.of(value));

/** `[n] IMPLICIT` over a primitive type, or `[n]` over raw contents. */
export const contextPrimitive = (number: number, bytes: Uint8Array): Uint8Array => tlv(0x80 | number, bytes);
/** `[n] EXPLICIT`, or `[n] IMPLICIT` over a SEQUENCE or SET whose items are given. */
export const contextConstructed = (number: number, ...items: readonly Uint8Array[]): Uint8Array =>
  tlv(0xa0 | number, ...items);

/** Two's complement INTEGER in the fewest octets. */
export function integer(value: number | bigint): Uint8Array {
  let rest = BigInt(value);
  const octets: number[] = [];
  for (;;) {
    const octet = Number(BigInt.asUintN(8, rest));
    octets.unshift(octet);
    rest >>= 8n;
    const signBit = (octet & 0x80) !== 0;
    if ((rest === 0n && !signBit) || (rest === -1n && signBit)) return tlv(TAG.integer, Uint8Array.from(octets));
  }
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...arcs].flatMap(base128);
  return tlv(TAG.oid, Uint8Array.from(octets));
}

/** UTCTime through 2049, GeneralizedTime after, to the second. @see RFC 5280 section 4.1.2.5 */
export function time(ms: number): Uint8Array {
  const iso = new Date(ms).toISOString();
  const text = `${iso.slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  const year = Number(iso.slice(0, 4));
  if (year >= 1950 && year <= 2049) return tlv(TAG.utcTime, Buffer.from(text.slice(2), 'latin1'));
  return tlv(TAG.generalizedTime, Buffer.from(text, 'latin1'));
}

/** BIT STRING of named bits: bit 0 is the leftmost; trailing zero bits are cut. @see X.690 section 11.2.2 */
export function namedBits(bits: readonly number[]): Uint8Array {
  const highest = Math.max(-1, ...bits);
  const octets = new Uint8Array(Math.floor(highest / 8) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitString(octets, highest < 0 ? 0 : 7 - (highest & 7));
}

/** PEM text (RFC 7468): 64 characters a line. */
export const pem = (label: string, der: Uint8Array): string => writePemBlock(der, label);

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift((rest % 128) | 0x80);
  return octets;
}

function lengthOctets(size: number): Uint8Array {
  if (size < 0x80) return Uint8Array.of(size);
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

/**
 * A distinguished name, attributes in order, one to each RelativeDistinguishedName; `encoding` defaults to PrintableString for C and serialNumber, else
 * UTF8String.
 */
export type TestName = readonly {
  readonly type: 'C' | 'ST' | 'L' | 'O' | 'OU' | 'CN' | 'serialNumber';
  readonly value: string;
  readonly encoding?: 'utf8' | 'printable';
}[];

/** The three attributes of the SHAKEN profile: country US, organization, common name. @see ATIS-1000080 section 6.4.1 */
export function shakenName(organization: string, commonName: string): TestName {
  return [
    { type: 'C', value: 'US' },
    { type: 'O', value: organization },
    { type: 'CN', value: commonName },
  ];
}

/** Name as DER. */
export function nameDer(name: TestName): Uint8Array {
  return sequence(
    ...name.map((attribute) => set(sequence(objectIdentifier(OIDS[attribute.type]), valueDer(attribute)))),
  );
}

/** `C=US, O=Example, CN=SHAKEN 1234`, for people. */
export function nameText(name: TestName): string {
  return name.map(({ type, value }) => `${type}=${value}`).join(', ');
}

const OIDS: Readonly<Record<TestName[number]['type'], string>> = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
};

function valueDer({ type, value, encoding }: TestName[number]): Uint8Array {
  const printable = encoding === 'printable' || (encoding === undefined && (type === 'C' || type === 'serialNumber'));
  return printable ? printableString(value) : utf8String(value);
}

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
 * Makes a key pair, random each time; or reads a private key, for fixtures whose bytes must not change between runs.
 * @param type - kind of key, which is believed of one that is given; default P-256, the one that ES256 signs with
 * @param privateKeyPem - PKCS#8 or SEC 1, not encrypted; default a new key
 * @returns the pair in every form that callers ask for
 * @throws what node:crypto throws when the text is no private key
 * @see RFC 8225 section 6, RFC 7518 section 3.4, RFC 5208 section 5, RFC 5915 section 3
 * @example
 * ```ts
 * const { publicKeyJwk, privateKeyPem } = createTestKey();
 * const signer = await createLocalSigner({ privateKeyPem });
 * console.log(publicKeyJwk.crv, signer.publicKey.asymmetricKeyType); // P-256 ec
 * ```
 */
export function createTestKey(type: TestKeyType = 'P-256', privateKeyPem: string = pkcs8(type)): TestKey {
  const privateKey = createPrivateKey(privateKeyPem);
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
function pkcs8(type: TestKeyType): string {
  if (type === 'Ed25519') return generateKeyPairSync('ed25519', AS_PEM).privateKey;
  if (type === 'RSA-1024') return generateKeyPairSync('rsa', { modulusLength: 1024, ...AS_PEM }).privateKey;
  if (type === 'RSA-2048') return generateKeyPairSync('rsa', { modulusLength: 2048, ...AS_PEM }).privateKey;
  return generateKeyPairSync('ec', { namedCurve: type, ...AS_PEM }).privateKey;
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

/** A certificate of the test PKI together with its private key. */
export interface TestCertificate {
  readonly der: Uint8Array;
  readonly certificatePem: string;
  /** The certificate and every intermediate above it, end entity first, without the root: what an x5u URL serves. */
  readonly chainPem: string;
  /** PKCS#8 PEM. */
  readonly privateKeyPem: string;
  readonly privateKeyJwk: JsonWebKey;
  readonly publicKeyPem: string;
  readonly key: TestKey;
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  readonly serialNumber: bigint;
  /** Lower-case hex, no leading zeros. */
  readonly serialNumberHex: string;
  readonly subject: TestName;
  /** `C=US, O=…, CN=…`. */
  readonly subjectText: string;
  /** The one written into the certificate; the key's own where none was written. */
  readonly subjectKeyIdentifier: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The certificate whose key signed this one; absent when self-signed. */
  readonly issuer?: TestCertificate;
  /** The service provider code it was issued for, where it was. */
  readonly spc?: string;
}
