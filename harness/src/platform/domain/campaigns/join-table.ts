import { spread } from './key-hash.js';
import { takeOver } from './state-codec.js';

/** Calls, or reports of calls, that wait for their other half: by calling number and exchange of the number called. */
export interface JoinTable<Entry extends { readonly atMs: number }> {
  readonly put: (callingKey: number, calledNpaNxx: number, entry: Entry) => void;
  /** The entry nearest in time, within so many milliseconds. */
  readonly near: (callingKey: number, calledNpaNxx: number, when: JoinTime<Entry>) => Entry | undefined;
  /** The table as it stands, by reference. */
  readonly state: () => JoinTableState<Entry>;
  readonly restore: (saved: JoinTableState<Entry>) => void;
}

/** Entries by their places. */
export interface JoinTableState<Entry> {
  readonly keys: Float64Array;
  readonly exchanges: Int32Array;
  readonly entries: readonly (Entry | undefined)[];
}

/** When an entry has to be, and what else. */
export interface JoinTime<Entry> {
  readonly atMs: number;
  readonly withinMs: number;
  readonly fits: (entry: Entry) => boolean;
}

/** Entries of one pair that are told apart: a redialler calls twice, and another subscriber of the exchange in between. */
const WAYS = 4;

/**
 * Makes the table. A new entry takes the place of the oldest of its four. Never throws.
 * @param limit - entries at most, a power of two
 */
export function createJoinTable<Entry extends { readonly atMs: number }>(limit: number): JoinTable<Entry> {
  const sets = Math.max(1, 2 ** Math.floor(Math.log2(limit / WAYS)));
  const keys = new Float64Array(sets * WAYS).fill(-1);
  const entries: (Entry | undefined)[] = Array.from({ length: sets * WAYS }, () => undefined);
  const exchanges = new Int32Array(sets * WAYS);
  const firstOf = (callingKey: number, calledNpaNxx: number): number =>
    (spread(callingKey + calledNpaNxx) & (sets - 1)) * WAYS;
  return {
    put: (callingKey, calledNpaNxx, entry) => {
      const first = firstOf(callingKey, calledNpaNxx);
      let chosen = first;
      for (let place = first; place < first + WAYS; place += 1) {
        if ((entries[place]?.atMs ?? 0) < (entries[chosen]?.atMs ?? 0)) chosen = place;
      }
      keys[chosen] = callingKey;
      exchanges[chosen] = calledNpaNxx;
      entries[chosen] = entry;
    },
    near: (callingKey, calledNpaNxx, { atMs, withinMs, fits }) => {
      const first = firstOf(callingKey, calledNpaNxx);
      let nearest: Entry | undefined;
      for (let place = first; place < first + WAYS; place += 1) {
        const entry = entries[place];
        if (entry === undefined || keys[place] !== callingKey || exchanges[place] !== calledNpaNxx) continue;
        if (Math.abs(entry.atMs - atMs) > withinMs || !fits(entry)) continue;
        if (nearest === undefined || Math.abs(entry.atMs - atMs) < Math.abs(nearest.atMs - atMs)) nearest = entry;
      }
      return nearest;
    },
    state: () => ({ keys, exchanges, entries }),
    restore: (saved) => {
      takeOver(keys, saved.keys);
      takeOver(exchanges, saved.exchanges);
      for (const [place, entry] of saved.entries.entries()) entries[place] = entry;
    },
  };
}
