import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql, type Kysely } from 'kysely';
import type { Reading } from '../../harness/src/platform/core/index.js';
import {
  createPresence,
  createVersionedMemory,
  migratePlatform,
  openPlatformDatabase,
} from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createKeyedTransactions, httpDefinition } from '../../harness/src/platform/http/idempotency.js';
import { jsonAnswer } from '../../sdk/src/contract/platform-answer.js';
import { describePeer, peer } from '../peers.js';
import { alertClaims, openAlerts } from '../support/itg-alert-claims.js';
import { backupClaims } from '../support/itg-backup-claims.js';
import { STAFF } from '../support/itg-calls.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { emptyDatabase, newDatabase, openTestDatabase } from '../support/itg-database.js';
import { eventClaims } from '../support/itg-event-claims.js';
import { filingsCsv, openRegistry, registryClaims } from '../support/itg-registry-claims.js';
import { statementClaims } from '../support/itg-statement-claims.js';
import { startPostgres, type RunningPostgres } from './postgres/start-postgres.js';

let server: RunningPostgres;
const open = async (): Promise<OpenedDatabase> => openPlatformDatabase({ url: await newDatabase(server) });
const openPglite = async (): Promise<OpenedDatabase> =>
  openPlatformDatabase({ memory: true, template: await emptyDatabase() });

/** Makes a connection end itself as it commits rows of some tables, where its transaction has set `test.die`. */
async function dieAtCommit({ database }: TestContext, ...tables: readonly string[]): Promise<void> {
  await sql`create function die() returns trigger language plpgsql as $$ begin
    if current_setting('test.die', true) = 'yes' then perform pg_terminate_backend(pg_backend_pid()); end if; return null; end $$`.execute(
    database,
  );
  for (const table of tables)
    await sql`create constraint trigger dies after insert on ${sql.table(table)} deferrable initially deferred
      for each row execute function die()`.execute(database);
}

describePeer('postgres', 'PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  afterAll(() => server.close());

  eventClaims('PostgreSQL', () => openTestDatabase({ server }));
  statementClaims('PostgreSQL', () => openTestDatabase({ server }));

  backupClaims('PostgreSQL to PGlite', open, openPglite);
  backupClaims('PGlite to PostgreSQL', openPglite, open);

  test('both engines give the same values for the same columns', async () => {
    await using postgres = await openTestDatabase({ server });
    await using pglite = await openTestDatabase();
    const read = async ({ database }: typeof postgres): Promise<unknown> => {
      const { rows } =
        await sql`select 9007199254740991::bigint as int8, '{1,2,NULL}'::bigint[] as int8s, 1.50::numeric as exact,
        sum(n) as total, count(*) as counted, '\\xff00'::bytea as octets, '{"a":[1,null]}'::jsonb as json, 1.5::float8 as float,
        true as yes, null::text as nothing, '{a,b}'::text[] as texts, timestamptz '2026-11-02T12:00:00Z' as at
        from (values (1::bigint), (2)) as of(n)`.execute(database);
      return rows;
    };
    expect(await read(postgres)).toEqual(await read(pglite));
    for (const { database } of [postgres, pglite]) {
      await expect(sql`select 9007199254740993::bigint as n`.execute(database)).rejects.toMatchObject({
        code: 'storage-failed',
      });
    }
  });

  test('what is read outside of a transaction while a registry changes is not remembered for those who do not see the change', async () => {
    await using opened = await openTestDatabase({ server });
    const { database } = opened;
    const context = createTestContext({ database: opened });
    await sql`create table registry (name text)`.execute(database);
    await sql`create trigger registry_version after insert on registry
      for each statement execute function core_note_change('registry')`.execute(database);
    const insert = (name: string) => sql`insert into registry values (${name})`.execute(database);
    const memory = createVersionedMemory('registry');
    const names = async (reading: Reading, meanwhile?: () => Promise<unknown>): Promise<readonly string[]> => {
      const remembered = await memory.at(reading);
      const found = await remembered.read('names', ['all'], async () => {
        await meanwhile?.();
        const { rows } = await sql<{ readonly name: string }>`select name from registry order by name`.execute(reading);
        return new Map([['all', rows.map(({ name }) => name)]]);
      });
      return found.get('all') ?? [];
    };
    await insert('one');
    const seen = await context.transact(async (transaction) => {
      await sql`select 1 from registry`.execute(transaction);
      const outside = await names(database, () => insert('two'));
      return [outside, await names(transaction)];
    });
    expect(seen).toEqual([['one', 'two'], ['one']]);
    expect(await names(database)).toEqual(['one', 'two']);
  });

  test('processes that start at once migrate once', async () => {
    const url = await newDatabase(server);
    const up = async (db: Kysely<unknown>) => void (await sql`create table one_a (a int)`.execute(db));
    const definition = { name: 'one', migrations: [{ name: 'one-001', up }] };
    const reports = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        await using opened = await openPlatformDatabase({ url });
        return await migratePlatform(opened, [definition]);
      }),
    );
    expect(reports.flatMap(({ applied }) => applied).toSorted()).toEqual([
      'core-001-events-and-audit',
      'core-002-sealed',
      'core-003-work',
      'core-004-versions',
      'core-005-job-failures',
      'one-001',
    ]);
  });

  test('transactions that get into each other’s way are run again until each came through', async () => {
    await using database = await openTestDatabase({ server });
    const context = createTestContext({ database });
    await context.database
      .insertInto('core_sealed')
      .values({ ...ROW, ciphertext: '0' })
      .execute();
    await Promise.all(
      Array.from({ length: 20 }, () =>
        context.transact(async (transaction) => {
          const { ciphertext } = await transaction.selectFrom('core_sealed').selectAll().executeTakeFirstOrThrow();
          await transaction
            .updateTable('core_sealed')
            .set({ ciphertext: String(Number(ciphertext) + 1) })
            .execute();
        }),
      ),
    );
    const row = await context.database.selectFrom('core_sealed').selectAll().executeTakeFirstOrThrow();
    expect(row.ciphertext).toBe('20');
    expect(context.transactionCounts()).toMatchObject({ committed: 20, unknownOutcomes: 0 });
  });

  test('of several processes one leads, and another takes over when its connection ends', async () => {
    const url = await newDatabase(server);
    await using one = await openPlatformDatabase({ url });
    await using two = await openPlatformDatabase({ url });
    const [first, second] = [one.leadership('jobs'), two.leadership('jobs')];
    expect([await first.isLeader(), await second.isLeader(), await first.isLeader()]).toEqual([true, false, true]);
    await first.close();
    while (!(await second.isLeader()));
    expect(await first.isLeader()).toBe(false);
    await second.close();
  });

  test('a transaction whose connection breaks is run again, and one that was lost in its commit is asked for', async () => {
    await using database = await openTestDatabase({ server });
    const context = createTestContext({ database });
    const broken = async (when: 'before' | 'in'): Promise<void> => {
      let attempts = 0;
      await context.transact(async (transaction) => {
        attempts += 1;
        await context.audit(transaction, { action: when, organizationId: 'o', actor: 'a', object: 'x' });
        if (attempts > 1) return;
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
        if (when === 'before') await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(database.database);
        // A trigger that is run at the commit ends its own connection: nobody hears what became of it.
        else await sql`select set_config('test.die', 'yes', true)`.execute(transaction);
      });
    };
    await dieAtCommit(context, 'core_audit');
    await broken('before');
    await broken('in');
    expect((await context.audited()).map(({ action }) => action)).toEqual(['before', 'in']);
    // What is audited is written last: a connection that is gone by then is known to have committed nothing.
    const counts = { committed: 2, lostConnections: 1, askedOutcomes: 1, unknownOutcomes: 0 };
    expect(context.transactionCounts()).toMatchObject(counts);
  });

  test.each(['audit', 'event'] as const)(
    'an id that a crashed server gave to another transaction is not taken for that of this one: %s',
    async (what) => {
      await using database = await openTestDatabase({ server });
      const context = createTestContext({ database });
      // As after a crash: whatever is asked for, a transaction of that id has committed.
      await sql`create schema lying`.execute(context.database);
      await sql`create function lying.pg_xact_status(xid8) returns text language sql as $$ select 'committed' $$`.execute(
        context.database,
      );
      await dieAtCommit(context, 'core_audit', 'core_events');
      const { rows } = await sql<{ readonly name: string }>`select current_database() as name`.execute(
        context.database,
      );
      await sql`alter database ${sql.ref(rows[0]!.name)} set search_path = lying, pg_catalog, public`.execute(
        context.database,
      );
      let attempts = 0;
      await context.transact(async (transaction) => {
        attempts += 1;
        if (what === 'audit')
          await context.audit(transaction, { action: 'written', organizationId: 'o', actor: 'a', object: 'x' });
        else await context.announce(transaction, { type: 'demand.approved', subject: 'x', data: { demandId: 'x' } });
        if (attempts === 1) await sql`select set_config('test.die', 'yes', true)`.execute(transaction);
      });
      expect(attempts).toBe(2);
      const there = what === 'audit' ? await context.audited() : await context.events();
      expect(there).toHaveLength(1);
    },
  );

  test('a call that a living process carries out is waited for, and one of a process that has ended is carried out', async () => {
    const url = await newDatabase(server);
    await using one = await openPlatformDatabase({ url });
    await using other = await openPlatformDatabase({ url });
    await migratePlatform(one, [httpDefinition]);
    const [here, there] = [createTestContext({ database: one }), createTestContext({ database: other })];
    const presence = createPresence(one, here.newId('process'));
    const first = createKeyedTransactions(here, presence);
    const second = createKeyedTransactions(there, createPresence(other, there.newId('process')));
    const call = {
      ...{ clientId: 'c-1', organizationId: 'o-1', key: 'k-1', target: 'POST /v1/demands' },
      ...{ bytes: Buffer.from('{}'), nowMs: here.clock.nowMs() },
    };
    const work = (by: typeof first) => () =>
      by.context.transact(async (transaction) => {
        const entry = { action: 'worked', organizationId: 'o-1', actor: 'c-1', object: 'x' };
        await here.audit(transaction, entry);
        return jsonAnswer({});
      });
    let hangs: () => void = () => undefined;
    let letGo: () => void = () => undefined;
    const isHanging = new Promise<void>((resolve) => (hangs = resolve));
    const dying = first.store.once(call, async () => {
      hangs();
      await new Promise<void>((resolve) => (letGo = resolve));
      return work(first)();
    });
    await isHanging;
    expect(await second.store.once(call, work(second))).toMatchObject({ code: 'idempotency-in-progress' });
    // As its connection does when the process dies; the server takes a moment to see it.
    await presence.close();
    await expect.poll(() => second.store.once(call, work(second)), { timeout: 60_000 }).toMatchObject({ kind: 'json' });
    letGo();
    await expect(dying).rejects.toMatchObject({ code: 'unavailable' });
    expect((await here.audited()).map(({ action }) => action).filter((action) => action === 'worked')).toHaveLength(1);
  });

  test('the registry keeps its claims on PostgreSQL', async () => {
    const registry = await openRegistry(server);
    await using _ = registry.database;
    await registryClaims(registry);
  });

  test('two imports at once leave one registry', async () => {
    const registry = await openRegistry(server);
    await using _ = registry.database;
    const order = { csv: filingsCsv(400), source: 'RMD' };
    const reports = await Promise.all([1, 2].map(() => registry.calls.post(STAFF, '/v1/registry/imports', order)));
    expect(reports.map((report) => Number(report.added)).sort((one, other) => one - other)).toEqual([0, 400]);
  });

  test('alerts keep their claims on PostgreSQL', async () => {
    const alerts = await openAlerts(server);
    await using _ = alerts.database;
    await alertClaims(alerts);
  });
});

const ROW = { reference: 's-1', key_id: 'k1', nonce: '', at_ms: 0, belongs_to: 'x' };
