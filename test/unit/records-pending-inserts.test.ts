import { expect, test } from 'vitest';
import { createPendingInserts } from '../../sdk/src/records/ingest/pending-inserts.js';
import { sampleCallRecord } from '../../sdk/src/testing/sample-call-record.js';

const records = (count: number) => Array.from({ length: count }, (_, n) => sampleCallRecord({ legId: `leg-${n}` }));
/** Whatever was to run later. */
const later = (): { readonly due: (() => void)[]; readonly schedule: (callback: () => void) => () => void } => {
  const due: (() => void)[] = [];
  const schedule = (callback: () => void): (() => void) => {
    due.push(callback);
    return () => undefined;
  };
  return { due, schedule };
};

test('a disk that does not answer keeps nobody waiting: what it may hold is taken at once, the rest is refused at once', async () => {
  const { schedule, due } = later();
  const stalled = { insert: () => new Promise<never>(() => undefined) };
  const pending = createPendingInserts({ store: stalled, schedule, maxPending: 3 });
  const taken = records(5).map((record) => pending.take(record));
  pending.commitLater();
  for (const run of due.splice(0)) run();
  await new Promise((resolve) => setImmediate(resolve));
  expect(taken).toEqual([true, true, true, false, false]);
  expect(pending.take(sampleCallRecord())).toBe(false);
  expect(pending.statistics()).toEqual({ inserted: 0, repeated: 0, pending: 3, failures: 0 });
});

test('what comes while a batch is being stored goes with the next one, and nothing goes twice', async () => {
  const { schedule } = later();
  const batches: string[][] = [];
  const [first, second, third] = records(3);
  const pending = createPendingInserts({
    schedule,
    store: {
      insert: async (batch) => {
        if (batches.length === 0) pending.take(third!);
        batches.push(batch.map(({ legId }) => legId));
        return { inserted: batch.length, repeated: 0, expired: 0 };
      },
    },
  });
  pending.take(first!);
  pending.take(second!);
  await pending.commit();
  expect(batches).toEqual([['leg-0', 'leg-1'], ['leg-2']]);
  expect(pending.statistics()).toMatchObject({ inserted: 3, pending: 0 });
});
