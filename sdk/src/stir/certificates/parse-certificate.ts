import { createHash } from 'node:crypto';
import type {
  Certificate,
  CertificateChainParseResult,
  CertificateParseFailure,
  CertificateParseResult,
} from './certificate.js';
import { decodeCertificateExtensions, readRawExtensions } from './certificate-extensions.js';
import { DER_TAG, derCursor, derExplicit, derInteger, derIntegerHex, derTimeMs, MalformedDer } from './der.js';
import type { DerCursor, DerElement } from './der.js';
import { readDistinguishedName } from './distinguished-name.js';
import { readPemBlocks } from './pem.js';
import { readPublicKey, withPublicKey } from './public-key.js';
import { readSignedObject } from './signed-object.js';

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
 * const pki = await createTestPki();
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
 * @param body - at most {@link CERTIFICATE_CHAIN_MAX_BYTES} bytes and {@link CERTIFICATE_CHAIN_MAX_CERTIFICATES} certificates
 * @returns `parsed` with at least one certificate, or `malformed` with the first thing that was wrong
 * @see RFC 8555 section 9.1 (application/pem-certificate-chain), RFC 8226 section 7
 * @example
 * ```ts
 * const pki = await createTestPki();
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

/**
 * As {@link parseCertificateChain} for a PEM file of the operator, whose certificates are in no order and more than a chain has.
 * @param body - PEM
 * @param limits - `maxBytes` of the body, `maxCertificates` in it
 */
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
  const innerAlgorithm = cursor.take(DER_TAG.sequence).encoded;
  if (Buffer.compare(innerAlgorithm, signed.algorithmIdentifier) !== 0)
    throw new MalformedDer('two different signature algorithms');
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

function malformed(
  reason: CertificateParseFailure,
  detail: string,
): { readonly status: 'malformed'; readonly reason: CertificateParseFailure; readonly detail: string } {
  return { status: 'malformed', reason, detail };
}
