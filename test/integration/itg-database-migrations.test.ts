import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { AreaDefinition, PlatformMigration } from '../../harness/src/platform/core/index.js';
import {
  createKeyRing,
  migratePlatform,
  openKeyRing,
  openPlatformDatabase,
  readKeyRing,
  rekeySealed,
  saveKeyRing,
  withNewKey,
  withoutKeys,
} from '../../harness/src/platform/database/index.js';
import { createTestContext } from '../support/itg-context.js';
import { emptyDatabase, openTestDatabase } from '../support/itg-database.js';

const migration = (name: string, text: string): PlatformMigration => ({
  name,
  up: async (database) => {
    await sql.raw(text).execute(database);
  },
});
const area = (name: string, migrations: readonly PlatformMigration[]): AreaDefinition => ({ name, migrations });

test('migrations run once and in order, and those of a database that the release does not fit are refused', async () => {
  await using database = await openPlatformDatabase({ memory: true, template: await emptyDatabase() });
  const first = migration('one-001', 'create table one_a (a int)');
  const second = migration('one-002', 'alter table one_a add column b int');
  expect((await migratePlatform(database, [area('one', [second, first])])).applied.slice(-2)).toEqual([
    'one-001',
    'one-002',
  ]);
  expect((await migratePlatform(database, [area('one', [first, second])])).applied).toEqual([]);
  const refused = async (definitions: readonly AreaDefinition[], reason: string): Promise<void> =>
    expect(migratePlatform(database, definitions)).rejects.toMatchObject({
      code: 'invalid-configuration',
      details: { reason },
    });
  await refused(
    [area('one', [first, migration('one-002', 'alter table one_a add column c int')])],
    'migration-changed',
  );
  await refused([area('one', [first])], 'database-of-later-release');
  await refused([area('one', [first, migration('one-001-late', 'select 1'), second])], 'migration-out-of-order');
  await refused([area('one', [first, second, second])], 'migration-named-twice');
  await refused([area('one', [first, second, migration('two-001', 'select 1')])], 'migration-misnamed');
  const spaced = migration('one-002', 'alter  table one_a\n add column b int');
  expect((await migratePlatform(database, [area('one', [first, spaced])])).applied).toEqual([]);
});

test('a migration that fails leaves nothing, and runs when it has been put right', async () => {
  await using database = await openPlatformDatabase({ memory: true, template: await emptyDatabase() });
  const broken: PlatformMigration = {
    name: 'one-001',
    up: async (tables) => {
      await sql`create table one_a (a int)`.execute(tables);
      await sql`select nothing`.execute(tables);
    },
  };
  await expect(migratePlatform(database, [area('one', [broken])])).rejects.toMatchObject({
    code: 'storage-failed',
    details: { migration: 'one-001' },
  });
  const right = migration('one-001', 'create table one_a (a int)');
  expect((await migratePlatform(database, [area('one', [right])])).applied).toEqual(['one-001']);
});

test('the key ring is made once, readable by its owner alone, and refused where others may read it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hopback-itg-keys-'));
  const path = join(folder, 'keys', 'ring.json');
  const [one, two] = await Promise.all([openKeyRing(path), openKeyRing(path)]);
  expect(two).toEqual(one);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const turned = withNewKey(one);
  await saveKeyRing(path, turned);
  expect(await openKeyRing(path)).toEqual(turned);
  expect([turned.current.id, turned.keys.size, turned.pseudonymKey]).toEqual(['k2', 2, one.pseudonymKey]);
  await chmod(path, 0o640);
  await expect(openKeyRing(path)).rejects.toMatchObject({ code: 'key-unusable' });
  await chmod(path, 0o600);
  const text = await readFile(path, 'utf8');
  for (const wrong of [
    '',
    '{}',
    'null',
    text.slice(1),
    text.replace('"k2"', '"k9"'),
    text.replace('ring-1', 'ring-2'),
  ]) {
    expect(readKeyRing(wrong)).toBeUndefined();
  }
  await writeFile(path, '{}');
  await expect(openKeyRing(path)).rejects.toMatchObject({ code: 'key-unusable' });
  await rm(folder, { recursive: true });
});

test('after a change of keys what was sealed opens, is sealed anew, and then needs the former key no more', async () => {
  await using database = await openTestDatabase();
  const before = createKeyRing();
  const first = createTestContext({ database, keyRing: before });
  const references = await first.transact(async (transaction) => {
    const made: string[] = [];
    for (let count = 0; count < 600; count += 1) made.push(await first.sealed.seal(transaction, `v${count}`, 't:1'));
    return made;
  });
  const turned = withNewKey(before);
  const second = createTestContext({ database, keyRing: turned });
  expect(await rekeySealed(second, turned)).toBe(600);
  const third = createTestContext({ database, keyRing: withoutKeys(turned, ['k1', 'k2']) });
  const reason = { organizationId: 'o', actor: 'a', object: 'x' };
  const opened = await third.transact((transaction) => third.sealed.open(transaction, references, reason));
  expect([...opened.values()].toSorted()).toEqual(Array.from({ length: 600 }, (_, count) => `v${count}`).toSorted());
  await expect(
    first.transact((transaction) => first.sealed.open(transaction, references, reason)),
  ).rejects.toMatchObject({
    code: 'key-unusable',
  });
});
