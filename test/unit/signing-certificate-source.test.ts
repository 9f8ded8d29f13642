import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, createTestKey, TestPki, type CertificateOptions } from '@hopback/sdk/testing';
import { afterAll, expect, test } from 'vitest';
import {
  FileCertificateSource,
  createStaticCertificateSource,
  readSigningCertificate,
  type FileCertificateSourceOptions,
  type SigningCertificate,
} from '../../sdk/src/stir/signing/certificate-source.js';
import { hopbackErrorOf } from '../support/code-of.js';
import { X5U } from './signing-scenarios.js';

const pki = new TestPki();
const provider = pki.issueServiceProvider({ spc: '1234' });
const directory = await mkdtemp(join(tmpdir(), 'hopback-certificate-source-'));
afterAll(() => rm(directory, { recursive: true }));

const fileWith = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
};

const DAY_MS = 86_400_000;

test('holds the whole chain, the end entity first, and always the same object', () => {
  const source = createStaticCertificateSource({ chainPem: provider.chainPem, x5u: X5U });
  const current = source.current();
  expect(current?.certificate.sha256).toBe(provider.sha256);
  expect(current?.chain.length).toBeGreaterThan(1);
  expect(current?.x5u).toBe(X5U);
  expect(source.current()).toBe(current);
});

test('makes the x5u of the certificate where a function says how', () => {
  const x5u = ({ sha256 }: { sha256: string }): string => `https://certificates.example.com/${sha256}.pem`;
  const source = createStaticCertificateSource({ chainPem: provider.chainPem, x5u });
  expect(source.current()?.x5u).toBe(`https://certificates.example.com/${provider.sha256}.pem`);
});

test.each([
  ['http://certificates.example.com/a.pem', 'another scheme'],
  ['https://127.0.0.1/a.pem', 'a loopback address'],
  ['', 'nothing at all'],
])('refuses the x5u %s with %s', async (x5u) => {
  expect(await hopbackErrorOf(() => createStaticCertificateSource({ chainPem: provider.chainPem, x5u }))).toMatchObject(
    {
      code: 'invalid-configuration',
      details: { reason: 'x5u-refused' },
    },
  );
});

test('takes a loopback x5u where a laboratory asks for it', () => {
  const x5uPolicy = { allow: { hosts: ['localhost'], ports: [9443] } };
  const x5u = 'https://localhost:9443/a.pem';
  expect(createStaticCertificateSource({ chainPem: provider.chainPem, x5u, x5uPolicy }).current()?.x5u).toBe(x5u);
});

test('refuses a chain that cannot be read, is out of order or was issued by another CA of the same name', async () => {
  const other = new TestPki();
  const outOfOrder = provider.certificatePem + pki.root.certificatePem + pki.intermediate.certificatePem;
  const impostor = provider.certificatePem + other.intermediate.certificatePem + other.root.certificatePem;
  const corrupt = pki.issueServiceProvider({ spc: '1234', corruptSignature: true }).chainPem;
  for (const chainPem of ['nonsense', '', outOfOrder, impostor, corrupt]) {
    const reason = chainPem.length < 10 ? 'chain-malformed' : 'chain-out-of-order';
    expect(readSigningCertificate({ chainPem, x5u: X5U })).toMatchObject({ reason });
  }
  expect(await hopbackErrorOf(() => createStaticCertificateSource({ chainPem: outOfOrder, x5u: X5U }))).toMatchObject({
    code: 'certificate-unusable',
    details: { reason: 'chain-out-of-order' },
  });
});

test('reads a file again when asked and notifies listeners of a new certificate only, also after one that throws', async () => {
  const path = await fileWith('rotating.pem', provider.chainPem);
  const source = await FileCertificateSource.open({ path, x5u: X5U });
  const heard: string[] = [];
  source.subscribe(() => {
    throw new Error('listener');
  });
  const stop = source.subscribe((signingCertificate: SigningCertificate) =>
    heard.push(signingCertificate.certificate.sha256),
  );
  const before = source.current();
  expect((await source.reload()).status).toBe('unchanged');
  expect(source.current()).toBe(before);
  const next = pki.issueServiceProvider({ spc: '1234', key: provider.key });
  await writeFile(path, next.chainPem);
  expect((await source.reload()).status).toBe('changed');
  expect(source.current()?.certificate.sha256).toBe(next.sha256);
  stop();
  await writeFile(path, provider.chainPem);
  await source.reload();
  expect(heard).toEqual([next.sha256]);
});

test.each<[string, (path: string) => Promise<void>, string]>([
  ['is gone', (path) => rm(path), 'unreadable'],
  ['is empty', (path) => writeFile(path, ''), 'chain-malformed'],
  ['was cut off while it was written', (path) => writeFile(path, provider.chainPem.slice(0, 500)), 'chain-malformed'],
  ['is a gigantic something', (path) => writeFile(path, Buffer.alloc(5_000_000, 0x41)), 'chain-malformed'],
  [
    'is out of order',
    (path) => writeFile(path, provider.certificatePem + pki.root.certificatePem + pki.intermediate.certificatePem),
    'chain-out-of-order',
  ],
])('keeps the last good certificate when the file %s', async (what, spoil, reason) => {
  const path = await fileWith(`${what.replaceAll(' ', '-')}.pem`, provider.chainPem);
  const source = await FileCertificateSource.open({ path, x5u: X5U });
  const good = source.current();
  await spoil(path);
  expect(await source.reload()).toMatchObject({ status: 'kept', reason, signingCertificate: good });
  expect(source.current()).toBe(good);
  await writeFile(path, provider.chainPem);
  expect((await source.reload()).status).toBe('unchanged');
});

test('leaves alone a certificate of another key, provider, use or time, also by a clock that throws', async () => {
  let nowMs = (): number => pki.nowMs;
  const owner = { spc: '1234', publicKey: provider.key.publicKey, clock: { nowMs: () => nowMs() } };
  const path = await fileWith('owned.pem', provider.chainPem);
  const source = await FileCertificateSource.open({ path, x5u: X5U, owner });
  const reasonAfter = async (chainPem: string): Promise<string> => {
    await writeFile(path, chainPem);
    const outcome = await source.reload();
    return outcome.status === 'kept' ? outcome.reason : outcome.status;
  };
  const { key } = provider;
  const chainOf = (changes: CertificateOptions): string =>
    pki.issueServiceProvider({ spc: '1234', key, ...changes }).chainPem;
  const early = chainOf({ notBeforeMs: pki.nowMs + DAY_MS });
  expect(await reasonAfter(chainOf({ key: createTestKey() }))).toBe('key-mismatch');
  expect(await reasonAfter(pki.issueServiceProvider({ spc: '9999', key }).chainPem)).toBe('spc-mismatch');
  expect(await reasonAfter(chainOf({ keyUsage: { usages: ['keyCertSign'] } }))).toBe('certificate-unsuitable');
  expect(await reasonAfter(chainOf({ notAfterMs: pki.nowMs - 1000 }))).toBe('certificate-expired');
  expect(await reasonAfter(early)).toBe('certificate-not-yet-valid');
  nowMs = () => {
    throw new Error('clock');
  };
  expect(await reasonAfter(chainOf({}))).not.toMatch(/changed/);
  expect(source.current()?.certificate.sha256).toBe(provider.sha256);
  nowMs = () => pki.nowMs + DAY_MS;
  expect(await reasonAfter(early)).toBe('changed');
});

test('shares the next reading among reloads during a reading', async () => {
  const source = await FileCertificateSource.open({ path: await fileWith('shared.pem', provider.chainPem), x5u: X5U });
  const first = source.reload();
  const second = source.reload();
  expect(second).not.toBe(first);
  expect(source.reload()).toBe(second);
  await second;
  expect(source.reload()).not.toBe(second);
});

test('misses no certificate that was written while it was reading', async () => {
  const path = await fileWith('raced.pem', provider.chainPem);
  const source = await FileCertificateSource.open({ path, x5u: X5U });
  for (let round = 0; round < 20; round += 1) {
    const next = pki.issueServiceProvider({ spc: '1234', key: provider.key });
    // Under way before the renewal: it may have read the old file already.
    const early = source.reload();
    await writeFile(`${path}.next`, next.chainPem);
    await rename(`${path}.next`, path);
    await source.reload();
    expect(source.current()?.certificate.sha256).toBe(next.sha256);
    await early;
  }
});

test('does not start with a file that cannot be used', async () => {
  const start = (changes: Partial<FileCertificateSourceOptions> & { path: string }) => () =>
    FileCertificateSource.open({ x5u: X5U, ...changes });
  const path = await fileWith('start.pem', provider.chainPem);
  const owner = { spc: '9999', publicKey: provider.key.publicKey, clock: new ManualClock() };
  expect(await hopbackErrorOf(start({ path: join(directory, 'none.pem') }))).toMatchObject({ code: 'storage-failed' });
  expect(await hopbackErrorOf(start({ path: directory }))).toMatchObject({ code: 'storage-failed' });
  expect(await hopbackErrorOf(start({ path: await fileWith('nonsense.pem', 'x') }))).toMatchObject({
    code: 'certificate-unusable',
  });
  expect(await hopbackErrorOf(start({ path, x5u: 'http://a.example/' }))).toMatchObject({
    code: 'invalid-configuration',
  });
  expect(await hopbackErrorOf(start({ path, owner }))).toMatchObject({
    code: 'certificate-unusable',
    details: { reason: 'spc-mismatch' },
  });
});
