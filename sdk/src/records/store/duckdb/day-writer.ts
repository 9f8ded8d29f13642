import { appendRows } from './appended-rows.js';
import type { Column } from './appended-rows.js';
import { inTransaction } from './duckdb-module.js';
import type { DuckDb } from './duckdb-module.js';
import type { Engine } from './engine.js';
import { FIRST_TRUNK_COLUMN } from './partition-sql.js';
import type { Partition } from './partitions.js';
import type { RowBatch } from './row-batch.js';

/** `at_ms`, `at_us`, four of the id. */
const ID_COLUMNS = 6;

/**
 * Writes the rows of a batch into their day in one transaction, except those that are there already.
 * @returns the rows that were there already
 */
export async function writeDay(engine: Engine, partition: Partition, batch: RowBatch): Promise<ReadonlySet<number>> {
  const { duckdb, writer } = engine;
  const repeated = await repeatedRows(engine, partition, batch);
  const rows = repeated.size === 0 ? undefined : rowsWithout(batch.length(), repeated);
  const length = rows?.length ?? batch.length();
  if (length === 0) return repeated;
  const columns: Column[] = batch.columns().map((column) => chosen(column, rows));
  const bodies = Array.from({ length }, (_, index) => new duckdb.DuckDBBlobValue(batch.bodyOf(rows?.[index] ?? index)));
  const forms = [...partition.forms.unsaved()];
  await engine.compressBodies(batch.isRaw());
  await inTransaction(writer, async () => {
    await appendRows(connected(engine), { table: 'records', catalog: partition.schema, types: typesOf(duckdb) }, [
      ...columns,
      bodies,
    ]);
    if (forms.length === 0) return;
    await appendRows(
      connected(engine),
      { table: 'forms', catalog: partition.schema, types: [duckdb.INTEGER, duckdb.VARCHAR] },
      [forms.map(({ number }) => number), forms.map(({ text }) => text)],
    );
  });
  partition.forms.saved(forms);
  partition.lastAtMs = Math.max(partition.lastAtMs, largest(batch.columns()[0]));
  return repeated;
}

function connected({ duckdb, writer }: Engine): { duckdb: DuckDb; connection: Engine['writer'] } {
  return { duckdb, connection: writer };
}

/**
 * The rows of a batch whose ids are in the day. The same leg has the same time, so that only rows of the times of the batch are
 * looked at; none of those that are later than everything in the day.
 */
async function repeatedRows(engine: Engine, partition: Partition, batch: RowBatch): Promise<ReadonlySet<number>> {
  const { duckdb, writer } = engine;
  const columns = batch.columns();
  const [atMs = NO_TIMES] = columns;
  // What is later than everything in the day is not in it.
  const places = placesUpTo(atMs, partition.lastAtMs);
  if (places.length === 0) return NONE;
  const ids = [0, 2, 3, 4, 5].map((index) => chosen(columns[index] ?? NO_TIMES, places));
  const [times = NO_TIMES] = ids;
  await writer.run(
    'CREATE OR REPLACE TEMP TABLE incoming (at_ms INTEGER, id1 UINTEGER, id2 UINTEGER, id3 UINTEGER, id4 UINTEGER, place INTEGER)',
  );
  const { INTEGER, UINTEGER } = duckdb;
  await appendRows(
    connected(engine),
    { table: 'incoming', catalog: 'temp', types: [INTEGER, UINTEGER, UINTEGER, UINTEGER, UINTEGER, INTEGER] },
    [...ids, places],
  );
  const found = await writer.runAndReadAll(
    `SELECT place FROM temp.incoming SEMI JOIN (SELECT at_ms, id1, id2, id3, id4 FROM ${partition.schema}.records ` +
      `WHERE at_ms BETWEEN ${smallest(times)} AND ${largest(times)}) AS known USING (at_ms, id1, id2, id3, id4)`,
  );
  return new Set(found.getRowsJS().map(([place]) => Number(place)));
}

function placesUpTo(atMs: Uint32Array, lastAtMs: number): readonly number[] {
  const places: number[] = [];
  for (let place = 0; place < atMs.length; place += 1) if ((atMs[place] ?? 0) <= lastAtMs) places.push(place);
  return places;
}

const NONE: ReadonlySet<number> = new Set();
const NO_TIMES: Uint32Array = new Uint32Array(0);

function rowsWithout(length: number, repeated: ReadonlySet<number>): readonly number[] {
  const rows: number[] = [];
  for (let row = 0; row < length; row += 1) if (!repeated.has(row)) rows.push(row);
  return rows;
}

function chosen(column: Uint32Array, rows: readonly number[] | undefined): Uint32Array {
  return rows === undefined ? column : Uint32Array.from(rows, (row) => column[row] ?? 0);
}

function smallest(values: Uint32Array): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

function largest(values: Uint32Array = NO_TIMES): number {
  return values.reduce((most, value) => Math.max(most, value), -1);
}

function typesOf({ INTEGER, SMALLINT, UINTEGER, USMALLINT, BLOB }: DuckDb): readonly DuckDb['INTEGER'][] {
  const keys = Array.from({ length: ID_COLUMNS - 2 + FIRST_TRUNK_COLUMN - 4 }, () => UINTEGER);
  return [INTEGER, SMALLINT, ...keys, USMALLINT, USMALLINT, INTEGER, BLOB] as unknown as readonly DuckDb['INTEGER'][];
}
