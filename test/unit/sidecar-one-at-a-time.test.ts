import { expect, test } from 'vitest';
import { oneAtATime } from '../../sdk/src/sidecar/services/files.js';

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
