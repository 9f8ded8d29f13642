import { randomInt } from 'node:crypto';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { sql, type CompiledQuery, type ControlledTransaction } from 'kysely';
import { wait } from '@hopback/sdk/internal';
import type { CoreTables, PlatformDatabase, PlatformTransaction } from '../core/index.js';
import { transactionScope } from './connection-pool.js';
import { createCoreWrites, isFull, isWritten, writeCore } from './core-writes.js';
import type { CommitMark, CoreWrites } from './core-writes.js';
import { isConnectionLost, isOrderConflict, outcomeUnknown, sqlStateOf } from './database-errors.js';
import type { OpenedDatabase } from './open-database.js';

/** Times that a transaction is begun: with ten connections that all write to the same rows one of them comes through in each round. */
const ORDER_ATTEMPTS = 20;
/** First pause after a conflict; it doubles, and a random part of it is waited. */
const ORDER_PAUSE_MS = 2;
const LONGEST_ORDER_PAUSE_MS = 250;
/** A server that restarts is back in some seconds. In all 100 ms + … + 3,200 ms. */
const LOST_ATTEMPTS = 7;
const LOST_PAUSE_MS = 100;
const LONGEST_LOST_PAUSE_MS = 3_200;
/** Times that the server is asked what became of a commit, with those pauses. */
const OUTCOME_QUESTIONS = 8;

/** Runs transactions; counts what came in between. */
export interface Transactor {
  readonly transact: <Result>(work: (transaction: PlatformTransaction) => Promise<Result>) => Promise<Result>;
  readonly counts: () => TransactionCounts;
}

/** What became of transactions since this process began. */
export interface TransactionCounts {
  readonly committed: number;
  /** Begun again because the database could not put them in order. */
  readonly conflicts: number;
  /** Begun again because the connection was lost before the commit. */
  readonly lostConnections: number;
  /** Commits whose outcome had to be asked for, and those for which nobody could say. */
  readonly askedOutcomes: number;
  readonly unknownOutcomes: number;
}

/**
 * Runs transactions, isolated from each other as if they ran one after the other (`serializable`), as they do on PGlite in fact. One that the database could not put in order with others is run again, as is one whose
 * connection was lost before its commit; `work` has no effects but those of its transaction, then. Where the connection is lost in the commit
 * the server is asked what became of it.
 * @returns the transactor. `transact` rejects with what `work` rejects with; with HopbackError `unavailable` (retryable) where the database
 * stays away, or conflicts do not end; with `storage-failed` and `outcome: 'unknown'` where nobody can say whether it committed
 */
export function createTransactor(opened: OpenedDatabase, pause: (ms: number) => Promise<unknown> = wait): Transactor {
  const counts = { committed: 0, conflicts: 0, lostConnections: 0, askedOutcomes: 0, unknownOutcomes: 0 };
  const pauseAfterLoss = async (losses: number, error: unknown): Promise<void> => {
    if (losses >= LOST_ATTEMPTS) throw gaveUp('the database is away', error);
    await pause(Math.min(LONGEST_LOST_PAUSE_MS, LOST_PAUSE_MS * 2 ** (losses - 1)));
  };
  const transact = async <Result>(work: (transaction: PlatformTransaction) => Promise<Result>): Promise<Result> => {
    for (let [conflicts, losses] = [0, 0]; ;) {
      const attempt = await attempted(opened, work);
      if (attempt.status === 'lost-in-commit') {
        counts.askedOutcomes += 1;
        const outcome = await outcomeOf(opened.database, attempt.mark, pause);
        if (outcome === 'unknown') {
          counts.unknownOutcomes += 1;
          throw outcomeUnknown(attempt.error);
        }
        if (outcome === 'aborted') {
          // Not without end: a commit may be what kills the connection.
          losses += 1;
          await pauseAfterLoss(losses, attempt.error);
          continue;
        }
      }
      if (attempt.status === 'committed' || attempt.status === 'lost-in-commit') {
        counts.committed += 1;
        if (attempt.wrote) opened.signal();
        return attempt.result;
      }
      const { error } = attempt;
      if (isOrderConflict(error)) {
        counts.conflicts += 1;
        conflicts += 1;
        if (conflicts >= ORDER_ATTEMPTS) throw gaveUp('transactions got into each other’s way too often', error);
        await pause(randomInt(1, Math.min(LONGEST_ORDER_PAUSE_MS, ORDER_PAUSE_MS * 2 ** conflicts) + 1));
      } else if (isConnectionLost(error)) {
        counts.lostConnections += 1;
        losses += 1;
        await pauseAfterLoss(losses, error);
      } else throw error;
    }
  };
  return { transact, counts: () => ({ ...counts }) };
}

type Attempt<Result> =
  | { readonly status: 'committed'; readonly result: Result; readonly wrote: boolean }
  | {
      readonly status: 'lost-in-commit';
      readonly result: Result;
      readonly wrote: boolean;
      readonly mark: CommitMark | undefined;
      readonly error: unknown;
    }
  | { readonly status: 'failed'; readonly error: unknown };

/** What is noted of a transaction while it runs. */
interface RunningTransaction {
  /** Once it wrote what is audited or told. */
  mark: CommitMark | undefined;
  wrote: boolean;
  readonly writes: CoreWrites;
}

const running = new WeakMap<object, RunningTransaction>();

/**
 * Adds to what a transaction tells, audits and seals. Where nobody conducts the transaction it is written at once.
 * @returns to be waited for; undefined where it is written with the rest, since a dozen promises of each hop would be for nothing
 * @internal
 */
export function addWrites(
  transaction: PlatformTransaction,
  add: (writes: CoreWrites) => void,
): Promise<void> | undefined {
  const noted = running.get(transaction);
  const writes = noted?.writes ?? createCoreWrites();
  add(writes);
  return noted === undefined || isFull(writes) ? flushWrites(transaction, writes) : undefined;
}

/**
 * Writes something with what the transaction tells, audits and seals, before that: one way to the server less. The transaction reads nothing of it. Where nobody
 * conducts the transaction it is written at once.
 */
export async function writeLater(transaction: PlatformTransaction, queries: readonly CompiledQuery[]): Promise<void> {
  await addWrites(transaction, ({ besides }) => void besides.push(...queries));
}

/**
 * Writes what waits: before something of it is read.
 * @internal
 */
export async function flushWrites(
  transaction: PlatformTransaction,
  writes: CoreWrites | undefined = running.get(transaction)?.writes,
): Promise<void> {
  if (writes === undefined) return;
  const mark = await writeCore(transaction, writes);
  const noted = running.get(transaction);
  if (noted === undefined || mark === undefined) return;
  noted.wrote = true;
  noted.mark ??= mark;
}

async function attempted<Result>(
  opened: OpenedDatabase,
  work: (transaction: PlatformTransaction) => Promise<Result>,
): Promise<Attempt<Result>> {
  let transaction: ControlledTransaction<CoreTables> | undefined;
  const noted: RunningTransaction = { mark: undefined, wrote: false, writes: createCoreWrites() };
  let result: Result;
  try {
    transaction = await opened.database.startTransaction().setIsolationLevel('serializable').execute();
    const begun = transaction;
    running.set(begun, noted);
    const scope = { isOpen: true };
    try {
      result = await transactionScope.run(scope, async () => {
        const made = await work(begun);
        await flushWrites(begun);
        return made;
      });
    } finally {
      scope.isOpen = false;
    }
  } catch (error) {
    // Where the connection is gone, so is the transaction.
    await transaction
      ?.rollback()
      .execute()
      .catch(() => undefined);
    return { status: 'failed', error };
  }
  try {
    await transaction.commit().execute();
    return { status: 'committed', result, wrote: noted.wrote };
  } catch (error) {
    await transaction
      .rollback()
      .execute()
      .catch(() => undefined);
    // What the server answered it means: it did not commit.
    if (!isConnectionLost(error)) return { status: 'failed', error: aborted(error) };
    return { status: 'lost-in-commit', result, wrote: noted.wrote, mark: noted.mark, error };
  }
}

/** `work` let an error of a statement pass, and the database rolled back what it believed to be done. */
function aborted(error: unknown): unknown {
  if (sqlStateOf(error) !== undefined || isHopbackError(error)) return error;
  return new HopbackError('internal', 'a transaction went on after one of its statements had failed', { cause: error });
}

/**
 * Asks the server what became of a transaction. That one of its id committed says nothing yet: a server that crashed before it had written anything of a transaction to its log
 * gives that id to another. What the transaction wrote has to be there.
 * @see PostgreSQL, section 9.27, pg_xact_status
 */
async function outcomeOf(
  database: PlatformDatabase,
  mark: CommitMark | undefined,
  pause: (ms: number) => Promise<unknown>,
): Promise<'committed' | 'aborted' | 'unknown'> {
  if (mark === undefined) return 'unknown';
  for (let asked = 0; asked < OUTCOME_QUESTIONS; asked += 1) {
    if (asked > 0) await pause(Math.min(LONGEST_LOST_PAUSE_MS, LOST_PAUSE_MS * 2 ** (asked - 1)));
    try {
      // Before what it wrote is looked for: once it is over, all of it can be seen or none ever will.
      if (await isRunning(database, mark)) continue;
      return (await isWritten(database, mark)) ? 'committed' : 'aborted';
    } catch {
      // Still away.
    }
  }
  return 'unknown';
}

/** A standby behind the same address may not have heard of it yet: what it has is no answer. */
async function isRunning(database: PlatformDatabase, { transactionId }: CommitMark): Promise<boolean> {
  try {
    const { rows } = await sql<{ readonly status: string | null }>`
      select case when pg_is_in_recovery() then 'in progress' else pg_xact_status(${transactionId}::xid8) end as status`.execute(
      database,
    );
    return rows[0]?.status === 'in progress';
  } catch (error) {
    // The server has no transaction of this id yet: it crashed before it had heard of this one for good.
    if (sqlStateOf(error) === INVALID_PARAMETER_VALUE) return false;
    throw error;
  }
}

/** What `pg_xact_status` fails with for an id of the future. @see PostgreSQL, appendix A */
const INVALID_PARAMETER_VALUE = '22023';

const gaveUp = (why: string, cause: unknown): HopbackError =>
  new HopbackError('unavailable', why, { retryable: true, cause });
