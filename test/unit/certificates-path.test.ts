import { createTestKey, createTestPki } from '@hopback/sdk/testing';
import type { CertificateOptions, TestCertificate, TestPki } from '@hopback/sdk/testing';
import { isHopbackError } from '@hopback/sdk/errors';
import { beforeAll, expect, test } from 'vitest';
import {
  buildCertificatePath,
  PATH_MAX_CERTIFICATES,
  PATH_SEARCH_MAX_STEPS,
} from '../../sdk/src/stir/certificates/build-path.js';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import type { CertificatePathResult, PathOptions } from '../../sdk/src/stir/certificates/path.js';
import { parsed } from './certificates-parsed.js';

let pki: TestPki;
beforeAll(async () => {
  pki = await createTestPki();
});

type Settings = Omit<Partial<PathOptions>, 'trustAnchors' | 'intermediates'> & {
  readonly trustAnchors?: readonly TestCertificate[];
  readonly intermediates?: readonly TestCertificate[];
};

function build(chain: readonly TestCertificate[], settings: Settings = {}): CertificatePathResult {
  const { trustAnchors = [pki.root], intermediates = [], ...rest } = settings;
  return buildCertificatePath(chain.map(parsed), {
    atMs: pki.nowMs,
    trustAnchors: trustAnchors.map(parsed),
    intermediates: intermediates.map(parsed),
    ...rest,
  });
}

const reasons = (result: CertificatePathResult) =>
  result.status === 'trusted' ? 'trusted' : result.failures.map(({ reason }) => reason);
const provider = (options: CertificateOptions = {}) => pki.issueServiceProvider({ spc: '709J', ...options });
const pathOf = (result: CertificatePathResult) =>
  result.status === 'trusted' ? result.path.certificates.map(({ sha256 }) => sha256) : [];

test('trusts end entity, intermediate and root, and says for whom and how long', () => {
  const issued = provider({ jwtClaimConstraints: { mustInclude: ['attest'] } });
  const result = build([issued, pki.intermediate]);
  expect(pathOf(result)).toEqual([issued.sha256, pki.intermediate.sha256, pki.root.sha256]);
  expect(result).toMatchObject({
    status: 'trusted',
    path: {
      trustAnchorSha256: pki.root.sha256,
      validFromMs: issued.notBeforeMs,
      validToMs: issued.notAfterMs,
      spc: '709J',
      tnAuthList: [{ kind: 'spc', spc: '709J' }],
      jwtClaimConstraints: { mustInclude: ['attest'] },
      revocation: { status: 'unknown' },
    },
  });
});

test('finds the path whatever the order of the chain behind its end entity, and with its root in it', () => {
  const issued = provider();
  expect(pathOf(build([issued, pki.root, pki.tlsRoot, pki.intermediate]))).toEqual([
    issued.sha256,
    pki.intermediate.sha256,
    pki.root.sha256,
  ]);
});

test('takes an intermediate from the store when the chain lacks it', () => {
  const issued = provider();
  expect(reasons(build([issued]))).toEqual(['no-path-to-trust-anchor']);
  expect(reasons(build([issued], { intermediates: [pki.intermediate] }))).toBe('trusted');
});

test('stops at an anchor that is an intermediate', () => {
  const issued = provider();
  expect(pathOf(build([issued, pki.intermediate, pki.root], { trustAnchors: [pki.intermediate] }))).toEqual([
    issued.sha256,
    pki.intermediate.sha256,
  ]);
});

test('trusts nothing when there is no trust anchor', () => {
  expect(reasons(build([provider(), pki.intermediate, pki.root], { trustAnchors: [] }))).toEqual(['trust-list-empty']);
});

test('throws invalid-argument for a chain without a certificate', () => {
  expect(() => build([])).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  try {
    build([]);
  } catch (error) {
    expect(isHopbackError(error)).toBe(true);
  }
});

test('does not trust a self-signed end entity, listed as anchor or not', () => {
  const selfSigned = provider({ issuer: 'self' });
  expect(reasons(build([selfSigned]))).toEqual(['no-path-to-trust-anchor']);
  expect(reasons(build([selfSigned], { trustAnchors: [selfSigned, pki.root] }))).toEqual(['no-path-to-trust-anchor']);
  const asCa = provider({
    issuer: 'self',
    basicConstraints: { ca: true },
    keyUsage: { usages: ['digitalSignature', 'keyCertSign'] },
  });
  expect(reasons(build([asCa], { trustAnchors: [asCa] }))).toEqual(['signer-is-a-ca', 'no-path-to-trust-anchor']);
});

test('refuses a PASSporT signer that is a CA', () => {
  const ca = pki.issueCa();
  const issued = pki.issueServiceProvider({ spc: '709J', canDelegate: true, issuer: ca });
  expect(build([issued, ca])).toMatchObject({
    failures: [{ reason: 'signer-is-a-ca', certificateSha256: issued.sha256, expected: 'cA FALSE', actual: 'cA TRUE' }],
  });
});

test('refuses an issuer whose extended key usage lists other purposes alone, below the anchor and on it', () => {
  const extendedKeyUsage = ['1.3.6.1.5.5.7.3.1'];
  const ca = pki.issueCa({ extendedKeyUsage });
  expect(build([provider({ issuer: ca }), ca])).toMatchObject({
    failures: [{ reason: 'key-usage-missing', certificateSha256: ca.sha256, actual: extendedKeyUsage[0] }],
  });
  const root = pki.issueRoot({ extendedKeyUsage });
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toEqual(['key-usage-missing']);
  const any = pki.issueCa({ extendedKeyUsage: [...extendedKeyUsage, '2.5.29.37.0'] });
  expect(reasons(build([provider({ issuer: any }), any]))).toBe('trusted');
});

test('does not trust an end entity that is listed as an anchor and issued by nobody known', () => {
  const issued = provider();
  expect(reasons(build([issued], { trustAnchors: [issued] }))).toEqual(['no-path-to-trust-anchor']);
});

test('does not trust a chain that ends in a root which is not listed', () => {
  const other = pki.issueRoot();
  const result = build([provider({ issuer: other }), other]);
  expect(result).toMatchObject({ failures: [{ reason: 'no-path-to-trust-anchor', certificateSha256: other.sha256 }] });
});

test('refuses an expired end entity from the second after its last and takes it until then', () => {
  const issued = provider({ notAfterMs: pki.nowMs });
  expect(reasons(build([issued, pki.intermediate], { atMs: pki.nowMs + 999 }))).toBe('trusted');
  const result = build([issued, pki.intermediate], { atMs: pki.nowMs + 1000 });
  expect(result).toEqual({
    status: 'untrusted',
    failures: [
      {
        reason: 'certificate-expired',
        certificateSha256: issued.sha256,
        expected: pki.nowMs,
        actual: pki.nowMs + 1000,
      },
    ],
  });
});

test('refuses an end entity one millisecond before it becomes valid', () => {
  const issued = provider({ notBeforeMs: pki.nowMs });
  expect(reasons(build([issued, pki.intermediate]))).toBe('trusted');
  expect(reasons(build([issued, pki.intermediate], { atMs: pki.nowMs - 1 }))).toEqual(['certificate-not-yet-valid']);
});

test('refuses an expired intermediate and an expired anchor', () => {
  const expired = { notBeforeMs: pki.nowMs - 10_000, notAfterMs: pki.nowMs - 5_000 };
  const intermediate = pki.issueCa(expired);
  expect(build([provider({ issuer: intermediate }), intermediate])).toMatchObject({
    failures: [{ reason: 'certificate-expired', certificateSha256: intermediate.sha256 }],
  });
  const root = pki.issueRoot(expired);
  expect(build([provider({ issuer: root })], { trustAnchors: [root] })).toMatchObject({
    failures: [{ reason: 'certificate-expired', certificateSha256: root.sha256 }],
  });
});

test('refuses a forged end entity that names the real intermediate', () => {
  const forged = provider({ signedBy: createTestKey() });
  expect(build([forged, pki.intermediate])).toEqual({
    status: 'untrusted',
    failures: [
      { reason: 'certificate-signature-invalid', certificateSha256: forged.sha256, expected: pki.intermediate.sha256 },
    ],
  });
});

test('refuses a forged intermediate', () => {
  const intermediate = pki.issueCa({ corruptSignature: true });
  expect(reasons(build([provider({ issuer: intermediate }), intermediate]))).toEqual(['certificate-signature-invalid']);
});

test('refuses an issuer whose name differs though its key fits', () => {
  const issued = provider({ issuerName: [{ type: 'CN', value: 'Somebody else' }] });
  const result = build([issued, pki.intermediate]);
  expect(result).toMatchObject({
    failures: [{ reason: 'issuer-name-mismatch', expected: 'CN=Somebody else', actual: pki.intermediate.subjectText }],
  });
});

test('does not chain certificates whose issuer name is empty', () => {
  const root = pki.issueRoot({ subject: [] });
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toContain('issuer-name-mismatch');
});

test('refuses an issuer that is not a CA', () => {
  const endEntity = provider();
  const below = provider({ issuer: endEntity });
  expect(reasons(build([below, endEntity, pki.intermediate]))).toEqual([
    'key-usage-missing',
    'not-a-ca',
    'path-length-exceeded',
  ]);
});

test('refuses an issuer without BasicConstraints', () => {
  const ca = pki.issueCa({ basicConstraints: 'absent' });
  expect(build([provider({ issuer: ca }), ca])).toMatchObject({ failures: [{ reason: 'not-a-ca', actual: 'absent' }] });
});

test('refuses an issuer without keyCertSign and an end entity without digitalSignature', () => {
  const ca = pki.issueCa({ keyUsage: { usages: ['cRLSign'] } });
  expect(build([provider({ issuer: ca }), ca])).toMatchObject({
    failures: [
      { reason: 'key-usage-missing', certificateSha256: ca.sha256, expected: 'keyCertSign', actual: 'cRLSign' },
    ],
  });
  const issued = provider({ keyUsage: { usages: ['keyAgreement'] } });
  expect(build([issued, pki.intermediate])).toMatchObject({
    failures: [{ reason: 'key-usage-missing', certificateSha256: issued.sha256 }],
  });
});

test('asks for KeyUsage below the anchor and not on it', () => {
  const root = pki.issueRoot({ keyUsage: 'absent' });
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toBe('trusted');
  const ca = pki.issueCa({ keyUsage: 'absent' });
  expect(reasons(build([provider({ issuer: ca }), ca]))).toEqual(['key-usage-missing']);
});

test('counts intermediates against pathLenConstraint', () => {
  const upper = pki.issueCa({ pathLength: 0 });
  const lower = pki.issueCa({ issuer: upper });
  expect(reasons(build([provider({ issuer: upper }), upper]))).toBe('trusted');
  expect(build([provider({ issuer: lower }), lower, upper])).toMatchObject({
    failures: [{ reason: 'path-length-exceeded', certificateSha256: upper.sha256, expected: 0, actual: 1 }],
  });
});

test('holds a pathLenConstraint of the anchor against the path', () => {
  const root = pki.issueRoot({ pathLength: 0 });
  const ca = pki.issueCa({ issuer: root });
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toBe('trusted');
  expect(reasons(build([provider({ issuer: ca }), ca], { trustAnchors: [root] }))).toEqual(['path-length-exceeded']);
});

test('does not count self-issued certificates against pathLenConstraint', () => {
  const old = pki.issueCa({ pathLength: 0 });
  // Key rollover: the CA certifies its new key under its own name.
  const renewed = pki.issueCa({ issuer: old, subject: old.subject });
  const issued = provider({ issuer: renewed });
  expect(pathOf(build([issued, renewed, old]))).toEqual([issued.sha256, renewed.sha256, old.sha256, pki.root.sha256]);
});

test('refuses an unknown critical extension on every level', () => {
  const unknownCriticalExtension = true;
  expect(build([provider({ unknownCriticalExtension }), pki.intermediate])).toMatchObject({
    failures: [{ reason: 'unknown-critical-extension', actual: '2.999.8226' }],
  });
  const ca = pki.issueCa({ unknownCriticalExtension });
  expect(reasons(build([provider({ issuer: ca }), ca]))).toEqual(['unknown-critical-extension']);
  const root = pki.issueRoot({ unknownCriticalExtension });
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toEqual([
    'unknown-critical-extension',
  ]);
});

test('refuses critical name constraints, which are not processed', () => {
  const ca = pki.issueCa({
    extraExtensions: [{ oid: '2.5.29.30', critical: true, value: Buffer.from('3000', 'hex') }],
  });
  expect(reasons(build([provider({ issuer: ca }), ca]))).toEqual(['unknown-critical-extension']);
});

test.each([
  ['name constraints', '2.5.29.30', '3000'],
  ['policy constraints', '2.5.29.36', '3003800100'],
  ['inhibitAnyPolicy', '2.5.29.54', '020100'],
])('refuses a CA with %s that are not critical, since they limit all the same', (_, oid, value) => {
  const ca = pki.issueCa({ extraExtensions: [{ oid, value: Buffer.from(value, 'hex') }] });
  expect(build([provider({ issuer: ca }), ca])).toMatchObject({
    failures: [{ reason: 'unknown-critical-extension', certificateSha256: ca.sha256, actual: oid }],
  });
});

test('refuses an end entity whose extended key usage lists other purposes alone', () => {
  const serverAuth = '1.3.6.1.5.5.7.3.1';
  const issued = provider({ extendedKeyUsage: [serverAuth] });
  expect(build([issued, pki.intermediate])).toMatchObject({
    failures: [{ reason: 'key-usage-missing', certificateSha256: issued.sha256, actual: serverAuth }],
  });
  expect(reasons(build([provider({ extendedKeyUsage: [serverAuth, '2.5.29.37.0'] }), pki.intermediate]))).toBe(
    'trusted',
  );
});

test('refuses an authority key identifier that names another certificate and no key', () => {
  const named = (name: string, serialNumber: string) =>
    provider({
      authorityKeyIdentifier: 'absent',
      extraExtensions: [{ oid: '2.5.29.35', value: authorityCertificate(name, serialNumber) }],
    });
  const root = pki.issueRoot({ subject: [{ type: 'CN', value: 'top' }] });
  const ca = pki.issueCa({ issuer: root, serialNumber: 0x7f });
  const below = (name: string, serialNumber: string) =>
    pki.issueServiceProvider({
      spc: '709J',
      issuer: ca,
      authorityKeyIdentifier: 'absent',
      extraExtensions: [{ oid: '2.5.29.35', value: authorityCertificate(name, serialNumber) }],
    });
  const options = { trustAnchors: [root] };
  expect(reasons(build([below('top', '7f'), ca], options))).toBe('trusted');
  expect(reasons(build([below('top', '7e'), ca], options))).toEqual(['key-identifier-mismatch']);
  expect(reasons(build([named('nobody', '7f'), pki.intermediate]))).toEqual(['key-identifier-mismatch']);
});

/** AuthorityKeyIdentifier with authorityCertIssuer and authorityCertSerialNumber. */
function authorityCertificate(name: string, serialNumber: string): Uint8Array {
  const attribute = wrap('30', '0603550403', wrap('0c', Buffer.from(name).toString('hex')));
  const directoryName = wrap('a4', wrap('30', wrap('31', attribute)));
  return Buffer.from(wrap('30', wrap('a1', directoryName), wrap('82', serialNumber)), 'hex');
}

function wrap(tag: string, ...contents: readonly string[]): string {
  const content = contents.join('');
  return tag + (content.length / 2).toString(16).padStart(2, '0') + content;
}

test('refuses a key identifier that belongs to no key of the issuer', () => {
  const issued = provider({ authorityKeyIdentifier: 'wrong' });
  expect(build([issued, pki.intermediate])).toMatchObject({
    failures: [
      {
        reason: 'key-identifier-mismatch',
        expected: 'ee'.repeat(20),
        actual: parsed(pki.intermediate).subjectKeyIdentifier,
      },
    ],
  });
});

test('goes without key identifiers where there are none', () => {
  expect(reasons(build([provider({ authorityKeyIdentifier: 'absent' }), pki.intermediate]))).toBe('trusted');
});

test('accepts P-384 with SHA-384 throughout and refuses it when only ES256 is permitted', () => {
  const root = pki.issueRoot({ curve: 'P-384' });
  const issued = provider({ issuer: root, curve: 'P-384' });
  expect(reasons(build([issued], { trustAnchors: [root] }))).toBe('trusted');
  const refused = reasons(build([issued], { trustAnchors: [root], algorithms: ['ES256'] }));
  expect(refused).toEqual([
    'public-key-not-permitted',
    'signature-algorithm-not-permitted',
    'public-key-not-permitted',
  ]);
});

test('refuses a hash that does not go with the curve', () => {
  const root = pki.issueRoot({ curve: 'P-384' });
  const issued = provider({ issuer: root, signatureHash: 'SHA-256' });
  expect(build([issued], { trustAnchors: [root] })).toMatchObject({
    failures: [
      { reason: 'signature-algorithm-not-permitted', expected: '1.2.840.10045.4.3.3', actual: '1.2.840.10045.4.3.2' },
    ],
  });
  expect(reasons(build([provider({ signatureHash: 'SHA-1' }), pki.intermediate]))).toEqual([
    'signature-algorithm-not-permitted',
  ]);
  expect(reasons(build([provider({ signatureHash: 'SHA-512' }), pki.intermediate]))).toEqual([
    'signature-algorithm-not-permitted',
  ]);
});

test.each(['RSA-2048', 'Ed25519', 'P-521', 'secp256k1'] as const)('refuses %s keys', (curve) => {
  expect(reasons(build([provider({ curve }), pki.intermediate]))).toEqual(['public-key-not-permitted']);
  const root = pki.issueRoot({ curve });
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toEqual([
    'signature-algorithm-not-permitted',
    'public-key-not-permitted',
  ]);
});

test('requires a TNAuthList on the end entity', () => {
  const issued = provider({ tnAuthList: 'absent' });
  expect(build([issued, pki.intermediate])).toEqual({
    status: 'untrusted',
    failures: [{ reason: 'tn-auth-list-missing', certificateSha256: issued.sha256 }],
  });
});

test('collects every failure of the path, not the first only', () => {
  const ca = pki.issueCa({ unknownCriticalExtension: true, keyUsage: { usages: ['cRLSign'] } });
  const issued = provider({
    issuer: ca,
    tnAuthList: 'absent',
    notAfterMs: pki.nowMs - 5000,
    authorityKeyIdentifier: 'wrong',
  });
  expect(reasons(build([issued, ca]))).toEqual([
    'certificate-expired',
    'tn-auth-list-missing',
    'key-identifier-mismatch',
    'unknown-critical-extension',
    'key-usage-missing',
  ]);
});

test('refuses claim constraints on a CA', () => {
  const ca = pki.issueCa({ jwtClaimConstraints: { mustInclude: ['attest'] } });
  expect(reasons(build([provider({ issuer: ca }), ca]))).toEqual(['claim-constraints-on-ca']);
});

const range = (start: string, count: number) => ({ kind: 'range', start, count }) as const;
const one = (tn: string) => ({ kind: 'one', tn }) as const;
const spc = (code: string) => ({ kind: 'spc', spc: code }) as const;

test('lets a delegate have numbers under an SPC and inherit the SPC of its parent', () => {
  const ca = pki.issueCa();
  const parent = pki.issueServiceProvider({ spc: '709J', canDelegate: true, issuer: ca });
  const delegate = pki.issueDelegate({ parent, tnAuthList: [range('12025550100', 100)] });
  const result = build([delegate, parent, ca]);
  expect(pathOf(result)).toEqual([delegate, parent, ca, pki.root].map(({ sha256 }) => sha256));
  expect(result).toMatchObject({ path: { spc: '709J', tnAuthList: [range('12025550100', 100)] } });
});

test('refuses a delegate with an SPC or numbers that its parent lacks', () => {
  const ca = pki.issueCa();
  const parent = pki.issueServiceProvider({ spc: '709J', canDelegate: true, issuer: ca });
  const otherSpc = pki.issueDelegate({ parent, tnAuthList: [spc('888X')] });
  expect(build([otherSpc, parent, ca])).toMatchObject({
    failures: [
      {
        reason: 'tn-auth-list-not-encompassed',
        certificateSha256: otherSpc.sha256,
        expected: 'spc 709J',
        actual: 'spc 888X',
      },
    ],
  });
  const numbers = pki.issueDelegate({ parent, tnAuthList: [range('12025550100', 100)], canDelegate: true });
  const within = pki.issueDelegate({ parent: numbers, tnAuthList: [one('12025550199')] });
  const beyond = pki.issueDelegate({ parent: numbers, tnAuthList: [one('12025550200')] });
  expect(reasons(build([within, numbers, parent, ca]))).toBe('trusted');
  expect(build([within, numbers, parent, ca])).toMatchObject({ path: { spc: '709J' } });
  expect(reasons(build([beyond, numbers, parent, ca]))).toEqual(['tn-auth-list-not-encompassed']);
});

test('does not let an SPC come back below numbers', () => {
  const ca = pki.issueCa();
  const parent = pki.issueServiceProvider({ spc: '709J', canDelegate: true, issuer: ca });
  const numbers = pki.issueDelegate({ parent, tnAuthList: [one('12025550100')], canDelegate: true });
  const spcAgain = pki.issueDelegate({ parent: numbers, tnAuthList: [spc('709J')] });
  expect(reasons(build([spcAgain, numbers, parent, ca]))).toEqual(['tn-auth-list-not-encompassed']);
});

test('refuses a delegate of a provider that is not a CA', () => {
  const parent = pki.issueServiceProvider({ spc: '709J', issuer: pki.issueCa() });
  const delegate = pki.issueDelegate({ parent, tnAuthList: [one('12025550100')] });
  const ca = parent.issuer as TestCertificate;
  expect(reasons(build([delegate, parent, ca]))).toEqual(['key-usage-missing', 'not-a-ca']);
});

test('a TNAuthList on a CA limits what is below it, also across a CA without one and on an anchor', () => {
  const root = pki.issueRoot({ tnAuthList: [spc('709J')] });
  const middle = pki.issueCa({ issuer: root });
  expect(reasons(build([provider({ issuer: middle }), middle], { trustAnchors: [root] }))).toBe('trusted');
  const other = pki.issueServiceProvider({ spc: '888X', issuer: middle });
  expect(reasons(build([other, middle], { trustAnchors: [root] }))).toEqual(['tn-auth-list-not-encompassed']);
});

test('leaves the SPC open where the end entity has two', () => {
  const result = build([provider({ tnAuthList: [spc('709J'), spc('888X')] }), pki.intermediate]);
  expect(result.status === 'trusted' && 'spc' in result.path).toBe(false);
});

test('finds its way when a cross-signed CA has one branch to an unknown root', () => {
  const unknownRoot = pki.issueRoot();
  const ca = pki.issueCa();
  const crossed = pki.crossSign(ca, unknownRoot);
  const issued = provider({ issuer: ca });
  for (const chain of [
    [issued, crossed, unknownRoot, ca],
    [issued, ca, crossed, unknownRoot],
  ]) {
    expect(pathOf(build(chain))).toEqual([issued.sha256, ca.sha256, pki.root.sha256]);
  }
});

test('takes the branch that holds when the other is expired', () => {
  const ca = pki.issueCa({ notAfterMs: pki.nowMs - 5000 });
  const renewed = pki.crossSign(ca, pki.root);
  const issued = provider({ issuer: ca });
  expect(pathOf(build([issued, ca, renewed]))).toEqual([issued.sha256, renewed.sha256, pki.root.sha256]);
  expect(pathOf(build([issued, renewed, ca]))).toEqual([issued.sha256, renewed.sha256, pki.root.sha256]);
});

test.each([
  ['P-256', 12],
  ['P-384', 12],
] as const)('finds the path of a CA under %s that was renewed %i times with its key', (curve, count) => {
  const root = pki.issueRoot({ curve });
  const first = pki.issueCa({ issuer: root, curve });
  const renewals = Array.from({ length: count }, () => pki.crossSign(first, root));
  const issued = provider({ issuer: first });
  expect(reasons(build([issued, first, ...renewals], { trustAnchors: [root] }))).toBe('trusted');
});

test('finds the path of CAs under P-384 that three roots have cross-certified', () => {
  const curve = 'P-384';
  const roots = ['A', 'B', 'C'].map((value) => pki.issueRoot({ curve, subject: [{ type: 'CN', value }] }));
  const [a, b, c] = roots as [TestCertificate, TestCertificate, TestCertificate];
  const upper = pki.issueCa({ issuer: a, curve, subject: [{ type: 'CN', value: 'Upper' }] });
  const lower = pki.issueCa({ issuer: upper, curve, subject: [{ type: 'CN', value: 'Lower' }] });
  const crossed = [pki.crossSign(a, b), pki.crossSign(a, c), pki.crossSign(b, a), pki.crossSign(b, c)];
  const issued = provider({ issuer: lower });
  expect(reasons(build([issued, lower, upper, ...crossed], { trustAnchors: roots }))).toBe('trusted');
});

test('takes the branch that is not revoked', () => {
  const ca = pki.issueCa();
  const twin = pki.crossSign(ca, pki.root);
  const issued = provider({ issuer: ca });
  const result = build([issued, ca, twin], {
    revocation: ({ sha256 }) =>
      sha256 === ca.sha256
        ? { status: 'revoked', certificateSha256: sha256, revokedAtMs: 1 }
        : { status: 'good', checkedAtMs: 7 },
  });
  expect(pathOf(result)).toEqual([issued.sha256, twin.sha256, pki.root.sha256]);
  expect(result).toMatchObject({ path: { revocation: { status: 'good', checkedAtMs: 7 } } });
});

test('prefers the issuer whose key identifier fits among issuers of one name', () => {
  const subject = pki.intermediate.subject;
  const impostors = Array.from({ length: 8 }, () => pki.issueCa({ subject }));
  const issued = provider();
  expect(pathOf(build([issued, ...impostors, pki.intermediate]))).toEqual([
    issued.sha256,
    pki.intermediate.sha256,
    pki.root.sha256,
  ]);
});

test('ends when certificates vouch for each other in a circle', () => {
  const first = pki.issueRoot();
  const second = pki.issueCa({ issuer: first });
  const firstAgain = pki.crossSign(first, second);
  const issued = provider({ issuer: second });
  expect(reasons(build([issued, second, firstAgain, first]))).toEqual(['no-path-to-trust-anchor']);
});

test('puts no issuer on a path, except to explain, when six CAs vouch for each other and nobody for them', () => {
  const cas = Array.from({ length: 6 }, () => pki.issueRoot());
  const web = cas.flatMap((ca) => cas.filter((other) => other !== ca).map((other) => pki.crossSign(ca, other)));
  const issued = provider({ issuer: cas[0] as TestCertificate });
  const counted = countedBuild([issued, ...web, ...cas]);
  expect(reasons(counted.result)).toContain('no-path-to-trust-anchor');
  expect(counted.steps).toBeLessThanOrEqual(16);
  expect(counted.signatures).toBeLessThanOrEqual(EXPLAINED['P-256']);
});

test('puts a bounded number of issuers on paths when six CAs all vouch for each other under a listed root', () => {
  // Of another provider: every path that reaches it is found wanting, and the next one has its turn.
  const root = pki.issueRoot({ tnAuthList: [spc('888X')] });
  const cas = Array.from({ length: 5 }, () => pki.issueRoot());
  const web = cas.flatMap((ca) => cas.filter((other) => other !== ca).map((other) => pki.crossSign(ca, other)));
  const rooted = cas.map((ca) => pki.crossSign(ca, root));
  const issued = provider({ issuer: cas[0] as TestCertificate });
  const counted = countedBuild([issued, ...web, ...cas, ...rooted], { trustAnchors: [root] });
  expect(counted.result.status).toBe('untrusted');
  // Signatures that are good, and computed once, cost little: the number of issuers ends it, once along sound links, once more to explain.
  expect(counted.steps).toBe(PATH_SEARCH_MAX_STEPS + 16);
  expect(counted.signatures).toBeLessThanOrEqual(35 + EXPLAINED['P-256']);
});

/** Signatures that are computed to say why there is no path: 8, as multiples of one under P-256; the last one may overdraw. */
const EXPLAINED = { 'P-256': 8, 'P-384': 2 };

/** Signatures that do not hold in a search: 14, counted likewise. */
const INVALID = { 'P-256': 14, 'P-384': 2 };

test.each(['P-256', 'P-384'] as const)(
  'computes signatures under %s only to explain when nine CAs of one name have each signed the next and nobody given them',
  (curve) => {
    const subject = [{ type: 'CN', value: 'Everybody' }] as const;
    const hidden = { subject, curve, subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent' } as const;
    const cas = [pki.issueRoot(hidden)];
    for (let index = 0; index < 8; index += 1)
      cas.push(pki.issueCa({ ...hidden, issuer: cas.at(-1) as TestCertificate }));
    const issued = provider({ issuer: cas.at(-1) as TestCertificate, authorityKeyIdentifier: 'absent' });
    const counted = countedBuild([issued, ...cas]);
    expect(reasons(counted.result)).toContain('no-path-to-trust-anchor');
    expect(counted.signatures).toBe(EXPLAINED[curve]);
  },
);

test.each(['P-256', 'P-384'] as const)(
  'computes a bounded number of signatures under %s when nine CAs of one name all claim to be signed by listed roots',
  (curve) => {
    const hidden = { subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent', curve } as const;
    const trustAnchors = Array.from({ length: 3 }, () => pki.issueRoot({ ...hidden, subject: pki.root.subject }));
    const forger = pki.issueRoot({ ...hidden, subject: pki.root.subject });
    const subject = [{ type: 'CN', value: 'Everybody' }] as const;
    const cas = Array.from({ length: 9 }, () => pki.issueCa({ ...hidden, subject, issuer: forger }));
    const issued = provider({ issuer: cas[8] as TestCertificate, authorityKeyIdentifier: 'absent' });
    const counted = countedBuild([issued, ...cas], { trustAnchors });
    expect(counted.result.status).toBe('untrusted');
    expect(counted.signatures).toBeLessThanOrEqual(INVALID[curve] + EXPLAINED[curve]);
  },
);

test('asks for nobody to vouch for a CA of the chain that is not on the way', () => {
  const hidden = { subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent', curve: 'P-384' } as const;
  const root = pki.issueRoot(hidden);
  const subject = [{ type: 'CN', value: 'Renewed each year' }] as const;
  const cas = Array.from({ length: 8 }, () => pki.issueCa({ ...hidden, subject, issuer: root }));
  const issued = provider({ issuer: cas[0] as TestCertificate, authorityKeyIdentifier: 'absent' });
  const counted = countedBuild([issued, ...cas], { trustAnchors: [root] });
  expect(pathOf(counted.result)).toEqual([issued.sha256, (cas[0] as TestCertificate).sha256, root.sha256]);
  expect(counted.signatures).toBe(2);
});

test('finds the CA that is vouched for through three others, whatever the order and with forged ones of the same names between', () => {
  const hidden = { subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent' } as const;
  const cas = [pki.issueCa(hidden)];
  for (let index = 0; index < 2; index += 1)
    cas.push(pki.issueCa({ ...hidden, issuer: cas.at(-1) as TestCertificate }));
  const forged = cas.map(({ subject }) => pki.issueCa({ ...hidden, subject, signedBy: createTestKey() }));
  const issued = provider({ issuer: cas[2] as TestCertificate, authorityKeyIdentifier: 'absent' });
  const expected = [issued, ...cas.toReversed(), pki.root].map(({ sha256 }) => sha256);
  for (const chain of [
    [...forged, ...cas],
    [...cas.toReversed(), ...forged],
    [...cas, ...forged],
  ])
    expect(pathOf(build([issued, ...chain]))).toEqual(expected);
});

test('puts a bounded number of issuers on paths when sixty self-issued certificates share one name', () => {
  const subject = [{ type: 'CN', value: 'Everybody' }] as const;
  const nameless = { subject, subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent' } as const;
  let issuer = pki.issueRoot(nameless);
  const web = [issuer];
  for (let index = 0; index < 60; index += 1) {
    issuer = pki.issueCa({ ...nameless, issuer });
    web.push(issuer);
  }
  const counted = countedBuild([provider({ issuer }), ...web]);
  expect(counted.result.status).toBe('untrusted');
  expect(counted.steps).toBeLessThanOrEqual(2 * PATH_SEARCH_MAX_STEPS);
});

test('explains a forged certificate without a look at what is above the issuer that did not sign it', () => {
  const subject = [{ type: 'CN', value: 'x' }] as const;
  const impostors = Array.from({ length: 7 }, () => pki.issueRoot({ subject }));
  const issued = provider({ issuerName: subject, authorityKeyIdentifier: 'absent', signedBy: createTestKey() });
  const counted = countedBuild([issued, ...impostors]);
  expect(reasons(counted.result)).toEqual(['certificate-signature-invalid']);
  // Each impostor once, to explain, and the impostors' own issuers never.
  expect(counted.steps).toBe(7);
  expect(counted.signatures).toBe(7);
});

test('computes a signature for no issuer of the same name whose key identifier is another one', () => {
  const subject = [{ type: 'CN', value: 'Example SHAKEN Issuing CA' }] as const;
  const cas = Array.from({ length: 40 }, () => pki.issueCa({ subject }));
  for (const ca of [cas[0], cas[20], cas[39]] as TestCertificate[]) {
    const issued = provider({ issuer: ca });
    const counted = countedBuild([issued, ca], { intermediates: cas });
    expect(pathOf(counted.result)).toEqual([issued.sha256, ca.sha256, pki.root.sha256]);
    expect(counted).toMatchObject({ signatures: 2, steps: 2 });
  }
});

test('finds the issuer among twelve of the same name without key identifiers', () => {
  const subject = [{ type: 'CN', value: 'Example SHAKEN Issuing CA' }] as const;
  // Of forty the search would end: RFC 5280 has key identifiers in all of them, and whoever names no key has this computed for every call.
  const cas = Array.from({ length: 12 }, () => pki.issueCa({ subject, subjectKeyIdentifier: 'absent' }));
  const issued = provider({ issuer: cas[11] as TestCertificate, authorityKeyIdentifier: 'absent' });
  const counted = countedBuild([issued], { intermediates: cas });
  expect(reasons(counted.result)).toBe('trusted');
  expect(counted).toMatchObject({ signatures: 13, steps: 2 });
});

test('finds the one cross-certificate under a listed root, whatever unrelated roots have the name of the others', () => {
  const oldRoot = { subject: [{ type: 'CN', value: 'Old root' }] } as const;
  const ca = pki.issueCa();
  const crossed = Array.from({ length: 5 }, () => pki.crossSign(ca, pki.issueRoot(oldRoot)));
  const unrelated = Array.from({ length: 6 }, () => pki.issueRoot(oldRoot));
  const issued = provider({ issuer: ca });
  const counted = countedBuild([issued, ...crossed, ca], { trustAnchors: [...unrelated, pki.root] });
  expect(pathOf(counted.result)).toEqual([issued.sha256, ca.sha256, pki.root.sha256]);
  // One for the CA's key, whichever certificate it is in, and one for the root's.
  expect(counted.signatures).toBe(2);
});

test('finds the root among three hundred anchors of one name', () => {
  const anchors = Array.from({ length: 300 }, () => pki.issueRoot({ subject: pki.root.subject }));
  const issued = provider();
  const counted = countedBuild([issued, pki.intermediate], { trustAnchors: [...anchors, pki.root] });
  expect(pathOf(counted.result)).toEqual([issued.sha256, pki.intermediate.sha256, pki.root.sha256]);
  expect(counted).toMatchObject({ signatures: 2, steps: 2 });
});

test('says what is wrong with the end entity and nothing of other CAs of the same name', () => {
  const subject = [{ type: 'CN', value: 'Example SHAKEN Issuing CA' }] as const;
  const cas = Array.from({ length: 20 }, () => pki.issueCa({ subject }));
  const ca = cas[10] as TestCertificate;
  const expired = provider({ issuer: ca, notAfterMs: pki.nowMs - 5000 });
  expect(reasons(build([expired, ca], { intermediates: cas }))).toEqual(['certificate-expired']);
  const other = pki.issueRoot();
  const elsewhere = pki.issueCa({ subject, issuer: other });
  const result = build([provider({ issuer: elsewhere }), elsewhere], { intermediates: cas });
  expect(result).toMatchObject({
    failures: [{ reason: 'no-path-to-trust-anchor', certificateSha256: elsewhere.sha256, actual: 'no such issuer' }],
  });
});

test.each(['P-256', 'P-384'] as const)('ends the search under %s impostors without key identifiers', (curve) => {
  const most = INVALID[curve] + EXPLAINED[curve];
  const subject = [{ type: 'CN', value: 'x' }] as const;
  const impostors = Array.from({ length: most + 20 }, () =>
    pki.issueRoot({ subject, curve, subjectKeyIdentifier: 'absent' }),
  );
  const forged = provider({ issuerName: subject, authorityKeyIdentifier: 'absent', signedBy: createTestKey(curve) });
  for (const settings of [{ intermediates: impostors }, { trustAnchors: impostors }]) {
    const counted = countedBuild([forged], settings);
    expect(counted.result).toMatchObject({
      failures: [
        { reason: 'certificate-signature-invalid' },
        { reason: 'no-path-to-trust-anchor', actual: 'search ended: too many issuers to try' },
      ],
    });
    expect(counted.signatures).toBeLessThanOrEqual(most);
    expect(counted.steps).toBeLessThanOrEqual(16);
  }
});

test('computes a bounded number of P-384 signatures when a chain of ten vouches for itself and names every anchor', () => {
  const { subject } = pki.root;
  const hidden = { subject, curve: 'P-384', subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent' } as const;
  const anchors = Array.from({ length: 40 }, () => pki.issueRoot(hidden));
  const cas = Array.from({ length: 3 }, () => pki.issueRoot(hidden));
  const web = cas.flatMap((ca) => cas.filter((other) => other !== ca).map((other) => pki.crossSign(ca, other)));
  const issued = provider({ issuer: cas[0] as TestCertificate, authorityKeyIdentifier: 'absent' });
  const counted = countedBuild([issued, ...web, ...cas], { trustAnchors: anchors });
  expect(counted.result.status).toBe('untrusted');
  expect(counted.signatures).toBeLessThanOrEqual(INVALID['P-384'] + EXPLAINED['P-384']);
});

test('compares no long TNAuthLists for issuers that did not sign, except to explain', () => {
  const subject = [{ type: 'CN', value: 'x' }] as const;
  const tnAuthList = Array.from({ length: 480 }, (_, index) => one(String(12025550000 + 2 * index)));
  const cas = Array.from({ length: 8 }, () => pki.issueCa({ subject, tnAuthList, corruptSignature: true }));
  const forged = provider({ issuerName: subject, authorityKeyIdentifier: 'absent', tnAuthList });
  let lists = 0;
  const chain = [forged, ...cas].map((certificate) => {
    const copy = { ...parsed(certificate) };
    return Object.defineProperty(copy, 'tnAuthList', {
      get: () => {
        lists += 1;
        return tnAuthList;
      },
    });
  });
  const result = buildCertificatePath(chain, { atMs: pki.nowMs, trustAnchors: [parsed(pki.root)] });
  expect(reasons(result)).toEqual(['certificate-signature-invalid']);
  // Some looks per certificate, not some per pair of them.
  expect(lists).toBeLessThanOrEqual(9 * 5);
});

/** Revocation is asked once for each issuer that is put on a path, and the DER is read once for each signature that is computed. */
function countedBuild(
  chain: readonly TestCertificate[],
  { trustAnchors = [pki.root], intermediates = [] }: Pick<Settings, 'trustAnchors' | 'intermediates'> = {},
): { readonly result: CertificatePathResult; readonly steps: number; readonly signatures: number } {
  let steps = 0;
  let signatures = 0;
  const counting = (certificate: TestCertificate): Certificate => {
    const { der, ...rest } = parsed(certificate);
    const readDer = () => {
      signatures += 1;
      return der;
    };
    return Object.defineProperty({ ...rest, der }, 'der', { get: readDer });
  };
  const result = buildCertificatePath(chain.map(counting), {
    atMs: pki.nowMs,
    trustAnchors: trustAnchors.map(counting),
    intermediates: intermediates.map(counting),
    revocation: () => {
      steps += 1;
      return { status: 'good', checkedAtMs: 0 };
    },
  });
  return { result, steps, signatures };
}

test(`refuses a path of more than ${PATH_MAX_CERTIFICATES} certificates and takes one of exactly that many`, () => {
  const chain: TestCertificate[] = [];
  let issuer = pki.root;
  for (let index = 0; index < PATH_MAX_CERTIFICATES - 2; index += 1) {
    issuer = pki.issueCa({ issuer });
    chain.unshift(issuer);
  }
  expect(pathOf(build([provider({ issuer }), ...chain]))).toHaveLength(PATH_MAX_CERTIFICATES);
  const deeper = pki.issueCa({ issuer });
  expect(reasons(build([provider({ issuer: deeper }), deeper, ...chain]))).toEqual(['path-too-long']);
});

test('refuses a revoked certificate with the instant of its revocation', () => {
  const issued = provider();
  const result = build([issued, pki.intermediate], {
    revocation: ({ sha256 }) =>
      sha256 === issued.sha256
        ? { status: 'revoked', certificateSha256: sha256, revokedAtMs: 123, crlReason: 'keyCompromise' }
        : { status: 'unknown', detail: '' },
  });
  expect(result).toMatchObject({
    failures: [{ reason: 'certificate-revoked', certificateSha256: issued.sha256, actual: 123 }],
  });
});

test('reports revocation as unknown when it is unknown for one certificate of the path', () => {
  const result = build([provider(), pki.intermediate], {
    revocation: (certificate) =>
      certificate.isCa ? { status: 'unknown', detail: 'why' } : { status: 'good', checkedAtMs: 1 },
  });
  expect(result).toMatchObject({ status: 'trusted', path: { revocation: { status: 'unknown', detail: 'why' } } });
});

test('asks for revocation with the issuer that the path has above the certificate, and not for the anchor', () => {
  const asked: string[] = [];
  const issued = provider();
  build([issued, pki.intermediate], {
    revocation: (certificate, issuer) => {
      asked.push(`${certificate.sha256} ${issuer.sha256}`);
      return { status: 'good', checkedAtMs: 0 };
    },
  });
  expect(asked).toEqual([
    `${issued.sha256} ${pki.intermediate.sha256}`,
    `${pki.intermediate.sha256} ${pki.root.sha256}`,
  ]);
});
