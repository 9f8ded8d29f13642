import { afterAll, beforeAll, expect, test } from 'vitest';
import { startJobRunner } from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createTestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';

let database: OpenedDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

test('a job runs at once and then its time after each end, also across a restart', async () => {
  const clock = createManualClock();
  const context = createTestContext({ database, clock });
  const ranAt: number[] = [];
  const jobs = [{ name: 'a.job', everyMs: 60_000, run: async (nowMs: number) => void ranAt.push(nowMs - START) }];
  const START = clock.nowMs();
  const first = startJobRunner({ context, jobs });
  await first.settled();
  for (const ms of [0, 59_999, 1, 30_000]) {
    clock.advance(ms);
    await first.settled();
  }
  expect(ranAt).toEqual([0, 60_000]);
  await first.close();
  expect(clock.pendingTimers()).toBe(0);
  await using second = startJobRunner({ context, jobs });
  await second.settled();
  clock.advance(29_999);
  await second.settled();
  expect(ranAt).toHaveLength(2);
  clock.advance(1);
  await second.settled();
  expect(ranAt).toEqual([0, 60_000, 120_000]);
});

test('a job that fails is counted, logged and comes round again; one that runs is not begun anew', async () => {
  const clock = createManualClock();
  const context = createTestContext({ database, clock });
  let begun = 0;
  let end: () => void = () => undefined;
  const slow = async (): Promise<void> => {
    begun += 1;
    await new Promise<void>((resolve) => (end = resolve));
  };
  await using runner = startJobRunner({
    context,
    jobs: [
      { name: 'b.failing', everyMs: 3_600_000, run: () => Promise.reject(new Error('no')) },
      { name: 'b.slow', everyMs: 1_000, run: slow },
    ],
  });
  await runner.settled();
  clock.advance(0);
  await expect.poll(() => begun).toBe(1);
  clock.advance(10_000);
  expect(begun).toBe(1);
  end();
  await runner.settled();
  expect(runner.counts()).toMatchObject([
    { name: 'b.failing', runs: 1, failures: 1 },
    { name: 'b.slow', runs: 1, failures: 0 },
  ]);
  clock.advance(60_000);
  end();
  await expect.poll(() => begun).toBe(2);
  end();
  await runner.settled();
  expect(runner.counts()[0]).toMatchObject({ runs: 2, failures: 2 });
  expect(context.logged.map(({ message }) => message)).toContain('a job failed');
});

test('two jobs of one name are refused', () => {
  const context = createTestContext({ database });
  const job = { name: 'c', everyMs: 1, run: async () => undefined };
  expect(() => startJobRunner({ context, jobs: [job, job] })).toThrow(
    expect.objectContaining({ code: 'invalid-configuration' }),
  );
});
