import { sql } from 'kysely';
import type { CompiledQuery } from 'kysely';
import type { PlatformTransaction } from '../core/index.js';

/** Columns of a table, with their types. */
export type Columns = Readonly<Record<string, 'text' | 'bigint' | 'integer' | 'boolean' | 'jsonb'>>;

/** A statement of one parameter that inserts rows, however many there are; other members of a row are left out. None for no rows. */
export function insertion(
  transaction: PlatformTransaction,
  { table, columns }: { readonly table: string; readonly columns: Columns },
  rows: readonly object[],
): readonly CompiledQuery[] {
  if (rows.length === 0) return [];
  const names = sql.raw(Object.keys(columns).join(', '));
  const query = sql`
    insert into ${sql.table(table)} (${names})
    select ${names} from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as new_row (${sql.raw(definitionsOf(columns))})`;
  return [query.compile(transaction)];
}

/** What `jsonb_to_recordset` is told of columns. */
export const definitionsOf = (columns: Columns): string =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ');
