import { AsyncLocalStorage } from 'node:async_hooks';
import type { PGlite } from '@electric-sql/pglite';
import { HopbackError } from '@hopback/sdk/errors';
import {
  AbortedTransactionError,
  CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';

/** How long a statement waits for its turn on the one connection: a longer wait is a transaction that hangs. */
const TURN_TIMEOUT_MS = 60_000;
/** Statements and transactions that may wait for their turn: more than calls that a server lets in. */
const WAITING_TURNS = 10_000;

/** Whoever runs within a transaction of the one connection, and would wait for itself with a statement outside of it. */
export interface TransactionScope {
  isOpen: boolean;
}

/** The transaction that the running code is part of. */
export const transactionScope: AsyncLocalStorage<TransactionScope> = new AsyncLocalStorage();

/**
 * PGlite for kysely: PostgreSQL within this process, with one connection, which statements and transactions have in turn.
 * @param pglite - opened; destroying the kysely closes it
 */
export function createPgliteDialect(pglite: PGlite): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PgliteDriver(pglite),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PgliteDriver implements Driver {
  readonly #pglite: PGlite;
  readonly #connection: DatabaseConnection;
  readonly #waiting: { readonly resolve: () => void; readonly timer: NodeJS.Timeout }[] = [];
  #isTaken = false;
  #isDestroyed = false;

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
    this.#connection = connectionOf(pglite);
  }

  async init(): Promise<void> {
    await this.#pglite.waitReady;
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#isDestroyed) throw new HopbackError('closed', 'the database has been closed');
    if (transactionScope.getStore()?.isOpen === true) {
      throw new HopbackError('internal', 'a statement within a transaction was given to the database instead of it');
    }
    if (this.#isTaken) await this.#turn();
    this.#isTaken = true;
    return this.#connection;
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= WAITING_TURNS) {
      throw new HopbackError('unavailable', 'too many statements wait for the database', { retryable: true });
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        const details = { waitedMs: TURN_TIMEOUT_MS };
        reject(new HopbackError('unavailable', 'the database is held by a transaction', { retryable: true, details }));
      }, TURN_TIMEOUT_MS);
      timer.unref();
      const entry = { resolve, timer };
      this.#waiting.push(entry);
    });
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#isTaken = false;
      return;
    }
    clearTimeout(next.timer);
    next.resolve();
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const level = settings.isolationLevel === undefined ? '' : ` isolation level ${settings.isolationLevel}`;
    const mode = settings.accessMode === undefined ? '' : ` ${settings.accessMode}`;
    await connection.executeQuery(CompiledQuery.raw(`start transaction${level}${mode}`));
  }

  async commitTransaction(): Promise<void> {
    const { command } = await this.#pglite.query('commit').catch((error: unknown) => {
      // PGlite says so with an error of its own.
      if (error instanceof Error && error.constructor.name === 'TransactionAbortedError') {
        return { command: 'ROLLBACK' };
      }
      throw error;
    });
    if (command === 'ROLLBACK') throw new AbortedTransactionError();
  }

  async rollbackTransaction(): Promise<void> {
    await this.#pglite.query('rollback');
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    if (!this.#pglite.closed) await this.#pglite.close();
  }
}

function connectionOf(pglite: PGlite): DatabaseConnection {
  return {
    executeQuery: async <Row>(query: CompiledQuery): Promise<QueryResult<Row>> => {
      const { rows, affectedRows, command } = await pglite.query<Row>(query.sql, [...query.parameters]);
      const isChange = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE';
      return { rows, ...(isChange && { numAffectedRows: BigInt(affectedRows ?? 0) }) };
    },
    async *streamQuery() {
      yield await Promise.reject(
        new HopbackError('internal', 'rows are read in pages: PGlite has no cursor for streams'),
      );
    },
  };
}
