import type { PlatformScope } from '@hopback/sdk/platform';
import type { Selectable } from 'kysely';
import type { AreaDefinition, EpochMs, JsonColumn, Reading, StaffRole } from '../core/index.js';
import { countChanges, statements } from '../database/index.js';
import type { Client, Organization } from './trust-bodies.js';

/** Tables of who may call. No secret is in them: keys are public halves, tokens are hashes. */
export type TrustTables = {
  readonly trust_organizations: {
    readonly organization_id: string;
    readonly kind: PlatformScope;
    readonly name: string;
    readonly jurisdiction: string | null;
    readonly contact_email: string | null;
    readonly state: 'active' | 'revoked';
    readonly created_at_ms: EpochMs;
  };
  readonly trust_clients: {
    readonly client_id: string;
    readonly organization_id: string;
    readonly name: string;
    readonly roles: JsonColumn<readonly StaffRole[]>;
    /** SHA-256 of certificates, base64url; where there are some, tokens are given over a connection with one of them alone. */
    readonly certificates: JsonColumn<readonly string[]>;
    readonly state: 'active' | 'revoked';
    readonly created_at_ms: EpochMs;
  };
  readonly trust_keys: {
    readonly client_id: string;
    readonly key_id: string;
    readonly algorithm: string;
    readonly jwk: JsonColumn<Readonly<Record<string, unknown>>>;
    readonly added_at_ms: EpochMs;
    /** From when on it is not believed any longer. */
    readonly ends_at_ms: number | null;
  };
  readonly trust_tokens: {
    /** SHA-256, hexadecimal: whoever reads the table can call nobody's operations. */
    readonly token_hash: string;
    readonly client_id: string;
    readonly key_id: string;
    /** Certificate that it is bound to. RFC 8705 section 3 */
    readonly certificate: string | null;
    readonly issued_at_ms: EpochMs;
    readonly ends_at_ms: EpochMs;
  };
  /** Assertions that were used, until they are over anyway. */
  readonly trust_assertions: {
    readonly client_id: string;
    readonly jti_hash: string;
    readonly ends_at_ms: EpochMs;
  };
};

/** Versions of who is let in. */
export const CLIENTS = 'clients';

/** Tables of organizations, clients, keys, tokens and used assertions. */
export const trustDefinition: AreaDefinition = {
  name: 'trust',
  migrations: [
    {
      name: 'trust-001-organizations',
      up: statements(
        `create table trust_organizations (
          organization_id text primary key,
          kind text not null,
          name text not null,
          jurisdiction text,
          contact_email text,
          state text not null,
          created_at_ms bigint not null)`,
        'create index trust_organizations_kind on trust_organizations (kind, organization_id)',
        `create table trust_clients (
          client_id text primary key,
          organization_id text not null references trust_organizations (organization_id),
          name text not null,
          roles jsonb not null,
          certificates jsonb not null,
          state text not null,
          created_at_ms bigint not null)`,
        'create index trust_clients_organization on trust_clients (organization_id, client_id)',
        `create table trust_keys (
          client_id text not null references trust_clients (client_id),
          key_id text not null,
          algorithm text not null,
          jwk jsonb not null,
          added_at_ms bigint not null,
          ends_at_ms bigint,
          primary key (client_id, key_id))`,
      ),
    },
    {
      name: 'trust-002-tokens',
      up: statements(
        `create table trust_tokens (
          token_hash text primary key,
          client_id text not null references trust_clients (client_id),
          key_id text not null,
          certificate text,
          issued_at_ms bigint not null,
          ends_at_ms bigint not null)`,
        'create index trust_tokens_client on trust_tokens (client_id, ends_at_ms)',
        'create index trust_tokens_ends on trust_tokens (ends_at_ms)',
        `create table trust_assertions (
          client_id text not null,
          jti_hash text not null,
          ends_at_ms bigint not null,
          primary key (client_id, jti_hash))`,
        'create index trust_assertions_ends on trust_assertions (ends_at_ms)',
      ),
    },
    {
      name: 'trust-003-versions',
      up: (database) => countChanges(database, CLIENTS, ['trust_clients', 'trust_organizations']),
    },
  ],
};

type OrganizationRow = Selectable<TrustTables['trust_organizations']>;
type ClientRow = Selectable<TrustTables['trust_clients']>;
type KeyRow = Pick<
  Selectable<TrustTables['trust_keys']>,
  'client_id' | 'key_id' | 'algorithm' | 'added_at_ms' | 'ends_at_ms'
>;

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** An organization as it crosses the wire. */
export function organizationOf(row: OrganizationRow): Organization {
  return {
    organizationId: row.organization_id,
    kind: row.kind,
    name: row.name,
    ...(row.jurisdiction !== null && { jurisdiction: row.jurisdiction }),
    ...(row.contact_email !== null && { contactEmail: row.contact_email }),
    state: row.state,
    createdAt: timeOf(row.created_at_ms),
  };
}

function keyOf(row: KeyRow): Client['keys'][number] {
  return {
    keyId: row.key_id,
    algorithm: row.algorithm,
    addedAt: timeOf(row.added_at_ms),
    ...(row.ends_at_ms !== null && { endsAt: timeOf(row.ends_at_ms) }),
  };
}

function clientOf(row: ClientRow, keys: readonly KeyRow[]): Client {
  return {
    clientId: row.client_id,
    organizationId: row.organization_id,
    name: row.name,
    roles: row.roles,
    certificates: row.certificates,
    state: row.state,
    createdAt: timeOf(row.created_at_ms),
    keys: keys.filter((key) => key.client_id === row.client_id).map(keyOf),
  };
}

/** One organization; undefined where there is none. */
export async function organizationRow(reading: Reading, organizationId: string): Promise<OrganizationRow | undefined> {
  return reading
    .withTables<TrustTables>()
    .selectFrom('trust_organizations')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
}

/** Clients with their keys, by id. */
export async function clientsOf(
  reading: Reading,
  query: {
    readonly clientId?: string;
    readonly organizationId?: string | undefined;
    readonly after?: string | undefined;
    readonly limit: number;
  },
): Promise<readonly Client[]> {
  const { clientId, organizationId, after, limit } = query;
  const tables = reading.withTables<TrustTables>();
  let chosen = tables.selectFrom('trust_clients').selectAll().orderBy('client_id').limit(limit);
  if (clientId !== undefined) chosen = chosen.where('client_id', '=', clientId);
  if (organizationId !== undefined) chosen = chosen.where('organization_id', '=', organizationId);
  if (after !== undefined) chosen = chosen.where('client_id', '>', after);
  const rows = await chosen.execute();
  if (rows.length === 0) return [];
  const keys = await tables
    .selectFrom('trust_keys')
    .select(['client_id', 'key_id', 'algorithm', 'added_at_ms', 'ends_at_ms'])
    .where(
      'client_id',
      'in',
      rows.map(({ client_id: id }) => id),
    )
    .orderBy('added_at_ms')
    .orderBy('key_id')
    .execute();
  return rows.map((row) => clientOf(row, keys));
}

/** One client; undefined where there is none. */
export async function clientById(reading: Reading, clientId: string): Promise<Client | undefined> {
  return (await clientsOf(reading, { clientId, limit: 1 }))[0];
}

/** Whether anybody is left who can say who may call. */
export async function hasOperator(reading: Reading): Promise<boolean> {
  const staff = await reading
    .withTables<TrustTables>()
    .selectFrom('trust_clients as client')
    .innerJoin('trust_organizations as organization', 'organization.organization_id', 'client.organization_id')
    .select(['client.roles'])
    .where('client.state', '=', 'active')
    .where('organization.state', '=', 'active')
    .where('organization.kind', '=', 'staff')
    .execute();
  return staff.some(({ roles }) => roles.includes('operator'));
}
