/** A table that never holds more than its limit, and forgets what has not been asked for the longest. */
export interface BoundedTable<Entry> {
  /**
   * The entry of a key, made where there is none. Names it as used just now.
   * @param key - 52 bits of a hash of what the entry is of
   */
  readonly at: (key: number) => Entry;
  /** Entries held. */
  readonly size: () => number;
  /** The table as it stands, by reference: for a snapshot. */
  readonly state: () => BoundedTableState<Entry>;
  /** Takes a saved state over. `entries` are by place; places that are left out are empty. */
  readonly restore: (saved: BoundedTableState<Entry>) => void;
}

/** A table by its places. */
export interface BoundedTableState<Entry> {
  readonly keys: Float64Array;
  readonly turns: Float64Array;
  readonly entries: readonly (Entry | undefined)[];
  readonly turn: number;
  readonly used: number;
}

/** Places where an entry can stand: eight keys are one line of a processor's cache. */
const WAYS = 8;

/**
 * Makes a table of sets of eight places. A full set forgets the entry that was used longest ago, so that whoever calls most stays.
 * Nothing is moved or rebuilt as entries come and go, as in a map that lives long and leaves its garbage standing. Never throws.
 * @param limit - entries at most; rounded down to a power of two, 16 or more
 */
export function createBoundedTable<Entry>(limit: number, make: () => Entry): BoundedTable<Entry> {
  const sets = 2 ** Math.max(1, Math.floor(Math.log2(limit / WAYS)));
  const keys = new Float64Array(sets * WAYS).fill(-1);
  /** When the place was used last, in uses; 0 for empty places. */
  const turns = new Float64Array(sets * WAYS);
  const entries: (Entry | undefined)[] = [];
  let turn = 0;
  let used = 0;
  return {
    at: (key) => {
      turn += 1;
      const first = ((key >>> 0) & (sets - 1)) * WAYS;
      let chosen = first;
      for (let slot = first; slot < first + WAYS; slot += 1) {
        if (keys[slot] === key) {
          const known = entries[slot];
          if (known === undefined) break;
          turns[slot] = turn;
          return known;
        }
        if ((turns[slot] as number) < (turns[chosen] as number)) chosen = slot;
      }
      if (keys[chosen] === -1) used += 1;
      const entry = make();
      keys[chosen] = key;
      turns[chosen] = turn;
      entries[chosen] = entry;
      return entry;
    },
    size: () => used,
    state: () => ({ keys, turns, entries, turn, used }),
    restore: (saved) => {
      keys.set(saved.keys);
      turns.set(saved.turns);
      for (const [place, entry] of saved.entries.entries()) entries[place] = entry;
      ({ turn, used } = saved);
    },
  };
}
