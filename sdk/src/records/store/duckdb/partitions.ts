import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CallRecord } from '../../../contract/call-record.js';
import { moveFile } from '../../../core/runtime/whole-file.js';
import { DAY_US, matchesQuery } from '../record-store.js';
import type { RecordPage, RecordQuery } from '../record-store.js';
import {
  createPartitionSql,
  dateOf,
  dayOf,
  extentSql,
  pageEndSql,
  pageSql,
  recordIdOfKeys,
  rowsSql,
} from './partition-rows.js';
import type { RowsRead } from './partition-rows.js';
import { createFormTable, decodeRecord } from './record-decoder.js';
import type { FormTable } from './record-decoder.js';
import { RecordEncoder } from './record-encoder.js';
import { PER_MILLISECOND } from './record-form.js';

/**
 * Most days that are open at a time. Each is one file, or two while it has a log; with that of the state, and the two of a day
 * that is just being made, they stay below 64.
 */
const MAX_OPEN_PARTITIONS = 28;

/**
 * Most of them that were written to, where a new day is written to: the others are for look-ups. Rows that come late, in files of some
 * days at a time, find their days open.
 */
const MAX_WRITTEN_PARTITIONS = 14;

/** A day that is open. */
export interface Partition {
  /** Since 1970. */
  readonly day: number;
  /** Name under which its tables are reached. */
  readonly schema: string;
  readonly forms: FormTable;
  readonly encoder: RecordEncoder;
  /** Time of day of the last row, milliseconds; -1 in an empty one. */
  lastAtMs: number;
}

interface Entry {
  /** Undefined where it is not there and was not to be made. */
  readonly opening: Promise<Partition | undefined>;
  users: number;
  /** Rows may have come: closing it brings its log into the file, which takes a tenth of a second and more. */
  isWritten: boolean;
  /** Called when the last user has gone. */
  idle: (() => void) | undefined;
}

/** The days of a store. */
export class Partitions {
  readonly #directory: string;
  readonly #connection: DuckDBConnection;
  readonly #days: Set<number>;
  /** In the order of use, the least recent first. */
  readonly #entries = new Map<number, Entry>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, connection: DuckDBConnection, days: Set<number>) {
    this.#directory = directory;
    this.#connection = connection;
    this.#days = days;
  }

  /**
   * Opens the folder of the days. What a crash left half made is removed; so are days that retention had already given up.
   * @param connection - for attaching and detaching; only one of these at a time
   * @param retainedFromUs - where retention ended
   */
  static async open(directory: string, connection: DuckDBConnection, retainedFromUs: number): Promise<Partitions> {
    const days = new Set<number>();
    for (const name of await readdir(directory)) {
      const day = dayOfFileName(name);
      if (name.includes(UNFINISHED)) await rm(join(directory, name));
      else if (day !== undefined && (day + 1) * DAY_US <= retainedFromUs) await removeFiles(directory, day);
      else if (day !== undefined) days.add(day);
    }
    return new Partitions(directory, connection, days);
  }

  /** Those that there are, in order. */
  days(): readonly number[] {
    return [...this.#days].sort((one, other) => one - other);
  }

  /** Works on a day; it stays open meanwhile. Made where it is not there. */
  async using<T>(day: number, work: (partition: Partition) => Promise<T>): Promise<T> {
    for (;;) {
      let isDone = false;
      const made = await this.#usingEntry(day, true, (partition) => {
        isDone = true;
        return work(partition);
      });
      // Not done where a look-up had just found the day missing: then it is made at the second attempt.
      if (isDone) return made as T;
    }
  }

  /** Works on a day if it is there. */
  async usingIfThere<T>(day: number, work: (partition: Partition) => Promise<T>): Promise<T | undefined> {
    return this.#days.has(day) ? this.#usingEntry(day, false, work) : undefined;
  }

  /** Removes a day for good, when nobody works on it any more. */
  async remove(day: number): Promise<void> {
    this.#days.delete(day);
    await this.#detach(day);
    await removeFiles(this.#directory, day);
  }

  sizeBytes(): Promise<number> {
    return sizeOf(this.#directory);
  }

  /**
   * Tells one state of the file of a day from another; undefined where it has a log that is not brought into it yet, or was changed just
   * now, so that the next change might leave the same mark.
   */
  markOf(day: number): Promise<string | undefined> {
    return markOf(this.#directory, day);
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    for (const day of [...this.#entries.keys()]) await this.#detach(day);
  }

  async #usingEntry<T>(
    day: number,
    isMade: boolean,
    work: (partition: Partition) => Promise<T>,
  ): Promise<T | undefined> {
    const entry = this.#entryOf(day, isMade);
    const forget = (): void => {
      if (this.#entries.get(day) === entry) this.#entries.delete(day);
    };
    entry.users += 1;
    try {
      const partition = await entry.opening.catch((error: unknown) => {
        forget();
        throw error;
      });
      if (partition !== undefined) return await work(partition);
      forget();
      return undefined;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) entry.idle?.();
    }
  }

  #entryOf(day: number, isMade: boolean): Entry {
    const known = this.#entries.get(day);
    this.#entries.delete(day);
    const entry = known ?? {
      opening: this.#inTurn(() => this.#openDay(day, isMade)),
      users: 0,
      isWritten: false,
      idle: undefined,
    };
    entry.isWritten ||= isMade;
    this.#entries.set(day, entry);
    return entry;
  }

  async #openDay(day: number, isMade: boolean): Promise<Partition | undefined> {
    await this.#makeRoom(isMade);
    if (!this.#days.has(day)) {
      if (!isMade) return undefined;
      await makeDay(this.#directory, day, this.#connection);
      this.#days.add(day);
    }
    return attachDay(this.#directory, day, this.#connection);
  }

  /** Who writes to a day waits for the log of one written to before; a look-up does not, while there are days that were only read. */
  async #makeRoom(isMade: boolean): Promise<void> {
    if (isMade) await this.#closeSome(({ isWritten }) => isWritten, MAX_WRITTEN_PARTITIONS);
    const others = [...this.#entries.values()].filter(({ isWritten }) => isWritten).length;
    await this.#closeSome(({ isWritten }) => !isWritten, Math.max(1, MAX_OPEN_PARTITIONS - others));
    await this.#closeSome(() => true, MAX_OPEN_PARTITIONS);
  }

  async #closeSome(isWanted: (entry: Entry) => boolean, mostLeft: number): Promise<void> {
    const wanted = [...this.#entries].filter(([, entry]) => isWanted(entry));
    let left = wanted.length;
    for (const [day, entry] of wanted) {
      if (left <= mostLeft) return;
      if (entry.users > 0 || this.#entries.get(day) !== entry) continue;
      this.#entries.delete(day);
      left -= 1;
      await detachDay(this.#connection, day, entry.isWritten);
    }
  }

  async #detach(day: number): Promise<void> {
    const entry = this.#entries.get(day);
    if (entry === undefined) return;
    this.#entries.delete(day);
    const isOpen = await entry.opening.then(
      (partition) => partition !== undefined,
      () => false,
    );
    if (entry.users > 0) await new Promise<void>((resolve) => (entry.idle = resolve));
    if (isOpen) await this.#inTurn(() => detachDay(this.#connection, day, entry.isWritten));
  }

  /** One attachment or detachment after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const made = this.#turn.then(work);
    this.#turn = made.catch(() => undefined);
    return made;
  }
}

/** A day is made under another name, whole and synced, before it has its own: a crash never leaves half a file to be opened. */
async function makeDay(directory: string, day: number, connection: DuckDBConnection): Promise<void> {
  const unfinished = join(directory, `${fileName(day)}${UNFINISHED}`);
  await rm(unfinished, { force: true });
  await connection.run(`ATTACH ${quoted(unfinished)} AS unfinished (STORAGE_VERSION 'latest')`);
  try {
    for (const sql of createPartitionSql('unfinished')) await connection.run(sql);
    await connection.run('CHECKPOINT unfinished');
  } finally {
    await connection.run('DETACH unfinished');
  }
  await moveFile(unfinished, join(directory, fileName(day)));
}

async function attachDay(directory: string, day: number, connection: DuckDBConnection): Promise<Partition> {
  const schema = schemaOf(day);
  await connection.run(`ATTACH ${quoted(join(directory, fileName(day)))} AS ${schema}`);
  const forms = await connection.runAndReadAll(`SELECT number, text FROM ${schema}.forms`);
  const last = await connection.runAndReadAll(`SELECT max(at_ms) FROM ${schema}.records`);
  const table = createFormTable(
    forms.getRowsJS().map(([number, text]) => ({ number: Number(number), text: text as string })),
  );
  const lastAtMs = last.getRowsJS()[0]?.[0];
  return {
    day,
    schema,
    forms: table,
    encoder: new RecordEncoder(table),
    lastAtMs: typeof lastAtMs === 'number' ? lastAtMs : -1,
  };
}

/** Closes a day. One that is in many small pieces is put together meanwhile. */
async function detachDay(connection: DuckDBConnection, day: number, isWritten: boolean): Promise<void> {
  const schema = schemaOf(day);
  const isInPieces = isWritten && (await countSmallGroups(connection, schema)) > MAX_SMALL_GROUPS;
  await (isInPieces ? merging(connection, () => detach(connection, schema)) : detach(connection, schema));
}

/**
 * Rows that a group has at least which is not small, a tenth of a full one. A group takes a block of 256 KiB more than its rows, however few
 * they are.
 */
const SMALL_GROUP_ROWS = 12_288;

/** Small groups of rows that a day may have. Each opening that brings rows makes one. */
const MAX_SMALL_GROUPS = 16;

/** Groups of rows with few rows in them. What the log holds counts as one. 0 where DuckDB cannot tell: closing goes on. */
async function countSmallGroups(connection: DuckDBConnection, schema: string): Promise<number> {
  const sizes =
    `SELECT sum(count) AS size FROM pragma_storage_info('${schema}.records') ` +
    `WHERE column_id = 0 AND segment_type <> 'VALIDITY' GROUP BY row_group_id`;
  const read = await connection
    .runAndReadAll(`SELECT count(*) FROM (${sizes}) WHERE size < ${SMALL_GROUP_ROWS}`)
    .catch(() => undefined);
  return Number(read?.getRowsJS()[0]?.[0] ?? 0);
}

/** The log first: without it the file is an older state of the same day, which opening removes as well. */
async function removeFiles(directory: string, day: number): Promise<void> {
  await rm(join(directory, `${fileName(day)}.wal`), { force: true });
  await rm(join(directory, fileName(day)), { force: true });
}

async function sizeOf(directory: string): Promise<number> {
  let size = 0;
  for (const name of await readdir(directory)) {
    // A file may go between the two calls.
    size += await stat(join(directory, name)).then(
      (found) => found.size,
      () => 0,
    );
  }
  return size;
}

/** Clocks of file systems go in steps of some milliseconds, and those of file servers apart from ours. */
const SETTLED_MS = 10_000;

async function markOf(directory: string, day: number): Promise<string | undefined> {
  const path = join(directory, fileName(day));
  const hasLog = await stat(`${path}.wal`).then(
    () => true,
    () => false,
  );
  const found = hasLog ? undefined : await stat(path, { bigint: true }).catch(() => undefined);
  if (found === undefined || Math.abs(Date.now() - Number(found.mtimeMs)) < SETTLED_MS) return undefined;
  return `${found.size} ${found.mtimeNs} ${found.ino}`;
}

const UNFINISHED = '.unfinished';

function fileName(day: number): string {
  return `${dateOf(day)}.duckdb`;
}

function dayOfFileName(name: string): number | undefined {
  const date = /^(\d{4}-\d{2}-\d{2})\.duckdb$/.exec(name)?.[1];
  const ms = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(ms) ? undefined : (ms * 1_000) / DAY_US;
}

function schemaOf(day: number): string {
  return `day_${day}`;
}

/**
 * Closes the file of a schema. DuckDB brings its log into it then; where the disk is too full for that the log stays, the next opening
 * reads it, and nothing is lost that would be worth an error.
 */
export async function detach(connection: DuckDBConnection, schema: string): Promise<void> {
  try {
    await connection.run(`DETACH ${schema}`);
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(STILL_DETACHED))) throw error;
  }
}

/**
 * Whether DuckDB, when it brings a log into its file, puts small groups of rows together, and such as have lost rows. It writes up to three full
 * ones anew each time for that, and leaves their old blocks, some 70 MB, as holes in the file: a day of a million records would take a third
 * more.
 */
export const NO_MERGING = 'SET max_vacuum_tasks = 0';
const MERGING = 'SET max_vacuum_tasks = 100';

/** Does work that brings a log into its file, with small groups of rows put together. */
export async function merging(connection: DuckDBConnection, work: () => Promise<void>): Promise<void> {
  await connection.run(MERGING);
  try {
    await work();
  } finally {
    await connection.run(NO_MERGING);
  }
}

/** What DuckDB says when it has closed a file whose log it could not bring in. */
const STILL_DETACHED = 'Detached database';

/** A file name as SQL text. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

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

/** The records of a day that are on a page. */
export async function pageOfDay(
  connection: DuckDBConnection,
  partition: Partition,
  page: RecordPage,
): Promise<readonly CallRecord[]> {
  for (;;) {
    // Where it ends is found first: sorted with their bodies, the rows of a whole day would be read for each page.
    const [end] = (await connection.runAndReadAll(pageEndSql(partition, page))).getRowsJS();
    const endMs = end === undefined ? DAY_US / PER_MILLISECOND : Number(end[0]);
    const rows = (await connection.runAndReadAll(pageSql(partition, page, endMs))).getRowsJS();
    // Rows that expired between the two would leave out what comes behind the end.
    if (end === undefined || rows.length === page.limit) return rows.map((row) => recordOf(partition, row));
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
