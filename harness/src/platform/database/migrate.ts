import { createHash } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import { sql, type Kysely } from 'kysely';
import type { AreaDefinition, PlatformMigration } from '../core/index.js';
import type { CoreWorkTables } from './core-work-tables.js';
import { CORE_DEFINITION } from './core-migrations.js';
import { recordedStatements } from './recorded-statements.js';
import type { OpenedDatabase } from './open-database.js';

/** Key of the lock that whoever migrates holds: any number that nobody else uses. */
const MIGRATION_LOCK = 7_236_651;

/** In `core_meta` while a restore is under way: what is there is not whole. */
export const RESTORING = 'restore.unfinished';

/** What was done to the schema. */
export interface MigrationReport {
  /** Names of migrations that ran now, in order. */
  readonly applied: readonly string[];
  /** How many are there in all. */
  readonly total: number;
}

interface PlannedMigration extends PlatformMigration {
  readonly area: string;
  /** SHA-256 of the statements that it gives to an empty database. */
  readonly hash: string;
}

/** @internal */
export type MigrationTable = {
  readonly core_migrations: {
    readonly name: string;
    readonly area: string;
    readonly hash: string;
    readonly at_ms: number;
  };
};

/**
 * Brings the schema up to date: the tables of the core, then those of each area in the order given. Each migration runs once, in a
 * transaction of its own with the note that it ran; of processes that start at once one runs it and the others wait.
 * @param opened - the database
 * @param definitions - every area of the release
 * @returns what ran
 * @throws HopbackError `invalid-configuration`, `reason` in its details: `migration-named-twice`, `migration-misnamed`, `migration-changed` (its
 * statements are others than those that ran), `migration-out-of-order` (it sorts before one that ran), `database-of-later-release` (one
 * ran that this release does not know), `restore-unfinished` (a restore into this database ended early: begin it anew); what a migration itself throws, with its name in the message
 */
export async function migratePlatform(
  opened: Pick<OpenedDatabase, 'database'>,
  definitions: readonly AreaDefinition[],
  options: { readonly isRestore?: boolean } = {},
): Promise<MigrationReport> {
  const planned = await plan([CORE_DEFINITION, ...definitions]);
  const database = opened.database.withTables<MigrationTable>();
  await prepared(database);
  const applied: string[] = [];
  if (options.isRestore !== true) await requireRestored(opened);
  for (const migration of planned) {
    if (await carriedOut(database, planned, migration)) applied.push(migration.name);
  }
  if (options.isRestore === true) await markRestoring(opened);
  return { applied, total: planned.length };
}

async function requireRestored({ database }: Pick<OpenedDatabase, 'database'>): Promise<void> {
  const { rows } = await sql`select 1 from pg_class
    where relname = 'core_meta' and relnamespace = current_schema()::regnamespace`.execute(database);
  if (rows.length === 0) return;
  const meta = database.withTables<CoreWorkTables>().selectFrom('core_meta').select('name');
  if ((await meta.where('name', '=', RESTORING).executeTakeFirst()) === undefined) return;
  throw new HopbackError('invalid-configuration', 'a restore into this database ended early: begin it anew', {
    details: { reason: 'restore-unfinished' },
  });
}

async function markRestoring({ database }: Pick<OpenedDatabase, 'database'>): Promise<void> {
  await database
    .withTables<CoreWorkTables>()
    .insertInto('core_meta')
    .values({ name: RESTORING, value: '' })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function plan(definitions: readonly AreaDefinition[]): Promise<readonly PlannedMigration[]> {
  const planned: PlannedMigration[] = [];
  const names = new Set<string>();
  for (const { name: area, migrations } of definitions) {
    const inOrder = migrations.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, up } of inOrder) {
      if (!name.startsWith(`${area}-`)) throw refused('migration-misnamed', name);
      if (names.has(name)) throw refused('migration-named-twice', name);
      names.add(name);
      const statements = await recordedStatements(up);
      planned.push({ name, up, area, hash: createHash('sha256').update(statements.join('\n;\n')).digest('hex') });
    }
  }
  return planned;
}

/** The table of what ran, made under the lock: two that make it at once would trip over each other. */
async function prepared(database: Kysely<MigrationTable>): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(transaction);
    await sql`create table if not exists core_migrations (
      name text primary key, area text not null, hash text not null, at_ms bigint not null)`.execute(transaction);
  });
}

type RecordedMigrations = ReadonlyMap<string, { readonly area: string; readonly hash: string }>;

async function recorded(database: Kysely<MigrationTable>): Promise<RecordedMigrations> {
  const rows = await database.selectFrom('core_migrations').select(['name', 'area', 'hash']).execute();
  return new Map(rows.map(({ name, area, hash }) => [name, { area, hash }]));
}

/** Runs a migration unless it ran; looks at what ran after it has the lock, since another process may just have done it. */
async function carriedOut(
  database: Kysely<MigrationTable>,
  planned: readonly PlannedMigration[],
  migration: PlannedMigration,
): Promise<boolean> {
  return database.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)})`.execute(transaction);
    const ran = await recorded(transaction);
    requireKnown(ran, planned);
    const { name, area, hash, up } = migration;
    const before = ran.get(name);
    if (before !== undefined) {
      if (before.hash !== hash) throw refused('migration-changed', name);
      return false;
    }
    for (const [other, one] of ran) {
      if (one.area === area && other > name) throw refused('migration-out-of-order', name);
    }
    // A table of many rows takes its time, once.
    await sql`set local statement_timeout = 0`.execute(transaction);
    try {
      await up(transaction as unknown as Kysely<unknown>);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'no reason given';
      throw new HopbackError('storage-failed', `migration ${name} failed: ${why}`, {
        cause,
        details: { migration: name },
      });
    }
    await sql`insert into core_migrations (name, area, hash, at_ms)
      values (${name}, ${area}, ${hash}, (extract(epoch from clock_timestamp()) * 1000)::bigint)`.execute(transaction);
    return true;
  });
}

function requireKnown(ran: RecordedMigrations, planned: readonly PlannedMigration[]): void {
  const known = new Set(planned.map(({ name }) => name));
  for (const name of ran.keys()) if (!known.has(name)) throw refused('database-of-later-release', name);
}

const WHY = {
  'migration-named-twice': 'has the name of another one',
  'migration-misnamed': 'has a name that does not begin with that of its area',
  'migration-changed': 'is not what ran on this database: write a new one instead of changing it',
  'migration-out-of-order': 'sorts before one that ran on this database: name it behind that',
  'database-of-later-release':
    'ran on this database, and this release does not know it: start the release that made it',
} as const;

function refused(reason: keyof typeof WHY, migration: string): HopbackError {
  const details = { reason, migration };
  return new HopbackError('invalid-configuration', `migration ${migration} ${WHY[reason]}`, { details });
}
