import { createHash, sign, verify, webcrypto, X509Certificate } from 'node:crypto';
import {
  CERTIFICATE_FAULT_NAMES,
  CERTIFICATE_FAULTS,
  createPassport,
  createTestKey,
  createTestPki,
  SHAKEN_POLICY_OID,
  TEST_NOW_MS,
  testKeyFromPem,
} from '@hopback/sdk/testing';
import type { CertificateFaultName, TestCertificate, TestPki } from '@hopback/sdk/testing';
import { JWTClaimConstraints, TNAuthorizationList } from '@peculiar/asn1-rfc8226';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  CertificatePolicies,
  CRLDistributionPoints,
  KeyUsage,
} from '@peculiar/asn1-x509';
import * as pkijs from 'pkijs';
import { beforeAll, expect, test } from 'vitest';
import { testPeer } from '../peers.js';
import { openssl } from './testing-openssl.js';

let pki: TestPki;

beforeAll(async () => {
  pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as never }));
  pki = await createTestPki();
});

const TN_AUTH_LIST = '1.3.6.1.5.5.7.1.26';
const hex = (bytes: Uint8Array | ArrayBuffer): string => Buffer.from(bytes as Uint8Array).toString('hex');
const parsed = (certificate: TestCertificate): Certificate => AsnConvert.parse(certificate.der, Certificate);
const seconds = (ms: number): string => String(Math.floor(ms / 1000));

function extension(
  certificate: TestCertificate,
  oid: string,
): { readonly critical: boolean; readonly value: ArrayBuffer } {
  const found = parsed(certificate).tbsCertificate.extensions?.find((candidate) => candidate.extnID === oid);
  if (found === undefined) throw new Error(`no extension ${oid}`);
  return { critical: found.critical, value: found.extnValue.buffer };
}

function oids(certificate: TestCertificate): readonly string[] {
  return (parsed(certificate).tbsCertificate.extensions ?? []).map(({ extnID }) => extnID);
}

function opensslVerify(chain: { readonly endEntityPem: string; readonly chainPem: string; readonly rootPem: string }) {
  return openssl(
    [
      'verify',
      '-x509_strict',
      '-attime',
      seconds(pki.nowMs),
      '-CAfile',
      'root.pem',
      '-untrusted',
      'chain.pem',
      'end.pem',
    ],
    { 'root.pem': chain.rootPem, 'chain.pem': chain.chainPem, 'end.pem': chain.endEntityPem },
  );
}

async function pkijsVerify(chainPem: string, trustAnchors: readonly TestCertificate[]): Promise<boolean> {
  const certs = chainPem
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .filter((text) => text !== '')
    .map((text) => pkijs.Certificate.fromBER(new X509Certificate(text).raw))
    // pkijs expects the end entity last.
    .reverse();
  const engine = new pkijs.CertificateChainValidationEngine({
    trustedCerts: trustAnchors.map(({ der }) => pkijs.Certificate.fromBER(der)),
    certs,
    checkDate: new Date(pki.nowMs),
  });
  return (await engine.verify()).result;
}

test('a service provider certificate is read by node:crypto and signed by the intermediate', () => {
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const certificate = new X509Certificate(provider.certificatePem);
  expect(certificate.subject).toBe('C=US\nO=Test Telephone Company\nCN=SHAKEN 1234');
  expect(certificate.verify(pki.intermediate.key.publicKey)).toBe(true);
  expect(certificate.checkIssued(new X509Certificate(pki.intermediate.certificatePem))).toBe(true);
  expect(certificate.checkPrivateKey(provider.key.privateKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(provider.spc).toBe('1234');
  expect(provider.sha256).toBe(createHash('sha256').update(certificate.raw).digest('hex'));
});

test('a service provider certificate follows the SHAKEN profile', () => {
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const { tbsCertificate, signatureAlgorithm } = parsed(provider);
  expect(tbsCertificate.version).toBe(2);
  expect(signatureAlgorithm.algorithm).toBe('1.2.840.10045.4.3.2');
  expect(oids(provider)).toEqual([
    '2.5.29.19',
    '2.5.29.15',
    '2.5.29.14',
    '2.5.29.35',
    '2.5.29.32',
    '2.5.29.31',
    TN_AUTH_LIST,
  ]);
  const basicConstraints = extension(provider, '2.5.29.19');
  expect(basicConstraints.critical).toBe(true);
  expect(AsnConvert.parse(basicConstraints.value, BasicConstraints).cA).toBe(false);
  const keyUsage = extension(provider, '2.5.29.15');
  expect(keyUsage.critical).toBe(true);
  expect(AsnConvert.parse(keyUsage.value, KeyUsage).toJSON()).toEqual(['digitalSignature']);
  const policies = AsnConvert.parse(extension(provider, '2.5.29.32').value, CertificatePolicies);
  expect(policies.map(({ policyIdentifier }) => policyIdentifier)).toEqual([SHAKEN_POLICY_OID]);
});

test('the authority key identifier is the subject key identifier of the issuer, 160 bits of SHA-1', () => {
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const identifier = AsnConvert.parse(extension(provider, '2.5.29.35').value, AuthorityKeyIdentifier).keyIdentifier;
  const spki = parsed(pki.intermediate).tbsCertificate.subjectPublicKeyInfo.subjectPublicKey;
  const expected = createHash('sha1').update(new Uint8Array(spki)).digest('hex');
  expect(hex(identifier?.buffer ?? new ArrayBuffer(0))).toBe(expected);
  expect(hex(pki.intermediate.subjectKeyIdentifier)).toBe(expected);
});

test('the CRL distribution point names the URL and the issuer of the indirect CRL', async () => {
  const own = await createTestPki({ crlUrl: 'http://crl.example/list', label: 'Other' });
  const provider = own.issueServiceProvider({ spc: '1234' });
  const [point] = AsnConvert.parse(extension(provider, '2.5.29.31').value, CRLDistributionPoints);
  expect(point?.distributionPoint?.fullName?.[0]?.uniformResourceIdentifier).toBe('http://crl.example/list');
  const issuer = point?.cRLIssuer?.[0]?.directoryName;
  expect(hex(AsnConvert.serialize(issuer))).toBe(
    hex(AsnConvert.serialize(parsed(own.stiPaCrlIssuer).tbsCertificate.subject)),
  );
});

test('a TNAuthList of one service provider code is SEQUENCE { [0] EXPLICIT IA5String }', () => {
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const list = extension(provider, TN_AUTH_LIST);
  expect(list.critical).toBe(false);
  expect(hex(list.value)).toBe('3008a006160431323334');
});

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

test('a chain holds every certificate but the root, end entity first', () => {
  const parent = pki.issueServiceProvider({ spc: '1234', canDelegate: true, issuer: pki.issueCa() });
  const delegate = pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: '12025550101' }] });
  expect(delegate.chainPem).toBe(
    delegate.certificatePem + parent.certificatePem + (parent.issuer?.certificatePem ?? 'missing'),
  );
});

test('serial numbers count from 1 and names follow from the label, so that two runs differ in keys alone', async () => {
  const again = await createTestPki();
  expect(again.root.serialNumber).toBe(1n);
  expect(again.intermediate.subjectText).toBe(pki.intermediate.subjectText);
  expect(again.intermediate.serialNumber).toBe(pki.intermediate.serialNumber);
  const other = await createTestPki({ label: 'Other' });
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
  expect(testKeyFromPem(key.privateKeyPem).publicKeyPem).toBe(key.publicKeyPem);
});

test.each([
  ['negative', -5n, '-5'],
  ['zero', 0n, '0'],
  ['of 20 octets', 2n ** 159n - 1n, (2n ** 159n - 1n).toString(16)],
])('a serial number that is %s is written as asked', (_, serialNumber, expected) => {
  const provider = pki.issueServiceProvider({ spc: '1234', serialNumber });
  expect(new X509Certificate(provider.certificatePem).serialNumber.toLowerCase().replace(/^(-?)0+(?=.)/, '$1')).toBe(
    expected,
  );
  expect(provider.serialNumberHex).toBe(expected);
});

test('dates after 2049 are written as GeneralizedTime', () => {
  const provider = pki.issueServiceProvider({ spc: '1234', notAfterMs: Date.UTC(2051, 0, 2, 3, 4, 5) });
  expect(new X509Certificate(provider.certificatePem).validTo).toBe('Jan  2 03:04:05 2051 GMT');
  expect(parsed(provider).tbsCertificate.validity.notAfter.generalTime).toBeInstanceOf(Date);
});

test.each(['P-256', 'P-384', 'P-521', 'secp256k1', 'RSA-2048', 'Ed25519'] as const)(
  'a %s key signs, verifies and is certified',
  (curve) => {
    const provider = pki.issueServiceProvider({ spc: '1234', curve });
    const { publicKey } = new X509Certificate(provider.certificatePem);
    const digest = curve === 'Ed25519' ? null : 'sha256';
    const data = Buffer.from('data');
    expect(verify(digest, data, publicKey, sign(digest, data, provider.key.privateKey))).toBe(true);
    const below = pki.issueServiceProvider({ spc: '1234', issuer: provider });
    expect(new X509Certificate(below.certificatePem).verify(publicKey)).toBe(true);
  },
);

test('options leave extensions out, replace them and mark them', () => {
  const bare = pki.issueServiceProvider({
    spc: '1234',
    basicConstraints: 'absent',
    keyUsage: 'absent',
    subjectKeyIdentifier: 'absent',
    authorityKeyIdentifier: 'absent',
    certificatePolicies: 'absent',
    crlDistributionPoints: 'absent',
    tnAuthList: 'absent',
  });
  expect(oids(bare)).toEqual([]);
  const odd = pki.issueServiceProvider({
    spc: '1234',
    tnAuthListCritical: true,
    keyUsage: { usages: ['decipherOnly', 'digitalSignature'], critical: false },
    extraExtensions: [{ oid: '1.2.3.4', value: Uint8Array.of(5, 0) }],
    caIssuers: ['http://ca.example/issuer.cer'],
  });
  expect(extension(odd, TN_AUTH_LIST).critical).toBe(true);
  expect(extension(odd, '2.5.29.15').critical).toBe(false);
  expect(AsnConvert.parse(extension(odd, '2.5.29.15').value, KeyUsage).toJSON().toSorted()).toEqual([
    'decipherOnly',
    'digitalSignature',
  ]);
  expect(hex(extension(odd, '1.2.3.4').value)).toBe('0500');
  expect(new X509Certificate(odd.certificatePem).infoAccess).toContain('http://ca.example/issuer.cer');
});

test('a version 1 certificate has no extensions', () => {
  const old = pki.issueServiceProvider({ spc: '1234', version: 1 });
  expect(parsed(old).tbsCertificate.version).toBe(0);
  expect(oids(old)).toEqual([]);
  expect(new X509Certificate(old.certificatePem).verify(pki.intermediate.key.publicKey)).toBe(true);
});

test('a cross-signed certificate has the subject and the key of the first and another issuer', () => {
  const other = pki.issueRoot();
  const crossed = pki.crossSign(pki.intermediate, other);
  expect(crossed.subjectText).toBe(pki.intermediate.subjectText);
  expect(crossed.publicKeyPem).toBe(pki.intermediate.publicKeyPem);
  expect(new X509Certificate(crossed.certificatePem).verify(other.key.publicKey)).toBe(true);
});

test('a TLS certificate names hosts and addresses', () => {
  const tls = new X509Certificate(
    pki.issueTls({ names: ['a.example'], addresses: ['127.0.0.1', '::1'] }).certificatePem,
  );
  expect(tls.checkHost('a.example')).toBe('a.example');
  expect(tls.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(tls.checkIP('::1')).toBe('::1');
  expect(tls.checkHost('b.example')).toBeUndefined();
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

testPeer('openssl', 'openssl finds nothing odd in the text of the certificates', () => {
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const { output } = openssl(['x509', '-in', 'a.pem', '-noout', '-text'], { 'a.pem': provider.certificatePem });
  expect(output).toContain('X509v3 Basic Constraints: critical');
  expect(output).toContain('Policy: 2.16.840.1.114569.1.1.4');
  expect(output).toContain('DirName:C = US, O = Test STI-PA, CN = STI-PA CRL');
});

/** What RFC 5280 alone knows nothing of (STIR extensions), or leaves to policy (algorithms), or what these peers overlook. */
const BEYOND_RFC_5280: ReadonlySet<CertificateFaultName> = new Set([
  'leaf-rsa',
  'leaf-secp256k1',
  'leaf-ed25519',
  'leaf-sha1',
  'intermediate-rsa',
  'leaf-without-digital-signature',
  'leaf-is-a-ca',
  'intermediate-for-tls',
  'tn-auth-list-absent',
  'path-too-long',
  'delegate-spc-not-encompassed',
  'delegate-range-not-encompassed',
  'claim-constraints-on-ca',
]);

// openssl and pkijs follow the first issuer that fits and do not come back from the dead end; pkijs never ends in a loop.
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

test.each([
  'chain-shuffled',
  'delegate-of-numbers',
  'delegate-of-range',
  'intermediate-p384',
  'root-in-chain',
] as const)('pkijs accepts the path "%s"', async (name) => {
  const { chainPem, trustAnchors } = CERTIFICATE_FAULTS[name].build(pki, '1234');
  expect(await pkijsVerify(chainPem, trustAnchors)).toBe(true);
});

test.each(['leaf-expired', 'leaf-forged', 'intermediate-forged', 'issuer-not-a-ca', 'other-root'] as const)(
  'pkijs refuses the path "%s"',
  async (name) => {
    const { chainPem, trustAnchors } = CERTIFICATE_FAULTS[name].build(pki, '1234');
    expect(await pkijsVerify(chainPem, trustAnchors)).toBe(false);
  },
);

test('a PKI made again with the same keys vouches for what the first one issued, under serial numbers of its own', async () => {
  const keys = { root: createTestKey(), intermediate: createTestKey(), stiPaRoot: createTestKey() };
  const first = await createTestPki({ keys });
  const again = await createTestPki({ keys, firstSerialNumber: 5_000 });
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
