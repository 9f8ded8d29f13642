import { sql } from 'kysely';
import type { PlatformTransaction } from '../core/index.js';
import { advisoryKey, LEADERSHIP_LOCKS } from './leadership.js';
import type { OpenedDatabase } from './open-database.js';

/** How processes that share a database learn of each other whether they live. */
export interface Presence {
  /** Of this process; no other has it, before or after. */
  readonly processId: string;
  /** Shows that this process lives; before it writes down that it is at something. Never rejects: where the server is away, nothing is shown. */
  readonly show: () => Promise<void>;
  /**
   * Whether another process has ended, as far as can be told. One whose connection broke while it lives may be taken for ended until it shows
   * itself anew: whoever goes on in its place has to see to it that only one of them commits.
   */
  readonly hasEnded: (transaction: PlatformTransaction, processId: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
}

/**
 * Makes the presence of a process: a lock of a session of PostgreSQL, which ends with the connection. PGlite has one process, so that every
 * other one has ended.
 * @param processId - new for each start
 */
export function createPresence(opened: Pick<OpenedDatabase, 'engine' | 'leadership'>, processId: string): Presence {
  const held = opened.leadership(lockName(processId));
  return {
    processId,
    show: async () => {
      await held.isLeader();
    },
    hasEnded: async (transaction, other) => {
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
