import { beginCounts, createCallCounts, PACKED_COUNTS, packCounts, unpackInto } from './call-counts.js';
import type { CallCounts } from './call-counts.js';

/**
 * Counts of calling numbers: as a bounded table of them, but in one array. There are hundreds of thousands of numbers; as objects they
 * would take twice the memory, and the garbage collector would look at each of them again and again.
 */
export interface NumberCounts {
  /**
   * The counts of a number, made where there are none, in an object that is used again for the next number: what is changed of it is kept by
   * {@link NumberCounts.keep}.
   * @param key - 52 bits of a hash of the number
   * @param half - in which counting begins for a number that is new
   */
  readonly at: (key: number, half: number) => CallCounts;
  /** Keeps what was changed of the counts that were given last. */
  readonly keep: () => void;
  readonly size: () => number;
  /** The table as it stands, by reference: for a snapshot. */
  readonly state: () => NumberCountsState;
  readonly restore: (saved: NumberCountsState) => void;
}

/** Counts by their places. */
export interface NumberCountsState {
  readonly keys: Float64Array;
  readonly turns: Float64Array;
  readonly counts: Int32Array;
  readonly turn: number;
  readonly used: number;
}

/** Places where a number can stand; the one that was used longest ago goes. */
const WAYS = 8;

/** Makes the table. Never throws. @param limit - numbers at most; rounded down to a power of two, 16 or more */
export function createNumberCounts(limit: number): NumberCounts {
  const sets = 2 ** Math.max(1, Math.floor(Math.log2(limit / WAYS)));
  const keys = new Float64Array(sets * WAYS).fill(-1);
  /** When the place was used last, in uses; 0 for empty places. */
  const turns = new Float64Array(sets * WAYS);
  const counts = new Int32Array(sets * WAYS * PACKED_COUNTS);
  const given = createCallCounts(0, false);
  let place = 0;
  let turn = 0;
  let used = 0;
  return {
    at: (key, half) => {
      turn += 1;
      const first = ((key >>> 0) & (sets - 1)) * WAYS;
      place = first;
      for (let slot = first; slot < first + WAYS; slot += 1) {
        if (keys[slot] === key) {
          turns[slot] = turn;
          place = slot;
          unpackInto(given, counts, slot * PACKED_COUNTS);
          return given;
        }
        if ((turns[slot] as number) < (turns[place] as number)) place = slot;
      }
      if (keys[place] === -1) used += 1;
      keys[place] = key;
      turns[place] = turn;
      beginCounts(given, half);
      return given;
    },
    keep: () => packCounts(given, counts, place * PACKED_COUNTS),
    size: () => used,
    state: () => ({ keys, turns, counts, turn, used }),
    restore: (saved) => {
      keys.set(saved.keys);
      turns.set(saved.turns);
      counts.set(saved.counts);
      ({ turn, used } = saved);
    },
  };
}
