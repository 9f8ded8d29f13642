import { hashText52 } from './text-hash.js';

/** What was known of a call before one of its legs came. */
export type LegsBefore = 'none' | 'unanswered' | 'answered';

/** Knows the calls of late, so that forks and further routes of a call are not counted as calls of their own. */
export interface RecentCalls {
  /**
   * Notes a leg.
   * @param call - what the legs of the call have in common
   */
  readonly note: (call: string, isAnswered: boolean) => LegsBefore;
  /** Calls known. */
  readonly size: () => number;
  /** The memory as it stands, by reference: for a snapshot. */
  readonly state: () => RecentCallsState;
  readonly restore: (saved: RecentCallsState) => void;
}

/** Recent calls by their places. */
export interface RecentCallsState {
  readonly keys: Float64Array;
  readonly turns: Float64Array;
  readonly turn: number;
  readonly used: number;
}

/** Places where a call can stand; the one that was noted longest ago goes. */
const WAYS = 4;

/**
 * Makes the memory: four places for every remainder of a hash, nothing that a garbage collector would have to look at. Never throws.
 * @param limit - calls known at most, rounded up to a power of two
 */
export function createRecentCalls(limit: number): RecentCalls {
  const sets = 2 ** Math.max(2, Math.ceil(Math.log2(limit / WAYS)));
  const keys = new Float64Array(sets * WAYS).fill(-1);
  /** When the place was noted last, in legs; negative where the call was answered. */
  const turns = new Float64Array(sets * WAYS);
  let turn = 0;
  let used = 0;
  return {
    note: (call, isAnswered) => {
      turn += 1;
      const key = hashText52(call);
      const first = ((key >>> 0) & (sets - 1)) * WAYS;
      let chosen = first;
      for (let slot = first; slot < first + WAYS; slot += 1) {
        if (keys[slot] === key) {
          const wasAnswered = (turns[slot] as number) < 0;
          turns[slot] = wasAnswered || isAnswered ? -turn : turn;
          return wasAnswered ? 'answered' : 'unanswered';
        }
        // Empty places have the turn 0.
        if (Math.abs(turns[slot] as number) < Math.abs(turns[chosen] as number)) chosen = slot;
      }
      if (keys[chosen] === -1) used += 1;
      keys[chosen] = key;
      turns[chosen] = isAnswered ? -turn : turn;
      return 'none';
    },
    size: () => used,
    state: () => ({ keys, turns, turn, used }),
    restore: (saved) => {
      keys.set(saved.keys);
      turns.set(saved.turns);
      ({ turn, used } = saved);
    },
  };
}
