import type { Selectable } from 'kysely';
import type { Reading } from '../core/index.js';
import type { Client, ClientKey, Organization } from './trust-bodies.js';
import type { TrustTables } from './trust-tables.js';

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

function keyOf(row: KeyRow): ClientKey {
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
    readonly organizationId?: string;
    readonly after?: string;
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
