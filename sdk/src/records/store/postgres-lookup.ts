import type { ConnectionOptions } from 'node:tls';
import type { Pool, PoolClient } from 'pg';
import type { CallRecord, CoverageInterval } from '../../contract/call-record.js';
import { HopbackError } from '../../errors.js';
import { coverageWithin, byTime, checkedLimit, checkWindow, matchesQuery } from './record-store.js';
import {
  checkPostgresTable,
  countStatement,
  createPostgresRows,
  findStatement,
  sizeStatement,
} from './postgres-row.js';
import type { PostgresRow, PostgresRows, PostgresStatement, PostgresTable } from './postgres-row.js';
import type { FoundRecords, RecordLookup, RecordQuery, StoreStatistics, TimeWindow } from './record-store.js';

/**
 * How long one statement may take, milliseconds. With the indexes that a look-up needs it takes some; without them it reads the table, and
 * the switch that writes to it is not to be slowed down for long.
 */
export const POSTGRES_STATEMENT_TIMEOUT_MS = 10_000;

/** Connections at most: a traceback asks one thing at a time, and the database is somebody else's. */
export const POSTGRES_CONNECTIONS = 4;

/** Wait for a connection, milliseconds. */
export const POSTGRES_CONNECT_TIMEOUT_MS = 5_000;

/** Rows that are fetched at a time. */
export const POSTGRES_PAGE_ROWS = 1_000;

/**
 * Rows that one look-up reads at most: those that its numbers, written in all forms, match, and of a look-up by record id all of its window.
 * What it has not read by then is not found, and `isCut` says so.
 */
export const POSTGRES_MAX_SCANNED_ROWS = 200_000;

/** How the database is reached; handed on to `pg` as it is. What is left out is taken from the environment, as by psql. */
export interface PostgresConnection {
  readonly connectionString?: string;
  /** A host, or the directory of a unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: string | (() => string | Promise<string>);
  /** `true` demands TLS and a certificate that the machine trusts; else options of `tls.connect`. */
  readonly ssl?: boolean | ConnectionOptions;
}

/** Options of {@link openPostgresLookup}. */
export interface PostgresLookupOptions {
  readonly connection: PostgresConnection;
  readonly table: PostgresTable;
  /**
   * For which times the table holds everything. Nobody but the carrier knows; without it "not found" is never said.
   */
  readonly coverage?: readonly CoverageInterval[] | ((window: TimeWindow) => Promise<readonly CoverageInterval[]>);
  /** 1 to 600,000. Default 10,000. */
  readonly statementTimeoutMs?: number;
  /** 1 to 100. Default 4. */
  readonly connections?: number;
}

/**
 * Opens look-ups in the table of call records that a carrier has already. Reads only: every statement runs in a transaction that may
 * write nothing, with a limit of time. Records are made of rows as those of files are, and their ids are the same at every look-up.
 *
 * The package `pg` has to be installed beside this one. A connection is made with the first look-up, and anew after it broke.
 * @param options - connection, table and coverage; `statementTimeoutMs` 1 to 600,000 milliseconds, `connections` 1 to 100
 * @returns look-ups in that table, to be closed when no more are made
 * @throws {@link HopbackError} `invalid-configuration` for a table or a limit that cannot be, and where `pg` is missing. Look-ups throw
 * `storage-failed`, retryable where the connection broke or the server had no room; `closed`
 * @see https://www.postgresql.org/docs/current/sql-set-transaction.html
 * @example
 * ```ts
 * const lookup = await openPostgresLookup({
 *   connection: { host: '/var/run/postgresql', database: 'switch', user: 'hopback' },
 *   table: {
 *     table: 'cdr',
 *     columns: { legId: 'uniqueid', inviteAt: 'calldate', calling: 'src', called: 'dst', ingressTrunk: 'peer' },
 *     time: 'timestamp',
 *     source: { id: 'pbx-1', format: 'columns', time: { zone: 'America/New_York' } },
 *     numberForms: ['{e164}', '{national}'],
 *   },
 * });
 * await lookup.close();
 * ```
 */
export async function openPostgresLookup(options: PostgresLookupOptions): Promise<RecordLookup> {
  const { table, coverage = [] } = options;
  checkLimits(options);
  checkPostgresTable(table);
  const rows = createPostgresRows(table);
  // Names are checked before the first look-up needs them.
  countStatement(table);
  const pool = await openPool(options);
  let isClosed = false;

  const reading = <Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> => {
    if (isClosed) return Promise.reject(new HopbackError('closed', 'The look-up was closed.'));
    return inReadOnlyTransaction(pool, options.statementTimeoutMs ?? POSTGRES_STATEMENT_TIMEOUT_MS, work);
  };
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await pool.end();
  };

  return {
    async find(query) {
      const limit = checkedLimit(query);
      const statement = findStatement(table, query);
      if (statement === undefined && !isClosed) return { records: [], isCut: false };
      const disorderUs = table.time === 'timestamp' ? LOCAL_DISORDER_US : 0;
      return reading((client) =>
        findIn(client, {
          statement: statement ?? NOTHING,
          query,
          rows,
          limit,
          disorderUs,
        }),
      );
    },
    async scope() {
      if (isClosed) throw new HopbackError('closed', 'The look-up was closed.');
      const told = typeof coverage === 'function' ? [] : coverage.map(({ sourceId }) => sourceId);
      return { sources: [...new Set([table.source.id, ...told])].sort() };
    },
    async coverage(window) {
      checkWindow(window);
      if (isClosed) throw new HopbackError('closed', 'The look-up was closed.');
      return coverageWithin(typeof coverage === 'function' ? await coverage(window) : coverage, window);
    },
    statistics: () => reading((client) => statisticsOf(client, table, rows)),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const NOTHING: PostgresStatement = { text: 'SELECT WHERE false', values: [] };

function checkLimits({ statementTimeoutMs = 1, connections = 1 }: PostgresLookupOptions): void {
  const isWithin = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  if (!isWithin(statementTimeoutMs, 600_000) || !isWithin(connections, 100)) {
    throw new HopbackError('invalid-configuration', 'statementTimeoutMs is 1 to 600,000 and connections 1 to 100.');
  }
}

async function openPool({ connection, connections = POSTGRES_CONNECTIONS }: PostgresLookupOptions): Promise<Pool> {
  const { default: pg } = await import('pg').catch((cause: unknown) => {
    throw new HopbackError('invalid-configuration', 'Look-ups in PostgreSQL need the package pg: npm install pg.', {
      cause,
    });
  });
  const pool = new pg.Pool({
    ...connection,
    max: connections,
    connectionTimeoutMillis: POSTGRES_CONNECT_TIMEOUT_MS,
    application_name: 'hopback',
    // Look-ups come seldom; none of them is to keep the process alive.
    allowExitOnIdle: true,
  });
  // A connection that breaks while nobody uses it is replaced by the next look-up.
  pool.on('error', () => undefined);
  return pool;
}

/** One snapshot for all pages of a look-up, in which nothing can be written. */
async function inReadOnlyTransaction<Result>(
  pool: Pool,
  statementTimeoutMs: number,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (cause) {
    throw lookupFailure(cause, true);
  }
  let isBroken = true;
  // Without a listener a connection that breaks between two statements ends the process.
  const onError = (): void => undefined;
  client.on('error', onError);
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query("SELECT set_config('statement_timeout', $1, true)", [String(statementTimeoutMs)]);
    const result = await work(client);
    await client.query('COMMIT');
    isBroken = false;
    return result;
  } catch (cause) {
    throw cause instanceof HopbackError ? cause : lookupFailure(cause, false);
  } finally {
    client.removeListener('error', onError);
    // One in an unknown state is not used again; closing it ends its transaction.
    client.release(isBroken);
  }
}

interface Finding {
  readonly statement: PostgresStatement;
  readonly query: RecordQuery;
  readonly rows: PostgresRows;
  readonly limit: number;
  readonly disorderUs: number;
}

async function findIn(
  client: PoolClient,
  { statement, query, rows, limit, disorderUs }: Finding,
): Promise<FoundRecords> {
  const found: CallRecord[] = [];
  let scanned = 0;
  // What the statement compares as it stands need not be compared again, and a row may have it where a record has no place for it.
  const { callId: _callId, origId: _origId, callGroupId: _callGroupId, trunk: _trunk, ...open } = query;
  await client.query(`DECLARE found NO SCROLL CURSOR FOR ${statement.text}`, [...statement.values]);
  for (;;) {
    const page = await client.query<PostgresRow>(`FETCH ${POSTGRES_PAGE_ROWS} FROM found`);
    for (const row of page.rows) {
      const record = rows.recordOf(row);
      if (record !== undefined && matchesQuery(record, open)) found.push(record);
    }
    scanned += page.rows.length;
    if (page.rows.length < POSTGRES_PAGE_ROWS) return cutAt(found, limit, false);
    if (scanned >= POSTGRES_MAX_SCANNED_ROWS) return cutAt(found, limit, true);
    if (isEnough(found, limit, disorderUs)) return cutAt(found, limit, true);
  }
}

/** How far local times may stand out of the order of instants, microseconds: the hours that come twice or not at all. */
const LOCAL_DISORDER_US = 7_200_000_000;

/** Whether what is still to be read comes behind all that is given out. */
function isEnough(found: readonly CallRecord[], limit: number, disorderUs: number): boolean {
  const last = found.at(-1);
  const cut = found[limit - 1];
  return last !== undefined && cut !== undefined && last.inviteAtUs > cut.inviteAtUs + disorderUs;
}

function cutAt(found: CallRecord[], limit: number, isMore: boolean): FoundRecords {
  return { records: found.sort(byTime).slice(0, limit), isCut: isMore || found.length > limit };
}

async function statisticsOf(client: PoolClient, table: PostgresTable, rows: PostgresRows): Promise<StoreStatistics> {
  type Counted = Readonly<Record<'records' | 'oldest' | 'newest', string | null>>;
  const { rows: counted } = await client.query<Counted>(countStatement(table).text);
  const { text, values } = sizeStatement(table);
  const { rows: sized } = await client.query<{ readonly size: string | null }>(text, [...values]);
  const oldestUs = rows.instantOf(counted[0]?.oldest);
  const newestUs = rows.instantOf(counted[0]?.newest);
  return {
    records: Number(counted[0]?.records ?? 0),
    sizeBytes: Number(sized[0]?.size ?? 0),
    partitions: 1,
    ...(oldestUs === undefined ? {} : { oldestUs }),
    ...(newestUs === undefined ? {} : { newestUs }),
  };
}

/** Classes and codes of SQLSTATE after which the same look-up may succeed: connection, room, conflict, a server that goes or comes. */
const RETRYABLE_STATES = /^(?:08|53|40|57P0[1-5]|55P03)/;

/**
 * @param isConnecting - it broke before anything was asked
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function lookupFailure(cause: unknown, isConnecting: boolean): HopbackError {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  const isState = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (cause as object);
  if (!isState) {
    const message = isConnecting ? 'PostgreSQL cannot be reached.' : 'The connection to PostgreSQL broke.';
    return new HopbackError('storage-failed', message, {
      retryable: true,
      cause,
      details: code === undefined ? {} : { code },
    });
  }
  const message =
    code === '57014' ? 'PostgreSQL took too long for a look-up: is there an index?' : 'PostgreSQL refused.';
  return new HopbackError('storage-failed', message, {
    retryable: RETRYABLE_STATES.test(code),
    // Errors about data repeat the data, which are numbers of people.
    ...(code.startsWith('22') ? {} : { cause }),
    details: { sqlState: code },
  });
}
