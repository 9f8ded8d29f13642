import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPresence, type OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createKeyedTransactions, httpDefinition } from '../../harness/src/platform/http/idempotency.js';
import { jsonAnswer, problemAnswer } from '../../sdk/src/contract/platform-answer.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';

const TWO_DAYS_MS = 172_800_000;

type KeyedTransactions = ReturnType<typeof createKeyedTransactions>;

let database: OpenedDatabase;
let context: TestContext;
let keyed: KeyedTransactions;

/** A process on the database: each has its own claims. */
const started = (): KeyedTransactions =>
  createKeyedTransactions(context, createPresence(database, context.newId('process')));

beforeAll(async () => {
  database = await openTestDatabase({ definitions: [httpDefinition] });
  context = createTestContext({ database });
  keyed = started();
});
afterAll(() => database.close());

const call = (key: string, body = '{}', clientId = 'c-1') => ({
  ...{ clientId, organizationId: 'o-1', key, target: 'POST /v1/demands' },
  ...{ bytes: Buffer.from(body), nowMs: context.clock.nowMs() },
});

const entry = (object: string) => ({ action: 'worked', organizationId: 'o-1', actor: 'c-1', object });
const worked = async (object: string): Promise<number> =>
  (await context.audited()).filter((one) => one.action === 'worked' && one.object === object).length;

/** Work of one transaction that answers from it. */
const work =
  (object: string, by = keyed) =>
  () =>
    by.context.transact(async (transaction) => {
      await context.audit(transaction, entry(object));
      return jsonAnswer({ object, number: '+12155550112' });
    });

/** A call that hangs as one whose process is killed does, until it is let go. */
function hanging(by: KeyedTransactions, key: string, before: () => Promise<unknown>, after = work(key, by)) {
  let letGo: () => void = () => undefined;
  let hangs: () => void = () => undefined;
  const isHanging = new Promise<void>((resolve) => (hangs = resolve));
  const answer = by.store.once(call(key), async () => {
    await before();
    hangs();
    await new Promise<void>((resolve) => (letGo = resolve));
    return after();
  });
  return { isHanging, answer, letGo: () => letGo() };
}

test('the same call is carried out once and has the answer of then, another one under its key is refused', async () => {
  const first = await keyed.store.once(call('k-1'), work('k-1'));
  expect(await keyed.store.once(call('k-1'), work('k-1'))).toEqual(first);
  expect(await started().store.once(call('k-1'), work('k-1'))).toEqual(first);
  expect(await worked('k-1')).toBe(1);
  expect(await keyed.store.once(call('k-1', '[]'), work('k-1'))).toMatchObject({ code: 'idempotency-key-reused' });
  await keyed.store.once(call('k-1', '{}', 'c-2'), work('k-1'));
  expect(await worked('k-1')).toBe(2);
});

test('what failed on the side of the platform can be tried again, and a refusal is kept', async () => {
  const fail = () => keyed.store.once(call('k-2'), () => Promise.reject(new Error('no')));
  await expect(fail()).rejects.toThrow('no');
  await expect(fail()).rejects.toThrow('no');
  expect(await keyed.store.once(call('k-2'), async () => problemAnswer('unavailable'))).toMatchObject({
    code: 'unavailable',
  });
  await keyed.store.once(call('k-2'), async () => problemAnswer('conflict'));
  expect(await keyed.store.once(call('k-2'), work('k-2'))).toMatchObject({ code: 'conflict' });
});

test('work and answer are there together: a failing transaction leaves neither', async () => {
  const failing = () =>
    keyed.context.transact(async (transaction) => {
      await context.audit(transaction, entry('k-3'));
      throw new Error('no');
    });
  await expect(keyed.store.once(call('k-3'), failing)).rejects.toThrow('no');
  await keyed.store.once(call('k-3'), work('k-3'));
  expect(await worked('k-3')).toBe(1);
});

test('while a call is carried out its repeat is told to wait', async () => {
  const running = hanging(keyed, 'k-4', async () => undefined);
  await running.isHanging;
  expect(await keyed.store.once(call('k-4'), work('k-4'))).toMatchObject({ code: 'idempotency-in-progress' });
  running.letGo();
  expect(await running.answer).toMatchObject({ kind: 'json' });
  expect(await worked('k-4')).toBe(1);
});

test('a call whose process died before it committed anything is carried out by the repeat, at once', async () => {
  const reading = (by: KeyedTransactions) => () =>
    by.context.transact((transaction) => transaction.selectFrom('core_events').select('position').execute());
  const dying = started();
  const dead = hanging(dying, 'k-5', reading(dying));
  await dead.isHanging;
  const answer = await keyed.store.once(call('k-5'), work('k-5'));
  expect(answer).toMatchObject({ kind: 'json' });
  // It lives after all: what it would commit now would be done twice.
  dead.letGo();
  await expect(dead.answer).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  expect(await worked('k-5')).toBe(1);
  expect(await keyed.store.once(call('k-5'), work('k-5'))).toEqual(answer);
});

test('a call whose process died after it had committed, and before its answer, is not done twice', async () => {
  const dying = started();
  const commit = () => dying.context.transact((transaction) => context.audit(transaction, entry('k-6')));
  const dead = hanging(dying, 'k-6', commit, async () => jsonAnswer({}));
  await dead.isHanging;
  expect(await keyed.store.once(call('k-6'), work('k-6'))).toMatchObject({ code: 'conflict' });
  expect(await worked('k-6')).toBe(1);
  dead.letGo();
  await dead.answer;
});

test('answers are kept encrypted for two days; what a call set going is none of it when it is over', async () => {
  let goOn: () => void = () => undefined;
  const later = new Promise<void>((resolve) => (goOn = resolve));
  let background: Promise<unknown> = Promise.resolve();
  const answer = await keyed.store.once(call('k-7'), async () => {
    background = later.then(() =>
      keyed.context.transact((transaction) => context.audit(transaction, entry('behind k-7'))),
    );
    return work('k-7')();
  });
  const rows = await database.database
    .selectFrom('http_idempotency' as never)
    .selectAll()
    .execute();
  expect(JSON.stringify(rows)).not.toContain('5550112');
  context.clock.advance(TWO_DAYS_MS - 1);
  expect(await keyed.store.once(call('k-7'), work('k-7'))).toEqual(answer);
  context.clock.advance(1);
  await keyed.job.run(context.clock.nowMs());
  goOn();
  await background;
  expect(await worked('behind k-7')).toBe(1);
  expect(await keyed.store.once(call('k-7'), work('k-7'))).toMatchObject({ kind: 'json' });
  expect(await worked('k-7')).toBe(2);
});
