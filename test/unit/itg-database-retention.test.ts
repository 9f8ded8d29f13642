import { afterAll, beforeAll, expect, test } from 'vitest';
import { EVENTS_KEPT_MS, eventsRetentionJob, removeOverdue } from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase, RetentionClass } from '../../harness/src/platform/database/index.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';
import { announced } from '../support/itg-event-claims.js';

let database: OpenedDatabase;
let context: TestContext;

beforeAll(async () => {
  database = await openTestDatabase();
  context = createTestContext({ database });
});
afterAll(() => database.close());

/** Sealed values as things that are over after their time. */
const values: RetentionClass = {
  name: 'test.values',
  keepMs: 1_000,
  due: async (transaction, { beforeMs, after, limit }) => {
    const rows = await transaction
      .selectFrom('core_sealed')
      .select('belongs_to')
      .where('at_ms', '<', beforeMs)
      .where('belongs_to', '>', after ?? '')
      .orderBy('belongs_to')
      .limit(limit)
      .execute();
    return rows.map(({ belongs_to: id }) => id);
  },
  remove: async (transaction, ids) => {
    for (const id of ids) await context.sealed.forget(transaction, id);
  },
};

test('what is over and held by nobody is removed and counted in the audit; what is held stays, and a class that fails keeps no other', async () => {
  await context.transact(async (transaction) => {
    for (let count = 0; count < 1_200; count += 1) await context.sealed.seal(transaction, 'v', `t:${count}`);
  });
  context.clock.advance(1_001);
  await context.transact((transaction) => context.sealed.seal(transaction, 'v', 'young'));
  const holds = {
    held: async (_: unknown, __: string, ids: readonly string[]) => new Set(ids.filter((id) => id.endsWith('00'))),
  };
  const failing: RetentionClass = { ...values, name: 'test.failing', due: () => Promise.reject(new Error('no')) };
  const nowMs = context.clock.nowMs();
  await expect(removeOverdue({ context, holds, classes: [failing, values] }, nowMs)).rejects.toThrow(AggregateError);
  const left = await database.database.selectFrom('core_sealed').select('belongs_to').orderBy('belongs_to').execute();
  expect(left.map(({ belongs_to: id }) => id)).toEqual([
    ...Array.from({ length: 11 }, (_, at) => `t:${at + 1}00`).toSorted(),
    'young',
  ]);
  const entries = await context.audited();
  const counts = entries.map(({ details }) => details as { removed: number; held: number });
  expect(counts.reduce((sum, { removed }) => sum + removed, 0)).toBe(1_189);
  expect(await removeOverdue({ context, holds, classes: [values] }, nowMs)).toEqual([
    { name: 'test.values', removed: 0, held: 11 },
  ]);
});

test('events go after a month, as far as everybody has read', async () => {
  for (const id of ['a', 'b', 'c']) await announced(context, id);
  const [, second] = await context.events();
  context.clock.advance(EVENTS_KEPT_MS + 1);
  await announced(context, 'd');
  let read = second!.position;
  const job = eventsRetentionJob({ context, readThrough: async () => read });
  await job.run(context.clock.nowMs());
  expect((await context.events()).map(({ subject }) => subject)).toEqual(['c', 'd']);
  read = Infinity;
  await job.run(context.clock.nowMs());
  expect((await context.events()).map(({ subject }) => subject)).toEqual(['d']);
});
