import { sql } from 'kysely';
import type { Insertable } from 'kysely';
import type { ProviderEntry } from '@hopback/sdk/platform';
import type { PlatformTransaction } from '../core/index.js';
import { codesOf, searchTextOf } from '../domain/providers/index.js';
import type { ProviderTables } from './provider-tables.js';

/** Rows of one statement: 500 entries have 3,000 values, and PostgreSQL takes 65,535. */
const ROWS_PER_STATEMENT = 500;
/** Codes of one statement, of three values each. */
const CODES_PER_STATEMENT = 5_000;
/** Key of the lock that whoever writes to the registry holds: two imports at once would each find the other's providers missing. */
const REGISTRY_LOCK = 7_236_652;

/** An entry that is new or says something else than before. */
export interface ChangedEntry {
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
export function slices<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
