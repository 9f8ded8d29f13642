import { hash } from 'node:crypto';
import type { ProviderEntry } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import type { Insertable } from 'kysely';
import { sql } from 'kysely';
import type { OperationCall, Operations, PlatformContext, PlatformTransaction } from '../core/index.js';
import { Acting, actorOf, iso, pageAnswer, readPage, wrongCursor } from '../database/index.js';
import type { Filing } from '../domain/providers/read-filings.js';
import { codesOf, searchTextOf } from '../domain/providers/resolve-reference.js';
import { entryAfterFiling, isSameEntry, readFilings } from '../domain/providers/read-filings.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { ProviderBody } from './provider-bodies.js';
import { bodyOf, pathOf, readProvider, wrongBody } from './provider-reader.js';
import type { ImportCounts, ProviderTables } from './provider-tables.js';
import { IMPORTS, tablesOf } from './provider-tables.js';

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
  by: {
    readonly nowMs: number;
    readonly source: string;
    readonly importId?: string;
  },
): Promise<void> {
  const tables = tablesOf(transaction);
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

/**
 * Takes a file of filings into the registry, whole or not at all. Done again it changes nothing. A provider that the file does not have
 * stays, and is counted.
 */
async function importFilings(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const order = bodyOf(call) as ProviderBody<'RegistryImport'>;
  const reading = readFilings(order.csv);
  if (reading.status === 'unreadable')
    return wrongBody('/csv', reading.column === undefined ? reading.reason : `${reading.reason}:${reading.column}`);
  const { filings, rejected } = reading;
  const sha256 = hash('sha256', order.csv, 'hex');
  const source = textWithoutNumbers(order.source);
  return context.transact(async (transaction) => {
    const work = new Acting(context, transaction, actorOf(call));
    await lockRegistry(transaction);
    const importId = context.newId('imp');
    const nowMs = context.clock.nowMs();
    const before = await entriesByNumber(transaction, filings);
    const changed = changesOf(filings, before, iso(nowMs));
    await writeEntries(transaction, changed, { nowMs, source: `import:${importId}`, importId });
    const known = filings.map(({ frn }) => frn).filter((frn) => before.has(frn));
    await markSeen(transaction, known, importId);
    const counts: ImportCounts = {
      lines: filings.length + rejected.length,
      added: changed.filter(({ isNew }) => isNew).length,
      changed: changed.filter(({ isNew }) => !isNew).length,
      unchanged: filings.length - changed.length,
      rejected: rejected.length,
      missing: await missingIn(transaction, importId),
    };
    const rejects = rejected.slice(0, MAX_NAMED_REJECTS);
    await IMPORTS.add(transaction, {
      import_id: importId,
      at_ms: nowMs,
      actor: work.by.actor,
      source,
      sha256,
      counts: JSON.stringify(counts),
      rejected: JSON.stringify(rejects),
    });
    await work.audit('registry.imported', `registry-import:${importId}`, { ...counts, sha256 });
    return jsonAnswer({
      importId,
      importedAt: iso(nowMs),
      source,
      sha256,
      ...counts,
      rejects,
    });
  });
}

async function entriesByNumber(
  transaction: PlatformTransaction,
  filings: readonly Filing[],
): Promise<ReadonlyMap<string, ProviderEntry>> {
  const found = new Map<string, ProviderEntry>();
  for (const some of slices(filings, NUMBERS_PER_STATEMENT)) {
    const rows = await tablesOf(transaction)
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
async function markSeen(transaction: PlatformTransaction, known: readonly string[], importId: string): Promise<void> {
  for (const some of slices(known, NUMBERS_PER_STATEMENT))
    await tablesOf(transaction)
      .updateTable('providers_entries')
      .set({ import_id: importId })
      .where('frn', 'in', some)
      .execute();
}

async function missingIn(transaction: PlatformTransaction, importId: string): Promise<number> {
  const { missing } = await tablesOf(transaction)
    .selectFrom('providers_entries')
    .select((row) => row.fn.countAll<number>().as('missing'))
    .where('import_id', 'is not', null)
    .where('import_id', '!=', importId)
    .executeTakeFirstOrThrow();
  return missing;
}

/** Operations on the entries of the registry. */
export function createRegistryOperations(context: PlatformContext): Operations {
  return {
    listProviders: (call) => listProviders(context, call),
    fetchProvider: async (call) => {
      const kept = await readProvider(context.database, pathOf(call, 'providerId'));
      return kept === undefined ? problemAnswer('not-found') : jsonAnswer(kept.entry);
    },
    importRegistry: (call) => importFilings(context, call),
    listRegistryImports: (call) => listImports(context, call),
    listProviderVersions: (call) => listVersions(context, call),
    putProvider: (call) => {
      const entry = bodyOf(call) as ProviderEntry;
      if (entry.providerId !== pathOf(call, 'providerId')) return wrongBody('/providerId', 'other-than-path');
      return changeEntry(context, call, { action: 'provider.put', change: () => entry, mayBeNew: true });
    },
    removeProvider: (call) => {
      const removal = bodyOf(call) as ProviderBody<'RemovalOrder'>;
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
        details: { reason: (bodyOf(call) as ProviderBody<'Reinstatement'>).reason },
      }),
  };
}

function listProviders({ database }: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const { name, frn, ocn, spc, changedSince } = call.request.parameters;
  let query = tablesOf(database).selectFrom('providers_entries').select(['sort_name', 'provider_id', 'entry']);
  // A zero octet is none for PostgreSQL, and in no name.
  const sought = name?.replaceAll('\u0000', '').toLowerCase();
  if (sought !== undefined) query = query.where('search_text', 'like', `%${escapedLike(sought)}%`);
  if (frn !== undefined) query = query.where('frn', '=', frn);
  if (changedSince !== undefined) query = query.where('updated_at_ms', '>=', Date.parse(changedSince));
  for (const [kind, value] of Object.entries({ ocn, spc }))
    if (value !== undefined)
      query = query.where('provider_id', 'in', (row) =>
        row.selectFrom('providers_codes').select('provider_id').where('kind', '=', kind).where('value', '=', value),
      );
  return pageAnswer(query, { call, by: { sort_name: 'string', provider_id: 'string' }, order: 'asc' }, (rows) =>
    rows.map(({ entry }) => entry),
  );
}

/** A text as a pattern of LIKE that stands for itself. */
const escapedLike = (text: string): string => text.replace(/[\\%_]/g, (sign) => `\\${sign}`);

function listImports({ database }: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const query = tablesOf(database).selectFrom('providers_imports').selectAll();
  return pageAnswer(query, { call, by: { at_ms: 'number', import_id: 'string' }, order: 'desc' }, (rows) =>
    rows.map((row) => ({
      importId: row.import_id,
      importedAt: iso(row.at_ms),
      source: row.source,
      sha256: row.sha256,
      ...row.counts,
      rejects: row.rejected,
    })),
  );
}

async function listVersions({ database }: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const query = tablesOf(database)
    .selectFrom('providers_history')
    .selectAll()
    .where('provider_id', '=', pathOf(call, 'providerId'));
  const page = await readPage(query, { call, by: { from_ms: 'number', source: 'string' }, order: 'desc' });
  if (page === undefined) return wrongCursor();
  if (page.rows.length === 0 && call.request.parameters['cursor'] === undefined) return problemAnswer('not-found');
  const items = page.rows.map((row) => ({
    from: iso(row.from_ms),
    ...(row.to_ms !== null && { to: iso(row.to_ms) }),
    source: row.source,
    entry: row.entry,
  }));
  return jsonAnswer({ items, ...page.next });
}

/** A change of one entry by staff. */
interface EntryChange {
  readonly action: string;
  readonly change: (before: ProviderEntry) => ProviderEntry;
  /** Whether there need not be one before: `change` is then given an entry that says nothing. */
  readonly mayBeNew?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

function changeEntry(context: PlatformContext, call: OperationCall, change: EntryChange): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    await lockRegistry(transaction);
    const work = new Acting(context, transaction, actorOf(call));
    const changed = await changedEntry(work, pathOf(call, 'providerId'), change);
    return changed.status === 'refused' ? problemAnswer(changed.code) : jsonAnswer(changed.entry);
  });
}

/**
 * Changes an entry, with its history and its audit. A change that changes nothing leaves no trace.
 * @returns the entry as it is now, or why not: `conflict` where the number belongs to another provider
 */
export async function changedEntry(
  work: Acting,
  providerId: string,
  { action, change, mayBeNew = false, details }: EntryChange,
): Promise<{ status: 'changed'; entry: ProviderEntry } | { status: 'refused'; code: 'not-found' | 'conflict' }> {
  const { context, transaction, by } = work;
  const before = (await readProvider(transaction, providerId))?.entry;
  if (before === undefined && !mayBeNew) return { status: 'refused', code: 'not-found' };
  const nowMs = context.clock.nowMs();
  const wanted = change(before ?? ({} as ProviderEntry));
  if (before !== undefined && isSameEntry(before, wanted)) return { status: 'changed', entry: before };
  if (await isNumberTaken(transaction, wanted)) return { status: 'refused', code: 'conflict' };
  const entry = { ...wanted, updatedAt: iso(nowMs) };
  await writeEntries(transaction, [{ entry, isNew: before === undefined }], { nowMs, source: `staff:${by.actor}` });
  await work.audit(action, `provider:${providerId}`, details);
  return { status: 'changed', entry };
}

async function isNumberTaken(transaction: PlatformTransaction, { providerId, frn }: ProviderEntry): Promise<boolean> {
  if (frn === undefined) return false;
  const owner = await tablesOf(transaction)
    .selectFrom('providers_entries')
    .select('provider_id')
    .where('frn', '=', frn)
    .executeTakeFirst();
  return owner !== undefined && owner.provider_id !== providerId;
}
