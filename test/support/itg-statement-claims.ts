import { sql } from 'kysely';
import type { CompiledQuery } from 'kysely';
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
import { createTestContext } from './itg-context.js';

/** What statements that go to the server together promise on every engine. Each test has a database of its own. */
export function statementClaims(engine: string, open: () => Promise<OpenedDatabase>): void {
  const sum = (reading: Reading, value: number): CompiledQuery<{ readonly sum: number }> =>
    sql<{ readonly sum: number }>`select ${value}::int + 1 as sum`.compile(reading);

  test(`${engine}: queries that go together are answered in their order, in a transaction and outside of one`, async () => {
    await using opened = await open();
    const { database } = opened;
    const context = createTestContext({ database: opened });
    const asked = (reading: Reading) =>
      together(reading, [
        sum(reading, 1),
        sql<{ readonly word: string }>`select word from unnest(${['b', 'a"\\,{}', 'ü']}::text[]) as word`.compile(
          reading,
        ),
        sum(reading, 2),
      ]);
    const expected = [[{ sum: 2 }], [{ word: 'b' }, { word: 'a"\\,{}' }, { word: 'ü' }], [{ sum: 3 }]];
    expect(await asked(database)).toEqual(expected);
    expect(await context.transact(asked)).toEqual(expected);
    expect(await together(database, [])).toEqual([]);
  });

  test(`${engine}: of statements that go together none is carried out behind one that fails, and the connection goes on`, async () => {
    await using opened = await open();
    const { database } = opened;
    const context = createTestContext({ database: opened });
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

  test(`${engine}: a value that does not fit fails its statement, and not those that come later`, async () => {
    await using opened = await open();
    const { database } = opened;
    const tooLarge = () => sql`select 9007199254740993::bigint + ${0} as n`.execute(database);
    await expect(tooLarge()).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(tooLarge()).rejects.toMatchObject({ code: 'storage-failed' });
    expect(await together(database, [sum(database, 4)])).toEqual([[{ sum: 5 }]]);
  });

  test(`${engine}: a table that gets another column is read with it, by statements that were prepared before`, async () => {
    await using opened = await open();
    const { database } = opened;
    const context = createTestContext({ database: opened });
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

  test(`${engine}: a transaction that asks for nothing, or fails before it does, leaves the connection as it was`, async () => {
    await using opened = await open();
    const context = createTestContext({ database: opened });
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

  test(`${engine}: versions that are held are those that the transaction sees, and the next transaction sees what changed`, async () => {
    await using opened = await open();
    const { database } = opened;
    const context = createTestContext({ database: opened });
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
    expect([await held(), reads]).toEqual([
      [
        ['one', 'two'],
        ['one', 'two'],
      ],
      2,
    ]);
  });

  test(`${engine}: what is written later is there with what the transaction tells, and what it cannot be fails the transaction`, async () => {
    await using opened = await open();
    const { database } = opened;
    const context = createTestContext({ database: opened });
    await sql`create table counted (n int primary key)`.execute(database);
    const count = async (reading: Reading): Promise<number> =>
      (await sql<{ readonly n: number }>`select n from counted`.execute(reading)).rows.length;
    const later = (...numbers: readonly number[]) =>
      context.transact(async (transaction) => {
        const before = await count(transaction);
        for (const n of numbers)
          await writeLater(transaction, [sql`insert into counted select ${n}::int`.compile(transaction)]);
        await context.announce(transaction, {
          type: 'traceback.concluded',
          subject: 't-1',
          data: { tracebackId: 't-1', isFinal: true },
        });
        return (await count(transaction)) - before;
      });
    expect([await later(1, 2), await count(database)]).toEqual([0, 2]);
    await expect(later(3, 2)).rejects.toMatchObject({ code: '23505' });
    expect(await count(database)).toBe(2);
    const told = await database.selectFrom('core_events').select('position').execute();
    expect(told).toHaveLength(1);
  });

  test(`${engine}: a query that is compiled once has the values of each time, also where they are not its parameters`, async () => {
    await using opened = await open();
    const { database } = opened;
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
    expect(await together(database, [difference(database, 1, 1), difference(database, 1, 3)])).toEqual([
      [{ n: 0 }],
      [{ n: 2 }],
    ]);
  });
}
