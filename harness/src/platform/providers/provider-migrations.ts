import { sql } from 'kysely';
import type { AreaDefinition } from '../core/index.js';
import { countChanges } from '../database/index.js';

/** Versions of what the registry says of providers. */
export const REGISTRY = 'providers';

/** Tables of the registry, of objections and of outages. Names sort by code unit on every engine: `collate "C"`. */
export const providersDefinition: AreaDefinition = {
  name: 'providers',
  migrations: [
    {
      name: 'providers-001-registry',
      up: async (database) => {
        await sql`create table providers_entries (
          provider_id text primary key,
          frn text unique,
          sort_name text collate "C" not null,
          search_text text not null,
          entry jsonb not null,
          updated_at_ms bigint not null,
          import_id text,
          zone text,
          office jsonb)`.execute(database);
        await sql`create index providers_entries_order on providers_entries (sort_name, provider_id collate "C")`.execute(
          database,
        );
        await sql`create index providers_entries_updated on providers_entries (updated_at_ms)`.execute(database);
        await sql`create table providers_codes (
          kind text not null,
          value text not null,
          provider_id text not null references providers_entries (provider_id),
          primary key (kind, value, provider_id))`.execute(database);
        await sql`create index providers_codes_provider on providers_codes (provider_id)`.execute(database);
        await sql`create table providers_history (
          provider_id text not null,
          from_ms bigint not null,
          to_ms bigint,
          entry jsonb not null,
          source text not null)`.execute(database);
        await sql`create index providers_history_provider on providers_history (provider_id, from_ms)`.execute(
          database,
        );
        await sql`create table providers_keys (
          provider_id text not null references providers_entries (provider_id),
          key_id text not null,
          jwk jsonb not null,
          from_ms bigint not null,
          until_ms bigint,
          primary key (provider_id, key_id))`.execute(database);
        await sql`create table providers_imports (
          import_id text primary key,
          at_ms bigint not null,
          actor text not null,
          source text not null,
          sha256 text not null,
          counts jsonb not null,
          rejected jsonb not null)`.execute(database);
        await sql`create index providers_imports_at on providers_imports (at_ms)`.execute(database);
      },
    },
    {
      name: 'providers-002-scorecards',
      up: async (database) => {
        await sql`create table providers_contests (
          contest_id text primary key,
          provider_id text not null,
          request_id text not null unique,
          issued_at_ms bigint not null,
          reason text not null,
          state text not null,
          contested_at_ms bigint not null,
          contested_by text not null,
          decided_at_ms bigint,
          decided_by text,
          decision_reason text)`.execute(database);
        await sql`create index providers_contests_issued on providers_contests (issued_at_ms)`.execute(database);
        await sql`create index providers_contests_provider on providers_contests (provider_id, contested_at_ms)`.execute(
          database,
        );
        await sql`create table providers_outages (
          outage_id text primary key,
          from_ms bigint not null,
          to_ms bigint not null,
          reason text not null,
          actor text not null)`.execute(database);
        await sql`create index providers_outages_to on providers_outages (to_ms)`.execute(database);
      },
    },
    {
      name: 'providers-003-versions',
      up: (database) => countChanges(database, REGISTRY, ['providers_entries', 'providers_codes', 'providers_keys']),
    },
  ],
};
