import type { Certificate } from './certificate.js';
import type { CertificateRole, Deviation } from './profile-lint.js';
import { SIGNATURE_ALGORITHMS } from './signed-object.js';

/** Attributes that a subject has, each once. @see ATIS-1000080 section 6.4.1 */
const REQUIRED_ATTRIBUTES: readonly string[] = ['C', 'O', 'CN'];

/** Attributes it may have besides: serialNumber since certificate policy 1.3. */
const PERMITTED_ATTRIBUTES: readonly string[] = [...REQUIRED_ATTRIBUTES, 'serialNumber'];

const ALGORITHMS = Object.values(SIGNATURE_ALGORITHMS);

/** Rules about everything but the extensions: version, serial number, algorithms, subject. @see ATIS-1000080 section 6.4.1 */
export function checkIdentity(certificate: Certificate, role: CertificateRole): readonly Deviation[] {
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
