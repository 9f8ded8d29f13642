import { sql } from 'kysely';
import type { AreaDefinition } from '../core/index.js';

/**
 * Tables that every area has. Positions of events and of the audit come from a function that takes a shared lock before the first position of
 * a transaction, named by the sequence and the last position that was given: whoever has a position is then seen by whoever looks at the
 * locks, until its transaction has ended and can be seen, and no reader steps over it. Nobody ever waits for such a lock.
 * @see PostgreSQL, section 13.3.5, advisory locks
 */
export const CORE_DEFINITION: AreaDefinition = {
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
