import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { EXTENSION_OID } from './certificate-extensions.js';
import type { Certificate } from './certificate.js';
import { DER_TAG, derBitStringBytes, derCursor, readDer } from './der.js';
import { SIGNATURE_ALGORITHMS } from './parse-certificate.js';
import { tnAuthListText } from './tn-auth-list.js';

/** Attributes that a subject has, each once. @see ATIS-1000080 section 6.4.1 */
const REQUIRED_ATTRIBUTES: readonly string[] = ['C', 'O', 'CN'];

/** Attributes it may have besides: serialNumber since certificate policy 1.3. */
const PERMITTED_ATTRIBUTES: readonly string[] = [...REQUIRED_ATTRIBUTES, 'serialNumber'];

const ALGORITHMS = Object.values(SIGNATURE_ALGORITHMS);

/** Rules about everything but the extensions: version, serial number, algorithms, subject. @see ATIS-1000080 section 6.4.1 */
function checkIdentity(certificate: Certificate, role: CertificateRole): readonly Deviation[] {
  const { version, serialNumber, signatureAlgorithm, publicKeyType } = certificate;
  const deviations: Deviation[] = [];
  if (version !== 3) deviations.push({ rule: 'version-3', expected: '3', actual: String(version) });
  if (serialNumber === '0' || serialNumber.startsWith('-')) {
    deviations.push({ rule: 'serial-number-positive', expected: 'more than 0', actual: serialNumber });
  }
  if (!ALGORITHMS.some(({ oid }) => oid === signatureAlgorithm)) {
    deviations.push({
      rule: 'signature-algorithm',
      expected: ALGORITHMS.map(({ oid }) => oid).join(' or '),
      actual: signatureAlgorithm,
    });
  }
  const keyTypes = ALGORITHMS.map((algorithm) => algorithm.publicKeyType);
  if (!keyTypes.includes(publicKeyType))
    deviations.push({ rule: 'public-key', expected: keyTypes.join(' or '), actual: publicKeyType });
  return [...deviations, ...checkSubject(certificate, role)];
}

function checkSubject(certificate: Certificate, role: CertificateRole): readonly Deviation[] {
  const { attributes } = certificate.subject;
  const types = attributes.map(({ type }) => type);
  const isComplete = REQUIRED_ATTRIBUTES.every((type) => types.filter((other) => other === type).length === 1);
  const deviations: Deviation[] = [];
  if (!isComplete || types.some((type) => !PERMITTED_ATTRIBUTES.includes(type))) {
    deviations.push({
      rule: 'subject-attributes',
      expected: 'C, O and CN, each once',
      actual: types.join(' ') || 'none',
    });
  }
  const commonName = attributes.find(({ type }) => type === 'CN')?.value ?? '';
  if (role === 'root' && !commonName.toUpperCase().includes('ROOT')) {
    deviations.push({ rule: 'subject-common-name-root', expected: 'ROOT in it', actual: commonName });
  }
  const spc = certificate.tnAuthList?.find((entry) => entry.kind === 'spc')?.spc;
  if (role === 'end-entity' && spc !== undefined && !` ${commonName} `.includes(` SHAKEN ${spc} `)) {
    deviations.push({ rule: 'subject-common-name-spc', expected: `SHAKEN ${spc}`, actual: commonName });
  }
  return deviations;
}

/** What a certificate is for. */
export type CertificateRole = 'end-entity' | 'intermediate' | 'root';

/** Editions of ATIS-1000080 whose certificate profile is known here. */
export type ProfileVersion = 'v003' | 'v004' | 'v005';

/**
 * Since when certificates had to meet each edition (by report), as first instants in milliseconds since the epoch.
 * @see ATIS-1000080
 */
export const PROFILE_EFFECTIVE_MS: Readonly<Record<ProfileVersion, number>> = {
  v003: Date.UTC(2020, 8, 4),
  v004: Date.UTC(2021, 9, 18),
  v005: Date.UTC(2022, 11, 12),
};

/** Id of a profile rule; it does not change between releases. */
export type ProfileRule =
  | 'version-3'
  | 'serial-number-positive'
  | 'signature-algorithm'
  | 'public-key'
  | 'subject-attributes'
  | 'subject-common-name-spc'
  | 'subject-common-name-root'
  | 'basic-constraints-critical'
  | 'basic-constraints-ca'
  | 'key-usage-critical'
  | 'key-usage-bits'
  | 'subject-key-identifier'
  | 'authority-key-identifier'
  | 'certificate-policies'
  | 'certificate-policies-critical'
  | 'certificate-policies-on-root'
  | 'crl-distribution-points'
  | 'crl-distribution-point-url'
  | 'crl-distribution-point-issuer'
  | 'crl-distribution-points-on-root'
  | 'tn-auth-list-missing'
  | 'tn-auth-list-on-ca'
  | 'tn-auth-list-critical'
  | 'tn-auth-list-one-spc'
  | 'extension-not-in-profile';

/** Every rule of the profile, and the edition that brought it. */
export const PROFILE_RULES: Readonly<Record<ProfileRule, ProfileVersion>> = {
  'version-3': 'v003',
  'serial-number-positive': 'v003',
  'signature-algorithm': 'v003',
  'public-key': 'v003',
  'subject-attributes': 'v003',
  'subject-common-name-spc': 'v003',
  'subject-common-name-root': 'v003',
  'basic-constraints-critical': 'v003',
  'basic-constraints-ca': 'v003',
  'key-usage-critical': 'v003',
  'key-usage-bits': 'v003',
  'subject-key-identifier': 'v003',
  'authority-key-identifier': 'v003',
  'certificate-policies': 'v003',
  'certificate-policies-critical': 'v003',
  'certificate-policies-on-root': 'v003',
  'crl-distribution-points': 'v004',
  'crl-distribution-point-url': 'v004',
  'crl-distribution-point-issuer': 'v004',
  'crl-distribution-points-on-root': 'v004',
  'tn-auth-list-missing': 'v003',
  'tn-auth-list-on-ca': 'v003',
  'tn-auth-list-critical': 'v003',
  'tn-auth-list-one-spc': 'v003',
  'extension-not-in-profile': 'v005',
};

/** One deviation from the profile, with what was asked for and what was found. */
export interface LintFinding {
  readonly rule: ProfileRule;
  /** Edition that brought the rule. */
  readonly since: ProfileVersion;
  /** Since when the rule had to be met, milliseconds since the epoch. */
  readonly effectiveMs: number;
  /** What the profile asks for, for people. */
  readonly expected: string;
  /** What the certificate has, for people. */
  readonly actual: string;
}

/** What a rule reports: the finding without what the table of rules adds. */
type Deviation = Pick<LintFinding, 'rule' | 'expected' | 'actual'>;

/** How a certificate is linted. */
export interface LintOptions {
  /** Apply the rules of this edition and those before. Default: the rules that were in force when the certificate became valid. */
  readonly version?: ProfileVersion;
  /** The certificate above it, for the rule that both key identifiers agree. */
  readonly issuer?: Certificate;
}

/**
 * Compares a certificate with the SHAKEN certificate profile and reports every deviation, in the order of {@link PROFILE_RULES}.
 * A deviation does not make a certificate untrusted: `buildCertificatePath` decides that. Never throws for peer input.
 * @param certificate - parsed, trusted or not
 * @param role - what it is meant to be
 * @param options - edition, and the issuer if known
 * @returns no finding for a certificate that follows the profile
 * @see ATIS-1000080 section 6.4.1
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const result = parseCertificate(pki.issueServiceProvider({ spc: '1234', commonName: '1234' }).der);
 * const findings = result.status === 'parsed' ? lintCertificate(result.certificate, 'end-entity') : [];
 * for (const { rule, expected, actual } of findings) {
 *   console.log(`${rule}: ${actual} instead of ${expected}`); // subject-common-name-spc: 1234 instead of SHAKEN 1234
 * }
 * ```
 */
export function lintCertificate(
  certificate: Certificate,
  role: CertificateRole,
  options: LintOptions = {},
): readonly LintFinding[] {
  const untilMs = options.version === undefined ? certificate.notBeforeMs : PROFILE_EFFECTIVE_MS[options.version];
  const deviations = [...checkIdentity(certificate, role), ...checkExtensions(certificate, role, options)];
  const byRule = new Map<ProfileRule, Deviation[]>();
  for (const deviation of deviations) byRule.set(deviation.rule, [...(byRule.get(deviation.rule) ?? []), deviation]);
  return (Object.keys(PROFILE_RULES) as ProfileRule[]).flatMap((rule) => {
    const since = PROFILE_RULES[rule];
    const effectiveMs = PROFILE_EFFECTIVE_MS[since];
    if (effectiveMs > untilMs) return [];
    return (byRule.get(rule) ?? []).map((deviation) => ({ ...deviation, since, effectiveMs }));
  });
}

/**
 * What a certificate is by its own word: a CA that names itself as its issuer is a root, any other CA an intermediate. No signature is
 * looked at, and a root is no trust anchor by this. Never throws for peer input.
 * @param certificate - parsed, trusted or not
 * @returns the role to lint it in
 * @see RFC 5280 sections 3.2 and 4.2.1.9
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const result = parseCertificateChain(pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * if (result.status === 'parsed') console.log(result.chain.map(roleOf)); // [ 'end-entity', 'intermediate' ]
 * ```
 */
export function roleOf(certificate: Certificate): CertificateRole {
  if (!certificate.isCa) return 'end-entity';
  return certificate.subject.canonical === certificate.issuer.canonical ? 'root' : 'intermediate';
}

/** Policies of the SHAKEN certificate policy document, versions 1.3 and 1.4. */
const SHAKEN_POLICIES: readonly string[] = ['2.16.840.1.114569.1.1.3', '2.16.840.1.114569.1.1.4'];

/** Extensions that the profile has; no others may be there. @see ATIS-1000080 section 6.4.1 */
const PROFILE_EXTENSIONS: readonly string[] = [
  EXTENSION_OID.basicConstraints,
  EXTENSION_OID.keyUsage,
  EXTENSION_OID.subjectKeyIdentifier,
  EXTENSION_OID.authorityKeyIdentifier,
  EXTENSION_OID.certificatePolicies,
  EXTENSION_OID.crlDistributionPoints,
  EXTENSION_OID.tnAuthList,
];

/** Rules about the extensions. @see ATIS-1000080 section 6.4.1 */
function checkExtensions(certificate: Certificate, role: CertificateRole, options: LintOptions): readonly Deviation[] {
  return [
    ...checkBasicConstraints(certificate, role),
    ...checkKeyUsage(certificate, role),
    ...checkKeyIdentifiers(certificate, role, options),
    ...checkPolicies(certificate, role),
    ...checkDistributionPoints(certificate, role),
    ...checkTnAuthList(certificate, role),
    ...certificate.extensions
      .filter(({ oid }) => !PROFILE_EXTENSIONS.includes(oid))
      .map(({ oid }) => ({ rule: 'extension-not-in-profile' as const, expected: 'none', actual: oid })),
  ];
}

function checkBasicConstraints({ basicConstraints }: Certificate, role: CertificateRole): readonly Deviation[] {
  const deviations: Deviation[] = [];
  if (basicConstraints?.critical !== true) {
    deviations.push({
      rule: 'basic-constraints-critical',
      expected: 'critical',
      actual: basicConstraints ? 'not critical' : 'absent',
    });
  }
  const expected = role !== 'end-entity';
  if (basicConstraints !== undefined && basicConstraints.ca !== expected) {
    deviations.push({ rule: 'basic-constraints-ca', expected: `cA ${expected}`, actual: `cA ${basicConstraints.ca}` });
  }
  return deviations;
}

function checkKeyUsage({ keyUsage }: Certificate, role: CertificateRole): readonly Deviation[] {
  const deviations: Deviation[] = [];
  if (keyUsage?.critical !== true) {
    deviations.push({ rule: 'key-usage-critical', expected: 'critical', actual: keyUsage ? 'not critical' : 'absent' });
  }
  const expected = role === 'end-entity' ? 'digitalSignature' : 'keyCertSign';
  const actual = [...(keyUsage?.usages ?? [])].sort().join(' ');
  if (keyUsage !== undefined && actual !== expected) deviations.push({ rule: 'key-usage-bits', expected, actual });
  return deviations;
}

function checkKeyIdentifiers(
  certificate: Certificate,
  role: CertificateRole,
  { issuer }: LintOptions,
): readonly Deviation[] {
  const { subjectKeyIdentifier, authorityKeyIdentifier } = certificate;
  const deviations: Deviation[] = [];
  const expected = keyIdentifier(certificate.publicKey);
  if (subjectKeyIdentifier !== expected) {
    deviations.push({ rule: 'subject-key-identifier', expected, actual: subjectKeyIdentifier ?? 'absent' });
  }
  const above = role === 'root' ? subjectKeyIdentifier : issuer?.subjectKeyIdentifier;
  // A root may leave out what only repeats its own identifier.
  if (role !== 'root' && authorityKeyIdentifier === undefined) {
    deviations.push({ rule: 'authority-key-identifier', expected: above ?? 'present', actual: 'absent' });
  } else if (authorityKeyIdentifier !== undefined && above !== undefined && authorityKeyIdentifier !== above) {
    deviations.push({ rule: 'authority-key-identifier', expected: above, actual: authorityKeyIdentifier });
  }
  return deviations;
}

function checkPolicies(certificate: Certificate, role: CertificateRole): readonly Deviation[] {
  const { certificatePolicies } = certificate;
  const extension = certificate.extensions.find(({ oid }) => oid === EXTENSION_OID.certificatePolicies);
  if (role === 'root') {
    return extension === undefined
      ? []
      : [{ rule: 'certificate-policies-on-root', expected: 'absent', actual: certificatePolicies.join(' ') }];
  }
  const deviations: Deviation[] = [];
  const [policy] = certificatePolicies;
  if (certificatePolicies.length !== 1 || policy === undefined || !SHAKEN_POLICIES.includes(policy)) {
    deviations.push({
      rule: 'certificate-policies',
      expected: SHAKEN_POLICIES.join(' or '),
      actual: certificatePolicies.join(' ') || 'absent',
    });
  }
  if (extension?.critical === true)
    deviations.push({ rule: 'certificate-policies-critical', expected: 'not critical', actual: 'critical' });
  return deviations;
}

function checkDistributionPoints({ crlDistributionPoints }: Certificate, role: CertificateRole): readonly Deviation[] {
  const [point, ...others] = crlDistributionPoints;
  const urls = crlDistributionPoints.flatMap((distributionPoint) => distributionPoint.urls);
  if (role === 'root') {
    return point === undefined
      ? []
      : [{ rule: 'crl-distribution-points-on-root', expected: 'absent', actual: urls.join(' ') }];
  }
  if (point === undefined || others.length > 0) {
    return [
      {
        rule: 'crl-distribution-points',
        expected: 'one distribution point',
        actual: String(crlDistributionPoints.length),
      },
    ];
  }
  const deviations: Deviation[] = [];
  const [url] = point.urls;
  if (point.urls.length !== 1 || url === undefined || !/^https?:\/\//i.test(url)) {
    deviations.push({ rule: 'crl-distribution-point-url', expected: 'one HTTP URL', actual: urls.join(' ') || 'none' });
  }
  if (point.crlIssuer === undefined)
    deviations.push({ rule: 'crl-distribution-point-issuer', expected: 'cRLIssuer', actual: 'absent' });
  return deviations;
}

function checkTnAuthList(certificate: Certificate, role: CertificateRole): readonly Deviation[] {
  const { tnAuthList } = certificate;
  if (role !== 'end-entity') {
    return tnAuthList === undefined
      ? []
      : [{ rule: 'tn-auth-list-on-ca', expected: 'absent', actual: tnAuthListText(tnAuthList) }];
  }
  if (tnAuthList === undefined) return [{ rule: 'tn-auth-list-missing', expected: 'one SPC', actual: 'absent' }];
  const deviations: Deviation[] = [];
  if (certificate.extensions.some(({ oid, critical }) => oid === EXTENSION_OID.tnAuthList && critical)) {
    deviations.push({ rule: 'tn-auth-list-critical', expected: 'not critical', actual: 'critical' });
  }
  if (tnAuthList.length !== 1 || tnAuthList[0]?.kind !== 'spc') {
    deviations.push({ rule: 'tn-auth-list-one-spc', expected: 'one SPC', actual: tnAuthListText(tnAuthList) });
  }
  return deviations;
}

/** 160-bit SHA-1 of the public key bits. @see RFC 5280 section 4.2.1.2 (1) */
function keyIdentifier(publicKey: KeyObject): string {
  const info = derCursor(readDer(publicKey.export({ type: 'spki', format: 'der' })));
  info.take(DER_TAG.sequence);
  return createHash('sha1')
    .update(derBitStringBytes(info.take(DER_TAG.bitString)))
    .digest('hex');
}
