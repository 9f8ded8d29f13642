import type { CallFacts } from './call-facts.js';
import { createDistinctNumbers } from './distinct-numbers.js';
import type { DistinctNumbers } from './distinct-numbers.js';

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

/** Members of a half: all but the callers. */
const MEMBERS = 12;

/** Whole numbers that counts are packed into: the half, whether there is one before it, and the members of both. */
export const PACKED_COUNTS: number = 2 + 2 * MEMBERS;

/** Packs counts into a place. Callers are kept apart. Never throws. */
export function packCounts({ half, now, before }: CallCounts, into: Int32Array, at: number): void {
  const hasBefore = before !== NO_CALLS;
  into[at] = half;
  into[at + 1] = hasBefore ? 1 : 0;
  packHalf(now, into, at + 2);
  if (hasBefore) packHalf(before, into, at + 2 + MEMBERS);
}

/** Makes counts be those that were packed. Never throws. */
export function unpackInto(counts: CallCounts, from: Int32Array, at: number): void {
  counts.half = from[at] as number;
  unpackHalf(counts.now, from, at + 2);
  if (from[at + 1] === 0) counts.before = NO_CALLS;
  else {
    if (counts.before === NO_CALLS) counts.before = noCalls(false);
    unpackHalf(counts.before, from, at + 2 + MEMBERS);
  }
}

/** Makes counts begin anew in a half. Never throws. */
export function beginCounts(counts: CallCounts, half: number): void {
  counts.half = half;
  unpackHalf(counts.now, NOTHING, 0);
  counts.before = NO_CALLS;
}

const NOTHING = new Int32Array(MEMBERS);

// Written out, since it is run for every call.
function packHalf(half: HalfCounts, into: Int32Array, at: number): void {
  into[at] = half.calls;
  into[at + 1] = half.answered;
  into[at + 2] = half.timed;
  into[at + 3] = half.short;
  into[at + 4] = half.talked;
  into[at + 5] = half.poor;
  into[at + 6] = half.marked;
  into[at + 7] = half.neighbours;
  into[at + 8] = half.called0;
  into[at + 9] = half.called1;
  into[at + 10] = half.called2;
  into[at + 11] = half.called3;
}

function unpackHalf(half: HalfCounts, from: Int32Array, at: number): void {
  half.calls = from[at] as number;
  half.answered = from[at + 1] as number;
  half.timed = from[at + 2] as number;
  half.short = from[at + 3] as number;
  half.talked = from[at + 4] as number;
  half.poor = from[at + 5] as number;
  half.marked = from[at + 6] as number;
  half.neighbours = from[at + 7] as number;
  half.called0 = from[at + 8] as number;
  half.called1 = from[at + 9] as number;
  half.called2 = from[at + 10] as number;
  half.called3 = from[at + 11] as number;
}

/** Counts of a trunk or signer that were packed, with the registers of its callers. Never throws. */
export function unpackedGroupCounts(
  from: Int32Array,
  callers: { readonly now: Uint8Array; readonly before: Uint8Array | undefined },
): CallCounts {
  const counts = createCallCounts(0, true);
  counts.now = callersOf(callers.now);
  if (from[1] === 1) counts.before = callersOf(callers.before);
  unpackInto(counts, from, 0);
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
export function callsOf({ now, before }: CallCounts): number {
  return now.calls + before.calls;
}

export function answeredOf({ now, before }: CallCounts): number {
  return now.answered + before.answered;
}

export function timedOf({ now, before }: CallCounts): number {
  return now.timed + before.timed;
}

export function shortOf({ now, before }: CallCounts): number {
  return now.short + before.short;
}

export function talkedOf({ now, before }: CallCounts): number {
  return now.talked + before.talked;
}

export function markedOf({ now, before }: CallCounts): number {
  return now.marked + before.marked;
}

export function neighboursOf({ now, before }: CallCounts): number {
  return now.neighbours + before.neighbours;
}

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
export const MOST_DISTINCT_CALLED = 621;

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
