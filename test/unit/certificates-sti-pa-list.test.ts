import { createTestKey, createTestPki } from '@hopback/sdk/testing';
import type { TestPki, TrustListOptions } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import { parseCertificateChain } from '../../sdk/src/stir/certificates/parse-certificate.js';
import {
  STI_PA_LIST_MAX_CHARS,
  stiPaListSignerUrl,
  verifyStiPaList,
} from '../../sdk/src/stir/certificates/sti-pa-list.js';
import type { StiPaListOptions } from '../../sdk/src/stir/certificates/sti-pa-list.js';
import { parsed } from './certificates-parsed.js';

let pki: TestPki;
beforeAll(async () => {
  pki = await createTestPki();
});

const verify = (list: TrustListOptions, options: Partial<StiPaListOptions> = {}) =>
  verifyStiPaList(pki.trustList({ withX5c: true, ...list }).jws, {
    stiPaRoots: [parsed(pki.stiPaRoot)],
    atMs: pki.nowMs,
    ...options,
  });

test('accepts a list whose signer is in its x5c and chains to the policy administrator', async () => {
  const second = pki.issueRoot();
  const result = await verify({ sequence: 41, anchors: [pki.root, second, pki.root] });
  expect(result).toMatchObject({
    status: 'accepted',
    list: {
      version: '1',
      sequence: 41,
      expMs: pki.nowMs + 86_400_000,
      anchors: [{ sha256: pki.root.sha256 }, { sha256: second.sha256 }],
      skipped: [],
      signer: { sha256: pki.stiPaSigner.sha256 },
    },
  });
});

test('accepts a list whose signer was fetched from its x5u', async () => {
  const list = pki.trustList();
  expect(stiPaListSignerUrl(list.jws)).toBe('https://sti-pa.example/signer.pem');
  const chain = parseCertificateChain(list.signerChainPem);
  const result = await verifyStiPaList(`\n${list.jws}\n`, {
    stiPaRoots: [parsed(pki.stiPaRoot)],
    atMs: pki.nowMs,
    signerChain: chain.status === 'parsed' ? chain.chain : [],
  });
  expect(result.status).toBe('accepted');
});

test('asks for a signer when none is given', async () => {
  expect(await verify({ withX5c: false })).toMatchObject({ status: 'rejected', reason: 'signer-missing' });
  expect(await verify({ header: { x5c: ['!'] } })).toMatchObject({ reason: 'signer-missing' });
  expect(await verify({ header: { x5c: 'MIIB' } })).toMatchObject({ reason: 'signer-missing' });
  expect(await verify({ header: { x5c: Array.from({ length: 11 }, () => 'MIIB') } })).toMatchObject({
    reason: 'signer-missing',
  });
});

test('refuses a signer that does not chain to the policy administrator, and says why', async () => {
  const provider = pki.issueServiceProvider({ spc: '709J' });
  expect(await verify({ signer: provider })).toMatchObject({
    reason: 'signer-not-trusted',
    pathFailures: [{ reason: 'no-path-to-trust-anchor' }],
  });
  expect(await verify({}, { stiPaRoots: [] })).toMatchObject({ pathFailures: [{ reason: 'trust-list-empty' }] });
  expect(await verify({}, { atMs: pki.stiPaSigner.notAfterMs + 1000 })).toMatchObject({
    pathFailures: [{ reason: 'certificate-expired' }],
  });
});

test('refuses a revoked signer', async () => {
  const revocation = ({ sha256 }: { readonly sha256: string }) =>
    ({ status: 'revoked', certificateSha256: sha256, revokedAtMs: 1 }) as const;
  expect(await verify({}, { revocation })).toMatchObject({ pathFailures: [{ reason: 'certificate-revoked' }] });
});

test('refuses a forged and a corrupted signature', async () => {
  expect(await verify({ signedBy: createTestKey() })).toMatchObject({ reason: 'signature-invalid' });
  expect(await verify({ corruptSignature: true })).toMatchObject({ reason: 'signature-invalid' });
});

test.each(['none', 'HS256', 'ES384', 'RS256', undefined])('refuses alg %s', async (alg) => {
  expect(await verify({ header: { alg } })).toMatchObject({ reason: 'algorithm-not-permitted' });
});

test('refuses a critical header that is not understood', async () => {
  expect(await verify({ header: { crit: ['x'], x: 1 } })).toMatchObject({ reason: 'signature-invalid' });
});

test('refuses a list from the second in its exp on', async () => {
  const exp = pki.nowMs / 1000;
  expect((await verify({ exp }, { atMs: pki.nowMs - 1 })).status).toBe('accepted');
  expect(await verify({ exp })).toMatchObject({ reason: 'expired' });
});

test('refuses a sequence lower than the last and takes the same again', async () => {
  expect(await verify({ sequence: 6 }, { lastSequence: 7 })).toMatchObject({ reason: 'sequence-rolled-back' });
  expect((await verify({ sequence: 7 }, { lastSequence: 7 })).status).toBe('accepted');
});

test('refuses a list of the last sequence that ends before the last one, not one of a higher sequence', async () => {
  const exp = pki.nowMs / 1000 + 60;
  const last = { lastSequence: 7, lastExpMs: (exp + 1) * 1000 };
  expect(await verify({ sequence: 7, exp }, last)).toMatchObject({ reason: 'exp-rolled-back' });
  expect((await verify({ sequence: 7, exp: exp + 1 }, last)).status).toBe('accepted');
  expect((await verify({ sequence: 8, exp }, last)).status).toBe('accepted');
});

test('refuses an empty list and one without a usable entry', async () => {
  expect(await verify({ anchors: [] })).toMatchObject({ reason: 'trust-list-empty' });
  expect(await verify({ anchors: [pki.issueServiceProvider({ spc: '709J' })] })).toMatchObject({
    reason: 'trust-list-empty',
  });
});

test('skips entries that cannot be used and keeps the rest', async () => {
  const entries = ['hello', 7, pki.root.certificatePem, pki.root.certificatePem + pki.intermediate.certificatePem];
  expect(await verify({ trustList: entries })).toMatchObject({
    status: 'accepted',
    list: { anchors: [{ sha256: pki.root.sha256 }], skipped: [{ index: 0 }, { index: 1 }, { index: 3 }] },
  });
});

test.each<[string, TrustListOptions]>([
  ['no version', { claims: { version: undefined } }],
  ['a sequence in text', { sequence: '1' }],
  ['a negative sequence', { sequence: -1 }],
  ['a fractional exp', { exp: 1.5 }],
  ['no exp', { claims: { exp: undefined } }],
  ['a trust list that is no array', { trustList: {} }],
  ['501 entries', { trustList: Array.from({ length: 501 }, () => '') }],
])('refuses a payload with %s', async (_, list) => {
  expect(await verify(list)).toMatchObject({ reason: 'payload-malformed' });
});

test.each(['', 'x', 'a.b.c', '..', 'eyJhbGciOiJFUzI1NiJ9', '{"alg":"ES256"}'])('refuses %j as a list', async (jws) => {
  const result = await verifyStiPaList(jws, { stiPaRoots: [parsed(pki.stiPaRoot)], atMs: pki.nowMs });
  expect(result.status).toBe('rejected');
  expect(stiPaListSignerUrl(jws)).toBeUndefined();
});

test('refuses a list that is too large without looking into it', async () => {
  const jws = 'a'.repeat(STI_PA_LIST_MAX_CHARS + 1);
  expect(await verifyStiPaList(jws, { stiPaRoots: [], atMs: 0 })).toMatchObject({ reason: 'too-large' });
});
