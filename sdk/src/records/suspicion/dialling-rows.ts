import { hashNumber } from './text-hash.js';

/**
 * Finds rows of called numbers: 0101, 0102, 0104, … one after the other, upward or downward, in whatever order their records come. Numbers
 * side by side that are called at random, as those of a hospital or call centre are within any two minutes, are no row.
 */
export interface DiallingRows {
  /**
   * Notes a call and says how many different numbers the row has that it belongs to, itself included; 1 where it has no neighbour, or
   * where its neighbours were called in no order.
   * @param group - whole number of the trunk, from 0 to {@link MAX_DIALLING_GROUP}
   * @param called - national number as a whole number below 10^10
   * @param atUs - when, microseconds since the epoch
   */
  readonly note: (group: number, called: number, atUs: number) => number;
  /** The memory as it stands, by reference: for a snapshot. */
  readonly state: () => DiallingRowsState;
  readonly restore: (saved: DiallingRowsState) => void;
}

/** Blocks of called numbers by their places. */
export interface DiallingRowsState {
  readonly blocks: Float64Array;
  readonly blockTimesUs: Float64Array;
  readonly timesUs: Float64Array;
}

/** How rows are found, and how much is remembered for it. */
export interface DiallingRowOptions {
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
export const MAX_DIALLING_GROUP = 800_000;

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
/** Places where a block can stand. With four, one is pushed out by chance only when the table is well filled. */
const WAYS = 4;

/**
 * Makes the memory for rows: when each number was called last, and nothing else, so that calls at the same time may come in any
 * order. A full place forgets the block of numbers that was called longest ago. Never throws.
 */
export function createDiallingRows({ limit, step, gapUs, longest }: DiallingRowOptions): DiallingRows {
  const sets = 2 ** Math.max(2, Math.ceil(Math.log2(limit / WAYS)));
  const blocks = new Float64Array(sets * WAYS).fill(-1);
  /** When any number of the block was called last. */
  const blockTimesUs = new Float64Array(sets * WAYS).fill(Number.NEGATIVE_INFINITY);
  const timesUs = new Float64Array(sets * WAYS * BLOCK).fill(Number.NaN);

  const find = (block: number): number => {
    const first = (hashNumber(block) & (sets - 1)) * WAYS;
    for (let slot = first; slot < first + WAYS; slot += 1) if (blocks[slot] === block) return slot;
    return -1;
  };
  const remember = (block: number, place: number, atUs: number): number => {
    let slot = find(block);
    if (slot < 0) {
      const first = (hashNumber(block) & (sets - 1)) * WAYS;
      slot = first;
      for (let other = first; other < first + WAYS; other += 1) {
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
    note: (group, called, atUs) => {
      const key = group * NATIONAL_NUMBERS + called;
      const block = Math.floor(key / BLOCK);
      const start = { slot: remember(block, key - block * BLOCK, atUs), atUs };
      const order = { count: 0, numbers: 0, times: 0, squares: 0, timeSquares: 0, products: 0, firstUs: 0, lastUs: 0 };
      addTo(order, 0, 0);
      walk(key, -1, start, order);
      walk(key, 1, start, order);
      return isOrdered(order) ? order.count : 1;
    },
    state: () => ({ blocks, blockTimesUs, timesUs }),
    restore: (saved) => {
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
