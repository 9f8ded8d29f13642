import type { CallFacts } from './suspicion.js';

/** How many different numbers were seen, within a few per cent, in a kilobyte: HyperLogLog of 1,024 registers. */
type DistinctNumbers = ReturnType<typeof createDistinctNumbers>;

const REGISTER_BITS = 10;
const REGISTERS = 2 ** REGISTER_BITS;
/** @see Flajolet et al., HyperLogLog (2007), figure 3 */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

/** 2^-n of every rank that 22 bits can have. */
const POWERS: readonly number[] = Array.from({ length: 33 - REGISTER_BITS + 1 }, (_, rank) => 2 ** -rank);

/** Starts a count: empty, or with the registers of an earlier one. Never throws. */
function createDistinctNumbers(saved?: Uint8Array) {
  const ranks = new Uint8Array(REGISTERS);
  // Kept as registers change, so that reading the count is no walk over them.
  let sum = REGISTERS;
  let empty = REGISTERS;
  if (saved !== undefined) {
    ranks.set(saved);
    sum = ranks.reduce((total, rank) => total + (POWERS[rank] ?? 0), 0);
    empty = ranks.reduce((count, rank) => count + (rank === 0 ? 1 : 0), 0);
  }
  return {
    /** Its registers, by reference. */
    ranks,
    /** @param hash - 32 evenly spread bits of the number */
    add: (hash: number) => {
      const register = hash >>> (32 - REGISTER_BITS);
      const rank = Math.clz32((hash << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))) + 1;
      const before = ranks[register] ?? 0;
      if (rank <= before) return;
      ranks[register] = rank;
      sum += (POWERS[rank] ?? 0) - (POWERS[before] ?? 0);
      if (before === 0) empty -= 1;
    },
    /** About how many different ones; exact to 3 % typically. The order in which they came makes no difference. */
    count: () => {
      const estimate = (ALPHA * REGISTERS * REGISTERS) / sum;
      // Few numbers: counting the registers that none has hit is nearer.
      return estimate <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : estimate;
    },
  };
}

/** Calls of one number, trunk or signer within half a window. */
export interface HalfCounts {
  /** Calls offered: those that were refused here do not count. */
  calls: number;
  answered: number;
  /** Answered calls of which the duration is known, and those of them that were short or a conversation. */
  timed: number;
  short: number;
  talked: number;
  /** Calls that came to nothing: unanswered or short. */
  poor: number;
  /** Calls that speak against themselves. */
  marked: number;
  /** Calls whose calling number has area code and exchange of the called one. */
  neighbours: number;
  /** Which of 128 places the called numbers fall on. */
  called0: number;
  called1: number;
  called2: number;
  called3: number;
  /** Different calling numbers, of a trunk or signer. */
  readonly callers: DistinctNumbers | undefined;
}

/** Calls within a window that moves on by halves: the half that runs and the one before. */
export interface CallCounts {
  /** Number of the half that runs, counted from the epoch. */
  half: number;
  now: HalfCounts;
  before: HalfCounts;
  /** Whether calling numbers are counted: of trunks and signers. */
  readonly isGroup: boolean;
}

/** What a call is counted as. */
export interface CallMarks {
  readonly isShort: boolean;
  readonly isConversation: boolean;
  readonly isMarked: boolean;
  readonly isNeighbour: boolean;
  /** 32 bits of the called number, 52 of the calling one. */
  readonly calledHash: number;
  readonly callingHash: number;
}

/** Starts counting in a half. Never throws. */
export function createCallCounts(half: number, isGroup: boolean): CallCounts {
  return { half, now: noCalls(isGroup), before: NO_CALLS, isGroup };
}

/**
 * Moves counts on to the half of a call. A call of the half before is counted there; one from longer ago means that time was set
 * back, and counting starts anew. Never throws.
 * @returns the half to count the call in
 */
export function rollTo(counts: CallCounts, half: number): HalfCounts {
  const ahead = half - counts.half;
  if (ahead === 0) return counts.now;
  if (ahead === -1) {
    if (counts.before === NO_CALLS) counts.before = noCalls(false);
    return counts.before;
  }
  counts.before = ahead === 1 ? counts.now : NO_CALLS;
  counts.now = noCalls(counts.isGroup);
  counts.half = half;
  return counts.now;
}

/** Counts packed into arrays, one place after another. */
export interface PackedCounts {
  /** Of each place the half, and where the called numbers fall in it and in the half before. */
  readonly words: Int32Array;
  /** Of each place whether there is a half before, and how many calls of each kind were in both. Of a calling number 16 bits each: no more than 65,535 calls are counted. */
  readonly tallies: Uint16Array | Int32Array;
}

/** Most calls of one calling number counted in half a window. Later ones are not counted, so that the shares stay right. */
export const MOST_CALLS = 0xffff;

const TALLIES = 8;
const PLACE_WORDS = 4;
const WORDS_OF_COUNTS = 1 + 2 * PLACE_WORDS;
const TALLIES_OF_COUNTS = 1 + 2 * TALLIES;

/** Packs counts into a place. Callers are kept apart. Never throws. */
function packInto(packed: PackedCounts, place: number, { half, now, before }: CallCounts): void {
  const word = place * WORDS_OF_COUNTS;
  const tally = place * TALLIES_OF_COUNTS;
  const hasBefore = before !== NO_CALLS;
  packed.words[word] = half;
  packed.tallies[tally] = hasBefore ? 1 : 0;
  packHalf(now, packed, word + 1, tally + 1);
  if (hasBefore) packHalf(before, packed, word + 1 + PLACE_WORDS, tally + 1 + TALLIES);
}

/** Makes counts be those that were packed. Never throws. */
export function unpackFrom(packed: PackedCounts, place: number, counts: CallCounts): void {
  const word = place * WORDS_OF_COUNTS;
  const tally = place * TALLIES_OF_COUNTS;
  counts.half = packed.words[word] as number;
  unpackHalf(counts.now, packed, word + 1, tally + 1);
  if (packed.tallies[tally] === 0) counts.before = NO_CALLS;
  else {
    if (counts.before === NO_CALLS) counts.before = noCalls(false);
    unpackHalf(counts.before, packed, word + 1 + PLACE_WORDS, tally + 1 + TALLIES);
  }
}

/** Counts of a trunk or signer packed alone. Never throws. */
export function packedCounts(counts: CallCounts): PackedCounts {
  const packed = { words: new Int32Array(WORDS_OF_COUNTS), tallies: new Int32Array(TALLIES_OF_COUNTS) };
  packInto(packed, 0, counts);
  return packed;
}

/** Makes counts begin anew in a half. Never throws. */
function beginCounts(counts: CallCounts, half: number): void {
  counts.half = half;
  unpackHalf(counts.now, NOTHING, 0, 0);
  counts.before = NO_CALLS;
}

const NOTHING: PackedCounts = { words: new Int32Array(PLACE_WORDS), tallies: new Uint16Array(TALLIES) };

// Written out, since it is run for every call.
function packHalf(half: HalfCounts, { words, tallies }: PackedCounts, word: number, tally: number): void {
  tallies[tally] = half.calls;
  tallies[tally + 1] = half.answered;
  tallies[tally + 2] = half.timed;
  tallies[tally + 3] = half.short;
  tallies[tally + 4] = half.talked;
  tallies[tally + 5] = half.poor;
  tallies[tally + 6] = half.marked;
  tallies[tally + 7] = half.neighbours;
  words[word] = half.called0;
  words[word + 1] = half.called1;
  words[word + 2] = half.called2;
  words[word + 3] = half.called3;
}

function unpackHalf(half: HalfCounts, { words, tallies }: PackedCounts, word: number, tally: number): void {
  half.calls = tallies[tally] as number;
  half.answered = tallies[tally + 1] as number;
  half.timed = tallies[tally + 2] as number;
  half.short = tallies[tally + 3] as number;
  half.talked = tallies[tally + 4] as number;
  half.poor = tallies[tally + 5] as number;
  half.marked = tallies[tally + 6] as number;
  half.neighbours = tallies[tally + 7] as number;
  half.called0 = words[word] as number;
  half.called1 = words[word + 1] as number;
  half.called2 = words[word + 2] as number;
  half.called3 = words[word + 3] as number;
}

/** Counts of a trunk or signer that were packed, with the registers of its callers. Never throws. */
export function unpackedGroupCounts(
  from: PackedCounts,
  callers: { readonly now: Uint8Array; readonly before: Uint8Array | undefined },
): CallCounts {
  const counts = createCallCounts(0, true);
  counts.now = callersOf(callers.now);
  if (from.tallies[0] === 1) counts.before = callersOf(callers.before);
  unpackFrom(from, 0, counts);
  return counts;
}

const callersOf = (ranks: Uint8Array | undefined): HalfCounts => ({
  ...noCalls(false),
  callers: ranks === undefined ? undefined : createDistinctNumbers(ranks),
});

/** Counts the first leg of a call that was not refused here. Never throws. */
export function countCall(half: HalfCounts, facts: CallFacts, marks: CallMarks): void {
  half.calls += 1;
  if (facts.isAnswered) half.answered += 1;
  if (!Number.isNaN(facts.seconds)) half.timed += 1;
  if (marks.isShort) half.short += 1;
  if (marks.isConversation) half.talked += 1;
  if (!facts.isAnswered || marks.isShort) half.poor += 1;
  if (marks.isMarked) half.marked += 1;
  if (marks.isNeighbour) half.neighbours += 1;
  if (facts.callingKey !== undefined) half.callers?.add(marks.callingHash >>> 0);
  if (facts.calledKey === undefined) return;
  const bit = 1 << (marks.calledHash & 31);
  const place = (marks.calledHash >>> 5) & 3;
  if (place === 0) half.called0 |= bit;
  else if (place === 1) half.called1 |= bit;
  else if (place === 2) half.called2 |= bit;
  else half.called3 |= bit;
}

/** A further leg of a call that was counted unanswered is answered. Never throws. */
export function countLateAnswer(half: HalfCounts, facts: CallFacts, marks: CallMarks): void {
  half.answered += 1;
  if (!Number.isNaN(facts.seconds)) half.timed += 1;
  if (marks.isShort) half.short += 1;
  else half.poor -= 1;
  if (marks.isConversation) half.talked += 1;
}

/** Calls over the window; so with the others. Never throws. */
export const callsOf = ({ now, before }: CallCounts): number => now.calls + before.calls;
export const answeredOf = ({ now, before }: CallCounts): number => now.answered + before.answered;
export const timedOf = ({ now, before }: CallCounts): number => now.timed + before.timed;
export const shortOf = ({ now, before }: CallCounts): number => now.short + before.short;
export const talkedOf = ({ now, before }: CallCounts): number => now.talked + before.talked;
export const markedOf = ({ now, before }: CallCounts): number => now.marked + before.marked;
export const neighboursOf = ({ now, before }: CallCounts): number => now.neighbours + before.neighbours;

/**
 * About how many different numbers were called: linear counting over 128 places, within a tenth for up to 200. At most
 * {@link MOST_DISTINCT_CALLED}. Never throws.
 * @see Whang et al., A Linear-Time Probabilistic Counting Algorithm (1990)
 */
export function distinctCalled({ now, before }: CallCounts): number {
  const used =
    ones(now.called0 | before.called0) +
    ones(now.called1 | before.called1) +
    ones(now.called2 | before.called2) +
    ones(now.called3 | before.called3);
  return used >= PLACES ? MOST_DISTINCT_CALLED : Math.round(-PLACES * Math.log(1 - used / PLACES));
}

const PLACES = 128;

/** What a full count stands for: 128 × ln 128. */
const MOST_DISTINCT_CALLED = 621;

function noCalls(isGroup: boolean): HalfCounts {
  return {
    calls: 0,
    answered: 0,
    timed: 0,
    short: 0,
    talked: 0,
    poor: 0,
    marked: 0,
    neighbours: 0,
    called0: 0,
    called1: 0,
    called2: 0,
    called3: 0,
    callers: isGroup ? createDistinctNumbers() : undefined,
  };
}

/** Stands for the half before until a call is counted in it: most numbers never have one. Frozen. */
const NO_CALLS: HalfCounts = Object.freeze(noCalls(false));

/** Bits set in a word. */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** What is remembered of a trunk or signer. */
export interface GroupMemory {
  /** Number of the group, for what is kept elsewhere. */
  readonly index: number;
  readonly counts: CallCounts;
  /** Calls by area code of the caller, neighbours of the called number left out, so that spoofed calls do not make a trunk local. */
  readonly areas: Uint16Array;
  /** Calls in `areas`. */
  areaCalls: number;
}

/** Area codes have three digits. */
const AREA_CODES = 1_000;
const MOST_COUNTED = 0xffff;

/** Starts the memory of a trunk or signer. Never throws. */
export function createGroupMemory(index: number, half: number): GroupMemory {
  return { index, counts: createCallCounts(half, true), areas: new Uint16Array(AREA_CODES), areaCalls: 0 };
}

/** Moves on to the half of a call; areas fade by half with every half window. Never throws. */
export function rollGroupTo(group: GroupMemory, half: number): HalfCounts {
  const isLater = half > group.counts.half;
  const counts = rollTo(group.counts, half);
  if (isLater) fade(group);
  return counts;
}

/** Counts the area of a caller who is no neighbour of whom it calls. Never throws. */
export function countArea(group: GroupMemory, callingNpaNxx: number): void {
  const area = Math.trunc(callingNpaNxx / 1_000);
  if ((group.areas[area] ?? 0) >= MOST_COUNTED) fade(group);
  group.areas[area] = (group.areas[area] ?? 0) + 1;
  group.areaCalls += 1;
}

/**
 * Which share of a trunk's callers is of an area.
 * @param least - as few calls as this are taken for as many: a trunk of which little is known is of no area
 */
export function areaShare({ areas, areaCalls }: GroupMemory, npaNxx: number, least: number): number {
  return (areas[Math.trunc(npaNxx / 1_000)] ?? 0) / Math.max(areaCalls, least);
}

function fade(group: GroupMemory): void {
  let sum = 0;
  for (let area = 0; area < AREA_CODES; area += 1) {
    const left = (group.areas[area] ?? 0) >>> 1;
    group.areas[area] = left;
    sum += left;
  }
  group.areaCalls = sum;
}

/** Counts by their places. */
export interface NumberCountsState {
  readonly keys: Float64Array;
  readonly turns: Float64Array;
  readonly counts: PackedCounts;
  readonly turn: number;
  readonly used: number;
}

/** Places where a number can stand; the one that was used longest ago goes. */
const WAYS = 8;

/**
 * Creates the counts of calling numbers, in one array: as objects, hundreds of thousands of numbers would take twice the memory and keep the
 * garbage collector busy. Never throws.
 * @param limit - numbers at most; rounded down to a power of two, 16 or more
 */
export function createNumberCounts(limit: number) {
  const sets = 2 ** Math.max(1, Math.floor(Math.log2(limit / WAYS)));
  const keys = new Float64Array(sets * WAYS).fill(-1);
  /** When the place was used last, in uses; 0 for empty places. */
  const turns = new Float64Array(sets * WAYS);
  const counts = {
    words: new Int32Array(sets * WAYS * WORDS_OF_COUNTS),
    tallies: new Uint16Array(sets * WAYS * TALLIES_OF_COUNTS),
  };
  const given = createCallCounts(0, false);
  let place = 0;
  let turn = 0;
  let used = 0;
  return {
    /**
     * The counts of a number, made where there are none, in an object that is used again for the next number: what is changed of it is kept by
     * `keep`.
     * @param key - 52 bits of a hash of the number
     * @param half - in which counting begins for a number that is new
     */
    at: (key: number, half: number): CallCounts => {
      turn += 1;
      const first = ((key >>> 0) & (sets - 1)) * WAYS;
      place = first;
      for (let slot = first; slot < first + WAYS; slot += 1) {
        if (keys[slot] === key) {
          turns[slot] = turn;
          place = slot;
          unpackFrom(counts, slot, given);
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
    /** Keeps what was changed of the counts that were given last. */
    keep: () => packInto(counts, place, given),
    size: () => used,
    /** The table as it stands, by reference: for a snapshot. */
    state: (): NumberCountsState => ({
      keys,
      turns,
      counts,
      turn,
      used,
    }),
    restore: (saved: NumberCountsState) => {
      keys.set(saved.keys);
      turns.set(saved.turns);
      counts.words.set(saved.counts.words);
      counts.tallies.set(saved.counts.tallies);
      ({ turn, used } = saved);
    },
  };
}
