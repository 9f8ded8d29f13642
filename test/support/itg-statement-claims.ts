import { sql, type CompiledQuery } from 'kysely';
import { expect, test } from 'vitest';
import {
  compiledOnce,
  createVersionedMemory,
  holdVersions,
  together,
  writeLater,
} from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import type { Reading } from '../../harness/src/platform/core/index.js';
import { createTestContext, type TestContext } from './itg-context.js';

/** What statements that go to the server together promise on every engine. Each test has a database of its own. */
export function statementClaims(engine: string, open: () => Promise<OpenedDatabase>): void {
  const claim = (name: string, check: (opened: OpenedDatabase, context: TestContext) => Promise<void>): void =>
    test(`${engine}: ${name}`, async () => {
      await using opened = await open();
      await check(opened, createTestContext({ database: opened }));
    });
  const sum = (reading: Reading, value: number): CompiledQuery<{ readonly sum: number }> =>
    sql<{ readonly sum: number }>`select ${value}::int + 1 as sum`.compile(reading);

  claim('queries sent together are answered in order, in a transaction or not', async ({ database }, context) => {
    const words = (reading: Reading) =>
      sql<{ readonly word: string }>`select word from unnest(${['b', 'a"\\,{}', 'ü']}::text[]) as word`.compile(
        reading,
      );
    const asked = (reading: Reading) => together(reading, [sum(reading, 1), words(reading), sum(reading, 2)]);
    const expected = [[{ sum: 2 }], [{ word: 'b' }, { word: 'a"\\,{}' }, { word: 'ü' }], [{ sum: 3 }]];
    expect(await asked(database)).toEqual(expected);
    expect(await context.transact(asked)).toEqual(expected);
    expect(await together(database, [])).toEqual([]);
  });

  claim('no statement runs after one that fails, and the connection goes on', async ({ database }, context) => {
    await sql`create table counted (n int primary key)`.execute(database);
    const inserted = (reading: Reading, ...numbers: readonly number[]) =>
      together(
        reading,
        numbers.map((n) => sql`insert into counted select ${n}::int`.compile(reading)),
      );
    for (const work of [
      async () => context.transact(async (transaction) => inserted(transaction, 1, 2, 2, 3)),
      async () => inserted(database, 1, 2, 2, 3),
      // Read by the server for the first time behind what fails.
      async () => together(database, [sql`select 1 / ${0}::int`.compile(database), sum(database, 1)]),
    ])
      await expect(work()).rejects.toMatchObject({ code: expect.stringMatching(/^(?:23505|22012)$/) });
    await context.transact(async (transaction) => inserted(transaction, 4, 5));
    expect(await together(database, [sum(database, 1)])).toEqual([[{ sum: 2 }]]);
    const { rows } = await sql`select n from counted order by n`.execute(database);
    expect(rows).toEqual([{ n: 4 }, { n: 5 }]);
  });

  claim('a value that does not fit fails its statement, and not those that come later', async ({ database }) => {
    const tooLarge = () => sql`select 9007199254740993::bigint + ${0} as n`.execute(database);
    await expect(tooLarge()).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(tooLarge()).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await together(database, [sum(database, 4)])).toEqual([[{ sum: 5 }]]);
  });

  claim('statements that were prepared before read a new column of a table', async ({ database }, context) => {
    await sql`create table grown (n int)`.execute(database);
    await sql`insert into grown values (1)`.execute(database);
    const read = () =>
      context.transact(
        async (transaction) => (await sql`select * from grown where n = ${1}`.execute(transaction)).rows,
      );
    expect([await read(), await read()]).toEqual([[{ n: 1 }], [{ n: 1 }]]);
    await sql`alter table grown add column more text default 'yes'`.execute(database);
    expect(await read()).toEqual([{ n: 1, more: 'yes' }]);
  });

  claim('a transaction without a statement leaves the connection as it was', async (opened, context) => {
    expect(await context.transact(async () => 'nothing')).toBe('nothing');
    const failed = context.transact(async () => {
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    const level = await context.transact(
      async (transaction) =>
        (await sql`select current_setting('transaction_isolation') as level`.execute(transaction)).rows,
    );
    expect(level).toEqual([{ level: 'serializable' }]);
    await context.transact(async (transaction) => {
      await sql`create table one_more (n int); insert into one_more values (1)`.execute(transaction);
    });
    expect((await sql`select n from one_more`.execute(opened.database)).rows).toEqual([{ n: 1 }]);
  });

  claim('held versions are those of the transaction, and the next sees the change', async ({ database }, context) => {
    await sql`create table registry (name text)`.execute(database);
    await sql`create trigger registry_version after insert on registry
      for each statement execute function core_note_change('registry')`.execute(database);
    const memory = createVersionedMemory('registry');
    let reads = 0;
    const names = async (reading: Reading): Promise<readonly string[]> => {
      const remembered = await memory.at(reading);
      const found = await remembered.read('names', ['all'], async () => {
        reads += 1;
        const { rows } = await sql<{ readonly name: string }>`select name from registry order by name`.execute(reading);
        return new Map([['all', rows.map(({ name }) => name)]]);
      });
      return found.get('all') ?? [];
    };
    const held = () =>
      context.transact(async (transaction) => {
        holdVersions(transaction);
        // On the way of what is asked anyway.
        expect(await together(transaction, [sum(transaction, 1)])).toEqual([[{ sum: 2 }]]);
        return [await names(transaction), await names(transaction)];
      });
    await sql`insert into registry values ('one')`.execute(database);
    expect(await held()).toEqual([['one'], ['one']]);
    expect([await held(), reads]).toEqual([[['one'], ['one']], 1]);
    await sql`insert into registry values ('two')`.execute(database);
    const both = ['one', 'two'];
    expect([await held(), reads]).toEqual([[both, both], 2]);
  });

  claim(
    'deferred writes commit with the events, and fail the transaction if they fail',
    async ({ database }, context) => {
      await sql`create table counted (n int primary key)`.execute(database);
      const count = async (reading: Reading): Promise<number> =>
        (await sql<{ readonly n: number }>`select n from counted`.execute(reading)).rows.length;
      const later = (...numbers: readonly number[]) =>
        context.transact(async (transaction) => {
          const before = await count(transaction);
          for (const n of numbers)
            await writeLater(transaction, [sql`insert into counted select ${n}::int`.compile(transaction)]);
          const data = { tracebackId: 't-1', isFinal: true };
          await context.announce(transaction, { type: 'traceback.concluded', subject: 't-1', data });
          return (await count(transaction)) - before;
        });
      expect([await later(1, 2), await count(database)]).toEqual([0, 2]);
      await expect(later(3, 2)).rejects.toMatchObject({ code: '23505' });
      expect(await count(database)).toBe(2);
      const told = await database.selectFrom('core_events').select('position').execute();
      expect(told).toHaveLength(1);
    },
  );

  claim('a query that is compiled once has the values of each time it is asked', async ({ database }) => {
    const next = compiledOnce(sum);
    const second = compiledOnce((reading: Reading, value: number) => sum(reading, value + 1));
    const found = [];
    for (const value of [1, 5])
      found.push(...(await together(database, [next(database, value), second(database, value)])));
    expect(found).toEqual([[{ sum: 2 }], [{ sum: 3 }], [{ sum: 6 }], [{ sum: 7 }]]);
    // Which is first is not seen while both are the same.
    const difference = compiledOnce((reading: Reading, less: number, more: number) =>
      sql<{ readonly n: number }>`select ${more}::int - ${less}::int as n`.compile(reading),
    );
    const differences = await together(database, [difference(database, 1, 1), difference(database, 1, 3)]);
    expect(differences).toEqual([[{ n: 0 }], [{ n: 2 }]]);
  });
}
