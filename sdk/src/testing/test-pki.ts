import type { TnAuthEntry } from '../stir/index.js';
import type { CertificateOptions } from './issue-certificate.js';
import { shakenName } from './test-key.js';
import type { TestCertificate, TestKey, TestName } from './test-key.js';
import { issueCrl, issueTrustList } from './issue-crl.js';
import type { CrlOptions, TestCrl, TestTrustList, TrustListOptions } from './issue-crl.js';
import { TEST_NOW_MS } from './manual-clock.js';
import { issueCertificate } from './issue-certificate.js';

/** Settings of {@link createTestPki}. */
export interface TestPkiOptions {
  /** The instant around which certificates are valid, milliseconds since the epoch. Default {@link TEST_NOW_MS}. */
  readonly nowMs?: number;
  /** Goes into every organization name, so that two PKIs in one test do not share names. Default `Test`. */
  readonly label?: string;
  /** Where the STI-PA publishes its CRL: the CRL distribution point of every certificate below the root. */
  readonly crlUrl?: string;
  /** Keys that the PKI's own certificates are made with, each random where it is not given: the same ones make it the same PKI again. */
  readonly keys?: TestPkiKeys;
  /** Serial number of the first certificate that is issued later, so that runs under the same keys do not repeat one. Default: the next. */
  readonly firstSerialNumber?: number;
}

/** Certificates that a {@link TestPki} has from the beginning. */
export type TestPkiRole = 'root' | 'intermediate' | 'stiPaRoot' | 'stiPaSigner' | 'stiPaCrlIssuer' | 'tlsRoot';

/** Keys of a {@link TestPki} that was there before. */
export type TestPkiKeys = Readonly<Partial<Record<TestPkiRole, TestKey>>>;

/** Options of {@link TestPki.issueServiceProvider}. */
export interface ServiceProviderOptions extends CertificateOptions {
  /** 1 to 15 characters `0-9A-Z`; other text is written as it is. */
  readonly spc: string;
  /** Makes it a certificate that may issue delegate certificates (cA true, keyCertSign). @see RFC 9060 */
  readonly canDelegate?: boolean;
}

/** Options of {@link TestPki.issueDelegate}. */
export interface DelegateOptions extends CertificateOptions {
  /** The delegating certificate; to be right it was issued with `canDelegate`. */
  readonly parent: TestCertificate;
  /** What is delegated; to be right it lies inside the parent's TNAuthList. */
  readonly tnAuthList: readonly TnAuthEntry[] | Uint8Array | 'absent';
  /** May delegate further. */
  readonly canDelegate?: boolean;
}

/** Options of {@link TestPki.issueCa}. */
export interface CaOptions extends CertificateOptions {
  /** pathLenConstraint; left out where not given. */
  readonly pathLength?: number;
  /** Adds cRLSign to KeyUsage, for a CA that signs its own CRL. The SHAKEN profile has keyCertSign alone. */
  readonly signsCrls?: boolean;
}

/** Options of {@link TestPki.issueTls}. */
export interface TlsOptions extends CertificateOptions {
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
}

/** An end entity of the test PKI that has a service provider code. */
export interface TestServiceProvider extends TestCertificate {
  readonly spc: string;
}

/**
 * A whole STI public key infrastructure in memory. Every `issue…` makes a certificate that follows the SHAKEN profile
 * except where its options say otherwise, and never checks whether what it was asked for is right.
 * @see ATIS-1000080, ATIS-1000084, RFC 8226, RFC 9060
 */
export interface TestPki {
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
  /** A provider's certificate with one SPC, below the intermediate CA. */
  readonly issueServiceProvider: (options: ServiceProviderOptions) => TestServiceProvider;
  /** A delegate certificate below a provider's. @see RFC 9060 */
  readonly issueDelegate: (options: DelegateOptions) => TestCertificate;
  /** A CA certificate below the root. */
  readonly issueCa: (options?: CaOptions) => TestCertificate;
  /** A self-signed root CA; its common name contains ROOT. */
  readonly issueRoot: (options?: CaOptions) => TestCertificate;
  /** The same subject and key under another issuer: cross-signing, hence a branching path. */
  readonly crossSign: (certificate: TestCertificate, issuer: TestCertificate, options?: CaOptions) => TestCertificate;
  /** TLS server certificate, valid from 2020 through 2049 since TLS stacks look at the real clock. */
  readonly issueTls: (options: TlsOptions) => TestCertificate;
  /** A CRL, indirect and empty by default. */
  readonly crl: (options?: CrlOptions) => TestCrl;
  /** The signed list of STI-CAs. */
  readonly trustList: (options?: TrustListOptions) => TestTrustList;
}

/** The one certificate policy of the SHAKEN certificate policy document, version 1.4. @see ATIS-1000080 section 6.4.1 */
export const SHAKEN_POLICY_OID = '2.16.840.1.114569.1.1.4';

const DAY_MS = 86_400_000;

/** What every issuing function needs to know of the PKI it belongs to. */
interface Issuance {
  readonly label: string;
  readonly nowMs: number;
  readonly nextSerial: () => number;
  /** Extensions of every certificate below a root. */
  readonly belowRoot: CertificateOptions;
}

/**
 * Makes a test PKI: STI-CA root and intermediate, STI-PA with its signers, a TLS root. Serial numbers count from 1, names
 * and dates follow from the options, keys are random unless given. Never rejects.
 * @param options - the instant around which certificates are valid, and what is in their names
 * @returns the PKI, which issues further certificates, CRLs and trust lists
 * @see ATIS-1000080 section 6, RFC 8226 section 9
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const provider = pki.issueServiceProvider({ spc: '1234' });
 * ```
 */
export async function createTestPki(options: TestPkiOptions = {}): Promise<TestPki> {
  const nowMs = options.nowMs ?? TEST_NOW_MS;
  const label = options.label ?? 'Test';
  const crlUrl = options.crlUrl ?? 'http://sti-pa.example/crl';
  const crlIssuerName = shakenName(`${label} STI-PA`, 'STI-PA CRL');
  const serials = counter();
  const issuance: Issuance = {
    label,
    nowMs,
    nextSerial: serials.next,
    belowRoot: belowRootOptions(crlUrl, crlIssuerName),
  };
  const { keys = {} } = options;
  const root = issueRoot(issuance, keyed(keys.root));
  const intermediate = issueCa(issuance, { issuer: root, pathLength: 0, ...keyed(keys.intermediate) });
  const policyAdministrator = issuePolicyAdministrator(issuance, { crlIssuerName, keys });
  const tlsRoot = issueRoot(issuance, { commonName: 'TLS ROOT', ...TLS_VALIDITY, ...keyed(keys.tlsRoot) });
  if (options.firstSerialNumber !== undefined) serials.goOnFrom(options.firstSerialNumber);
  return {
    nowMs,
    crlUrl,
    root,
    intermediate,
    ...policyAdministrator,
    tlsRoot,
    issueServiceProvider: (request) => issueServiceProvider(issuance, { issuer: intermediate, ...request }),
    issueDelegate: (request) => issueDelegate(issuance, request),
    issueCa: (request = {}) => issueCa(issuance, { issuer: root, ...request }),
    issueRoot: (request = {}) => issueRoot(issuance, request),
    crossSign: (certificate, issuer, request = {}) =>
      issueCa(issuance, { subject: certificate.subject, key: certificate.key, issuer, ...request }),
    issueTls: (request) => issueTls(issuance, { issuer: tlsRoot, ...request }),
    crl: (request = {}) =>
      issueCrl({ indirectIssuer: policyAdministrator.stiPaCrlIssuer, url: crlUrl, nowMs, ...request }),
    trustList: (request = {}) =>
      issueTrustList({ signer: policyAdministrator.stiPaSigner, anchors: [root], nowMs, ...request }),
  };
}

/** 2020-01-01 to 2049-12-31: around any real clock that a test may run under, and still UTCTime. */
const TLS_VALIDITY: CertificateOptions = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2049, 11, 31) };

function issueServiceProvider(issuance: Issuance, options: ServiceProviderOptions): TestServiceProvider {
  const commonName = options.commonName ?? `SHAKEN ${options.spc}`;
  const certificate = issue(issuance, 365, {
    ...endEntity(options.canDelegate ?? false),
    ...issuance.belowRoot,
    tnAuthList: [{ kind: 'spc', spc: options.spc }],
    ...options,
    commonName,
  });
  return { ...certificate, spc: options.spc };
}

function issueDelegate(issuance: Issuance, options: DelegateOptions): TestCertificate {
  const serialNumber = options.serialNumber ?? issuance.nextSerial();
  return issue(issuance, 90, {
    ...endEntity(options.canDelegate ?? false),
    ...issuance.belowRoot,
    issuer: options.parent,
    ...options,
    serialNumber,
    commonName: options.commonName ?? `Delegate ${serialNumber}`,
  });
}

function issueCa(issuance: Issuance, options: CaOptions): TestCertificate {
  const { pathLength } = options;
  const serialNumber = options.serialNumber ?? issuance.nextSerial();
  return issue(issuance, 3650, {
    basicConstraints: { ca: true, ...(pathLength === undefined ? {} : { pathLength }) },
    keyUsage: { usages: options.signsCrls === true ? ['keyCertSign', 'cRLSign'] : ['keyCertSign'] },
    ...issuance.belowRoot,
    ...options,
    organization: options.organization ?? `${issuance.label} STI-CA`,
    serialNumber,
    // CAs made one after another do not share a name unless asked to.
    commonName: options.commonName ?? `SHAKEN Intermediate CA ${serialNumber}`,
  });
}

function issueRoot(issuance: Issuance, options: CaOptions): TestCertificate {
  const serialNumber = options.serialNumber ?? issuance.nextSerial();
  return issueCa(issuance, {
    issuer: 'self',
    serialNumber,
    commonName: `SHAKEN ROOT CA ${serialNumber}`,
    certificatePolicies: 'absent',
    crlDistributionPoints: 'absent',
    ...options,
  });
}

function issueTls(issuance: Issuance, options: TlsOptions): TestCertificate {
  const { names, addresses } = options;
  return issue(issuance, 365, {
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

function issuePolicyAdministrator(
  issuance: Issuance,
  { crlIssuerName, keys }: { readonly crlIssuerName: TestName; readonly keys: TestPkiKeys },
): Pick<TestPki, 'stiPaRoot' | 'stiPaSigner' | 'stiPaCrlIssuer'> {
  const organization = `${issuance.label} STI-PA`;
  const stiPaRoot = issueRoot(issuance, { organization, commonName: 'STI-PA ROOT', ...keyed(keys.stiPaRoot) });
  const below = { issuer: stiPaRoot, ...endEntity(false) };
  const crlIssuer = { ...below, subject: crlIssuerName, keyUsage: { usages: ['cRLSign'] } } as const;
  return {
    stiPaRoot,
    stiPaSigner: issue(issuance, 365, { ...below, organization, commonName: 'STI-PA', ...keyed(keys.stiPaSigner) }),
    stiPaCrlIssuer: issue(issuance, 365, { ...crlIssuer, ...keyed(keys.stiPaCrlIssuer) }),
  };
}

function issue(
  issuance: Issuance,
  validDays: number,
  options: CertificateOptions & { readonly spc?: string },
): TestCertificate {
  const { label, nowMs, nextSerial } = issuance;
  const subject =
    options.subject ?? shakenName(options.organization ?? `${label} Telephone Company`, options.commonName ?? '');
  return issueCertificate({
    ...options,
    subject: [...subject, ...(options.extraSubject ?? [])],
    serialNumber: options.serialNumber ?? nextSerial(),
    notBeforeMs: options.notBeforeMs ?? options.notBefore?.getTime() ?? nowMs - 30 * DAY_MS,
    notAfterMs: options.notAfterMs ?? options.notAfter?.getTime() ?? nowMs + validDays * DAY_MS,
  });
}

function endEntity(canDelegate: boolean): CertificateOptions {
  if (!canDelegate) return { basicConstraints: { ca: false }, keyUsage: { usages: ['digitalSignature'] } };
  return { basicConstraints: { ca: true }, keyUsage: { usages: ['digitalSignature', 'keyCertSign'] } };
}

function belowRootOptions(crlUrl: string, crlIssuer: TestName): CertificateOptions {
  return { certificatePolicies: [SHAKEN_POLICY_OID], crlDistributionPoints: [{ url: crlUrl, crlIssuer }] };
}

const keyed = (key: TestKey | undefined): Pick<CertificateOptions, 'key'> => (key === undefined ? {} : { key });

function counter(): { readonly next: () => number; readonly goOnFrom: (serial: number) => void } {
  let last = 0;
  return {
    next: () => ++last,
    goOnFrom: (serial) => {
      last = Math.max(last, serial - 1);
    },
  };
}
