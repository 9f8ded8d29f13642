import { spread } from './key-hash.js';
import { takeOver } from './state-codec.js';

/** Calls, or reports of calls, that wait for more evidence of the same call: by calling number and exchange of the number called. */
export interface JoinTable<Entry extends { readonly atMs: number }> {
  /** Where the entry stands under this key already, nothing changes. */
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
  /** Chains of those that share a bucket. */
  readonly newest: Float64Array;
  readonly older: Float64Array;
  readonly last: number;
}

/** When an entry has to be, and what else. */
export interface JoinTime<Entry> {
  readonly atMs: number;
  readonly withinMs: number;
  readonly fits: (entry: Entry) => boolean;
}

/** Newest entries that are looked at under one place: one number that calls an exchange ten times a second has so many within a minute. */
const MAX_LOOKED_AT = 512;

/**
 * Makes the table. A new entry takes the place of the oldest one. Never throws.
 * @param limit - entries at most, a power of two
 */
export function createJoinTable<Entry extends { readonly atMs: number }>(limit: number): JoinTable<Entry> {
  const size = Math.max(4, 2 ** Math.floor(Math.log2(limit)));
  const mask = size - 1;
  const keys = new Float64Array(size);
  const exchanges = new Int32Array(size);
  const entries: (Entry | undefined)[] = Array.from({ length: size }, () => undefined);
  // Entries are numbered as they come, from 1. Those of one bucket are a chain, the newest first; it ends where an entry has been overwritten.
  const newest = new Float64Array(size);
  const older = new Float64Array(size);
  let last = 0;
  const bucketOf = (callingKey: number, calledNpaNxx: number): number => spread(callingKey + calledNpaNxx) & mask;
  const isThere = (number: number): boolean => number > 0 && number > last - size;
  return {
    put: (callingKey, calledNpaNxx, entry) => {
      const bucket = bucketOf(callingKey, calledNpaNxx);
      let looked = 0;
      for (let at = newest[bucket] as number; isThere(at) && looked < MAX_LOOKED_AT; at = older[at & mask] as number) {
        const place = at & mask;
        if (entries[place] === entry && keys[place] === callingKey && exchanges[place] === calledNpaNxx) return;
        looked += 1;
      }
      last += 1;
      const place = last & mask;
      keys[place] = callingKey;
      exchanges[place] = calledNpaNxx;
      entries[place] = entry;
      older[place] = newest[bucket] as number;
      newest[bucket] = last;
    },
    near: (callingKey, calledNpaNxx, { atMs, withinMs, fits }) => {
      const bucket = bucketOf(callingKey, calledNpaNxx);
      let nearest: Entry | undefined;
      let looked = 0;
      for (let at = newest[bucket] as number; isThere(at) && looked < MAX_LOOKED_AT; at = older[at & mask] as number) {
        looked += 1;
        const place = at & mask;
        const entry = entries[place] as Entry;
        if (keys[place] !== callingKey || exchanges[place] !== calledNpaNxx) continue;
        const apartMs = Math.abs(entry.atMs - atMs);
        if (apartMs > withinMs || (nearest !== undefined && apartMs >= Math.abs(nearest.atMs - atMs))) continue;
        if (fits(entry)) nearest = entry;
      }
      return nearest;
    },
    state: () => ({ keys, exchanges, entries, newest, older, last }),
    restore: (saved) => {
      takeOver(keys, saved.keys);
      takeOver(exchanges, saved.exchanges);
      takeOver(newest, saved.newest);
      takeOver(older, saved.older);
      ({ last } = saved);
      for (const [place, entry] of saved.entries.entries()) entries[place] = entry;
    },
  };
}
