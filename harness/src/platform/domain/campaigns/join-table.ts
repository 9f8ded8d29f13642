import { spread } from './key-hash.js';
import { takeOver } from './state-codec.js';

/** Calls, or reports of calls, that wait for more evidence of the same call: by calling number and exchange of the number called. */
export interface JoinTable<Entry extends { readonly atMs: number }> {
  /** Where the entry is the newest under this key already, nothing changes. */
  readonly put: (key: JoinKey, entry: Entry) => void;
  /** The entry nearest in time, within so many milliseconds, of the newest under the key: {@link MAX_LOOKED_AT}, or `most` of them. */
  readonly near: (key: JoinKey, when: JoinTime<Entry>, most?: number) => Entry | undefined;
  /** The table as it stands, by reference. */
  readonly state: () => JoinTableState<Entry>;
  readonly restore: (saved: JoinTableState<Entry>) => void;
}

/** The numbers that join evidence, and the facts that rule a call out without opening its entry. */
export interface JoinKey {
  readonly callingKey: number;
  readonly calledNpaNxx: number;
  /** Called number; -1 if unknown. Two known ones must be equal. */
  readonly calledKey: number;
  /** The switch and its name for the call; -1 if unknown. A switch never gives one call two names. */
  readonly sourceKey: number;
  readonly groupKey: number;
}

/** Entries by their places. */
export interface JoinTableState<Entry> {
  readonly rows: Float64Array;
  readonly entries: readonly (Entry | undefined)[];
  readonly newest: Float64Array;
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
/** Members of a row. All that is looked at of an entry that does not fit lies within a line or two of a processor's cache. */
const ROW = 6;
const [CALLING, EXCHANGE, CALLED, SOURCE, GROUP, OLDER] = [0, 1, 2, 3, 4, 5];

/**
 * Makes the table. A new entry takes the place of the oldest one. Never throws.
 * @param limit - entries at most, a power of two
 */
export function createJoinTable<Entry extends { readonly atMs: number }>(limit: number): JoinTable<Entry> {
  const size = Math.max(4, 2 ** Math.floor(Math.log2(limit)));
  const mask = size - 1;
  const rows = new Float64Array(size * ROW);
  const entries: (Entry | undefined)[] = Array.from({ length: size }, () => undefined);
  // Entries are numbered as they come, from 1. Those of one bucket are a chain, the newest first; it ends where an entry has been overwritten.
  const newest = new Float64Array(size);
  let last = 0;
  const bucketOf = ({ callingKey, calledNpaNxx }: JoinKey): number => spread(callingKey + calledNpaNxx) & mask;
  const isThere = (number: number): boolean => number > 0 && number > last - size;
  const isUnder = (row: number, { callingKey, calledNpaNxx }: JoinKey): boolean =>
    rows[row + CALLING] === callingKey && rows[row + EXCHANGE] === calledNpaNxx;
  const isOther = (row: number, { calledKey, sourceKey, groupKey }: JoinKey): boolean => {
    if (rows[row + SOURCE] === sourceKey && sourceKey >= 0) return rows[row + GROUP] !== groupKey;
    const called = rows[row + CALLED] as number;
    return called >= 0 && calledKey >= 0 && called !== calledKey;
  };
  return {
    put: (key, entry) => {
      const bucket = bucketOf(key);
      const before = newest[bucket] as number;
      if (isThere(before) && entries[before & mask] === entry && isUnder((before & mask) * ROW, key)) return;
      last += 1;
      const row = (last & mask) * ROW;
      rows[row + CALLING] = key.callingKey;
      rows[row + EXCHANGE] = key.calledNpaNxx;
      rows[row + CALLED] = key.calledKey;
      rows[row + SOURCE] = key.sourceKey;
      rows[row + GROUP] = key.groupKey;
      rows[row + OLDER] = before;
      entries[last & mask] = entry;
      newest[bucket] = last;
    },
    near: (key, { atMs, withinMs, fits }, most = MAX_LOOKED_AT) => {
      if (last === 0) return undefined;
      let nearest: Entry | undefined;
      let looked = 0;
      for (let at = newest[bucketOf(key)] as number; isThere(at) && looked < most; looked += 1) {
        const row = (at & mask) * ROW;
        if (isUnder(row, key) && !isOther(row, key)) {
          const entry = entries[at & mask] as Entry;
          const apartMs = Math.abs(entry.atMs - atMs);
          const isNearer = nearest === undefined || apartMs < Math.abs(nearest.atMs - atMs);
          if (apartMs <= withinMs && isNearer && fits(entry)) nearest = entry;
        }
        at = rows[row + OLDER] as number;
      }
      return nearest;
    },
    state: () => ({ rows, entries, newest, last }),
    restore: (saved) => {
      takeOver(rows, saved.rows);
      takeOver(newest, saved.newest);
      ({ last } = saved);
      for (const [place, entry] of saved.entries.entries()) entries[place] = entry;
    },
  };
}
