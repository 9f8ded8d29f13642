import type { Certificate } from './certificate.js';
import { checkExtensions } from './profile-lint-extensions.js';
import { checkIdentity } from './profile-lint-identity.js';

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
export type Deviation = Pick<LintFinding, 'rule' | 'expected' | 'actual'>;

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
