import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as DuckDbModule from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { HopbackError, isHopbackError } from '../../../errors.js';

/** What `@duckdb/node-api` exports. */
export type DuckDb = typeof DuckDbModule;

/**
 * Loads DuckDB, which is an optional dependency: whoever only verifies calls does not install its 60 MB.
 * @throws HopbackError `unavailable` where it is not installed, or not for this machine
 */
export async function loadDuckDb(): Promise<DuckDb> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new HopbackError(
      'unavailable',
      'the DuckDB record store needs the package @duckdb/node-api: npm install @duckdb/node-api',
      { cause },
    );
  }
}

/**
 * What the disk, or DuckDB over it, has failed with. DuckDB's message is the cause: it may quote file names, never values.
 */
export function storageFailed(what: string, cause: unknown, directory?: string): HopbackError {
  if (isHopbackError(cause)) return cause;
  const of = cause instanceof DayError ? `: its file days/${cause.date}.duckdb failed` : '';
  const reason = cause instanceof Error ? systemReason(cause) : undefined;
  const why = reason === undefined ? '' : `: ${reason}`;
  const store = directory === undefined ? 'the record store' : `the record store ${directory}`;
  return new HopbackError('storage-failed', `${store} could not ${what}${of}${why}`, {
    cause,
    retryable: true,
  });
}

/** What went wrong with the file of one day: the others can be asked, and it can be moved away. */
export class DayError extends Error {
  readonly date: string;

  /** @param date - `2026-11-02` */
  constructor(date: string, cause: unknown) {
    // The text of DuckDB stays: it tells what its instance does not come back from.
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'DayError';
    this.date = date;
  }
}

/** What the operator can do something about, in the words of strerror(3) and of DuckDB. The rest of a message may hold values of a row. */
function systemReason(error: Error): string | undefined {
  const { message } = error;
  const own = 'code' in error && typeof error.code === 'string' && /^E[A-Z0-9]{1,15}$/.test(error.code);
  const [reason] = OPERATOR_REASONS.exec(message) ?? [];
  // Node names the errno of every error of the system; its message has the reason between that and the path.
  if (own)
    return `${reason ?? /^E[A-Z0-9]+: ([a-z ,/-]{1,80}), /.exec(message)?.[1] ?? 'the system refused it'} (${String(error.code)})`;
  if (reason === undefined) return undefined;
  const code = ERRNO[reason.toLowerCase()];
  return code === undefined ? reason : `${reason} (${code})`;
}

const ERRNO: Readonly<Record<string, string>> = {
  'no space left on device': 'ENOSPC',
  'disk quota exceeded': 'EDQUOT',
  'read-only file system': 'EROFS',
  'permission denied': 'EACCES',
  'operation not permitted': 'EPERM',
  'input/output error': 'EIO',
  'i/o error': 'EIO',
  'too many open files': 'EMFILE',
  'no such file or directory': 'ENOENT',
  'not a directory': 'ENOTDIR',
  'is a directory': 'EISDIR',
  'operation on a directory': 'EISDIR',
  'file already exists': 'EEXIST',
  'name too long': 'ENAMETOOLONG',
};
/** The keys of {@link ERRNO}, and two of DuckDB's own. */
const OPERATOR_REASONS =
  /no space left on device|disk quota exceeded|read-only file system|permission denied|operation not permitted|i\/o error|input\/output error|too many open files|no such file or directory|not a directory|is a directory|operation on a directory|file already exists|name too long|out of memory|not a valid DuckDB database file/i;

/**
 * What is thrown where somebody else has the store open.
 * @param cause - DuckDB's refusal to lock the file; absent where it is this process that has it
 */
export function inUse(message: string, cause?: unknown): HopbackError {
  return new HopbackError('storage-failed', message, { cause, retryable: true, details: { reason: IN_USE } });
}

/** Whether a store could not be opened for being open already, here or in another process. */
export function isInUse(error: unknown): error is HopbackError {
  return isHopbackError(error) && error.details['reason'] === IN_USE;
}

const IN_USE = 'in-use';

/** Whether DuckDB could not have a file for itself. */
export function isLockRefused(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Could not set lock on file');
}

/** Whether an error of DuckDB leaves its instance unusable until it is opened again. */
export function isFatal(error: unknown): boolean {
  return error instanceof Error && /FATAL|invalidated/.test(error.message);
}

/** Runs statements as one; undoes them all where one fails. */
export async function inTransaction<T>(connection: DuckDbModule.DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run('BEGIN TRANSACTION');
  try {
    const made = await work();
    await connection.run('COMMIT');
    return made;
  } catch (error) {
    // A COMMIT that fails has rolled back already: then this fails too, and says nothing new.
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Rows that DuckDB takes at once: the size of its vectors. */
const CHUNK_ROWS = 2_048;

/** The values of one column. */
export type Column = readonly DuckDBValue[] | Uint32Array;

/** Where rows go. */
interface AppendTarget {
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

/** The rows that a statement finds. */
export async function rowsOf(connection: DuckDBConnection, sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await connection.runAndReadAll(sql)).getRowsJS();
}

/** Layout of the files of a store, of which a later one has the file `layout`. A store without that file has this one. */
const LAYOUT = '1';

/**
 * Reads the file `layout` of a store, before anything else of it is touched.
 * @throws HopbackError `storage-failed` when a later release wrote the store
 */
export async function requireLayout(directory: string): Promise<void> {
  const text = await readFile(join(directory, 'layout'), 'utf8').catch(() => LAYOUT);
  if (text.trim() === LAYOUT) return;
  const message = `a later release of Hopback wrote the record store ${directory}: open it with that release`;
  throw new HopbackError('storage-failed', message);
}
