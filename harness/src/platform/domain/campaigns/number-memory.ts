import { spread } from './key-hash.js';
import { takeOver } from './state-codec.js';

/** What is known of a calling number. */
export interface NumberSighting {
  /** Calls before this one; at most 65,535. */
  readonly callsBefore: number;
  /** Sum of evidence of its calls after this one, against the kind of honest callers that it is most like. */
  readonly evidence: number;
}

/** Evidence of a call for or against its number, logarithm of odds against two kinds of honest callers. */
export interface NumberGain {
  readonly centres: number;
  readonly dealings: number;
}

/** Numbers that called, with how often. Never holds more than its limit; forgets of four the one not heard of the longest. */
export interface NumberMemory {
  /**
   * Notes a call.
   * @param key - 52 bits of a hash of the number
   * @param gain - evidence of the call for or against its number
   */
  readonly note: (key: number, atSeconds: number, gain: NumberGain) => NumberSighting;
  /** What is known of a number by now; undefined where it never called, or is forgotten. */
  readonly find: (key: number) => NumberSighting | undefined;
  /** Of the first call that was noted, seconds since the epoch; undefined before it. */
  readonly sinceSeconds: () => number | undefined;
  /** The memory as it stands, by reference. */
  readonly state: () => NumberMemoryState;
  readonly restore: (saved: NumberMemoryState) => void;
}

/** Numbers by their places. */
export interface NumberMemoryState {
  /** What a key has beside the set that it falls in; 0 also where nobody stands. */
  readonly marks: Uint32Array;
  /** Seconds since the epoch, 0 where nobody stands. */
  readonly heard: Uint32Array;
  readonly calls: Uint16Array;
  readonly againstCentres: Float32Array;
  readonly againstDealings: Float32Array;
  readonly since: number | undefined;
}

/** Places in which a number can stand. */
const WAYS = 4;
/** Who has called as often calls again tomorrow, and is not to be new then: remembered for a day longer than who called once. */
const REGULAR_CALLS = 3;
const REGULAR_SECONDS = 86_400;
/** A sum as large is enough for good; smaller, so that a number that has changed hands is free of it some day. */
const MOST_EVIDENCE = 60;

/**
 * Makes the memory: plain arrays, so that nothing of it is looked at when garbage is collected. Never throws.
 * @param limit - numbers at most, a power of two of 1,024 or more
 */
export function createNumberMemory(limit: number): NumberMemory {
  const sets = Math.max(256, 2 ** Math.floor(Math.log2(limit / WAYS)));
  const marks = new Uint32Array(sets * WAYS);
  const heard = new Uint32Array(sets * WAYS);
  const calls = new Uint16Array(sets * WAYS);
  const againstCentres = new Float32Array(sets * WAYS);
  const againstDealings = new Float32Array(sets * WAYS);
  const placeOf = (key: number): number => {
    const mark = markOf(key);
    const first = (spread(key) & (sets - 1)) * WAYS;
    let chosen = first;
    let oldest = Infinity;
    for (let place = first; place < first + WAYS; place += 1) {
      if (marks[place] === mark && heard[place] !== 0) return place;
      const worth = (heard[place] as number) + ((calls[place] as number) >= REGULAR_CALLS ? REGULAR_SECONDS : 0);
      if (worth < oldest) {
        oldest = worth;
        chosen = place;
      }
    }
    marks[chosen] = mark;
    calls[chosen] = 0;
    againstCentres[chosen] = 0;
    againstDealings[chosen] = 0;
    return chosen;
  };
  let since: number | undefined;
  return {
    sinceSeconds: () => since,
    state: () => ({ marks, heard, calls, againstCentres, againstDealings, since }),
    restore: (saved) => {
      takeOver(marks, saved.marks);
      takeOver(heard, saved.heard);
      takeOver(calls, saved.calls);
      takeOver(againstCentres, saved.againstCentres);
      takeOver(againstDealings, saved.againstDealings);
      ({ since } = saved);
    },
    note: (key, atSeconds, gain) => {
      since ??= atSeconds;
      const place = placeOf(key);
      const callsBefore = calls[place] as number;
      heard[place] = Math.max(1, atSeconds);
      if (callsBefore < 0xffff) calls[place] = callsBefore + 1;
      const centres = summed(againstCentres[place] as number, gain.centres);
      const dealings = summed(againstDealings[place] as number, gain.dealings);
      againstCentres[place] = centres;
      againstDealings[place] = dealings;
      return { callsBefore, evidence: Math.min(centres, dealings) };
    },
    find: (key) => {
      const mark = markOf(key);
      const first = (spread(key) & (sets - 1)) * WAYS;
      for (let place = first; place < first + WAYS; place += 1) {
        if (marks[place] !== mark || heard[place] === 0) continue;
        const evidence = Math.min(againstCentres[place] as number, againstDealings[place] as number);
        return { callsBefore: calls[place] as number, evidence };
      }
      return undefined;
    },
  };
}

const summed = (sum: number, gain: number): number => Math.min(MOST_EVIDENCE, Math.max(0, sum + gain));

/** The upper 32 bits of a key. With the set, which comes of all 52, they tell two keys apart as well as the key itself. */
const markOf = (key: number): number => Math.floor(key / 0x10_0000) >>> 0;
