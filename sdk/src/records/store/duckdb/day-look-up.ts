import type { DuckDBConnection } from '@duckdb/node-api';
import type { CallRecord } from '../../../core/call-record.js';
import { DAY_US, matchesQuery } from '../record-query.js';
import type { RecordQuery } from '../record-store.js';
import { dayOf, extentSql, recordIdOfKeys, rowsSql } from './partition-sql.js';
import type { RowsRead } from './partition-sql.js';
import type { Partition } from './partitions.js';
import { decodeRecord } from './record-decoder.js';
import { PER_MILLISECOND } from './record-form.js';

/** Rows read beyond those asked for: some share a key with what is looked for and are something else. */
const SPARE_ROWS = 16;

/**
 * Looks a day through.
 * @param limit - records at most
 * @returns earliest first
 */
export async function findInDay(
  connection: DuckDBConnection,
  partition: Partition,
  query: RecordQuery,
  limit: number,
): Promise<readonly CallRecord[]> {
  const { schema, day, forms } = partition;
  const search = { schema, day, ofOtherInstants: forms.ofOtherInstants() };
  const isBeside = day < dayOf(query.window.fromUs) || day > dayOf(query.window.toUs);
  if (isBeside && search.ofOtherInstants.length === 0) return [];
  const read = async (which: RowsRead): Promise<readonly Row[]> =>
    (await connection.runAndReadAll(rowsSql(search, query, which))).getRowsJS();
  const recordsOf = (rows: readonly Row[]): readonly CallRecord[] =>
    rows
      .filter(isFirst)
      .map((row) => recordOf(partition, row))
      .filter((record) => matchesQuery(record, query));

  // Mostly all that there are fit: one look then, and no order in which they would have to be met. In a function of its own, which lets go of
  // what it read before the rest is read.
  const most = limit + SPARE_ROWS + 1;
  const allOfThem = async (): Promise<readonly CallRecord[] | undefined> => {
    const rows = await read({ most });
    return rows.length < most ? recordsOf(rows).slice(0, limit) : undefined;
  };
  const all = await allOfThem();
  if (all !== undefined) return all;
  for (let rows = most; ; rows *= 2) {
    // Counted first, so that of a trunk with a million calls only the bodies of those asked for are read.
    const [extent = []] = (await connection.runAndReadAll(extentSql(search, query, rows))).getRowsJS();
    const [count, from, to] = extent.map(Number) as [number, number, number];
    if (count === 0) return [];
    const records = recordsOf(await read({ between: { from, to } }));
    if (records.length >= limit || count < rows) return records.slice(0, limit);
  }
}

type Row = readonly unknown[];

/** Whether a row is another than the one before, which has the same id where it is the same. */
function isFirst(row: Row, index: number, rows: readonly Row[]): boolean {
  const before = rows[index - 1];
  return before === undefined || !ID_PLACES.every((place) => row[place] === before[place]);
}

/** Where the numbers of the id stand in a row. */
const ID_PLACES = [2, 3, 4, 5] as const;

function recordOf({ day, forms }: Partition, row: Row): CallRecord {
  const [atMs, atUs, id1, id2, id3, id4, form, body] = row;
  const place = {
    recordId: recordIdOfKeys([Number(id1), Number(id2), Number(id3), Number(id4)]),
    inviteAtUs: day * DAY_US + Number(atMs) * PER_MILLISECOND + Number(atUs),
  };
  return decodeRecord(body as Uint8Array, Number(form), place, forms);
}
