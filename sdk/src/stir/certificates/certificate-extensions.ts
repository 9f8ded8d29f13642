import type { Certificate, CrlDistributionPoint, DistinguishedName, JwtClaimConstraints } from './certificate.js';
import {
  DER_TAG,
  MalformedDer,
  derBoolean,
  derChildren,
  derCursor,
  derExplicit,
  derIa5Text,
  derInteger,
  derIntegerHex,
  derObjectIdentifier,
  hex,
  readDer,
} from './der.js';
import type { DerElement } from './der.js';
import { readTnAuthList } from './tn-auth-list.js';

/** Short names of the attribute types that STI certificates use. @see RFC 5280 section 4.1.2.4, RFC 4519 */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
  '1.2.840.113549.1.9.1': 'emailAddress',
};

/** Most relative names in a name, and most attributes in one of them: names in use have three to eight, each alone. */
const RELATIVE_NAMES_MAX = 32;
const ATTRIBUTES_MAX = 8;

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a Name. @see RFC 5280 sections 4.1.2.4 and 7.1 */
export function readDistinguishedName(element: DerElement): DistinguishedName {
  const relativeNames = derChildren(element, RELATIVE_NAMES_MAX).map(readRelativeName);
  return {
    text: relativeNames.map((attributes) => attributes.map(readableAttribute).join('+')).join(', '),
    canonical: relativeNames.map((attributes) => attributes.map(canonicalAttribute).sort().join('+')).join(','),
    attributes: relativeNames.flat().map(({ type, value }) => ({ type, value })),
  };
}

interface Attribute {
  readonly type: string;
  readonly value: string;
  /** The value is text; otherwise it is `#` and hex, which a text may look like. */
  readonly isText: boolean;
}

function readRelativeName(element: DerElement): readonly Attribute[] {
  const attributes = derChildren(element, ATTRIBUTES_MAX, DER_TAG.set).map((attribute) => {
    const cursor = derCursor(attribute);
    const oid = derObjectIdentifier(cursor.take(DER_TAG.objectIdentifier));
    const encodedValue = cursor.takeAny();
    cursor.end();
    const text = readText(encodedValue);
    return {
      type: SHORT_NAMES[oid] ?? oid,
      value: text ?? `#${hex(encodedValue.encoded)}`,
      isText: text !== undefined,
    };
  });
  if (attributes.length === 0) throw new MalformedDer('empty relative name');
  return attributes;
}

/** Text of a string type. Any other value is written as `#` and the hex of its encoding. @see RFC 4514 section 2.4 */
function readText(element: DerElement): string | undefined {
  const { content } = element;
  switch (element.tag) {
    case DER_TAG.utf8String:
      try {
        return UTF8.decode(content);
      } catch {
        throw new MalformedDer('UTF8String that is not UTF-8');
      }
    case DER_TAG.printableString:
    case DER_TAG.ia5String:
    case DER_TAG.visibleString:
    case DER_TAG.numericString:
    case DER_TAG.teletexString:
      return Buffer.from(content).toString('latin1');
    case DER_TAG.bmpString:
      if (content.length % 2 !== 0) throw new MalformedDer('BMPString of odd length');
      return Buffer.from(content).swap16().toString('utf16le');
    case DER_TAG.universalString:
      return readUniversalString(content);
    default:
      return undefined;
  }
}

function readUniversalString(content: Uint8Array): string {
  if (content.length % 4 !== 0) throw new MalformedDer('UniversalString whose length is not a multiple of 4');
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  let text = '';
  for (let offset = 0; offset < content.length; offset += 4) {
    const codePoint = view.getUint32(offset);
    if (codePoint > 0x10ffff) throw new MalformedDer('UniversalString with a value outside Unicode');
    text += String.fromCodePoint(codePoint);
  }
  return text;
}

/** Case folded, compatibility forms unified, blanks trimmed and squeezed; separators escaped so that no two names share a text. */
function canonicalAttribute({ type, value, isText }: Attribute): string {
  if (!isText) return `${type}=${value}`;
  const folded = value.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
  return `${type}=${folded.replace(/^#|[\\,+=]/g, '\\$&')}`;
}

function readableAttribute({ type, value, isText }: Attribute): string {
  return `${type}=${isText ? readable(value) : value}`;
}

/** RFC 4514 escapes, and control characters as `\XX`: a subject name is peer text and may end up on a terminal. */
function readable(value: string): string {
  return value
    .replace(/^#|[\\,+"<>;]/g, '\\$&')
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
      (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
}

/** Most names in one GeneralNames list: a CRL is published under one or two URLs. More is there to make work and take memory. */
const GENERAL_NAMES_MAX = 16;

/** Most entries of AuthorityInfoAccess. */
const ACCESS_DESCRIPTIONS_MAX = 16;

/** caIssuers access method. @see RFC 5280 section 4.2.2.1 */
const CA_ISSUERS_OID = '1.3.6.1.5.5.7.48.2';

/** Identifier octets of the two kinds of name that are read. @see RFC 5280 section 4.2.1.6 */
const GENERAL_NAME_TAG = { directoryName: 0xa4, uniformResourceIdentifier: 0x86 } as const;

/** What is read of GeneralNames; names of other kinds are passed over. */
interface GeneralNames {
  readonly urls: readonly string[];
  /** Canonical text of the first directory name. */
  readonly directoryName?: string;
}

/** Reads GeneralNames; the tag is SEQUENCE, or the implicit one in its place. @see RFC 5280 section 4.2.1.6 */
export function readGeneralNames(element: DerElement, tag: number = DER_TAG.sequence): GeneralNames {
  const names = derChildren(element, GENERAL_NAMES_MAX, tag);
  const directoryName = names.find((name) => name.tag === GENERAL_NAME_TAG.directoryName);
  return {
    urls: names.filter((name) => name.tag === GENERAL_NAME_TAG.uniformResourceIdentifier).map(derIa5Text),
    // Name is a CHOICE, so that its tag is explicit.
    ...(directoryName && {
      directoryName: readDistinguishedName(derExplicit(directoryName, DER_TAG.sequence)).canonical,
    }),
  };
}

/** URLs of a DistributionPointName: of fullName, since a name relative to the CRL issuer has none. @see RFC 5280 section 4.2.1.13 */
export function readDistributionPointName(element: DerElement): readonly string[] {
  const cursor = derCursor(element, 0xa0);
  const fullName = cursor.takeOptional(0xa0);
  if (fullName === undefined) cursor.take(0xa1);
  cursor.end();
  return fullName === undefined ? [] : readGeneralNames(fullName, fullName.tag).urls;
}

/** URLs of the caIssuers entries of an AuthorityInfoAccess. @see RFC 5280 sections 4.2.2.1 and 5.2.7 */
export function readCaIssuers(element: DerElement): readonly string[] {
  return derChildren(element, ACCESS_DESCRIPTIONS_MAX).flatMap((description) => {
    const cursor = derCursor(description);
    const method = derObjectIdentifier(cursor.take(DER_TAG.objectIdentifier));
    const location = cursor.takeAny();
    cursor.end();
    const isUrl = location.tag === GENERAL_NAME_TAG.uniformResourceIdentifier;
    return method === CA_ISSUERS_OID && isUrl ? [derIa5Text(location)] : [];
  });
}

/** Claims that every PASSporT has: a certificate that excludes one of them would exclude all. @see RFC 9118 section 4 */
const NEVER_EXCLUDED: readonly string[] = ['iat', 'orig', 'dest'];

/** Most claims in one list: PASSporTs have about ten claims, registered ones included. */
const CLAIMS_MAX = 64;

/** Most values permitted in all: a delegate's certificate names some names or logos. */
const PERMITTED_VALUES_MAX = 256;

const UTF8_WITH_BOM = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Both sets at once: a PASSporT has to satisfy each extension that its certificate carries. */
function combineClaimConstraints(
  first: JwtClaimConstraints | undefined,
  second: JwtClaimConstraints | undefined,
): JwtClaimConstraints | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return {
    mustInclude: [...new Set([...first.mustInclude, ...second.mustInclude])],
    permittedValues: [...first.permittedValues, ...second.permittedValues],
    mustExclude: [...new Set([...first.mustExclude, ...second.mustExclude])],
  };
}

/** @returns undefined where it excludes iat, orig or dest: such an extension is taken as absent. @see RFC 9118 section 4 */
function readEnhancedConstraints(element: DerElement): JwtClaimConstraints | undefined {
  const read = readConstraints(element, { enhanced: true });
  return read.mustExclude.some((claim) => NEVER_EXCLUDED.includes(claim)) ? undefined : read;
}

/** All tags are explicit, and nothing may be left over: it could be a constraint that others see. */
function readConstraints(element: DerElement, { enhanced }: { readonly enhanced: boolean }): JwtClaimConstraints {
  const cursor = derCursor(element);
  const mustInclude = cursor.takeOptional(0xa0);
  const permittedValues = cursor.takeOptional(0xa1);
  const mustExclude = enhanced ? cursor.takeOptional(0xa2) : undefined;
  cursor.end();
  if (mustInclude === undefined && permittedValues === undefined && mustExclude === undefined)
    throw new MalformedDer('claim constraints that constrain nothing');
  return {
    mustInclude: mustInclude === undefined ? [] : readClaimNames(mustInclude),
    permittedValues: permittedValues === undefined ? [] : readPermittedValues(permittedValues),
    mustExclude: mustExclude === undefined ? [] : readClaimNames(mustExclude),
  };
}

function readClaimNames(tagged: DerElement): readonly string[] {
  return readList(derExplicit(tagged, DER_TAG.sequence), CLAIMS_MAX).map(readClaimName);
}

function readPermittedValues(tagged: DerElement): JwtClaimConstraints['permittedValues'] {
  let left = PERMITTED_VALUES_MAX;
  return readList(derExplicit(tagged, DER_TAG.sequence), CLAIMS_MAX).map((element) => {
    const cursor = derCursor(element);
    const claim = readClaimName(cursor.takeAny());
    const permitted = readList(cursor.take(DER_TAG.sequence), left).map(readUtf8);
    cursor.end();
    left -= permitted.length;
    return { claim, permitted };
  });
}

function readList(element: DerElement, max: number): readonly DerElement[] {
  const children = derChildren(element, max);
  if (children.length === 0) throw new MalformedDer('claim constraints with an empty list');
  return children;
}

function readClaimName(element: DerElement): string {
  if (element.tag !== DER_TAG.ia5String) throw new MalformedDer('claim name that is not an IA5String');
  return derIa5Text(element);
}

function readUtf8({ tag, content }: DerElement): string {
  if (tag !== DER_TAG.utf8String) throw new MalformedDer('claim value that is not a UTF8String');
  try {
    return UTF8_WITH_BOM.decode(content);
  } catch {
    throw new MalformedDer('claim value that is not UTF-8');
  }
}

/** Object identifiers of the extensions that are read here. @see RFC 5280 sections 4.2 and 5.2, RFC 8226 sections 8 and 9, RFC 9118 section 4 */
export const EXTENSION_OID = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  tnAuthList: '1.3.6.1.5.5.7.1.26',
  jwtClaimConstraints: '1.3.6.1.5.5.7.1.27',
  enhancedJwtClaimConstraints: '1.3.6.1.5.5.7.1.33',
} as const;

/**
 * Extensions that may be critical without stopping a path. All are processed, but for subjectAltName: authority comes from the
 * TNAuthList here and from no other name. certificatePolicies are processed for "any policy", which every policy satisfies. Policy
 * mappings and extended key usage have no place in a SHAKEN certificate and, when critical, refuse the path.
 * @see RFC 5280 sections 4.2 and 6.1
 */
const PROCESSED: ReadonlySet<string> = new Set([
  EXTENSION_OID.subjectKeyIdentifier,
  EXTENSION_OID.keyUsage,
  EXTENSION_OID.subjectAltName,
  EXTENSION_OID.basicConstraints,
  EXTENSION_OID.crlDistributionPoints,
  EXTENSION_OID.certificatePolicies,
  EXTENSION_OID.authorityKeyIdentifier,
  EXTENSION_OID.authorityInfoAccess,
  EXTENSION_OID.tnAuthList,
  EXTENSION_OID.jwtClaimConstraints,
  EXTENSION_OID.enhancedJwtClaimConstraints,
]);

/**
 * Extensions that limit what is below a certificate, critical or not. They are not processed, and passing over one would trust what its
 * CA has ruled out: with one, a path is refused.
 * @see RFC 5280 section 6.1.4 (g), (i) and (j)
 */
const LIMITING: ReadonlySet<string> = new Set([
  EXTENSION_OID.nameConstraints,
  EXTENSION_OID.policyConstraints,
  EXTENSION_OID.inhibitAnyPolicy,
]);

/** Most extensions of one certificate, CRL or CRL entry: SHAKEN certificates have seven, web certificates about twelve. */
const EXTENSIONS_MAX = 64;

/** Most policies, distribution points and purposes of one certificate. The profile has one policy and one distribution point. */
const LIST_MAX = 16;

/** Largest pathLenConstraint that is told apart; a larger one limits nothing. */
const PATH_LENGTH_MAX = 255;

/** Bits of KeyUsage in their order. @see RFC 5280 section 4.2.1.3 */
const KEY_USAGES: readonly string[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** One extension as encoded. */
export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** Content of extnValue. */
  readonly value: Uint8Array;
}

/** The part of a {@link Certificate} that its extensions fill. */
type CertificateExtensions = Omit<
  Certificate,
  | ('der' | 'sha256' | 'version' | 'serialNumber' | 'subject' | 'issuer' | 'notBeforeMs' | 'notAfterMs')
  | ('publicKey' | 'publicKeyType' | 'signatureAlgorithm')
>;

/** Reads an Extensions list and refuses one that names the same extension twice. @see RFC 5280 section 4.2 */
export function readRawExtensions(element: DerElement): readonly RawExtension[] {
  const seen = new Set<string>();
  const extensions = derChildren(element, EXTENSIONS_MAX).map((child) => {
    const cursor = derCursor(child);
    const oid = derObjectIdentifier(cursor.take(DER_TAG.objectIdentifier));
    const critical = cursor.takeOptional(DER_TAG.boolean);
    const value = cursor.take(DER_TAG.octetString).content;
    cursor.end();
    if (seen.has(oid)) throw new MalformedDer(`extension ${oid} twice`);
    seen.add(oid);
    return { oid, critical: critical !== undefined && derBoolean(critical), value };
  });
  if (extensions.length === 0) throw new MalformedDer('empty list of extensions');
  return extensions;
}

/** Reads one extension. @returns undefined where it is absent */
export function readExtension<Value>(
  raw: readonly RawExtension[],
  wanted: string,
  read: (element: DerElement, critical: boolean) => Value,
): Value | undefined {
  const extension = raw.find(({ oid }) => oid === wanted);
  return extension && read(readDer(extension.value), extension.critical);
}

/** Decodes the extensions of a certificate that this package knows. */
export function decodeCertificateExtensions(raw: readonly RawExtension[]): CertificateExtensions {
  const find = <Value>(oid: string, read: (element: DerElement, critical: boolean) => Value): Value | undefined =>
    readExtension(raw, oid, read);
  const basicConstraints = find(EXTENSION_OID.basicConstraints, readBasicConstraints);
  const keyUsage = find(EXTENSION_OID.keyUsage, readKeyUsage);
  const extendedKeyUsage = find(EXTENSION_OID.extendedKeyUsage, readObjectIdentifiers);
  const subjectKeyIdentifier = find(EXTENSION_OID.subjectKeyIdentifier, readSubjectKeyIdentifier);
  const authority = find(EXTENSION_OID.authorityKeyIdentifier, readAuthorityKeyIdentifier);
  const tnAuthList = find(EXTENSION_OID.tnAuthList, readTnAuthList);
  const jwtClaimConstraints = combineClaimConstraints(
    find(EXTENSION_OID.jwtClaimConstraints, (element) => readConstraints(element, { enhanced: false })),
    find(EXTENSION_OID.enhancedJwtClaimConstraints, readEnhancedConstraints),
  );
  return {
    isCa: basicConstraints?.ca ?? false,
    certificatePolicies: find(EXTENSION_OID.certificatePolicies, readPolicies) ?? [],
    crlDistributionPoints: find(EXTENSION_OID.crlDistributionPoints, readCrlDistributionPoints) ?? [],
    caIssuers: find(EXTENSION_OID.authorityInfoAccess, readCaIssuers) ?? [],
    extensions: raw.map(({ oid, critical }) => ({ oid, critical })),
    unknownCriticalExtensions: raw
      .filter(({ oid, critical }) => (critical && !PROCESSED.has(oid)) || LIMITING.has(oid))
      .map(({ oid }) => oid),
    ...(basicConstraints && { basicConstraints }),
    ...(keyUsage && { keyUsage }),
    ...(extendedKeyUsage && { extendedKeyUsage }),
    ...(subjectKeyIdentifier !== undefined && { subjectKeyIdentifier }),
    ...authority,
    ...(tnAuthList && { tnAuthList }),
    ...(jwtClaimConstraints && { jwtClaimConstraints }),
  };
}

/** Reads an AuthorityKeyIdentifier: by key, by certificate, or both. @see RFC 5280 section 4.2.1.1 */
export function readAuthorityKeyIdentifier(
  element: DerElement,
): Pick<Certificate, 'authorityKeyIdentifier' | 'authorityCertificate'> {
  const cursor = derCursor(element);
  const keyIdentifier = cursor.takeOptional(0x80);
  const names = cursor.takeOptional(0xa1);
  const serial = cursor.takeOptional(0x82);
  cursor.end();
  if ((names === undefined) !== (serial === undefined))
    throw new MalformedDer('authority key identifier with an issuer or a serial number alone');
  return {
    ...(keyIdentifier && { authorityKeyIdentifier: hex(keyIdentifier.content) }),
    ...(names && serial && { authorityCertificate: readAuthorityCertificate(names, serial) }),
  };
}

function readAuthorityCertificate(
  names: DerElement,
  serial: DerElement,
): NonNullable<Certificate['authorityCertificate']> {
  const { directoryName } = readGeneralNames(names, names.tag);
  return {
    ...(directoryName !== undefined && { issuer: directoryName }),
    serialNumber: derIntegerHex({ ...serial, tag: DER_TAG.integer }),
  };
}

function readSubjectKeyIdentifier(element: DerElement): string {
  if (element.tag !== DER_TAG.octetString) throw new MalformedDer('subject key identifier is not an OCTET STRING');
  return hex(element.content);
}

function readBasicConstraints(
  element: DerElement,
  critical: boolean,
): {
  readonly critical: boolean;
  readonly ca: boolean;
  readonly pathLength?: number;
} {
  const cursor = derCursor(element);
  // cA FALSE is the default and so not to be encoded; some issuers do, and nothing is hidden by it.
  const flag = cursor.takeOptional(DER_TAG.boolean);
  const constraint = cursor.takeOptional(DER_TAG.integer);
  cursor.end();
  const ca = flag !== undefined && derBoolean(flag);
  if (constraint === undefined) return { critical, ca };
  const pathLength = derInteger(constraint);
  if (pathLength < 0n) throw new MalformedDer('negative pathLenConstraint');
  return { critical, ca, pathLength: Math.min(Number(pathLength), PATH_LENGTH_MAX) };
}

/** Nine bits are defined. A longer string has no meaning to agree on, and readers that go through a number see other bits in it. */
function readKeyUsage(
  element: DerElement,
  critical: boolean,
): { readonly critical: boolean; readonly usages: readonly string[] } {
  if (element.tag !== DER_TAG.bitString) throw new MalformedDer('key usage is not a BIT STRING');
  const bits = element.content.subarray(1);
  if (bits.length > 2) throw new MalformedDer('key usage of more than two octets');
  return {
    critical,
    usages: KEY_USAGES.filter((_, bit) => (((bits[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1),
  };
}

function readObjectIdentifiers(element: DerElement): readonly string[] {
  return derChildren(element, LIST_MAX).map(derObjectIdentifier);
}

/** Identifiers alone: qualifiers are texts for people. */
function readPolicies(element: DerElement): readonly string[] {
  return derChildren(element, LIST_MAX).map((information) => {
    const cursor = derCursor(information);
    const policy = derObjectIdentifier(cursor.take(DER_TAG.objectIdentifier));
    cursor.takeOptional(DER_TAG.sequence);
    cursor.end();
    return policy;
  });
}

function readCrlDistributionPoints(element: DerElement): readonly CrlDistributionPoint[] {
  return derChildren(element, LIST_MAX).map((point) => {
    const cursor = derCursor(point);
    const name = cursor.takeOptional(0xa0);
    // Reasons: a CRL for some of them only is marked so itself.
    cursor.takeOptional(0x81);
    const issuerNames = cursor.takeOptional(0xa2);
    cursor.end();
    const crlIssuer = issuerNames && readGeneralNames(issuerNames, issuerNames.tag).directoryName;
    return {
      urls: name === undefined ? [] : readDistributionPointName(name),
      ...(crlIssuer !== undefined && { crlIssuer }),
    };
  });
}
