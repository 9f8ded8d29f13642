import type { AgencyEntry, Caller, OrganizationDirectory, PlatformArea, Reading } from '../core/index.js';
import type { FirstOperator } from './client-operations.js';
import { clientOperations, makeFirstOperator } from './client-operations.js';
import { organizationOperations } from './organization-operations.js';
import { callerOf, forgetEnded, issueToken } from './token-desk.js';
import type { CallerOptions, TokenParts } from './token-desk.js';
import { createVersionedMemory, isAmong } from '../database/index.js';
import type { VersionedMemory } from '../database/index.js';
import { TRUST_SCHEMAS } from './trust-bodies.js';
import type { TrustTables } from './trust-tables.js';
import { CLIENTS } from './trust-tables.js';
import { TRUST_ROUTES } from './trust-routes.js';

/** How often ended tokens and assertions are removed, milliseconds: some ten thousand rows an hour at seven thousand clients. */
const FORGETTING_MS = 300_000;

/** Who may call: organizations, clients, keys and tokens. */
export interface TrustArea extends PlatformArea, OrganizationDirectory {
  /** Knows whose a token is. */
  readonly tokens: {
    /** Undefined where nobody may call with it. Never rejects for peer input. */
    readonly callerOf: (token: string, options: CallerOptions) => Promise<Caller | undefined>;
  };
  /** Which of some organizations have a client that may call now. */
  readonly hasClient: (reading: Reading, organizationIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Whether a client may call now: of what is open for longer than a call takes. */
  readonly mayCall: (
    reading: Reading,
    client: { readonly organizationId: string; readonly clientId?: string },
  ) => Promise<boolean>;
  readonly makeFirstOperator: (first: FirstOperator) => Promise<'made' | 'there'>;
}

/** Makes the area. */
export function createTrustArea(parts: TokenParts): TrustArea {
  const { context } = parts;
  const clients = createVersionedMemory(CLIENTS);
  return {
    name: 'trust',
    routes: TRUST_ROUTES,
    schemas: TRUST_SCHEMAS,
    operations: {
      issueToken: (call) => issueToken(parts, call),
      ...organizationOperations(context),
      ...clientOperations(context),
    },
    jobs: [
      {
        name: 'trust.forget-ended',
        everyMs: FORGETTING_MS,
        run: async (nowMs) => {
          await forgetEnded(context, nowMs);
        },
      },
    ],
    reactions: {},
    tokens: { callerOf: (token, options) => callerOf(context, token, options) },
    makeFirstOperator: (first) => makeFirstOperator(context, first),
    ...directory(clients),
    mayCall,
    hasClient: rememberedClients(clients),
  };
}

/** Who there is beside providers: those who are let in. Remembered until one of them changes. */
function directory(memory: VersionedMemory): OrganizationDirectory {
  return {
    agencies: async (reading) => {
      const clients = await memory.at(reading);
      const found = await clients.read('agencies', [ALL], async () => new Map([[ALL, await agencyEntries(reading)]]));
      return found.get(ALL) ?? [];
    },
    agency: async (reading, agencyId) => {
      const row = await agencyRows(reading).where('organization_id', '=', agencyId).executeTakeFirst();
      return row === undefined ? undefined : entryOf(row)[0];
    },
    staff: async (reading) => {
      const clients = await memory.at(reading);
      const found = await clients.read('staff', [ALL], async () => new Map([[ALL, await staffIds(reading)]]));
      return found.get(ALL) ?? [];
    },
  };
}

/** Under which all of a kind are remembered. */
const ALL = 'all';

async function agencyEntries(reading: Reading): Promise<readonly AgencyEntry[]> {
  const rows = await agencyRows(reading).orderBy('organization_id').execute();
  return rows.flatMap(entryOf);
}

async function staffIds(reading: Reading): Promise<readonly string[]> {
  const rows = await reading
    .withTables<TrustTables>()
    .selectFrom('trust_organizations')
    .select('organization_id')
    .where('kind', '=', 'staff')
    .where('state', '=', 'active')
    .orderBy('organization_id')
    .execute();
  return rows.map(({ organization_id: id }) => id);
}

const agencyRows = (reading: Reading) =>
  reading
    .withTables<TrustTables>()
    .selectFrom('trust_organizations')
    .select(['organization_id', 'name', 'jurisdiction', 'contact_email'])
    .where('kind', '=', 'agency')
    .where('state', '=', 'active');

function entryOf(row: {
  readonly organization_id: string;
  readonly name: string;
  readonly jurisdiction: string | null;
  readonly contact_email: string | null;
}): readonly AgencyEntry[] {
  const { organization_id: agencyId, name, jurisdiction, contact_email: contactEmail } = row;
  return jurisdiction === null || contactEmail === null ? [] : [{ agencyId, name, jurisdiction, contactEmail }];
}

/** Organizations that one statement names. */
const ASKED_AT_ONCE = 5_000;

/** Remembered until an organization or a client changes. */
function rememberedClients(memory: VersionedMemory): TrustArea['hasClient'] {
  return async (reading, organizationIds) => {
    const clients = await memory.at(reading);
    const found = await clients.read('has-client', organizationIds, async (missing) => {
      const having = await withClients(reading, missing);
      return new Map(missing.map((id) => [id, having.has(id)]));
    });
    return new Set([...found].flatMap(([id, has]) => (has ? [id] : [])));
  };
}

async function withClients(reading: Reading, organizationIds: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let at = 0; at < organizationIds.length; at += ASKED_AT_ONCE) {
    const rows = await reading
      .withTables<TrustTables>()
      .selectFrom('trust_clients as client')
      .innerJoin('trust_organizations as organization', 'organization.organization_id', 'client.organization_id')
      .select('client.organization_id')
      .distinct()
      .where(isAmong('client.organization_id', organizationIds.slice(at, at + ASKED_AT_ONCE)))
      .where('client.state', '=', 'active')
      .where('organization.state', '=', 'active')
      .execute();
    for (const row of rows) found.add(row.organization_id);
  }
  return found;
}

const mayCall: TrustArea['mayCall'] = async (reading, { organizationId, clientId }) => {
  const found = await reading
    .withTables<TrustTables>()
    .selectFrom('trust_clients as client')
    .innerJoin('trust_organizations as organization', 'organization.organization_id', 'client.organization_id')
    .select('client.client_id')
    .where('client.organization_id', '=', organizationId)
    .$if(clientId !== undefined, (query) => query.where('client.client_id', '=', clientId ?? ''))
    .where('client.state', '=', 'active')
    .where('organization.state', '=', 'active')
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
};
