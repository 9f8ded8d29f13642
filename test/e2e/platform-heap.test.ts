import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const V8_SETTINGS = new URL('../../harness/dist/cli/platform/v8-settings.js', import.meta.url).href;

/** Makes objects of which some live for a while, rests, and makes more. Prints the room for new objects after each, MiB. */
const PROGRAM = `
  import { getHeapSpaceStatistics } from 'node:v8';
  import { setV8BeforeLoading } from ${JSON.stringify(V8_SETTINGS)};
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
  setV8BeforeLoading();
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
