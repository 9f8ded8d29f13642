import { verify, X509Certificate } from 'node:crypto';
import { CERTIFICATE_FAULTS, createPassport, createTestKey, TestPki, TEST_NOW_MS } from '@hopback/sdk/testing';
import { CERTIFICATE_FAULT_NAMES } from '../../sdk/src/testing/certificate-faults.js';
import type { CertificateFaultName, TestCertificate } from '@hopback/sdk/testing';
import { JWTClaimConstraints, TNAuthorizationList } from '@peculiar/asn1-rfc8226';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate } from '@peculiar/asn1-x509';
import { compactVerify, importX509 } from 'jose';
import { expect, test } from 'vitest';
import { testPeer } from '../peers.js';
import { openssl } from './testing-openssl.js';

// What the kit makes, read by other implementations. Our own parsers read every option of it in the certificates-* tests.

const pki = new TestPki();

const TN_AUTH_LIST = '1.3.6.1.5.5.7.1.26';
const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(bytes as Uint8Array).toString('hex');
const parsed = (certificate: TestCertificate): Certificate => AsnConvert.parse(certificate.der, Certificate);

function extension(
  certificate: TestCertificate,
  oid: string,
): { readonly critical: boolean; readonly value: ArrayBuffer } {
  const found = parsed(certificate).tbsCertificate.extensions?.find((candidate) => candidate.extnID === oid);
  if (found === undefined) throw new Error(`no extension ${oid}`);
  return { critical: found.critical, value: found.extnValue.buffer };
}

function opensslVerify(chain: { readonly endEntityPem: string; readonly chainPem: string; readonly rootPem: string }) {
  return openssl(
    `verify -x509_strict -attime ${pki.nowMs / 1000} -CAfile root.pem -untrusted chain.pem end.pem`.split(' '),
    { 'root.pem': chain.rootPem, 'chain.pem': chain.chainPem, 'end.pem': chain.endEntityPem },
  );
}

test('a TNAuthList with a code, a range and a number is what @peculiar/asn1-rfc8226 reads back', () => {
  const provider = pki.issueServiceProvider({
    spc: '1234',
    tnAuthList: [
      { kind: 'spc', spc: '1234' },
      { kind: 'range', start: '12025550100', count: 100 },
      { kind: 'one', tn: '12025550101' },
    ],
  });
  const entries = AsnConvert.parse(extension(provider, TN_AUTH_LIST).value, TNAuthorizationList);
  expect(entries.map(({ spc, range, one }) => spc ?? one ?? [range?.start, range?.count])).toEqual([
    '1234',
    ['12025550100', 100],
    '12025550101',
  ]);
});

test('JWT claim constraints are what @peculiar/asn1-rfc8226 reads back', () => {
  const delegate = pki.issueDelegate({
    parent: pki.issueServiceProvider({ spc: '1234', canDelegate: true }),
    tnAuthList: [{ kind: 'one', tn: '12025550101' }],
    jwtClaimConstraints: { mustInclude: ['rcd'], permittedValues: [{ claim: 'attest', permitted: ['A', 'B'] }] },
  });
  const constraints = AsnConvert.parse(extension(delegate, '1.3.6.1.5.5.7.1.27').value, JWTClaimConstraints);
  expect([...(constraints.mustInclude ?? [])]).toEqual(['rcd']);
  expect(constraints.permittedValues?.map(({ claim, permitted }) => [claim, permitted])).toEqual([
    ['attest', ['A', 'B']],
  ]);
});

test('enhanced claim constraints put mustExclude into [2]', () => {
  const delegate = pki.issueDelegate({
    parent: pki.issueServiceProvider({ spc: '1234', canDelegate: true }),
    tnAuthList: [{ kind: 'one', tn: '12025550101' }],
    enhancedJwtClaimConstraints: { mustExclude: ['rcd'] },
  });
  expect(hex(extension(delegate, '1.3.6.1.5.5.7.1.33').value)).toBe('3009a20730051603726364');
});

test('serial numbers count from 1 and names follow from the label, so that two runs differ in keys alone', async () => {
  const again = new TestPki();
  expect(again.root.serialNumber).toBe(1n);
  expect(again.intermediate.subjectText).toBe(pki.intermediate.subjectText);
  expect(again.intermediate.serialNumber).toBe(pki.intermediate.serialNumber);
  const other = new TestPki({ label: 'Other', crlUrl: 'http://crl.example/list' });
  expect(other.crlUrl).toBe('http://crl.example/list');
  expect(other.root.subjectText).toBe('C=US, O=Other STI-CA, CN=SHAKEN ROOT CA 1');
});

test('a certificate made of a given key, serial number and dates has the same TBS bytes every time', () => {
  const key = createTestKey();
  const request = {
    spc: '1234',
    key,
    serialNumber: 77,
    notBeforeMs: TEST_NOW_MS,
    notAfterMs: TEST_NOW_MS + 1000,
  } as const;
  const tbs = (certificate: TestCertificate): string => hex(AsnConvert.serialize(parsed(certificate).tbsCertificate));
  expect(tbs(pki.issueServiceProvider(request))).toBe(tbs(pki.issueServiceProvider(request)));
  expect(createTestKey('P-256', key.privateKeyPem).publicKeyPem).toBe(key.publicKeyPem);
});

testPeer('openssl', 'openssl accepts the default path and a delegate, in its strict mode', () => {
  const parent = pki.issueServiceProvider({ spc: '1234', canDelegate: true, issuer: pki.issueCa() });
  const delegate = pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: '12025550101' }] });
  for (const end of [pki.issueServiceProvider({ spc: '1234' }), delegate]) {
    const { status, output } = opensslVerify({
      endEntityPem: end.certificatePem,
      chainPem: end.chainPem,
      rootPem: pki.root.certificatePem,
    });
    expect(output).toContain('OK');
    expect(status).toBe(0);
  }
});

/** What RFC 5280 alone knows nothing of (STIR extensions), or leaves to policy (algorithms), or what openssl overlooks. */
const BEYOND_RFC_5280: ReadonlySet<CertificateFaultName> = new Set([
  ...(['leaf-rsa', 'leaf-secp256k1', 'leaf-ed25519', 'leaf-sha1', 'intermediate-rsa'] as const),
  ...(['leaf-without-digital-signature', 'leaf-is-a-ca', 'intermediate-for-tls', 'path-too-long'] as const),
  ...(['tn-auth-list-absent', 'delegate-spc-not-encompassed', 'delegate-range-not-encompassed'] as const),
  'claim-constraints-on-ca',
]);

// openssl follows the first issuer that fits and does not come back from the dead end.
const WITHOUT_BACKTRACKING: ReadonlySet<CertificateFaultName> = new Set(['cross-signed']);

for (const name of CERTIFICATE_FAULT_NAMES.filter((each) => !WITHOUT_BACKTRACKING.has(each))) {
  testPeer('openssl', `openssl agrees about the path "${name}"`, () => {
    const { build, expectedReasonHint } = CERTIFICATE_FAULTS[name];
    const { endEntity, chainPem, trustAnchors } = build(pki, '1234');
    const { status } = opensslVerify({
      endEntityPem: endEntity.certificatePem,
      chainPem,
      rootPem: trustAnchors.map(({ certificatePem }) => certificatePem).join(''),
    });
    expect(status === 0).toBe(expectedReasonHint === undefined || BEYOND_RFC_5280.has(name));
  });
}

test('a PKI made again with the same keys vouches for what the first one issued, under serial numbers of its own', async () => {
  const keys = { root: createTestKey(), intermediate: createTestKey(), stiPaRoot: createTestKey() };
  const first = new TestPki({ keys });
  const again = new TestPki({ keys, firstSerialNumber: 5_000 });
  const issued = again.issueServiceProvider({ spc: '1234' });
  expect(issued.serialNumber).toBe(5_000n);
  expect(again.root.subjectText).toBe(first.root.subjectText);
  const intermediate = new X509Certificate(again.intermediate.certificatePem);
  expect(intermediate.verify(new X509Certificate(first.root.certificatePem).publicKey)).toBe(true);
  expect(new X509Certificate(issued.certificatePem).verify(intermediate.publicKey)).toBe(true);
  expect(again.stiPaRoot.publicKeyPem).toBe(first.stiPaRoot.publicKeyPem);
  expect(again.stiPaSigner.publicKeyPem).not.toBe(first.stiPaSigner.publicKeyPem);
});

test('a PASSporT under an Ed25519 certificate can be made, to be refused', async () => {
  const signer = pki.issueServiceProvider({ spc: '1234', curve: 'Ed25519' });
  const { signingInput, signature } = createPassport({ signer, x5u: 'https://certs.example/1234.pem' });
  expect(verify(null, Buffer.from(signingInput), signer.key.publicKey, signature)).toBe(true);
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
      [
        ...`verify -attime ${pki.nowMs / 1000} -crl_check -CRLfile crl.pem`.split(' '),
        ...'-CAfile root.pem -untrusted ca.pem end.pem'.split(' '),
      ],
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
