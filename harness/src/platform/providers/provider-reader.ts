import type { ProviderEntry } from '@hopback/sdk/platform';
import type { PlatformProblem } from '@hopback/sdk/internal';
import { problemAnswer } from '@hopback/sdk/internal';
import type { ProviderReference } from '@hopback/sdk/traceback';
import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type {
  OperationCall,
  ProviderDirectory,
  ProviderResolution,
  Reading,
  RegisteredProvider,
} from '../core/index.js';
import type { RememberedVersion } from '../database/index.js';
import { createVersionedMemory, isAmong, together } from '../database/index.js';
import type { CodeOwner, ProviderCode, ResolvedReference } from '../domain/providers/resolve-reference.js';
import { codesToLookUp, resolveReference } from '../domain/providers/resolve-reference.js';
import type { OfficeContact, ProviderTables } from './provider-tables.js';
import { REGISTRY, tablesOf } from './provider-tables.js';

/** Longest stretch of time that is counted: as long as providers keep what they answer by. */
const MAX_RANGE_MS = 5 * 366 * 86_400_000;
/** Stretch of a scorecard where nothing is said. */
const YEAR_MS = 365 * 86_400_000;

/** A parameter that is not what it has to be. */
export const wrongParameter = (pointer: string): PlatformProblem =>
  problemAnswer('invalid-parameter', { errors: [{ pointer, code: 'invalid_format' }] });

/** A body that is in its form and cannot be. @param pointer - RFC 6901 */
export const wrongBody = (pointer: string, code: string): PlatformProblem =>
  problemAnswer('invalid-body', { errors: [{ pointer, code }] });

/** A stretch of time, milliseconds since the epoch; `toMs` is not in it. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The stretch that a call asks for; undefined where there is none, or it is too long. */
export function rangeOf(call: OperationCall): TimeRange | undefined {
  const { from, to } = call.request.parameters;
  const toMs = to === undefined ? call.atMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - YEAR_MS : Date.parse(from);
  return fromMs < toMs && toMs - fromMs <= MAX_RANGE_MS ? { fromMs, toMs } : undefined;
}

/** What is in a JSON body, in the form that its schema has seen to. */
export const bodyOf = (call: OperationCall): unknown => call.request.body;

/** A parameter of the path, which is always there. */
export const pathOf = (call: OperationCall, name: string): string => call.request.parameters[name] ?? '';

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

/** Makes the registry that other areas ask: it remembers what it read until the registry changes. */
export function createProviderDirectory(hasClient: HasClient): ProviderDirectory {
  const memory = createVersionedMemory(REGISTRY);
  const registered = async (
    reading: Reading,
    ...[registry, providerIds]: [RememberedVersion, readonly string[]]
  ): Promise<ReadonlyMap<string, RegisteredProvider>> => {
    const kept = await registry.read('provider', providerIds, (ids) => readProviders(reading, ids));
    const reachable = await hasClient(reading, [...kept.keys()]);
    return new Map([...kept].map(([id, provider]) => [id, asRegistered(provider, reachable.has(id))]));
  };
  const resolveAll: ProviderDirectory['resolveAll'] = async (reading, references) => {
    const registry = await memory.at(reading);
    const names = references.map((reference) => JSON.stringify(reference));
    const resolved = await registry.read('reference', names, async (missing) => {
      const asked = missing.map((name) => JSON.parse(name) as ProviderReference);
      const found = await resolve(reading, asked);
      return new Map(missing.map((name, at): [string, ResolvedReference] => [name, found[at] ?? UNLISTED]));
    });
    const all = names.map((name) => resolved.get(name) ?? UNLISTED);
    const ids = all.flatMap((one) => (one.status === 'found' ? [one.providerId] : []));
    const found = await registered(reading, registry, ids);
    return all.map((one): ProviderResolution => {
      if (one.status !== 'found') return one;
      const provider = found.get(one.providerId);
      return provider === undefined ? UNLISTED : { status: 'found', provider };
    });
  };
  const providers: ProviderDirectory['providers'] = async (reading, providerIds) =>
    registered(reading, await memory.at(reading), providerIds);
  return {
    providers,
    resolveAll,
    provider: async (reading, providerId) => (await providers(reading, [providerId])).get(providerId),
    resolve: async (reading, reference) => {
      const [resolution] = await resolveAll(reading, [reference]);
      return resolution ?? UNLISTED;
    },
  };
}

const UNLISTED = { status: 'unlisted' } as const;

const asRegistered = ({ entry, zone, keys }: KeptProvider, isReachable: boolean): RegisteredProvider => ({
  entry,
  zone: zone ?? ASSUMED_ZONE,
  isReachable,
  answerKeys: keys.map(({ jwk, until_ms: untilMs }) => ({ jwk, ...(untilMs !== null && { untilMs }) })),
});

/** A provider of the registry; undefined where it is not in it. */
export async function readProvider(reading: Reading, providerId: string): Promise<KeptProvider | undefined> {
  return (await readProviders(reading, [providerId])).get(providerId);
}

/** Providers of the registry, by id. */
async function readProviders(
  reading: Reading,
  providerIds: readonly string[],
): Promise<ReadonlyMap<string, KeptProvider>> {
  if (providerIds.length === 0) return new Map();
  const tables = tablesOf(reading);
  const [rows, keys] = await together(reading, [
    tables
      .selectFrom('providers_entries')
      .select(['provider_id', 'entry', 'zone', 'office'])
      .where(isAmong('provider_id', providerIds))
      .compile(),
    tables
      .selectFrom('providers_keys')
      .selectAll()
      .where(isAmong('provider_id', providerIds))
      .orderBy('from_ms')
      .orderBy('key_id')
      .compile(),
  ]);
  const keysOf = new Map<string, KeptKey[]>(rows.map((row) => [row.provider_id, []]));
  for (const key of keys) keysOf.get(key.provider_id)?.push(key);
  return new Map(
    rows.map((row) => [
      row.provider_id,
      {
        entry: row.entry,
        ...(row.zone !== null && { zone: row.zone }),
        ...(row.office !== null && { contact: row.office }),
        keys: keysOf.get(row.provider_id) ?? [],
      },
    ]),
  );
}

/** Whom references mean: all of them together. */
async function resolve(
  reading: Reading,
  references: readonly ProviderReference[],
): Promise<readonly ResolvedReference[]> {
  const codes = references.map((reference) => codesToLookUp(reference));
  const { owners: all, codesOfOwners } = await ownersOf(reading, codes.flat());
  const owners = codes.map((asked) => asked.flatMap((code) => all.get(codeName(code)) ?? []));
  return references.map((reference, at) => {
    const own = owners[at] ?? [];
    const known = new Set(own.map(({ providerId }) => providerId));
    return resolveReference(reference, {
      owners: own,
      codesOfOwners: codesOfOwners.filter(({ providerId }) => known.has(providerId)),
    });
  });
}

/** Owners of one name or code that are looked at: whatever more than one has tells nobody apart. */
const MAX_OWNERS = 64;
/** Codes of one statement, of two values each. */
const CODES_OF_A_STATEMENT = 10_000;

const codeName = ({ kind, value }: ProviderCode): string => `${kind}:${value}`;

interface CodeOwners {
  /** By {@link codeName}: of each code as many as tell that it has several. */
  readonly owners: ReadonlyMap<string, readonly CodeOwner[]>;
  /** All codes of these owners. */
  readonly codesOfOwners: readonly CodeOwner[];
}

/** Owners of codes, and what else they are known under: asked together, since owners are looked up sooner than a second question gets to the server. */
async function ownersOf(reading: Reading, codes: readonly ProviderCode[]): Promise<CodeOwners> {
  const unique = [...new Map(codes.map((code) => [codeName(code), code])).values()];
  const owners = new Map<string, CodeOwner[]>(unique.map((code) => [codeName(code), []]));
  const codesOfOwners: CodeOwner[] = [];
  for (let at = 0; at < unique.length; at += CODES_OF_A_STATEMENT) {
    const asked = sql`
      from jsonb_to_recordset(${JSON.stringify(unique.slice(at, at + CODES_OF_A_STATEMENT))}::jsonb)
        as asked (kind text, value text)
      cross join lateral (
        (select provider_id from providers_entries where asked.kind = 'id' and provider_id = asked.value)
        union all
        (select provider_id from providers_codes
          where asked.kind <> 'id' and kind = asked.kind and value = asked.value limit ${MAX_OWNERS})
      ) as owner`;
    const [rows, known] = await together(reading, [
      sql<CodeOwner>`select asked.kind, asked.value, owner.provider_id as "providerId" ${asked}`.compile(reading),
      sql<CodeOwner>`
        select kind, value, provider_id as "providerId" from providers_codes
        where provider_id in (select owner.provider_id ${asked})`.compile(reading),
    ]);
    for (const row of rows) owners.get(codeName(row))?.push(row);
    codesOfOwners.push(...known);
  }
  return { owners, codesOfOwners };
}
