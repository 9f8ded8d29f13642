import { sql } from 'kysely';
import type { AreaDefinition } from '../core/index.js';
import { countChanges } from '../database/index.js';

/** Versions of who is let in. */
export const CLIENTS = 'clients';

/** Tables of organizations, clients, keys, tokens and used assertions. */
export const trustDefinition: AreaDefinition = {
  name: 'trust',
  migrations: [
    {
      name: 'trust-001-organizations',
      up: async (database) => {
        await sql`create table trust_organizations (
          organization_id text primary key,
          kind text not null,
          name text not null,
          jurisdiction text,
          contact_email text,
          state text not null,
          created_at_ms bigint not null)`.execute(database);
        await sql`create index trust_organizations_kind on trust_organizations (kind, organization_id)`.execute(
          database,
        );
        await sql`create table trust_clients (
          client_id text primary key,
          organization_id text not null references trust_organizations (organization_id),
          name text not null,
          roles jsonb not null,
          certificates jsonb not null,
          state text not null,
          created_at_ms bigint not null)`.execute(database);
        await sql`create index trust_clients_organization on trust_clients (organization_id, client_id)`.execute(
          database,
        );
        await sql`create table trust_keys (
          client_id text not null references trust_clients (client_id),
          key_id text not null,
          algorithm text not null,
          jwk jsonb not null,
          added_at_ms bigint not null,
          ends_at_ms bigint,
          primary key (client_id, key_id))`.execute(database);
      },
    },
    {
      name: 'trust-002-tokens',
      up: async (database) => {
        await sql`create table trust_tokens (
          token_hash text primary key,
          client_id text not null references trust_clients (client_id),
          key_id text not null,
          certificate text,
          issued_at_ms bigint not null,
          ends_at_ms bigint not null)`.execute(database);
        await sql`create index trust_tokens_client on trust_tokens (client_id, ends_at_ms)`.execute(database);
        await sql`create index trust_tokens_ends on trust_tokens (ends_at_ms)`.execute(database);
        await sql`create table trust_assertions (
          client_id text not null,
          jti_hash text not null,
          ends_at_ms bigint not null,
          primary key (client_id, jti_hash))`.execute(database);
        await sql`create index trust_assertions_ends on trust_assertions (ends_at_ms)`.execute(database);
      },
    },
    {
      name: 'trust-003-versions',
      up: (database) => countChanges(database, CLIENTS, ['trust_clients', 'trust_organizations']),
    },
  ],
};
