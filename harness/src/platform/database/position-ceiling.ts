import { sql } from 'kysely';
import type { PlatformDatabase } from '../core/index.js';

/** Tells how far a table of positions can be read without stepping over what has not yet committed. */
export interface PositionCeiling {
  /** Every position up to it is there for good, or never will be. It only grows. */
  readonly through: () => Promise<number>;
  /** Whether transactions that still run hold it back. */
  readonly isHeld: () => boolean;
}

/** Sequences that `core_next_position` gives positions of. */
export type PositionSequence = 'core_event_positions' | 'core_audit_positions';

/**
 * Positions are given before the commit, so that a lower one may appear after a higher one: a reader that goes by the highest it saw steps over
 * it. So the newest position is looked at first, and then which transactions run: whoever has that position or a lower one took the id of
 * its transaction before (`core_next_position`), and when every id up to then has ended, nothing can come in below. Writers do not wait for each other as they would with a lock over
 * appending: that makes commits wait in line for the disk.
 * @see PostgreSQL, section 9.27, `pg_snapshot_xmin`
 */
export function createPositionCeiling(database: PlatformDatabase, sequence: PositionSequence): PositionCeiling {
  let settled = 0;
  /** Once every transaction below this id has ended, this position is settled. */
  let waiting: { readonly position: number; readonly transactionId: bigint } | undefined;

  const look = async (): Promise<number> => {
    if (waiting !== undefined) {
      const oldest = await oldestRunning(database);
      if (oldest < waiting.transactionId) return settled;
      settled = waiting.position;
      waiting = undefined;
    }
    const position = await newestPosition(database, sequence);
    if (position <= settled) return settled;
    const { transactionId, oldest } = await transactionsNow(database);
    if (oldest >= transactionId) settled = position;
    else waiting = { position, transactionId };
    return settled;
  };
  return { through: shared(look), isHeld: () => waiting !== undefined };
}

/** The last position that was given; 0 where none was. */
async function newestPosition(database: PlatformDatabase, sequence: PositionSequence): Promise<number> {
  const { rows } = await sql<{ readonly position: number }>`
    select case when is_called then last_value else 0 end as position from ${sql.ref(sequence)}`.execute(database);
  return rows[0]?.position ?? 0;
}

/** Below it every transaction has ended. */
async function oldestRunning(database: PlatformDatabase): Promise<bigint> {
  const { rows } = await sql<{ readonly oldest: string }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as oldest`.execute(database);
  return BigInt(rows[0]?.oldest ?? '0');
}

/**
 * Takes an id, which is above that of everybody who has one, and which ones had ended just before. The upper end of a snapshot would not do: it is
 * the newest that has ended, and who runs may be above it.
 */
async function transactionsNow(
  database: PlatformDatabase,
): Promise<{ readonly transactionId: bigint; readonly oldest: bigint }> {
  const { rows } = await sql<{ readonly id: string; readonly oldest: string }>`
    select pg_current_xact_id()::text as id, pg_snapshot_xmin(pg_current_snapshot())::text as oldest`.execute(database);
  return { transactionId: BigInt(rows[0]?.id ?? '0'), oldest: BigInt(rows[0]?.oldest ?? '-1') };
}

/** One look at a time: who comes while one is under way gets the one after it, which saw all that he knows of. */
function shared(look: () => Promise<number>): () => Promise<number> {
  let current: Promise<number> | undefined;
  let following: Promise<number> | undefined;
  const begin = (): Promise<number> => {
    const begun = look().finally(() => {
      if (current === begun) current = undefined;
    });
    current = begun;
    return begun;
  };
  return () => {
    if (current === undefined) return begin();
    following ??= current
      .catch(() => 0)
      .then(() => {
        following = undefined;
        return begin();
      });
    return following;
  };
}
