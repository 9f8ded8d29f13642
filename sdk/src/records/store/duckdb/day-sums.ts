import type { DuckDBConnection } from '@duckdb/node-api';
import { DAY_US } from '../record-query.js';
import type { StoreStatistics } from '../record-store.js';
import { DayError, inTransaction } from './duckdb-module.js';
import type { Engine } from './engine.js';
import { dateOf } from './partition-sql.js';

/** What a day holds. */
export interface DaySum {
  readonly records: number;
  /** Of its first and last leg, microseconds since the epoch; absent in an empty day. */
  readonly oldestUs?: number;
  readonly newestUs?: number;
}

/** The sum of a day, and the state of its file of which it is the sum. */
export interface MarkedSum extends DaySum {
  /** As `Partitions.markOf` has it. A file that has another one by now has to be counted anew. */
  readonly mark: string;
}

/**
 * Sums of the days, kept beside them so that a store of years is not opened day by day to be counted. They are no part of what is
 * written with the records: a sum counts for as long as the file of its day is as it was when it was counted, so that a crash between
 * the two leaves nothing that is wrong.
 */
export interface DaySums {
  readonly of: (day: number) => MarkedSum | undefined;
  /** One call of it follows the other, and what else writes. */
  readonly keep: (sums: ReadonlyMap<number, MarkedSum>) => Promise<void>;
}

/** Reads the sums that are kept. */
export async function openDaySums(writer: DuckDBConnection): Promise<DaySums> {
  const kept = new Map<number, MarkedSum>();
  const rows = await writer.runAndReadAll('SELECT day, mark, records, oldest_us, newest_us FROM state.day_sums');
  for (const [day, mark, records, oldestUs, newestUs] of rows.getRowsJS())
    kept.set(Number(day), Object.assign(sumOf(records, oldestUs, newestUs), { mark: mark as string }));
  return {
    of: (day) => kept.get(day),
    keep: async (sums) => {
      await inTransaction(writer, async () => {
        for (const [day, { mark, records, oldestUs, newestUs }] of sums) {
          await writer.run('DELETE FROM state.day_sums WHERE day = $1', [day]);
          await writer.run('INSERT INTO state.day_sums VALUES ($1, $2, $3, $4, $5)', [
            day,
            mark,
            BigInt(records),
            oldestUs === undefined ? null : BigInt(oldestUs),
            newestUs === undefined ? null : BigInt(newestUs),
          ]);
        }
      });
      for (const [day, sum] of sums) kept.set(day, sum);
    },
  };
}

/**
 * Counts the days, those alone whose files are not as they were when they were counted last.
 * @returns the statistics, and the sums that are worth being kept
 */
export async function countDays(
  engine: Engine,
  sums: DaySums,
): Promise<{ readonly statistics: StoreStatistics; readonly fresh: ReadonlyMap<number, MarkedSum> }> {
  const fresh = new Map<number, MarkedSum>();
  let records = 0;
  let oldestUs = Infinity;
  let newestUs = -Infinity;
  const days = engine.partitions.days();
  for (const day of days) {
    const { sum, mark } = await sumOfDay(engine, sums, day).catch((error: unknown) => {
      throw new DayError(dateOf(day), error);
    });
    if (mark !== undefined) fresh.set(day, Object.assign({}, sum, { mark }));
    records += sum.records;
    oldestUs = Math.min(oldestUs, sum.oldestUs ?? Infinity);
    newestUs = Math.max(newestUs, sum.newestUs ?? -Infinity);
  }
  const base = { records, sizeBytes: await engine.partitions.sizeBytes(), partitions: days.length };
  return { statistics: records === 0 ? base : Object.assign(base, { oldestUs, newestUs }), fresh };
}

/** Records of a day, for whoever removes it. */
export async function countDay(engine: Engine, sums: DaySums, day: number): Promise<number> {
  return (await sumOfDay(engine, sums, day)).sum.records;
}

/** @returns the sum, and the mark under which it may be kept: undefined where it is kept already, or the file is being changed */
async function sumOfDay(
  engine: Engine,
  sums: DaySums,
  day: number,
): Promise<{ readonly sum: DaySum; readonly mark: string | undefined }> {
  const before = await engine.partitions.markOf(day);
  const known = sums.of(day);
  if (before !== undefined && known?.mark === before) return { sum: known, mark: undefined };
  const times = 'min(at_ms * 1000::BIGINT + at_us), max(at_ms * 1000::BIGINT + at_us)';
  const read = await engine.reading((connection) =>
    engine.partitions.usingIfThere(day, ({ schema }) =>
      connection.runAndReadAll(`SELECT count(*), ${times} FROM ${schema}.records`),
    ),
  );
  const [records = 0n, first, last] = read?.getRowsJS()[0] ?? [];
  const at = (ofDayUs: unknown): unknown => (typeof ofDayUs === 'bigint' ? day * DAY_US + Number(ofDayUs) : null);
  const after = await engine.partitions.markOf(day);
  return { sum: sumOf(records, at(first), at(last)), mark: before === after ? before : undefined };
}

function sumOf(records: unknown, oldestUs: unknown, newestUs: unknown): DaySum {
  const count = { records: Number(records) };
  if (oldestUs === null || newestUs === null) return count;
  return Object.assign(count, { oldestUs: Number(oldestUs), newestUs: Number(newestUs) });
}
