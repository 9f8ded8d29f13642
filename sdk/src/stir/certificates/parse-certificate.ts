import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { instantText, printableText } from '../../core/text.js';
import { decodeCertificateExtensions, readDistinguishedName, readRawExtensions } from './certificate-extensions.js';
import { readPemBlocks } from './certificate.js';
import type {
  Certificate,
  CertificateChainParseResult,
  CertificateParseResult,
  JwtClaimConstraints,
} from './certificate.js';
import {
  DER_TAG,
  MalformedDer,
  derBitStringBytes,
  derCursor,
  derExplicit,
  derInteger,
  derIntegerHex,
  derObjectIdentifier,
  derTimeMs,
  hex,
  looksLikeDer,
  readDer,
} from './der.js';
import type { DerCursor, DerElement } from './der.js';
import { tnAuthListText } from './tn-auth-list.js';

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
interface PublicKey {
  /** `EC P-256`, `RSA 2048` … */
  readonly type: string;
  /** SubjectPublicKeyInfo, until the object is asked for. */
  material: Uint8Array | KeyObject;
}

/**
 * Reads a SubjectPublicKeyInfo. Making a key object costs more than taking the rest of a certificate apart, and many never need one: the
 * store has its own copy of an intermediate, and the keys of a chain that is refused are not used. A point that lies on P-256 or P-384 is a key, so that its object can wait;
 * for all other keys `node:crypto` has to say now whether they are.
 * @see RFC 5280 section 4.1.2.7, RFC 5480
 */
function readPublicKey(element: DerElement): PublicKey {
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
function withPublicKey<T extends object>(fields: T, key: PublicKey): T & { readonly publicKey: KeyObject } {
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

/** Names of the signature algorithms that a SHAKEN path may use, as in JWS. @see RFC 7518 section 3.4 */
export type SignatureAlgorithmName = 'ES256' | 'ES384';

/**
 * What each permitted algorithm is in X.509: the object identifier, and the one hash and the one curve that go with it.
 * @see RFC 5758 section 3.2, ATIS-1000080 section 6.4.1
 */
export const SIGNATURE_ALGORITHMS: Readonly<
  Record<
    SignatureAlgorithmName,
    {
      readonly oid: string;
      readonly hash: string;
      readonly publicKeyType: string;
    }
  >
> = {
  ES256: { oid: '1.2.840.10045.4.3.2', hash: 'sha256', publicKeyType: 'EC P-256' },
  ES384: { oid: '1.2.840.10045.4.3.3', hash: 'sha384', publicKeyType: 'EC P-384' },
};

/** Permitted when nothing else is said: P-256 as ATIS-1000080 has it, and P-384 that the certificate policy 1.4 adds. */
export const DEFAULT_SIGNATURE_ALGORITHMS: readonly SignatureAlgorithmName[] = ['ES256', 'ES384'];

/** The frame that certificates and CRLs share: what is signed, with which algorithm, and the signature. @see RFC 5280 section 4.1 */
interface SignedObject {
  /** The signed part; `encoded` holds exactly the signed bytes. */
  readonly toBeSigned: DerElement;
  readonly signatureAlgorithm: string;
  /** The AlgorithmIdentifier as encoded, to be compared with the one inside the signed part. */
  readonly algorithmIdentifier: Uint8Array;
  readonly signature: Uint8Array;
}

/** How a signature check went. */
export type SignatureCheck = 'valid' | 'invalid' | 'algorithm-not-permitted';

/**
 * Takes a certificate or CRL apart into its signed frame.
 */
export function readSignedObject(der: Uint8Array): SignedObject {
  const cursor = derCursor(readDer(der));
  const toBeSigned = cursor.take(DER_TAG.sequence);
  const algorithm = cursor.take(DER_TAG.sequence);
  const signature = derBitStringBytes(cursor.take(DER_TAG.bitString));
  cursor.end();
  const signatureAlgorithm = derObjectIdentifier(derCursor(algorithm).take(DER_TAG.objectIdentifier));
  return {
    toBeSigned,
    signatureAlgorithm,
    algorithmIdentifier: algorithm.encoded,
    signature,
  };
}

/** A signed object names its signature algorithm twice: inside what is signed, and beside it. @see RFC 5280 section 4.1.1.2 */
export function requireSameAlgorithm(inner: DerElement, { algorithmIdentifier }: SignedObject): void {
  if (Buffer.compare(inner.encoded, algorithmIdentifier) !== 0)
    throw new MalformedDer('two different signature algorithms');
}

/** The permitted algorithm with this object identifier, if the key is on the curve that belongs to it. */
export function permittedAlgorithm(
  oid: string,
  publicKeyType: string,
  algorithms: readonly SignatureAlgorithmName[],
): SignatureAlgorithmName | undefined {
  return algorithms.find(
    (name) => SIGNATURE_ALGORITHMS[name].oid === oid && SIGNATURE_ALGORITHMS[name].publicKeyType === publicKeyType,
  );
}

/**
 * Checks the signature over a parsed certificate or CRL with the key of `signer`. Only permitted algorithms are ever computed,
 * so that nobody can make us verify with a huge or exotic key. Never throws for peer input.
 */
export function checkSignature(
  signed: { readonly der: Uint8Array; readonly signatureAlgorithm: string },
  signer: Certificate,
  algorithms: readonly SignatureAlgorithmName[] = DEFAULT_SIGNATURE_ALGORITHMS,
): SignatureCheck {
  const name = permittedAlgorithm(signed.signatureAlgorithm, signer.publicKeyType, algorithms);
  if (name === undefined) return 'algorithm-not-permitted';
  try {
    const { toBeSigned, signature } = readSignedObject(signed.der);
    return verify(SIGNATURE_ALGORITHMS[name].hash, toBeSigned.encoded, signer.publicKey, signature)
      ? 'valid'
      : 'invalid';
  } catch {
    return 'invalid';
  }
}

/** Most certificates in an x5u body: a delegate path of the longest kind has about six, hostile ones make path building expensive. */
export const CERTIFICATE_CHAIN_MAX_CERTIFICATES = 10;

/** Most bytes of an x5u body: ten certificates of 1.2 KB in PEM with comments around them. */
export const CERTIFICATE_CHAIN_MAX_BYTES: number = 16 * 1024;

/**
 * Takes one DER certificate apart. Strict where laxness could make two readers see different things: DER only, no bytes after the end,
 * no extension twice, both signature algorithms alike, a TNAuthList that is read in full or not at all. Lists are bounded (512
 * authorities, 64 extensions, 32 relative names, 16 policies, distribution points and URLs of each). A serial number of
 * zero or less is let pass here and reported by `lintCertificate`. The result is not trusted yet. Never throws for peer input.
 * @param der - one certificate and nothing else
 * @returns `parsed`, or `malformed` with what was wrong
 * @see RFC 5280 section 4.1
 * @example
 * ```ts
 * const pki = new TestPki();
 * const result = parseCertificate(pki.root.der);
 * if (result.status === 'parsed') console.log(result.certificate.publicKeyType, result.certificate.isCa); // EC P-256 true
 * else console.log(result.reason, result.detail);
 * ```
 */
export function parseCertificate(der: Uint8Array): CertificateParseResult {
  try {
    return { status: 'parsed', certificate: readCertificate(new Uint8Array(der)) };
  } catch (error) {
    return malformed('malformed-der', error instanceof Error ? error.message : 'not a certificate');
  }
}

/**
 * Takes the body behind an x5u apart: PEM certificates with every intermediate, end entity first; text around the blocks is skipped.
 * Bare DER is refused, since it cannot carry a chain. Order and trust are for `buildCertificatePath`. Never throws for peer input.
 * @param body - at most 16,384 bytes and 10 certificates
 * @returns `parsed` with at least one certificate, or `malformed` with the first thing that was wrong
 * @see RFC 8555 section 9.1 (application/pem-certificate-chain), RFC 8226 section 7
 * @example
 * ```ts
 * const pki = new TestPki();
 * const result = parseCertificateChain(pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * if (result.status === 'parsed') console.log(result.chain.map(({ isCa }) => isCa)); // [ false, true ]
 * else console.log(result.reason, result.detail);
 * ```
 */
export function parseCertificateChain(body: Uint8Array | string): CertificateChainParseResult {
  return parseCertificateBundle(body, {
    maxBytes: CERTIFICATE_CHAIN_MAX_BYTES,
    maxCertificates: CERTIFICATE_CHAIN_MAX_CERTIFICATES,
  });
}

/** As {@link parseCertificateChain} for a PEM file of the operator, whose certificates are in no order and more than a chain has. */
export function parseCertificateBundle(
  body: Uint8Array | string,
  limits: { readonly maxBytes: number; readonly maxCertificates: number },
): CertificateChainParseResult {
  if (body.length === 0) return malformed('empty-chain', 'no bytes at all');
  if (body.length > limits.maxBytes) return malformed('too-large', `${body.length} bytes, at most ${limits.maxBytes}`);
  const pem = readPemBlocks(body, 'CERTIFICATE', { maxBlocks: limits.maxCertificates });
  if (pem.status === 'malformed')
    return malformed(pem.reason === 'not-pem' ? 'not-pem' : 'too-many-certificates', pem.detail);
  const chain: Certificate[] = [];
  for (const [index, block] of pem.blocks.entries()) {
    const result = parseCertificate(block);
    if (result.status === 'malformed') return malformed(result.reason, `certificate ${index + 1}: ${result.detail}`);
    chain.push(result.certificate);
  }
  return { status: 'parsed', chain };
}

function readCertificate(der: Uint8Array): Certificate {
  const signed = readSignedObject(der);
  const cursor = derCursor(signed.toBeSigned);
  const version = readVersion(cursor);
  const serialNumber = derIntegerHex(cursor.take(DER_TAG.integer));
  requireSameAlgorithm(cursor.take(DER_TAG.sequence), signed);
  const issuer = readDistinguishedName(cursor.take(DER_TAG.sequence));
  const { notBeforeMs, notAfterMs } = readValidity(cursor.take(DER_TAG.sequence));
  const subject = readDistinguishedName(cursor.take(DER_TAG.sequence));
  const publicKey = readPublicKey(cursor.take(DER_TAG.sequence));
  const extensions = readExtensions(cursor, version);
  const fields = {
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    version,
    serialNumber,
    subject,
    issuer,
    notBeforeMs,
    notAfterMs,
    publicKeyType: publicKey.type,
    signatureAlgorithm: signed.signatureAlgorithm,
    ...extensions,
  };
  return withPublicKey(fields, publicKey);
}

function readVersion(cursor: DerCursor): 1 | 2 | 3 {
  const tagged = cursor.takeOptional(0xa0);
  if (tagged === undefined) return 1;
  const value = derInteger(derExplicit(tagged, DER_TAG.integer));
  if (value === 0n) return 1;
  if (value === 1n) return 2;
  if (value === 2n) return 3;
  throw new MalformedDer(`certificate version ${value + 1n}`);
}

function readValidity(element: DerElement): { readonly notBeforeMs: number; readonly notAfterMs: number } {
  const cursor = derCursor(element);
  const notBeforeMs = derTimeMs(cursor.takeAny());
  const notAfterMs = derTimeMs(cursor.takeAny());
  cursor.end();
  return { notBeforeMs, notAfterMs };
}

function readExtensions(cursor: DerCursor, version: 1 | 2 | 3): ReturnType<typeof decodeCertificateExtensions> {
  // issuerUniqueID and subjectUniqueID: no profile uses them, and nothing here depends on them.
  cursor.takeOptional(0x81);
  cursor.takeOptional(0x82);
  const tagged = cursor.takeOptional(0xa3);
  cursor.end();
  if (tagged === undefined) return decodeCertificateExtensions([]);
  if (version !== 3) throw new MalformedDer(`extensions in a version ${version} certificate`);
  return decodeCertificateExtensions(readRawExtensions(derExplicit(tagged, DER_TAG.sequence)));
}

type MalformedCertificate = Extract<CertificateParseResult, { readonly status: 'malformed' }>;

function malformed(reason: MalformedCertificate['reason'], detail: string): MalformedCertificate {
  return {
    status: 'malformed',
    reason,
    detail,
  };
}

/**
 * Reads what certificates are published or kept as when it is not known which: PEM with one or more, or bare DER with one. Pure; never
 * throws for peer input.
 */
export function parseCertificateBody(
  body: Uint8Array,
  limits: { readonly maxBytes: number; readonly maxCertificates: number },
): CertificateChainParseResult {
  if (!looksLikeDer(body)) return parseCertificateBundle(body, limits);
  const result = parseCertificate(body);
  return result.status === 'malformed' ? result : { status: 'parsed', chain: [result.certificate] };
}

/**
 * A certificate for people: one fact a line, `label: value`, without a verdict. Never throws for peer input.
 * @see RFC 5280 section 4, RFC 8226 section 9
 */
export function describeCertificate(certificate: Certificate): readonly string[] {
  const { keyUsage, basicConstraints, tnAuthList, jwtClaimConstraints } = certificate;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['subject', certificate.subject.text],
    ['issuer', certificate.issuer.text],
    ['serial number', certificate.serialNumber],
    ['valid', `${instantText(certificate.notBeforeMs)} to ${instantText(certificate.notAfterMs)}`],
    ['public key', certificate.publicKeyType],
    ['signature algorithm', algorithmName(certificate.signatureAlgorithm)],
    ['TNAuthList', tnAuthList && tnAuthListText(tnAuthList)],
    ['claim constraints', jwtClaimConstraints && constraintsText(jwtClaimConstraints)],
    ['CA', basicConstraints && caText(basicConstraints)],
    ['key usage', keyUsage?.usages.join(', ')],
    ['subject key identifier', certificate.subjectKeyIdentifier],
    ['authority key identifier', certificate.authorityKeyIdentifier],
    ['policies', listText(certificate.certificatePolicies)],
    ...certificate.crlDistributionPoints.map(
      ({ urls, crlIssuer }) =>
        ['CRL', [...urls, ...(crlIssuer === undefined ? [] : [`by ${crlIssuer}`])].join(' ')] as const,
    ),
    ['issuer certificates', listText(certificate.caIssuers)],
    ['extensions not processed', listText(certificate.unknownCriticalExtensions)],
    ['SHA-256', certificate.sha256],
  ];
  return facts.flatMap(([label, value]) =>
    value === undefined ? [] : [`${label}: ${printableText(value, MAX_FACT_CHARS)}`],
  );
}

/** Long lists of URLs and policies are still worth reading; whole pages are not. */
const MAX_FACT_CHARS = 2048;

function algorithmName(oid: string): string {
  const known = Object.values(SIGNATURE_ALGORITHMS).find((algorithm) => algorithm.oid === oid);
  return known === undefined ? oid : `ECDSA with ${known.hash.toUpperCase()} (${oid})`;
}

function caText({ ca, pathLength }: { readonly ca: boolean; readonly pathLength?: number }): string {
  if (!ca) return 'no';
  return pathLength === undefined ? 'yes' : `yes, at most ${pathLength} intermediate CA(s) below it`;
}

function constraintsText({ mustInclude, permittedValues, mustExclude }: JwtClaimConstraints): string {
  return [
    ...mustInclude.map((claim) => `must have ${claim}`),
    ...permittedValues.map(({ claim, permitted }) => `${claim} only ${permitted.join(' or ')}`),
    ...mustExclude.map((claim) => `must not have ${claim}`),
  ].join('; ');
}

function listText(list: readonly string[]): string | undefined {
  return list.length === 0 ? undefined : list.join(' ');
}
