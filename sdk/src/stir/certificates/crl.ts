import { createHash } from 'node:crypto';
import { AuthorityInfoAccessSyntax, IssuingDistributionPoint } from '@peculiar/asn1-x509';
import type { DistinguishedName } from './certificate.js';
import { EXTENSION_OID, readAuthorityKeyIdentifier, readRawExtensions, uris } from './certificate-extensions.js';
import type { RawExtension } from './certificate-extensions.js';
import {
  DER_TAG,
  derChildren,
  derCursor,
  derExplicit,
  derInteger,
  derIntegerHex,
  derTimeMs,
  hex,
  MalformedDer,
  readDer,
} from './der.js';
import type { DerCursor, DerElement } from './der.js';
import { readDistinguishedName } from './distinguished-name.js';
import { decode } from './extension-decoding.js';
import { readPemBlocks } from './pem.js';
import { readSignedObject } from './signed-object.js';

/** Most bytes of a CRL, PEM or DER: room for about 20,000 entries with their issuers, some hundred times what the STI-PA publishes. */
export const CRL_MAX_BYTES: number = 2 * 1024 * 1024;

/** Why a certificate was revoked. @see RFC 5280 section 5.3.1 */
export type CrlReason =
  | 'unspecified'
  | 'keyCompromise'
  | 'cACompromise'
  | 'affiliationChanged'
  | 'superseded'
  | 'cessationOfOperation'
  | 'certificateHold'
  | 'removeFromCRL'
  | 'privilegeWithdrawn'
  | 'aACompromise';

/** One revoked certificate. */
export interface CrlEntry {
  /** Milliseconds since the epoch. */
  readonly revokedAtMs: number;
  readonly reason?: CrlReason;
}

/** For which certificates a CRL speaks. @see RFC 5280 section 5.2.5 */
export interface CrlScope {
  /** Where this CRL says it is published; empty where it does not. */
  readonly urls: readonly string[];
  /** Its entries may be certificates of other issuers, named in the entries. */
  readonly indirect: boolean;
  readonly only?: 'user-certificates' | 'ca-certificates' | 'attribute-certificates';
  /** It covers some revocation reasons and not others, so that absence from it means little. */
  readonly someReasonsOnly: boolean;
}

/**
 * A certificate revocation list, taken apart. Parsed is not trusted: `createRevocationSet` looks at its signature and signer.
 * @see RFC 5280 section 5
 */
export interface CertificateRevocationList {
  readonly der: Uint8Array;
  /** SHA-256 of `der`, lower-case hex. */
  readonly sha256: string;
  readonly issuer: DistinguishedName;
  /** Dotted OID of the signature algorithm. */
  readonly signatureAlgorithm: string;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
  /** Grows with every issue; a lower one than was seen is a replay. */
  readonly number?: bigint;
  readonly authorityKeyIdentifier?: string;
  /** Where the signer's certificate is published. */
  readonly caIssuers: readonly string[];
  readonly scope: CrlScope;
  /** Why the status of no certificate may be taken from it: a critical extension that is not processed, a delta CRL, no nextUpdate. */
  readonly unusable?: string;
  /** Canonical issuer name → serial number (as in `Certificate`) → entry. */
  readonly revoked: ReadonlyMap<string, ReadonlyMap<string, CrlEntry>>;
  readonly revokedCount: number;
}

/** Result of parsing a CRL. */
export type CrlParseResult =
  | { readonly status: 'parsed'; readonly crl: CertificateRevocationList }
  | {
      readonly status: 'malformed';
      readonly reason: 'too-large' | 'not-pem' | 'malformed-der';
      readonly detail: string;
    };

const REASONS: Readonly<Record<number, CrlReason>> = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  8: 'removeFromCRL',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
};

/** Extensions of a CRL that are processed; any other that is critical makes it unusable. */
const PROCESSED_CRL_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION_OID.crlNumber,
  EXTENSION_OID.issuingDistributionPoint,
  EXTENSION_OID.authorityKeyIdentifier,
  EXTENSION_OID.authorityInfoAccess,
]);

const PROCESSED_ENTRY_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION_OID.reasonCode,
  EXTENSION_OID.certificateIssuer,
]);

/**
 * Takes a CRL apart, PEM (`X509 CRL`) or DER. Its signature is not looked at yet. Never throws for peer input.
 * @param body - at most {@link CRL_MAX_BYTES}
 * @returns `parsed` (which may still be marked unusable) or `malformed`
 * @see RFC 5280 section 5
 */
export function parseCrl(body: Uint8Array | string): CrlParseResult {
  if (body.length > CRL_MAX_BYTES)
    return { status: 'malformed', reason: 'too-large', detail: `${body.length} bytes, at most ${CRL_MAX_BYTES}` };
  if (typeof body !== 'string' && body[0] === DER_TAG.sequence) return parseDer(body);
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
  const scope = readScope(extensions);
  const { revoked, revokedCount, problem } = readEntries(entries, issuer, scope);
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
  const authorityKeyIdentifier = keyIdentifier && readAuthorityKeyIdentifier(keyIdentifier.value);
  return {
    ...(number && { number: derInteger(readDer(number.value)) }),
    ...(authorityKeyIdentifier !== undefined && { authorityKeyIdentifier }),
    caIssuers: information === undefined ? [] : readCaIssuers(information.value),
  };
}

function readCaIssuers(value: Uint8Array): readonly string[] {
  readDer(value);
  return uris(Array.from(decode(value, AuthorityInfoAccessSyntax), ({ accessLocation }) => accessLocation));
}

function readScope(extensions: readonly RawExtension[]): CrlScope {
  const extension = find(extensions, EXTENSION_OID.issuingDistributionPoint);
  if (extension === undefined) return { urls: [], indirect: false, someReasonsOnly: false };
  readDer(extension.value);
  const point = decode(extension.value, IssuingDistributionPoint);
  const only = [
    point.onlyContainsUserCerts && ('user-certificates' as const),
    point.onlyContainsCACerts && ('ca-certificates' as const),
    point.onlyContainsAttributeCerts && ('attribute-certificates' as const),
  ].filter((kind) => kind !== false);
  if (only.length > 1) throw new MalformedDer('issuing distribution point with two kinds of "only"');
  return {
    urls: uris(point.distributionPoint?.fullName),
    indirect: point.indirectCRL,
    ...(only[0] && { only: only[0] }),
    someReasonsOnly: point.onlySomeReasons !== undefined,
  };
}

function unusableBecause(extensions: readonly RawExtension[], isOpenEnded: boolean): string | undefined {
  if (find(extensions, EXTENSION_OID.deltaCrlIndicator) !== undefined) return 'delta CRLs are not supported';
  const unknown = extensions.find(({ oid, critical }) => critical && !PROCESSED_CRL_EXTENSIONS.has(oid));
  if (unknown !== undefined) return `unknown critical CRL extension ${unknown.oid}`;
  // Without nextUpdate an old list could be shown for ever. RFC 5280 section 5.1.2.5 asks for it.
  return isOpenEnded ? 'no nextUpdate' : undefined;
}

interface Entries {
  readonly revoked: ReadonlyMap<string, ReadonlyMap<string, CrlEntry>>;
  readonly revokedCount: number;
  /** Why the whole list has become unusable. */
  readonly problem?: string;
}

/** Entries of one issuer after the other: certificateIssuer counts until an entry names another. @see RFC 5280 section 5.3.3 */
function readEntries(list: DerElement | undefined, crlIssuer: DistinguishedName, scope: CrlScope): Entries {
  const revoked = new Map<string, Map<string, CrlEntry>>();
  const issuerNames = new Map<string, string>();
  let issuer = crlIssuer.canonical;
  let revokedCount = 0;
  for (const element of list === undefined ? [] : derChildren(list)) {
    const cursor = derCursor(element);
    const serialNumber = derIntegerHex(cursor.take(DER_TAG.integer));
    const revokedAtMs = derTimeMs(cursor.takeAny());
    const raw = cursor.takeOptional(DER_TAG.sequence);
    cursor.end();
    const extensions = raw === undefined ? [] : readRawExtensions(raw);
    const problem = entryProblem(extensions, scope);
    if (problem !== undefined) return { revoked: new Map(), revokedCount: 0, problem };
    issuer = entryIssuer(extensions, issuerNames) ?? issuer;
    const reason = entryReason(extensions);
    // Only a delta CRL takes entries back; in a complete one the entry says that the certificate is not revoked.
    if (reason === 'removeFromCRL') continue;
    const ofIssuer = revoked.get(issuer) ?? new Map<string, CrlEntry>();
    ofIssuer.set(serialNumber, { revokedAtMs, ...(reason !== undefined && { reason }) });
    revoked.set(issuer, ofIssuer);
    revokedCount += 1;
  }
  return { revoked, revokedCount };
}

/** RFC 5280 section 5.3: one entry that cannot be processed makes the status of every certificate unknown, not only of its own. */
function entryProblem(extensions: readonly RawExtension[], scope: CrlScope): string | undefined {
  const unknown = extensions.find(({ oid, critical }) => critical && !PROCESSED_ENTRY_EXTENSIONS.has(oid));
  if (unknown !== undefined) return `unknown critical CRL entry extension ${unknown.oid}`;
  const names = find(extensions, EXTENSION_OID.certificateIssuer) !== undefined;
  return names && !scope.indirect ? 'an entry names its issuer, but the CRL is not indirect' : undefined;
}

function entryIssuer(extensions: readonly RawExtension[], known: Map<string, string>): string | undefined {
  const extension = find(extensions, EXTENSION_OID.certificateIssuer);
  if (extension === undefined) return undefined;
  // The same few names come thousands of times.
  const bytes = hex(extension.value);
  const before = known.get(bytes);
  if (before !== undefined) return before;
  const directoryName = derChildren(readDer(extension.value)).find(({ tag }) => tag === 0xa4);
  if (directoryName === undefined) throw new MalformedDer('certificateIssuer without a directory name');
  const { canonical } = readDistinguishedName(derExplicit(directoryName, DER_TAG.sequence));
  known.set(bytes, canonical);
  return canonical;
}

function entryReason(extensions: readonly RawExtension[]): CrlReason | undefined {
  const extension = find(extensions, EXTENSION_OID.reasonCode);
  return extension && (REASONS[Number(derInteger(readDer(extension.value)))] ?? 'unspecified');
}

function find(extensions: readonly RawExtension[], oid: string): RawExtension | undefined {
  return extensions.find((extension) => extension.oid === oid);
}
