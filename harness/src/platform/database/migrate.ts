import { createHash } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import type { Generated, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { AreaDefinition, EpochMs, PlatformMigration } from '../core/index.js';
import { KeyedTable } from './area-work.js';
import { recordedStatements } from './connection-pool.js';
import type { OpenedDatabase } from './open-database.js';

/**
 * Tables that every area has. Positions of events and of the audit come from a function that takes a shared lock before the first position of
 * a transaction, named by the sequence and the last position that was given: whoever has a position is then seen by whoever looks at the
 * locks, until its transaction has ended and can be seen, and no reader steps over it. Nobody ever waits for such a lock.
 * @see PostgreSQL, section 13.3.5, advisory locks
 */
const CORE_DEFINITION: AreaDefinition = {
  name: 'core',
  migrations: [
    {
      name: 'core-001-events-and-audit',
      up: async (database) => {
        await sql`create sequence core_event_positions`.execute(database);
        await sql`create sequence core_audit_positions`.execute(database);
        // Bits 44 to 62 are of the sequence, and never 0, where the locks of others are; those below are the position.
        await sql`create function core_position_lock(of_sequence regclass, after bigint) returns bigint
          language sql immutable as $$
            select ((of_sequence::oid::bigint & 262143 | 262144) << 44) | after & 17592186044415 $$`.execute(database);
        await sql`create function core_next_position(of_sequence regclass) returns bigint language plpgsql as $$
          declare
            marker text := 'hopback.has_position_' || of_sequence::oid;
          begin
            if current_setting(marker, true) is distinct from 'yes' then
              perform pg_advisory_xact_lock_shared(
                core_position_lock(of_sequence, coalesce(pg_sequence_last_value(of_sequence), 0)));
              perform set_config(marker, 'yes', true);
            end if;
            return nextval(of_sequence);
          end $$`.execute(database);
        // The newest position first, and then the locks: whoever has that position or a lower one took its lock before.
        await sql`create function core_settled_position(of_sequence regclass, out newest bigint, out settled bigint)
          language plpgsql as $$
          begin
            newest := coalesce(pg_sequence_last_value(of_sequence), 0);
            settled := least(newest, (
              select min(held.key & 17592186044415)
              from pg_locks, lateral (select classid::bigint << 32 | objid::bigint as key) as held
              where locktype = 'advisory' and objsubid = 1
                and database = (select oid from pg_database where datname = current_database())
                and held.key >> 44 = core_position_lock(of_sequence, 0) >> 44));
          end $$`.execute(database);
        await sql`create table core_events (
          position bigint primary key default core_next_position('core_event_positions'),
          event_id text not null unique,
          at_ms bigint not null,
          type text not null,
          subject text not null,
          data jsonb not null,
          audience jsonb not null)`.execute(database);
        await sql`create index core_events_at on core_events (at_ms)`.execute(database);
        await sql`create table core_audit (
          position bigint primary key default core_next_position('core_audit_positions'),
          at_ms bigint not null,
          action text not null,
          organization_id text not null,
          actor text not null,
          object text not null,
          details jsonb not null,
          leaf_index bigint)`.execute(database);
        await sql`create index core_audit_object on core_audit (object, position)`.execute(database);
        await sql`create index core_audit_organization on core_audit (organization_id, position)`.execute(database);
        await sql`create index core_audit_action on core_audit (action, position)`.execute(database);
        await sql`create index core_audit_at on core_audit (at_ms, position)`.execute(database);
        await sql`create index core_audit_waiting on core_audit (position) where leaf_index is null`.execute(database);
      },
    },
    {
      name: 'core-002-sealed',
      up: async (database) => {
        await sql`create table core_sealed (
          reference text primary key,
          key_id text not null,
          nonce text not null,
          ciphertext text not null,
          at_ms bigint not null,
          belongs_to text not null)`.execute(database);
        await sql`create index core_sealed_belongs_to on core_sealed (belongs_to)`.execute(database);
        await sql`create index core_sealed_key on core_sealed (key_id, reference)`.execute(database);
      },
    },
    {
      name: 'core-003-work',
      up: async (database) => {
        await sql`create table core_reactions (
          area text primary key,
          position bigint not null,
          failing_position bigint,
          failures int not null default 0)`.execute(database);
        await sql`create table core_set_aside (
          area text not null,
          position bigint not null,
          event_id text not null,
          type text not null,
          at_ms bigint not null,
          reason text not null,
          primary key (area, position))`.execute(database);
        await sql`create table core_jobs (
          name text primary key,
          started_ms bigint,
          ended_ms bigint,
          runs bigint not null default 0,
          failures bigint not null default 0,
          consecutive_failures int not null default 0)`.execute(database);
        await sql`create table core_meta (name text primary key, value text not null)`.execute(database);
      },
    },
    {
      name: 'core-004-versions',
      up: async (database) => {
        await sql`create table core_versions (name text primary key, version bigint not null)`.execute(database);
        // Given once, also where the transaction that had it is rolled back.
        await sql`create sequence core_version_numbers`.execute(database);
        await sql`create function core_note_change() returns trigger language plpgsql as ${sql.raw(`$$
          begin
            insert into core_versions values (tg_argv[0], nextval('core_version_numbers'))
              on conflict (name) do update set version = excluded.version;
            return null;
          end $$`)}`.execute(database);
      },
    },
    {
      name: 'core-005-job-failures',
      up: async (database) => {
        await sql`create table core_job_failures (
          job text not null,
          item text not null,
          attempts int not null,
          next_try_ms bigint not null,
          reason text not null,
          primary key (job, item))`.execute(database);
      },
    },
  ],
};

/** Key of the lock that whoever migrates holds: any number that nobody else uses. */
const MIGRATION_LOCK = 7_236_651;

/** In `core_meta` while a restore is under way: what is there is not whole. */
export const RESTORING = 'restore.unfinished';

interface PlannedMigration extends PlatformMigration {
  readonly area: string;
  /** SHA-256 of the statements that it gives to an empty database. */
  readonly hash: string;
}

/** What ran. */
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
 * @returns names of migrations that ran now, in order, and how many there are in all
 * @throws HopbackError `invalid-configuration`, `reason` in its details: `migration-named-twice`, `migration-misnamed`, `migration-changed` (its
 * statements are others than those that ran), `migration-out-of-order` (it sorts before one that ran), `database-of-later-release` (one
 * ran that this release does not know), `restore-unfinished` (a restore into this database ended early: begin it anew); what a migration itself throws, with its name in the message
 */
export async function migratePlatform(
  opened: Pick<OpenedDatabase, 'database'>,
  definitions: readonly AreaDefinition[],
  { isRestore = false }: { readonly isRestore?: boolean } = {},
): Promise<{ readonly applied: readonly string[]; readonly total: number }> {
  const planned = await plan([CORE_DEFINITION, ...definitions]);
  const database = opened.database.withTables<MigrationTable>();
  await prepared(database);
  const applied: string[] = [];
  if (!isRestore) await requireRestored(opened);
  for (const migration of planned) {
    if (await carriedOut(database, planned, migration)) applied.push(migration.name);
  }
  if (isRestore && (await META.get(opened.database, RESTORING)) === undefined)
    await META.add(opened.database, { name: RESTORING, value: '' });
  return { applied, total: planned.length };
}

async function requireRestored({ database }: Pick<OpenedDatabase, 'database'>): Promise<void> {
  const { rows } = await sql`select 1 from pg_class
    where relname = 'core_meta' and relnamespace = current_schema()::regnamespace`.execute(database);
  if (rows.length === 0) return;
  if ((await META.get(database, RESTORING)) === undefined) return;
  throw new HopbackError('invalid-configuration', 'a restore into this database ended early: begin it anew', {
    details: { reason: 'restore-unfinished' },
  });
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

/** Tables of the core that only the code in this folder reads and writes. */
export type CoreWorkTables = {
  /** How far each area has reacted to events. */
  readonly core_reactions: {
    readonly area: string;
    /** Of the last event that was reacted to, or set aside. */
    readonly position: number;
    /** Of the event whose reaction fails now, and how often it did. */
    readonly failing_position: number | null;
    readonly failures: Generated<number>;
  };
  /** Events that an area could not react to. */
  readonly core_set_aside: {
    readonly area: string;
    readonly position: number;
    readonly event_id: string;
    readonly type: string;
    readonly at_ms: EpochMs;
    readonly reason: string;
  };
  readonly core_jobs: {
    readonly name: string;
    readonly started_ms: number | null;
    readonly ended_ms: number | null;
    readonly runs: Generated<number>;
    readonly failures: Generated<number>;
    readonly consecutive_failures: Generated<number>;
  };
  /** Items of jobs that failed: when each is tried again, and whether it was set aside. */
  readonly core_job_failures: {
    readonly job: string;
    readonly item: string;
    readonly attempts: number;
    readonly next_try_ms: EpochMs;
    readonly reason: string;
  };
  readonly core_meta: { readonly name: string; readonly value: string };
};

export const META = new KeyedTable<CoreWorkTables['core_meta']>('core_meta', 'name');

/** A table with the columns that are stored: what is generated is not. */
export interface TableShape {
  readonly table: string;
  readonly columns: readonly { readonly column: string; readonly type: string }[];
}

type AnyDatabase = Pick<Kysely<never>, 'getExecutor'>;

/** Comment of a table that is in no archive: what it holds is made anew. */
export const NOT_ARCHIVED = 'not archived';

/** Tables of the schema that belong into an archive, by name. */
export async function databaseTables(database: AnyDatabase): Promise<readonly TableShape[]> {
  const { rows } = await sql<{
    readonly table: string;
    readonly column: string;
    readonly type: string;
  }>`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
      and obj_description(c.oid, 'pg_class') is distinct from ${NOT_ARCHIVED}
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by c.relname, a.attnum`.execute(database);
  const tables = new Map<string, { readonly column: string; readonly type: string }[]>();
  for (const { table, column, type } of rows) tables.set(table, [...(tables.get(table) ?? []), { column, type }]);
  return [...tables].map(([table, columns]) => ({ table, columns }));
}

/** Where each sequence is. Numbers as text. */
export async function sequenceValues(database: AnyDatabase): Promise<
  readonly {
    readonly name: string;
    readonly value: string;
    readonly isCalled: boolean;
  }[]
> {
  const { rows } = await sql<{ readonly name: string }>`
    select relname as name from pg_class
    where relkind = 'S' and relnamespace = current_schema()::regnamespace order by relname`.execute(database);
  const values: {
    readonly name: string;
    readonly value: string;
    readonly isCalled: boolean;
  }[] = [];
  for (const { name } of rows) {
    const found = await sql<{ readonly value: string; readonly is_called: boolean }>`
      select last_value::text as value, is_called from ${sql.ref(name)}`.execute(database);
    const [row] = found.rows;
    if (row !== undefined) values.push({ name, value: row.value, isCalled: row.is_called });
  }
  return values;
}

/** A step of the schema that is these statements, in order. */
export const statements =
  (...all: readonly string[]): PlatformMigration['up'] =>
  async (database) => {
    for (const statement of all) await sql.raw(statement).execute(database);
  };
