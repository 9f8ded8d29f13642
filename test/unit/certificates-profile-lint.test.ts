import { TestPki, type CertificateOptions, type TestCertificate } from '@hopback/sdk/testing';
import { SHAKEN_POLICY_OID } from '../../sdk/src/testing/test-pki.js';
import { expect, test } from 'vitest';
import { describeCertificate } from '../../sdk/src/stir/certificates/parse-certificate.js';
import {
  lintCertificate,
  PROFILE_EFFECTIVE_MS,
  PROFILE_RULES,
  roleOf,
} from '../../sdk/src/stir/certificates/profile-lint.js';
import type { CertificateRole, ProfileRule } from '../../sdk/src/stir/certificates/profile-lint.js';
import { parsed } from './certificates-parsed.js';

const pki = new TestPki();

const rules = (certificate: TestCertificate, role: CertificateRole) =>
  lintCertificate(parsed(certificate), role, certificate.issuer && { issuer: parsed(certificate.issuer) }).map(
    ({ rule }) => rule,
  );

test('finds nothing in certificates that follow the profile', () => {
  expect(rules(pki.root, 'root')).toEqual([]);
  expect(rules(pki.intermediate, 'intermediate')).toEqual([]);
  expect(rules(pki.issueServiceProvider({ spc: '709J' }), 'end-entity')).toEqual([]);
  expect(
    rules(
      pki.issueServiceProvider({ spc: '709J', extraSubject: [{ type: 'serialNumber', value: '1' }] }),
      'end-entity',
    ),
  ).toEqual([]);
});

const spc = { kind: 'spc', spc: '709J' } as const;
const crlIssuer = [{ type: 'CN', value: 'CRL' }] as const;

const deviations: readonly [ProfileRule, CertificateRole, CertificateOptions][] = [
  ['serial-number-positive', 'end-entity', { serialNumber: 0 }],
  ['serial-number-positive', 'end-entity', { serialNumber: -1 }],
  ['signature-algorithm', 'end-entity', { signatureHash: 'SHA-512' }],
  ['public-key', 'end-entity', { curve: 'RSA-2048' }],
  ['subject-attributes', 'end-entity', { extraSubject: [{ type: 'OU', value: 'x' }] }],
  ['subject-attributes', 'end-entity', { extraSubject: [{ type: 'O', value: 'x' }] }],
  ['subject-attributes', 'end-entity', { subject: [{ type: 'CN', value: 'SHAKEN 709J' }] }],
  ['subject-common-name-spc', 'end-entity', { commonName: '709J' }],
  ['subject-common-name-spc', 'end-entity', { commonName: 'SHAKEN 709J5' }],
  ['subject-common-name-spc', 'end-entity', { commonName: 'NOTSHAKEN 709J' }],
  ['subject-common-name-root', 'root', { commonName: 'SHAKEN CA' }],
  ['basic-constraints-critical', 'end-entity', { basicConstraints: 'absent' }],
  ['basic-constraints-critical', 'end-entity', { basicConstraints: { ca: false, critical: false } }],
  ['basic-constraints-ca', 'end-entity', { basicConstraints: { ca: true } }],
  ['basic-constraints-ca', 'intermediate', { basicConstraints: { ca: false } }],
  ['key-usage-critical', 'end-entity', { keyUsage: 'absent' }],
  ['key-usage-critical', 'end-entity', { keyUsage: { usages: ['digitalSignature'], critical: false } }],
  ['key-usage-bits', 'end-entity', { keyUsage: { usages: ['digitalSignature', 'nonRepudiation'] } }],
  ['key-usage-bits', 'intermediate', { keyUsage: { usages: ['keyCertSign', 'cRLSign'] } }],
  ['subject-key-identifier', 'end-entity', { subjectKeyIdentifier: 'absent' }],
  ['subject-key-identifier', 'end-entity', { subjectKeyIdentifier: Buffer.alloc(20) }],
  ['authority-key-identifier', 'end-entity', { authorityKeyIdentifier: 'absent' }],
  ['authority-key-identifier', 'end-entity', { authorityKeyIdentifier: 'wrong' }],
  ['certificate-policies', 'end-entity', { certificatePolicies: 'absent' }],
  ['certificate-policies', 'intermediate', { certificatePolicies: ['2.16.840.1.114569.1.1.1'] }],
  ['certificate-policies', 'end-entity', { certificatePolicies: ['2.16.840.1.114569.1.1.3', SHAKEN_POLICY_OID] }],
  ['certificate-policies-on-root', 'root', { certificatePolicies: [SHAKEN_POLICY_OID] }],
  ['crl-distribution-points', 'end-entity', { crlDistributionPoints: 'absent' }],
  ['crl-distribution-point-url', 'end-entity', { crlDistributionPoints: [{ url: 'ldap://x', crlIssuer }] }],
  ['crl-distribution-point-issuer', 'end-entity', { crlDistributionPoints: [{ url: 'https://x/crl' }] }],
  ['crl-distribution-points-on-root', 'root', { crlDistributionPoints: [{ url: 'https://x/crl' }] }],
  ['tn-auth-list-missing', 'end-entity', { tnAuthList: 'absent' }],
  ['tn-auth-list-on-ca', 'intermediate', { tnAuthList: [spc] }],
  ['tn-auth-list-critical', 'end-entity', { tnAuthListCritical: true }],
  ['tn-auth-list-one-spc', 'end-entity', { tnAuthList: [spc, { kind: 'one', tn: '911' }] }],
  ['extension-not-in-profile', 'end-entity', { caIssuers: ['http://ca.example/ca.crt'] }],
];

const issue: Readonly<Record<CertificateRole, (options: CertificateOptions) => TestCertificate>> = {
  'end-entity': (options) => pki.issueServiceProvider({ spc: '709J', ...options }),
  intermediate: (options) => pki.issueCa(options),
  root: (options) => pki.issueRoot(options),
};

test.each(deviations)('finds %s on a certificate of role %s (%j)', (rule, role, options) => {
  expect(rules(issue[role](options), role)).toEqual([rule]);
});

test('finds version-3 among the many deviations of a version 1 certificate', () => {
  expect(rules(pki.issueServiceProvider({ spc: '709J', version: 1 }), 'end-entity')).toContain('version-3');
});

test('finds critical certificate policies', () => {
  const value = Buffer.from('300e300c060a6086480186ff09010104', 'hex');
  const certificate = issue['end-entity']({
    certificatePolicies: 'absent',
    extraExtensions: [{ oid: '2.5.29.32', critical: true, value }],
  });
  expect(rules(certificate, 'end-entity')).toEqual(['certificate-policies-critical']);
});

test('every rule has a test that finds it', () => {
  const found = new Set<string>([...deviations.map(([rule]) => rule), 'version-3', 'certificate-policies-critical']);
  expect(Object.keys(PROFILE_RULES).filter((rule) => !found.has(rule))).toEqual([]);
});

test('reports every deviation in the order of the rules, with both values, edition and effective date', () => {
  const certificate = parsed(
    issue['end-entity']({
      serialNumber: 0,
      keyUsage: 'absent',
      caIssuers: ['http://x'],
      crlDistributionPoints: 'absent',
    }),
  );
  const findings = lintCertificate(certificate, 'end-entity');
  expect(findings.map((found) => [found.rule, found.since, found.effectiveMs, found.expected, found.actual])).toEqual([
    ['serial-number-positive', 'v003', Date.UTC(2020, 8, 4), 'more than 0', '0'],
    ['key-usage-critical', 'v003', Date.UTC(2020, 8, 4), 'critical', 'absent'],
    ['crl-distribution-points', 'v004', Date.UTC(2021, 9, 18), 'one distribution point', '0'],
    ['extension-not-in-profile', 'v005', Date.UTC(2022, 11, 12), 'none', '1.3.6.1.5.5.7.1.1'],
  ]);
});

test('holds against a certificate the rules of its day, or those of a given edition', () => {
  const options = { serialNumber: 0, crlDistributionPoints: 'absent', caIssuers: ['http://x'] } as const;
  const lint = (notBeforeMs: number, version?: 'v003' | 'v004' | 'v005') =>
    lintCertificate(parsed(issue['end-entity']({ ...options, notBeforeMs })), 'end-entity', version && { version }).map(
      ({ since }) => since,
    );
  expect(lint(PROFILE_EFFECTIVE_MS.v003 - 1000)).toEqual([]);
  expect(lint(PROFILE_EFFECTIVE_MS.v003)).toEqual(['v003']);
  expect(lint(PROFILE_EFFECTIVE_MS.v004)).toEqual(['v003', 'v004']);
  expect(lint(PROFILE_EFFECTIVE_MS.v005)).toEqual(['v003', 'v004', 'v005']);
  expect(lint(PROFILE_EFFECTIVE_MS.v003 - 1000, 'v005')).toEqual(['v003', 'v004', 'v005']);
  expect(lint(PROFILE_EFFECTIVE_MS.v005, 'v004')).toEqual(['v003', 'v004']);
});

test('tells the role of a certificate by its own word', () => {
  expect(
    [pki.root, pki.intermediate, pki.issueServiceProvider({ spc: '709J' })].map((issued) => roleOf(parsed(issued))),
  ).toEqual(['root', 'intermediate', 'end-entity']);
});

test('describes a certificate line by line', () => {
  const lines = describeCertificate(
    parsed(
      issue['end-entity']({ jwtClaimConstraints: { permittedValues: [{ claim: 'attest', permitted: ['B', 'C'] }] } }),
    ),
  );
  expect(lines).toContain('subject: C=US, O=Test Telephone Company, CN=SHAKEN 709J');
  expect(lines).toContain('TNAuthList: spc 709J');
  expect(lines).toContain('claim constraints: attest only B or C');
  expect(lines).toContain('signature algorithm: ECDSA with SHA256 (1.2.840.10045.4.3.2)');
  expect(describeCertificate(parsed(pki.intermediate))).toContain('CA: yes, at most 0 intermediate CA(s) below it');
});

test('a description holds no control characters of the peer', () => {
  const certificate = parsed(issue['end-entity']({ commonName: '\u001b[31m', caIssuers: ['http://x/\u0007'] }));
  expect(describeCertificate(certificate).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});
