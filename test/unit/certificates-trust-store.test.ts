import { createManualClock, createTestPki } from '@hopback/sdk/testing';
import type { ManualClock, TestCertificate, TestPki } from '@hopback/sdk/testing';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTrustStore, loadTrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import { parsed } from './certificates-parsed.js';

let pki: TestPki;
let clock: ManualClock;
let folder: string;
beforeAll(async () => {
  pki = await createTestPki();
  clock = createManualClock(pki.nowMs);
  folder = await mkdtemp(join(tmpdir(), 'hopback-trust-store-'));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
async function file(content: string | Uint8Array, name = `${(files += 1)}.pem`): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const code = (expected: string) => expect.objectContaining({ code: expected });

test('a trust store without an anchor is refused', () => {
  expect(() => createTrustStore({ anchors: [], source: { kind: 'files' } })).toThrow(code('trust-list-rejected'));
});

test('a trust store with an anchor that is no CA is refused', () => {
  const anchors = [parsed(pki.issueServiceProvider({ spc: '709J' }))];
  expect(() => createTrustStore({ anchors, source: { kind: 'files' } })).toThrow(code('trust-list-rejected'));
});

test('the version follows the content, not the order', () => {
  const source = { kind: 'files' } as const;
  const [one, two] = [parsed(pki.root), parsed(pki.issueRoot())];
  const version = createTrustStore({ anchors: [one, two], source }).version;
  expect(createTrustStore({ anchors: [two, one, one], source }).version).toBe(version);
  expect(createTrustStore({ anchors: [two], source }).version).not.toBe(version);
  expect(createTrustStore({ anchors: [one], intermediates: [two], source }).version).not.toBe(version);
});

test('loads anchors from PEM bundles, DER files and directories', async () => {
  const [one, two, three] = [pki.issueRoot(), pki.issueRoot(), pki.issueRoot()];
  const directory = join(folder, 'anchors');
  await mkdir(directory);
  await writeFile(join(directory, 'three.crt'), three.certificatePem);
  await writeFile(join(directory, 'README'), 'not a certificate');
  const paths = [await file(one.certificatePem + two.certificatePem), await file(pki.root.der), directory];
  const store = await loadTrustStore({ anchors: { kind: 'files', paths } }, { clock });
  expect(store.anchors.map(({ sha256 }) => sha256)).toEqual([one, two, pki.root, three].map(({ sha256 }) => sha256));
  expect(store.source).toEqual({ kind: 'files' });
});

test('loads nothing by a clock that gives no time: an expired list would count', async () => {
  const anchors = { kind: 'files', paths: [await file(pki.root.certificatePem)] } as const;
  await expect(loadTrustStore({ anchors }, { clock: { nowMs: () => Number.NaN } })).rejects.toMatchObject({
    code: 'invalid-configuration',
  });
});

test('loads the signed list with intermediates and the indirect CRL, and judges with it', async () => {
  const revoked = pki.issueServiceProvider({ spc: '709J' });
  const store = await loadTrustStore(
    {
      anchors: {
        kind: 'sti-pa-list',
        path: await file(pki.trustList({ sequence: 3 }).jws),
        signerChainPath: await file(pki.stiPaSigner.chainPem),
      },
      stiPaRoots: [await file(pki.stiPaRoot.certificatePem)],
      intermediates: [await file(pki.intermediate.certificatePem)],
      crls: [await file(pki.crl({ revoked: [revoked] }).der)],
      crlSigners: [await file(pki.stiPaCrlIssuer.certificatePem)],
    },
    { clock },
  );
  expect(store).toMatchObject({
    source: { kind: 'sti-pa-list', sequence: 3, expMs: pki.nowMs + 86_400_000 },
    revocation: { refused: [] },
  });
  expect(store.intermediates.map(({ sha256 }) => sha256)).toEqual([pki.intermediate.sha256]);
  expect(store.revocation.lookup(parsed(revoked), parsed(pki.intermediate), pki.nowMs).status).toBe('revoked');
});

test('a list whose signer the policy administrator revoked is refused', async () => {
  const load = async (revoked: readonly TestCertificate[]) =>
    loadTrustStore(
      {
        anchors: { kind: 'sti-pa-list', path: await file(pki.trustList({ withX5c: true }).jws) },
        stiPaRoots: [await file(pki.stiPaRoot.certificatePem)],
        crls: [await file(pki.crl({ revoked }).der)],
        crlSigners: [await file(pki.stiPaCrlIssuer.certificatePem)],
      },
      { clock },
    );
  expect((await load([])).source.kind).toBe('sti-pa-list');
  await expect(load([pki.stiPaSigner])).rejects.toMatchObject({
    code: 'trust-list-rejected',
    message: expect.stringContaining('certificate-revoked') as string,
  });
});

test('a reload does not go back to an older list or an older CRL', async () => {
  const stiPaRoots = [await file(pki.stiPaRoot.certificatePem)];
  const crlSigners = [await file(pki.stiPaCrlIssuer.certificatePem)];
  const load = async (sequence: number, number: number, previous?: Awaited<ReturnType<typeof loadTrustStore>>) =>
    loadTrustStore(
      {
        anchors: { kind: 'sti-pa-list', path: await file(pki.trustList({ sequence, withX5c: true }).jws) },
        stiPaRoots,
        crls: [await file(pki.crl({ number }).pem)],
        crlSigners,
      },
      { clock, ...(previous && { previous }) },
    );
  const store = await load(5, 5);
  await expect(load(4, 6, store)).rejects.toThrow(code('trust-list-rejected'));
  const reloaded = await load(6, 4, store);
  expect(reloaded.revocation.crls.map(({ crl }) => crl.number)).toEqual([5n]);
  expect(reloaded.revocation.refused.map(({ reason }) => reason)).toEqual(['older-than-known']);
});

test('an empty directory leaves no anchor and is refused', async () => {
  const directory = join(folder, 'empty');
  await mkdir(directory);
  await expect(loadTrustStore({ anchors: { kind: 'files', paths: [directory] } }, { clock })).rejects.toThrow(
    code('trust-list-rejected'),
  );
});

test('a file that is missing fails with storage-failed, one that is wrong with trust-list-rejected', async () => {
  const load = (path: string) => loadTrustStore({ anchors: { kind: 'files', paths: [path] } }, { clock });
  await expect(load(join(folder, 'missing.pem'))).rejects.toThrow(code('storage-failed'));
  await expect(load(await file('hello'))).rejects.toThrow(code('trust-list-rejected'));
  await expect(load(await file(' '.repeat(1024 * 1024 + 1)))).rejects.toThrow(code('trust-list-rejected'));
  const anchors = { kind: 'files', paths: [await file(pki.root.certificatePem)] } as const;
  await expect(loadTrustStore({ anchors, crls: [await file('hello')] }, { clock })).rejects.toThrow(
    code('trust-list-rejected'),
  );
});

test('an expired list is refused', async () => {
  const path = await file(pki.trustList({ exp: pki.nowMs / 1000, withX5c: true }).jws);
  const stiPaRoots = [await file(pki.stiPaRoot.certificatePem)];
  await expect(loadTrustStore({ anchors: { kind: 'sti-pa-list', path }, stiPaRoots }, { clock })).rejects.toThrow(
    code('trust-list-rejected'),
  );
});

test('loads PEM that begins with a byte order mark or with the digit that DER begins with', async () => {
  const other = pki.issueRoot();
  const paths = [
    await file(`\ufeff${pki.root.certificatePem}\ufeff${pki.intermediate.certificatePem}`),
    await file(`0 s:CN=ROOT\n${other.certificatePem}`),
  ];
  const store = await loadTrustStore({ anchors: { kind: 'files', paths } }, { clock });
  expect(store.anchors.map(({ sha256 }) => sha256)).toEqual(
    [pki.root, pki.intermediate, other].map(({ sha256 }) => sha256),
  );
});
