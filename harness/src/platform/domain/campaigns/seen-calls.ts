import { keyHashOf, spread } from './key-hash.js';
import { takeOver } from './state-codec.js';

/** Calls that came in lately, so that what is sent or read again is not counted again. */
export interface SeenCalls {
  /**
   * Notes a call; whether it was noted before.
   * @param kind - `record` or `report`
   * @param reporter - carrier or application, of which `id` is the id of the record or report
   */
  readonly isRepeat: (kind: string, reporter: string, id: string) => boolean;
  /** The memory as it stands, by reference. */
  readonly state: () => SeenCallsState;
  readonly restore: (saved: SeenCallsState) => void;
}

/** Both generations, and how many calls the young one has. */
export interface SeenCallsState {
  readonly young: Float64Array;
  readonly old: Float64Array;
  readonly used: number;
}

/** Two generations of so many: two minutes at 2,000 calls a second, far more than a batch that is sent again is behind. */
const GENERATION = 262_144;
const PLACES = GENERATION * 2;

/** Makes the memory: 8 MB, whatever comes. Two of a million calls share their 52 bits by chance less often than once in a year. Never throws. */
export function createSeenCalls(): SeenCalls {
  let young = new Float64Array(PLACES);
  let old = new Float64Array(PLACES);
  let used = 0;
  const has = (table: Float64Array, key: number): boolean => {
    for (let at = spread(key) & (PLACES - 1); ; at = (at + 1) & (PLACES - 1)) {
      const there = table[at] as number;
      if (there === key) return true;
      if (there === 0) return false;
    }
  };
  return {
    isRepeat: (kind, reporter, id) => {
      const key = keyHashOf(kind, reporter, id) + 1;
      if (has(young, key) || has(old, key)) return true;
      if (used >= GENERATION) {
        [young, old] = [old.fill(0), young];
        used = 0;
      }
      let at = spread(key) & (PLACES - 1);
      while (young[at] !== 0) at = (at + 1) & (PLACES - 1);
      young[at] = key;
      used += 1;
      return false;
    },
    state: () => ({ young, old, used }),
    restore: (saved) => {
      takeOver(young, saved.young);
      takeOver(old, saved.old);
      ({ used } = saved);
    },
  };
}
