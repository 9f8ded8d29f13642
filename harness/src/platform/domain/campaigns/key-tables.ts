import { Buffer } from 'node:buffer';
import { takeOver } from './state-codec.js';

/**
 * 52 bits of a text, evenly spread: for tables that count. Not for anything that has to withstand somebody who looks for two texts with
 * the same one. Never throws.
 */
export function keyHash(text: string): number {
  let first = 0x2545_f491;
  let second = 0x1656_67b1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    first = Math.imul(first ^ code, 0x0100_0193);
    second = Math.imul(second + code, 0x9e37_79b1) ^ (second >>> 15);
  }
  return mixed(first ^ second) * 0x10_0000 + (mixed(second + 0x7f4a_7c15) >>> 12);
}

/** {@link keyHash} of three texts, each with a line feed behind it, without putting them together first. Never throws. */
export function keyHashOf(one: string, two: string, three: string): number {
  let first = 0x2545_f491;
  let second = 0x1656_67b1;
  for (let part = 0; part < 3; part += 1) {
    const text = part === 0 ? one : part === 1 ? two : three;
    for (let at = 0; at <= text.length; at += 1) {
      const code = at === text.length ? 0x0a : text.charCodeAt(at);
      first = Math.imul(first ^ code, 0x0100_0193);
      second = Math.imul(second + code, 0x9e37_79b1) ^ (second >>> 15);
    }
  }
  return mixed(first ^ second) * 0x10_0000 + (mixed(second + 0x7f4a_7c15) >>> 12);
}

/** 32 bits of a key, spread anew: for places in tables and sketches. Never throws. */
function spread(key: number): number {
  return mixed((key >>> 0) ^ Math.imul(Math.trunc(key / 0x1_0000_0000), 0x85eb_ca6b));
}

/** Finishing steps of MurmurHash3. */
function mixed(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Counts different keys in two kilobytes: of a campaign's calling numbers there may be millions, and they are not to be kept. */
export type DistinctSketch = ReturnType<typeof createDistinctSketch>;

const REGISTERS = 2_048;
/** @see Flajolet et al., HyperLogLog (2007), section 4 */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/**
 * Makes a sketch, empty or as it was saved; what is no sketch counts as none. Never throws.
 * @see Flajolet et al., HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm (2007)
 */
export function createDistinctSketch(saved?: string) {
  const bytes = saved === undefined ? undefined : Buffer.from(saved, 'base64');
  const registers = bytes?.length === REGISTERS ? new Uint8Array(bytes) : new Uint8Array(REGISTERS);
  return {
    registers,
    add: (key: number) => {
      const place = spread(key) & (REGISTERS - 1);
      const rank = Math.clz32(spread(key + 0x9e37_79b9)) + 1;
      if (rank > (registers[place] as number)) registers[place] = rank;
    },
    /** Takes over what another counted. */
    join: (other: { readonly registers: Uint8Array }) => {
      for (let place = 0; place < REGISTERS; place += 1) {
        registers[place] = Math.max(registers[place] as number, other.registers[place] as number);
      }
    },
    /** About how many: within 1 of up to 100, within 4 % (one deviation) of more. */
    count: () => {
      let sum = 0;
      let empty = 0;
      for (const rank of registers) {
        sum += 2 ** -rank;
        if (rank === 0) empty += 1;
      }
      const estimate = (ALPHA * REGISTERS * REGISTERS) / sum;
      return Math.round(estimate <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : estimate);
    },
    /** Base64. */
    saved: () => Buffer.from(registers).toString('base64'),
  };
}

/** Calls, or reports of calls, that wait for more evidence of the same call: by calling number and exchange of the number called. */
export type JoinTable<Entry extends { readonly atMs: number }> = ReturnType<typeof createJoinTable<Entry>>;

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
export function createJoinTable<Entry extends { readonly atMs: number }>(limit: number) {
  const size = Math.max(4, 2 ** Math.floor(Math.log2(limit)));
  const mask = size - 1;
  const rows = new Float64Array(size * ROW);
  const entries: (Entry | undefined)[] = Array.from({ length: size }, () => undefined);
  // Entries are numbered as they come, from 1. Those of one bucket are a chain, the newest first; it ends where an entry has been overwritten.
  const newest = new Float64Array(size);
  /** A bit for each bucket that has a chain: unlike the other tables it stays in the processor's cache, and most look-ups in a sparse table end here. */
  const used = new Uint32Array(Math.ceil(size / 32));
  let last = 0;
  /** The last entry without a called number. */
  let lastUncalled = 0;
  const bucketOf = ({ callingKey, calledNpaNxx }: JoinKey): number => spread(callingKey + calledNpaNxx) & mask;
  const isThere = (number: number): boolean => number > 0 && number > last - size;
  const isUnder = (row: number, { callingKey, calledNpaNxx }: JoinKey): boolean =>
    rows[row + CALLING] === callingKey && rows[row + EXCHANGE] === calledNpaNxx;
  const isOther = (row: number, { calledKey, sourceKey, groupKey }: JoinKey): boolean => {
    if (rows[row + SOURCE] === sourceKey && sourceKey >= 0) return rows[row + GROUP] !== groupKey;
    const called = rows[row + CALLED] as number;
    return called >= 0 && calledKey >= 0 && called !== calledKey;
  };
  /** The table as it stands, by reference. */
  const state = () => ({ rows, entries, newest, last });
  return {
    /** Where the entry is the newest under this key already, nothing changes. */
    put: (key: JoinKey, entry: Entry) => {
      const bucket = bucketOf(key);
      const before = newest[bucket] as number;
      if (isThere(before) && entries[before & mask] === entry && isUnder((before & mask) * ROW, key)) return;
      last += 1;
      if (key.calledKey < 0) lastUncalled = last;
      used[bucket >>> 5] = (used[bucket >>> 5] as number) | (1 << (bucket & 31));
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
    /** The entry nearest in time, within so many milliseconds, of the newest under the key: {@link MAX_LOOKED_AT}, or `most` of them. */
    near: (
      key: JoinKey,
      { atMs, withinMs, fits }: JoinTime<Entry>,
      most: number = MAX_LOOKED_AT,
    ): Entry | undefined => {
      const bucket = bucketOf(key);
      if (((used[bucket >>> 5] as number) & (1 << (bucket & 31))) === 0) return undefined;
      let nearest: Entry | undefined;
      let looked = 0;
      for (let at = newest[bucket] as number; isThere(at) && looked < most; looked += 1) {
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
    /** Whether an entry without a called number may be there. */
    hasUncalled: () => isThere(lastUncalled),
    state,
    restore: (saved: ReturnType<typeof state>) => {
      takeOver(rows, saved.rows);
      takeOver(newest, saved.newest);
      ({ last } = saved);
      lastUncalled = last;
      used.fill(0xffff_ffff);
      for (const [place, entry] of saved.entries.entries()) entries[place] = entry;
    },
  };
}

/** Calls that came in lately, so that what is sent or read again is not counted again. */
export type SeenCalls = ReturnType<typeof createSeenCalls>;

/** Two generations of so many: two minutes at 2,000 calls a second, far more than a batch that is sent again is behind. */
const GENERATION = 262_144;
const PLACES = GENERATION * 2;

/** Makes the memory: 8 MB, whatever comes. Two of a million calls share their 52 bits by chance less often than once in a year. Never throws. */
export function createSeenCalls() {
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
  /** The memory as it stands, by reference. */
  const state = () => ({ young, old, used });
  return {
    /**
     * Notes a call; whether it was noted before.
     * @param kind - `record` or `report`
     * @param reporter - carrier or application, of which `id` is the id of the record or report
     */
    isRepeat: (kind: string, reporter: string, id: string) => {
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
    state,
    restore: (saved: ReturnType<typeof state>) => {
      takeOver(young, saved.young);
      takeOver(old, saved.old);
      ({ used } = saved);
    },
  };
}

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
export type NumberMemory = ReturnType<typeof createNumberMemory>;

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
export function createNumberMemory(limit: number) {
  const sets = Math.max(256, 2 ** Math.floor(Math.log2(limit / WAYS)));
  /** What a key has beside the set that it falls in; 0 also where nobody stands. */
  const marks = new Uint32Array(sets * WAYS);
  /** Seconds since the epoch, 0 where nobody stands. */
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
  /** The memory as it stands, by reference. */
  const state = () => ({ marks, heard, calls, againstCentres, againstDealings, since });
  return {
    /** Of the first call that was noted, seconds since the epoch; undefined before it. */
    sinceSeconds: (): number | undefined => since,
    state,
    restore: (saved: ReturnType<typeof state>) => {
      takeOver(marks, saved.marks);
      takeOver(heard, saved.heard);
      takeOver(calls, saved.calls);
      takeOver(againstCentres, saved.againstCentres);
      takeOver(againstDealings, saved.againstDealings);
      ({ since } = saved);
    },
    /**
     * Notes a call.
     * @param key - 52 bits of a hash of the number
     * @param gain - evidence of the call for or against its number
     */
    note: (key: number, atSeconds: number, gain: NumberGain): NumberSighting => {
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
    /** What is known of a number by now; undefined where it never called, or is forgotten. */
    find: (key: number): NumberSighting | undefined => {
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
