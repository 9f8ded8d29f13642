import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { AreaDefinition, PlatformMigration } from '../../harness/src/platform/core/index.js';
import {
  createKeyRing,
  migratePlatform,
  openKeyRing,
  openPlatformDatabase,
  readKeyRing,
} from '../../harness/src/platform/database/index.js';
import { createTestContext } from '../support/itg-context.js';
import { emptyDatabase, openTestDatabase } from '../support/itg-database.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

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
  await using folder = await createTemporaryDirectory();
  const path = folder.at('keys', 'ring.json');
  const [one, two] = await Promise.all([openKeyRing(path), openKeyRing(path)]);
  expect(two).toEqual(one);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await chmod(path, 0o640);
  await expect(openKeyRing(path)).rejects.toMatchObject({ code: 'key-unusable' });
  await chmod(path, 0o600);
  const text = await readFile(path, 'utf8');
  for (const wrong of [
    '',
    '{}',
    'null',
    text.slice(1),
    text.replace('"k1"', '"k9"'),
    text.replace('ring-1', 'ring-2'),
  ]) {
    expect(readKeyRing(wrong)).toBeUndefined();
  }
  await writeFile(path, '{}');
  await expect(openKeyRing(path)).rejects.toMatchObject({ code: 'key-unusable' });
});

test('with a key more in the ring what was sealed before opens, and without its key it does not', async () => {
  await using database = await openTestDatabase();
  const before = createKeyRing();
  const first = createTestContext({ database, keyRing: before });
  const sealed = (context: typeof first, value: string) =>
    context.transact((transaction) => context.sealed.seal(transaction, value, 't:1'));
  const current = { id: 'k2', key: randomBytes(32) };
  const turned = { ...before, current, keys: new Map([...before.keys, ['k2', current]]) };
  const second = createTestContext({ database, keyRing: turned });
  const references = [await sealed(first, 'old'), await sealed(second, 'new')];
  const reason = { organizationId: 'o', actor: 'a', object: 'x' };
  const opened = (context: typeof first) =>
    context.transact((transaction) => context.sealed.open(transaction, references, reason));
  expect([...(await opened(second)).values()].toSorted()).toEqual(['new', 'old']);
  await expect(opened(first)).rejects.toMatchObject({ code: 'key-unusable' });
});
