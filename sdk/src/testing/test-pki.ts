import { defined } from '../core/text.js';
import type { TnAuthEntry } from '../stir/index.js';
import {
  authorityKeyIdentifierDer,
  caIssuersDer,
  directoryName,
  extension,
  EXTENSION_OIDS,
  issueCertificate,
  urlName,
} from './issue-certificate.js';
import type { CertificateOptions } from './issue-certificate.js';
import { TEST_NOW_MS } from './manual-clock.js';
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
  shakenName,
  signatureAlgorithm,
  signDer,
  time,
  utf8String,
} from './test-key.js';
import type { TestCertificate, TestKey, TestName } from './test-key.js';

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
type RevokedEntry = Exclude<NonNullable<CrlOptions['revoked']>[number], TestCertificate>;

/** Settings of {@link TestPki.crl}. */
export interface CrlOptions {
  /**
   * `'indirect'` (default): signed by the STI-PA, entries name their issuers. `'direct'`: signed by the CA `issuer` for its
   * own certificates.
   */
  readonly kind?: 'indirect' | 'direct';
  /** Signer and issuer name; required for a direct CRL, default the STI-PA's CRL issuer for an indirect one. */
  readonly issuer?: TestCertificate;
  readonly revoked?: readonly (
    | {
        readonly certificate?: TestCertificate;
        readonly serialNumber?: number | bigint;
        readonly issuerName?: TestName;
        /** Milliseconds since the epoch; default `thisUpdateMs`. */
        readonly revokedAtMs?: number;
        readonly reason?: keyof typeof CRL_REASONS;
        /** Adds a critical entry extension that nobody knows. */
        readonly unknownCriticalExtension?: boolean;
      }
    | TestCertificate
  )[];
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
  readonly signatureHash?: 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';
  readonly corruptSignature?: boolean;
  readonly unknownCriticalExtension?: boolean;
  /** Adds deltaCRLIndicator (critical) with this base number. */
  readonly deltaOf?: number;
  /** Default 2. A version 1 CRL is written without extensions unless `extensionsInVersion1` is set. */
  readonly version?: 1 | 2;
  readonly extensionsInVersion1?: boolean;
}

/** What the PKI adds to {@link CrlOptions}. */
interface CrlRequest extends CrlOptions {
  readonly indirectIssuer: TestCertificate;
  readonly nowMs: number;
}

const HOUR_MS = 3_600_000;

/** Builds and signs a CRL exactly as asked. @see RFC 5280 section 5 */
function issueCrl(request: CrlRequest): ReturnType<TestPki['crl']> {
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

/** What the PKI adds to {@link TrustListOptions}. */
interface TrustListRequest extends TrustListOptions {
  readonly signer: TestCertificate;
  readonly anchors: readonly TestCertificate[];
  readonly nowMs: number;
}

const DAY_SECONDS = 86_400;

/** Signs a list of STI-CAs as the policy administrator does. @see ATIS-1000084 section 7.3 */
function issueTrustList(request: TrustListRequest): ReturnType<TestPki['trustList']> {
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

/** Settings of a {@link TestPki}. */
export interface TestPkiOptions {
  /** The instant around which certificates are valid, milliseconds since the epoch. Default {@link TEST_NOW_MS}. */
  readonly nowMs?: number;
  /** Goes into every organization name, so that two PKIs in one test do not share names. Default `Test`. */
  readonly label?: string;
  /** Where the STI-PA publishes its CRL: the CRL distribution point of every certificate below the root. */
  readonly crlUrl?: string;
  /** Keys that the PKI's own certificates are made with, each random where it is not given: the same ones make it the same PKI again. */
  readonly keys?: Readonly<
    Partial<Record<'root' | 'intermediate' | 'stiPaRoot' | 'stiPaSigner' | 'stiPaCrlIssuer' | 'tlsRoot', TestKey>>
  >;
  /** Serial number of the first certificate that is issued later, so that runs under the same keys do not repeat one. Default: the next. */
  readonly firstSerialNumber?: number;
}

/** An end entity of the test PKI that has a service provider code. */
export interface TestServiceProvider extends TestCertificate {
  readonly spc: string;
}

/** Options of {@link TestPki.issueCa}. */
export interface CaOptions extends CertificateOptions {
  /** pathLenConstraint; left out where not given. */
  readonly pathLength?: number;
  /** Adds cRLSign to KeyUsage, for a CA that signs its own CRL. The SHAKEN profile has keyCertSign alone. */
  readonly signsCrls?: boolean;
}

/** The one certificate policy of the SHAKEN certificate policy document, version 1.4. @see ATIS-1000080 section 6.4.1 */
export const SHAKEN_POLICY_OID = '2.16.840.1.114569.1.1.4';

const DAY_MS = 86_400_000;

/** 2020-01-01 to 2049-12-31: around any real clock that a test may run under, and still UTCTime. */
const TLS_VALIDITY: CertificateOptions = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2049, 11, 31) };

/**
 * A whole STI public key infrastructure in memory: STI-CA root and intermediate, STI-PA with its signers, a TLS root. Every `issue…` makes a
 * certificate that follows the SHAKEN profile except where its options say otherwise, and never checks whether what it was asked for is right. Serial
 * numbers count from 1, names and dates follow from the options, keys are random unless given. Never throws.
 * @see ATIS-1000080 section 6, ATIS-1000084, RFC 8226 section 9, RFC 9060
 * @example
 * ```ts
 * const pki = new TestPki();
 * const provider = pki.issueServiceProvider({ spc: '1234' });
 * ```
 */
export class TestPki {
  readonly nowMs: number;
  readonly crlUrl: string;
  /** Root of the STI-CA, the one trust anchor of the default trust list. */
  readonly root: TestCertificate;
  readonly intermediate: TestCertificate;
  /** The policy administrator's own root, which is no trust anchor for calls. */
  readonly stiPaRoot: TestCertificate;
  /** Signs the trust list. */
  readonly stiPaSigner: TestCertificate;
  /** Signs the indirect CRL. */
  readonly stiPaCrlIssuer: TestCertificate;
  /** Root of the TLS certificates of {@link TestPki.issueTls}; unrelated to the STI roots. */
  readonly tlsRoot: TestCertificate;
  readonly #label: string;
  /** Extensions of every certificate below a root. */
  readonly #belowRoot: CertificateOptions;
  #lastSerial = 0;

  /** @param options - the instant around which certificates are valid, and what is in their names */
  constructor(options: TestPkiOptions = {}) {
    const { keys = {}, firstSerialNumber = 1 } = options;
    this.nowMs = options.nowMs ?? TEST_NOW_MS;
    this.crlUrl = options.crlUrl ?? 'http://sti-pa.example/crl';
    this.#label = options.label ?? 'Test';
    const organization = `${this.#label} STI-PA`;
    const crlIssuer = shakenName(organization, 'STI-PA CRL');
    const crlDistributionPoints = [{ url: this.crlUrl, crlIssuer }];
    this.#belowRoot = { certificatePolicies: [SHAKEN_POLICY_OID], crlDistributionPoints };
    this.root = this.issueRoot(keyed(keys.root));
    this.intermediate = this.issueCa({ pathLength: 0, ...keyed(keys.intermediate) });
    this.stiPaRoot = this.issueRoot({ organization, commonName: 'STI-PA ROOT', ...keyed(keys.stiPaRoot) });
    const below = { issuer: this.stiPaRoot, ...endEntity(false) };
    const signer = { ...below, organization, commonName: 'STI-PA', ...keyed(keys.stiPaSigner) };
    this.stiPaSigner = this.#issue(365, signer);
    const keyUsage = { usages: ['cRLSign'] } as const;
    this.stiPaCrlIssuer = this.#issue(365, { ...below, subject: crlIssuer, keyUsage, ...keyed(keys.stiPaCrlIssuer) });
    this.tlsRoot = this.issueRoot({ commonName: 'TLS ROOT', ...TLS_VALIDITY, ...keyed(keys.tlsRoot) });
    this.#lastSerial = Math.max(this.#lastSerial, firstSerialNumber - 1);
  }

  /** A provider's certificate with one SPC, below the intermediate CA. */
  issueServiceProvider(
    options: CertificateOptions & {
      /** 1 to 15 characters `0-9A-Z`; other text is written as it is. */
      readonly spc: string;
      /** Makes it a certificate that may issue delegate certificates (cA true, keyCertSign). @see RFC 9060 */
      readonly canDelegate?: boolean;
    },
  ): TestServiceProvider {
    const { spc, canDelegate = false, commonName = `SHAKEN ${spc}` } = options;
    const certificate = this.#issue(365, {
      issuer: this.intermediate,
      ...endEntity(canDelegate),
      ...this.#belowRoot,
      tnAuthList: [{ kind: 'spc', spc }],
      ...options,
      commonName,
    });
    return { ...certificate, spc };
  }

  /** A delegate certificate below a provider's. @see RFC 9060 */
  issueDelegate(
    options: CertificateOptions & {
      /** The delegating certificate; to be right it was issued with `canDelegate`. */
      readonly parent: TestCertificate;
      /** What is delegated; to be right it lies inside the parent's TNAuthList. */
      readonly tnAuthList: readonly TnAuthEntry[] | Uint8Array | 'absent';
      /** May delegate further. */
      readonly canDelegate?: boolean;
    },
  ): TestCertificate {
    const { parent, canDelegate = false, serialNumber = this.#nextSerial() } = options;
    return this.#issue(90, {
      ...endEntity(canDelegate),
      ...this.#belowRoot,
      issuer: parent,
      ...options,
      serialNumber,
      commonName: options.commonName ?? `Delegate ${serialNumber}`,
    });
  }

  /** A CA certificate below the root. */
  issueCa(options: CaOptions = {}): TestCertificate {
    const { pathLength, signsCrls = false, serialNumber = this.#nextSerial() } = options;
    return this.#issue(3650, {
      issuer: this.root,
      basicConstraints: { ca: true, ...(pathLength === undefined ? {} : { pathLength }) },
      keyUsage: { usages: signsCrls ? ['keyCertSign', 'cRLSign'] : ['keyCertSign'] },
      ...this.#belowRoot,
      ...options,
      organization: options.organization ?? `${this.#label} STI-CA`,
      serialNumber,
      // CAs made one after another do not share a name unless asked to.
      commonName: options.commonName ?? `SHAKEN Intermediate CA ${serialNumber}`,
    });
  }

  /** A self-signed root CA; its common name contains ROOT. */
  issueRoot(options: CaOptions = {}): TestCertificate {
    const { serialNumber = this.#nextSerial() } = options;
    return this.issueCa({
      issuer: 'self',
      serialNumber,
      commonName: `SHAKEN ROOT CA ${serialNumber}`,
      certificatePolicies: 'absent',
      crlDistributionPoints: 'absent',
      ...options,
    });
  }

  /** The same subject and key under another issuer: cross-signing, hence a branching path. */
  crossSign(certificate: TestCertificate, issuer: TestCertificate, options: CaOptions = {}): TestCertificate {
    return this.issueCa({ subject: certificate.subject, key: certificate.key, issuer, ...options });
  }

  /** TLS server certificate, valid from 2020 through 2049 since TLS stacks look at the real clock. */
  issueTls(
    options: CertificateOptions & { readonly names?: readonly string[]; readonly addresses?: readonly string[] },
  ): TestCertificate {
    const { names, addresses } = options;
    return this.#issue(365, {
      issuer: this.tlsRoot,
      ...endEntity(false),
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'],
      subjectAlternativeNames: {
        ...(names === undefined ? {} : { names }),
        ...(addresses === undefined ? {} : { addresses }),
      },
      ...TLS_VALIDITY,
      ...options,
      commonName: options.commonName ?? names?.[0] ?? addresses?.[0] ?? 'TLS',
    });
  }

  /** A CRL, indirect and empty by default. @returns it in both encodings; the label of the PEM is `X509 CRL` */
  crl(options: CrlOptions = {}): { readonly der: Uint8Array; readonly pem: string } {
    return issueCrl({ indirectIssuer: this.stiPaCrlIssuer, url: this.crlUrl, nowMs: this.nowMs, ...options });
  }

  /** The signed list of STI-CAs. */
  trustList(options: TrustListOptions = {}): {
    /** JWS compact serialization. */
    readonly jws: string;
    readonly header: Readonly<Record<string, unknown>>;
    readonly claims: Readonly<Record<string, unknown>>;
    /** What its `x5u` serves: the signer's PEM chain. */
    readonly signerChainPem: string;
    /** Root that the signer chains to, PEM. */
    readonly signerRootPem: string;
  } {
    return issueTrustList({ signer: this.stiPaSigner, anchors: [this.root], nowMs: this.nowMs, ...options });
  }

  #issue(validDays: number, options: CertificateOptions): TestCertificate {
    const { organization = `${this.#label} Telephone Company`, commonName = '' } = options;
    const subject = options.subject ?? shakenName(organization, commonName);
    return issueCertificate({
      ...options,
      subject: [...subject, ...(options.extraSubject ?? [])],
      serialNumber: options.serialNumber ?? this.#nextSerial(),
      notBeforeMs: options.notBeforeMs ?? options.notBefore?.getTime() ?? this.nowMs - 30 * DAY_MS,
      notAfterMs: options.notAfterMs ?? options.notAfter?.getTime() ?? this.nowMs + validDays * DAY_MS,
    });
  }

  #nextSerial(): number {
    this.#lastSerial += 1;
    return this.#lastSerial;
  }
}

function endEntity(canDelegate: boolean): CertificateOptions {
  if (!canDelegate) return { basicConstraints: { ca: false }, keyUsage: { usages: ['digitalSignature'] } };
  return { basicConstraints: { ca: true }, keyUsage: { usages: ['digitalSignature', 'keyCertSign'] } };
}

const keyed = (key: TestKey | undefined): Pick<CertificateOptions, 'key'> => (key === undefined ? {} : { key });
