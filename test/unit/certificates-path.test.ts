import { CERTIFICATE_FAULTS, createTestKey, TestPki } from '@hopback/sdk/testing';
import { CERTIFICATE_FAULT_NAMES } from '../../sdk/src/testing/certificate-faults.js';
import type { CaOptions, CertificateOptions, TestCertificate } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import {
  buildCertificatePath,
  PATH_MAX_CERTIFICATES,
  PATH_SEARCH_MAX_STEPS,
} from '../../sdk/src/stir/certificates/build-path.js';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import type { CertificatePathResult, PathOptions } from '../../sdk/src/stir/certificates/path.js';
import { parsed, parsedChain } from './certificates-parsed.js';

const pki = new TestPki();

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

const reasons = (result: CertificatePathResult): string =>
  result.status === 'trusted' ? 'trusted' : result.failures.map(({ reason }) => reason).join(' ');
const provider = (options: CertificateOptions = {}) => pki.issueServiceProvider({ spc: '709J', ...options });
const named = (value: string) => [{ type: 'CN', value }] as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const NO_IDENTIFIERS = { subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent' } as const;
/** The first CA and more of them, each issued by the one before. */
function ladder(first: TestCertificate, length: number, options: CertificateOptions = {}): TestCertificate[] {
  const cas = [first];
  while (cas.length < length) cas.push(pki.issueCa({ ...options, issuer: cas.at(-1) as TestCertificate }));
  return cas;
}

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

test.each(CERTIFICATE_FAULT_NAMES)('judges the path "%s" as the catalogue says', (name) => {
  const { expectedReasonHint, build: buildFault } = CERTIFICATE_FAULTS[name];
  const { chainPem, trustAnchors } = buildFault(pki, '1234');
  const result = buildCertificatePath(parsedChain(chainPem), {
    trustAnchors: trustAnchors.map(parsed),
    atMs: pki.nowMs,
  });
  expect(reasons(result).split(' ')).toContain(expectedReasonHint ?? 'trusted');
});

test('takes an intermediate from the store when the chain lacks it', () => {
  const issued = provider();
  expect(reasons(build([issued]))).toBe('no-path-to-trust-anchor');
  expect(reasons(build([issued], { intermediates: [pki.intermediate] }))).toBe('trusted');
});

test('takes the renewed twin of an expired intermediate', () => {
  const expired = pki.issueCa({ notAfterMs: pki.nowMs - 60_000 });
  expect(reasons(build([provider({ issuer: expired }), expired, pki.crossSign(expired, pki.root)]))).toBe('trusted');
});

test('stops at an anchor that is an intermediate', () => {
  const issued = provider();
  expect(pathOf(build([issued, pki.intermediate, pki.root], { trustAnchors: [pki.intermediate] }))).toEqual([
    issued.sha256,
    pki.intermediate.sha256,
  ]);
});

test('throws invalid-argument for a chain without a certificate', () => {
  expect(() => build([])).toThrow(withCode('invalid-argument'));
});

test('trusts no end entity for being listed as an anchor, self-signed or not', () => {
  const selfSigned = provider({ issuer: 'self' });
  expect(reasons(build([selfSigned]))).toBe('no-path-to-trust-anchor');
  expect(reasons(build([selfSigned], { trustAnchors: [selfSigned, pki.root] }))).toBe('no-path-to-trust-anchor');
  const issued = provider();
  expect(reasons(build([issued], { trustAnchors: [issued] }))).toBe('no-path-to-trust-anchor');
  const asCa = provider({
    issuer: 'self',
    basicConstraints: { ca: true },
    keyUsage: { usages: ['digitalSignature', 'keyCertSign'] },
  });
  expect(reasons(build([asCa], { trustAnchors: [asCa] }))).toBe('signer-is-a-ca no-path-to-trust-anchor');
});

test('refuses a certificate whose extended key usage lists other purposes alone, the end entity and above', () => {
  const extendedKeyUsage = [SERVER_AUTH];
  expect(reasons(build([provider({ extendedKeyUsage }), pki.intermediate]))).toBe('key-usage-missing');
  const ca = pki.issueCa({ extendedKeyUsage });
  expect(build([provider({ issuer: ca }), ca])).toMatchObject({
    failures: [{ reason: 'key-usage-missing', certificateSha256: ca.sha256, actual: extendedKeyUsage[0] }],
  });
  const anyPurpose = { extendedKeyUsage: [...extendedKeyUsage, '2.5.29.37.0'] };
  const any = pki.issueCa(anyPurpose);
  expect(reasons(build([provider({ issuer: any, ...anyPurpose }), any]))).toBe('trusted');
});

test('refuses an expired end entity from the second after its last and takes it until then', () => {
  const issued = provider({ notAfterMs: pki.nowMs });
  expect(reasons(build([issued, pki.intermediate], { atMs: pki.nowMs + 999 }))).toBe('trusted');
  const { sha256: certificateSha256 } = issued;
  const [expected, actual] = [pki.nowMs, pki.nowMs + 1000];
  expect(build([issued, pki.intermediate], { atMs: actual })).toEqual({
    status: 'untrusted',
    failures: [{ reason: 'certificate-expired', certificateSha256, expected, actual }],
  });
});

test('refuses an end entity one millisecond before it becomes valid', () => {
  const issued = provider({ notBeforeMs: pki.nowMs });
  expect(reasons(build([issued, pki.intermediate]))).toBe('trusted');
  expect(reasons(build([issued, pki.intermediate], { atMs: pki.nowMs - 1 }))).toBe('certificate-not-yet-valid');
});

test('refuses an issuer whose name differs though its key fits', () => {
  const issued = provider({ issuerName: named('Somebody else') });
  const result = build([issued, pki.intermediate]);
  expect(result).toMatchObject({
    failures: [{ reason: 'issuer-name-mismatch', expected: 'CN=Somebody else', actual: pki.intermediate.subjectText }],
  });
});

test.each<[string, CaOptions, (root: TestCertificate) => object]>([
  ['without a name', { subject: [] }, () => [{ reason: 'issuer-name-mismatch' }]],
  ['for TLS servers alone', { extendedKeyUsage: [SERVER_AUTH] }, () => [{ reason: 'key-usage-missing' }]],
  [
    'that has expired',
    { notBeforeMs: pki.nowMs - 10_000, notAfterMs: pki.nowMs - 5_000 },
    ({ sha256 }) => [{ reason: 'certificate-expired', certificateSha256: sha256 }],
  ],
  [
    'with an unknown critical extension',
    { unknownCriticalExtension: true },
    () => [{ reason: 'unknown-critical-extension', actual: '2.999.8226' }],
  ],
])('refuses a path under an anchor %s', (_, options, failures) => {
  const root = pki.issueRoot(options);
  expect(build([provider({ issuer: root })], { trustAnchors: [root] })).toMatchObject({ failures: failures(root) });
});

test('asks for KeyUsage below the anchor and not on it, and holds a pathLenConstraint of the anchor against the path', () => {
  const root = pki.issueRoot({ keyUsage: 'absent', pathLength: 0 });
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toBe('trusted');
  const below = pki.issueCa({ issuer: root });
  expect(reasons(build([provider({ issuer: below }), below], { trustAnchors: [root] }))).toBe('path-length-exceeded');
  const ca = pki.issueCa({ keyUsage: 'absent' });
  expect(reasons(build([provider({ issuer: ca }), ca]))).toBe('key-usage-missing');
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

test('refuses an authority key identifier that names another certificate and no key', () => {
  const root = pki.issueRoot({ subject: named('top') });
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
  expect(reasons(build([below('top', '7e'), ca], options))).toBe('key-identifier-mismatch');
  expect(reasons(build([below('nobody', '7f'), ca], options))).toBe('key-identifier-mismatch');
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

test('goes without key identifiers where there are none', () => {
  expect(reasons(build([provider({ authorityKeyIdentifier: 'absent' }), pki.intermediate]))).toBe('trusted');
});

test('accepts P-384 with SHA-384 throughout and refuses it when only ES256 is permitted', () => {
  const root = pki.issueRoot({ curve: 'P-384' });
  const issued = provider({ issuer: root, curve: 'P-384' });
  expect(reasons(build([issued], { trustAnchors: [root] }))).toBe('trusted');
  const refused = reasons(build([issued], { trustAnchors: [root], algorithms: ['ES256'] }));
  expect(refused).toBe('public-key-not-permitted signature-algorithm-not-permitted public-key-not-permitted');
});

test('refuses a hash that does not go with the curve', () => {
  const root = pki.issueRoot({ curve: 'P-384' });
  const issued = provider({ issuer: root, signatureHash: 'SHA-256' });
  expect(build([issued], { trustAnchors: [root] })).toMatchObject({
    failures: [
      { reason: 'signature-algorithm-not-permitted', expected: '1.2.840.10045.4.3.3', actual: '1.2.840.10045.4.3.2' },
    ],
  });
  for (const signatureHash of ['SHA-1', 'SHA-512'] as const) {
    const below = provider({ signatureHash });
    expect(reasons(build([below, pki.intermediate]))).toBe('signature-algorithm-not-permitted');
  }
});

test.each(['RSA-2048', 'Ed25519', 'P-521', 'secp256k1'] as const)('refuses %s keys', (curve) => {
  expect(reasons(build([provider({ curve }), pki.intermediate]))).toBe('public-key-not-permitted');
  const root = pki.issueRoot({ curve });
  const both = 'signature-algorithm-not-permitted public-key-not-permitted';
  expect(reasons(build([provider({ issuer: root })], { trustAnchors: [root] }))).toBe(both);
});

test('collects every failure of the path, not the first only', () => {
  const ca = pki.issueCa({ unknownCriticalExtension: true, keyUsage: { usages: ['cRLSign'] } });
  const issued = provider({
    issuer: ca,
    tnAuthList: 'absent',
    notAfterMs: pki.nowMs - 5000,
    authorityKeyIdentifier: 'wrong',
  });
  expect(reasons(build([issued, ca]))).toBe(
    'certificate-expired tn-auth-list-missing key-identifier-mismatch unknown-critical-extension key-usage-missing',
  );
});

const range = (start: string, count: number) => ({ kind: 'range', start, count }) as const;
const one = (tn: string) => ({ kind: 'one', tn }) as const;
const spc = (code: string) => ({ kind: 'spc', spc: code }) as const;

test('refuses a delegate with an SPC or numbers that its parent lacks', () => {
  const ca = pki.issueCa();
  const parent = pki.issueServiceProvider({ spc: '709J', canDelegate: true, issuer: ca });
  const otherSpc = pki.issueDelegate({ parent, tnAuthList: [spc('888X')] });
  const difference = { certificateSha256: otherSpc.sha256, expected: 'spc 709J', actual: 'spc 888X' };
  expect(build([otherSpc, parent, ca])).toMatchObject({
    failures: [{ reason: 'tn-auth-list-not-encompassed', ...difference }],
  });
  const numbers = pki.issueDelegate({ parent, tnAuthList: [range('12025550100', 100)], canDelegate: true });
  const within = pki.issueDelegate({ parent: numbers, tnAuthList: [one('12025550199')] });
  const beyond = pki.issueDelegate({ parent: numbers, tnAuthList: [one('12025550200')] });
  expect(reasons(build([within, numbers, parent, ca]))).toBe('trusted');
  expect(build([within, numbers, parent, ca])).toMatchObject({ path: { spc: '709J' } });
  expect(reasons(build([beyond, numbers, parent, ca]))).toBe('tn-auth-list-not-encompassed');
});

test('does not let an SPC come back below numbers', () => {
  const ca = pki.issueCa();
  const parent = pki.issueServiceProvider({ spc: '709J', canDelegate: true, issuer: ca });
  const numbers = pki.issueDelegate({ parent, tnAuthList: [one('12025550100')], canDelegate: true });
  const spcAgain = pki.issueDelegate({ parent: numbers, tnAuthList: [spc('709J')] });
  expect(reasons(build([spcAgain, numbers, parent, ca]))).toBe('tn-auth-list-not-encompassed');
});

test('a TNAuthList on a CA limits what is below it, also across a CA without one and on an anchor', () => {
  const root = pki.issueRoot({ tnAuthList: [spc('709J')] });
  const middle = pki.issueCa({ issuer: root });
  expect(reasons(build([provider({ issuer: middle }), middle], { trustAnchors: [root] }))).toBe('trusted');
  const other = pki.issueServiceProvider({ spc: '888X', issuer: middle });
  expect(reasons(build([other, middle], { trustAnchors: [root] }))).toBe('tn-auth-list-not-encompassed');
});

test('leaves the SPC open where the end entity has two', () => {
  const result = build([provider({ tnAuthList: [spc('709J'), spc('888X')] }), pki.intermediate]);
  expect(result.status === 'trusted' && 'spc' in result.path).toBe(false);
});

test.each(['P-256', 'P-384'] as const)('finds the path of a CA under %s that was renewed twelve times', (curve) => {
  const root = pki.issueRoot({ curve });
  const first = pki.issueCa({ issuer: root, curve });
  const renewals = Array.from({ length: 12 }, () => pki.crossSign(first, root));
  const issued = provider({ issuer: first });
  expect(reasons(build([issued, first, ...renewals], { trustAnchors: [root] }))).toBe('trusted');
});

test('finds the path of CAs under P-384 that three roots have cross-certified', () => {
  const curve = 'P-384';
  const roots = ['A', 'B', 'C'].map((value) => pki.issueRoot({ curve, subject: named(value) }));
  const [a, b, c] = roots as [TestCertificate, TestCertificate, TestCertificate];
  const upper = pki.issueCa({ issuer: a, curve, subject: named('Upper') });
  const lower = pki.issueCa({ issuer: upper, curve, subject: named('Lower') });
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
    const hidden = { ...NO_IDENTIFIERS, subject: named('Everybody'), curve };
    const cas = ladder(pki.issueRoot(hidden), 9, hidden);
    const issued = provider({ issuer: cas.at(-1) as TestCertificate, authorityKeyIdentifier: 'absent' });
    const counted = countedBuild([issued, ...cas]);
    expect(reasons(counted.result)).toContain('no-path-to-trust-anchor');
    expect(counted.signatures).toBe(EXPLAINED[curve]);
  },
);

test.each(['P-256', 'P-384'] as const)(
  'computes a bounded number of signatures under %s when nine CAs of one name all claim to be signed by listed roots',
  (curve) => {
    const hidden = { ...NO_IDENTIFIERS, curve };
    const trustAnchors = Array.from({ length: 3 }, () => pki.issueRoot({ ...hidden, subject: pki.root.subject }));
    const forger = pki.issueRoot({ ...hidden, subject: pki.root.subject });
    const cas = Array.from({ length: 9 }, () => pki.issueCa({ ...hidden, subject: named('x'), issuer: forger }));
    const issued = provider({ issuer: cas[8] as TestCertificate, authorityKeyIdentifier: 'absent' });
    const counted = countedBuild([issued, ...cas], { trustAnchors });
    expect(counted.result.status).toBe('untrusted');
    expect(counted.signatures).toBeLessThanOrEqual(INVALID[curve] + EXPLAINED[curve]);
  },
);

test('asks for nobody to vouch for a CA of the chain that is not on the way', () => {
  const hidden = { ...NO_IDENTIFIERS, curve: 'P-384' } as const;
  const root = pki.issueRoot(hidden);
  const cas = Array.from({ length: 8 }, () => pki.issueCa({ ...hidden, subject: named('Renewed'), issuer: root }));
  const issued = provider({ issuer: cas[0] as TestCertificate, authorityKeyIdentifier: 'absent' });
  const counted = countedBuild([issued, ...cas], { trustAnchors: [root] });
  expect(pathOf(counted.result)).toEqual([issued.sha256, (cas[0] as TestCertificate).sha256, root.sha256]);
  expect(counted.signatures).toBe(2);
});

test('finds the CA that is vouched for through three others, whatever the order and with forged ones of the same names between', () => {
  const cas = ladder(pki.issueCa(NO_IDENTIFIERS), 3, NO_IDENTIFIERS);
  const forged = cas.map(({ subject }) => pki.issueCa({ ...NO_IDENTIFIERS, subject, signedBy: createTestKey() }));
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
  const nameless = { ...NO_IDENTIFIERS, subject: named('Everybody') };
  const web = ladder(pki.issueRoot(nameless), 61, nameless);
  const counted = countedBuild([provider({ issuer: web[60] as TestCertificate }), ...web]);
  expect(counted.result.status).toBe('untrusted');
  expect(counted.steps).toBeLessThanOrEqual(2 * PATH_SEARCH_MAX_STEPS);
});

test('explains a forged certificate without a look at what is above the issuer that did not sign it', () => {
  const subject = named('x');
  const impostors = Array.from({ length: 7 }, () => pki.issueRoot({ subject }));
  const issued = provider({ issuerName: subject, authorityKeyIdentifier: 'absent', signedBy: createTestKey() });
  const counted = countedBuild([issued, ...impostors]);
  expect(reasons(counted.result)).toBe('certificate-signature-invalid');
  // Each impostor once, to explain, and the impostors' own issuers never.
  expect(counted.steps).toBe(7);
  expect(counted.signatures).toBe(7);
});

test('computes a signature for no issuer of the same name whose key identifier is another one', () => {
  const subject = named('Example SHAKEN Issuing CA');
  const cas = Array.from({ length: 40 }, () => pki.issueCa({ subject }));
  for (const ca of [cas[0], cas[20], cas[39]] as TestCertificate[]) {
    const issued = provider({ issuer: ca });
    const counted = countedBuild([issued, ca], { intermediates: cas });
    expect(pathOf(counted.result)).toEqual([issued.sha256, ca.sha256, pki.root.sha256]);
    expect(counted).toMatchObject({ signatures: 2, steps: 2 });
  }
});

test('finds the issuer among twelve of the same name without key identifiers', () => {
  const subject = named('Example SHAKEN Issuing CA');
  // Of forty the search would end: RFC 5280 has key identifiers in all of them, and whoever names no key has this computed for every call.
  const cas = Array.from({ length: 12 }, () => pki.issueCa({ subject, subjectKeyIdentifier: 'absent' }));
  const issued = provider({ issuer: cas[11] as TestCertificate, authorityKeyIdentifier: 'absent' });
  const counted = countedBuild([issued], { intermediates: cas });
  expect(reasons(counted.result)).toBe('trusted');
  expect(counted).toMatchObject({ signatures: 13, steps: 2 });
});

test('finds the one cross-certificate under a listed root, whatever unrelated roots have the name of the others', () => {
  const oldRoot = { subject: named('Old root') };
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
  const subject = named('Example SHAKEN Issuing CA');
  const cas = Array.from({ length: 20 }, () => pki.issueCa({ subject }));
  const ca = cas[10] as TestCertificate;
  const expired = provider({ issuer: ca, notAfterMs: pki.nowMs - 5000 });
  expect(reasons(build([expired, ca], { intermediates: cas }))).toBe('certificate-expired');
  const other = pki.issueRoot();
  const elsewhere = pki.issueCa({ subject, issuer: other });
  const result = build([provider({ issuer: elsewhere }), elsewhere], { intermediates: cas });
  expect(result).toMatchObject({
    failures: [{ reason: 'no-path-to-trust-anchor', certificateSha256: elsewhere.sha256, actual: 'no such issuer' }],
  });
});

test.each(['P-256', 'P-384'] as const)('ends the search under %s impostors without key identifiers', (curve) => {
  const most = INVALID[curve] + EXPLAINED[curve];
  const subject = named('x');
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

test('compares no long TNAuthLists for issuers that did not sign, except to explain', () => {
  const subject = named('x');
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
  expect(reasons(result)).toBe('certificate-signature-invalid');
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
  const under = (length: number): CertificatePathResult => {
    const [, ...cas] = ladder(pki.root, length - 1);
    return build([provider({ issuer: cas.at(-1) as TestCertificate }), ...cas.toReversed()]);
  };
  expect(pathOf(under(PATH_MAX_CERTIFICATES))).toHaveLength(PATH_MAX_CERTIFICATES);
  expect(reasons(under(PATH_MAX_CERTIFICATES + 1))).toBe('path-too-long');
});

test('refuses a revoked certificate with the instant of its revocation', () => {
  const { sha256: certificateSha256 } = pki.intermediate;
  const result = build([provider(), pki.intermediate], {
    revocation: ({ isCa }) =>
      isCa ? { status: 'revoked', certificateSha256, revokedAtMs: 123 } : { status: 'unknown', detail: '' },
  });
  expect(result).toMatchObject({ failures: [{ reason: 'certificate-revoked', certificateSha256, actual: 123 }] });
});

test('reports revocation as unknown when it is unknown for one certificate of the path, asked with its issuer', () => {
  const asked: string[] = [];
  const issued = provider();
  const result = build([issued, pki.intermediate], {
    revocation: ({ sha256, isCa }, issuer) => {
      asked.push(sha256, issuer.sha256);
      return isCa ? { status: 'unknown', detail: 'why' } : { status: 'good', checkedAtMs: 1 };
    },
  });
  expect(result).toMatchObject({ status: 'trusted', path: { revocation: { status: 'unknown', detail: 'why' } } });
  // The anchor is not asked about.
  const { intermediate, root } = pki;
  expect(asked).toEqual([issued, intermediate, intermediate, root].map(({ sha256 }) => sha256));
});
