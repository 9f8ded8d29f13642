import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { CallRecord } from '../../contract/call-record.js';
import { HopbackError } from '../../errors.js';
import { appendRows, loadDuckDb, storageFailed } from './duckdb/duckdb-module.js';
import type { DuckDb } from './duckdb/duckdb-module.js';
import { quoted } from './duckdb/partitions.js';
import { RECORD_COLUMNS, RECORD_COLUMNS_VERSION } from './record-columns.js';
import type { ColumnValue, RecordColumn } from './record-columns.js';
import { MAX_QUERY_LIMIT } from './record-store.js';
import type { RecordPageQuery, RecordStore, TimeWindow } from './record-store.js';

/** What DuckDB may take, MB; a table that is larger lies on the disk. */
const MEMORY_LIMIT_MB = 256;
/** Rows of a group of Parquet: a reader unpacks all of a group for one row of it. */
const ROW_GROUP_ROWS = 20_480;
/** Records of a page: some 10 MiB. */
const PAGE_RECORDS: number = MAX_QUERY_LIMIT / 2;

/** What a statement gave. */
export interface SqlResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Values in the order of the columns, as JSON: whole numbers beyond 32 bits, decimals and times are texts. */
  readonly rows: readonly (readonly unknown[])[];
  /** Whether there are more. */
  readonly isCut: boolean;
}

/**
 * Call records as a table that people can query: a copy in a database of its own, which is removed when it is closed. A statement can neither
 * harm the store nor hold up those who write to it.
 */
export interface RecordTable extends AsyncDisposable {
  /**
   * Adds all records of a window.
   * @param signal - ends it early: an `AbortError`
   * @returns how many
   */
  readonly load: (store: Pick<RecordStore, 'page'>, window: TimeWindow, signal?: AbortSignal) => Promise<number>;
  /**
   * Carries out one SELECT. From the first one on the table neither grows nor reaches a file.
   * @param limit - rows at most
   * @throws {@link HopbackError} `invalid-argument` for anything but one SELECT, and for one that cannot be carried out, with DuckDB's reason
   */
  readonly select: (sql: string, limit: number, signal?: AbortSignal) => Promise<SqlResult>;
  /** Writes the table as Parquet, compressed with zstd, in the order of time. @param path - of a file that is replaced */
  readonly writeParquet: (path: string) => Promise<void>;
}

/** @throws {@link HopbackError} `unavailable` where DuckDB is not installed; `storage-failed` where there is no room for temporary files */
export async function openRecordTable(): Promise<RecordTable> {
  const duckdb = await loadDuckDb();
  const folder = await mkdtemp(join(tmpdir(), 'hopback-records-table-'));
  const removed = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      threads: '2',
      memory_limit: `${MEMORY_LIMIT_MB}MB`,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      temp_directory: join(folder, 'spilled'),
    });
    const connection = await instance.connect();
    const columns = RECORD_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ');
    await connection.run(`CREATE TABLE records (${columns})`);
    let locked: Promise<unknown> | undefined;
    return {
      load: (store, window, signal) => load({ duckdb, connection }, store, { window, signal }),
      select: async (sql, limit, signal) => {
        await (locked ??= connection.run('SET enable_external_access = false; SET lock_configuration = true'));
        return select(connection, sql, { limit, signal });
      },
      writeParquet: (path) => writeParquet(connection, path),
      [Symbol.asyncDispose]: async () => {
        connection.closeSync();
        instance.closeSync();
        await removed();
      },
    };
  } catch (error) {
    await removed();
    throw storageFailed('make a table of its records', error);
  }
}

interface Target {
  readonly duckdb: DuckDb;
  readonly connection: DuckDBConnection;
}

async function load(
  target: Target,
  store: Pick<RecordStore, 'page'>,
  { window, signal }: { readonly window: TimeWindow; readonly signal: AbortSignal | undefined },
): Promise<number> {
  let count = 0;
  let page: RecordPageQuery = { window, limit: PAGE_RECORDS };
  for (;;) {
    signal?.throwIfAborted();
    const { records, isCut } = await store.page(page);
    await add(target, records);
    count += records.length;
    const last = records.at(-1);
    if (!isCut || last === undefined) return count;
    page = { ...page, after: { inviteAtUs: last.inviteAtUs, recordId: last.recordId } };
  }
}

async function add(target: Target, records: readonly CallRecord[]): Promise<void> {
  if (records.length === 0) return;
  const { duckdb } = target;
  const columns = RECORD_COLUMNS.map((column) => records.map((record) => cell(duckdb, column, record)));
  const types = RECORD_COLUMNS.map(({ type }) => duckdb[type === 'JSON' ? 'VARCHAR' : type]);
  try {
    await appendRows(target, { table: 'records', catalog: 'memory', types }, columns);
  } catch (error) {
    throw storageFailed('make a table of its records', error);
  }
}

function cell(duckdb: DuckDb, { type, valueOf }: RecordColumn, record: CallRecord): DuckDBValue {
  const value: ColumnValue = valueOf(record);
  if (value === undefined) return null;
  if (type === 'TIMESTAMP') return new duckdb.DuckDBTimestampValue(BigInt(value));
  return type === 'BIGINT' ? BigInt(value) : value;
}

async function select(
  connection: DuckDBConnection,
  sql: string,
  { limit, signal }: { readonly limit: number; readonly signal: AbortSignal | undefined },
): Promise<SqlResult> {
  const interrupt = (): void => connection.interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  try {
    await checkSelect(connection, sql);
    const result = await connection.stream(sql);
    const types = result.columnTypes();
    const columns = result.columnNames().map((name, index) => ({ name, type: String(types[index]) }));
    const rows: (readonly unknown[])[] = [];
    for await (const batch of result.yieldRowsJson()) {
      rows.push(...batch);
      if (rows.length > limit) break;
    }
    return { columns, rows: rows.slice(0, limit), isCut: rows.length > limit };
  } catch (cause) {
    signal?.throwIfAborted();
    throw refusedSql(cause);
  } finally {
    signal?.removeEventListener('abort', interrupt);
  }
}

/**
 * Table functions that make rows of values. DuckDB has others that write a file or change the database although they stand in a SELECT, such as
 * `enable_logging` and `force_checkpoint`.
 */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['generate_series', 'json_each', 'json_tree', 'range', 'unnest']);

/** What DuckDB's own parser makes of a text: one SELECT, or it is refused. */
async function checkSelect(connection: DuckDBConnection, sql: string): Promise<void> {
  const read = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const [[text = ''] = []] = read.getRowsJson() as readonly (readonly string[])[];
  const functions: string[] = [];
  const parsed = JSON.parse(text, (_, node: unknown) => {
    const { type, function: called } = (node ?? {}) as ParsedNode;
    if (type === 'TABLE_FUNCTION') functions.push(called?.function_name ?? '');
    return node;
  }) as ParsedSql;
  if (parsed.error) throw refusedSql(new Error(parsed.error_message));
  if (parsed.statements?.length !== 1)
    throw new HopbackError(
      'invalid-argument',
      'one SELECT is carried out at a time; the statement has none, or several',
    );
  const refused = functions.find((name) => !TABLE_FUNCTIONS.has(name));
  if (refused !== undefined)
    throw new HopbackError('invalid-argument', `the statement is refused: it reads from ${refused}()`);
}

interface ParsedNode {
  readonly type?: unknown;
  readonly function?: { readonly function_name?: string };
}

interface ParsedSql {
  readonly error: boolean;
  readonly error_message?: string;
  readonly statements?: readonly unknown[];
}

async function writeParquet(connection: DuckDBConnection, path: string): Promise<void> {
  const options = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`;
  const facts = `KV_METADATA {hopback_record_columns: '${RECORD_COLUMNS_VERSION}'}`;
  const rows = 'SELECT * FROM records ORDER BY invite_at, record_id';
  try {
    await connection.run(`COPY (${rows}) TO ${quoted(path)} (${options}, ${facts})`);
  } catch (error) {
    throw storageFailed('write its records as Parquet', error);
  }
}

/** DuckDB's reason speaks of the statement, which whoever asks wrote. */
function refusedSql(cause: unknown): HopbackError {
  if (cause instanceof HopbackError) return cause;
  const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1);
  return new HopbackError('invalid-argument', `the statement is refused: ${reason}`, { cause });
}
