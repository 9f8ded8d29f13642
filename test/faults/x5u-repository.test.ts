import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDiskCache, fileNameOf } from '../../sdk/src/stir/certificates/disk-cache.js';
import { CertificateRepository } from '../../sdk/src/stir/certificates/certificate-repository.js';
import type { CertificateRepositoryOptions } from '../../sdk/src/stir/certificates/certificate-repository.js';
import type { CertificateLookup } from '../../sdk/src/stir/certificates/repository.js';
import { ManualClock, TestPki, CertificateServer, type TestServiceProvider } from '../../sdk/src/testing/index.js';
import { testFolder } from '../support/test-folder.js';

const DAY = 86_400_000;

let pki: TestPki;
let server: CertificateServer;
let first: TestServiceProvider;
let second: TestServiceProvider;
let clock: ManualClock;
const repositories: CertificateRepository[] = [];

const directory = testFolder();
beforeAll(async () => {
  pki = new TestPki();
  first = pki.issueServiceProvider({ spc: '1234' });
  second = pki.issueServiceProvider({ spc: '1234' });
  server = await CertificateServer.start({ pki });
});
afterAll(() => server.close());
beforeEach(async () => {
  clock = new ManualClock();
});
afterEach(async () => {
  await Promise.all(repositories.splice(0).map((repository) => repository.close()));
  await server.idle();
});

function start(options: Partial<CertificateRepositoryOptions> = {}): CertificateRepository {
  const repository = new CertificateRepository({
    clock,
    allow: { addresses: ['127.0.0.1'], ports: Object.values(server.ports) },
    ca: server.tlsRootPem,
    ...options,
  });
  repositories.push(repository);
  return repository;
}

const leafOf = (lookup: CertificateLookup | undefined): string | undefined =>
  lookup?.status === 'found' ? lookup.chain[0]?.sha256 : (lookup?.status ?? 'nothing');

/** Fetches into the directory and closes, as a process that ends in good order. */
async function fill(...urls: readonly string[]): Promise<void> {
  const repository = start({ directory: directory.path });
  await repository.preload(urls);
  await repository.close();
}

test('a certificate rotated in place is found by revalidate, with an unchanged ETag too', async () => {
  const url = server.publish('/rotated.pem', first.chainPem, { etag: '"never-changes"' });
  const repository = start();
  expect(leafOf(await repository.lookup(url))).toBe(first.sha256);
  server.publish('/rotated.pem', second.chainPem, { etag: '"never-changes"' });
  expect(leafOf(repository.peek(url))).toBe(first.sha256);
  expect(leafOf(await repository.revalidate(url))).toBe(second.sha256);
  expect(server.requestLog('/rotated.pem').at(-1)?.headers['cache-control']).toBe('no-cache');
});

test('a repository with nothing under way keeps no process alive', async () => {
  const root = new URL('../..', import.meta.url);
  const script = `
    import { CertificateRepository } from './sdk/src/stir/certificates/certificate-repository.ts';
    const repository = new CertificateRepository({ clock: { nowMs: Date.now }, directory: process.argv[1] });
    await repository.lookup('https://localhost/');
    repository.peek('https://cert.example.com/');
    console.log('done');
  `;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script, directory.path];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 20_000 });
  expect(stdout).toBe('done\n');
});

test('what one process fetched the next one has from disk, with intermediates, times and validators', async () => {
  const url = server.publish('/disk.pem', first.chainPem, { etag: '"1"' });
  await fill(url);
  clock.advance(1_000);
  const repository = start({ directory: directory.path });
  const lookup = await repository.lookup(url);
  expect(lookup).toMatchObject({
    status: 'found',
    fetchedAtMs: clock.nowMs() - 1_000,
    freshUntilMs: clock.nowMs() - 1_000 + DAY,
  });
  expect(lookup.status === 'found' && lookup.chain.map(({ sha256 }) => sha256)).toEqual([
    first.sha256,
    pki.intermediate.sha256,
  ]);
  expect(repository.peek(url)).toBe(lookup);
  expect(repository.stats()).toMatchObject({ diskLoads: 1, fetches: 0 });
  expect(server.requests('/disk.pem')).toBe(1);
  clock.advance(DAY);
  repository.peek(url);
  await server.requested('/disk.pem', 2);
  expect(server.requestLog('/disk.pem')[1]?.headers['if-none-match']).toBe('"1"');
});

test('memory hits never touch the disk', async () => {
  const url = server.publish('/memory.pem', first.chainPem);
  const repository = start({ directory: directory.path });
  const found = await repository.lookup(url);
  await repository.close();
  await rm(directory.path, { recursive: true });
  expect(repository.peek(url)).toBe(found);
  expect(await repository.lookup(url)).toBe(found);
  expect(repository.stats()).toMatchObject({ diskReadFailures: 0, hits: 2 });
});

test('URLs that file systems or older caches would fold have files of their own', async () => {
  const chains = { '/a/b': first, '/a_b': second, '/A/b': second, '/a/b/': second, '/a%2Fb': second };
  const urls = Object.entries(chains).map(([path, { chainPem }]) => server.publish(path, chainPem));
  await fill(...urls);
  expect(await readdir(directory.path)).toHaveLength(urls.length);
  const repository = start({ directory: directory.path });
  const leaves = await Promise.all(urls.map(async (url) => leafOf(await repository.lookup(url))));
  expect(leaves).toEqual(Object.values(chains).map(({ sha256 }) => sha256));
  expect(repository.stats()).toMatchObject({ fetches: 0, diskLoads: urls.length });
});

test('a cache file is found and read as releases before wrote it', async () => {
  const url = 'https://cr.provider.co.uk/1234.pem';
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const body = first.chainPem;
  const times = { fetchedAtMs: clock.nowMs(), freshUntilMs: clock.nowMs() + DAY };
  const envelope = {
    format: 'hopback.certificate-chain.1',
    url,
    body,
    bodySha256: digest(body),
    ...times,
    etag: '"1"',
  };
  const name = `${digest('provider.co.uk').slice(0, 16)}-${digest(url)}.json`;
  await writeFile(directory.at(name), JSON.stringify(envelope));
  const repository = start({ directory: directory.path });
  expect(leafOf(await repository.lookup(url))).toBe(first.sha256);
  expect(repository.export().entries).toEqual([envelope]);
});

const damages: Record<string, (path: string, text: string) => Promise<unknown>> = {
  'cut in half': (path, text) => writeFile(path, text.slice(0, text.length / 2)),
  empty: (path) => writeFile(path, ''),
  'full of zeros': (path, text) => writeFile(path, Buffer.alloc(text.length)),
  'no JSON': (path) => writeFile(path, 'not json'),
  null: (path) => writeFile(path, 'null'),
  'a flipped letter in the body': (path, text) => writeFile(path, text.replace('MII', 'MIJ')),
  'of another URL': (path, text) => writeFile(path, text.replace('/damaged.pem', '/another.pem')),
  'as long as 100 MB': async (path, text) => {
    await writeFile(path, text + ' '.repeat(1_000));
    const { truncate } = await import('node:fs/promises');
    await truncate(path, 104_857_600);
  },
  'deeply nested': (path) => writeFile(path, '['.repeat(60_000)),
};

test.each(Object.keys(damages))('a file that is %s is ignored, counted and replaced', async (damage) => {
  const url = server.publish('/damaged.pem', first.chainPem);
  await fill(url);
  const path = directory.at(fileNameOf(url));
  await damages[damage]?.(path, await readFile(path, 'utf8'));
  const repository = start({ directory: directory.path });
  const before = server.requests('/damaged.pem');
  expect(leafOf(await repository.lookup(url))).toBe(first.sha256);
  expect(server.requests('/damaged.pem')).toBe(before + 1);
  expect(repository.stats()).toMatchObject({ diskCorrupted: 1, diskLoads: 0 });
  await repository.close();
  const again = start({ directory: directory.path });
  expect(leafOf(await again.lookup(url))).toBe(first.sha256);
  expect(again.stats()).toMatchObject({ diskLoads: 1, fetches: 0 });
});

const obstacles: Record<string, (path: string) => Promise<unknown>> = {
  'a directory': (path) => mkdir(path),
  'a link to another file': (path) => symlink('/etc/hostname', path),
  'a named pipe that nobody writes to': (path) => promisify(execFile)('mkfifo', [path]),
};

test.each(Object.keys(obstacles))('%s in place of a file is no way to stop a lookup', async (obstacle) => {
  const url = server.publish('/obstacle.pem', first.chainPem);
  await obstacles[obstacle]?.(directory.at(fileNameOf(url)));
  const repository = start({ directory: directory.path });
  expect(leafOf(await repository.lookup(url))).toBe(first.sha256);
  await repository.close();
  const { diskReadFailures, diskCorrupted } = repository.stats();
  expect(diskReadFailures + diskCorrupted).toBe(1);
});

test.each([
  ['under a regular file', 'file/cache'],
  ['on a device', '/dev/null/cache'],
  ['under /proc', '/proc/1/cache'],
])('a directory %s cannot be used, which breaks no lookup and is counted', async (_where, path) => {
  await writeFile(directory.at('file'), '');
  const url = server.publish('/no-disk.pem', first.chainPem);
  const repository = start({ directory: path.startsWith('/') ? path : directory.at(path) });
  expect(leafOf(await repository.lookup(url))).toBe(first.sha256);
  await repository.close();
  expect(repository.stats()).toMatchObject({ diskWrites: 0, diskWriteFailures: 1 });
});

test('a directory that is removed while in use is made again', async () => {
  const one = server.publish('/one.pem', first.chainPem);
  const two = server.publish('/two.pem', second.chainPem);
  const repository = start({ directory: directory.path });
  await repository.lookup(one);
  await expect.poll(() => repository.stats().diskWrites).toBe(1);
  await rm(directory.path, { recursive: true });
  await repository.lookup(two);
  await expect.poll(() => repository.stats().diskWriteFailures).toBe(1);
  clock.advance(60_000);
  await repository.revalidate(two);
  await repository.close();
  expect(await readdir(directory.path)).toEqual([fileNameOf(two)]);
});

test('files whose URL the policy no longer permits, or that are from the future or too old, are not used', async () => {
  const url = server.publish('/policy.pem', first.chainPem);
  await fill(url);
  const strict = start({ directory: directory.path, allow: { ports: Object.values(server.ports) } });
  expect(await strict.lookup(url)).toMatchObject({ status: 'refused', reason: 'address-special-purpose' });
  clock.set(clock.nowMs() - 1);
  expect((await start({ directory: directory.path }).lookup(url)).status).toBe('found');
  expect(server.requests('/policy.pem')).toBe(2);
  clock.advance(9 * DAY);
  expect((await start({ directory: directory.path }).lookup(url)).status).toBe('found');
  expect(server.requests('/policy.pem')).toBe(3);
});

test('the number of files is bounded: the oldest of the largest site go, not the older ones of other sites', async () => {
  const disk = createDiskCache({ directory: directory.path, clock, maxFiles: 20 });
  const source = start();
  await source.preload([server.publish('/flood.pem', first.chainPem)]);
  const [entry] = source.export().entries;
  if (entry === undefined) throw new Error('nothing was fetched');
  const others = Array.from({ length: 10 }, (_, index) => `https://cr.provider-${index}.example/a.pem`);
  const flood = Array.from({ length: 60 }, (_, index) => `https://h${index}.flood.example/a.pem`);
  for (const [index, url] of [...others, ...flood].entries()) {
    disk.store({ ...entry, url });
    await disk.settled();
    await utimes(directory.at(fileNameOf(url)), index, index).catch(() => undefined);
  }
  const names = await readdir(directory.path);
  expect(names.length).toBeLessThanOrEqual(20);
  expect(names).toEqual(expect.arrayContaining(others.map(fileNameOf)));
  expect(names).toContain(fileNameOf(flood.at(-1) ?? ''));
  expect(names).not.toContain(fileNameOf(flood[0] ?? ''));
});

test('an import of 1,000 entries puts 1,000 files on disk, and none over a newer one', async () => {
  const source = start();
  await source.preload([server.publish('/import.pem', first.chainPem)]);
  const exported = source.export();
  const [entry] = exported.entries;
  const entries = Array.from({ length: 1_000 }, (_, index) => ({ ...entry, url: `https://c${index}.example/a.pem` }));
  const repository = start({ directory: directory.path });
  expect(await repository.import({ ...exported, entries })).toEqual({ imported: 1_000, rejected: 0 });
  expect(await readdir(directory.path)).toHaveLength(1_000);
  expect(repository.stats()).toMatchObject({ diskWrites: 1_000, diskWriteFailures: 0 });
  const next = start({ directory: directory.path });
  expect(await next.import({ ...exported, entries: entries.slice(0, 3) })).toEqual({ imported: 0, rejected: 3 });
});

test('a restore takes every usable file into memory, and an export has them all', async () => {
  const one = server.publish('/restore/1.pem', first.chainPem);
  const two = server.publish('/restore/2.pem', second.chainPem);
  const three = server.publish('/restore/3.pem', second.chainPem);
  await fill(one, two, three);
  await writeFile(directory.at(fileNameOf(three)), '{');
  await writeFile(directory.at('README.txt'), 'not of the cache');
  const repository = start({ directory: directory.path });
  expect(await repository.restore()).toEqual({ imported: 2, rejected: 1 });
  expect([leafOf(repository.peek(one)), leafOf(repository.peek(two))]).toEqual([first.sha256, second.sha256]);
  expect(
    repository
      .export()
      .entries.map(({ url }) => url)
      .sort(),
  ).toEqual([one, two]);
  expect(await repository.restore()).toEqual({ imported: 0, rejected: 3 });
  expect(repository.stats()).toMatchObject({ fetches: 0, diskWrites: 0 });
  expect(await start().restore()).toEqual({ imported: 0, rejected: 0 });
  expect(await start({ directory: directory.at('missing') }).restore()).toEqual({ imported: 0, rejected: 0 });
});

test('what a crashed writer left is cleared after an hour, and is never read', async () => {
  const url = server.publish('/crash.pem', first.chainPem);
  const abandoned = `${fileNameOf(url)}.00000000-0000-4000-8000-000000000000.tmp`;
  const recent = `${fileNameOf(url)}.00000000-0000-4000-8000-000000000001.tmp`;
  const foreign = 'README.txt';
  for (const name of [abandoned, recent, foreign]) await writeFile(directory.at(name), '{');
  const seconds = clock.nowMs() / 1_000;
  await utimes(directory.at(abandoned), seconds - 7_200, seconds - 7_200);
  await utimes(directory.at(recent), seconds - 60, seconds - 60);
  await utimes(directory.at(foreign), seconds - 7_200, seconds - 7_200);
  await fill(url);
  expect((await readdir(directory.path)).sort()).toEqual([fileNameOf(url), foreign, recent].sort());
});

test('several repositories share a directory, and no reader meets half a file', async () => {
  const url = server.publish('/shared.pem', first.chainPem);
  const writers = Array.from({ length: 3 }, () => start({ directory: directory.path }));
  const reader = createDiskCache({ directory: directory.path, clock });
  await Promise.all(writers.map((writer) => writer.lookup(url)));
  for (let round = 0; round < 30; round += 1) {
    clock.advance(60_000);
    const [, , , read] = await Promise.all([...writers.map((writer) => writer.revalidate(url)), reader.load(url)]);
    if (read !== undefined) expect(read).toMatchObject({ url });
  }
  await Promise.all(writers.map((writer) => writer.close()));
  expect(reader.counts.diskCorrupted).toBe(0);
  expect(await readdir(directory.path)).toEqual([fileNameOf(url)]);
});
