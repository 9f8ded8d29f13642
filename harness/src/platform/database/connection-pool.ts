import { AsyncLocalStorage } from 'node:async_hooks';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { scheduleInBackground } from '@hopback/sdk/internal/runtime';
import type { CompiledQuery, PostgresPool, PostgresPoolClient } from 'kysely';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import pg from 'pg';
import type { PlatformMigration } from '../core/index.js';

/** SQLSTATE of an error of the database, of either engine; undefined for any other error. PostgreSQL, appendix A */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if (isHopbackError(error)) {
    const stated = error.details['sqlState'];
    return typeof stated === 'string' ? stated : undefined;
  }
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * Whether a transaction is to be begun again: the database found that it could not be put in order with others, that they waited for each other,
 * or that it does not know a statement any more.
 */
export function isOrderConflict(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '40001' || state === '40P01' || isStaleStatement(error);
}

/** Whether a statement that was prepared is not what it was: its tables have other columns by now, or the server has let go of it. */
function isStaleStatement(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === '26000' || (state === '0A000' && error instanceof Error && /cached plan/.test(error.message));
}

/** The server goes down, comes up, or has too many connections: PostgreSQL, appendix A, classes 08, 53 and 57. */
const AWAY_STATES = new Set(['57P01', '57P02', '57P03', '53300']);
const AWAY_SYSTEM_CODES = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);
/** `pg` has no codes for these. */
const AWAY_TEXTS = [
  'Connection terminated',
  'Client has encountered a connection error',
  'timeout exceeded when trying to connect',
  'Postgres connection has been discarded',
];

/** Whether the connection to the server is gone, or could not be had. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state !== undefined && (AWAY_STATES.has(state) || state.startsWith('08'))) return true;
  if (!(error instanceof Error)) return false;
  if (isHopbackError(error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && AWAY_SYSTEM_CODES.has(code)) return true;
  // A socket in the file system that is not there; of another file it says nothing about the server.
  if (code === 'ENOENT') return syscall === 'connect';
  return AWAY_TEXTS.some((text) => error.message.startsWith(text));
}

/**
 * The database was lost while it committed, and could not be asked since: what was to be done is there or is not. Whoever has an
 * idempotency key tries again; whoever has none looks.
 */
export function outcomeUnknown(cause: unknown): HopbackError {
  return new HopbackError('storage-failed', 'the database was lost during a commit: the outcome is unknown', {
    cause,
    details: { outcome: 'unknown' },
  });
}

/** Whether it is not known if a transaction was carried out. */
export const isOutcomeUnknown = (error: unknown): boolean =>
  isHopbackError(error) && error.details['outcome'] === 'unknown';

/** Characters of the word for what failed. */
const WORD_CHARS = 200;

/** What failed, as a word for audit and tables. The text of an error may hold what nobody may read there, so only its kind is kept. */
export function errorWord(error: unknown): string {
  const word = isHopbackError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
  return word.slice(0, WORD_CHARS);
}

/** Object identifiers of types, as in pg_type. */
const INT8 = 20;
const INT8_ARRAY = 1016;
const NUMERIC = 1700;

/**
 * Reads a `bigint` as a number: milliseconds, counts and positions fit in one for 285,000 years.
 * @throws HopbackError `storage-failed` where it does not fit
 */
function safeInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new HopbackError('storage-failed', 'a bigint of the database is larger than a number can hold exactly', {
    details: { digits: text.length },
  });
}

/** Makes a value of its text. */
type TextParser = (text: string) => unknown;

/** An array of bigint in its text form, `{1,2,NULL}`, of any depth. */
function integerArray(text: string): unknown {
  return JSON.parse(text.replaceAll('{', '[').replaceAll('}', ']').replaceAll('NULL', 'null'), (_, value: unknown) => {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) return safeInteger(String(value));
    return value;
  }) as unknown;
}

const OWN_PARSERS: ReadonlyMap<number, TextParser> = new Map<number, TextParser>([
  [INT8, safeInteger],
  [INT8_ARRAY, integerArray],
  // Exact, and so never a number.
  [NUMERIC, (text) => text],
]);

const ofPackage = pg.types.getTypeParser as (type: number, as: 'text' | 'binary') => TextParser;

/** How values of a type are read that come as text. */
const textParser = (oid: number): TextParser => OWN_PARSERS.get(oid) ?? ofPackage(oid, 'text');

/** How values are read: for the option `types` of `pg`. */
export const POSTGRES_TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    format === 'binary' ? ofPackage(oid, format) : textParser(oid)) as typeof pg.types.getTypeParser,
};

/**
 * A value as text, as PostgreSQL reads it where a statement has a parameter; octets as they are.
 * @throws TypeError for what JSON cannot hold
 */
function sentValue(value: unknown): string | Buffer | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value;
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return arrayText(value);
  const isPlain = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isPlain ? String(value) : JSON.stringify(value);
}

/** An array in its text form. PostgreSQL, section 8.15.2 */
const arrayText = (values: readonly unknown[]): string => `{${values.map(elementText).join(',')}}`;

function elementText(value: unknown): string {
  if (Array.isArray(value)) return arrayText(value);
  const text = sentValue(value);
  if (text === null) return 'NULL';
  if (typeof text !== 'string') return `"\\\\x${text.toString('hex')}"`;
  return `"${text.replaceAll(/["\\]/g, (sign) => `\\${sign}`)}"`;
}

/** A statement with its values. */
interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a statement gave, as kysely takes it. */
interface StatementResult {
  /** `SELECT`, `INSERT`. */
  command: string;
  rowCount: number | null;
  readonly rows: object[];
}

/** Sends statements together: one message to the server and one answer, however many they are. */
export type StatementExchange = (statements: readonly Statement[]) => Promise<readonly StatementResult[]>;

/**
 * Makes the exchange of a connection. Statements are carried out in their order, and none after one that failed; outside of a transaction all of them are
 * one. What a prepared statement gives is described once on a connection and not each time: should its columns change, the server refuses it.
 * @param names - of statements that are prepared
 * @returns the exchange; rejects with the error of the first statement that failed, or of the connection
 * @see PostgreSQL, section 53.2.3, Extended Query
 */
function createStatementExchange(client: pg.ClientBase, names: StatementNames): StatementExchange {
  const shapes = new Map<string, RowShape>();
  return (statements) =>
    new Promise((resolve, reject) => {
      // What cannot be sent is found out before anything is.
      const named = statements.map((one) => sentStatement(one, names));
      client.query(createSubmission({ statements: named, shapes, resolve, reject }));
    });
}

/** A statement as it is sent: one without a name is read anew. */
interface SentStatement {
  readonly text: string;
  readonly values: readonly SentValue[];
  readonly name: string | undefined;
}

type SentValue = ReturnType<typeof sentValue>;

const sentStatement = ({ text, values }: Statement, names: StatementNames): SentStatement => ({
  text,
  values: values.map(sentValue),
  name: names.nameOf(text),
});

/** Columns of rows: how each is called, and what makes a value of its text. */
type RowShape = readonly { readonly name: string; readonly read: TextParser }[];

/** No rows. */
const NO_SHAPE: RowShape = [];

/** The connection of the driver, as its own queries use it. */
interface DriverConnection {
  readonly stream: { readonly cork: () => void; readonly uncork: () => void };
  /** Texts of prepared statements by name: those that the server has said it has read, and those that are on their way to it. */
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  readonly parse: (statement: { readonly text: string; readonly name: string | undefined }) => void;
  readonly bind: (bound: { readonly statement: string | undefined; readonly values: readonly SentValue[] }) => void;
  readonly describe: (what: { readonly type: 'P' }) => void;
  readonly execute: () => void;
  readonly sync: () => void;
}

interface Described {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** Makes what the driver hands what the server says to. */
function createSubmission({
  statements,
  shapes,
  resolve,
  reject,
}: {
  readonly statements: readonly SentStatement[];
  readonly shapes: Map<string, RowShape>;
  readonly resolve: (results: readonly StatementResult[]) => void;
  readonly reject: (error: unknown) => void;
}) {
  const results: StatementResult[] = [];
  let current = emptyResult();
  let shape: RowShape | undefined;
  let failure: unknown;
  const completed = (): void => {
    const name = statements[results.length]?.name;
    if (name !== undefined && !shapes.has(name)) shapes.set(name, shape ?? NO_SHAPE);
    results.push(current);
    current = emptyResult();
    shape = undefined;
  };
  return {
    /** Of the statement that the server is at, which is the one that it says something of. */
    get name() {
      return statements[results.length]?.name;
    },
    get text() {
      return statements[results.length]?.text;
    },
    submit: (connection: pg.Connection) => submitAll(connection as unknown as DriverConnection, statements, shapes),
    handleRowDescription: (described: Described) => {
      shape = shapeOf(described);
    },
    handleDataRow: ({ fields }: { readonly fields: readonly (string | null)[] }) => {
      shape ??= shapes.get(statements[results.length]?.name ?? '') ?? NO_SHAPE;
      try {
        current.rows.push(rowOf(shape, fields));
      } catch (error) {
        failure ??= error;
      }
    },
    handleCommandComplete: ({ text }: { readonly text: string }) => {
      Object.assign(current, tagOf(text));
      completed();
    },
    handleEmptyQuery: completed,
    handleError: (error: unknown, { submittedNamedStatements }: DriverConnection) => {
      // Those behind it the server has not looked at.
      for (const { name } of statements.slice(results.length + 1))
        if (name !== undefined) delete submittedNamedStatements[name];
      reject(failure ?? error);
    },
    handleReadyForQuery: () => {
      if (results.length < statements.length) failure ??= unanswered(statements.length, results.length);
      if (failure === undefined) resolve(results);
      else reject(failure);
    },
  };
}

/** The server was ready for the next exchange before it had answered all of this one. */
const unanswered = (sent: number, answered: number): HopbackError =>
  new HopbackError('storage-failed', `the database answered ${answered} of ${sent} statements`);

const emptyResult = (): StatementResult => ({ command: '', rowCount: null, rows: [] });

/** Writes all messages at once. */
function submitAll(
  connection: DriverConnection,
  statements: readonly SentStatement[],
  shapes: ReadonlyMap<string, RowShape>,
): void {
  const { stream, parsedStatements, submittedNamedStatements } = connection;
  stream.cork();
  try {
    for (const { text, name, values } of statements) {
      const isRead =
        name !== undefined && (parsedStatements[name] !== undefined || submittedNamedStatements[name] !== undefined);
      if (!isRead) connection.parse({ text, name });
      if (name !== undefined && !isRead) submittedNamedStatements[name] = text;
      connection.bind({ statement: name, values });
      if (name === undefined || !shapes.has(name)) connection.describe({ type: 'P' });
      connection.execute();
    }
    connection.sync();
  } finally {
    stream.uncork();
  }
}

const shapeOf = ({ fields }: Described): RowShape =>
  fields.map(({ name, dataTypeID }) => ({ name, read: textParser(dataTypeID) }));

function rowOf(shape: RowShape, fields: readonly (string | null)[]): object {
  const row: Record<string, unknown> = {};
  let at = 0;
  for (const { name, read } of shape) {
    const text = fields[at] ?? null;
    row[name] = text === null ? null : read(text);
    at += 1;
  }
  return row;
}

/** `INSERT 0 5`, `UPDATE 3`, `SELECT 1`, `COMMIT`. PostgreSQL, section 53.7, CommandComplete */
function tagOf(text: string): Pick<StatementResult, 'command' | 'rowCount'> {
  const [command = '', ...numbers] = text.split(' ');
  const count = Number(numbers.at(-1));
  return { command, rowCount: numbers.length > 0 && Number.isSafeInteger(count) ? count : null };
}

/** Statements that have names at most; each takes some kilobytes on every connection. */
const MAX_NAMES = 1_000;
/** A longer one is a list of values written out, and does not come again. */
const MAX_CHARS = 8_000;

/** Names of statements, by which a server knows those that it has read before. */
type StatementNames = ReturnType<typeof createStatementNames>;

/**
 * Makes names for statements, so that a server reads and analyses each once on a connection, and not each time. What it costs to plan is paid each time all
 * the same (`plan_cache_mode`): a plan that was made when a table was empty would stay.
 */
function createStatementNames() {
  const names = new Map<string, string>();
  let made = 0;
  return {
    /** @returns undefined for what is not worth a name */
    nameOf: (text: string): string | undefined => {
      const known = names.get(text);
      if (known !== undefined || names.size >= MAX_NAMES || text.length > MAX_CHARS) return known;
      const name = `hopback-${String((made += 1))}`;
      names.set(text, name);
      return name;
    },
    /** Gives all of them other names from here on: the server's are not what they were. */
    forget: () => names.clear(),
  };
}

/** How long a statement waits for its turn on the one connection: a longer wait is a transaction that hangs. */
const TURN_TIMEOUT_MS = 60_000;
/** Statements and transactions that may wait for their turn: more than calls that a server lets in. */
const WAITING_TURNS = 10_000;
/** Statements in which no value is; they are too cheap to be prepared. */
const NO_VALUES: readonly unknown[] = [];

/** Whoever runs within a transaction of the one connection, and would wait for itself with a statement outside of it. */
export interface TransactionScope {
  isOpen: boolean;
}

/** The transaction that the running code is part of. */
export const transactionScope: AsyncLocalStorage<TransactionScope> = new AsyncLocalStorage();

/** Connections to a server, for kysely: statements that come again are prepared. */
export function createServerPool(pool: pg.Pool): PostgresPool {
  const names = createStatementNames();
  const known = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    connect: async () => {
      const client = await pool.connect();
      const made = known.get(client) ?? clientOf(client, names, (isSpoilt) => client.release(isSpoilt));
      known.set(client, made);
      return made;
    },
    end: async () => {
      if (!pool.ended) await pool.end();
    },
  };
}

/** The one connection to PGlite, for kysely: statements and transactions have it in turn. */
export function createSolePool(client: pg.Client, end: () => Promise<void>): PostgresPool {
  const waiting: { readonly resolve: () => void; readonly cancel: () => void }[] = [];
  let isTaken = false;
  let isEnded = false;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) {
      isTaken = false;
      return;
    }
    next.cancel();
    next.resolve();
  };
  const turn = (): Promise<void> => {
    if (waiting.length >= WAITING_TURNS) {
      throw new HopbackError('unavailable', 'too many statements wait for the database', { retryable: true });
    }
    return new Promise((resolve, reject) => {
      const cancel = scheduleInBackground(() => {
        waiting.splice(waiting.indexOf(entry), 1);
        const details = { waitedMs: TURN_TIMEOUT_MS };
        reject(new HopbackError('unavailable', 'the database is held by a transaction', { retryable: true, details }));
      }, TURN_TIMEOUT_MS);
      const entry = { resolve, cancel };
      waiting.push(entry);
    });
  };
  const sole = clientOf(client, createStatementNames(), release);
  return {
    connect: async () => {
      if (isEnded) throw new HopbackError('closed', 'the database has been closed');
      if (transactionScope.getStore()?.isOpen === true) {
        throw new HopbackError('internal', 'a statement within a transaction was given to the database instead of it');
      }
      if (isTaken) await turn();
      isTaken = true;
      return sole;
    },
    end: async () => {
      isEnded = true;
      await end();
    },
  };
}

/** Stands for statements that are sent together, which are its values: {@link together}. */
export const TOGETHER = 'together';

/** By which a transaction begins; sent with its first statement, as nothing has happened before that. */
const BEGINS = /^(?:start transaction|begin)\b/;
const ENDS = /^(?:commit|rollback)$/;
const READS = /^\s*select\b/;

function clientOf(
  client: pg.ClientBase,
  names: StatementNames,
  release: (isSpoilt: boolean) => void,
): PostgresPoolClient {
  const exchange = createStatementExchange(client, names);
  /** Of a transaction that has had no statement yet. */
  let beginning: string | undefined;
  /** Whether the transaction was committed together with its last statements. */
  let hasEnded = false;
  const send = async (text: string, values: readonly unknown[]): Promise<Pick<StatementResult, 'rows'>> => {
    const begun = beginning === undefined ? [] : [{ text: beginning, values: NO_VALUES }];
    beginning = undefined;
    if (text === TOGETHER) {
      const statements = statementsOf(values as readonly CompiledQuery[]);
      const results = await exchange([...begun, ...statements]);
      hasEnded = results.at(-1)?.command === 'COMMIT';
      return { rows: results.slice(begun.length) };
    }
    // Several in one text, or one whose outcome nobody reads: PostgreSQL, section 53.2.2, Simple Query.
    if (values.length === 0 && (!READS.test(text) || text.includes(';'))) {
      if (begun.length > 0) await exchange(begun);
      return client.query(text);
    }
    const results = await exchange([...begun, { text, values }]);
    return results[begun.length] ?? NOTHING;
  };
  const query = async (
    text: string,
    values: readonly unknown[] = NO_VALUES,
  ): Promise<Pick<StatementResult, 'rows'>> => {
    if (BEGINS.test(text)) {
      beginning = text;
      hasEnded = false;
      return NOTHING;
    }
    if ((beginning !== undefined || hasEnded) && ENDS.test(text)) {
      beginning = undefined;
      hasEnded = false;
      return NOTHING;
    }
    try {
      return await send(text, values);
    } catch (error) {
      if (isStaleStatement(error)) names.forget();
      throw error;
    }
  };
  const released = (isSpoilt?: boolean): void => {
    beginning = undefined;
    hasEnded = false;
    release(isSpoilt === true);
  };
  return { query, release: released } as unknown as PostgresPoolClient;
}

const NOTHING: StatementResult = { command: '', rowCount: null, rows: [] };

const statementsOf = (queries: readonly CompiledQuery[]): readonly Statement[] =>
  queries.map(({ sql: text, parameters: values }) => ({ text, values }));

/**
 * The statements that a migration gives to an empty database, without running any: what it is, whichever way its code was compiled. One that
 * writes the time or a random value gives others each time; let the database make these.
 */
export async function recordedStatements(up: PlatformMigration['up']): Promise<readonly string[]> {
  const statements: string[] = [];
  const database = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (recording) => new PostgresIntrospector(recording),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query: { sql, parameters } }) =>
      void statements.push(JSON.stringify([sql.replaceAll(/\s+/g, ' ').trim(), parameters])),
  });
  await up(database);
  return statements;
}
