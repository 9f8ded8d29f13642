import type { CallRecord } from '../../../contract/call-record.js';
import type { Inserted } from '../record-store.js';
import { appendRows, inTransaction } from './duckdb-module.js';
import type { Column, DuckDb } from './duckdb-module.js';
import type { Engine } from './engine.js';
import { FIRST_TRUNK_COLUMN, createRowBatch, dayOf } from './partition-rows.js';
import type { RowBatch } from './partition-rows.js';
import type { Partition } from './partitions.js';

/**
 * Most rows of one transaction: a commit costs some milliseconds however small it is, and at this size a microsecond a row. Larger
 * ones would keep small callers waiting.
 */
const MAX_GROUP_ROWS = 8_192;

/**
 * Characters of raw rows in one transaction, and at most those of one record more. A batch keeps its memory for the next one, and two are at
 * work: thousands of documents of 60 KiB would take half a GiB and never give it back.
 */
const MAX_GROUP_RAW_CHARS = 16_777_216;

/** Rows that are prepared before others have their turn: a few milliseconds. */
const ROWS_PER_TURN = 512;

/** Writes a batch into the day that is open; one at a time. @returns the rows that were there already */
type WriteBatch = (batch: RowBatch) => Promise<ReadonlySet<number>>;

/** How the queue reaches the disk. */
interface InsertQueueOptions {
  /** Opens a day and keeps it open while the work lasts. */
  readonly using: (day: number, work: (partition: Partition, write: WriteBatch) => Promise<void>) => Promise<void>;
  /** Lets everything else have its turn. */
  readonly pause: () => Promise<void>;
}

interface Caller {
  waiting: number;
  inserted: number;
  repeated: number;
  readonly resolve: (inserted: Omit<Inserted, 'expired'>) => void;
  readonly reject: (error: unknown) => void;
}

/** What waits for one day. */
interface DayQueue {
  readonly records: CallRecord[];
  readonly callers: Caller[];
}

/** A batch that is ready to be written, and who waits for its rows. */
interface Group {
  readonly batch: RowBatch;
  /** By row. */
  readonly callers: readonly Caller[];
  /** Of records that are in the batch already. */
  readonly repeatedCallers: readonly Caller[];
}

/** Puts records of many callers into common transactions. While one batch is written the next is prepared. */
export class InsertQueue {
  readonly #options: InsertQueueOptions;
  /** By day, in the order in which they began to wait. */
  readonly #days = new Map<number, DayQueue>();
  readonly #spare: RowBatch[] = [];
  #pumping: Promise<void> | undefined;
  #arrived: () => void = () => undefined;

  constructor(options: InsertQueueOptions) {
    this.#options = options;
  }

  /** Resolves when every record is durable. @throws whatever `write` throws for any of them */
  insert(records: readonly CallRecord[]): Promise<Omit<Inserted, 'expired'>> {
    if (records.length === 0) return Promise.resolve({ inserted: 0, repeated: 0 });
    const days = this.#days;
    return new Promise((resolve, reject) => {
      const caller: Caller = {
        waiting: records.length,
        inserted: 0,
        repeated: 0,
        resolve,
        reject,
      };
      for (const record of records) {
        const day = dayOf(record.inviteAtUs);
        let queue = days.get(day);
        if (queue === undefined) days.set(day, (queue = { records: [], callers: [] }));
        queue.records.push(record);
        queue.callers.push(caller);
      }
      this.#arrived();
      this.#pumping ??= this.#pump();
    });
  }

  /** Resolves when nothing waits. */
  async drained(): Promise<void> {
    // The pump stops when nothing waits and everything is written.
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    let writing: Promise<void> = Promise.resolve();
    for (;;) {
      const [day] = this.#days.keys();
      if (day === undefined) {
        // Whoever comes while the last batch is written is prepared for meanwhile.
        const isWritten = await Promise.race([
          writing.then(() => true),
          new Promise<false>((resolve) => {
            this.#arrived = () => resolve(false);
          }),
        ]);
        if (!isWritten || this.#days.size > 0) continue;
        this.#pumping = undefined;
        return;
      }
      const queue = this.#take(day);
      const before = writing;
      let isPrepared: () => void = () => undefined;
      const preparing = new Promise<void>((resolve) => (isPrepared = resolve));
      writing = this.#options
        .using(day, async (partition, write) => {
          const group = await this.#prepare(queue, partition);
          isPrepared();
          await before;
          await this.#write(write, group);
        })
        .catch((error: unknown) => {
          isPrepared();
          for (const caller of queue.callers) caller.reject(error);
        });
      await preparing;
      await before;
    }
  }

  /** What waits longest of a day, at most one group of it. */
  #take(day: number): DayQueue {
    const queue = this.#days.get(day) ?? { records: [], callers: [] };
    this.#days.delete(day);
    const length = groupLength(queue.records);
    if (queue.records.length === length) return queue;
    this.#days.set(day, { records: queue.records.slice(length), callers: queue.callers.slice(length) });
    return { records: queue.records.slice(0, length), callers: queue.callers.slice(0, length) };
  }

  async #prepare({ records, callers }: DayQueue, { encoder }: Partition): Promise<Group> {
    const batch = this.#spare.pop() ?? createRowBatch(MAX_GROUP_ROWS);
    const ids = new Set<string>();
    const rowCallers: Caller[] = [];
    const repeatedCallers: Caller[] = [];
    for (let index = 0; index < records.length; index += 1) {
      const record = records[index] as CallRecord;
      const caller = callers[index] as Caller;
      if (ids.has(record.recordId)) repeatedCallers.push(caller);
      else {
        ids.add(record.recordId);
        batch.add(record, encoder);
        rowCallers.push(caller);
      }
      if (index % ROWS_PER_TURN === ROWS_PER_TURN - 1) await this.#options.pause();
    }
    return { batch, callers: rowCallers, repeatedCallers };
  }

  async #write(write: WriteBatch, { batch, callers, repeatedCallers }: Group): Promise<void> {
    try {
      const repeated = await write(batch);
      for (let row = 0; row < callers.length; row += 1) settle(callers[row] as Caller, repeated.has(row));
      for (const caller of repeatedCallers) settle(caller, true);
    } finally {
      batch.reset();
      this.#spare.push(batch);
    }
  }
}

/** How many of the records that wait longest are written together; one at least. */
function groupLength(records: readonly CallRecord[]): number {
  const most = Math.min(records.length, MAX_GROUP_ROWS);
  let chars = 0;
  for (let at = 0; at < most; at += 1) {
    const raw = records[at]?.source.raw;
    if (raw === undefined) continue;
    chars += rawChars(raw);
    if (chars > MAX_GROUP_RAW_CHARS) return at + 1;
  }
  return most;
}

/** Of whatever is there: what a record holds must not stop the records of others. */
function rawChars(raw: unknown): number {
  if (!Array.isArray(raw)) return 0;
  let chars = 0;
  for (const row of raw as readonly (Partial<Record<'text' | 'base64', unknown>> | null)[]) {
    const value = row?.text ?? row?.base64;
    if (typeof value === 'string') chars += value.length;
  }
  return chars;
}

function settle(caller: Caller, isRepeated: boolean): void {
  if (isRepeated) caller.repeated += 1;
  else caller.inserted += 1;
  caller.waiting -= 1;
  if (caller.waiting === 0) caller.resolve({ inserted: caller.inserted, repeated: caller.repeated });
}

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
