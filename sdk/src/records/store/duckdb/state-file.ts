import type { DuckDBConnection } from '@duckdb/node-api';
import type { CallRecord } from '../../../core/call-record.js';
import type { CoverageInterval } from '../../../core/call-record.js';
import { coverageFrom, coverageWithout, createCoverageTable } from '../coverage.js';
import type { CoverageTable } from '../coverage.js';
import { DAY_US, matchesQuery } from '../record-query.js';
import type { HoldAuditEntry, LegalHold, RecordQuery } from '../record-store.js';
import { openDaySums } from './day-sums.js';
import type { DaySums } from './day-sums.js';
import { inTransaction } from './duckdb-module.js';
import type { DuckDb } from './duckdb-module.js';
import { appendRows } from './appended-rows.js';
import type { Column } from './appended-rows.js';
import { aroundOtherInstants, keyCondition } from './partition-sql.js';
import { createRowBatch } from './row-batch.js';

/** What is kept beside the days. Everything that changes it is one transaction, on disk when it resolves. */
export interface StateFile {
  readonly coverage: CoverageTable;
  readonly daySums: DaySums;
  readonly retainedFromUs: () => number;
  /** Those that anything came from or was said of, in order. */
  readonly sources: () => readonly string[];
  /** Notes days that have records: to be done before anything is said to be complete of them. */
  readonly hasDay: (day: number) => boolean;
  readonly addDays: (days: Iterable<number>) => Promise<void>;
  /**
   * Compares the days that have records with those whose file is there. Of one whose file is gone (removed by hand, not in the copy that was
   * restored) nothing is complete any more.
   */
  readonly meetDays: (present: readonly number[]) => Promise<void>;
  readonly addSources: (sourceIds: readonly string[]) => Promise<void>;
  /** What is older than retention is left out: records of then are not taken. */
  readonly setCoverage: (sourceId: string, intervals: readonly CoverageInterval[]) => Promise<void>;
  readonly holds: () => readonly LegalHold[];
  readonly audit: () => readonly HoldAuditEntry[];
  /** Records under any hold that a query finds. */
  readonly held: (connection: DuckDBConnection, query: RecordQuery) => Promise<readonly CallRecord[]>;
  readonly hold: (hold: LegalHold, entry: HoldAuditEntry, records: readonly CallRecord[]) => Promise<void>;
  readonly release: (holdId: string, entry: HoldAuditEntry) => Promise<void>;
  /**
   * Moves the end of retention, cuts coverage there, ends holds whose time is over and lets go what no hold keeps.
   * @param ended - entries for the holds that end
   */
  readonly expire: (beforeUs: number, ended: readonly HoldAuditEntry[]) => Promise<void>;
}

/** How far retention went: nothing that began before is kept. 0 at first. */
export async function readRetainedFrom(connection: DuckDBConnection): Promise<number> {
  const read = await connection.runAndReadAll("SELECT value FROM state.settings WHERE name = 'retained_from_us'");
  return Number(read.getRowsJS()[0]?.[0] ?? 0);
}

/**
 * Reads the state and keeps what is small in memory.
 * @param writer - the caller sees to it that one call of those that write follows the other
 */
export async function openStateFile(duckdb: DuckDb, writer: DuckDBConnection): Promise<StateFile> {
  const coverage = await readCoverage(writer);
  const holds = await readHolds(writer);
  const audit = await readAudit(writer);
  const daySums = await openDaySums(writer);
  let retainedFromUs = await readRetainedFrom(writer);
  let hasOtherInstants = await holdsOtherInstants(writer);

  const days = new Set((await rowsOf(writer, 'SELECT day FROM state.days')).map(([day]) => Number(day)));
  let sources = await readSources(writer, coverage);

  const writeSources = async (sourceIds: readonly string[]): Promise<readonly string[]> => {
    const added = sourceIds.filter((sourceId) => !sources.includes(sourceId));
    for (const sourceId of added) await writer.run('INSERT INTO state.sources VALUES ($1)', [sourceId]);
    return added.length === 0 ? sources : [...sources, ...added].sort();
  };

  const writeAudit = async (entry: HoldAuditEntry, place: number): Promise<void> => {
    await writer.run('INSERT INTO state.audit VALUES ($1, $2)', [place, JSON.stringify(entry)]);
  };

  return {
    coverage,
    daySums,
    retainedFromUs: () => retainedFromUs,
    hasDay: (day) => days.has(day),
    addDays: async (added) => {
      const fresh = [...new Set(added)].filter((day) => !days.has(day));
      if (fresh.length === 0) return;
      await inTransaction(writer, async () => {
        for (const day of fresh) await writer.run('INSERT INTO state.days VALUES ($1)', [day]);
      });
      for (const day of fresh) days.add(day);
    },
    meetDays: async (present) => {
      const there = new Set(present);
      const gone = [...days].filter((day) => !there.has(day));
      const left = coverage.sources().map((sourceId) => ({
        sourceId,
        intervals: gone.reduce(
          (intervals, day) => coverageWithout(intervals, { fromUs: day * DAY_US, toUs: (day + 1) * DAY_US - 1 }),
          coverage.of(sourceId),
        ),
      }));
      const fresh = present.filter((day) => !days.has(day));
      if (gone.length + fresh.length === 0) return;
      await inTransaction(writer, async () => {
        if (gone.length > 0)
          for (const { sourceId, intervals } of left) await writeCoverage(writer, sourceId, intervals);
        for (const day of gone) await writer.run('DELETE FROM state.days WHERE day = $1', [day]);
        for (const day of fresh) await writer.run('INSERT INTO state.days VALUES ($1)', [day]);
      });
      for (const { sourceId, intervals } of left) coverage.set(sourceId, intervals);
      for (const day of gone) days.delete(day);
      for (const day of fresh) days.add(day);
    },
    sources: () => sources,
    addSources: async (sourceIds) => {
      sources = await inTransaction(writer, () => writeSources(sourceIds));
    },
    setCoverage: async (sourceId, intervals) => {
      const retained = coverageFrom(intervals, retainedFromUs);
      const known = await inTransaction(writer, async () => {
        await writeCoverage(writer, sourceId, retained);
        return writeSources([sourceId]);
      });
      coverage.set(sourceId, retained);
      sources = known;
    },
    holds: () => [...holds.values()].filter(({ isReleased }) => !isReleased).map(({ hold }) => hold),
    audit: () => [...audit],
    held: (connection, query) =>
      holds.size === 0 ? Promise.resolve([]) : readHeld(connection, query, { hasOtherInstants }),
    hold: async (hold, entry, records) => {
      await inTransaction(writer, async () => {
        await writer.run('INSERT INTO state.holds VALUES ($1, $2, FALSE)', [hold.holdId, JSON.stringify(hold)]);
        await writeHeld({ duckdb, writer }, hold.holdId, records);
        await writeAudit(entry, audit.length);
      });
      holds.set(hold.holdId, { hold, isReleased: false });
      hasOtherInstants ||= records.some(({ time }) => time.otherInviteAtUs !== undefined);
      audit.push(entry);
    },
    release: async (holdId, entry) => {
      await inTransaction(writer, async () => {
        await writer.run('UPDATE state.holds SET released = TRUE WHERE hold_id = $1', [holdId]);
        await writeAudit(entry, audit.length);
      });
      const known = holds.get(holdId);
      if (known !== undefined) known.isReleased = true;
      audit.push(entry);
    },
    expire: async (beforeUs, ended) => {
      const retained = Math.max(retainedFromUs, beforeUs);
      const left = coverage.sources().map((sourceId) => ({
        sourceId,
        intervals: coverageFrom(coverage.of(sourceId), beforeUs),
      }));
      const over = new Set(ended.map(({ holdId }) => holdId));
      for (const [holdId, { isReleased }] of holds) if (isReleased) over.add(holdId);
      await inTransaction(writer, async () => {
        await writer.run("DELETE FROM state.settings WHERE name = 'retained_from_us'");
        await writer.run("INSERT INTO state.settings VALUES ('retained_from_us', $1)", [BigInt(retained)]);
        await writer.run('DELETE FROM state.day_sums WHERE day < $1', [Math.floor(retained / DAY_US)]);
        await writer.run('DELETE FROM state.days WHERE day < $1', [Math.floor(retained / DAY_US)]);
        for (const { sourceId, intervals } of left)
          if (
            intervals.length !== coverage.of(sourceId).length ||
            intervals[0]?.fromUs !== coverage.of(sourceId)[0]?.fromUs
          )
            await writeCoverage(writer, sourceId, intervals);
        for (const holdId of over) {
          await writer.run('DELETE FROM state.held WHERE hold_id = $1', [holdId]);
          await writer.run('DELETE FROM state.holds WHERE hold_id = $1', [holdId]);
        }
        for (const [index, entry] of ended.entries()) await writeAudit(entry, audit.length + index);
      });
      retainedFromUs = retained;
      for (const day of days) if (day < Math.floor(retained / DAY_US)) days.delete(day);
      for (const { sourceId, intervals } of left) coverage.set(sourceId, intervals);
      for (const holdId of over) holds.delete(holdId);
      audit.push(...ended);
    },
  };
}

interface KeptHold {
  readonly hold: LegalHold;
  isReleased: boolean;
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await connection.runAndReadAll(sql)).getRowsJS();
}

async function readCoverage(connection: DuckDBConnection): Promise<CoverageTable> {
  const table = createCoverageTable();
  const sql = 'SELECT source_id, from_us, to_us FROM state.coverage ORDER BY source_id, from_us';
  for (const [source, fromUs, toUs] of await rowsOf(connection, sql)) {
    const sourceId = String(source);
    table.set(sourceId, [...table.of(sourceId), { sourceId, fromUs: Number(fromUs), toUs: Number(toUs) }]);
  }
  return table;
}

async function readSources(connection: DuckDBConnection, coverage: CoverageTable): Promise<readonly string[]> {
  const rows = await rowsOf(connection, 'SELECT source_id FROM state.sources');
  return [...new Set([...rows.map(([sourceId]) => String(sourceId)), ...coverage.sources()])].sort();
}

async function readHolds(connection: DuckDBConnection): Promise<Map<string, KeptHold>> {
  const kept = new Map<string, KeptHold>();
  for (const [holdId, hold, released] of await rowsOf(
    connection,
    'SELECT hold_id, hold, released FROM state.holds ORDER BY rowid',
  ))
    kept.set(String(holdId), { hold: JSON.parse(String(hold)) as LegalHold, isReleased: released === true });
  return kept;
}

async function readAudit(connection: DuckDBConnection): Promise<HoldAuditEntry[]> {
  const rows = await rowsOf(connection, 'SELECT entry FROM state.audit ORDER BY place');
  return rows.map(([entry]) => JSON.parse(String(entry)) as HoldAuditEntry);
}

async function writeCoverage(
  writer: DuckDBConnection,
  sourceId: string,
  intervals: readonly CoverageInterval[],
): Promise<void> {
  await writer.run('DELETE FROM state.coverage WHERE source_id = $1', [sourceId]);
  for (const { fromUs, toUs } of intervals)
    await writer.run('INSERT INTO state.coverage VALUES ($1, $2, $3)', [sourceId, BigInt(fromUs), BigInt(toUs)]);
}

/** Whether a record is held that may have begun at another instant than the one it is kept under. */
async function holdsOtherInstants(connection: DuckDBConnection): Promise<boolean> {
  const sql = `SELECT 1 FROM state.held WHERE contains(record, '"otherInviteAtUs":') LIMIT 1`;
  return (await rowsOf(connection, sql)).length > 0;
}

/** Each record once, however many holds have a copy of it: a demand a day over the same campaign holds its calls a hundred times. */
async function readHeld(
  connection: DuckDBConnection,
  query: RecordQuery,
  { hasOtherInstants }: { readonly hasOtherInstants: boolean },
): Promise<readonly CallRecord[]> {
  const { fromUs, toUs } = hasOtherInstants ? aroundOtherInstants(query.window) : query.window;
  // Of records in JavaScript, so that infinite windows need no spelling in SQL.
  const from = Math.max(fromUs, Number.MIN_SAFE_INTEGER);
  const to = Math.min(toUs, Number.MAX_SAFE_INTEGER);
  const sql = `SELECT record FROM state.held WHERE at_us BETWEEN ${from} AND ${to} AND ${keyCondition(query)}
    GROUP BY id1, id2, id3, id4, record`;
  const records = (await rowsOf(connection, sql)).map(([record]) => JSON.parse(String(record)) as CallRecord);
  return records.filter((record) => matchesQuery(record, query));
}

/** Held records are kept as JSON: they are few, and a court can read them without this program. */
async function writeHeld(
  { duckdb, writer }: { readonly duckdb: DuckDb; readonly writer: DuckDBConnection },
  holdId: string,
  records: readonly CallRecord[],
): Promise<void> {
  const batch = createRowBatch(records.length);
  // The keys alone are wanted of it.
  for (const record of records) batch.add(record, { encode: () => 0 });
  const keys = batch.columns().slice(2, -1);
  const types = [
    duckdb.VARCHAR,
    duckdb.BIGINT,
    ...keys.map((_, index) => (index < keys.length - 2 ? duckdb.UINTEGER : duckdb.USMALLINT)),
    duckdb.VARCHAR,
  ];
  const columns: Column[] = [
    records.map(() => holdId),
    records.map(({ inviteAtUs }) => BigInt(inviteAtUs)),
    ...keys,
    records.map((record) => JSON.stringify(record)),
  ];
  await appendRows({ duckdb, connection: writer }, { table: 'held', catalog: 'state', types }, columns);
}
