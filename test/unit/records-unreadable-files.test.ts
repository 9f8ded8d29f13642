import { appendFile, rename, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import type { FileFollower } from '../../sdk/src/records/ingest/follow-files.js';
import type { FollowedFile, FollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { FINAL_AFTER_MS, OLD_AT_SIGHT_MS } from '../../sdk/src/records/ingest/follow-turn.js';
import { createFollowLab, type FollowLab } from '../support/follow-lab.js';
import { eachOnce, rowLines as rows } from '../support/followed-rows.js';

const MINUTE_MS = 60_000;

let { directory, log, clock, store, notices, lookAfter, follow: start } = {} as FollowLab;
beforeEach(async () => {
  const lab = await createFollowLab();
  ({ directory, log, clock, store, notices, lookAfter, follow: start } = lab);
  return lab.end;
});

type Call = 'stat' | 'open' | 'read' | 'fstat';

/** A disk that fails some calls for one name as Linux does. */
function createFaultyDisk() {
  const fault = { name: '', call: 'read' as Call, fromOffset: 0, isOn: true, tries: 0 };
  const check = (path: string, call: Call, endOffset = 0): void => {
    if (!fault.isOn || !path.endsWith(fault.name) || call !== fault.call || endOffset < fault.fromOffset) return;
    fault.tries += 1;
    throw Object.assign(new Error(`EIO: i/o error, ${call}`), { code: 'EIO', syscall: call });
  };
  const { names, facts, open } = nodeFollowedFiles;
  const opened = (path: string, file: FollowedFile): FollowedFile => ({
    async read(octets, offset, length, position) {
      check(path, 'read', position + length);
      return file.read(octets, offset, length, position);
    },
    async facts() {
      check(path, 'fstat');
      return file.facts();
    },
    close: file.close,
  });
  const files: FollowedFiles = {
    names,
    async facts(path) {
      check(path, 'stat');
      return facts(path);
    },
    async open(path) {
      check(path, 'open');
      const file = await open(path);
      return file === undefined ? undefined : opened(path, file);
    },
  };
  return { fault, files };
}

async function follow(files: FollowedFiles): Promise<FileFollower> {
  const follower = await start({ files, schedule: () => () => undefined });
  // Rows of the other files are what counts.
  await follower.look().catch(() => undefined);
  return follower;
}

/** Writes a file that was rotated so many hours ago. */
async function rotated(name: string, content: string | Buffer, hours: number): Promise<void> {
  await writeFile(join(directory, name), content);
  const seconds = clock.nowMs() / 1_000 - hours * 3_600;
  await utimes(join(directory, name), seconds, seconds);
}

const CASES = (['stat', 'open', 'read', 'fstat'] as const).flatMap((call) =>
  ['cdr.csv.3.gz', 'cdr.csv.2', 'cdr.csv'].map((name) => [call, name] as const),
);

test.each(CASES)('a failing %s of %s delays no other file, and is reported and retried', async (call, name) => {
  await rotated('cdr.csv.3.gz', gzipSync(rows(0, 99)), 3);
  await rotated('cdr.csv.2', rows(100, 199), 2);
  await rotated('cdr.csv.1', rows(200, 299), 1);
  await writeFile(log, rows(300, 399));
  const { fault, files } = createFaultyDisk();
  Object.assign(fault, { name, call });
  const follower = await follow(files);
  const [from = 0] = { 'cdr.csv.3.gz': [0], 'cdr.csv.2': [100], 'cdr.csv': [300] }[name] ?? [];
  const others = new Map([...eachOnce(0, 399)].filter(([leg]) => !eachOnce(from, from + 99).has(leg)));
  expect(store.times).toEqual(others);
  for (let looks = 0; looks < 600; looks += 1) await lookAfter(follower, 1_000);
  expect(notices).toMatchObject([
    { kind: 'failed', path: join(directory, name), cause: { code: 'EIO' } },
    { kind: 'stuck' },
  ]);
  expect(follower.statistics()).toMatchObject({ unreadFiles: 1, failures: 0 });
  expect(follower.statistics().oldestUnreadMs).toBeLessThan(clock.nowMs() - 9 * MINUTE_MS);
  expect(fault.tries).toBeLessThan(60);
  fault.isOn = false;
  await lookAfter(follower, 30_000);
  expect(store.times).toEqual(eachOnce(0, 399));
  expect(follower.statistics()).toMatchObject({ unreadFiles: 0 });
  expect(follower.statistics()).not.toHaveProperty('oldestUnreadMs');
  expect(notices.map(({ kind }) => kind)).toEqual(['failed', 'stuck', 'resumed']);
});

test('rows before a bad place of the disk are read once, and those behind it when it is mended', async () => {
  await rotated('cdr.csv.1', rows(0, 19_999), 1);
  await writeFile(log, rows(20_000, 20_009));
  const { fault, files } = createFaultyDisk();
  Object.assign(fault, { name: 'cdr.csv.1', fromOffset: 600_000 });
  const follower = await follow(files);
  expect(store.times.size).toBeGreaterThan(5_000);
  expect(store.times.size).toBeLessThan(20_000);
  expect(store.times.has('leg-20009')).toBe(true);
  fault.isOn = false;
  await lookAfter(follower, 30_000);
  expect(store.times).toEqual(eachOnce(0, 20_009));
});

test('a deleted file that cannot be read keeps no other waiting, and is lost when it could not be read for ten minutes', async () => {
  await writeFile(log, rows(0, 9));
  const { fault, files } = createFaultyDisk();
  fault.name = 'cdr.csv';
  fault.isOn = false;
  const follower = await follow(files);
  await appendFile(log, rows(10, 19));
  await unlink(log);
  fault.isOn = true;
  await rotated('cdr.csv.1', rows(20, 29), 1);
  await follower.look();
  expect(store.times.has('leg-29')).toBe(true);
  await lookAfter(follower, OLD_AT_SIGHT_MS - 1_000);
  expect(notices).toMatchObject([{ kind: 'failed', path: log, cause: { code: 'EIO' } }, { kind: 'stuck' }]);
  await lookAfter(follower, FINAL_AFTER_MS);
  await follower.look();
  expect(notices.map(({ kind }) => kind)).toEqual(['failed', 'stuck', 'lost', 'resumed']);
  expect(follower.statistics()).toMatchObject({ unreadFiles: 0 });
});

test('a file is not lost while the disk does not tell of its name, or of the file that it may have become', async () => {
  await writeFile(log, rows(0, 9));
  const { fault, files } = createFaultyDisk();
  Object.assign(fault, { name: 'cdr.csv', call: 'stat', isOn: false });
  const follower = await follow(files);
  fault.isOn = true;
  for (let looks = 0; looks < 4; looks += 1) await lookAfter(follower, FINAL_AFTER_MS);
  fault.isOn = false;
  await rename(log, `${log}.1`);
  await lookAfter(follower, FINAL_AFTER_MS);
  expect(notices.map(({ kind }) => kind)).toEqual(['failed']);
});
