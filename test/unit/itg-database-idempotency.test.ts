import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CLAIM_MS,
  createIdempotencyStore,
  createSecretText,
  IDEMPOTENCY_MS,
} from '../../harness/src/platform/database/index.js';
import type { IdempotencyStore, OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { jsonAnswer, problemAnswer } from '../../sdk/src/platform/index.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';

let database: OpenedDatabase;
let context: TestContext;
let store: IdempotencyStore;

beforeAll(async () => {
  database = await openTestDatabase();
  context = createTestContext({ database });
  store = createIdempotencyStore({ context, secret: createSecretText(() => context.keyRing) });
});
afterAll(() => database.close());

const call = (key: string, body = '{}', clientId = 'c-1') => ({
  ...{ clientId, key, target: 'POST /v1/demands' },
  bytes: Buffer.from(body),
});

test('the same call gets the stored answer and is done once, another one under its key is refused', async () => {
  let done = 0;
  const work = async () => {
    done += 1;
    return jsonAnswer({ id: done, number: '+12155550112' });
  };
  for (const way of ['carryOut', 'carryOutOnce'] as const) {
    done = 0;
    const carry = (of: ReturnType<typeof call>) => store[way](of, work);
    const first = await carry(call(way));
    expect(await carry(call(way))).toEqual(first);
    expect(await carry(call(way, '{"a":1}'))).toMatchObject({ code: 'idempotency-key-reused' });
    expect(done).toBe(1);
    await carry(call(way, '{}', 'c-2'));
    expect(done).toBe(2);
  }
});

test('of calls that come at once one is carried out, and the others wait or get its answer', async () => {
  let done = 0;
  const work = async () => {
    done += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return jsonAnswer({ done });
  };
  const once = await Promise.all(Array.from({ length: 8 }, () => store.carryOutOnce(call('once'), work)));
  expect([done, new Set(once.map((answer) => JSON.stringify(answer))).size]).toEqual([1, 1]);
  done = 0;
  const answers = await Promise.all(Array.from({ length: 8 }, () => store.carryOut(call('at-once'), work)));
  expect(done).toBe(1);
  expect(answers.filter(({ kind }) => kind === 'json')).not.toEqual([]);
  for (const answer of answers)
    if (answer.kind !== 'json') expect(answer).toMatchObject({ code: 'idempotency-in-progress' });
});

test('what failed on the side of the platform can be tried again, and a refusal is kept', async () => {
  for (const way of ['carryOut', 'carryOutOnce'] as const) {
    const fail = () => store[way](call(`${way}-fails`), () => Promise.reject(new Error('no')));
    await expect(fail()).rejects.toThrow('no');
    await expect(fail()).rejects.toThrow('no');
    const busy = await store[way](call(`${way}-fails`), async () => problemAnswer('rate-limited'));
    expect(busy).toMatchObject({ code: 'rate-limited' });
    await store[way](call(`${way}-fails`), async () => problemAnswer('conflict'));
    expect(await store[way](call(`${way}-fails`), async () => jsonAnswer({}))).toMatchObject({ code: 'conflict' });
  }
});

test('work and answer of one transaction are there together: a failing transaction leaves neither', async () => {
  const entry = { action: 'worked', organizationId: 'o', actor: 'c', object: 'x' };
  await expect(
    store.carryOutOnce(call('together'), async (transaction) => {
      await context.audit(transaction, entry);
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  await store.carryOutOnce(call('together'), async (transaction) => {
    await context.audit(transaction, entry);
    return jsonAnswer({});
  });
  expect((await context.audited()).filter(({ action }) => action === 'worked')).toHaveLength(1);
});

test('answers are kept encrypted, and for two days; a call whose process died can be made again after its time', async () => {
  const answer = await store.carryOut(call('kept'), async () => jsonAnswer({ number: '+12155550112' }));
  const { rows } = await database.database
    .selectFrom('core_idempotency' as never)
    .selectAll()
    .execute()
    .then((all) => ({ rows: JSON.stringify(all) }));
  expect(rows).not.toMatch(/5550112|kept/);
  context.clock.advance(IDEMPOTENCY_MS);
  expect(await store.carryOut(call('kept'), async () => jsonAnswer({}))).toEqual(answer);
  // As one that was killed leaves it.
  let end: () => void = () => undefined;
  const dying = store.carryOut(
    call('died'),
    () => new Promise((resolve) => (end = () => resolve(jsonAnswer({ old: true })))),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await store.carryOut(call('died'), async () => jsonAnswer({}))).toMatchObject({
    code: 'idempotency-in-progress',
  });
  context.clock.advance(CLAIM_MS + 1);
  expect(await store.carryOut(call('died'), async () => jsonAnswer({ new: true }))).toEqual(jsonAnswer({ new: true }));
  end();
  await dying;
  expect(await store.carryOut(call('died'), async () => jsonAnswer({}))).toEqual(jsonAnswer({ new: true }));
  expect(await store.expire(context.clock.nowMs())).toBeGreaterThan(3);
  expect(await store.carryOut(call('kept'), async () => jsonAnswer({ anew: 1 }))).toEqual(jsonAnswer({ anew: 1 }));
});
