import { sql } from 'kysely';
import type { PlatformTransaction } from '../core/index.js';

/** Columns of a table, with their types. */
export type Columns = Readonly<Record<string, 'text' | 'bigint' | 'integer' | 'boolean' | 'jsonb'>>;

/** Inserts rows with one statement of one parameter, however many there are; other members of a row are left out. */
export async function insertRows(
  transaction: PlatformTransaction,
  { table, columns }: { readonly table: string; readonly columns: Columns },
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = sql.raw(Object.keys(columns).join(', '));
  await sql`
    insert into ${sql.table(table)} (${names})
    select ${names} from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as new_row (${sql.raw(definitionsOf(columns))})`.execute(transaction);
}

/** What `jsonb_to_recordset` is told of columns. */
export const definitionsOf = (columns: Columns): string =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ');
