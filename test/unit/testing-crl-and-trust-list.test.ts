import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { createTestKey, createTestPki, CRL_REASONS } from '@hopback/sdk/testing';
import type { TestCrl, TestPki } from '@hopback/sdk/testing';
import { AsnConvert } from '@peculiar/asn1-schema';
import { CertificateIssuer, CertificateList, CRLReason, IssuingDistributionPoint } from '@peculiar/asn1-x509';
import type { Extension } from '@peculiar/asn1-x509';
import { compactVerify, importX509 } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { testPeer } from '../peers.js';
import { openssl } from './testing-openssl.js';

let pki: TestPki;

beforeAll(async () => {
  pki = await createTestPki();
});

const parsed = (crl: TestCrl): CertificateList => AsnConvert.parse(crl.der, CertificateList);
const find = (extensions: readonly Extension[] | undefined, oid: string): Extension | undefined =>
  extensions?.find(({ extnID }) => extnID === oid);

function distributionPoint(crl: TestCrl): IssuingDistributionPoint | undefined {
  const extension = find(parsed(crl).tbsCertList.crlExtensions, '2.5.29.28');
  return extension && AsnConvert.parse(extension.extnValue.buffer, IssuingDistributionPoint);
}

function entryIssuers(crl: TestCrl): readonly (string | undefined)[] {
  return (parsed(crl).tbsCertList.revokedCertificates ?? []).map(({ crlEntryExtensions }) => {
    const extension = find(crlEntryExtensions, '2.5.29.29');
    const [name] = extension === undefined ? [] : AsnConvert.parse(extension.extnValue.buffer, CertificateIssuer);
    return name?.directoryName?.at(-1)?.[0]?.value.toString();
  });
}

function verifies(crl: TestCrl, certificatePem: string): boolean {
  const { tbsCertListRaw, signature } = parsed(crl);
  const key = createPublicKey(certificatePem);
  return verify('sha256', Buffer.from(tbsCertListRaw ?? new ArrayBuffer(0)), key, Buffer.from(signature));
}

test('by default a CRL is the indirect one of the STI-PA, empty and valid now', () => {
  const crl = pki.crl();
  const { tbsCertList } = parsed(crl);
  expect(tbsCertList.revokedCertificates).toBeUndefined();
  expect(tbsCertList.thisUpdate.getTime().getTime()).toBeLessThan(pki.nowMs);
  expect(tbsCertList.nextUpdate?.getTime().getTime()).toBeGreaterThan(pki.nowMs);
  expect(distributionPoint(crl)?.indirectCRL).toBe(true);
  expect(distributionPoint(crl)?.distributionPoint?.fullName?.[0]?.uniformResourceIdentifier).toBe(pki.crlUrl);
  expect(verifies(crl, pki.stiPaCrlIssuer.certificatePem)).toBe(true);
});

test('entries of an indirect CRL name the issuer of each certificate, critical', () => {
  const first = pki.issueServiceProvider({ spc: '1234' });
  const second = pki.issueServiceProvider({ spc: '5678', issuer: pki.issueCa({ commonName: 'Second CA' }) });
  const crl = pki.crl({
    revoked: [first, { certificate: second, reason: 'keyCompromise', revokedAtMs: pki.nowMs - 5000 }],
  });
  expect(entryIssuers(crl)).toEqual([pki.intermediate.subject.at(-1)?.value, 'Second CA']);
  const [, entry] = parsed(crl).tbsCertList.revokedCertificates ?? [];
  expect(entry?.revocationDate.getTime().getTime()).toBe(pki.nowMs - 5000);
  expect(find(entry?.crlEntryExtensions, '2.5.29.29')?.critical).toBe(true);
  const reason = find(entry?.crlEntryExtensions, '2.5.29.21');
  expect(reason && AsnConvert.parse(reason.extnValue.buffer, CRLReason).reason).toBe(CRL_REASONS.keyCompromise);
});

test('the issuer of an entry may be left to the entry before', () => {
  const [a, b] = [pki.issueServiceProvider({ spc: '1' }), pki.issueServiceProvider({ spc: '2' })];
  const c = pki.issueServiceProvider({ spc: '3', issuer: pki.issueCa({ commonName: 'Third CA' }) });
  const names = entryIssuers(pki.crl({ revoked: [a, b, c], omitRepeatedIssuer: true }));
  expect(names).toEqual([pki.intermediate.subject.at(-1)?.value, undefined, 'Third CA']);
  expect(entryIssuers(pki.crl({ revoked: [a, c], omitCertificateIssuer: true }))).toEqual([undefined, undefined]);
});

test('a direct CRL is signed by the CA and has neither issuers in its entries nor a distribution point', () => {
  const ca = pki.issueCa({ signsCrls: true });
  const provider = pki.issueServiceProvider({ spc: '1234', issuer: ca });
  const crl = pki.crl({ kind: 'direct', issuer: ca, revoked: [provider] });
  expect(verifies(crl, ca.certificatePem)).toBe(true);
  expect(entryIssuers(crl)).toEqual([undefined]);
  expect(distributionPoint(crl)).toBeUndefined();
});

test.each([
  ['corrupted', { corruptSignature: true }],
  ['made by another key', { signedBy: createTestKey() }],
] as const)('the signature of a CRL can be %s', (_, options) => {
  expect(verifies(pki.crl(options), pki.stiPaCrlIssuer.certificatePem)).toBe(false);
});

test('every part of a CRL can be left out or set', () => {
  const crl = pki.crl({
    nextUpdateMs: 'absent',
    // Without an entry the reader used here takes the extensions for entries and loses them.
    revoked: [pki.issueServiceProvider({ spc: '1234' })],
    number: 'absent',
    authorityKeyIdentifier: 'absent',
    onlyContains: 'user-certificates',
    unknownCriticalExtension: true,
    deltaOf: 3,
    caIssuers: ['http://sti-pa.example/crl-signer.cer'],
  });
  const { tbsCertList } = parsed(crl);
  expect(tbsCertList.nextUpdate).toBeUndefined();
  expect(distributionPoint(crl)?.onlyContainsUserCerts).toBe(true);
  expect(tbsCertList.crlExtensions?.map(({ extnID, critical }) => [extnID, critical])).toEqual([
    ['2.5.29.27', true],
    ['2.5.29.28', true],
    ['1.3.6.1.5.5.7.1.1', false],
    ['2.999.8226', true],
  ]);
  const old = parsed(pki.crl({ version: 1, kind: 'direct', issuer: pki.root }));
  expect(old.tbsCertList.version).toBeUndefined();
  expect(old.tbsCertList.crlExtensions).toBeUndefined();
});

testPeer('openssl', 'openssl reads the indirect CRL and verifies it with the STI-PA signer', () => {
  const crl = pki.crl({ revoked: [pki.issueServiceProvider({ spc: '1234' })] });
  const files = { 'crl.pem': crl.pem, 'ca.pem': pki.stiPaCrlIssuer.certificatePem };
  const { status, output } = openssl(['crl', '-in', 'crl.pem', '-noout', '-text', '-CAfile', 'ca.pem'], files);
  expect(status).toBe(0);
  expect(output).toContain('verify OK');
  expect(output).toContain('Indirect CRL');
  expect(output).toContain('X509v3 Certificate Issuer: critical');
});

for (const isRevoked of [false, true]) {
  testPeer('openssl', `openssl ${isRevoked ? 'refuses' : 'accepts'} a path by a direct CRL`, () => {
    const ca = pki.issueCa({ signsCrls: true });
    const provider = pki.issueServiceProvider({ spc: '1234', issuer: ca, crlDistributionPoints: 'absent' });
    const crl = pki.crl({ kind: 'direct', issuer: ca, revoked: isRevoked ? [provider] : [] });
    const { status, output } = openssl(
      // prettier-ignore
      ['verify', '-attime', String(pki.nowMs / 1000), '-crl_check', '-CRLfile', 'crl.pem', '-CAfile', 'root.pem', '-untrusted', 'ca.pem', 'end.pem'],
      {
        'crl.pem': crl.pem,
        'root.pem': pki.root.certificatePem,
        'ca.pem': ca.certificatePem,
        'end.pem': provider.certificatePem,
      },
    );
    expect(status === 0).toBe(!isRevoked);
    expect(output.includes('certificate revoked')).toBe(isRevoked);
  });
}

test('the trust list is an ES256 JWS that jose verifies with the STI-PA signer, which chains to the STI-PA root', async () => {
  const list = pki.trustList({ sequence: 7, withX5c: true });
  const key = await importX509(list.signerChainPem, 'ES256');
  const { payload, protectedHeader } = await compactVerify(list.jws, key);
  expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'JWT', x5u: 'https://sti-pa.example/signer.pem' });
  const claims = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
  expect(Object.keys(claims)).toEqual(['version', 'sequence', 'exp', 'trustList']);
  expect(claims).toMatchObject({ version: 1, sequence: 7, trustList: [pki.root.certificatePem] });
  expect(new X509Certificate(list.signerChainPem).verify(new X509Certificate(list.signerRootPem).publicKey)).toBe(true);
  expect(protectedHeader.x5c?.[0]).toBe(Buffer.from(pki.stiPaSigner.der).toString('base64'));
});

test.each([
  ['corrupted', { corruptSignature: true }],
  ['made by another key', { signedBy: createTestKey() }],
] as const)('the signature of a trust list can be %s', async (_, options) => {
  const list = pki.trustList(options);
  const key = await importX509(list.signerChainPem, 'ES256');
  await expect(compactVerify(list.jws, key)).rejects.toMatchObject({ code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' });
});

test('claims and header parameters of a trust list can be replaced and removed', () => {
  const list = pki.trustList({
    trustList: 'none',
    exp: undefined,
    x5u: 'absent',
    header: { alg: 'none' },
    claims: { version: undefined },
  });
  expect(list.header).toEqual({ alg: 'none', typ: 'JWT' });
  expect(Object.keys(list.claims)).toEqual(['sequence', 'exp', 'trustList']);
  expect(list.claims['trustList']).toBe('none');
});
