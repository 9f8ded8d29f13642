import {
  EXTENSION_OIDS,
  authorityKeyIdentifierDer,
  caIssuersDer,
  directoryName,
  extension,
  urlName,
} from './issue-certificate.js';
import { base64url, compactJws } from './passport.js';
import {
  bitString,
  contextConstructed,
  contextPrimitive,
  defaultHash,
  enumerated,
  integer,
  nameDer,
  objectIdentifier,
  pem,
  sequence,
  signDer,
  signatureAlgorithm,
  time,
  utf8String,
} from './test-key.js';
import type { SignatureHash, TestCertificate, TestKey, TestName } from './test-key.js';

/** Reason codes of a CRL entry. @see RFC 5280 section 5.3.1 */
export const CRL_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

/** One revoked certificate: the certificate itself, or serial number and issuer name. */
export interface RevokedEntry {
  readonly certificate?: TestCertificate;
  readonly serialNumber?: number | bigint;
  readonly issuerName?: TestName;
  /** Milliseconds since the epoch; default `thisUpdateMs`. */
  readonly revokedAtMs?: number;
  readonly reason?: keyof typeof CRL_REASONS;
  /** Adds a critical entry extension that nobody knows. */
  readonly unknownCriticalExtension?: boolean;
}

/** Settings of {@link TestPki.crl}. */
export interface CrlOptions {
  /**
   * `'indirect'` (default): signed by the STI-PA, entries name their issuers. `'direct'`: signed by the CA `issuer` for its
   * own certificates.
   */
  readonly kind?: 'indirect' | 'direct';
  /** Signer and issuer name; required for a direct CRL, default the STI-PA's CRL issuer for an indirect one. */
  readonly issuer?: TestCertificate;
  readonly revoked?: readonly (RevokedEntry | TestCertificate)[];
  /** Milliseconds since the epoch. Default one hour before the PKI's `nowMs`. */
  readonly thisUpdateMs?: number;
  /** Milliseconds since the epoch; default one day after the PKI's `nowMs`. */
  readonly nextUpdateMs?: number | 'absent';
  readonly number?: number | 'absent';
  /** URL in the IssuingDistributionPoint; default the PKI's `crlUrl` for an indirect CRL, none for a direct one. */
  readonly url?: string;
  /**
   * Name of the part of a CRL in the IssuingDistributionPoint instead of a URL: a directory name, or the common name that a relative
   * name adds to that of the CRL issuer.
   */
  readonly partName?: { readonly kind: 'directory' | 'relative'; readonly commonName: string };
  readonly issuingDistributionPoint?: 'absent';
  /** The indirectCRL flag of IssuingDistributionPoint; default as `kind`. */
  readonly indirectFlag?: boolean;
  readonly onlyContains?: 'user-certificates' | 'ca-certificates' | 'attribute-certificates';
  /**
   * Writes certificateIssuer only where it differs from that of the entry before, as RFC 5280 section 5.3.3 allows.
   * Default false: in every entry.
   */
  readonly omitRepeatedIssuer?: boolean;
  /** Leaves certificateIssuer out of every entry of an indirect CRL. */
  readonly omitCertificateIssuer?: boolean;
  /** caIssuers URLs in the CRL's AuthorityInfoAccess: where the signer's certificate is found. */
  readonly caIssuers?: readonly string[];
  readonly authorityKeyIdentifier?: Uint8Array | 'absent';
  readonly issuerName?: TestName;
  readonly signedBy?: TestKey;
  readonly signatureHash?: SignatureHash;
  readonly corruptSignature?: boolean;
  readonly unknownCriticalExtension?: boolean;
  /** Adds deltaCRLIndicator (critical) with this base number. */
  readonly deltaOf?: number;
  /** Default 2. A version 1 CRL is written without extensions unless `extensionsInVersion1` is set. */
  readonly version?: 1 | 2;
  readonly extensionsInVersion1?: boolean;
}

/** A CRL in both encodings. */
export interface TestCrl {
  readonly der: Uint8Array;
  /** Label `X509 CRL`. */
  readonly pem: string;
}

/** What the PKI adds to {@link CrlOptions}. */
interface CrlRequest extends CrlOptions {
  readonly indirectIssuer: TestCertificate;
  readonly nowMs: number;
}

const HOUR_MS = 3_600_000;

/** Builds and signs a CRL exactly as asked. @see RFC 5280 section 5 */
export function issueCrl(request: CrlRequest): TestCrl {
  const issuer = request.issuer ?? request.indirectIssuer;
  const key = request.signedBy ?? issuer.key;
  const hash = request.signatureHash ?? defaultHash(key);
  const algorithm = signatureAlgorithm(key, hash);
  const thisUpdateMs = request.thisUpdateMs ?? request.nowMs - HOUR_MS;
  const nextUpdateMs = request.nextUpdateMs ?? request.nowMs + 24 * HOUR_MS;
  const entries = revokedEntries(request, thisUpdateMs);
  const isVersion2 = request.version !== 1;
  const tbs = sequence(
    ...(isVersion2 ? [integer(1)] : []),
    algorithm,
    nameDer(request.issuerName ?? issuer.subject),
    time(thisUpdateMs),
    ...(nextUpdateMs === 'absent' ? [] : [time(nextUpdateMs)]),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(isVersion2 || request.extensionsInVersion1 === true
      ? [contextConstructed(0, sequence(...crlExtensions(request, issuer)))]
      : []),
  );
  const signature = Uint8Array.from(signDer(key, hash, tbs));
  if (request.corruptSignature === true) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  const der = sequence(tbs, algorithm, bitString(signature));
  return { der, pem: pem('X509 CRL', der) };
}

function crlExtensions(request: CrlRequest, issuer: TestCertificate): Uint8Array[] {
  const number = request.number ?? 1;
  const identifier = request.authorityKeyIdentifier ?? issuer.subjectKeyIdentifier;
  return [
    ...(identifier === 'absent'
      ? []
      : [extension(EXTENSION_OIDS.authorityKeyIdentifier, false, authorityKeyIdentifierDer(identifier))]),
    ...(number === 'absent' ? [] : [extension(EXTENSION_OIDS.crlNumber, false, integer(number))]),
    ...(request.deltaOf === undefined ? [] : [extension('2.5.29.27', true, integer(request.deltaOf))]),
    ...issuingDistributionPoint(request),
    ...(request.caIssuers === undefined
      ? []
      : [extension(EXTENSION_OIDS.authorityInfoAccess, false, caIssuersDer(request.caIssuers))]),
    ...(request.unknownCriticalExtension === true ? [unknownExtension()] : []),
  ];
}

function issuingDistributionPoint(request: CrlRequest): Uint8Array[] {
  const isIndirect = request.indirectFlag ?? request.kind !== 'direct';
  const point = distributionPointName(request);
  if (request.issuingDistributionPoint === 'absent') return [];
  if (!isIndirect && point === undefined && request.onlyContains === undefined) return [];
  // All fields are IMPLICIT but the CHOICE DistributionPointName. @see RFC 5280 section 5.2.5
  const flag = (tag: number): Uint8Array => contextPrimitive(tag, Uint8Array.of(0xff));
  const value = sequence(
    ...(point === undefined ? [] : [contextConstructed(0, point)]),
    ...(request.onlyContains === 'user-certificates' ? [flag(1)] : []),
    ...(request.onlyContains === 'ca-certificates' ? [flag(2)] : []),
    ...(isIndirect ? [flag(4)] : []),
    ...(request.onlyContains === 'attribute-certificates' ? [flag(5)] : []),
  );
  return [extension(EXTENSION_OIDS.issuingDistributionPoint, true, value)];
}

/** fullName `[0]` or nameRelativeToCRLIssuer `[1]`, both IMPLICIT. @see RFC 5280 section 4.2.1.13 */
function distributionPointName({ kind, url, partName }: CrlRequest): Uint8Array | undefined {
  if (partName?.kind === 'directory')
    return contextConstructed(0, directoryName([{ type: 'CN', value: partName.commonName }]));
  if (partName?.kind === 'relative')
    return contextConstructed(1, sequence(objectIdentifier('2.5.4.3'), utf8String(partName.commonName)));
  return kind === 'direct' || url === undefined ? undefined : contextConstructed(0, urlName(url));
}

function revokedEntries(request: CrlRequest, thisUpdateMs: number): Uint8Array[] {
  let previous: string | undefined;
  return (request.revoked ?? []).map((item) => {
    const entry: RevokedEntry = 'der' in item ? { certificate: item } : item;
    const issuerName = entry.issuerName ?? entry.certificate?.issuer?.subject ?? entry.certificate?.subject;
    const repeated = JSON.stringify(issuerName) === previous;
    previous = JSON.stringify(issuerName);
    const named =
      request.kind === 'direct' ||
      request.omitCertificateIssuer === true ||
      (repeated && request.omitRepeatedIssuer === true)
        ? undefined
        : issuerName;
    const extensions = entryExtensions(entry, named);
    return sequence(
      integer(entry.serialNumber ?? entry.certificate?.serialNumber ?? 0),
      time(entry.revokedAtMs ?? thisUpdateMs),
      ...(extensions.length === 0 ? [] : [sequence(...extensions)]),
    );
  });
}

function entryExtensions(entry: RevokedEntry, issuerName: TestName | undefined): Uint8Array[] {
  return [
    ...(entry.reason === undefined
      ? []
      : [extension(EXTENSION_OIDS.crlReason, false, enumerated(CRL_REASONS[entry.reason]))]),
    ...(issuerName === undefined
      ? []
      : [extension(EXTENSION_OIDS.certificateIssuer, true, sequence(directoryName(issuerName)))]),
    ...(entry.unknownCriticalExtension === true ? [unknownExtension()] : []),
  ];
}

function unknownExtension(): Uint8Array {
  return extension(EXTENSION_OIDS.unknown, true, utf8String('nobody knows this'));
}

/** Settings of {@link TestPki.trustList}. */
export interface TrustListOptions {
  /** Default 1. */
  readonly version?: unknown;
  /** Default 1; a list with a lower one than was seen is old. */
  readonly sequence?: unknown;
  /** Seconds since the epoch; default one day after the PKI's `nowMs`. */
  readonly exp?: unknown;
  /** Default: the root of the STI-CA. */
  readonly anchors?: readonly TestCertificate[];
  /** The `trustList` array as it stands, in place of `anchors`. */
  readonly trustList?: unknown;
  /** Default: the STI-PA signer. */
  readonly signer?: TestCertificate;
  /** Signs with this key under the signer's certificate: a forged list. */
  readonly signedBy?: TestKey;
  /** Header `x5u`; default `https://sti-pa.example/signer.pem`. `'absent'` leaves it out. */
  readonly x5u?: string;
  /** Also carries the signer's certificate chain in `x5c`. */
  readonly withX5c?: boolean;
  /** Further header parameters, or other values for those there are; `undefined` removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Further claims, or other values; `undefined` removes one. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Flips a bit of the signature. */
  readonly corruptSignature?: boolean;
}

/** A signed list of trust anchors. */
export interface TestTrustList {
  /** JWS compact serialization. */
  readonly jws: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What its `x5u` serves: the signer's PEM chain. */
  readonly signerChainPem: string;
  /** Root that the signer chains to, PEM. */
  readonly signerRootPem: string;
}

/** What the PKI adds to {@link TrustListOptions}. */
interface TrustListRequest extends TrustListOptions {
  readonly signer: TestCertificate;
  readonly anchors: readonly TestCertificate[];
  readonly nowMs: number;
}

const DAY_SECONDS = 86_400;

/** Signs a list of STI-CAs as the policy administrator does. @see ATIS-1000084 section 7.3 */
export function issueTrustList(request: TrustListRequest): TestTrustList {
  const { signer } = request;
  const x5u = request.x5u ?? 'https://sti-pa.example/signer.pem';
  const header = defined({
    alg: 'ES256',
    typ: 'JWT',
    x5u: x5u === 'absent' ? undefined : x5u,
    x5c:
      request.withX5c === true
        ? certificateChain(signer).map((link) => Buffer.from(link.der).toString('base64'))
        : undefined,
    ...request.header,
  });
  const claims = defined({
    version: request.version ?? 1,
    sequence: request.sequence ?? 1,
    exp: request.exp ?? Math.floor(request.nowMs / 1000) + DAY_SECONDS,
    trustList: request.trustList ?? request.anchors.map((anchor) => anchor.certificatePem),
    ...request.claims,
  });
  const key = request.signedBy ?? signer.key;
  const jws = compactJws(JSON.stringify(header), JSON.stringify(claims), key.privateKey);
  return {
    jws: request.corruptSignature === true ? corrupt(jws) : jws,
    header,
    claims,
    signerChainPem: signer.chainPem,
    signerRootPem: (certificateChain(signer).at(-1)?.issuer ?? signer).certificatePem,
  };
}

function certificateChain(certificate: TestCertificate): readonly TestCertificate[] {
  const { issuer } = certificate;
  return issuer?.issuer === undefined ? [certificate] : [certificate, ...certificateChain(issuer)];
}

function corrupt(jws: string): string {
  const dot = jws.lastIndexOf('.');
  const signature = Buffer.from(jws.slice(dot + 1), 'base64url');
  signature[0] = (signature[0] ?? 0) ^ 1;
  return `${jws.slice(0, dot)}.${base64url(signature)}`;
}

function defined(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
