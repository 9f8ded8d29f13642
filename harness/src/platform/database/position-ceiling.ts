import { sql } from 'kysely';
import type { PlatformDatabase } from '../core/index.js';
import { compiledOnce } from './compiled-once.js';
import type { OpenedDatabase } from './open-database.js';

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
 * it. So the newest position is looked at first, and then which transactions that have positions still run (`core_settled_position`): each
 * holds a lock that names the position before its first, and lets go of it when what it wrote can be seen. What a transaction holds back is
 * what comes after that position, and no other transaction holds back anything. Writers do not wait for each other as they would with a lock
 * over appending: that makes commits wait in line for the disk.
 */
export function createPositionCeiling(opened: OpenedDatabase, sequence: PositionSequence): PositionCeiling {
  const { database, engine } = opened;
  // With one connection nothing runs while it is looked.
  const positionNow = engine === 'pglite' ? lastPosition : settledPosition;
  let through = 0;
  let isHeld = false;
  const look = async (): Promise<number> => {
    const { newest, settled } = await positionNow(database, sequence);
    // A transaction names the position that it saw before its first, which may have been settled long ago.
    through = Math.max(through, settled);
    isHeld = newest > through;
    return through;
  };
  return { through: shared(look), isHeld: () => isHeld };
}

interface SettledPosition {
  /** The last position that was given; 0 where none was. */
  readonly newest: number;
  readonly settled: number;
}

async function settledPosition(database: PlatformDatabase, sequence: PositionSequence): Promise<SettledPosition> {
  const { rows } = await database.executeQuery(settledQuery(database, sequence));
  return rows[0] ?? { newest: 0, settled: 0 };
}

const settledQuery = compiledOnce((reading, sequence: PositionSequence) =>
  sql<SettledPosition>`
    select newest, settled from core_settled_position(${sequence}::regclass)`.compile(reading),
);

async function lastPosition(database: PlatformDatabase, sequence: PositionSequence): Promise<SettledPosition> {
  const { rows } = await sql<{ readonly last: number }>`
    select coalesce(pg_sequence_last_value(${sequence}::regclass), 0) as last`.execute(database);
  const last = rows[0]?.last ?? 0;
  return { newest: last, settled: last };
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
