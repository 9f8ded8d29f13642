import { createHash } from 'node:crypto';
import type { DistinguishedName } from './certificate.js';
import { EXTENSION_OID, readAuthorityKeyIdentifier, readRawExtensions } from './certificate-extensions.js';
import type { RawExtension } from './certificate-extensions.js';
import { readCrlEntries } from './crl-entries.js';
import type { CrlEntry } from './crl-entries.js';
import { DER_TAG, derCursor, derExplicit, derInteger, derTimeMs, looksLikeDer, MalformedDer, readDer } from './der.js';
import type { DerCursor, DerElement } from './der.js';
import { readDistinguishedName } from './distinguished-name.js';
import { readCaIssuers, readDistributionPointName } from './general-names.js';
import { readPemBlocks } from './pem.js';
import { readSignedObject } from './signed-object.js';

/** Most bytes of a CRL, PEM or DER: room for as many entries as are read, 32,768, with a reason and a long serial number each. */
export const CRL_MAX_BYTES: number = 2 * 1024 * 1024;

/** For which certificates a CRL speaks. @see RFC 5280 section 5.2.5 */
export interface CrlScope {
  /** Where this CRL says it is published; empty where it does not. */
  readonly urls: readonly string[];
  /**
   * It says which part of its issuer's certificates it is for, by URL or by another kind of name: it speaks for no certificate that does
   * not name the same distribution point.
   */
  readonly hasDistributionPoint: boolean;
  /** Its IssuingDistributionPoint as encoded; CRLs that differ in it are different CRLs, not issues of one. */
  readonly issuingDistributionPoint?: Uint8Array;
  /** Its entries may be certificates of other issuers, named in the entries. */
  readonly indirect: boolean;
  /** The one kind of certificate it is for; absent where it is for all kinds. */
  readonly only?: 'user-certificates' | 'ca-certificates' | 'attribute-certificates';
  /** It covers some revocation reasons and not others, so that absence from it means little. */
  readonly someReasonsOnly: boolean;
}

/**
 * A certificate revocation list, taken apart. Parsed is not trusted: `createRevocationSet` looks at its signature and signer.
 * @see RFC 5280 section 5
 */
export interface CertificateRevocationList {
  /** The whole CRL, DER; a copy of what was parsed. */
  readonly der: Uint8Array;
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  /** Name of the CRL issuer, which signs it. */
  readonly issuer: DistinguishedName;
  /** Dotted OID of the signature algorithm. */
  readonly signatureAlgorithm: string;
  /** When it was issued, milliseconds since the epoch. */
  readonly thisUpdateMs: number;
  /** By when the next one comes, milliseconds since the epoch; without it the CRL is unusable. */
  readonly nextUpdateMs?: number;
  /** Grows with every issue; a lower one than was seen is a replay. */
  readonly number?: bigint;
  /** keyIdentifier of the signer's key, lower-case hex. */
  readonly authorityKeyIdentifier?: string;
  /** Where the signer's certificate is published: caIssuers URLs of AuthorityInfoAccess. */
  readonly caIssuers: readonly string[];
  readonly scope: CrlScope;
  /** Why the status of no certificate may be taken from it: a critical extension that is not processed, a delta CRL, no nextUpdate. */
  readonly unusable?: string;
  /** Canonical issuer name → serial number (as in `Certificate`) → entry. */
  readonly revoked: ReadonlyMap<string, ReadonlyMap<string, CrlEntry>>;
  /** Certificates in `revoked`, those of all issuers. */
  readonly revokedCount: number;
}

/** Result of parsing a CRL. `detail` is for people. */
export type CrlParseResult =
  | { readonly status: 'parsed'; readonly crl: CertificateRevocationList }
  | {
      readonly status: 'malformed';
      readonly reason: 'too-large' | 'not-pem' | 'malformed-der';
      readonly detail: string;
    };

/** Extensions of a CRL that are processed; any other that is critical makes it unusable. */
const PROCESSED_CRL_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION_OID.crlNumber,
  EXTENSION_OID.issuingDistributionPoint,
  EXTENSION_OID.authorityKeyIdentifier,
  EXTENSION_OID.authorityInfoAccess,
]);

/**
 * Takes a CRL apart, PEM (`X509 CRL`) or DER. Its signature is not looked at yet. Never throws for peer input.
 * @param body - at most {@link CRL_MAX_BYTES} with 32,768 entries; a version 1 CRL has no extensions
 * @returns `parsed` (which may still be marked unusable) or `malformed`
 * @see RFC 5280 section 5
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const { der } = pki.crl({ revoked: [pki.issueServiceProvider({ spc: '1234' })] });
 * const result = parseCrl(der);
 * if (result.status === 'parsed') console.log(result.crl.revokedCount); // 1
 * else console.log(result.reason, result.detail);
 * ```
 */
export function parseCrl(body: Uint8Array | string): CrlParseResult {
  if (body.length > CRL_MAX_BYTES)
    return { status: 'malformed', reason: 'too-large', detail: `${body.length} bytes, at most ${CRL_MAX_BYTES}` };
  if (typeof body !== 'string' && looksLikeDer(body)) return parseDer(body);
  const pem = readPemBlocks(body, 'X509 CRL', { maxBlocks: 1 });
  if (pem.status === 'malformed') return { status: 'malformed', reason: 'not-pem', detail: pem.detail };
  return parseDer(pem.blocks[0] as Uint8Array);
}

function parseDer(der: Uint8Array): CrlParseResult {
  try {
    return { status: 'parsed', crl: readCrl(new Uint8Array(der)) };
  } catch (error) {
    return {
      status: 'malformed',
      reason: 'malformed-der',
      detail: error instanceof Error ? error.message : 'not a CRL',
    };
  }
}

function readCrl(der: Uint8Array): CertificateRevocationList {
  const signed = readSignedObject(der);
  const cursor = derCursor(signed.toBeSigned);
  const version = cursor.takeOptional(DER_TAG.integer);
  if (version !== undefined && derInteger(version) !== 1n)
    throw new MalformedDer('CRL version that is neither 1 nor 2');
  const innerAlgorithm = cursor.take(DER_TAG.sequence).encoded;
  if (Buffer.compare(innerAlgorithm, signed.algorithmIdentifier) !== 0)
    throw new MalformedDer('two different signature algorithms');
  const issuer = readDistinguishedName(cursor.take(DER_TAG.sequence));
  const thisUpdateMs = derTimeMs(cursor.takeAny());
  const nextUpdate = cursor.takeOptional(DER_TAG.utcTime) ?? cursor.takeOptional(DER_TAG.generalizedTime);
  const entries = cursor.takeOptional(DER_TAG.sequence);
  const extensions = readCrlExtensions(cursor);
  if (version === undefined && extensions.length > 0) throw new MalformedDer('extensions in a version 1 CRL');
  const scope = readScope(extensions);
  const { revoked, revokedCount, problem } = readCrlEntries(entries, {
    issuer: issuer.canonical,
    indirect: scope.indirect,
    version: version === undefined ? 1 : 2,
  });
  const unusable = problem ?? unusableBecause(extensions, nextUpdate === undefined);
  return {
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    issuer,
    signatureAlgorithm: signed.signatureAlgorithm,
    thisUpdateMs,
    ...(nextUpdate && { nextUpdateMs: derTimeMs(nextUpdate) }),
    ...readIdentity(extensions),
    scope,
    ...(unusable !== undefined && { unusable }),
    revoked,
    revokedCount,
  };
}

function readCrlExtensions(cursor: DerCursor): readonly RawExtension[] {
  const tagged = cursor.takeOptional(0xa0);
  cursor.end();
  return tagged === undefined ? [] : readRawExtensions(derExplicit(tagged, DER_TAG.sequence));
}

function readIdentity(
  extensions: readonly RawExtension[],
): Pick<CertificateRevocationList, 'number' | 'authorityKeyIdentifier' | 'caIssuers'> {
  const number = find(extensions, EXTENSION_OID.crlNumber);
  const keyIdentifier = find(extensions, EXTENSION_OID.authorityKeyIdentifier);
  const information = find(extensions, EXTENSION_OID.authorityInfoAccess);
  const authorityKeyIdentifier =
    keyIdentifier && readAuthorityKeyIdentifier(readDer(keyIdentifier.value)).authorityKeyIdentifier;
  return {
    ...(number && { number: derInteger(readDer(number.value)) }),
    ...(authorityKeyIdentifier !== undefined && { authorityKeyIdentifier }),
    caIssuers: information === undefined ? [] : readCaIssuers(readDer(information.value)),
  };
}

function readScope(extensions: readonly RawExtension[]): CrlScope {
  const extension = find(extensions, EXTENSION_OID.issuingDistributionPoint);
  if (extension === undefined)
    return { urls: [], hasDistributionPoint: false, indirect: false, someReasonsOnly: false };
  // All tags but the first, which is that of a CHOICE, are implicit. @see RFC 5280 section 5.2.5
  const cursor = derCursor(readDer(extension.value));
  const name = cursor.takeOptional(0xa0);
  const only: NonNullable<CrlScope['only']>[] = [];
  if (isSet(cursor.takeOptional(0x81))) only.push('user-certificates');
  if (isSet(cursor.takeOptional(0x82))) only.push('ca-certificates');
  const someReasonsOnly = cursor.takeOptional(0x83) !== undefined;
  const indirect = isSet(cursor.takeOptional(0x84));
  if (isSet(cursor.takeOptional(0x85))) only.push('attribute-certificates');
  cursor.end();
  const [kind, ...others] = only;
  if (others.length > 0) throw new MalformedDer('issuing distribution point with two kinds of "only"');
  return {
    urls: name === undefined ? [] : readDistributionPointName(name),
    hasDistributionPoint: name !== undefined,
    issuingDistributionPoint: extension.value,
    indirect,
    ...(kind && { only: kind }),
    someReasonsOnly,
  };
}

/** An implicitly tagged BOOLEAN, whose value nothing has checked yet: one that is neither must not pass for FALSE. */
function isSet(flag: DerElement | undefined): boolean {
  if (flag === undefined) return false;
  const [octet] = flag.content;
  if (flag.content.length !== 1 || (octet !== 0 && octet !== 0xff))
    throw new MalformedDer('BOOLEAN that is neither 00 nor FF');
  return octet === 0xff;
}

function unusableBecause(extensions: readonly RawExtension[], isOpenEnded: boolean): string | undefined {
  if (find(extensions, EXTENSION_OID.deltaCrlIndicator) !== undefined) return 'delta CRLs are not supported';
  const unknown = extensions.find(({ oid, critical }) => critical && !PROCESSED_CRL_EXTENSIONS.has(oid));
  if (unknown !== undefined) return `unknown critical CRL extension ${unknown.oid}`;
  // Without nextUpdate an old list could be shown for ever. RFC 5280 section 5.1.2.5 asks for it.
  return isOpenEnded ? 'no nextUpdate' : undefined;
}

function find(extensions: readonly RawExtension[], oid: string): RawExtension | undefined {
  return extensions.find((extension) => extension.oid === oid);
}
