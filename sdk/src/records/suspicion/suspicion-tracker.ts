import type { CallRecord, SharedRecord } from '../../contract/call-record.js';
import {
  MOST_CALLS,
  countArea,
  countCall,
  countLateAnswer,
  createCallCounts,
  createGroupMemory,
  createNumberCounts,
  packedCounts,
  rollGroupTo,
  rollTo,
  unpackFrom,
  unpackedGroupCounts,
} from './call-counts.js';
import type { CallMarks, GroupMemory, HalfCounts } from './call-counts.js';
import { findSignals, readCalling } from './signals.js';
import { DEFAULT_SUSPICION_POLICY, HALF_HOUR_US, checkSuspicionPolicy, rampStrength } from './suspicion-policy.js';
import type { CallingReading, SuspicionPolicy, SuspicionTrackerOptions } from './suspicion-policy.js';
import { callFacts } from './suspicion.js';
import type { CallFacts, JudgedRecord, Suspicion, SuspicionSignal } from './suspicion.js';

/** A table that never holds more than its limit, and forgets what has not been asked for the longest. */
type BoundedTable<Entry> = ReturnType<typeof createBoundedTable<Entry>>;

/** A table by its places. */
interface BoundedTableState<Entry> {
  readonly keys: Float64Array;
  readonly turns: Float64Array;
  readonly entries: readonly (Entry | undefined)[];
  readonly turn: number;
  readonly used: number;
}

/** Places where an entry can stand: eight keys are one line of a processor's cache. */
const WAYS = 8;

/**
 * Makes a table of sets of eight places. A full set forgets the entry that was used longest ago, so that whoever calls most stays.
 * Nothing is moved or rebuilt as entries come and go, as in a map that lives long and leaves its garbage standing. Never throws.
 * @param limit - entries at most; rounded down to a power of two, 16 or more
 */
function createBoundedTable<Entry>(limit: number, make: () => Entry) {
  const sets = 2 ** Math.max(1, Math.floor(Math.log2(limit / WAYS)));
  const keys = new Float64Array(sets * WAYS).fill(-1);
  /** When the place was used last, in uses; 0 for empty places. */
  const turns = new Float64Array(sets * WAYS);
  const entries: (Entry | undefined)[] = [];
  let turn = 0;
  let used = 0;
  return {
    /**
     * Finds or creates the entry of a key, and marks it as used just now.
     * @param key - 52 bits of the hash that identifies the entry
     */
    at: (key: number): Entry => {
      turn += 1;
      const first = ((key >>> 0) & (sets - 1)) * WAYS;
      let chosen = first;
      for (let slot = first; slot < first + WAYS; slot += 1) {
        if (keys[slot] === key) {
          const known = entries[slot];
          if (known === undefined) break;
          turns[slot] = turn;
          return known;
        }
        if ((turns[slot] as number) < (turns[chosen] as number)) chosen = slot;
      }
      if (keys[chosen] === -1) used += 1;
      const entry = make();
      keys[chosen] = key;
      turns[chosen] = turn;
      entries[chosen] = entry;
      return entry;
    },
    /** Entries held. */
    size: () => used,
    /** The table as it stands, by reference: for a snapshot. */
    state: (): BoundedTableState<Entry> => ({
      keys,
      turns,
      entries,
      turn,
      used,
    }),
    /** Takes a saved state over. `entries` are by place; places that are left out are empty. */
    restore: (saved: BoundedTableState<Entry>) => {
      keys.set(saved.keys);
      turns.set(saved.turns);
      for (const [place, entry] of saved.entries.entries()) entries[place] = entry;
      ({ turn, used } = saved);
    },
  };
}

/**
 * 32 bits of a text, evenly spread: FNV-1a, then the finishing steps of MurmurHash3. For counting; an adversary can make two texts
 * collide. Never throws.
 */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return finish(hash);
}

function finish(word: number): number {
  let hash = word;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 32 bits of a whole number up to 2^53. Never throws. */
function hashNumber(value: number): number {
  const high = Math.trunc(value / 0x1_0000_0000);
  return finish((value >>> 0) ^ Math.imul(high, 0x9e37_79b1));
}

/** 52 bits of a text: two sums over it, so that hardly any two of a million texts share them. Never throws. */
function hashText52(text: string): number {
  let first = 0x811c_9dc5;
  let second = 0x9e37_79b1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    first = Math.imul(first ^ code, 0x0100_0193);
    second = Math.imul(second ^ code, 0x85eb_ca6b);
  }
  return (finish(first ^ (second >>> 15)) >>> 12) * 0x1_0000_0000 + finish(second ^ (first >>> 13));
}

/** What was known of a call before one of its legs came. */
type LegsBefore = 'none' | 'unanswered' | 'answered';

/** Places where a call, or a block of numbers, can stand; the one noted longest ago goes. With four, chance pushes one out only when the table is well filled. */
const PLACES = 4;

/**
 * Makes the memory: four places for every remainder of a hash, nothing that a garbage collector would have to look at. Never throws.
 * @param limit - calls known at most, rounded up to a power of two
 */
function createRecentCalls(limit: number) {
  const sets = 2 ** Math.max(2, Math.ceil(Math.log2(limit / PLACES)));
  const keys = new Float64Array(sets * PLACES).fill(-1);
  /** When the place was noted last, in legs; negative where the call was answered. */
  const turns = new Float64Array(sets * PLACES);
  let turn = 0;
  let used = 0;
  return {
    /**
     * Notes a leg.
     * @param call - what the legs of the call have in common
     */
    note: (call: string, isAnswered: boolean): LegsBefore => {
      turn += 1;
      const key = hashText52(call);
      const first = ((key >>> 0) & (sets - 1)) * PLACES;
      let chosen = first;
      for (let slot = first; slot < first + PLACES; slot += 1) {
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
    /** Calls known. */
    size: () => used,
    /** The memory as it stands, by reference: for a snapshot. */
    state: (): SuspicionTrackerState['calls'] => ({ keys, turns, turn, used }),
    restore: (saved: SuspicionTrackerState['calls']) => {
      keys.set(saved.keys);
      turns.set(saved.turns);
      ({ turn, used } = saved);
    },
  };
}

/** How rows are found, and how much is remembered for it. */
interface DiallingRowOptions {
  /** Blocks of eight numbers remembered, rounded up to a power of two. */
  readonly limit: number;
  /** How far neighbours are apart at most. */
  readonly step: number;
  /** How long after one another neighbours are called at most, microseconds. */
  readonly gapUs: number;
  /** How many numbers of a row are counted to either side; a longer row is no surer. */
  readonly longest: number;
}

/** Groups that can be told apart: group and number share the 53 bits of a whole number. */
const MAX_DIALLING_GROUP = 800_000;

/**
 * How closely numbers and times of a row go together at least, 0 to 1. A dialler leaves 0.9 and more, also where several lines share the
 * work; numbers that are called at random come to it in few of a hundred rows.
 */
const LEAST_ORDER = 0.8;
/** Faster than a number in so many microseconds nobody is called by chance, and whole seconds tell no order. */
const ONE_BURST_US = 1_000_000;

const NATIONAL_NUMBERS = 10_000_000_000;
/** Numbers side by side are kept together, so that most neighbours are found where the number itself is. */
const BLOCK = 8;

/**
 * Finds rows of called numbers: 0101, 0102, 0104 and so on, one after the other, upward or downward. Neighbours that are called at random,
 * as those of a hospital are, are not a row. Keeps only when each number was called last, so that calls may come in any order. A full
 * place forgets the block of numbers that was called longest ago. Never throws.
 */
function createDiallingRows({ limit, step, gapUs, longest }: DiallingRowOptions) {
  const sets = 2 ** Math.max(2, Math.ceil(Math.log2(limit / PLACES)));
  const blocks = new Float64Array(sets * PLACES).fill(-1);
  /** When any number of the block was called last. */
  const blockTimesUs = new Float64Array(sets * PLACES).fill(Number.NEGATIVE_INFINITY);
  const timesUs = new Float64Array(sets * PLACES * BLOCK).fill(Number.NaN);

  const find = (block: number): number => {
    const first = (hashNumber(block) & (sets - 1)) * PLACES;
    for (let slot = first; slot < first + PLACES; slot += 1) if (blocks[slot] === block) return slot;
    return -1;
  };
  const remember = (block: number, place: number, atUs: number): number => {
    let slot = find(block);
    if (slot < 0) {
      const first = (hashNumber(block) & (sets - 1)) * PLACES;
      slot = first;
      for (let other = first; other < first + PLACES; other += 1) {
        if ((blockTimesUs[other] as number) < (blockTimesUs[slot] as number)) slot = other;
      }
      blocks[slot] = block;
      blockTimesUs[slot] = atUs;
      timesUs.fill(Number.NaN, slot * BLOCK, slot * BLOCK + BLOCK);
    }
    const seenUs = timesUs[slot * BLOCK + place] as number;
    timesUs[slot * BLOCK + place] = Number.isNaN(seenUs) ? atUs : Math.max(seenUs, atUs);
    blockTimesUs[slot] = Math.max(blockTimesUs[slot] as number, atUs);
    return slot;
  };
  /** Adds the numbers of the row to one side of a number, whose block stands in `slot`. */
  const walk = (from: number, direction: 1 | -1, start: RowStart, order: RowOrder): void => {
    let at = from;
    let seenUs = start.atUs;
    let block = Math.floor(from / BLOCK);
    let slot = start.slot;
    let found = 0;
    for (let distance = 1; distance <= step && found < longest; distance += 1) {
      const neighbour = at + direction * distance;
      const its = Math.floor(neighbour / BLOCK);
      if (its !== block) {
        block = its;
        slot = find(its);
      }
      if (slot < 0) continue;
      const neighbourUs = timesUs[slot * BLOCK + neighbour - its * BLOCK] as number;
      // Not a number where it was never called, of which no comparison holds.
      if (!(Math.abs(seenUs - neighbourUs) <= gapUs)) continue;
      at = neighbour;
      seenUs = neighbourUs;
      found += 1;
      distance = 0;
      addTo(order, at - from, seenUs - start.atUs);
    }
  };

  return {
    /**
     * Notes a call and counts the different numbers of its row, itself included; 1 without neighbours, or if they were called in no order.
     * @param group - whole number of the trunk, from 0 to {@link MAX_DIALLING_GROUP}
     * @param called - national number below 10^10
     */
    note: (group: number, called: number, atUs: number) => {
      const key = group * NATIONAL_NUMBERS + called;
      const block = Math.floor(key / BLOCK);
      const start = { slot: remember(block, key - block * BLOCK, atUs), atUs };
      const order = { count: 0, numbers: 0, times: 0, squares: 0, timeSquares: 0, products: 0, firstUs: 0, lastUs: 0 };
      addTo(order, 0, 0);
      walk(key, -1, start, order);
      walk(key, 1, start, order);
      return isOrdered(order) ? order.count : 1;
    },
    /** The memory as it stands, by reference: for a snapshot. */
    state: (): SuspicionTrackerState['rows'] => ({ blocks, blockTimesUs, timesUs }),
    restore: (saved: SuspicionTrackerState['rows']) => {
      blocks.set(saved.blocks);
      blockTimesUs.set(saved.blockTimesUs);
      timesUs.set(saved.timesUs);
    },
  };
}

interface RowStart {
  readonly slot: number;
  readonly atUs: number;
}

/** Sums over the numbers of a row, of which their correlation with the times is made. */
interface RowOrder {
  count: number;
  numbers: number;
  times: number;
  squares: number;
  timeSquares: number;
  products: number;
  firstUs: number;
  lastUs: number;
}

/** Adds a number and its time, both as distances from where the row was entered. */
function addTo(order: RowOrder, distance: number, laterUs: number): void {
  const seconds = laterUs / 1_000_000;
  order.count += 1;
  order.numbers += distance;
  order.times += seconds;
  order.squares += distance * distance;
  order.timeSquares += seconds * seconds;
  order.products += distance * seconds;
  order.firstUs = Math.min(order.firstUs, laterUs);
  order.lastUs = Math.max(order.lastUs, laterUs);
}

function isOrdered(order: RowOrder): boolean {
  const { count, numbers, times, squares, timeSquares, products } = order;
  if (order.lastUs - order.firstUs <= count * ONE_BURST_US) return true;
  const spread = (count * squares - numbers * numbers) * (count * timeSquares - times * times);
  const together = count * products - numbers * times;
  return together * together >= LEAST_ORDER * LEAST_ORDER * spread;
}

/**
 * What a tracker has learned, as plain values: numbers, typed arrays and lists of them. Large typed arrays are the tracker's own, so that
 * nothing is copied: write the state out before the next call is judged.
 */
export interface SuspicionTrackerState {
  readonly half: number;
  readonly groupsMade: number;
  /** Recent calls by their places. */
  readonly calls: {
    readonly keys: Float64Array;
    readonly turns: Float64Array;
    readonly turn: number;
    readonly used: number;
  };
  /** Calling numbers by their places. */
  readonly numbers: SuspicionTrackerState['calls'] & { readonly counts: SuspicionTrackerState['signed'] };
  /** Trunks, packed in the order of their places. */
  readonly trunks: SuspicionTrackerState['calls'] & {
    readonly packed: Iterable<{
      readonly place: number;
      readonly index: number;
      readonly counts: SuspicionTrackerState['signed'];
      readonly callersNow: Uint8Array;
      readonly callersBefore: Uint8Array | undefined;
      readonly areas: Uint16Array;
      readonly areaCalls: number;
    }>;
  };
  readonly signers: SuspicionTrackerState['trunks'];
  readonly signed: { readonly words: Int32Array; readonly tallies: Uint16Array | Int32Array };
  /** Blocks of called numbers by their places. */
  readonly rows: {
    readonly blocks: Float64Array;
    readonly blockTimesUs: Float64Array;
    readonly timesUs: Float64Array;
  };
}

/** Packs trunks or signers, one at a time. */
function savedGroups(table: BoundedTable<GroupMemory>): SuspicionTrackerState['trunks'] {
  const { entries, ...rest } = table.state();
  return { ...rest, packed: packedGroups(entries) };
}

function* packedGroups(entries: BoundedTableState<GroupMemory>['entries']) {
  for (const [place, group] of entries.entries()) {
    if (group === undefined) continue;
    const { index, counts, areas, areaCalls } = group;
    yield {
      place,
      index,
      areas,
      areaCalls,
      counts: packedCounts(counts),
      callersNow: ranksOf(counts.now) ?? new Uint8Array(0),
      callersBefore: ranksOf(counts.before),
    };
  }
}

const ranksOf = ({ callers }: HalfCounts): Uint8Array | undefined => callers?.ranks;

/** Takes packed trunks or signers over. */
function restoreGroups(table: BoundedTable<GroupMemory>, saved: SuspicionTrackerState['trunks']): void {
  const entries: (GroupMemory | undefined)[] = [];
  for (const { place, index, counts, callersNow, callersBefore, areas, areaCalls } of saved.packed) {
    const callers = { now: callersNow, before: callersBefore };
    entries[place] = { index, areas, areaCalls, counts: unpackedGroupCounts(counts, callers) };
  }
  table.restore({ ...saved, entries });
}

/**
 * Judges calls by what was seen of others before them. The same records in the same order are always judged alike. Keeps bounded memory,
 * which can be saved and taken up by another; has no clock and no dice of its own.
 * @see 47 CFR 64.1200(k) for what may be blocked on such grounds
 * @example
 * ```ts
 * const tracker = new SuspicionTracker({ doNotOriginate: new Set(['12025550199']) });
 * console.log(tracker.memory().numbers); // 0
 * ```
 */
export class SuspicionTracker {
  readonly #memory: ReturnType<typeof emptyMemory>;

  /**
   * Starts with nothing seen yet.
   * @param options - policy and the lists that the carrier has
   * @throws {@link HopbackError} `invalid-configuration` when the policy is out of its bounds
   */
  constructor(options: SuspicionTrackerOptions = {}) {
    this.#memory = emptyMemory(options);
  }

  /**
   * Takes a record into account and judges it. Records come roughly in the order of their time; those of the same time may come in
   * any order. Further legs of a call are judged, but counted once. Never throws for what a record holds.
   * @param record - as written, or as a carrier has shared it
   * @param reporter - whose record it is, where one tracker judges the records of several carriers: trunks and pseudonyms of
   * different carriers have nothing in common. Default none
   */
  judge(record: CallRecord | SharedRecord, reporter = ''): Suspicion {
    const { policy, lists, halfUs, now, numbers, trunks, signers, calls, rows, signed } = this.#memory;
    const facts = callFacts(record);
    const half = (now.half = Math.floor(facts.atUs / halfUs));
    const calling = readCalling(record, policy, lists);
    const marks = marksOf(facts, { record, calling, policy });
    const number =
      facts.callingKey === undefined
        ? undefined
        : numbers.at(
            facts.isCallingVeiled ? hashText52(ofReporter(reporter, facts.callingKey)) : marks.callingHash,
            half,
          );
    const trunk =
      facts.trunk === undefined
        ? undefined
        : trunks.at(hashText52(ofReporter(reporter, populationOf(facts.trunk, facts))));
    const signer = facts.signer === undefined ? undefined : signers.at(hashText52(populationOf(facts.signer, facts)));
    // Nobody else could have answered a leg that was refused here.
    const legs = facts.isOffered ? calls.note(ofReporter(reporter, record.callGroupId), facts.isAnswered) : 'answered';
    const halves: HalfCounts[] = [];
    const ofNumber = number === undefined ? undefined : rollTo(number, half);
    if (ofNumber !== undefined && Math.max(ofNumber.calls, ofNumber.answered) < MOST_CALLS) halves.push(ofNumber);
    if (trunk !== undefined) halves.push(rollGroupTo(trunk, half));
    if (signer !== undefined) halves.push(rollGroupTo(signer, half), rollTo(signed, half));
    if (legs === 'none') {
      for (const counts of halves) countCall(counts, facts, marks);
      if (trunk !== undefined && facts.callingNpaNxx >= 0 && !marks.isNeighbour) {
        countArea(trunk, facts.callingNpaNxx);
      }
    } else if (facts.isAnswered && legs === 'unanswered') {
      for (const counts of halves) countLateAnswer(counts, facts, marks);
    }
    const row =
      trunk === undefined || facts.calledNational < 0 ? 0 : rows.note(trunk.index, facts.calledNational, facts.atUs);
    const sinceUs = Math.max(0, (half - 1) * halfUs);
    const { signals, notJudged } = findSignals({
      policy,
      lists,
      record,
      facts,
      calling,
      number,
      trunk,
      signer,
      signed,
      row,
      sinceUs,
    });
    if (number !== undefined) numbers.keep();
    const score = scoreOf(signals, policy);
    return {
      score,
      level: levelOf(score, policy),
      policyId: policy.id,
      signals,
      notJudged,
    };
  }

  /** How much it remembers; `calls` are those of which further legs are recognised. */
  memory(): { readonly numbers: number; readonly trunks: number; readonly signers: number; readonly calls: number } {
    const { numbers, trunks, signers, calls } = this.#memory;
    return { numbers: numbers.size(), trunks: trunks.size(), signers: signers.size(), calls: calls.size() };
  }

  /**
   * What it has learned, to be written out before the next call is judged: large arrays are not copied. It holds hashes of numbers, and no
   * number.
   */
  state(): SuspicionTrackerState {
    const { now, numbers, trunks, signers, calls, rows, signed } = this.#memory;
    return {
      ...now,
      numbers: numbers.state(),
      trunks: savedGroups(trunks),
      signers: savedGroups(signers),
      signed: packedCounts(signed),
      calls: calls.state(),
      rows: rows.state(),
    };
  }

  /**
   * Goes on where another tracker was, before it has judged anything.
   * @param saved - state of a tracker of the same release with the same policy
   * @throws RangeError where the tables are larger than those of its policy
   */
  restore(saved: SuspicionTrackerState): void {
    const { now, numbers, trunks, signers, calls, rows, signed } = this.#memory;
    now.half = saved.half;
    now.groupsMade = saved.groupsMade;
    numbers.restore(saved.numbers);
    restoreGroups(trunks, saved.trunks);
    restoreGroups(signers, saved.signers);
    unpackFrom(saved.signed, 0, signed);
    calls.restore(saved.calls);
    rows.restore(saved.rows);
  }
}

function emptyMemory(options: SuspicionTrackerOptions) {
  const policy = structuredClone(options.policy ?? DEFAULT_SUSPICION_POLICY);
  checkSuspicionPolicy(policy);
  const { limits } = policy;
  const rows = createDiallingRows({
    limit: limits.rows,
    step: policy.sequentialDialling.step,
    gapUs: policy.sequentialDialling.gapSeconds * 1_000_000,
    longest: Math.min(MAX_ROW, Math.ceil(policy.sequentialDialling.full)),
  });
  const now = { half: 0, groupsMade: 0 };
  const makeGroup = (): GroupMemory => {
    now.groupsMade = (now.groupsMade + 1) % MAX_DIALLING_GROUP;
    return createGroupMemory(now.groupsMade, now.half);
  };
  return {
    policy,
    lists: options,
    halfUs: policy.windowHours * HALF_HOUR_US,
    now,
    rows,
    numbers: createNumberCounts(limits.numbers),
    trunks: createBoundedTable<GroupMemory>(limits.trunks, makeGroup),
    signers: createBoundedTable<GroupMemory>(limits.signers, makeGroup),
    calls: createRecentCalls(limits.calls),
    signed: createCallCounts(0, false),
  };
}

/** A longer row is no surer, and every number of it is walked over at every call. */
const MAX_ROW = 64;

/**
 * Domestic and other numbers on one trunk, or with one signer, are two populations: who calls home from abroad is not to be taken for
 * who shows a domestic number there.
 */
function populationOf(group: string, { callingNpaNxx }: CallFacts): string {
  return callingNpaNxx < 0 ? `${group}\tabroad` : group;
}

function ofReporter(reporter: string, name: string): string {
  return reporter === '' ? name : `${reporter}\n${name}`;
}

function marksOf(
  facts: CallFacts,
  by: {
    readonly record: JudgedRecord;
    readonly calling: CallingReading;
    readonly policy: SuspicionPolicy;
  },
): CallMarks {
  const { record, calling, policy } = by;
  const isShort = facts.seconds < policy.shortCallSeconds;
  const seen = record.received?.evidence?.seenCount ?? 0;
  const isReplayed = rampStrength(seen, policy.replayedPassport) > 0;
  return {
    isShort,
    isConversation: facts.seconds >= policy.conversationSeconds,
    isMarked: isShort || isReplayed || calling.isOnList || calling.finding !== undefined,
    isNeighbour: facts.callingNpaNxx >= 0 && facts.callingNpaNxx === facts.calledNpaNxx,
    calledHash: facts.calledKey === undefined ? 0 : hashText(facts.calledKey),
    callingHash: facts.callingKey === undefined ? 0 : hashText52(facts.callingKey),
  };
}

/** Independent doubts: what remains of trust is what remains after each. */
function scoreOf(signals: readonly SuspicionSignal[], { weights }: SuspicionPolicy): number {
  let trust = 1;
  for (const { name, strength } of signals) trust *= 1 - weights[name] * strength;
  return 1 - trust;
}

function levelOf(score: number, { levels }: SuspicionPolicy): Suspicion['level'] {
  if (score >= levels.suspicious) return 'suspicious';
  return score >= levels.watch ? 'watch' : 'none';
}
