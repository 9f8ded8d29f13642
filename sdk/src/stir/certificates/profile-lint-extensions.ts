import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Certificate } from './certificate.js';
import { EXTENSION_OID } from './certificate-extensions.js';
import { DER_TAG, derBitStringBytes, derCursor, readDer } from './der.js';
import type { CertificateRole, Deviation, LintOptions } from './profile-lint.js';
import { tnAuthListText } from './tn-auth-list.js';

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
export function checkExtensions(
  certificate: Certificate,
  role: CertificateRole,
  options: LintOptions,
): readonly Deviation[] {
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
