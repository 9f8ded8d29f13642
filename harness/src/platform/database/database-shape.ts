import { sql, type Kysely } from 'kysely';

/** A table with the columns that are stored: what is generated is not. */
export interface TableShape {
  readonly table: string;
  readonly columns: readonly { readonly column: string; readonly type: string }[];
}

type AnyDatabase = Pick<Kysely<never>, 'getExecutor'>;

/** Comment of a table that is in no archive: what it holds is made anew. */
export const NOT_ARCHIVED = 'not archived';

/** Tables of the schema that belong into an archive, by name. */
export async function databaseTables(database: AnyDatabase): Promise<readonly TableShape[]> {
  const { rows } = await sql<{ readonly table: string; readonly column: string; readonly type: string }>`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = current_schema()::regnamespace
      and obj_description(c.oid, 'pg_class') is distinct from ${NOT_ARCHIVED}
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    order by c.relname, a.attnum`.execute(database);
  const tables = new Map<string, { readonly column: string; readonly type: string }[]>();
  for (const { table, column, type } of rows) tables.set(table, [...(tables.get(table) ?? []), { column, type }]);
  return [...tables].map(([table, columns]) => ({ table, columns }));
}

/** Where each sequence is. Numbers as text. */
export async function sequenceValues(
  database: AnyDatabase,
): Promise<readonly { readonly name: string; readonly value: string; readonly isCalled: boolean }[]> {
  const { rows } = await sql<{ readonly name: string }>`
    select relname as name from pg_class
    where relkind = 'S' and relnamespace = current_schema()::regnamespace order by relname`.execute(database);
  const values: { readonly name: string; readonly value: string; readonly isCalled: boolean }[] = [];
  for (const { name } of rows) {
    const found = await sql<{ readonly value: string; readonly is_called: boolean }>`
      select last_value::text as value, is_called from ${sql.ref(name)}`.execute(database);
    const [row] = found.rows;
    if (row !== undefined) values.push({ name, value: row.value, isCalled: row.is_called });
  }
  return values;
}
