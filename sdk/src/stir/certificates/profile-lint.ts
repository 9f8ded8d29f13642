import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { EXTENSION_OID } from './certificate-extensions.js';
import type { Certificate } from './certificate.js';
import { DER_TAG, derBitStringBytes, derCursor, readDer } from './der.js';
import { SIGNATURE_ALGORITHMS } from './parse-certificate.js';
import { tnAuthListText } from './tn-auth-list.js';

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
export type ProfileRule = keyof typeof PROFILE_RULES;

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
 * @see ATIS-1000080 section 6.4.1
 */
export function lintCertificate(
  certificate: Certificate,
  role: CertificateRole,
  { version, issuer }: LintOptions = {},
): readonly LintFinding[] {
  const untilMs = version === undefined ? certificate.notBeforeMs : PROFILE_EFFECTIVE_MS[version];
  const subject: Subject = { ...certificate, role, issuerCertificate: issuer };
  const rules = Object.entries(PROFILE_RULES) as [ProfileRule, Rule][];
  return rules.flatMap(([rule, { since, check }]) => {
    const effectiveMs = PROFILE_EFFECTIVE_MS[since];
    if (effectiveMs > untilMs) return [];
    return check(subject).map((deviation) => ({
      ...deviation,
      rule,
      since,
      effectiveMs,
    }));
  });
}

/**
 * What a certificate is by its own word: a CA that names itself as its issuer is a root, any other CA an intermediate. No signature is
 * looked at, and a root is no trust anchor by this. Never throws for peer input.
 * @see RFC 5280 sections 3.2 and 4.2.1.9
 */
export function roleOf(certificate: Certificate): CertificateRole {
  if (!certificate.isCa) return 'end-entity';
  return certificate.subject.canonical === certificate.issuer.canonical ? 'root' : 'intermediate';
}

/** A certificate, what it is for, and the one that issued it if that is known. */
interface Subject extends Certificate {
  readonly role: CertificateRole;
  readonly issuerCertificate: Certificate | undefined;
}

/** What a rule reports: the finding without what the table of rules adds. */
type Deviations = readonly Pick<LintFinding, 'expected' | 'actual'>[];

interface Rule {
  readonly since: ProfileVersion;
  readonly check: (subject: Subject) => Deviations;
}

const unless = (isRight: boolean, expected: string, actual: string): Deviations =>
  isRight ? [] : [{ expected, actual }];

const v003 = (check: Rule['check']): Rule => ({ since: 'v003', check });
const v004 = (check: Rule['check']): Rule => ({ since: 'v004', check });

function ruleTable<Name extends string>(table: Readonly<Record<Name, Rule>>): typeof table {
  return table;
}

/** Attributes that a subject has, each once. @see ATIS-1000080 section 6.4.1 */
const REQUIRED_ATTRIBUTES: readonly string[] = ['C', 'O', 'CN'];

/** Attributes it may have besides: serialNumber since certificate policy 1.3. */
const PERMITTED_ATTRIBUTES: readonly string[] = [...REQUIRED_ATTRIBUTES, 'serialNumber'];

const SIGNATURE_OIDS = Object.values(SIGNATURE_ALGORITHMS).map(({ oid }) => oid);
const KEY_TYPES = Object.values(SIGNATURE_ALGORITHMS).map(({ publicKeyType }) => publicKeyType);

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

/** Every rule of the profile, and the edition that brought it. */
export const PROFILE_RULES = ruleTable({
  'version-3': v003(({ version }) => unless(version === 3, '3', String(version))),
  'serial-number-positive': v003(({ serialNumber }) =>
    unless(serialNumber !== '0' && !serialNumber.startsWith('-'), 'more than 0', serialNumber),
  ),
  'signature-algorithm': v003(({ signatureAlgorithm }) =>
    unless(SIGNATURE_OIDS.includes(signatureAlgorithm), SIGNATURE_OIDS.join(' or '), signatureAlgorithm),
  ),
  'public-key': v003(({ publicKeyType }) =>
    unless(KEY_TYPES.includes(publicKeyType), KEY_TYPES.join(' or '), publicKeyType),
  ),
  'subject-attributes': v003(({ subject }) => {
    const types = subject.attributes.map(({ type }) => type);
    const isComplete = REQUIRED_ATTRIBUTES.every((type) => types.filter((other) => other === type).length === 1);
    const isRight = isComplete && types.every((type) => PERMITTED_ATTRIBUTES.includes(type));
    return unless(isRight, 'C, O and CN, each once', types.join(' ') || 'none');
  }),
  'subject-common-name-spc': v003((subject) => {
    const spc = subject.tnAuthList?.find((entry) => entry.kind === 'spc')?.spc;
    const name = commonName(subject);
    const isNamed = spc === undefined || ` ${name} `.includes(` SHAKEN ${spc} `);
    return unless(subject.role !== 'end-entity' || isNamed, `SHAKEN ${spc ?? ''}`, name);
  }),
  'subject-common-name-root': v003((subject) => {
    const name = commonName(subject);
    return unless(subject.role !== 'root' || name.toUpperCase().includes('ROOT'), 'ROOT in it', name);
  }),
  'basic-constraints-critical': v003(({ basicConstraints }) => critical(basicConstraints)),
  'basic-constraints-ca': v003(({ basicConstraints, role }) => {
    const expected = role !== 'end-entity';
    const ca = basicConstraints?.ca ?? expected;
    return unless(ca === expected, `cA ${expected}`, `cA ${ca}`);
  }),
  'key-usage-critical': v003(({ keyUsage }) => critical(keyUsage)),
  'key-usage-bits': v003(({ keyUsage, role }) => {
    const expected = role === 'end-entity' ? 'digitalSignature' : 'keyCertSign';
    const actual = [...(keyUsage?.usages ?? [])].sort().join(' ');
    return unless(keyUsage === undefined || actual === expected, expected, actual);
  }),
  'subject-key-identifier': v003(({ publicKey, subjectKeyIdentifier }) => {
    const expected = keyIdentifier(publicKey);
    return unless(subjectKeyIdentifier === expected, expected, subjectKeyIdentifier ?? 'absent');
  }),
  'authority-key-identifier': v003(({ role, authorityKeyIdentifier, subjectKeyIdentifier, issuerCertificate }) => {
    const above = role === 'root' ? subjectKeyIdentifier : issuerCertificate?.subjectKeyIdentifier;
    const isRight =
      authorityKeyIdentifier === undefined ? role === 'root' : above === undefined || authorityKeyIdentifier === above;
    return unless(isRight, above ?? 'present', authorityKeyIdentifier ?? 'absent');
  }),
  'certificate-policies': v003(({ role, certificatePolicies }) => {
    const [policy = '', ...others] = certificatePolicies;
    const isOne = others.length === 0 && SHAKEN_POLICIES.includes(policy);
    return unless(role === 'root' || isOne, SHAKEN_POLICIES.join(' or '), certificatePolicies.join(' ') || 'absent');
  }),
  'certificate-policies-critical': v003((subject) =>
    unless(
      subject.role === 'root' || extensionOf(subject, EXTENSION_OID.certificatePolicies)?.critical !== true,
      'not critical',
      'critical',
    ),
  ),
  'certificate-policies-on-root': v003((subject) =>
    unless(
      subject.role !== 'root' || extensionOf(subject, EXTENSION_OID.certificatePolicies) === undefined,
      'absent',
      subject.certificatePolicies.join(' '),
    ),
  ),
  'crl-distribution-points': v004(({ role, crlDistributionPoints }) => {
    const count = crlDistributionPoints.length;
    return unless(role === 'root' || count === 1, 'one distribution point', String(count));
  }),
  'crl-distribution-point-url': v004((subject) => {
    const urls = onlyPoint(subject)?.urls;
    const isRight = urls === undefined || (urls.length === 1 && /^https?:\/\//i.test(urls[0] ?? ''));
    return unless(isRight, 'one HTTP URL', urls?.join(' ') || 'none');
  }),
  'crl-distribution-point-issuer': v004((subject) => {
    const point = onlyPoint(subject);
    return unless(point === undefined || point.crlIssuer !== undefined, 'cRLIssuer', 'absent');
  }),
  'crl-distribution-points-on-root': v004(({ role, crlDistributionPoints }) => {
    const urls = crlDistributionPoints.flatMap((point) => point.urls);
    return unless(role !== 'root' || crlDistributionPoints.length === 0, 'absent', urls.join(' '));
  }),
  'tn-auth-list-missing': v003(({ role, tnAuthList }) =>
    unless(role !== 'end-entity' || tnAuthList !== undefined, 'one SPC', 'absent'),
  ),
  'tn-auth-list-on-ca': v003(({ role, tnAuthList }) =>
    unless(role === 'end-entity' || tnAuthList === undefined, 'absent', tnAuthListText(tnAuthList ?? [])),
  ),
  'tn-auth-list-critical': v003((subject) =>
    unless(
      subject.role !== 'end-entity' || extensionOf(subject, EXTENSION_OID.tnAuthList)?.critical !== true,
      'not critical',
      'critical',
    ),
  ),
  'tn-auth-list-one-spc': v003(({ role, tnAuthList }) => {
    const isOne = tnAuthList === undefined || (tnAuthList.length === 1 && tnAuthList[0]?.kind === 'spc');
    return unless(role !== 'end-entity' || isOne, 'one SPC', tnAuthListText(tnAuthList ?? []));
  }),
  'extension-not-in-profile': {
    since: 'v005',
    check: ({ extensions }) =>
      extensions
        .filter(({ oid }) => !PROFILE_EXTENSIONS.includes(oid))
        .map(({ oid }) => ({ expected: 'none', actual: oid })),
  },
});

function commonName({ subject }: Certificate): string {
  return subject.attributes.find(({ type }) => type === 'CN')?.value ?? '';
}

function critical(extension: { readonly critical: boolean } | undefined): Deviations {
  return unless(extension?.critical === true, 'critical', extension === undefined ? 'absent' : 'not critical');
}

function extensionOf({ extensions }: Certificate, wanted: string): Certificate['extensions'][number] | undefined {
  return extensions.find(({ oid }) => oid === wanted);
}

/** The distribution point of a certificate that has one, as it should; roots have none. */
function onlyPoint({ role, crlDistributionPoints }: Subject): Certificate['crlDistributionPoints'][number] | undefined {
  return role !== 'root' && crlDistributionPoints.length === 1 ? crlDistributionPoints[0] : undefined;
}

/** 160-bit SHA-1 of the public key bits. @see RFC 5280 section 4.2.1.2 (1) */
function keyIdentifier(publicKey: KeyObject): string {
  const info = derCursor(readDer(publicKey.export({ type: 'spki', format: 'der' })));
  info.take(DER_TAG.sequence);
  return createHash('sha1')
    .update(derBitStringBytes(info.take(DER_TAG.bitString)))
    .digest('hex');
}
