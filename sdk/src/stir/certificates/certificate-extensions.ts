import {
  AuthorityInfoAccessSyntax,
  AuthorityKeyIdentifier,
  BasicConstraints,
  CertificatePolicies,
  CRLDistributionPoints,
  KeyUsage,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509';
import type { GeneralName } from '@peculiar/asn1-x509';
import type { Certificate, CrlDistributionPoint, JwtClaimConstraints } from './certificate.js';
import {
  combineClaimConstraints,
  readEnhancedJwtClaimConstraints,
  readJwtClaimConstraints,
} from './claim-constraints.js';
import { DER_TAG, derBoolean, derChildren, derCursor, derObjectIdentifier, hex, MalformedDer, readDer } from './der.js';
import type { DerElement } from './der.js';
import { readDistinguishedName } from './distinguished-name.js';
import { decode, decodeExactly, encode, wholeNumber } from './extension-decoding.js';
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
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  tnAuthList: '1.3.6.1.5.5.7.1.26',
  jwtClaimConstraints: '1.3.6.1.5.5.7.1.27',
  enhancedJwtClaimConstraints: '1.3.6.1.5.5.7.1.33',
} as const;

/**
 * Extensions that may be critical without stopping a path. All are processed, but for subjectAltName: authority comes from the
 * TNAuthList here and from no other name. certificatePolicies are processed for "any policy", which every policy satisfies; name
 * constraints, policy constraints and mappings, inhibitAnyPolicy and extended key usage have no place in a SHAKEN certificate
 * and, when critical, refuse the path.
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

/** Largest pathLenConstraint that is told apart; a larger one limits nothing. */
const PATH_LENGTH_MAX = 255;

/** caIssuers access method. @see RFC 5280 section 4.2.2.1 */
const CA_ISSUERS_OID = '1.3.6.1.5.5.7.48.2';

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
  | 'subjectKeyIdentifier'
  | 'authorityKeyIdentifier'
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
  const extensions = derChildren(element).map((child) => {
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
  const basicConstraints = read(byOid, EXTENSION_OID.basicConstraints, readBasicConstraints);
  const keyUsage = read(byOid, EXTENSION_OID.keyUsage, readKeyUsage);
  const subjectKeyIdentifier = read(byOid, EXTENSION_OID.subjectKeyIdentifier, ({ value }) =>
    hexOf(decode(value, SubjectKeyIdentifier).buffer),
  );
  const authorityKeyIdentifier = read(byOid, EXTENSION_OID.authorityKeyIdentifier, ({ value }) =>
    readAuthorityKeyIdentifier(value),
  );
  const tnAuthList = read(byOid, EXTENSION_OID.tnAuthList, ({ value }) => readTnAuthList(value));
  const jwtClaimConstraints = readClaimConstraints(byOid);
  return {
    isCa: basicConstraints?.ca ?? false,
    certificatePolicies: read(byOid, EXTENSION_OID.certificatePolicies, readPolicies) ?? [],
    crlDistributionPoints: read(byOid, EXTENSION_OID.crlDistributionPoints, readCrlDistributionPoints) ?? [],
    caIssuers: read(byOid, EXTENSION_OID.authorityInfoAccess, readCaIssuers) ?? [],
    extensions: raw.map(({ oid, critical }) => ({ oid, critical })),
    unknownCriticalExtensions: raw.filter(({ oid, critical }) => critical && !PROCESSED.has(oid)).map(({ oid }) => oid),
    ...(basicConstraints && { basicConstraints }),
    ...(keyUsage && { keyUsage }),
    ...(subjectKeyIdentifier !== undefined && { subjectKeyIdentifier }),
    ...(authorityKeyIdentifier !== undefined && { authorityKeyIdentifier }),
    ...(tnAuthList && { tnAuthList }),
    ...(jwtClaimConstraints && { jwtClaimConstraints }),
  };
}

/** Lower-case hex of keyIdentifier, `undefined` where there is none. @throws {@link MalformedDer} */
export function readAuthorityKeyIdentifier(value: Uint8Array): string | undefined {
  readDer(value);
  const { keyIdentifier } = decode(value, AuthorityKeyIdentifier);
  return keyIdentifier === undefined ? undefined : hexOf(keyIdentifier.buffer);
}

/** URIs among general names. */
export function uris(names: readonly GeneralName[] | undefined): readonly string[] {
  return (names ?? []).flatMap((name) =>
    name.uniformResourceIdentifier === undefined ? [] : [name.uniformResourceIdentifier],
  );
}

/** Canonical text of the first directory name among general names. @throws {@link MalformedDer} */
export function canonicalDirectoryName(names: readonly GeneralName[] | undefined): string | undefined {
  const directoryName = names?.find((name) => name.directoryName !== undefined)?.directoryName;
  if (directoryName === undefined) return undefined;
  return readDistinguishedName(readDer(new Uint8Array(encode(directoryName)))).canonical;
}

function read<T>(
  byOid: ReadonlyMap<string, RawExtension>,
  oid: string,
  decoder: (extension: RawExtension) => T,
): T | undefined {
  const extension = byOid.get(oid);
  if (extension === undefined) return undefined;
  readDer(extension.value);
  return decoder(extension);
}

function readBasicConstraints({ critical, value }: RawExtension): {
  readonly critical: boolean;
  readonly ca: boolean;
  readonly pathLength?: number;
} {
  // cA FALSE is the default and so not to be encoded; some issuers do, and nothing is hidden by it.
  if (hex(value) === '3003010100') return { critical, ca: false };
  const { cA, pathLenConstraint } = decodeExactly(value, BasicConstraints);
  if (pathLenConstraint === undefined) return { critical, ca: cA };
  const pathLength = wholeNumber(pathLenConstraint);
  if (!(pathLength >= 0)) throw new MalformedDer('negative pathLenConstraint');
  return { critical, ca: cA, pathLength: Math.min(pathLength, PATH_LENGTH_MAX) };
}

function readKeyUsage({ critical, value }: RawExtension): {
  readonly critical: boolean;
  readonly usages: readonly string[];
} {
  const usages = decode(value, KeyUsage).toJSON();
  // The library spells this one unlike RFC 5280.
  return { critical, usages: usages.map((usage) => (usage === 'crlSign' ? 'cRLSign' : usage)) };
}

function readPolicies({ value }: RawExtension): readonly string[] {
  return Array.from(decode(value, CertificatePolicies), ({ policyIdentifier }) => policyIdentifier);
}

function readCrlDistributionPoints({ value }: RawExtension): readonly CrlDistributionPoint[] {
  return Array.from(decode(value, CRLDistributionPoints), ({ distributionPoint, cRLIssuer }) => {
    const crlIssuer = canonicalDirectoryName(cRLIssuer);
    return { urls: uris(distributionPoint?.fullName), ...(crlIssuer !== undefined && { crlIssuer }) };
  });
}

function readCaIssuers({ value }: RawExtension): readonly string[] {
  const descriptions = Array.from(decode(value, AuthorityInfoAccessSyntax));
  return uris(
    descriptions
      .filter(({ accessMethod }) => accessMethod === CA_ISSUERS_OID)
      .map(({ accessLocation }) => accessLocation),
  );
}

function readClaimConstraints(byOid: ReadonlyMap<string, RawExtension>): JwtClaimConstraints | undefined {
  return combineClaimConstraints(
    read(byOid, EXTENSION_OID.jwtClaimConstraints, ({ value }) => readJwtClaimConstraints(value)),
    read(byOid, EXTENSION_OID.enhancedJwtClaimConstraints, ({ value }) => readEnhancedJwtClaimConstraints(value)),
  );
}

function hexOf(buffer: ArrayBuffer): string {
  return hex(new Uint8Array(buffer));
}
