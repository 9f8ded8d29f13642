import type { ProviderEntry } from '@hopback/sdk/platform';
import type { ProviderReference } from '@hopback/sdk/traceback';
import { sql } from 'kysely';
import type { RawBuilder, Selectable } from 'kysely';
import type { ProviderDirectory, Reading, RegisteredProvider } from '../core/index.js';
import { codesToLookUp, resolveReference } from '../domain/providers/index.js';
import type { CodeOwner, ProviderCode, ResolvedReference } from '../domain/providers/index.js';
import type { OfficeContact, ProviderTables } from './provider-tables.js';

/**
 * Zone of an office that nobody has stated: the easternmost of the contiguous States, in which deadlines come first. Where readings
 * of a deadline differ the earlier one binds.
 */
export const ASSUMED_ZONE = 'America/New_York';

/** Which of some organizations have a client, so that they can be asked over the wire. Answered by whoever registers clients. */
export type HasClient = (reading: Reading, organizationIds: readonly string[]) => Promise<ReadonlySet<string>>;

/** A registered provider with what only staff sees. */
export interface KeptProvider {
  readonly entry: ProviderEntry;
  readonly zone?: string;
  readonly contact?: OfficeContact;
  readonly keys: readonly KeptKey[];
}

export type KeptKey = Selectable<ProviderTables['providers_keys']>;

/** Makes the registry that other areas ask. */
export function createProviderDirectory(hasClient: HasClient): ProviderDirectory {
  const provider: ProviderDirectory['provider'] = async (reading, providerId) => {
    const kept = await readProvider(reading, providerId);
    if (kept === undefined) return undefined;
    const reachable = await hasClient(reading, [providerId]);
    return asRegistered(kept, reachable.has(providerId));
  };
  return {
    provider,
    resolve: async (reading, reference) => {
      const resolved = await resolve(reading, reference);
      if (resolved.status !== 'found') return resolved;
      const found = await provider(reading, resolved.providerId);
      return found === undefined ? { status: 'unlisted' } : { status: 'found', provider: found };
    },
  };
}

const asRegistered = ({ entry, zone, keys }: KeptProvider, isReachable: boolean): RegisteredProvider => ({
  entry,
  zone: zone ?? ASSUMED_ZONE,
  isReachable,
  answerKeys: keys.map(({ jwk, until_ms: untilMs }) => ({ jwk, ...(untilMs !== null && { untilMs }) })),
});

/** A provider of the registry; undefined where it is not in it. */
export async function readProvider(reading: Reading, providerId: string): Promise<KeptProvider | undefined> {
  const tables = reading.withTables<ProviderTables>();
  const row = await tables
    .selectFrom('providers_entries')
    .select(['entry', 'zone', 'office'])
    .where('provider_id', '=', providerId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const keys = await tables
    .selectFrom('providers_keys')
    .selectAll()
    .where('provider_id', '=', providerId)
    .orderBy('from_ms')
    .orderBy('key_id')
    .execute();
  return {
    entry: row.entry,
    ...(row.zone !== null && { zone: row.zone }),
    ...(row.office !== null && { contact: row.office }),
    keys,
  };
}

async function resolve(reading: Reading, reference: ProviderReference): Promise<ResolvedReference> {
  const codes = codesToLookUp(reference);
  const owners = await ownersOf(reading, codes);
  const ids = [...new Set(owners.map(({ providerId }) => providerId))];
  const codesOfOwners = ids.length === 0 ? [] : await codesOfProviders(reading, ids.slice(0, MAX_OWNERS));
  return resolveReference(reference, { owners, codesOfOwners });
}

/** Owners of one name or code that are looked at: whatever more than one has tells nobody apart. */
const MAX_OWNERS = 64;

async function ownersOf(reading: Reading, codes: readonly ProviderCode[]): Promise<readonly CodeOwner[]> {
  const tables = reading.withTables<ProviderTables>();
  const ids = codes.filter(({ kind }) => kind === 'id').map(({ value }) => value);
  const others = codes.filter(({ kind }) => kind !== 'id');
  const byId =
    ids.length === 0
      ? []
      : await tables.selectFrom('providers_entries').select('provider_id').where('provider_id', 'in', ids).execute();
  const byCode =
    others.length === 0
      ? []
      : await tables
          .selectFrom('providers_codes')
          .selectAll()
          .where((row) => row.or(others.map(({ kind, value }) => row.and({ kind, value }))))
          .limit(MAX_OWNERS)
          .execute();
  return [
    ...byId.map(({ provider_id: providerId }) => ({ kind: 'id' as const, value: providerId, providerId })),
    ...byCode.map(ownerOf),
  ];
}

async function codesOfProviders(reading: Reading, ids: readonly string[]): Promise<readonly CodeOwner[]> {
  const rows = await reading
    .withTables<ProviderTables>()
    .selectFrom('providers_codes')
    .selectAll()
    .where('provider_id', 'in', ids)
    .execute();
  return rows.map(ownerOf);
}

const ownerOf = ({
  kind,
  value,
  provider_id: providerId,
}: Selectable<ProviderTables['providers_codes']>): CodeOwner => ({
  kind: kind as CodeOwner['kind'],
  value,
  providerId,
});

/** What a list of providers is asked for with. */
export interface ProviderListQuery {
  readonly name?: string;
  readonly frn?: string;
  readonly ocn?: string;
  readonly spc?: string;
  readonly changedSinceMs?: number;
  /** Sorted name and id of the last item before. */
  readonly after?: { readonly sortName: string; readonly providerId: string };
  readonly limit: number;
}

/** Providers by business name, one more than asked for where there are more. */
export async function listEntries(
  reading: Reading,
  query: ProviderListQuery,
): Promise<readonly { readonly sortName: string; readonly entry: ProviderEntry }[]> {
  const { name, frn, changedSinceMs, after, limit } = query;
  let rows = reading
    .withTables<ProviderTables>()
    .selectFrom('providers_entries')
    .select(['sort_name', 'entry'])
    .orderBy('sort_name')
    .orderBy(sql`provider_id collate "C"`)
    .limit(limit + 1);
  if (name !== undefined) rows = rows.where('search_text', 'like', `%${escapedLike(name.toLowerCase())}%`);
  if (frn !== undefined) rows = rows.where('frn', '=', frn);
  if (changedSinceMs !== undefined) rows = rows.where('updated_at_ms', '>=', changedSinceMs);
  for (const kind of ['ocn', 'spc'] as const) {
    const value = query[kind];
    if (value === undefined) continue;
    rows = rows.where('provider_id', 'in', (row) =>
      row.selectFrom('providers_codes').select('provider_id').where('kind', '=', kind).where('value', '=', value),
    );
  }
  if (after !== undefined) rows = rows.where(behind(after));
  const found = await rows.execute();
  return found.map(({ sort_name: sortName, entry }) => ({ sortName, entry }));
}

/** Behind the last item of a page, in the order of the index. */
const behind = ({ sortName, providerId }: NonNullable<ProviderListQuery['after']>): RawBuilder<boolean> =>
  sql<boolean>`(sort_name, provider_id collate "C") > (${sortName}, ${providerId} collate "C")`;

/** A text as a pattern of LIKE that stands for itself. */
const escapedLike = (text: string): string => text.replace(/[\\%_]/g, (sign) => `\\${sign}`);
