import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { ValueJournal } from '../../sdk/src/log/index.js';
import { isHopbackError } from '../../sdk/src/errors.js';
import { readValueJournal } from '../../sdk/src/log/value-journal.js';
import { ManualClock } from '../../sdk/src/testing/index.js';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';

const LARGE = 'x'.repeat(16_000);

test('keeps the latest value of each key through a crash', async () => {
  const files = createSimulatedLogFiles();
  const journal = await ValueJournal.open({ directory: '/journal', files });
  await journal.set('a.csv', '1');
  await journal.set('b.csv', '1');
  await journal.set('a.csv', '2');
  await journal.set('b.csv', undefined);
  await journal.set('č"\u0000', '\u0001\ud800');
  files.killAfter(0);
  await using again = await ValueJournal.open({ directory: '/journal', files: files.afterCrash('power') });
  expect(again.get('b.csv')).toBeUndefined();
  expect(Object.fromEntries(again.entries())).toEqual({ 'a.csv': '2', 'č"\u0000': '\u0001\ud800' });
});

test('refuses keys and values that are too long, and more keys than it has room for', async () => {
  const files = createSimulatedLogFiles();
  await using journal = await ValueJournal.open({ directory: '/journal', files, maxKeys: 2, maxValueBytes: 10 });
  await journal.set('a', '1');
  await journal.set('b', '1');
  for (const [key, value] of [
    ['', '1'],
    ['é'.repeat(513), '1'],
    ['a', 'ééééé1'],
    ['c', '1'],
  ] as const)
    await expect(journal.set(key, value)).rejects.toMatchObject({ code: 'invalid-argument' });
  await journal.set('a', undefined);
  await journal.set('c', '1');
  expect(journal.entries()).toHaveLength(2);
  const opening = ValueJournal.open({ directory: '/journal', files, maxKeys: 0 });
  await expect(opening).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('keeps the longest key with the longest value, however much longer JSON makes them', async () => {
  const files = createSimulatedLogFiles();
  const [key, value] = ['\u0001'.repeat(1_024), '\u0001'.repeat(10)];
  await using journal = await ValueJournal.open({ directory: '/journal', files, maxValueBytes: 10 });
  await journal.set(key, value);
  files.killAfter(0);
  await using again = await ValueJournal.open({ directory: '/journal', files: files.afterCrash('power') });
  expect(again.get(key)).toBe(value);
});

test('says when the disk refuses, and has the value durable when it takes it again', async () => {
  const files = createSimulatedLogFiles();
  const clock = new ManualClock();
  const journal = await ValueJournal.open({ directory: '/journal', files, clock, schedule: clock.schedule });
  await journal.set('a', '1');
  files.setFault((operation) => (operation === 'datasync' ? 'EIO' : undefined));
  await expect(journal.set('a', '2')).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
  expect(journal.get('a')).toBe('2');
  files.setFault(undefined);
  const set = journal.set('b', '1');
  clock.advance(50);
  await set;
  files.killAfter(0);
  await using again = await ValueJournal.open({ directory: '/journal', files: files.afterCrash('power') });
  expect(again.get('a')).toBe('2');
  await journal.close().catch(() => undefined);
  await expect(journal.set('a', '3')).rejects.toMatchObject({ code: 'closed' });
});

test.each([5, 256])('%i live values are durable after a sync or two, and the journal stays small', async (live) => {
  const files = createSimulatedLogFiles();
  await using journal = await ValueJournal.open({ directory: '/journal', files });
  let syncs = 0;
  files.setFault((operation) => {
    if (operation === 'datasync') syncs += 1;
    return undefined;
  });
  const waits: number[] = [];
  let largest = 0;
  // Values that are never set again lie between those that are.
  for (let round = 0; round < 2_000; round += 1) {
    const before = syncs;
    await journal.set(`key-${round < live ? round : (2 * round) % live}`, `${round}:${LARGE}`);
    waits.push(syncs - before);
    largest = Math.max(largest, journal.state().sizeBytes);
  }
  expect(Math.max(...waits)).toBeLessThanOrEqual(3);
  expect(largest).toBeLessThan(2 * live * 16_100 + 6 * 2 ** 20);
});

test('closes without writing much anew, and loses nothing by that', async () => {
  const files = createSimulatedLogFiles();
  const journal = await ValueJournal.open({ directory: '/journal', files });
  const latest = new Map<string, string>();
  const set = async (round: number): Promise<void> => {
    latest.set(`key-${round % 256}`, `${round}:${LARGE}`);
    await journal.set(`key-${round % 256}`, `${round}:${LARGE}`);
  };
  let round = 0;
  for (let largest = 0; journal.state().sizeBytes >= largest; round += 1) {
    largest = journal.state().sizeBytes;
    await set(round);
  }
  await set(round);
  const before = files.operations();
  await journal.close();
  expect(files.operations() - before).toBeLessThan(30);
  files.killAfter(0);
  await using again = await ValueJournal.open({ directory: '/journal', files: files.afterCrash('power') });
  expect(new Map(again.entries())).toEqual(latest);
});

test('stays small over short lives: each gets on with what is written anew', { timeout: 60_000 }, async () => {
  let files = createSimulatedLogFiles();
  const latest = new Map<string, number>();
  const random = new SeededRandom(20_261_127);
  let largest = 0;
  for (let life = 0; life < 80; life += 1) {
    files.killAfter(Number.POSITIVE_INFINITY);
    const journal = await ValueJournal.open({ directory: '/journal', files });
    for (const [key, count] of latest) {
      const kept = Number(journal.get(key)?.split(':')[0]);
      // The last one before it was killed may have come through or not.
      expect([count, count + 1]).toContain(kept);
      latest.set(key, kept);
    }
    files.killAfter(files.operations() + random.int(120));
    try {
      for (;;) {
        const key = `key-${random.int(64)}`;
        const count = (latest.get(key) ?? 0) + 1;
        await journal.set(key, `${count}:${LARGE}`);
        latest.set(key, count);
      }
    } catch (error) {
      if (!isHopbackError(error)) throw error;
    }
    await journal.close().catch(() => undefined);
    files = files.afterCrash(life % 2 === 0 ? 'process' : 'power');
    largest = Math.max(
      largest,
      [...files.contents().values()].reduce((sum, { length }) => sum + length, 0),
    );
  }
  expect(largest).toBeLessThan(2 * 64 * 16_100 + 8 * 2 ** 20);
});

test.each([
  ['EIO', 1],
  ['ENOENT', 5],
])('a reader gives a segment that refuses with %s up after %i attempts', async (code, attempts) => {
  const files = createSimulatedLogFiles();
  await using journal = await ValueJournal.open({ directory: 'j', files });
  await journal.set('k', '1');
  let opened = 0;
  files.setFault((operation) => (operation === 'open' && (opened += 1) <= 10 ? code : undefined));
  await expect(readValueJournal('j', { files })).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
  // Each attempt looks at the header of the segment first.
  expect(opened).toBe(2 * attempts);
});

test('another process reads what was set in an open journal, up to a torn end, and changes nothing', async () => {
  const files = createSimulatedLogFiles();
  const journal = await ValueJournal.open({ directory: 'j', files });
  // Some MiB in all, so that the live values are written anew now and then.
  for (let round = 0; round < 600; round += 1) await journal.set(`k${String(round % 7)}`, `${String(round)} ${LARGE}`);
  await journal.set('k3', undefined);
  const before = new Map([...files.contents()].map(([name, bytes]) => [name, Buffer.from(bytes)]));
  const read = await readValueJournal('j', { files });
  expect(new Map(read)).toEqual(new Map(journal.entries()));
  expect(read.has('k3')).toBe(false);
  expect(files.contents()).toEqual(before);
  await journal.set('k1', 'after');
  for (const [name, bytes] of files.contents()) files.replaceContent(name, Buffer.concat([bytes, Buffer.from('torn')]));
  expect((await readValueJournal('j', { files })).get('k1')).toBe('after');
  expect((await readValueJournal('/nowhere/at/all')).size).toBe(0);
});
