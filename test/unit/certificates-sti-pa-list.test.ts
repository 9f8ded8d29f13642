import { createTestKey, TestPki, type TrustListOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { parseCertificateChain } from '../../sdk/src/stir/certificates/parse-certificate.js';
import {
  STI_PA_LIST_MAX_CHARS,
  stiPaListSignerUrl,
  verifyStiPaList,
} from '../../sdk/src/stir/certificates/sti-pa-list.js';
import type { StiPaListOptions } from '../../sdk/src/stir/certificates/sti-pa-list.js';
import { parsed } from './certificates-parsed.js';

const pki = new TestPki();

const verify = (list: TrustListOptions, options: Partial<StiPaListOptions> = {}) =>
  verifyStiPaList(pki.trustList({ withX5c: true, ...list }).jws, {
    stiPaRoots: [parsed(pki.stiPaRoot)],
    atMs: pki.nowMs,
    ...options,
  });

/** Why the list is rejected, `accepted` where it is not. */
async function reasonFor(list: TrustListOptions, options: Partial<StiPaListOptions> = {}): Promise<string> {
  const result = await verify(list, options);
  return result.status === 'rejected' ? result.reason : result.status;
}

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

test('accepts a list with ten certificates in its x5c, as many as there may be', async () => {
  const chain = [...pki.trustList().signerChainPem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)/g)].map(
    ([, body = '']) => body.replaceAll(/\s/g, ''),
  );
  const x5c = Array.from({ length: 10 }, (_, index) => chain[index] ?? chain.at(-1));
  expect(await reasonFor({ header: { x5c } })).toBe('accepted');
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

test.each<[string, TrustListOptions, string]>([
  ['no signer', { withX5c: false }, 'signer-missing'],
  ['an x5c that holds no certificate', { header: { x5c: ['!'] } }, 'signer-missing'],
  ['an x5c that is no list', { header: { x5c: 'MIIB' } }, 'signer-missing'],
  ['eleven certificates in x5c', { header: { x5c: Array.from({ length: 11 }, () => 'MIIB') } }, 'signer-missing'],
  ['a forged signature', { signedBy: createTestKey() }, 'signature-invalid'],
  ['a corrupted signature', { corruptSignature: true }, 'signature-invalid'],
  ['a critical header that is not understood', { header: { crit: ['x'], x: 1 } }, 'signature-invalid'],
  ...['none', 'HS256', 'ES384', 'RS256', undefined].map((alg): [string, TrustListOptions, string] => [
    `alg ${alg}`,
    { header: { alg } },
    'algorithm-not-permitted',
  ]),
  ['no anchor', { anchors: [] }, 'trust-list-empty'],
  ['no version', { claims: { version: undefined } }, 'payload-malformed'],
  ['a sequence in text', { sequence: '1' }, 'payload-malformed'],
  ['a negative sequence', { sequence: -1 }, 'payload-malformed'],
  ['a fractional exp', { exp: 1.5 }, 'payload-malformed'],
  ['no exp', { claims: { exp: undefined } }, 'payload-malformed'],
  ['a trust list that is no array', { trustList: {} }, 'payload-malformed'],
  ['501 entries', { trustList: Array.from({ length: 501 }, () => '') }, 'payload-malformed'],
])('refuses a list with %s', async (_, list, reason) => {
  expect(await reasonFor(list)).toBe(reason);
});

test('refuses a signer that does not chain to the policy administrator or is revoked, and says why', async () => {
  const provider = pki.issueServiceProvider({ spc: '709J' });
  const pathFailures = [{ reason: 'no-path-to-trust-anchor' }];
  expect(await verify({ signer: provider })).toMatchObject({ reason: 'signer-not-trusted', pathFailures });
  expect(await verify({}, { stiPaRoots: [] })).toMatchObject({ pathFailures: [{ reason: 'trust-list-empty' }] });
  const atMs = pki.stiPaSigner.notAfterMs + 1000;
  expect(await verify({}, { atMs })).toMatchObject({ pathFailures: [{ reason: 'certificate-expired' }] });
  const revocation = ({ sha256 }: { readonly sha256: string }) =>
    ({ status: 'revoked', certificateSha256: sha256, revokedAtMs: 1 }) as const;
  expect(await verify({}, { revocation })).toMatchObject({ pathFailures: [{ reason: 'certificate-revoked' }] });
});

test('refuses a list from the second in its exp on', async () => {
  const exp = pki.nowMs / 1000;
  expect(await reasonFor({ exp }, { atMs: pki.nowMs - 1 })).toBe('accepted');
  expect(await reasonFor({ exp })).toBe('expired');
});

test('refuses a sequence lower than the last and takes the same again', async () => {
  expect(await reasonFor({ sequence: 6 }, { lastSequence: 7 })).toBe('sequence-rolled-back');
  expect(await reasonFor({ sequence: 7 }, { lastSequence: 7 })).toBe('accepted');
});

test('refuses a list of the last sequence that ends before the last one, not one of a higher sequence', async () => {
  const exp = pki.nowMs / 1000 + 60;
  const last = { lastSequence: 7, lastExpMs: (exp + 1) * 1000 };
  expect(await reasonFor({ sequence: 7, exp }, last)).toBe('exp-rolled-back');
  expect(await reasonFor({ sequence: 7, exp: exp + 1 }, last)).toBe('accepted');
  expect(await reasonFor({ sequence: 8, exp }, last)).toBe('accepted');
});

test('refuses a list without a usable entry', async () => {
  expect(await reasonFor({ anchors: [pki.issueServiceProvider({ spc: '709J' })] })).toBe('trust-list-empty');
});

test('skips entries that cannot be used and keeps the rest', async () => {
  const root = pki.root.certificatePem;
  const entries = ['hello', 7, root.padEnd(8_192, '\n'), root + pki.intermediate.certificatePem, root.padEnd(8_193)];
  expect(await verify({ trustList: entries })).toMatchObject({
    status: 'accepted',
    list: { anchors: [{ sha256: pki.root.sha256 }], skipped: [0, 1, 3, 4].map((index) => ({ index })) },
  });
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
