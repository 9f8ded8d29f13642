import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPlatformDatabase, removeOverdue, startJobRunner } from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase, RetentionClass } from '../../harness/src/platform/database/index.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { backupClaims } from '../support/itg-backup-claims.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { emptyDatabase, openTestDatabase } from '../support/itg-database.js';
import { eventClaims } from '../support/itg-event-claims.js';
import { statementClaims } from '../support/itg-statement-claims.js';

const memory = async () => openPlatformDatabase({ memory: true, template: await emptyDatabase() });
backupClaims('PGlite to PGlite', memory, memory);
eventClaims('PGlite', openTestDatabase);
statementClaims('PGlite', openTestDatabase);

let database: OpenedDatabase;
let context: TestContext;

beforeAll(async () => {
  database = await openTestDatabase();
  context = createTestContext({ database });
});
afterAll(() => database.close());

test('audit entries and events are there when their transaction commits, and not when it fails', async () => {
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
  const seal = (owner: string): Promise<string> =>
    context.transact((transaction) => context.sealed.seal(transaction, '+12155550112', owner));
  const [reference, again, other] = [await seal('t:1'), await seal('t:1'), await seal('t:2')];
  expect(again).toBe(reference);
  expect(other).not.toBe(reference);
  const reason = { organizationId: 'itg', actor: 'c-1', object: 't:1' };
  const open = (...references: readonly string[]) =>
    context.transact((transaction) => context.sealed.open(transaction, references, reason));
  expect([...(await open(reference, 's-0'))]).toEqual([[reference, '+12155550112']]);
  expect((await context.audited()).at(-1)).toMatchObject({ action: 'sealed.opened', details: { asked: 2, opened: 1 } });
  const rows = await database.database.selectFrom('core_sealed').selectAll().execute();
  expect(JSON.stringify(rows)).not.toContain('2155550112');
  await context.transact((transaction) => context.sealed.forget(transaction, 't:1'));
  expect([...(await open(reference, other)).keys()]).toEqual([other]);
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

test('a telephone number that is logged as a number is masked, and a time is not', () => {
  context.log.info('call', { tn: 12155550112, atMs: 1_793_620_800_000 });
  expect(context.logged.at(-1)).toMatchObject({ details: { tn: '[number]', atMs: 1_793_620_800_000 } });
});

test('a job runs at once and then its time after each end, also across a restart', async () => {
  const clock = new ManualClock();
  const own = createTestContext({ database, clock });
  const ranAt: number[] = [];
  const jobs = [{ name: 'a.job', everyMs: 60_000, run: async (nowMs: number) => void ranAt.push(nowMs - START) }];
  const START = clock.nowMs();
  const first = startJobRunner({ context: own, jobs });
  await first.settled();
  for (const ms of [0, 59_999, 1, 30_000]) {
    clock.advance(ms);
    await first.settled();
  }
  expect(ranAt).toEqual([0, 60_000]);
  await first.close();
  expect(clock.pendingTimers()).toBe(0);
  await using second = startJobRunner({ context: own, jobs });
  await second.settled();
  clock.advance(29_999);
  await second.settled();
  expect(ranAt).toHaveLength(2);
  clock.advance(1);
  await second.settled();
  expect(ranAt).toEqual([0, 60_000, 120_000]);
});

test('a job that fails is counted, logged and comes round again; one that runs is not begun anew', async () => {
  const clock = new ManualClock();
  const own = createTestContext({ database, clock });
  let begun = 0;
  let end: () => void = () => undefined;
  const slow = async (): Promise<void> => {
    begun += 1;
    await new Promise<void>((resolve) => (end = resolve));
  };
  await using runner = startJobRunner({
    context: own,
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
  expect(own.logged.map(({ message }) => message)).toContain('a job failed');
});

test('two jobs of one name are refused', () => {
  const job = { name: 'c', everyMs: 1, run: async () => undefined };
  expect(() => startJobRunner({ context, jobs: [job, job] })).toThrow(
    expect.objectContaining({ code: 'invalid-configuration' }),
  );
});

test('overdue values that are not held are removed and counted in the audit', async () => {
  await using fresh = await openTestDatabase();
  const own = createTestContext({ database: fresh });
  /** Sealed values, due after a second. */
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
    held: async (_, ids) => new Set(ids.filter((id) => id.endsWith('00'))),
    remove: async (transaction, ids) => {
      for (const id of ids) await own.sealed.forget(transaction, id);
    },
  };
  await own.transact(async (transaction) => {
    for (let count = 0; count < 1_200; count += 1) await own.sealed.seal(transaction, 'v', `t:${count}`);
  });
  own.clock.advance(1_001);
  await own.transact((transaction) => own.sealed.seal(transaction, 'v', 'young'));
  const nowMs = own.clock.nowMs();
  expect(await removeOverdue(own, values, nowMs)).toEqual({ removed: 1_189, held: 11 });
  const left = await fresh.database.selectFrom('core_sealed').select('belongs_to').orderBy('belongs_to').execute();
  expect(left.map(({ belongs_to: id }) => id)).toEqual([
    ...Array.from({ length: 11 }, (_, at) => `t:${at + 1}00`).toSorted(),
    'young',
  ]);
  const counts = (await own.audited()).map(({ details }) => details as { removed: number; held: number });
  expect(counts.reduce((sum, { removed }) => sum + removed, 0)).toBe(1_189);
  expect(await removeOverdue(own, values, nowMs)).toEqual({ removed: 0, held: 11 });
});
