import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { AreaDefinition } from '../../harness/src/platform/core/index.js';
import {
  backupPlatform,
  migratePlatform,
  AuditLog,
  restorePlatform,
} from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createLogSigner } from '../../sdk/src/log/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { createTestContext } from './itg-context.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

const AREA: AreaDefinition = {
  name: 'odd',
  migrations: [
    {
      name: 'odd-001',
      up: async (database) => {
        await sql`create table odd_children (id bigint generated always as identity primary key, parent text, octets bytea, json jsonb,
          exact numeric, float float8, at timestamptz, texts text[], twice bigint generated always as (exact::bigint * 2) stored)`.execute(
          database,
        );
        await sql`create table odd_parents (name text primary key, self text references odd_parents (name))`.execute(
          database,
        );
        await sql`alter table odd_children add constraint odd_parent foreign key (parent) references odd_parents (name)`.execute(
          database,
        );
        await sql`insert into odd_parents values ('seeded', null)`.execute(database);
      },
    },
  ],
};

const dumped = async ({ database }: OpenedDatabase): Promise<unknown> => {
  const dumps: unknown[] = [];
  for (const [table, order] of Object.entries(TABLES)) {
    const { rows } = await sql`select t::text as row from ${sql.table(table)} as t order by ${sql.raw(order)}`.execute(
      database,
    );
    dumps.push([table, rows]);
  }
  return dumps;
};
const TABLES = { core_events: '1', core_audit: '1', core_sealed: '1', odd_parents: '1', odd_children: '1' };

/** That an archive of one engine can be restored into another. */
export function backupClaims(
  name: string,
  openFrom: () => Promise<OpenedDatabase>,
  openTo: () => Promise<OpenedDatabase>,
): void {
  test(`${name}: what was backed up while it is written to is there after it was restored, and the audit is whole`, async () => {
    await using folder = await createTemporaryDirectory();
    const signer = createLogSigner(createTestKey().privateKeyPem);
    const logOf = { logId: 'itg.example/audit', signer };
    await using from = await openFrom();
    await migratePlatform(from, [AREA]);
    const context = createTestContext({ database: from });
    await using audit = await AuditLog.open({ ...logOf, context, database: from, directory: folder.at('log') });
    const written = async (count: number): Promise<void> =>
      context.transact(async (transaction) => {
        const entry = { action: 'a', organizationId: 'o', actor: 'c', object: `x:${count}` };
        await context.audit(transaction, { ...entry, details: { text: 'a\u2028b\n"\\é', count } });
        await context.announce(transaction, {
          type: 'demand.approved',
          subject: 's',
          data: { demandId: `d-${count}` },
        });
        await context.sealed.seal(transaction, `+1215555${count}`, `t:${count}`);
      });
    for (let count = 0; count < 50; count += 1) await written(1_000 + count);
    const parents = Array.from({ length: 3_000 }, (_, at) => sql`(${`p${at}`}, ${`p${(at * 7 + 1) % 3_000}`})`);
    await sql`insert into odd_parents values ${sql.join(parents)}`.execute(from.database);
    await sql`insert into odd_children (parent, octets, json, exact, float, at, texts) values
      ('p1', '\\x00ff0a', 'null', 1.500, 0.1, '2026-11-02T12:00:00.123456Z', ${'{"a\u2028,",NULL,"\\""}'}),
      ('seeded', null, '{"a":[1e30,"\u2029"]}', 123456789012345678, 'NaN', 'infinity', '{}')`.execute(from.database);
    const before = await dumped(from);
    const archive = folder.at('archive');
    let pages = 0;
    const [manifest] = await Promise.all([
      backupPlatform({ database: from, audit, clock: context.clock }, archive, () => (pages += 1)),
      written(2_000),
    ]);
    expect(pages).toBeGreaterThan(5);
    await expect(backupPlatform({ database: from, audit, clock: context.clock }, archive)).rejects.toMatchObject({
      details: { reason: 'not-empty' },
    });

    await using to = await openTo();
    const target = { database: to, definitions: [AREA], folders: { audit: folder.at('restored') } };
    const sealed = join(archive, 'tables/core_sealed.ndjson');
    const good = await readFile(sealed);
    await writeFile(sealed, Buffer.concat([good, Buffer.from('\n')]));
    await expect(restorePlatform(archive, target)).rejects.toMatchObject({ details: { reason: 'archive-changed' } });
    await writeFile(sealed, good);
    await expect(restorePlatform(folder.at('log'), target)).rejects.toMatchObject({
      details: { reason: 'no-archive' },
    });
    await expect(restorePlatform(archive, { ...target, definitions: [] })).rejects.toMatchObject({
      details: { reason: 'other-release' },
    });
    await expect(migratePlatform(to, [])).rejects.toMatchObject({ details: { reason: 'restore-unfinished' } });
    expect((await restorePlatform(archive, target)).tables).toEqual(manifest.tables);
    await expect(restorePlatform(archive, target)).rejects.toMatchObject({ details: { reason: 'not-empty' } });
    expect((await migratePlatform(to, [AREA])).applied).toEqual([]);

    const isAfter = manifest.tables.find(({ table }) => table === 'core_audit')?.rows === 51;
    if (!isAfter) expect(rowsWithoutLeaves(await dumped(to))).toEqual(rowsWithoutLeaves(before));
    const restored = createTestContext({ database: to, keyRing: context.keyRing });
    await using log = await AuditLog.open({
      ...logOf,
      context: restored,
      database: to,
      directory: target.folders.audit,
    });
    await restored.transact((transaction) =>
      restored.audit(transaction, { action: 'after', organizationId: 'o', actor: 'c', object: 'x' }),
    );
    await log.drain();
    expect(await log.verify()).toMatchObject({ status: 'intact', waiting: 0 });
    const { rows } = await sql`insert into odd_children (exact) values (7) returning id, twice`.execute(to.database);
    expect(rows).toEqual([{ id: 3, twice: 14 }]);
    await expect(sql`insert into odd_children (parent) values ('nobody')`.execute(to.database)).rejects.toMatchObject({
      code: '23503',
    });
  });
}

/** The log goes on while the first look is taken: which leaf a row has may be known later. */
const rowsWithoutLeaves = (dump: unknown): unknown =>
  (dump as readonly [string, readonly { row: string }[]][]).map(([table, rows]) => [
    table,
    table === 'core_audit' ? rows.map(({ row }) => row.replace(/,\d*\)$/, ')')) : rows,
  ]);
