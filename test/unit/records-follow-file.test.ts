import { appendFile, copyFile, mkdir, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, expect, test } from 'vitest';
import { HopbackError } from '../../sdk/src/errors.js';
import type { FileFollower, FollowOptions } from '../../sdk/src/records/ingest/follow-files.js';
import { FINAL_AFTER_MS, OLD_AT_SIGHT_MS } from '../../sdk/src/records/ingest/follow-turn.js';
import { FOLLOWED_STREAMS } from '../../sdk/src/records/ingest/follow-position.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { createFollowLab, type FollowLab } from '../support/follow-lab.js';
import {
  createCountingStore,
  createRowReader,
  eachOnce,
  FIRST_ROW_US,
  rowLines as rows,
  rowText,
} from '../support/followed-rows.js';

let { directory, log, clock, values, store, rejects, notices, append, lookAfter, follow: start } = {} as FollowLab;
beforeEach(async () => {
  const lab = await createFollowLab();
  ({ directory, log, clock, values, store, rejects, notices, append, lookAfter, follow: start } = lab);
  return lab.end;
});

/** Begins to follow, and looks once. */
async function follow(options: Partial<FollowOptions> = {}): Promise<FileFollower> {
  const follower = await start({ longestCallMs: 2_000, ...options });
  await follower.look();
  return follower;
}

test('rows are read as they come, a row without line end when its end comes', async () => {
  const follower = await follow();
  await append(follower, rows(0, 4));
  await append(follower, rowText(5).slice(0, 9));
  expect(store.times).toEqual(eachOnce(0, 4));
  expect(follower.statistics().unreadBytes).toBe(9);
  await append(follower, `${rowText(5).slice(9)}\n`);
  expect(store.times).toEqual(eachOnce(0, 5));
});

test('looks come by themselves, a quarter of a second apart', async () => {
  const follower = await follow();
  await appendFile(log, rows(0, 4));
  while (store.times.size === 0) {
    clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(store.times).toEqual(eachOnce(0, 4));
  await follower.close();
  expect(clock.pendingTimers()).toBe(0);
});

test('a file that was copied and truncated is read on in the copy and from its beginning', async () => {
  await appendFile(log, rows(0, 40));
  const follower = await follow();
  await appendFile(log, rows(41, 43));
  await copyFile(log, `${log}.1`);
  await truncate(log);
  await append(follower, rows(44, 44));
  await append(follower, rows(45, 99));
  expect(store.times).toEqual(eachOnce(0, 99));
  expect(notices).toMatchObject([{ kind: 'truncated' }]);
});

test('a truncated file that has grown past the old position is recognised by the octets before it', async () => {
  await appendFile(log, rows(0, 4));
  const follower = await follow();
  await truncate(log);
  await append(follower, rows(5, 40));
  expect(store.times).toEqual(eachOnce(0, 40));
});

test('a file that is gone at a restart is reported, and coverage has a gap', async () => {
  await appendFile(log, rows(0, 9));
  await (await follow()).close();
  // Written before the other is deleted: it must not get the inode of that one.
  await writeFile(join(directory, 'new'), rows(20, 29));
  await rename(join(directory, 'new'), log);
  await follow();
  expect(notices).toMatchObject([{ kind: 'lost' }]);
  const second = (n: number): number => FIRST_ROW_US + n * 1_000_000;
  // The first interval is claimed again by the second process.
  expect(new Set(store.covered.map(({ fromUs, toUs }) => `${fromUs}-${toUs}`))).toEqual(
    new Set([`${second(0)}-${second(7)}`, `${second(20)}-${second(27)}`]),
  );
});

test('coverage grows with the rows, over rotation and restart', async () => {
  await appendFile(log, rows(0, 9));
  await (await follow()).close();
  await rename(log, `${log}.1`);
  await appendFile(log, rows(10, 19));
  await follow();
  expect(store.covered.at(-1)).toEqual({
    sourceId: 'test-switch',
    fromUs: FIRST_ROW_US,
    toUs: FIRST_ROW_US + 17_000_000,
  });
});

test('no position is kept before its rows are stored: a failed store is tried again, and a restart reads nothing twice', async () => {
  let isDown = true;
  store = createCountingStore(() => {
    if (isDown) throw new HopbackError('storage-failed', 'disk full', { retryable: true });
  });
  await appendFile(log, rows(0, 4));
  const follower = await start({ store });
  await follower.look().catch(() => undefined);
  expect(values.size).toBe(0);
  await appendFile(log, rows(5, 6));
  await expect(follower.look()).rejects.toMatchObject({ code: 'storage-failed' });
  isDown = false;
  await follower.look();
  expect(store.times).toEqual(eachOnce(0, 6));
  expect(follower.statistics().failures).toBe(0);
  await follower.close();
  await follow({ store });
  expect(store.times).toEqual(eachOnce(0, 6));
});

test('legs that wait for rows are found again after a restart, for the place stays before the first of them', async () => {
  await appendFile(log, `${rows(0, 1)}begin,leg-2\n`);
  await (await follow()).close();
  await appendFile(log, `${rows(3, 3)}end,leg-2,${FIRST_ROW_US}\n`);
  const follower = await follow();
  expect([...store.times.keys()].sort()).toEqual(['leg-0', 'leg-1', 'leg-2', 'leg-3']);
  expect(store.times.get('leg-2')).toBe(1);
  await follower.close();
  await follow();
  expect(store.times.get('leg-3')).toBe(1);
});

test('what waits is made durable with the place, where a reader can save it, in pieces that a journal takes', async () => {
  const waiting = Array.from({ length: 2_000 }, (_, n) => `begin,leg-${n}\n`).join('');
  await appendFile(log, waiting);
  await (await follow({ reader: createRowReader('csv', { canSave: true }) })).close();
  expect([...values.values()].every((value) => value.length <= 16_384)).toBe(true);
  await appendFile(log, `end,leg-7,${FIRST_ROW_US}\n`);
  const follower = await follow({ reader: createRowReader('csv', { canSave: true }) });
  // Only the row that is new was read.
  expect([follower.statistics().rows, follower.statistics().waiting]).toEqual([1, 1_999]);
  expect([...store.times]).toEqual([['leg-7', 1]]);
});

test('waiting legs that cannot be restored are reported as lost', async () => {
  await appendFile(log, `${rows(0, 9)}begin,leg-10\n`);
  await (await follow({ reader: createRowReader('csv', { canSave: true }) })).close();
  values.set('follow/test-switch/waiting/1/0', 'damaged');
  await follow({ reader: createRowReader('csv', { canSave: true }) });
  expect(notices).toEqual([{ kind: 'lost' }]);
});

test('a last line without end in a rotated file becomes a row after a while, in the current file never', async () => {
  await appendFile(log, rows(0, 4).trimEnd());
  const follower = await follow();
  await lookAfter(follower, 10 * FINAL_AFTER_MS);
  expect(store.times.has('leg-4')).toBe(false);
  await rename(log, `${log}.1`);
  await append(follower, rows(5, 5));
  expect(store.times.has('leg-4')).toBe(false);
  expect(follower.statistics().oldestUnreadMs).toBeDefined();
  await lookAfter(follower, FINAL_AFTER_MS);
  expect(store.times).toEqual(eachOnce(0, 5));
  expect(follower.statistics()).toMatchObject({ rows: 6, unreadBytes: 0 });
  expect(follower.statistics()).not.toHaveProperty('oldestUnreadMs');
});

test('what was rotated long ago is read whole at first sight, packed or not, its last line without end included', async () => {
  await writeFile(`${log}.2.gz`, gzipSync(rows(0, 80)));
  await writeFile(`${log}.1`, rows(81, 90).trimEnd());
  await utimes(`${log}.2.gz`, 0, clock.nowMs() / 1_000 - 7_200);
  await utimes(`${log}.1`, 0, clock.nowMs() / 1_000 - 3_600);
  await appendFile(log, rows(91, 92));
  const follower = await follow();
  expect(store.times).toEqual(eachOnce(0, 92));
  expect(follower.statistics()).toMatchObject({ unreadFiles: 0, unreadBytes: 0 });
  await follower.close();
  await follow();
  expect(store.times).toEqual(eachOnce(0, 92));
});

test('a last line without end is a row at a restart long after its file was rotated', async () => {
  await appendFile(log, rows(0, 4).trimEnd());
  await (await follow()).close();
  await rename(log, `${log}.1`);
  await utimes(`${log}.1`, 0, clock.nowMs() / 1_000);
  clock.advance(OLD_AT_SIGHT_MS);
  await follow();
  expect(store.times).toEqual(eachOnce(0, 4));
});

test('a packed file that may still be written is counted until it is read, and an old one that is cut is reported once', async () => {
  const packed = gzipSync(rows(0, 200));
  await writeFile(`${log}.1.gz`, packed);
  const follower = await follow();
  expect(follower.statistics()).toMatchObject({ rows: 0, unreadFiles: 1 });
  await writeFile(`${log}.2.gz`, packed.subarray(0, packed.length - 20));
  await utimes(`${log}.2.gz`, 0, clock.nowMs() / 1_000 - 3_600);
  await follower.look();
  await lookAfter(follower, FINAL_AFTER_MS);
  await lookAfter(follower, FINAL_AFTER_MS);
  expect(notices).toMatchObject([{ kind: 'damaged', path: `${log}.2.gz`, cause: { code: 'gzip-truncated' } }]);
  expect(store.times).toEqual(eachOnce(0, 200));
  expect(follower.statistics().unreadFiles).toBe(0);
});

test('a file without read permission is reported once, and read once it is permitted', async () => {
  await appendFile(log, rows(0, 4));
  let mayRead = false;
  const { names, facts, open } = nodeFollowedFiles;
  const files = { names, facts, open: async (path: string) => (mayRead ? open(path) : undefined) };
  const follower = await follow({ files });
  await append(follower, rows(5, 5));
  expect(notices).toMatchObject([{ kind: 'failed', path: log, cause: { code: 'storage-failed' } }]);
  expect(follower.statistics()).toMatchObject({ unreadFiles: 1, failures: 0 });
  mayRead = true;
  await follower.look();
  expect(store.times).toEqual(eachOnce(0, 5));
  expect(follower.statistics().unreadFiles).toBe(0);
  await follower.close();
  mayRead = false;
  await appendFile(log, rows(6, 6));
  const next = await follow({ files });
  expect(notices).toHaveLength(2);
  mayRead = true;
  await next.look();
  expect(store.times).toEqual(eachOnce(0, 6));
});

test('a clock that is set back a day holds up neither what waits nor a last line', async () => {
  await appendFile(log, `begin,leg-0\n`);
  const follower = await follow({ reader: createRowReader('csv', { canSave: true }) });
  const before = values.get('follow/test-switch/checkpoint');
  clock.set(clock.nowMs() - 86_400_000);
  await append(follower, rows(1, 4).trimEnd());
  expect(values.get('follow/test-switch/checkpoint')).not.toBe(before);
  await rename(log, `${log}.1`);
  await follower.look();
  await lookAfter(follower, FINAL_AFTER_MS);
  expect(store.times).toEqual(eachOnce(1, 4));
});

test('a row that cannot be read is rejected once, with its line, and stops nothing', async () => {
  await appendFile(log, `${rows(0, 1)}bad\n${rows(2, 3)}`);
  const follower = await follow();
  await append(follower, `worse\n${rows(4, 4)}`);
  expect(store.times).toEqual(eachOnce(0, 4));
  expect(rejects.rows).toMatchObject([
    { file: log, line: 3, reason: 'bad-field' },
    { file: log, line: 6, reason: 'bad-field' },
  ]);
});

test('a directory is followed with all its files, a document each, and one that is not whole is waited for', async () => {
  const calls = join(directory, 'calls');
  await mkdir(calls);
  const document = (n: number): string => JSON.stringify({ leg: `leg-${n}`, timeUs: `${FIRST_ROW_US + n}` }, null, 1);
  for (let n = 0; n < 50; n += 1) await writeFile(join(calls, `${n}.json`), document(n));
  await writeFile(join(calls, '.51.json.part'), 'no document yet');
  await writeFile(join(calls, '50.json'), document(50).slice(0, 12));
  const follower = await follow({ path: calls, reader: createRowReader('json') });
  expect(store.times).toEqual(eachOnce(0, 49));
  await writeFile(join(calls, '50.json'), document(50));
  await follower.look();
  await follower.close();
  await follow({ path: calls, reader: createRowReader('json') });
  expect(store.times).toEqual(eachOnce(0, 50));
  expect(rejects.rows).toEqual([]);
});

test('a directory that is not there at first is followed when it is, and nothing beside it while it is away again', async () => {
  const directoryOf = join(directory, 'cdr');
  const follower = await follow({ path: directoryOf });
  await mkdir(directoryOf);
  await writeFile(join(directoryOf, '1.csv'), rows(0, 4));
  await follower.look();
  await rename(directoryOf, join(directory, 'away'));
  await writeFile(`${directoryOf}.1`, rows(5, 6));
  await follower.look();
  expect(store.times).toEqual(eachOnce(0, 4));
});

test('files of a pattern are followed one after the other', async () => {
  const path = join(directory, 'sbc-*.act');
  await writeFile(join(directory, 'sbc-1.act'), rows(0, 4));
  const follower = await follow({ path });
  await writeFile(join(directory, 'sbc-2.act'), rows(5, 9));
  await writeFile(join(directory, 'other.act'), 'not one of them\n');
  await follower.look();
  expect(store.times).toEqual(eachOnce(0, 9));
  expect(rejects.rows).toEqual([]);
});

test('files that differ only behind the same header are two', async () => {
  const header = `${rowText(0)}\n`;
  await writeFile(log, header);
  const follower = await follow();
  await rename(log, `${log}.1`);
  await writeFile(log, `${header}${rows(1, 3)}`);
  await follower.look();
  await append(follower, rows(4, 6), `${log}.1`);
  store.times.forEach((times, leg) => expect([leg, times]).toEqual([leg, leg === 'leg-0' ? times : 1]));
  expect(store.times.size).toBe(7);
});

test('more files than are followed, all of one time as out of an archive, are each read once, also over a restart', async () => {
  const path = join(directory, 'many-*');
  const many = FOLLOWED_STREAMS + 900;
  const put = async (n: number, writtenSeconds: number): Promise<void> => {
    await writeFile(join(directory, `many-${n}`), rows(n, n));
    await utimes(join(directory, `many-${n}`), writtenSeconds, writtenSeconds);
  };
  for (let n = 0; n < many; n += 1) await put(n, 1_700_000_000);
  const follower = await follow({ path });
  for (let looks = 0; looks < 3; looks += 1) await follower.look();
  expect(store.times).toEqual(eachOnce(0, many - 1));
  await follower.close();
  const next = await follow({ path });
  for (let looks = 0; looks < 3; looks += 1) await next.look();
  expect(next.statistics().rows).toBe(0);
  // One that is moved in later, and was written before all others; and one that is not followed any more, and is written to again.
  await put(many, 1_600_000_000);
  await append(next, rows(many + 1, many + 1), join(directory, 'many-0'));
  expect(store.times).toEqual(new Map([...eachOnce(0, many + 1), ['leg-0', 2]]));
  expect(next.statistics()).toMatchObject({ rows: 3, inserted: 2, repeated: 1 });
});

test('a page of files that are done that is damaged costs reading them again', async () => {
  const path = join(directory, 'many-*');
  const many = FOLLOWED_STREAMS + 40;
  for (let n = 0; n < many; n += 1) await writeFile(join(directory, `many-${n}`), rows(n, n));
  const follower = await follow({ path });
  await follower.close();
  values.set('follow/test-switch/done/0', 'no page');
  const next = await follow({ path });
  await next.look();
  expect(next.statistics()).toMatchObject({ rows: 40, inserted: 0, repeated: 40 });
});

test('a follower refuses what cannot be followed', async () => {
  await expect(follow({ path: '' })).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(follow({ sourceId: '' })).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(follow({ batchRecords: 0 })).rejects.toMatchObject({ code: 'invalid-argument' });
});
