import { AsyncLocalStorage } from 'node:async_hooks';
import { HopbackError } from '@hopback/sdk/errors';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { isStaleStatement } from './database-errors.js';
import { createStatementNames } from './statement-names.js';
import type { StatementNames } from './statement-names.js';

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
  const waiting: { readonly resolve: () => void; readonly timer: NodeJS.Timeout }[] = [];
  let isTaken = false;
  let isEnded = false;
  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) {
      isTaken = false;
      return;
    }
    clearTimeout(next.timer);
    next.resolve();
  };
  const turn = (): Promise<void> => {
    if (waiting.length >= WAITING_TURNS) {
      throw new HopbackError('unavailable', 'too many statements wait for the database', { retryable: true });
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(entry), 1);
        const details = { waitedMs: TURN_TIMEOUT_MS };
        reject(new HopbackError('unavailable', 'the database is held by a transaction', { retryable: true, details }));
      }, TURN_TIMEOUT_MS);
      timer.unref();
      const entry = { resolve, timer };
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

function clientOf(
  client: pg.ClientBase,
  names: StatementNames,
  release: (isSpoilt: boolean) => void,
): PostgresPoolClient {
  const query = async (text: string, values: readonly unknown[] = NO_VALUES): Promise<pg.QueryResult> => {
    const name = values.length === 0 ? undefined : names.nameOf(text);
    try {
      return await client.query({ text, values: [...values], ...(name !== undefined && { name }) });
    } catch (error) {
      if (isStaleStatement(error)) names.forget();
      throw error;
    }
  };
  return { query, release: (isSpoilt?: boolean) => release(isSpoilt === true) } as unknown as PostgresPoolClient;
}
