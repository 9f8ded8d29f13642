import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { CallRecord, CoverageInterval } from '../../../contract/call-record.js';
import { HopbackError } from '../../../errors.js';
import { DAY_US, coverageFrom, coverageWithout, createCoverageTable, matchesQuery } from '../record-store.js';
import type {
  CoverageTable,
  HoldAuditEntry,
  LegalHold,
  RecordPage,
  RecordQuery,
  StoreStatistics,
} from '../record-store.js';
import {
  DayError,
  appendRows,
  inTransaction,
  inUse,
  isFatal,
  isLockRefused,
  requireLayout,
  rowsOf,
  storageFailed,
} from './duckdb-module.js';
import type { Column, DuckDb } from './duckdb-module.js';
import {
  CREATE_STATE_SQL,
  aroundOtherInstants,
  createRowBatch,
  dateOf,
  heldPageSql,
  keyCondition,
} from './partition-rows.js';
import { NO_MERGING, Partitions, detach, merging, quoted } from './partitions.js';

/** How far retention went: nothing that began before is kept. 0 at first. */
async function readRetainedFrom(connection: DuckDBConnection): Promise<number> {
  const [row] = await rowsOf(connection, "SELECT value FROM state.settings WHERE name = 'retained_from_us'");
  return Number(row?.[0] ?? 0);
}

/** What is small enough to be kept in memory. */
type KeptState = Awaited<ReturnType<typeof readState>>;

async function readState(writer: DuckDBConnection) {
  const coverage = await readCoverage(writer);
  const audit = await rowsOf(writer, 'SELECT entry FROM state.audit ORDER BY place');
  return {
    coverage,
    holds: await readHolds(writer),
    audit: audit.map(([entry]) => JSON.parse(String(entry)) as HoldAuditEntry),
    daySums: await openDaySums(writer),
    retainedFromUs: await readRetainedFrom(writer),
    hasOtherInstants: await holdsOtherInstants(writer),
    days: new Set((await rowsOf(writer, 'SELECT day FROM state.days')).map(([day]) => Number(day))),
    sources: await readSources(writer, coverage),
  };
}

/** What is kept beside the days. Everything that changes it is one transaction, on disk when it resolves. */
export class StateFile {
  readonly coverage: CoverageTable;
  readonly daySums: DaySums;
  readonly #duckdb: DuckDb;
  readonly #writer: DuckDBConnection;
  readonly #kept: KeptState;

  private constructor(duckdb: DuckDb, writer: DuckDBConnection, kept: KeptState) {
    this.#duckdb = duckdb;
    this.#writer = writer;
    this.#kept = kept;
    this.coverage = kept.coverage;
    this.daySums = kept.daySums;
  }

  /** @param writer - the caller sees to it that one call of those that write follows the other */
  static async open(duckdb: DuckDb, writer: DuckDBConnection): Promise<StateFile> {
    return new StateFile(duckdb, writer, await readState(writer));
  }

  retainedFromUs(): number {
    return this.#kept.retainedFromUs;
  }

  hasDay(day: number): boolean {
    return this.#kept.days.has(day);
  }

  /** Notes days that have records: to be done before anything is said to be complete of them. */
  async addDays(added: Iterable<number>): Promise<void> {
    const { days } = this.#kept;
    const fresh = [...new Set(added)].filter((day) => !days.has(day));
    if (fresh.length === 0) return;
    await inTransaction(this.#writer, () => this.#writeDays(fresh));
    for (const day of fresh) days.add(day);
  }

  /**
   * Compares the days that have records with those whose file is there. Of one whose file is gone (removed by hand, not in the copy that was
   * restored) nothing is complete any more.
   */
  async meetDays(present: readonly number[]): Promise<void> {
    const { days } = this.#kept;
    const there = new Set(present);
    const gone = [...days].filter((day) => !there.has(day));
    const left = this.#coverageLeft((intervals) =>
      gone.reduce(
        (some, day) => coverageWithout(some, { fromUs: day * DAY_US, toUs: (day + 1) * DAY_US - 1 }),
        intervals,
      ),
    );
    const fresh = present.filter((day) => !days.has(day));
    if (gone.length + fresh.length === 0) return;
    await inTransaction(this.#writer, async () => {
      if (gone.length > 0)
        for (const [sourceId, intervals] of left) await writeCoverage(this.#writer, sourceId, intervals);
      for (const day of gone) await this.#writer.run('DELETE FROM state.days WHERE day = $1', [day]);
      await this.#writeDays(fresh);
    });
    for (const [sourceId, intervals] of left) this.coverage.set(sourceId, intervals);
    for (const day of gone) days.delete(day);
    for (const day of fresh) days.add(day);
  }

  /** Those that anything came from or was said of, in order. */
  sources(): readonly string[] {
    return this.#kept.sources;
  }

  async addSources(sourceIds: readonly string[]): Promise<void> {
    this.#kept.sources = await inTransaction(this.#writer, () => this.#writeSources(sourceIds));
  }

  /** What is older than retention is left out: records of then are not taken. */
  async setCoverage(sourceId: string, intervals: readonly CoverageInterval[]): Promise<void> {
    const retained = coverageFrom(intervals, this.#kept.retainedFromUs);
    const known = await inTransaction(this.#writer, async () => {
      await writeCoverage(this.#writer, sourceId, retained);
      return this.#writeSources([sourceId]);
    });
    this.coverage.set(sourceId, retained);
    this.#kept.sources = known;
  }

  holds(): readonly LegalHold[] {
    return [...this.#kept.holds.values()].filter(({ isReleased }) => !isReleased).map(({ hold }) => hold);
  }

  audit(): readonly HoldAuditEntry[] {
    return [...this.#kept.audit];
  }

  /** Records under any hold that a query finds. */
  async held(connection: DuckDBConnection, query: RecordQuery): Promise<readonly CallRecord[]> {
    return this.#kept.holds.size === 0 ? [] : readHeld(connection, query, this.#kept);
  }

  /** Records under any hold that are on a page, and one more than fit on it. */
  async heldPage(connection: DuckDBConnection, page: RecordPage): Promise<readonly CallRecord[]> {
    if (this.#kept.holds.size === 0) return [];
    const rows = await rowsOf(connection, heldPageSql(page));
    return rows.map(([record]) => JSON.parse(String(record)) as CallRecord);
  }

  async hold(hold: LegalHold, entry: HoldAuditEntry, records: readonly CallRecord[]): Promise<void> {
    const { holds, audit } = this.#kept;
    const writer = this.#writer;
    await inTransaction(writer, async () => {
      await writer.run('INSERT INTO state.holds VALUES ($1, $2, FALSE)', [hold.holdId, JSON.stringify(hold)]);
      await writeHeld({ duckdb: this.#duckdb, writer }, hold.holdId, records);
      await this.#writeAudit(entry, audit.length);
    });
    holds.set(hold.holdId, { hold, isReleased: false });
    this.#kept.hasOtherInstants ||= records.some(({ time }) => time.otherInviteAtUs !== undefined);
    audit.push(entry);
  }

  async release(holdId: string, entry: HoldAuditEntry): Promise<void> {
    const { holds, audit } = this.#kept;
    await inTransaction(this.#writer, async () => {
      await this.#writer.run('UPDATE state.holds SET released = TRUE WHERE hold_id = $1', [holdId]);
      await this.#writeAudit(entry, audit.length);
    });
    const known = holds.get(holdId);
    if (known !== undefined) known.isReleased = true;
    audit.push(entry);
  }

  /**
   * Moves the end of retention, cuts coverage there, ends holds whose time is over and lets go what no hold keeps.
   * @param ended - entries for the holds that end
   */
  async expire(beforeUs: number, ended: readonly HoldAuditEntry[]): Promise<void> {
    const { coverage } = this;
    const { holds, audit, days } = this.#kept;
    const writer = this.#writer;
    const retained = Math.max(this.#kept.retainedFromUs, beforeUs);
    const firstDay = Math.floor(retained / DAY_US);
    const left = this.#coverageLeft((intervals) => coverageFrom(intervals, beforeUs));
    const over = new Set(ended.map(({ holdId }) => holdId));
    for (const [holdId, { isReleased }] of holds) if (isReleased) over.add(holdId);
    await inTransaction(writer, async () => {
      await writer.run("DELETE FROM state.settings WHERE name = 'retained_from_us'");
      await writer.run("INSERT INTO state.settings VALUES ('retained_from_us', $1)", [BigInt(retained)]);
      await writer.run('DELETE FROM state.day_sums WHERE day < $1', [firstDay]);
      await writer.run('DELETE FROM state.days WHERE day < $1', [firstDay]);
      for (const [sourceId, intervals] of left) {
        const known = coverage.of(sourceId);
        if (intervals.length !== known.length || intervals[0]?.fromUs !== known[0]?.fromUs)
          await writeCoverage(writer, sourceId, intervals);
      }
      for (const holdId of over) {
        await writer.run('DELETE FROM state.held WHERE hold_id = $1', [holdId]);
        await writer.run('DELETE FROM state.holds WHERE hold_id = $1', [holdId]);
      }
      for (const [index, entry] of ended.entries()) await this.#writeAudit(entry, audit.length + index);
    });
    this.#kept.retainedFromUs = retained;
    for (const day of days) if (day < firstDay) days.delete(day);
    for (const [sourceId, intervals] of left) coverage.set(sourceId, intervals);
    for (const holdId of over) holds.delete(holdId);
    audit.push(...ended);
  }

  #coverageLeft(
    cut: (intervals: readonly CoverageInterval[]) => readonly CoverageInterval[],
  ): ReadonlyMap<string, readonly CoverageInterval[]> {
    return new Map(this.coverage.sources().map((sourceId) => [sourceId, cut(this.coverage.of(sourceId))]));
  }

  async #writeDays(days: readonly number[]): Promise<void> {
    for (const day of days) await this.#writer.run('INSERT INTO state.days VALUES ($1)', [day]);
  }

  async #writeSources(sourceIds: readonly string[]): Promise<readonly string[]> {
    const { sources } = this.#kept;
    const added = sourceIds.filter((sourceId) => !sources.includes(sourceId));
    for (const sourceId of added) await this.#writer.run('INSERT INTO state.sources VALUES ($1)', [sourceId]);
    return added.length === 0 ? sources : [...sources, ...added].sort();
  }

  async #writeAudit(entry: HoldAuditEntry, place: number): Promise<void> {
    await this.#writer.run('INSERT INTO state.audit VALUES ($1, $2)', [place, JSON.stringify(entry)]);
  }
}

interface KeptHold {
  readonly hold: LegalHold;
  isReleased: boolean;
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
  const sql = 'SELECT hold_id, hold, released FROM state.holds ORDER BY rowid';
  for (const [holdId, hold, released] of await rowsOf(connection, sql))
    kept.set(String(holdId), { hold: JSON.parse(String(hold)) as LegalHold, isReleased: released === true });
  return kept;
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

/** Look-ups at a time: as many as Node has threads for work of this kind. */
const READERS = 4;

/**
 * Log of a day from which on DuckDB brings it into the file, octets. Larger than its default of 16 MB: the last 122,880 rows are packed
 * anew each time. A process that was killed reads at most this much when it comes back: half a second.
 */
const CHECKPOINT_SIZE = '64MB';

/** DuckDB's compression of texts and octets. What is in a file is read in any case. */
const TEXT_COMPRESSION = "SET disabled_compression_methods = ''";
const NO_TEXT_COMPRESSION = "SET disabled_compression_methods = 'dict_fsst'";

/** What is asked for in an order says so: rows are looked for by all threads where only so many are wanted. */
const ANY_ORDER = 'SET preserve_insertion_order = false';

/** What {@link openEngine} is told. */
interface EngineOptions {
  readonly directory: string;
  readonly memoryLimitMb: number;
  readonly threads: number;
}

/** DuckDB with the state and the days of one store. Its `writer` is for everything that writes: one statement or transaction at a time. */
export type Engine = Awaited<ReturnType<typeof engineOf>>;

/**
 * Opens, or makes, the files of a store. The state stays open, and with it DuckDB's lock on it, which another process meets.
 * @throws HopbackError `storage-failed` when another process has the store open, a later release wrote it, or the disk cannot be read
 */
export async function openEngine(duckdb: DuckDb, options: EngineOptions): Promise<Engine> {
  await requireLayout(options.directory);
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    threads: String(options.threads),
    memory_limit: `${options.memoryLimitMb}MB`,
    // Nothing is ever fetched: a store needs no extension.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    temp_directory: join(options.directory, 'temporary'),
  });
  try {
    return await engineOf(duckdb, instance, options);
  } catch (error) {
    instance.closeSync();
    if (isLockRefused(error)) throw inUse(`the record store ${options.directory} is open in another process`, error);
    throw storageFailed(`open ${options.directory}`, error);
  }
}

async function engineOf(duckdb: DuckDb, instance: DuckDBInstance, { directory }: EngineOptions) {
  const writer = await instance.connect();
  await writer.run(`SET checkpoint_threshold = '${CHECKPOINT_SIZE}'`);
  for (const setting of [NO_MERGING, NO_TEXT_COMPRESSION, ANY_ORDER]) await writer.run(setting);
  let isCompressing = false;
  await writer.run(`ATTACH ${quoted(join(directory, 'state.duckdb'))} AS state (STORAGE_VERSION 'latest')`);
  for (const sql of CREATE_STATE_SQL) await writer.run(sql);
  const attaching = await instance.connect();
  const partitions = await Partitions.open(join(directory, 'days'), attaching, await readRetainedFrom(writer));
  const idle: DuckDBConnection[] = [];
  for (let made = 0; made < READERS; made += 1) idle.push(await instance.connect());
  const all = [...idle];
  const waiting: ((connection: DuckDBConnection) => void)[] = [];

  /** Look-ups that are under way. A connection is not closed under one. */
  const running = new Set<Promise<unknown>>();
  let isClosing = false;

  const withConnection = async <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    const connection = idle.pop() ?? (await new Promise<DuckDBConnection>((resolve) => waiting.push(resolve)));
    try {
      return await work(connection);
    } finally {
      const next = waiting.shift();
      if (next === undefined) idle.push(connection);
      else next(connection);
    }
  };

  /** Works on a connection of its own. */
  const reading = async <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    if (isClosing) throw new Error('the files of the store are being closed');
    const made = withConnection(work);
    running.add(made);
    try {
      return await made;
    } finally {
      running.delete(made);
    }
  };

  const close = async (): Promise<void> => {
    isClosing = true;
    await Promise.allSettled(running);
    try {
      await partitions.close();
      await merging(writer, () => detach(writer, 'state'));
    } finally {
      // Whatever went wrong: the lock goes with the instance.
      for (const connection of [writer, attaching, ...all]) connection.closeSync();
      instance.closeSync();
    }
  };

  /**
   * Says whether bodies are worth compressing that are brought into their file from now on. With rows as switches wrote them they shrink by a
   * quarter; without, by a hundredth, and a look-up reads them faster as they are.
   */
  const compressBodies = async (isWorthIt: boolean): Promise<void> => {
    if (isWorthIt === isCompressing) return;
    await writer.run(isWorthIt ? TEXT_COMPRESSION : NO_TEXT_COMPRESSION);
    isCompressing = isWorthIt;
  };

  return { writer, duckdb, partitions, compressBodies, reading, close };
}

/** What a day holds. */
interface DaySum {
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
export type DaySums = Awaited<ReturnType<typeof openDaySums>>;

/** Reads the sums that are kept. */
async function openDaySums(writer: DuckDBConnection) {
  const kept = new Map<number, MarkedSum>();
  const rows = await writer.runAndReadAll('SELECT day, mark, records, oldest_us, newest_us FROM state.day_sums');
  for (const [day, mark, records, oldestUs, newestUs] of rows.getRowsJS())
    kept.set(Number(day), Object.assign(sumOf(records, oldestUs, newestUs), { mark: mark as string }));
  return {
    of: (day: number): MarkedSum | undefined => kept.get(day),
    /** One call of it follows the other, and what else writes. */
    keep: async (sums: ReadonlyMap<number, MarkedSum>): Promise<void> => {
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

/** The files of a store. */
export interface OpenFiles {
  readonly engine: Engine;
  readonly state: StateFile;
}

/** Hands the files of a store to whoever works on them. */
export type FileAccess = ReturnType<typeof createFileAccess>;

/**
 * Takes care of files that are open.
 * @param parts - what opens them again, and the folder that a refusal names
 */
export function createFileAccess(
  opened: OpenFiles,
  { open, directory }: { readonly open: () => Promise<OpenFiles>; readonly directory: string },
) {
  let files = Promise.resolve(opened);
  let isClosed = false;
  let writing: Promise<unknown> = Promise.resolve();

  /** One at a time with what `change` does, for who has the files already. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const made = writing.then(work);
    writing = made.catch(() => undefined);
    return made;
  };

  const reopened = async (broken: Promise<OpenFiles>): Promise<OpenFiles> => {
    await broken
      .then(async ({ engine }) => {
        // Whoever works on a day has it to the end, and fails by itself; then what writes, then the rest.
        await engine.partitions.close().catch(() => undefined);
        await inTurn(() => engine.close());
      })
      .catch(() => undefined);
    return open();
  };

  const reopen = (broken: Promise<OpenFiles>): void => {
    if (files !== broken) return;
    files = reopened(broken);
    // Whoever comes next is told.
    files.catch(() => undefined);
  };

  /**
   * Runs what needs the files. After an error that DuckDB does not come back from they are opened anew for whoever comes next.
   * @param what - completes "the record store could not …"
   * @throws HopbackError `storage-failed` for whatever the work throws; `closed` after `close`
   */
  const use = async <T>(what: string, work: (files: OpenFiles) => Promise<T>): Promise<T> => {
    if (isClosed) throw new HopbackError('closed', 'the record store is closed');
    const using = files;
    const current = await using.catch((error: unknown) => {
      reopen(using);
      throw storageFailed(what, error, directory);
    });
    try {
      return await work(current);
    } catch (error) {
      if (isFatal(error)) reopen(using);
      throw storageFailed(what, error, directory);
    }
  };

  return {
    use,
    /**
     * As `use`, one at a time in the order in which they came: for what writes. The files first: who has the turn must not wait for files that
     * wait for who waits for the turn.
     */
    change: <T>(what: string, work: (files: OpenFiles) => Promise<T>): Promise<T> =>
      use(what, (current) => inTurn(() => work(current))),
    inTurn,
    /** Waits for what writes, and closes. Once only. */
    close: async (): Promise<void> => {
      isClosed = true;
      await writing;
      try {
        await (await files).engine.close();
      } catch (error) {
        throw storageFailed('be closed', error, directory);
      }
    },
  };
}
