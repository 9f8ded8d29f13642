import type { Certificate, CrlDistributionPoint } from './certificate.js';
import {
  combineClaimConstraints,
  readEnhancedJwtClaimConstraints,
  readJwtClaimConstraints,
} from './claim-constraints.js';
import {
  DER_TAG,
  derBoolean,
  derChildren,
  derCursor,
  derInteger,
  derIntegerHex,
  derObjectIdentifier,
  hex,
  MalformedDer,
  readDer,
} from './der.js';
import type { DerElement } from './der.js';
import { readCaIssuers, readDistributionPointName, readGeneralNames } from './general-names.js';
import { readTnAuthList } from './tn-auth-list.js';

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
export type CertificateExtensions = Pick<
  Certificate,
  | 'isCa'
  | 'basicConstraints'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
  | 'authorityCertificate'
  | 'certificatePolicies'
  | 'crlDistributionPoints'
  | 'caIssuers'
  | 'tnAuthList'
  | 'jwtClaimConstraints'
  | 'extensions'
  | 'unknownCriticalExtensions'
>;

/**
 * Reads an Extensions list and refuses one that names the same extension twice.
 * @param element - the SEQUENCE of extensions
 * @throws {@link MalformedDer} - callers in this folder catch it
 * @see RFC 5280 section 4.2
 */
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

/**
 * Decodes the extensions of a certificate that this package knows.
 * @throws {@link MalformedDer} when one of them does not decode - callers in this folder catch it
 */
export function decodeCertificateExtensions(raw: readonly RawExtension[]): CertificateExtensions {
  const byOid = new Map(raw.map((extension) => [extension.oid, extension]));
  const find = <T>(oid: string, decoder: (element: DerElement, critical: boolean) => T): T | undefined => {
    const extension = byOid.get(oid);
    return extension && decoder(readDer(extension.value), extension.critical);
  };
  const basicConstraints = find(EXTENSION_OID.basicConstraints, readBasicConstraints);
  const keyUsage = find(EXTENSION_OID.keyUsage, readKeyUsage);
  const extendedKeyUsage = find(EXTENSION_OID.extendedKeyUsage, readObjectIdentifiers);
  const subjectKeyIdentifier = find(EXTENSION_OID.subjectKeyIdentifier, readSubjectKeyIdentifier);
  const authority = find(EXTENSION_OID.authorityKeyIdentifier, readAuthorityKeyIdentifier);
  const tnAuthList = find(EXTENSION_OID.tnAuthList, readTnAuthList);
  const jwtClaimConstraints = combineClaimConstraints(
    find(EXTENSION_OID.jwtClaimConstraints, readJwtClaimConstraints),
    find(EXTENSION_OID.enhancedJwtClaimConstraints, readEnhancedJwtClaimConstraints),
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

/**
 * Reads an AuthorityKeyIdentifier: by key, by certificate, or both.
 * @throws {@link MalformedDer} also where issuer and serial number do not come together - callers in this folder catch it
 * @see RFC 5280 section 4.2.1.1
 */
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
): { readonly critical: boolean; readonly ca: boolean; readonly pathLength?: number } {
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
