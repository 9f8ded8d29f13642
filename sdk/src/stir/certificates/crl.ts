import { createHash } from 'node:crypto';
import {
  EXTENSION_OID,
  readAuthorityKeyIdentifier,
  readCaIssuers,
  readDistinguishedName,
  readDistributionPointName,
  readGeneralNames,
  readRawExtensions,
  readExtension,
} from './certificate-extensions.js';
import type { RawExtension } from './certificate-extensions.js';
import { readPemBlocks } from './certificate.js';
import type { Certificate } from './certificate.js';
import {
  DER_TAG,
  MalformedDer,
  derChildren,
  derCursor,
  derExplicit,
  derInteger,
  derIntegerHex,
  derTimeMs,
  hex,
  looksLikeDer,
  readDer,
} from './der.js';
import type { DerCursor, DerElement } from './der.js';
import { readSignedObject, requireSameAlgorithm } from './parse-certificate.js';

/** One revoked certificate. */
export interface CrlEntry {
  /** Milliseconds since the epoch. */
  readonly revokedAtMs: number;
  /** Absent where the CRL gives none; a code that is not defined is read as `unspecified`. @see RFC 5280 section 5.3.1 */
  readonly reason?:
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
}

/**
 * Most entries of a CRL: several for every certificate that providers of the US and Canada have. An entry takes about 200 bytes of
 * memory, and reading so many blocks the event loop for about a tenth of a second.
 */
export const CRL_MAX_ENTRIES = 32_768;

/** Why a certificate was revoked. @see RFC 5280 section 5.3.1 */
type CrlReason = NonNullable<CrlEntry['reason']>;

const REASON_OF_CODE: Readonly<Record<number, CrlReason>> = {
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

const PROCESSED_ENTRY_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION_OID.reasonCode,
  EXTENSION_OID.certificateIssuer,
]);

/** What the list of revoked certificates says. */
interface CrlEntries {
  /** Canonical issuer name → serial number (as in `Certificate`) → entry. */
  readonly revoked: ReadonlyMap<string, ReadonlyMap<string, CrlEntry>>;
  readonly revokedCount: number;
  /** Why the whole list has become unusable. */
  readonly problem?: string;
}

/** What the entries are part of. */
interface CrlEntriesContext {
  /** Canonical name of the CRL issuer. */
  readonly issuer: string;
  readonly indirect: boolean;
  readonly version: 1 | 2;
}

/**
 * Reads the entries of a CRL, those of one issuer after the other: certificateIssuer counts until an entry names another.
 * @see RFC 5280 section 5.3
 */
function readCrlEntries(list: DerElement | undefined, context: CrlEntriesContext): CrlEntries {
  if (list === undefined) return { revoked: new Map(), revokedCount: 0 };
  const revoked = new Map<string, Map<string, CrlEntry>>();
  const readExtensions = rememberingExtensions(context);
  const cursor = derCursor(list);
  let issuer = context.issuer;
  let revokedCount = 0;
  for (let count = 0; !cursor.atEnd(); count += 1) {
    if (count === CRL_MAX_ENTRIES) throw new MalformedDer(`CRL of more than ${CRL_MAX_ENTRIES} entries`);
    const [serial, revocationDate, extensions] = derChildren(cursor.take(DER_TAG.sequence), 3);
    if (serial === undefined || revocationDate === undefined) throw new MalformedDer('CRL entry without a date');
    const serialNumber = derIntegerHex(serial);
    const revokedAtMs = derTimeMs(revocationDate);
    const said = extensions === undefined ? NOTHING_SAID : readExtensions(extensions);
    if (said.problem !== undefined) return { revoked: new Map(), revokedCount: 0, problem: said.problem };
    issuer = said.issuer ?? issuer;
    // Only a delta CRL takes entries back; in a complete one the entry says that the certificate is not revoked.
    if (said.reason === 'removeFromCRL') continue;
    const ofIssuer = revoked.get(issuer) ?? new Map<string, CrlEntry>();
    revoked.set(issuer, ofIssuer);
    const known = ofIssuer.get(serialNumber);
    if (known === undefined) revokedCount += 1;
    // Twice in one list: a hold can be lifted, so that it does not take the place of what cannot.
    if (known === undefined || known.reason === 'certificateHold')
      ofIssuer.set(serialNumber, said.reason === undefined ? { revokedAtMs } : { revokedAtMs, reason: said.reason });
  }
  return { revoked, revokedCount };
}

/** What the extensions of one entry say. */
interface EntryExtensions {
  readonly reason?: CrlReason;
  readonly issuer?: string;
  readonly problem?: string;
}

const NOTHING_SAID: EntryExtensions = {};

/** The same few lists of extensions come thousands of times in one CRL. */
function rememberingExtensions({ indirect, version }: CrlEntriesContext): (extensions: DerElement) => EntryExtensions {
  const known = new Map<string, EntryExtensions>();
  return (element) => {
    if (version === 1) throw new MalformedDer('extensions in a version 1 CRL');
    const bytes = hex(element.encoded);
    const said = known.get(bytes) ?? readEntryExtensions(readRawExtensions(element), indirect);
    known.set(bytes, said);
    return said;
  };
}

/** RFC 5280 section 5.3: one entry that cannot be processed makes the status of every certificate unknown, not only of its own. */
function readEntryExtensions(extensions: readonly RawExtension[], indirect: boolean): EntryExtensions {
  const unknown = unknownCritical(extensions, PROCESSED_ENTRY_EXTENSIONS);
  if (unknown !== undefined) return { problem: `unknown critical CRL entry extension ${unknown}` };
  if (!indirect && extensions.some(({ oid }) => oid === EXTENSION_OID.certificateIssuer))
    return { problem: 'an entry names its issuer, but the CRL is not indirect' };
  const issuer = readExtension(extensions, EXTENSION_OID.certificateIssuer, readCertificateIssuer);
  const reason = readExtension(
    extensions,
    EXTENSION_OID.reasonCode,
    (code) => REASON_OF_CODE[Number(derInteger(code))] ?? 'unspecified',
  );
  return { ...(issuer !== undefined && { issuer }), ...(reason && { reason }) };
}

function readCertificateIssuer(names: DerElement): string {
  const { directoryName } = readGeneralNames(names);
  if (directoryName === undefined) throw new MalformedDer('certificateIssuer without a directory name');
  return directoryName;
}

/** The first extension that must be understood and is not. */
function unknownCritical(extensions: readonly RawExtension[], processed: ReadonlySet<string>): string | undefined {
  return extensions.find(({ oid, critical }) => critical && !processed.has(oid))?.oid;
}

/** Most bytes of a CRL, PEM or DER: room for as many entries as are read, 32,768, with a reason and a long serial number each. */
export const CRL_MAX_BYTES: number = 2 * 1024 * 1024;

/** For which certificates a CRL speaks. @see RFC 5280 section 5.2.5 */
export type CrlScope = CertificateRevocationList['scope'];

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
  readonly issuer: Certificate['subject'];
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
  readonly scope: {
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
  };
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
 * @param body - at most 2,097,152 with 32,768 entries; a version 1 CRL has no extensions
 * @returns `parsed` (which may still be marked unusable) or `malformed`
 * @see RFC 5280 section 5
 * @example
 * ```ts
 * const pki = new TestPki();
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
  requireSameAlgorithm(cursor.take(DER_TAG.sequence), signed);
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
  const number = readExtension(extensions, EXTENSION_OID.crlNumber, derInteger);
  const authority = readExtension(extensions, EXTENSION_OID.authorityKeyIdentifier, readAuthorityKeyIdentifier);
  const { authorityKeyIdentifier } = authority ?? {};
  return {
    ...(number !== undefined && { number }),
    ...(authorityKeyIdentifier !== undefined && { authorityKeyIdentifier }),
    caIssuers: readExtension(extensions, EXTENSION_OID.authorityInfoAccess, readCaIssuers) ?? [],
  };
}

function readScope(extensions: readonly RawExtension[]): CrlScope {
  const extension = extensions.find(({ oid }) => oid === EXTENSION_OID.issuingDistributionPoint);
  if (extension === undefined)
    return {
      urls: [],
      hasDistributionPoint: false,
      indirect: false,
      someReasonsOnly: false,
    };
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
  if (extensions.some(({ oid }) => oid === EXTENSION_OID.deltaCrlIndicator)) return 'delta CRLs are not supported';
  const unknown = unknownCritical(extensions, PROCESSED_CRL_EXTENSIONS);
  if (unknown !== undefined) return `unknown critical CRL extension ${unknown}`;
  return isOpenEnded ? 'no nextUpdate' : undefined;
}
