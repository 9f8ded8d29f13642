import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openDuckDbRecordStore } from '../../sdk/dist/records/store/duckdb-record-store.js';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { CALL_RECORDS, CALLERS, NOON_US, sampleRecord, storedByCallers } from '../support/stored-records.js';
import { durations, sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { openSqlite, SQLITE_INSTALL } from './store-contestants.js';

const DAYS_TO_FILL = 'fills a store with 548 days, about two minutes';

/** The DuckDB record store beside SQLite with an index for every look-up. */
export const bench: Bench = {
  name: 'store',
  description: 'call records of some 2,200 octets of JSON stored and looked up, DuckDB beside better-sqlite3',
  figures: ['insert', 'insert-late', 'disk', 'lookup-day', 'lookup-548-days', 'open-files'],
  quick: {
    seconds: 30,
    leftOut: { 'lookup-548-days': DAYS_TO_FILL, 'open-files': DAYS_TO_FILL },
  },
  run: measureStore,
};

const DAY_US = 86_400_000_000;
const HOUR_US = 3_600_000_000;
const DAY_START_US = Math.floor(NOON_US / DAY_US) * DAY_US;

/** Records made at a time, outside of what is timed. */
const BLOCK = 20_000;
/** Days of the federal retention of toll records, 47 CFR 42.6. */
const DAYS = 548;
const LOOKUPS = 300;

async function* measureStore(context: BenchContext): AsyncGenerator<Figure> {
  const wants = ['insert', 'insert-late', 'disk', 'lookup-day'].some((figure) => context.wants(figure));
  if (wants) yield* measureDay(context);
  if (context.wants('lookup-548-days') || context.wants('open-files')) yield* measureDays(context);
}

async function* measureDay(context: BenchContext): AsyncGenerator<Figure> {
  const total = sized(context, { quick: 100_000, short: 1_000_000, full: 10_000_000 });
  const sqliteTotal = sized(context, { quick: 20_000, short: 100_000, full: 1_000_000 });
  await using temporary = await createTemporaryDirectory();
  const directory = temporary.path;
  await warmUp(join(directory, 'warm'));
  const folder = join(directory, 'records');
  const store = await openDuckDbRecordStore({ directory: folder });
  const blocks = await timedBlocks(total, (records) => storedByCallers(store, records), context);
  await store.close();
  const octets = sizeOf(folder);
  // Before SQLite writes: what the system has to bring to the disk for it would be waited for.
  const opened = await openDuckDbRecordStore({ directory: folder });
  const ours = await timedLookups(total, (record) => foundCalled(opened, record));
  await opened.close();
  const sqlite = openSqlite(join(directory, 'records.sqlite'));
  const sqliteMs = sqlite === undefined ? [] : await timedBlocks(sqliteTotal, inSqlite(sqlite), context);
  const absent = sqlite === undefined ? `better-sqlite3 is missing: ${SQLITE_INSTALL}` : undefined;
  const beside = { baseline: 'better-sqlite3 12, eleven indexes', ...(absent === undefined ? {} : { note: absent }) };
  yield {
    figure: 'insert',
    value: rateOf(blocks),
    unit: 'records/s',
    bar: { valueAtLeast: 40_000 },
    ...beside,
    ...(sqlite === undefined ? {} : { baselineValue: rateOf(sqliteMs), note: `SQLite of ${sqliteTotal} records` }),
  };
  const tenth = Math.max(1, Math.floor(blocks.length / 10));
  yield {
    figure: 'insert-late',
    value: rateOf(blocks.slice(-tenth)),
    unit: 'records/s',
    baseline: 'the first tenth',
    baselineValue: rateOf(blocks.slice(0, tenth)),
    bar: { ratioAtLeast: 0.8 },
  };
  yield {
    figure: 'disk',
    value: octets / total,
    unit: 'bytes/record',
    bar: { valueAtMost: 250 },
    baseline: beside.baseline,
    ...(sqlite === undefined ? {} : { baselineValue: sizeOf(directory, 'records.sqlite') / sqliteTotal }),
    note: `${jsonSize()} bytes of JSON`,
  };
  const theirs =
    sqlite === undefined
      ? undefined
      : await timedLookups(sqliteTotal, async (record) =>
          sqlite.findCalled(record.called?.tn ?? '', record.inviteAtUs - HOUR_US, record.inviteAtUs + HOUR_US),
        );
  sqlite?.close();
  yield {
    figure: 'lookup-day',
    value: ours.p99,
    unit: 'ms',
    bar: { valueAtMost: 50 },
    baseline: beside.baseline,
    ...(theirs === undefined ? {} : { baselineValue: theirs.p99 }),
    note: `p99 of ${LOOKUPS} within an hour of the call, p50 ${ours.p50.toFixed(1)} ms, ${total} records in the day`,
  };
}

async function* measureDays(context: BenchContext): AsyncGenerator<Figure> {
  const perDay = context.full ? 18_250 : 500;
  await using temporary = await createTemporaryDirectory();
  const directory = temporary.path;
  const store = await openDuckDbRecordStore({ directory });
  let openFiles = 0;
  for (let day = 0; day < DAYS; day += 1) {
    const records = Array.from({ length: perDay }, (_, at) => recordOf(day, at, perDay));
    await store.insert(records);
    openFiles = Math.max(openFiles, filesOpenBelow(directory));
    if (day % 100 === 99) context.progress(`${day + 1} of ${DAYS} days`);
  }
  const times = durations();
  for (let index = 0; index < LOOKUPS; index += 1) {
    const record = recordOf((index * 7_919) % DAYS, (index * 31) % perDay, perDay);
    const before = performance.now();
    await mustFind(record, foundCalled(store, record));
    times.record(performance.now() - before);
    openFiles = Math.max(openFiles, filesOpenBelow(directory));
  }
  await store.close();
  const { p50, p99 } = times.percentiles();
  yield {
    figure: 'lookup-548-days',
    value: p99,
    unit: 'ms',
    bar: { valueAtMost: 150 },
    note: `p99 of ${LOOKUPS}, each in another day of ${perDay} records, p50 ${p50.toFixed(1)} ms`,
  };
  yield { figure: 'open-files', value: openFiles, unit: 'files', bar: { valueAtMost: 64 } };
}

const recordOf = (day: number, at: number, perDay: number): CallRecord =>
  sampleRecord(day * perDay + at, DAY_START_US - day * DAY_US + Math.floor((at * DAY_US) / perDay));

async function warmUp(directory: string): Promise<void> {
  const store = await openDuckDbRecordStore({ directory });
  for (let round = 0; round < 3; round += 1) await storedByCallers(store, blockOf(round, 3 * BLOCK));
  await store.close();
}

/** Records in the order in which their calls end, as switches write them. */
function blockOf(index: number, total: number): readonly CallRecord[] {
  const records = Array.from({ length: BLOCK }, (_, at) => inDay(index * BLOCK + at, total));
  return records.sort((one, other) => (one.endedAtUs ?? 0) - (other.endedAtUs ?? 0));
}

const inDay = (index: number, total: number): CallRecord =>
  sampleRecord(index, DAY_START_US + Math.floor((index * DAY_US) / total));

/** @returns milliseconds of each block */
async function timedBlocks(
  total: number,
  store: (records: readonly CallRecord[]) => Promise<void>,
  context: BenchContext,
): Promise<readonly number[]> {
  const blocks: number[] = [];
  for (let index = 0; index * BLOCK < total; index += 1) {
    const records = blockOf(index, total);
    const before = performance.now();
    await store(records);
    blocks.push(performance.now() - before);
    if (index % 10 === 9)
      context.progress(`${(index + 1) * BLOCK} records, ${Math.round(rateOf(blocks.slice(-10)))}/s`);
  }
  return blocks;
}

function inSqlite(
  sqlite: NonNullable<ReturnType<typeof openSqlite>>,
): (records: readonly CallRecord[]) => Promise<void> {
  return async (records) => {
    for (let from = 0; from < records.length; from += CALLERS * CALL_RECORDS)
      sqlite.insert(records.slice(from, from + CALLERS * CALL_RECORDS));
  };
}

async function timedLookups(
  total: number,
  find: (record: CallRecord) => Promise<readonly CallRecord[]>,
): Promise<{ readonly p50: number; readonly p99: number }> {
  const times = durations();
  for (let index = 0; index < LOOKUPS; index += 1) {
    const record = inDay((index * 104_729) % total, total);
    const before = performance.now();
    await mustFind(record, find(record));
    times.record(performance.now() - before);
  }
  return times.percentiles();
}

async function foundCalled(store: RecordStore, record: CallRecord): Promise<readonly CallRecord[]> {
  const window = { fromUs: record.inviteAtUs - HOUR_US, toUs: record.inviteAtUs + HOUR_US };
  return (await store.find({ window, calledTn: record.called?.tn ?? '' })).records;
}

/** A look-up that misses what is there is no look-up. */
async function mustFind(record: CallRecord, finding: Promise<readonly CallRecord[]>): Promise<void> {
  if (!(await finding).some(({ recordId }) => recordId === record.recordId)) throw new Error('a record was not found');
}

function rateOf(blocks: readonly number[]): number {
  return (blocks.length * BLOCK * 1_000) / blocks.reduce((sum, ms) => sum + ms, 0);
}

function jsonSize(): number {
  return JSON.stringify(sampleRecord(0, NOON_US)).length;
}

/** Octets of the files of a folder whose names begin so. */
function sizeOf(folder: string, prefix = ''): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name.startsWith(prefix))
    .map((entry) => (entry.isDirectory() ? sizeOf(join(folder, entry.name)) : statSync(join(folder, entry.name)).size))
    .reduce((sum, size) => sum + size, 0);
}

/** Files of this process below a folder; 0 where there is no /proc. */
function filesOpenBelow(folder: string): number {
  try {
    return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(folder)).length;
  } catch {
    return 0;
  }
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
