import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';

let database: OpenedDatabase;
let context: TestContext;

beforeAll(async () => {
  database = await openTestDatabase();
  context = createTestContext({ database });
});
afterAll(() => database.close());

test('what is audited, told and announced is there when its transaction commits, and not when it fails', async () => {
  const entry = { action: 'a.b', organizationId: 'o', actor: 'c', object: 'x:1' };
  await context.transact(async (transaction) => {
    await context.audit(transaction, entry);
    await context.announce(transaction, { type: 'demand.approved', subject: 'd-1', data: { demandId: 'd-1' } });
  });
  await expect(
    context.transact(async (transaction) => {
      await context.audit(transaction, { ...entry, action: 'never' });
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect((await context.audited()).map(({ action }) => action)).toEqual(['a.b']);
  expect(await context.events()).toMatchObject([{ type: 'demand.approved', data: { demandId: 'd-1' }, audience: [] }]);
});

test('a statement outside of the transaction that it is in is refused instead of waiting for itself', async () => {
  await expect(
    context.transact(async () => {
      await context.database.selectFrom('core_events').selectAll().execute();
    }),
  ).rejects.toMatchObject({ code: 'internal' });
  await context.transact(async () => undefined);
});

test('a sealed value is opened by its reference, audited without it, and gone once it is forgotten', async () => {
  const reference = await context.transact((transaction) => context.sealed.seal(transaction, '+12155550112', 't:1'));
  const again = await context.transact((transaction) => context.sealed.seal(transaction, '+12155550112', 't:1'));
  const other = await context.transact((transaction) => context.sealed.seal(transaction, '+12155550112', 't:2'));
  expect(again).toBe(reference);
  expect(other).not.toBe(reference);
  const reason = { organizationId: 'itg', actor: 'c-1', object: 't:1' };
  const opened = await context.transact((transaction) => context.sealed.open(transaction, [reference, 's-0'], reason));
  expect([...opened]).toEqual([[reference, '+12155550112']]);
  expect((await context.audited()).at(-1)).toMatchObject({ action: 'sealed.opened', details: { asked: 2, opened: 1 } });
  const rows = await database.database.selectFrom('core_sealed').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain('2155550112');
  await context.transact((transaction) => context.sealed.forget(transaction, 't:1'));
  const after = await context.transact((transaction) => context.sealed.open(transaction, [reference, other], reason));
  expect([...after.keys()]).toEqual([other]);
});

test('a sealed value that somebody moved to another row does not open', async () => {
  const [one, two] = await context.transact(async (transaction): Promise<[string, string]> => [
    await context.sealed.seal(transaction, 'one', 'm:1'),
    await context.sealed.seal(transaction, 'two', 'm:2'),
  ]);
  const row = await database.database
    .selectFrom('core_sealed')
    .select(['nonce', 'ciphertext'])
    .where('reference', '=', one)
    .executeTakeFirstOrThrow();
  await database.database.updateTable('core_sealed').set(row).where('reference', '=', two).execute();
  const reason = { organizationId: 'itg', actor: 'c-1', object: 'm' };
  await expect(
    context.transact((transaction) => context.sealed.open(transaction, [two], reason)),
  ).rejects.toMatchObject({ code: 'log-inconsistent' });
});

test('a pseudonym is the same for the same number, and another one under another key', async () => {
  const other = createTestContext({ database });
  const pseudonym = context.sealed.pseudonym('12155550112');
  expect(pseudonym).toMatch(/^[0-9a-f]{32}$/);
  expect(context.sealed.pseudonym('12155550112')).toBe(pseudonym);
  expect(context.sealed.pseudonym('12155550113')).not.toBe(pseudonym);
  expect(other.sealed.pseudonym('12155550112')).not.toBe(pseudonym);
});

test('ids sort by the order in which they were made, also when the clock stands still', () => {
  const ids = Array.from({ length: 10_000 }, () => context.newId('t'));
  expect(ids[0]).toMatch(/^t-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(10_000);
});

test('a line of the log has no telephone number, and keeps ids, hashes and times', () => {
  const id = context.newId('t');
  context.log.info('call of +1 (215) 555-0112 and 2155550112', {
    id,
    at: '2026-11-02T12:00:00Z',
    error: new Error('no 12155550112'),
    tn: 12155550112,
    atMs: 1_793_620_800_000,
  });
  const line = context.logged.at(-1);
  expect(JSON.stringify(line)).not.toMatch(/555-?0112/);
  expect(line).toMatchObject({
    message: 'call of [number] and [number]',
    details: { id, at: '2026-11-02T12:00:00Z', tn: '[number]', atMs: 1_793_620_800_000 },
  });
});
