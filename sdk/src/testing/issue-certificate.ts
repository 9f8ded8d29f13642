import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { HopbackError } from '../errors.js';
import {
  bitString,
  boolean,
  contextConstructed,
  contextPrimitive,
  createTestKey,
  defaultHash,
  ia5String,
  integer,
  keyIdentifier,
  nameDer,
  nameText,
  namedBits,
  objectIdentifier,
  octetString,
  pem,
  publicKeyDer,
  sequence,
  signDer,
  signatureAlgorithm,
  time,
  utf8String,
} from './test-key.js';
import type { TestCertificate, TestKey, TestKeyType, TestName } from './test-key.js';
import type { TnAuthEntry } from '../stir/index.js';

// The few types of the library that the test kit speaks in, in one place.

/** One CRL distribution point as it is to be written. */
export type DistributionPointOptions = Exclude<
  NonNullable<CertificateOptions['crlDistributionPoints']>,
  'absent'
>[number];

/** JWTClaimConstraints (RFC 8226) or, with `mustExclude`, EnhancedJWTClaimConstraints (RFC 9118), as they are to be written. */
export type ClaimConstraintsOptions = NonNullable<CertificateOptions['jwtClaimConstraints']>;

/**
 * Everything of a certificate that can be set, and so be set wrongly. Whatever is not mentioned follows the SHAKEN
 * certificate profile for its kind (service provider, CA, …). `'absent'` leaves an extension out.
 * @see ATIS-1000080 section 6.4, RFC 5280 section 4
 */
export interface CertificateOptions {
  /** Who signs and is named as issuer. Default: the intermediate CA for end entities, the root for CAs. `'self'` for self-signed. */
  readonly issuer?: TestCertificate | 'self';
  /** Whole subject name. */
  readonly subject?: TestName;
  /** Organization of the default subject. */
  readonly organization?: string;
  /** Common name of the default subject. */
  readonly commonName?: string;
  /** Attributes appended to the subject, such as a serialNumber. */
  readonly extraSubject?: TestName;
  /** The name written as issuer, where it is to differ from the subject of the signing certificate. */
  readonly issuerName?: TestName;
  /** The key to certify; default a new one of `curve`. Give the same one twice for cross-signed certificates. */
  readonly key?: TestKey;
  /** Kind of the new key. Default P-256. */
  readonly curve?: TestKeyType;
  /** Instead of the next number of the counter; may be 0 or negative. */
  readonly serialNumber?: number | bigint;
  /** Default 3. Version 1 and 2 certificates are written without extensions unless some are given in `extraExtensions`. */
  readonly version?: 1 | 2 | 3;
  /** Milliseconds since the epoch. Default 30 days before the PKI's `nowMs`. */
  readonly notBeforeMs?: number;
  /** Milliseconds since the epoch. Default 365 days after the PKI's `nowMs` for end entities, 10 years for CAs. */
  readonly notAfterMs?: number;
  /** The two above as dates; the ones in milliseconds win. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Default: the one that goes with the issuer's key (SHA-256 for P-256). */
  readonly signatureHash?: 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
  /** Signs with this key while naming the issuer all the same: a forged certificate. */
  readonly signedBy?: TestKey;
  /** Flips one bit of the signature. */
  readonly corruptSignature?: boolean;
  readonly basicConstraints?:
    | {
        readonly ca: boolean;
        readonly pathLength?: number;
        readonly critical?: boolean;
      }
    | 'absent';
  readonly keyUsage?:
    { readonly usages: readonly (typeof KEY_USAGES)[number][]; readonly critical?: boolean } | 'absent';
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectKeyIdentifier?: Uint8Array | 'absent';
  /** `'wrong'` writes an identifier that belongs to no key of this PKI. */
  readonly authorityKeyIdentifier?: Uint8Array | 'absent' | 'wrong';
  /** Policy OIDs. */
  readonly certificatePolicies?: readonly string[] | 'absent';
  readonly crlDistributionPoints?:
    | readonly {
        readonly url: string;
        /** Issuer of an indirect CRL; left out for a CRL that the CA itself signs. */
        readonly crlIssuer?: TestName;
      }[]
    | 'absent';
  /** caIssuers URLs of AuthorityInfoAccess. */
  readonly caIssuers?: readonly string[];
  /** Entries, or the DER of the extension value, or nothing at all. */
  readonly tnAuthList?: readonly TnAuthEntry[] | Uint8Array | 'absent';
  readonly tnAuthListCritical?: boolean;
  readonly jwtClaimConstraints?: {
    readonly mustInclude?: readonly string[];
    readonly permittedValues?: readonly { readonly claim: string; readonly permitted: readonly string[] }[];
    readonly mustExclude?: readonly string[];
  };
  readonly enhancedJwtClaimConstraints?: NonNullable<CertificateOptions['jwtClaimConstraints']>;
  readonly subjectAlternativeNames?: { readonly names?: readonly string[]; readonly addresses?: readonly string[] };
  /** Adds an extension that no implementation knows, marked critical. */
  readonly unknownCriticalExtension?: boolean;
  readonly extraExtensions?: readonly {
    readonly oid: string;
    readonly critical?: boolean;
    /** DER inside the OCTET STRING. */
    readonly value: Uint8Array;
  }[];
}

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
interface ExtensionContext {
  readonly subjectKeyIdentifier: Uint8Array;
  readonly issuerKeyIdentifier: Uint8Array;
}

/** All extensions of a certificate, DER of each, in the order of the profile. */
function certificateExtensions(options: CertificateOptions, context: ExtensionContext): Uint8Array[] {
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
export function tnAuthListDer(entries: readonly TnAuthEntry[]): Uint8Array {
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

/** Bits of KeyUsage by name, in their order. @see RFC 5280 section 4.2.1.3 */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

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
    const bits = keyUsage.usages.map((usage) => KEY_USAGES.indexOf(usage));
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

/** What the defaults of a kind of certificate leave no choice about. */
interface IssueRequest extends Omit<CertificateOptions, 'issuer'> {
  readonly issuer?: TestCertificate | 'self';
  readonly subject: TestName;
  readonly serialNumber: number | bigint;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly spc?: string;
}

/**
 * Builds and signs one certificate exactly as asked, right or wrong.
 * @throws {@link HopbackError} `invalid-argument` when no issuer is named
 */
export function issueCertificate(request: IssueRequest): TestCertificate {
  const key = request.key ?? createTestKey(request.curve);
  const issuer = requireIssuer(request.issuer);
  const subjectKeyIdentifier = subjectIdentifierOf(request, key);
  const issuerKeyIdentifier = issuer === 'self' ? subjectKeyIdentifier : issuer.subjectKeyIdentifier;
  const signingKey = request.signedBy ?? (issuer === 'self' ? key : issuer.key);
  const hash = request.signatureHash ?? defaultHash(signingKey);
  const algorithm = signatureAlgorithm(signingKey, hash);
  const extensions = certificateExtensions((request.version ?? 3) < 3 ? onlyRawExtensions(request) : request, {
    subjectKeyIdentifier,
    issuerKeyIdentifier,
  });
  const tbs = sequence(
    ...(request.version === 1 ? [] : [contextConstructed(0, integer((request.version ?? 3) - 1))]),
    integer(request.serialNumber),
    algorithm,
    nameDer(request.issuerName ?? (issuer === 'self' ? request.subject : issuer.subject)),
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    nameDer(request.subject),
    publicKeyDer(key),
    ...(extensions.length === 0 ? [] : [contextConstructed(3, sequence(...extensions))]),
  );
  const signature = Uint8Array.from(signDer(signingKey, hash, tbs));
  if (request.corruptSignature === true) flipLastBit(signature);
  return describe(request, { key, der: sequence(tbs, algorithm, bitString(signature)), issuer });
}

/**
 * The certificates that lead from one certificate to its root, itself first, the root left out: PEM, one after the other.
 */
function chainPemOf(certificate: Pick<TestCertificate, 'certificatePem' | 'issuer'>): string {
  const { issuer } = certificate;
  if (issuer?.issuer === undefined) return certificate.certificatePem;
  return certificate.certificatePem + chainPemOf(issuer);
}

function requireIssuer(issuer: TestCertificate | 'self' | undefined): TestCertificate | 'self' {
  if (issuer !== undefined) return issuer;
  throw new HopbackError('invalid-argument', "a certificate needs an issuer: a TestCertificate, or 'self'");
}

function onlyRawExtensions(request: IssueRequest): CertificateOptions {
  return {
    subjectKeyIdentifier: 'absent',
    authorityKeyIdentifier: 'absent',
    ...(request.extraExtensions === undefined ? {} : { extraExtensions: request.extraExtensions }),
  };
}

function subjectIdentifierOf(request: IssueRequest, key: TestKey): Uint8Array {
  return request.subjectKeyIdentifier instanceof Uint8Array ? request.subjectKeyIdentifier : keyIdentifier(key);
}

/** The last bit belongs to s of an ECDSA signature: the DER stays well-formed, the signature no longer verifies. */
function flipLastBit(signature: Uint8Array): void {
  signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
}

function describe(
  request: IssueRequest,
  made: {
    readonly key: TestKey;
    readonly der: Uint8Array;
    readonly issuer: TestCertificate | 'self';
  },
): TestCertificate {
  const { key, der, issuer } = made;
  const certificatePem = pem('CERTIFICATE', der);
  const above = issuer === 'self' ? {} : { issuer };
  const serialNumber = BigInt(request.serialNumber);
  return {
    der,
    certificatePem,
    chainPem: chainPemOf({ certificatePem, ...above }),
    privateKeyPem: key.privateKeyPem,
    privateKeyJwk: key.privateKeyJwk,
    publicKeyPem: key.publicKeyPem,
    key,
    sha256: createHash('sha256').update(der).digest('hex'),
    serialNumber,
    serialNumberHex: serialNumber.toString(16),
    subject: request.subject,
    subjectText: nameText(request.subject),
    subjectKeyIdentifier: subjectIdentifierOf(request, key),
    notBeforeMs: request.notBeforeMs,
    notAfterMs: request.notAfterMs,
    ...above,
    ...(request.spc === undefined ? {} : { spc: request.spc }),
  };
}
