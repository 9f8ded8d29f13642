import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { oneAtATime, readTextFile } from '../../sdk/src/sidecar/services/files.js';
import { loadNumbers } from '../../sdk/src/sidecar/services/load-services.js';
import { codeOf } from '../support/code-of.js';
import { testFolder } from '../support/test-folder.js';

const folder = testFolder();
let path: string;
beforeEach(() => {
  path = folder.at('dno.txt');
});

test('numbers stay what they are, unread, while their file does', async () => {
  await writeFile(path, '# nobody calls from these\n+12025550101\n202-555-0102 # a bank\n');
  const first = await loadNumbers(path);
  expect(first.numbers.size).toBe(2);
  expect(await loadNumbers(path, first)).toBe(first);
  await writeFile(path, '+12025550101\n+12025550103\n+12025550104\n');
  expect((await loadNumbers(path, first)).numbers.size).toBe(3);
});

test('a file that is just being written does not take the place of one with numbers', async () => {
  await writeFile(path, '');
  const none = await loadNumbers(path);
  await writeFile(path, '+12025550101\n');
  const some = await loadNumbers(path, none);
  await writeFile(path, '');
  expect(await codeOf(loadNumbers(path, some))).toBe('invalid-configuration');
});

test('calls have their turn while a long list is read', async () => {
  await writeFile(path, Array.from({ length: 20_000 }, (_, at) => `+1202${String(5_000_000 + at)}\n`).join(''));
  let turns = 0;
  let isRead = false;
  const turn = (): void => {
    turns += 1;
    if (!isRead) setImmediate(turn);
  };
  setImmediate(turn);
  expect((await loadNumbers(path)).numbers.size).toBe(20_000);
  isRead = true;
  expect(turns).toBeGreaterThanOrEqual(10);
});

test('a pipe that nobody writes to is refused instead of waited for', async () => {
  execFileSync('mkfifo', [path]);
  expect(await codeOf(readTextFile(path))).toBe('storage-failed');
});

test('a storm of requests to reload is two runs: the one under way, and one behind it that all who asked meanwhile share', async () => {
  let runs = 0;
  let storm: readonly Promise<number>[] = [];
  const reload: () => Promise<number> = oneAtATime(async () => {
    runs += 1;
    const run = runs;
    if (run === 1) storm = Array.from({ length: 1_000 }, () => reload());
    await Promise.resolve();
    return run;
  });
  const one = reload();
  expect(await one).toBe(1);
  expect(new Set(await Promise.all(storm))).toEqual(new Set([2]));
  expect(await reload()).toBe(3);
});
