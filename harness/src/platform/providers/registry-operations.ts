import { createHash } from 'node:crypto';
import type { PlatformAnswer, ProviderEntry } from '@hopback/sdk/platform';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { Insertable } from 'kysely';
import { sql } from 'kysely';
import type { OperationCall, Operations, PlatformContext, PlatformTransaction } from '../core/index.js';
import type { Filing, RejectedFiling } from '../domain/providers/read-filings.js';
import { codesOf, readCursor, searchTextOf } from '../domain/providers/resolve-reference.js';
import { entryAfterFiling, isSameEntry, readFilings } from '../domain/providers/read-filings.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { RegistryImport, RegistryImportReport, Reinstatement, RemovalOrder } from './provider-bodies.js';
import {
  bodyOf,
  limitOf,
  listEntries,
  pageOf,
  pathOf,
  readProvider,
  timePlaceOf,
  wrongBody,
  wrongParameter,
} from './provider-reader.js';
import type { ImportCounts, ProviderTables } from './provider-tables.js';

/** Rows of one statement: 500 entries have 3,000 values, and PostgreSQL takes 65,535. */
const ROWS_PER_STATEMENT = 500;
/** Codes of one statement, of three values each. */
const CODES_PER_STATEMENT = 5_000;
/** Key of the lock that whoever writes to the registry holds: two imports at once would each find the other's providers missing. */
const REGISTRY_LOCK = 7_236_652;

/** An entry that is new or says something else than before. */
interface ChangedEntry {
  readonly entry: ProviderEntry;
  readonly isNew: boolean;
}

/** Lets nobody else write to the registry until the transaction ends. */
export async function lockRegistry(transaction: PlatformTransaction): Promise<void> {
  await sql`select pg_advisory_xact_lock(${REGISTRY_LOCK})`.execute(transaction);
}

/**
 * Writes entries, what they can be found by, and their history.
 * @param changed - each provider once
 * @param by - when, and on whose word: `import:…` or `staff:…`
 */
export async function writeEntries(
  transaction: PlatformTransaction,
  changed: readonly ChangedEntry[],
  by: { readonly nowMs: number; readonly source: string; readonly importId?: string },
): Promise<void> {
  const tables = transaction.withTables<ProviderTables>();
  for (const some of slices(changed, ROWS_PER_STATEMENT)) {
    const ids = some.map(({ entry }) => entry.providerId);
    await tables
      .insertInto('providers_entries')
      .values(some.map(({ entry }) => rowOf(entry, by)))
      .onConflict((conflict) =>
        conflict.column('provider_id').doUpdateSet((row) => ({
          frn: row.ref('excluded.frn'),
          sort_name: row.ref('excluded.sort_name'),
          search_text: row.ref('excluded.search_text'),
          entry: row.ref('excluded.entry'),
          updated_at_ms: row.ref('excluded.updated_at_ms'),
          import_id: sql<string | null>`coalesce(excluded.import_id, providers_entries.import_id)`,
        })),
      )
      .execute();
    await tables.deleteFrom('providers_codes').where('provider_id', 'in', ids).execute();
    await tables
      .updateTable('providers_history')
      .set({ to_ms: by.nowMs })
      .where('provider_id', 'in', ids)
      .where('to_ms', 'is', null)
      .execute();
    await tables
      .insertInto('providers_history')
      .values(
        some.map(({ entry }) => ({
          provider_id: entry.providerId,
          from_ms: by.nowMs,
          to_ms: null,
          entry: JSON.stringify(entry),
          source: by.source,
        })),
      )
      .execute();
  }
  const codes = changed.flatMap(({ entry }) =>
    codesOf(entry).map((code) => ({ ...code, provider_id: entry.providerId })),
  );
  for (const some of slices(codes, CODES_PER_STATEMENT))
    await tables.insertInto('providers_codes').values(some).execute();
}

function rowOf(
  entry: ProviderEntry,
  { nowMs, importId }: { readonly nowMs: number; readonly importId?: string },
): Insertable<ProviderTables['providers_entries']> {
  return {
    provider_id: entry.providerId,
    frn: entry.frn ?? null,
    sort_name: entry.businessName.toLowerCase(),
    search_text: searchTextOf(entry),
    entry: JSON.stringify(entry),
    updated_at_ms: nowMs,
    import_id: importId ?? null,
    zone: null,
    office: null,
  };
}

/** Stretches of a list. */
function slices<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/** Lines that a report names: who has more to mend has the wrong file. The count is of all. */
const MAX_NAMED_REJECTS = 1_000;
/** Numbers of one look-up. */
const NUMBERS_PER_STATEMENT = 5_000;

/** What came of an import. */
export type ImportOutcome =
  | { readonly status: 'imported'; readonly report: RegistryImportReport }
  | { readonly status: 'unreadable'; readonly reason: string; readonly column?: string };

/**
 * Takes a file of filings into the registry, whole or not at all. Done again it changes nothing. A provider that the file does not have
 * stays, and is counted.
 * @param order - the file, and where it is from
 * @param by - whose client brought it
 */
async function importFilings(
  context: PlatformContext,
  order: RegistryImport,
  by: { readonly organizationId: string; readonly clientId: string },
): Promise<ImportOutcome> {
  const reading = readFilings(order.csv);
  if (reading.status === 'unreadable') return reading;
  const { filings, rejected } = reading;
  const sha256 = createHash('sha256').update(order.csv).digest('hex');
  const report = await context.transact(async (transaction) => {
    await lockRegistry(transaction);
    const importId = context.newId('imp');
    const nowMs = context.clock.nowMs();
    const before = await entriesByNumber(transaction, filings);
    const changed = changesOf(filings, before, new Date(nowMs).toISOString());
    await writeEntries(transaction, changed, { nowMs, source: `import:${importId}`, importId });
    await markSeen(transaction, { filings, before, importId });
    const counts: ImportCounts = {
      lines: filings.length + rejected.length,
      added: changed.filter(({ isNew }) => isNew).length,
      changed: changed.filter(({ isNew }) => !isNew).length,
      unchanged: filings.length - changed.length,
      rejected: rejected.length,
      missing: await missingIn(transaction, importId),
    };
    const named = rejected.slice(0, MAX_NAMED_REJECTS);
    await noteImport(transaction, { importId, nowMs, counts, rejected: named, sha256, order, by });
    await context.audit(transaction, {
      action: 'registry.imported',
      organizationId: by.organizationId,
      actor: by.clientId,
      object: `registry-import:${importId}`,
      details: { ...counts, sha256 },
    });
    return {
      importId,
      importedAt: new Date(nowMs).toISOString(),
      source: textWithoutNumbers(order.source),
      sha256,
      ...counts,
      rejects: named,
    };
  });
  return { status: 'imported', report };
}

async function entriesByNumber(
  transaction: PlatformTransaction,
  filings: readonly Filing[],
): Promise<ReadonlyMap<string, ProviderEntry>> {
  const found = new Map<string, ProviderEntry>();
  for (const some of slices(filings, NUMBERS_PER_STATEMENT)) {
    const rows = await transaction
      .withTables<ProviderTables>()
      .selectFrom('providers_entries')
      .select(['frn', 'entry'])
      .where(
        'frn',
        'in',
        some.map(({ frn }) => frn),
      )
      .execute();
    for (const { frn, entry } of rows) if (frn !== null) found.set(frn, entry);
  }
  return found;
}

function changesOf(
  filings: readonly Filing[],
  before: ReadonlyMap<string, ProviderEntry>,
  updatedAt: string,
): readonly ChangedEntry[] {
  return filings.flatMap((filing) => {
    const known = before.get(filing.frn);
    const entry = entryAfterFiling(filing, known, updatedAt);
    return entry === known ? [] : [{ entry, isNew: known === undefined }];
  });
}

/** Of providers that did not change too: those which no import sees any longer are missing. */
async function markSeen(
  transaction: PlatformTransaction,
  {
    filings,
    before,
    importId,
  }: { filings: readonly Filing[]; before: ReadonlyMap<string, ProviderEntry>; importId: string },
): Promise<void> {
  const known = filings.map(({ frn }) => frn).filter((frn) => before.has(frn));
  for (const some of slices(known, NUMBERS_PER_STATEMENT))
    await transaction
      .withTables<ProviderTables>()
      .updateTable('providers_entries')
      .set({ import_id: importId })
      .where('frn', 'in', some)
      .execute();
}

async function missingIn(transaction: PlatformTransaction, importId: string): Promise<number> {
  const { missing } = await transaction
    .withTables<ProviderTables>()
    .selectFrom('providers_entries')
    .select((row) => row.fn.countAll<number>().as('missing'))
    .where('import_id', 'is not', null)
    .where('import_id', '!=', importId)
    .executeTakeFirstOrThrow();
  return missing;
}

interface NotedImport {
  readonly importId: string;
  readonly nowMs: number;
  readonly counts: ImportCounts;
  readonly rejected: readonly RejectedFiling[];
  readonly sha256: string;
  readonly order: RegistryImport;
  readonly by: { readonly clientId: string };
}

async function noteImport(transaction: PlatformTransaction, noted: NotedImport): Promise<void> {
  const { importId, nowMs, counts, rejected, sha256, order, by } = noted;
  await transaction
    .withTables<ProviderTables>()
    .insertInto('providers_imports')
    .values({
      import_id: importId,
      at_ms: nowMs,
      actor: by.clientId,
      source: textWithoutNumbers(order.source),
      sha256,
      counts: JSON.stringify(counts),
      rejected: JSON.stringify(rejected),
    })
    .execute();
}

/** Operations on the entries of the registry. */
export function createRegistryOperations(context: PlatformContext): Operations {
  return {
    listProviders: (call) => listProviders(context, call),
    fetchProvider: async (call) => {
      const kept = await readProvider(context.database, pathOf(call, 'providerId'));
      return kept === undefined ? problemAnswer('not-found') : jsonAnswer(kept.entry);
    },
    importRegistry: async (call) => {
      const { organizationId, clientId } = call.caller;
      const outcome = await importFilings(context, bodyOf(call) as RegistryImport, { organizationId, clientId });
      if (outcome.status === 'imported') return jsonAnswer(outcome.report);
      return wrongBody('/csv', outcome.column === undefined ? outcome.reason : `${outcome.reason}:${outcome.column}`);
    },
    listRegistryImports: (call) => listImports(context, call),
    listProviderVersions: (call) => listVersions(context, call),
    putProvider: (call) => {
      const entry = bodyOf(call) as ProviderEntry;
      if (entry.providerId !== pathOf(call, 'providerId')) return wrongBody('/providerId', 'other-than-path');
      return changeEntry(context, call, { action: 'provider.put', change: () => entry, mayBeNew: true });
    },
    removeProvider: (call) => {
      const removal = bodyOf(call) as RemovalOrder;
      return changeEntry(context, call, {
        action: 'provider.removed',
        change: (before) => ({ ...before, removal }),
        details: { removedOn: removal.removedOn },
      });
    },
    reinstateProvider: (call) =>
      changeEntry(context, call, {
        action: 'provider.reinstated',
        change: ({ removal: _removal, ...before }) => before,
        details: { reason: (bodyOf(call) as Reinstatement).reason },
      }),
  };
}

async function listProviders(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const { name, frn, ocn, spc, changedSince, cursor } = call.request.parameters;
  const place = cursor === undefined ? undefined : readCursor(cursor, ['string', 'string']);
  if (cursor !== undefined && place === undefined) return wrongParameter('cursor');
  const limit = limitOf(call);
  const rows = await listEntries(context.database, {
    limit,
    // A zero octet is none for PostgreSQL, and in no name.
    ...(name !== undefined && { name: name.replaceAll('\u0000', '') }),
    ...(frn !== undefined && { frn }),
    ...(ocn !== undefined && { ocn }),
    ...(spc !== undefined && { spc }),
    ...(changedSince !== undefined && { changedSinceMs: Date.parse(changedSince) }),
    ...(place !== undefined && { after: { sortName: String(place[0]), providerId: String(place[1]) } }),
  });
  return pageOf(rows, {
    limit,
    place: ({ sortName, entry }) => [sortName, entry.providerId],
    item: ({ entry }) => entry,
  });
}

async function listImports(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const place = timePlaceOf(call);
  if (place === 'invalid') return wrongParameter('cursor');
  const limit = limitOf(call);
  let rows = context.database
    .withTables<ProviderTables>()
    .selectFrom('providers_imports')
    .selectAll()
    .orderBy('at_ms', 'desc')
    .orderBy('import_id', 'desc')
    .limit(limit + 1);
  if (place !== undefined) rows = rows.where(sql<boolean>`(at_ms, import_id) < (${place.atMs}, ${place.id})`);
  return pageOf(await rows.execute(), {
    limit,
    place: (row) => [row.at_ms, row.import_id],
    item: (row) => ({
      importId: row.import_id,
      importedAt: new Date(row.at_ms).toISOString(),
      source: row.source,
      sha256: row.sha256,
      ...row.counts,
      rejects: row.rejected,
    }),
  });
}

async function listVersions(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const place = timePlaceOf(call);
  if (place === 'invalid') return wrongParameter('cursor');
  const limit = limitOf(call);
  const providerId = pathOf(call, 'providerId');
  let rows = context.database
    .withTables<ProviderTables>()
    .selectFrom('providers_history')
    .selectAll()
    .where('provider_id', '=', providerId)
    .orderBy('from_ms', 'desc')
    .orderBy('source', 'desc')
    .limit(limit + 1);
  if (place !== undefined) rows = rows.where(sql<boolean>`(from_ms, source) < (${place.atMs}, ${place.id})`);
  const found = await rows.execute();
  if (found.length === 0 && place === undefined) return problemAnswer('not-found');
  return pageOf(found, {
    limit,
    place: (row) => [row.from_ms, row.source],
    item: (row) => ({
      from: new Date(row.from_ms).toISOString(),
      ...(row.to_ms !== null && { to: new Date(row.to_ms).toISOString() }),
      source: row.source,
      entry: row.entry,
    }),
  });
}

/** A change of one entry by staff. */
export interface EntryChange {
  readonly action: string;
  readonly change: (before: ProviderEntry) => ProviderEntry;
  /** Whether there need not be one before: `change` is then given an entry that says nothing. */
  readonly mayBeNew?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

async function changeEntry(
  context: PlatformContext,
  call: OperationCall,
  change: EntryChange,
): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    await lockRegistry(transaction);
    const changed = await changedEntry(context, { transaction, call, change });
    return changed.status === 'refused' ? problemAnswer(changed.code) : jsonAnswer(changed.entry);
  });
}

/**
 * Changes an entry, with its history and its audit. A change that changes nothing leaves no trace.
 * @returns the entry as it is now, or why not: `conflict` where the number belongs to another provider
 */
export async function changedEntry(
  context: PlatformContext,
  { transaction, call, change }: { transaction: PlatformTransaction; call: OperationCall; change: EntryChange },
): Promise<{ status: 'changed'; entry: ProviderEntry } | { status: 'refused'; code: 'not-found' | 'conflict' }> {
  const providerId = pathOf(call, 'providerId');
  const before = (await readProvider(transaction, providerId))?.entry;
  if (before === undefined && change.mayBeNew !== true) return { status: 'refused', code: 'not-found' };
  const nowMs = context.clock.nowMs();
  const wanted = change.change(before ?? ({} as ProviderEntry));
  if (before !== undefined && isSameEntry(before, wanted)) return { status: 'changed', entry: before };
  if (await isNumberTaken(transaction, wanted)) return { status: 'refused', code: 'conflict' };
  const entry = { ...wanted, updatedAt: new Date(nowMs).toISOString() };
  const source = `staff:${call.caller.clientId}`;
  await writeEntries(transaction, [{ entry, isNew: before === undefined }], { nowMs, source });
  await context.audit(transaction, {
    action: change.action,
    organizationId: call.caller.organizationId,
    actor: call.caller.clientId,
    object: `provider:${providerId}`,
    ...(change.details !== undefined && { details: change.details }),
  });
  return { status: 'changed', entry };
}

async function isNumberTaken(transaction: PlatformTransaction, { providerId, frn }: ProviderEntry): Promise<boolean> {
  if (frn === undefined) return false;
  const owner = await transaction
    .withTables<ProviderTables>()
    .selectFrom('providers_entries')
    .select('provider_id')
    .where('frn', '=', frn)
    .executeTakeFirst();
  return owner !== undefined && owner.provider_id !== providerId;
}
