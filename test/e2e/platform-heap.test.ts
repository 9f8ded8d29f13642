import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { startPlatformCommand } from '../support/itg-command.js';

const HEAP_BOUNDS = new URL('../../harness/dist/cli/platform/heap-bounds.js', import.meta.url).href;

/** Makes objects of which some live for a while, rests, and makes more. Prints the room for new objects after each, MiB. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { boundHeap } from ${JSON.stringify(HEAP_BOUNDS)};
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const roomMb = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 1_048_576;
  const work = async () => {
    let kept = [];
    for (let at = 0; at < 1_500_000; at += 1) {
      kept.push({ at, list: [at] });
      if (kept.length > 100_000) kept = [];
      if (at % 10_000 === 0) await turn();
    }
  };
  boundHeap();
  await work();
  const first = roomMb();
  for (let at = 0; at < 5; at += 1) {
    globalThis.gc();
    await turn();
  }
  await work();
  process.stdout.write(JSON.stringify([first, roomMb()]));
`;

function roomsMb(options: string): readonly [number, number] {
  const run = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', PROGRAM], {
    env: { ...process.env, NODE_OPTIONS: options },
    encoding: 'utf8',
  });
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout) as [number, number];
}

test('the platform keeps two semi-spaces of 8 MiB, also after an idle time', () => {
  expect(roomsMb('')).toEqual([16, 16]);
});

test('a semi-space size in NODE_OPTIONS takes precedence', () => {
  const [first] = roomsMb('--max-semi-space-size=32');
  expect(first).toBeGreaterThan(16);
});

/** Keeps the largest room for new objects of the main thread in a file, MiB. */
const watching = (file: string): string => `
  import { writeFileSync } from 'node:fs';
  import { getHeapSpaceStatistics } from 'node:v8';
  import { isMainThread } from 'node:worker_threads';
  let largest = 0;
  const look = () => {
    const { space_size } = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
    if (space_size <= largest) return;
    largest = space_size;
    writeFileSync(${JSON.stringify(file)}, String(largest / 1_048_576));
  };
  if (isMainThread) setInterval(look, 5).unref();
`;

test('the platform that the command starts keeps them while it loads', async () => {
  await using folder = await createTemporaryDirectory();
  const watch = await folder.write('watch.mjs', watching(folder.at('largest')));
  const env = { NODE_OPTIONS: `--import=${watch}` };
  await using platform = startPlatformCommand(['--directory', folder.at('platform')], env);
  await platform.until(({ event }) => event === 'ready');
  expect(await readFile(folder.at('largest'), 'utf8')).toBe('16');
});
