import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { HopbackError } from '@hopback/sdk/errors';
import { lockFolder, type FolderLock } from '@hopback/sdk/log';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { CoreTables, PlatformDatabase, PlatformLog } from '../core/index.js';
import { createServerPool, createSolePool } from './connection-pool.js';
import { createGatheredSignals } from './gathered-signals.js';
import { createPostgresLeadership, SOLE_LEADER, type Leadership } from './leadership.js';

import { PgliteSocket } from './pglite-socket.js';
import { createPostgresSignals } from './postgres-signals.js';
import { POSTGRES_TYPES } from './sql-values.js';

/** A statement that takes longer is a mistake: reports and exports read in pages. */
export const STATEMENT_TIMEOUT_MS = 30_000;
/** A transaction that waits for its own code longer than this is given up: it would hold back who reads events. */
export const IDLE_TRANSACTION_TIMEOUT_MS = 30_000;
/** Connections of one process: a few for each processor of a server of the size that this platform needs. */
export const POOL_CONNECTIONS = 10;
/** Statements are read once and planned each time: a plan that was made when a table was empty would stay. */
const PLANS = 'force_custom_plan';
/**
 * PGlite has all of this in the memory of the process: its default of 128 MB of buffers is for a machine of its own. What is not in the buffers comes
 * from the system's cache of files. No process of its own writes checkpoints: they come with so much of the log, which is what a start after
 * a crash has to read.
 */
const PGLITE_SETTINGS = ['shared_buffers=32MB', 'max_wal_size=64MB', 'min_wal_size=32MB', 'random_page_cost=1'];
/** A server that does not answer a connection in this time is away. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Where the database is. */
export type DatabasePlace =
  /** PostgreSQL 15 or newer: `postgres://user@host/name`, `postgres:///name?host=/run/postgresql`. */
  | { readonly url: string; readonly poolConnections?: number }
  /** PGlite, kept in a folder. */
  | { readonly directory: string }
  /** PGlite, gone with the process. `template` of `createDatabaseTemplate` saves unpacking what an empty one is made of. */
  | { readonly memory: true; readonly template?: Blob };

/** An opened database, which belongs to whoever opened it. */
export interface OpenedDatabase extends AsyncDisposable {
  readonly database: PlatformDatabase;
  readonly engine: 'pglite' | 'postgresql';
  /** Says that something was committed that others wait for: in this process at once, to others soon. Never throws. */
  readonly signal: () => void;
  /** Hears of it, from this process and others; may be called without a reason, and is not sure to be. @returns how to stop */
  readonly onSignal: (listener: () => void) => () => void;
  /** How many signals there were, those that are not passed on yet among them. */
  readonly signalCount: () => number;
  /** Which of several processes on one database does something; close it before the database. */
  readonly leadership: (name: string) => Leadership;
  readonly close: () => Promise<void>;
}

/**
 * Opens the database of a platform: PGlite within this process, or a server of PostgreSQL, by one driver. Both give the same values for the same columns:
 * `bigint` as a number, `jsonb` as a value, `numeric` as text, `bytea` as a `Buffer`. PGlite has one connection, and no limit on how long a
 * statement takes; it does not wait for the disk, so that what it acknowledged survives the end of the process and not that of the machine.
 * @param place - where it is; a folder is made where it is not there, and is this process's alone
 * @param options - `log` is told once what the engine does not do
 * @throws HopbackError `storage-failed` where it cannot be opened or another process has the folder; `invalid-configuration` for a server
 * older than 15
 */
export async function openPlatformDatabase(
  place: DatabasePlace,
  options: { readonly log?: PlatformLog; readonly applicationName?: string } = {},
): Promise<OpenedDatabase> {
  if ('url' in place) return openPostgres(place, options.applicationName ?? 'hopback-platform');
  const directory = 'directory' in place ? place.directory : undefined;
  const template = 'memory' in place ? place.template : undefined;
  options.log?.info(
    directory === undefined
      ? 'the database is in memory: it ends with this process'
      : 'the embedded database does not wait for the disk: what it acknowledged survives a crash of the process, not one of the machine',
  );
  return openPglite(directory, template);
}

/** Makes an empty database of PGlite, of which others can be made without unpacking it: some forty megabytes. */
export async function createDatabaseTemplate(): Promise<Blob> {
  const pglite = await madePglite({});
  try {
    return await pglite.dumpDataDir('none');
  } finally {
    await pglite.close();
  }
}

async function openPglite(directory: string | undefined, template: Blob | undefined): Promise<OpenedDatabase> {
  let lock: FolderLock | undefined;
  let pglite: PGlite | undefined;
  let client: pg.Client;
  try {
    if (directory !== undefined) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // PGlite has no lock of its own, and two processes on one folder destroy it.
      lock = await lockFolder(directory, 'the database');
    }
    pglite = directory === undefined ? await madePglite({ template }) : await keptPglite(directory);
    client = await connectedTo(pglite);
  } catch (cause) {
    await pglite?.close();
    await lock?.close();
    throw cannotOpen(cause);
  }
  const opened = pglite;
  const end = async (): Promise<void> => {
    await client.end();
    if (!opened.closed) await opened.close();
  };
  const pool = createSolePool(client, end);
  const database = new Kysely<CoreTables>({ dialect: new PostgresDialect({ pool }) });
  const signals = createGatheredSignals();
  let closing: Promise<void> | undefined;
  const closed = async (): Promise<void> => {
    signals.close();
    try {
      await database.destroy();
      // Where no statement was run the kysely has not begun, and ends nothing.
      if (!opened.closed) await end();
    } finally {
      await lock?.close();
    }
  };
  const close = (): Promise<void> => (closing ??= closed());
  return {
    database,
    engine: 'pglite',
    signal: signals.signal,
    onSignal: signals.onSignal,
    signalCount: signals.count,
    leadership: () => SOLE_LEADER,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function connectedTo(pglite: PGlite): Promise<pg.Client> {
  // The driver takes whatever behaves as a socket does; its types know only those of the network.
  const stream = (): Socket => new PgliteSocket(pglite) as unknown as Socket;
  const client = new pg.Client({ stream, user: 'postgres', database: 'postgres', ssl: false, types: POSTGRES_TYPES });
  // One that breaks while a statement runs: that statement says so.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`set plan_cache_mode to ${PLANS}; set timezone to 'UTC'`);
  return client;
}

/** Begins with what `initdb` makes, where nothing else is given: that takes seconds of a processor, and it ready a fraction of one. */
async function madePglite({ dataDir, template }: { dataDir?: string; template?: Blob | undefined }): Promise<PGlite> {
  const loadDataDir = template ?? (await readyDataDir());
  return PGlite.create({ ...(dataDir !== undefined && { dataDir }), loadDataDir, startParams: startParams() });
}

const startParams = (): string[] => [
  ...PGlite.defaultStartParams,
  ...PGLITE_SETTINGS.flatMap((setting) => ['-c', setting]),
];

async function readyDataDir(): Promise<Blob> {
  const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs');
  return dataDir();
}

/** In a folder. One that was being made when the process died is made anew: nothing had been stored in it. */
async function keptPglite(directory: string): Promise<PGlite> {
  const [dataDir, making] = [join(directory, 'pglite'), join(directory, 'pglite-unfinished')];
  if (await isThere(making)) await rm(dataDir, { recursive: true, force: true });
  else if (await isThere(dataDir)) return PGlite.create({ dataDir, startParams: startParams() });
  await writeFile(making, '');
  const pglite = await madePglite({ dataDir });
  await rm(making);
  return pglite;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function openPostgres(
  { url, poolConnections = POOL_CONNECTIONS }: Extract<DatabasePlace, { readonly url: string }>,
  applicationName: string,
): Promise<OpenedDatabase> {
  const connection: pg.ClientConfig = {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: POSTGRES_TYPES,
  };
  const pool = new pg.Pool({
    ...connection,
    max: poolConnections,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    options: `-c TimeZone=UTC -c plan_cache_mode=${PLANS}`,
  });
  // A connection that breaks while nobody uses it: the pool lets it go, and makes another.
  pool.on('error', () => undefined);
  // One that breaks while somebody has it: that one's next statement says so.
  pool.on('connect', (client) => client.on('error', () => undefined));
  try {
    const { rows } = await pool.query<{ version: string }>(`select current_setting('server_version_num') as version`);
    const version = Number(rows[0]?.version);
    if (version < 150_000) {
      throw new HopbackError('invalid-configuration', 'the server is older than PostgreSQL 15', {
        details: { version },
      });
    }
  } catch (cause) {
    await pool.end();
    throw cannotOpen(cause);
  }
  const database = new Kysely<CoreTables>({ dialect: new PostgresDialect({ pool: createServerPool(pool) }) });
  const signals = createPostgresSignals({ ...connection, application_name: `${applicationName}-signals` });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= signals.close().then(async () => {
      await database.destroy();
      if (!pool.ended) await pool.end();
    }));
  return {
    database,
    engine: 'postgresql',
    signal: signals.signal,
    onSignal: signals.onSignal,
    signalCount: signals.count,
    leadership: (name) =>
      createPostgresLeadership({ ...connection, application_name: `${applicationName}-leader` }, name),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function cannotOpen(cause: unknown): HopbackError {
  if (cause instanceof HopbackError) return cause;
  const why = cause instanceof Error ? cause.message : 'no reason given';
  return new HopbackError('storage-failed', `the database cannot be opened: ${why}`, { cause, retryable: true });
}
