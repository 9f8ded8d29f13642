import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { HopbackError } from '@hopback/sdk/errors';
import { scheduleInBackground } from '@hopback/sdk/internal/runtime';
import { FolderLock } from '@hopback/sdk/log';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import type { CoreTables, PlatformDatabase, PlatformLog, PlatformTransaction } from '../core/index.js';
import { createServerPool, createSolePool, POSTGRES_TYPES } from './connection-pool.js';
import { PgliteSocket } from './pglite-socket.js';

/**
 * How long signals are gathered where nothing else is said: a hundred commits a second would have every reader look a hundred times for
 * what it finds in forty.
 */
const GATHERED_MS = 25;

/** What a transaction committed: events, which usually come with entries of the audit, or such entries only. */
export type Committed = 'events' | 'audit';

/**
 * Passes signals on to those who listen: the first at once, those that follow soon together. The audit hears of all of them at once; readers of
 * events are not woken by commits of this process without events, and do not wait longer because of them.
 * @param gatherMs - after a signal the next one is passed on no sooner
 */
export function createGatheredSignals(gatherMs: number = GATHERED_MS) {
  const emitter = new EventEmitter().setMaxListeners(0);
  let signals = 0;
  let isUnsaid = false;
  let cancel: (() => void) | undefined;
  const pass = (): void => {
    isUnsaid = false;
    cancel = scheduleInBackground(() => {
      cancel = undefined;
      if (isUnsaid) pass();
    }, gatherMs);
    emitter.emit('signal');
  };
  return {
    signal: (committed: Committed = 'events') => {
      emitter.emit('audit');
      if (committed === 'audit') return;
      signals += 1;
      if (cancel === undefined) pass();
      else isUnsaid = true;
    },
    onSignal: (listener: () => void): (() => void) => {
      emitter.on('signal', listener);
      return () => void emitter.off('signal', listener);
    },
    onAudit: (listener: () => void): (() => void) => {
      emitter.on('audit', listener);
      return () => void emitter.off('audit', listener);
    },
    /** How many there were: counted at once, whenever they are passed on. */
    signalCount: () => signals,
    close: async () => cancel?.(),
  };
}

/** How a process learns whether it is the one of several that does something. */
export interface Leadership {
  /** Whether it is; tries to become it where nobody is. Never rejects: where the server is away, nobody is. */
  readonly isLeader: () => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/** First half of the keys of locks by which processes of a platform know each other. */
const LEADERSHIP_LOCKS = 7_236_652;

/** Second half of the key of a lock. */
const advisoryKey = (name: string): number =>
  createHash('sha256').update(`hopback-platform ${name}`).digest().readInt32BE(0);

/** The only process that has the database. */
export const SOLE_LEADER: Leadership = { isLeader: async () => true, close: async () => undefined };

/**
 * Leadership by a lock of a session of PostgreSQL: it ends with the connection, so that another process takes over from one that died as soon as the
 * server notices. For some moments two may believe that they lead; what they do bears that.
 * @param name - of what is led
 */
function createPostgresLeadership(config: pg.ClientConfig, name: string): Leadership {
  const key = advisoryKey(name);
  let client: pg.Client | undefined;
  let hasLock = false;
  let asking: Promise<boolean> | undefined;
  let isClosed = false;

  const letGo = (): void => {
    client = undefined;
    hasLock = false;
  };
  const ask = async (): Promise<boolean> => {
    try {
      if (client === undefined) {
        const made = new pg.Client(config);
        made.on('error', () => undefined);
        made.on('end', () => client === made && letGo());
        client = made;
        await made.connect();
      }
      // Also where it has the lock: a connection that broke does not say so before it is used.
      const statement = hasLock
        ? 'select true as won'
        : `select pg_try_advisory_lock(${LEADERSHIP_LOCKS}, ${key}) as won`;
      const { rows } = await client.query<{ readonly won: boolean }>(statement);
      hasLock = rows[0]?.won === true;
      return hasLock;
    } catch {
      const broken = client;
      letGo();
      await broken?.end().catch(() => undefined);
      return false;
    }
  };
  return {
    isLeader: () => {
      if (isClosed) return Promise.resolve(false);
      return (asking ??= ask().finally(() => (asking = undefined)));
    },
    close: async () => {
      isClosed = true;
      await asking;
      await client?.end().catch(() => undefined);
    },
  };
}

/** Channel of LISTEN and NOTIFY; it carries nothing but that there is something to read. */
const CHANNEL = 'hopback_platform';
/**
 * At most one NOTIFY in this time. It is sent after the commit and not within: commits that notify wait for each other, all of a server. A
 * process that dies before it sent one is made up for by whoever reads at intervals.
 */
const NOTIFY_EVERY_MS = 20;
/** Until a connection is tried again. */
const RECONNECT_MS = 1_000;

/**
 * Says to this process and others that something was committed, over a connection of its own, which is made when it is first needed, and
 * anew where it breaks. Never throws.
 */
function createPostgresSignals(config: pg.ClientConfig): ReturnType<typeof createGatheredSignals> {
  const gathered = createGatheredSignals();
  let client: pg.Client | undefined;
  let cancelReconnect: (() => void) | undefined;
  let cancelNotify: (() => void) | undefined;
  /** Whether something was committed since the NOTIFY that is under way. */
  let isUnsent = false;
  let connecting: Promise<void> | undefined;
  let isClosed = false;
  const again = (): void => {
    client = undefined;
    if (isClosed || cancelReconnect !== undefined) return;
    cancelReconnect = scheduleInBackground(() => {
      cancelReconnect = undefined;
      begin();
    }, RECONNECT_MS);
  };
  const connect = async (): Promise<void> => {
    const made = new pg.Client(config);
    made.on('error', () => undefined);
    made.on('end', again);
    made.on('notification', ({ processId }) => {
      // What this process says it has heard already.
      if (processId !== (made as unknown as { readonly processID: number }).processID) gathered.signal();
    });
    try {
      await made.connect();
      await made.query(`listen ${CHANNEL}`);
      client = made;
      // What was committed while nobody listened.
      gathered.signal();
    } catch {
      await made.end().catch(() => undefined);
      again();
    }
  };
  const begin = (): void => {
    if (isClosed || client !== undefined || connecting !== undefined) return;
    connecting = connect().finally(() => (connecting = undefined));
  };
  const notifySoon = (): void => {
    isUnsent = cancelNotify !== undefined;
    if (isClosed || isUnsent) return;
    begin();
    cancelNotify = scheduleInBackground(() => {
      // The next one is sent when the server has answered this one: under load that is how often it can be.
      void (client?.query(`notify ${CHANNEL}`) ?? Promise.resolve())
        .catch(() => undefined)
        .then(() => {
          cancelNotify = undefined;
          if (isUnsent) notifySoon();
        });
    }, NOTIFY_EVERY_MS);
  };
  return {
    ...gathered,
    signal: (committed) => {
      gathered.signal(committed);
      notifySoon();
    },
    onSignal: (listener) => {
      begin();
      return gathered.onSignal(listener);
    },
    onAudit: (listener) => {
      begin();
      return gathered.onAudit(listener);
    },
    close: async () => {
      isClosed = true;
      await gathered.close();
      cancelReconnect?.();
      cancelNotify?.();
      await connecting;
      await client?.end().catch(() => undefined);
    },
  };
}

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
  readonly signal: (committed: 'events' | 'audit') => void;
  /**
   * Hears of events, from this process and others; may be called without a reason, and is not sure to be called.
   * @returns how to stop
   */
  readonly onSignal: (listener: () => void) => () => void;
  /** The same of entries of the audit. */
  readonly onAudit: (listener: () => void) => () => void;
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
  const pglite = await newPglite({});
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
      lock = await FolderLock.take(directory, 'the database');
    }
    pglite = directory === undefined ? await newPglite({ template }) : await keptPglite(directory);
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
    await signals.close();
    try {
      await database.destroy();
      // Where no statement was run the kysely has not begun, and ends nothing.
      await end();
    } finally {
      await lock?.close();
    }
  };
  const close = (): Promise<void> => (closing ??= closed());
  return {
    ...signals,
    database,
    engine: 'pglite',
    leadership: () => SOLE_LEADER,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function connectedTo(pglite: PGlite): Promise<pg.Client> {
  // The driver takes whatever behaves as a socket does; its types know only those of the network.
  const stream = (): Socket => new PgliteSocket(pglite) as unknown as Socket;
  const client = new pg.Client({
    stream,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    types: POSTGRES_TYPES,
  });
  // One that breaks while a statement runs: that statement says so.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`set plan_cache_mode to ${PLANS}; set timezone to 'UTC'`);
  return client;
}

/** Begins with what `initdb` makes, if nothing else is given: to make that takes seconds, to unpack it a fraction of one. */
async function newPglite({ dataDir, template }: { dataDir?: string; template?: Blob | undefined }): Promise<PGlite> {
  const loadDataDir = template ?? (await (await import('@electric-sql/pglite-prepopulatedfs')).dataDir());
  return PGlite.create({ ...(dataDir !== undefined && { dataDir }), loadDataDir, startParams: startParams() });
}

const startParams = (): string[] => [
  ...PGlite.defaultStartParams,
  ...PGLITE_SETTINGS.flatMap((setting) => ['-c', setting]),
];

/** In a folder. One that was being made when the process died is made anew: nothing had been stored in it. */
async function keptPglite(directory: string): Promise<PGlite> {
  const [dataDir, making] = [join(directory, 'pglite'), join(directory, 'pglite-unfinished')];
  if (await isThere(making)) await rm(dataDir, { recursive: true, force: true });
  else if (await isThere(dataDir)) return PGlite.create({ dataDir, startParams: startParams() });
  await writeFile(making, '');
  const pglite = await newPglite({ dataDir });
  try {
    await rm(making);
  } catch (error) {
    await pglite.close();
    throw error;
  }
  return pglite;
}

/** Whether there is something at a path. */
export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Names in a folder; none where there is no folder. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
}

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
    ...signals,
    database,
    engine: 'postgresql',
    close,
    leadership: (name) =>
      createPostgresLeadership({ ...connection, application_name: `${applicationName}-leader` }, name),
    [Symbol.asyncDispose]: close,
  };
}

function cannotOpen(cause: unknown): HopbackError {
  if (cause instanceof HopbackError) return cause;
  const why = cause instanceof Error ? cause.message : 'no reason given';
  return new HopbackError('storage-failed', `the database cannot be opened: ${why}`, { cause, retryable: true });
}

/** How processes that share a database learn of each other whether they live. */
export type Presence = ReturnType<typeof createPresence>;

/**
 * Makes the presence of a process: a lock of a session of PostgreSQL, which ends with the connection. PGlite has one process, so that every
 * other one has ended.
 * @param processId - new for each start
 */
export function createPresence(opened: Pick<OpenedDatabase, 'engine' | 'leadership'>, processId: string) {
  const held = opened.leadership(lockName(processId));
  return {
    /** Of this process; no other has it, before or after. */
    processId,
    /** Shows that this process lives; before it writes down that it is at something. Never rejects: where the server is away, nothing is shown. */
    show: async () => {
      await held.isLeader();
    },
    /**
     * Whether another process has ended, as far as can be told. One whose connection broke while it lives may be taken for ended until it shows
     * itself anew: a process that takes over must make sure that only one of the two commits.
     */
    hasEnded: async (transaction: PlatformTransaction, other: string): Promise<boolean> => {
      if (other === processId) return false;
      if (opened.engine === 'pglite') return true;
      // It ends with this transaction.
      const { rows } = await sql<{ readonly free: boolean }>`
        select pg_try_advisory_xact_lock(${LEADERSHIP_LOCKS}, ${advisoryKey(lockName(other))}) as free`.execute(
        transaction,
      );
      return rows[0]?.free === true;
    },
    close: held.close,
  };
}

const lockName = (processId: string): string => `process ${processId}`;
