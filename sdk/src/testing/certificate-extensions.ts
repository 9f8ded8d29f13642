import { isIP } from 'node:net';
import type { TnAuthEntry } from './field-types.js';
import type {
  CertificateOptions,
  ClaimConstraintsOptions,
  DistributionPointOptions,
  KeyUsageName,
} from './certificate-options.js';
import {
  boolean,
  contextConstructed,
  contextPrimitive,
  ia5String,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  utf8String,
} from './der.js';
import { nameDer } from './distinguished-name.js';
import type { TestName } from './distinguished-name.js';

/** OIDs of the extensions that the test PKI writes. */
export const EXTENSION_OIDS = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  crlReason: '2.5.29.21',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  tnAuthList: '1.3.6.1.5.5.7.1.26',
  jwtClaimConstraints: '1.3.6.1.5.5.7.1.27',
  enhancedJwtClaimConstraints: '1.3.6.1.5.5.7.1.33',
  /** Under 2.999, the arc that is kept for examples: nobody processes it. */
  unknown: '2.999.8226',
} as const;

/** What the identifiers are computed from. */
export interface ExtensionContext {
  readonly subjectKeyIdentifier: Uint8Array;
  readonly issuerKeyIdentifier: Uint8Array;
}

/** All extensions of a certificate, DER of each, in the order of the profile. */
export function certificateExtensions(options: CertificateOptions, context: ExtensionContext): Uint8Array[] {
  return [
    ...keyExtensions(options, context),
    ...policyExtensions(options),
    ...stirExtensions(options),
    ...(options.unknownCriticalExtension === true
      ? [extension(EXTENSION_OIDS.unknown, true, utf8String('nobody knows this'))]
      : []),
    ...(options.extraExtensions ?? []).map(({ oid, critical, value }) => extension(oid, critical ?? false, value)),
  ];
}

/** Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue }. @see RFC 5280 section 4.2 */
export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [boolean(true)] : [];
  return sequence(objectIdentifier(oid), ...flag, octetString(value));
}

/** TNAuthorizationList. @see RFC 8226 section 9 (EXPLICIT TAGS) */
function tnAuthListDer(entries: readonly TnAuthEntry[]): Uint8Array {
  return sequence(...entries.map(tnEntryDer));
}

/** JWTClaimConstraints, or EnhancedJWTClaimConstraints. @see RFC 8226 section 8, RFC 9118 section 4 (EXPLICIT TAGS) */
function claimConstraintsDer(constraints: ClaimConstraintsOptions): Uint8Array {
  const names = (list: readonly string[]): Uint8Array => sequence(...list.map(ia5String));
  const values = (constraints.permittedValues ?? []).map(({ claim, permitted }) =>
    sequence(ia5String(claim), sequence(...permitted.map(utf8String))),
  );
  return sequence(
    ...(constraints.mustInclude === undefined ? [] : [contextConstructed(0, names(constraints.mustInclude))]),
    ...(constraints.permittedValues === undefined ? [] : [contextConstructed(1, sequence(...values))]),
    ...(constraints.mustExclude === undefined ? [] : [contextConstructed(2, names(constraints.mustExclude))]),
  );
}

/** GeneralName: a URL. */
export const urlName = (url: string): Uint8Array => contextPrimitive(6, Buffer.from(url, 'latin1'));
/** GeneralName: a directory name (EXPLICIT, since Name is a CHOICE). */
export const directoryName = (name: TestName): Uint8Array => contextConstructed(4, nameDer(name));

/** AuthorityInfoAccess with caIssuers entries. @see RFC 5280 section 4.2.2.1 */
export function caIssuersDer(urls: readonly string[]): Uint8Array {
  return sequence(...urls.map((url) => sequence(objectIdentifier('1.3.6.1.5.5.7.48.2'), urlName(url))));
}

/** AuthorityKeyIdentifier with a keyIdentifier only. @see RFC 5280 section 4.2.1.1 */
export const authorityKeyIdentifierDer = (identifier: Uint8Array): Uint8Array =>
  sequence(contextPrimitive(0, identifier));

const KEY_USAGE_BITS: Readonly<Record<KeyUsageName, number>> = {
  digitalSignature: 0,
  nonRepudiation: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  cRLSign: 6,
  encipherOnly: 7,
  decipherOnly: 8,
};

/** An identifier that no key of a test PKI has. */
const WRONG_KEY_IDENTIFIER: Uint8Array = Buffer.alloc(20, 0xee);

function keyExtensions(options: CertificateOptions, context: ExtensionContext): Uint8Array[] {
  const { basicConstraints, keyUsage, extendedKeyUsage } = options;
  const list: Uint8Array[] = [];
  if (basicConstraints !== undefined && basicConstraints !== 'absent') {
    const { ca, pathLength, critical } = basicConstraints;
    const fields = [...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])];
    list.push(extension(EXTENSION_OIDS.basicConstraints, critical ?? true, sequence(...fields)));
  }
  if (keyUsage !== undefined && keyUsage !== 'absent') {
    const bits = keyUsage.usages.map((usage) => KEY_USAGE_BITS[usage]);
    list.push(extension(EXTENSION_OIDS.keyUsage, keyUsage.critical ?? true, namedBits(bits)));
  }
  if (extendedKeyUsage !== undefined) {
    list.push(extension(EXTENSION_OIDS.extendedKeyUsage, false, sequence(...extendedKeyUsage.map(objectIdentifier))));
  }
  if (options.subjectKeyIdentifier !== 'absent') {
    const identifier = options.subjectKeyIdentifier ?? context.subjectKeyIdentifier;
    list.push(extension(EXTENSION_OIDS.subjectKeyIdentifier, false, octetString(identifier)));
  }
  if (options.authorityKeyIdentifier !== 'absent') {
    const given = options.authorityKeyIdentifier === 'wrong' ? WRONG_KEY_IDENTIFIER : options.authorityKeyIdentifier;
    const identifier = given ?? context.issuerKeyIdentifier;
    list.push(extension(EXTENSION_OIDS.authorityKeyIdentifier, false, authorityKeyIdentifierDer(identifier)));
  }
  return list;
}

function policyExtensions(options: CertificateOptions): Uint8Array[] {
  const { certificatePolicies, crlDistributionPoints, caIssuers, subjectAlternativeNames } = options;
  const list: Uint8Array[] = [];
  if (certificatePolicies !== undefined && certificatePolicies !== 'absent') {
    const policies = certificatePolicies.map((oid) => sequence(objectIdentifier(oid)));
    list.push(extension(EXTENSION_OIDS.certificatePolicies, false, sequence(...policies)));
  }
  if (crlDistributionPoints !== undefined && crlDistributionPoints !== 'absent') {
    const points = sequence(...crlDistributionPoints.map(distributionPointDer));
    list.push(extension(EXTENSION_OIDS.crlDistributionPoints, false, points));
  }
  if (caIssuers !== undefined) list.push(extension(EXTENSION_OIDS.authorityInfoAccess, false, caIssuersDer(caIssuers)));
  if (subjectAlternativeNames !== undefined) {
    const names = (subjectAlternativeNames.names ?? []).map((name) => contextPrimitive(2, Buffer.from(name, 'latin1')));
    const addresses = (subjectAlternativeNames.addresses ?? []).map((address) =>
      contextPrimitive(7, addressOctets(address)),
    );
    list.push(extension(EXTENSION_OIDS.subjectAltName, false, sequence(...names, ...addresses)));
  }
  return list;
}

function stirExtensions(options: CertificateOptions): Uint8Array[] {
  const { tnAuthList, jwtClaimConstraints, enhancedJwtClaimConstraints } = options;
  const list: Uint8Array[] = [];
  if (tnAuthList !== undefined && tnAuthList !== 'absent') {
    const value = tnAuthList instanceof Uint8Array ? tnAuthList : tnAuthListDer(tnAuthList);
    list.push(extension(EXTENSION_OIDS.tnAuthList, options.tnAuthListCritical ?? false, value));
  }
  if (jwtClaimConstraints !== undefined) {
    list.push(extension(EXTENSION_OIDS.jwtClaimConstraints, false, claimConstraintsDer(jwtClaimConstraints)));
  }
  if (enhancedJwtClaimConstraints !== undefined) {
    const value = claimConstraintsDer(enhancedJwtClaimConstraints);
    list.push(extension(EXTENSION_OIDS.enhancedJwtClaimConstraints, false, value));
  }
  return list;
}

function tnEntryDer(entry: TnAuthEntry): Uint8Array {
  if (entry.kind === 'spc') return contextConstructed(0, ia5String(entry.spc));
  if (entry.kind === 'one') return contextConstructed(2, ia5String(entry.tn));
  return contextConstructed(1, sequence(ia5String(entry.start), integer(entry.count)));
}

function distributionPointDer({ url, crlIssuer }: DistributionPointOptions): Uint8Array {
  // DistributionPointName is a CHOICE, hence the EXPLICIT [0]; fullName inside it is an IMPLICIT [0] over GeneralNames.
  const point = contextConstructed(0, contextConstructed(0, urlName(url)));
  return sequence(point, ...(crlIssuer === undefined ? [] : [contextConstructed(2, directoryName(crlIssuer))]));
}

function addressOctets(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}
