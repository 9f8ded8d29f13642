import { sql } from 'kysely';
import type { AreaDefinition } from '../core/index.js';

/**
 * Tables that every area has. Positions of events and of the audit come from a function that takes the id of the transaction before the
 * position: whoever has a position is then seen by whoever asks which transactions still run, and no reader steps over it.
 */
export const CORE_DEFINITION: AreaDefinition = {
  name: 'core',
  migrations: [
    {
      name: 'core-001-events-and-audit',
      up: async (database) => {
        await sql`create sequence core_event_positions`.execute(database);
        await sql`create sequence core_audit_positions`.execute(database);
        await sql`create function core_next_position(of_sequence regclass) returns bigint language plpgsql as $$
          begin
            perform pg_current_xact_id();
            return nextval(of_sequence);
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
  ],
};
