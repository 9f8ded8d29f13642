import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { DuckDb } from './duckdb-module.js';

/** Rows that DuckDB takes at once: the size of its vectors. */
export const CHUNK_ROWS = 2_048;

/** The values of one column. */
export type Column = readonly DuckDBValue[] | Uint32Array;

/** Where rows go. */
export interface AppendTarget {
  readonly table: string;
  readonly catalog: string;
  readonly types: readonly DuckDBType[];
}

/**
 * Adds rows, given as columns, to the transaction of a connection: five times as fast as a prepared INSERT.
 * @param columns - of equal length, one a type
 */
export async function appendRows(
  { duckdb, connection }: { readonly duckdb: DuckDb; readonly connection: DuckDBConnection },
  { table, catalog, types }: AppendTarget,
  columns: readonly Column[],
): Promise<void> {
  const length = columns[0]?.length ?? 0;
  const appender = await connection.createAppender(table, 'main', catalog);
  for (let from = 0; from < length; from += CHUNK_ROWS) {
    const size = Math.min(CHUNK_ROWS, length - from);
    const chunk = duckdb.DuckDBDataChunk.create(types, size);
    for (const [index, column] of columns.entries()) chunk.setColumnValues(index, partOf(column, from, from + size));
    appender.appendDataChunk(chunk);
  }
  // Closing flushes: what is wrong with the rows is thrown here.
  appender.closeSync();
}

function partOf(column: Column, from: number, to: number): readonly DuckDBValue[] {
  // DuckDB reads nothing but the length and the elements, which an array of numbers has as well.
  if (column instanceof Uint32Array) return column.subarray(from, to) as unknown as readonly DuckDBValue[];
  return from === 0 && to === column.length ? column : column.slice(from, to);
}
