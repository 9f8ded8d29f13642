import { AsyncLocalStorage } from 'node:async_hooks';
import { HopbackError } from '@hopback/sdk/errors';
import type { CompiledQuery, PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { scheduleInBackground } from '@hopback/sdk/internal';
import { isStaleStatement } from './database-errors.js';
import { createStatementExchange } from './statement-exchange.js';
import type { Statement, StatementResult } from './statement-exchange.js';
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
  const send = async (text: string, values: readonly unknown[]): Promise<Pick<StatementResult, 'rows'>> => {
    const begun = beginning === undefined ? [] : [{ text: beginning, values: NO_VALUES }];
    beginning = undefined;
    if (text === TOGETHER) {
      const results = await exchange([...begun, ...statementsOf(values as readonly CompiledQuery[])]);
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
      return NOTHING;
    }
    if (beginning !== undefined && ENDS.test(text)) {
      beginning = undefined;
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
    release(isSpoilt === true);
  };
  return { query, release: released } as unknown as PostgresPoolClient;
}

const NOTHING: StatementResult = { command: '', rowCount: null, rows: [] };

const statementsOf = (queries: readonly CompiledQuery[]): readonly Statement[] =>
  queries.map(({ sql: text, parameters: values }) => ({ text, values }));
