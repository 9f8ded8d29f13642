import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { inUse, isLockRefused, storageFailed } from './duckdb-module.js';
import type { DuckDb } from './duckdb-module.js';
import { CREATE_STATE_SQL } from './partition-sql.js';
import { detach, merging, NO_MERGING, openPartitions, quoted } from './partitions.js';
import type { Partitions } from './partitions.js';
import { readRetainedFrom } from './state-file.js';

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
export interface EngineOptions {
  readonly directory: string;
  readonly memoryLimitMb: number;
  readonly threads: number;
}

/** DuckDB with the state and the days of one store. */
export interface Engine {
  /** For everything that writes; one statement or transaction at a time. */
  readonly writer: DuckDBConnection;
  readonly duckdb: DuckDb;
  readonly partitions: Partitions;
  /**
   * Says whether bodies are worth compressing that are brought into their file from now on. With rows as switches wrote them they shrink by a
   * quarter; without, by a hundredth, and a look-up reads them faster as they are.
   */
  readonly compressBodies: (isWorthIt: boolean) => Promise<void>;
  /** Works on a connection of its own. */
  readonly reading: <T>(work: (connection: DuckDBConnection) => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/**
 * Opens, or makes, the files of a store. The state stays open, and with it DuckDB's lock on it, which another process meets.
 * @throws HopbackError `storage-failed` when another process has the store open, or the disk cannot be read
 */
export async function openEngine(duckdb: DuckDb, options: EngineOptions): Promise<Engine> {
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

async function engineOf(duckdb: DuckDb, instance: DuckDBInstance, { directory }: EngineOptions): Promise<Engine> {
  const writer = await instance.connect();
  await writer.run(`SET checkpoint_threshold = '${CHECKPOINT_SIZE}'`);
  for (const setting of [NO_MERGING, NO_TEXT_COMPRESSION, ANY_ORDER]) await writer.run(setting);
  let isCompressing = false;
  await writer.run(`ATTACH ${quoted(join(directory, 'state.duckdb'))} AS state (STORAGE_VERSION 'latest')`);
  for (const sql of CREATE_STATE_SQL) await writer.run(sql);
  const attaching = await instance.connect();
  const partitions = await openPartitions(join(directory, 'days'), attaching, await readRetainedFrom(writer));
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

  const compressBodies = async (isWorthIt: boolean): Promise<void> => {
    if (isWorthIt === isCompressing) return;
    await writer.run(isWorthIt ? TEXT_COMPRESSION : NO_TEXT_COMPRESSION);
    isCompressing = isWorthIt;
  };

  return { writer, duckdb, partitions, compressBodies, reading, close };
}
