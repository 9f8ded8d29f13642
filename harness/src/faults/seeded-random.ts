import { HopbackError } from '@hopback/sdk/errors';

/** Bound of `int`: up to 2^32 the 2^53 numbers that it is made of favour no result by more than 1 in 2^21. */
export const MAX_INT_BELOW: number = 2 ** 32;

/**
 * Numbers that look random and are the same for the same seed, so that what went wrong once can be made to happen again: xoshiro128** 1.1, its
 * state filled by SplitMix64. Every method but `fork` takes exactly one number out of the sequence, and throws {@link HopbackError}
 * `invalid-argument` for an argument out of its bounds. For test traffic and faults; never for keys, tags or anything that must not be guessed.
 * @see Blackman and Vigna, Scrambled Linear Pseudorandom Number Generators, https://prng.di.unimi.it
 * @example
 * ```ts
 * const random = new SeededRandom(1);
 * const again = new SeededRandom(1);
 * console.log(random.int(6) === again.int(6), random.pick(['honest'])); // true honest
 * ```
 */
export class SeededRandom {
  readonly #seed: number;
  readonly #stream: string;
  readonly #word: () => number;

  /**
   * @param seed - whole number from 0 to `Number.MAX_SAFE_INTEGER`
   * @param stream - name of an independent sequence of the same seed, as `fork` makes them; default the empty one
   * @throws {@link HopbackError} `invalid-argument` when the seed is no such number
   */
  constructor(seed: number, stream: string = '') {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new HopbackError('invalid-argument', `a seed must be a whole number of 0 or more, not ${seed}`);
    }
    this.#seed = seed;
    this.#stream = stream;
    this.#word = xoshiro128StarStar(seedWords(seed, stream));
  }

  /** The next number from 0 up to, not including, 1, of 2^53 equally likely ones. */
  readonly next = (): number => {
    // The 53 bits of a double: 27 of one word and 26 of the next.
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  };

  /** The next whole number from 0 up to, not including, `below`, which is 1 to 2^32. */
  readonly int = (below: number): number => {
    if (Number.isInteger(below) && below >= 1 && below <= MAX_INT_BELOW) return Math.floor(this.next() * below);
    throw new HopbackError('invalid-argument', `a whole number below ${below} cannot be drawn`);
  };

  /** True with this probability, 0 to 1. */
  chance(rate: number): boolean {
    if (rate >= 0 && rate <= 1) return this.next() < rate;
    throw new HopbackError('invalid-argument', `a probability must be 0 to 1, not ${rate}`);
  }

  /** One of `items`, all equally likely; there has to be one. */
  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new HopbackError('invalid-argument', 'there is nothing to pick from');
    return items[this.int(items.length)] as Item;
  }

  /** A waiting time of a Poisson process: 0 or more, `mean` on average. `mean` is 0 or more and finite. */
  exponential(mean: number): number {
    // 1 - next() is never 0, of which there is no logarithm; 0 - … keeps a mean of 0 from giving -0.
    if (mean >= 0 && Number.isFinite(mean)) return 0 - mean * Math.log(1 - this.next());
    throw new HopbackError('invalid-argument', `a mean must be 0 or more and finite, not ${mean}`);
  }

  /**
   * Numbers of their own for a part of the whole. They depend on the seed and the names alone, never on how many numbers were
   * taken before, so that a change in one part leaves the others as they were.
   */
  fork(stream: string): SeededRandom {
    return new SeededRandom(this.#seed, `${this.#stream}/${stream}`);
  }
}

/** Four words of 32 bits. */
export type Words = readonly [number, number, number, number];

const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** The state that xoshiro128** starts from. The empty stream is the seed itself, as published. */
export function seedWords(seed: number, stream: string): Words {
  const word = splitMix64(BigInt(seed) ^ (stream === '' ? 0n : fnv1a64(stream)));
  const [first, second] = [word(), word()];
  return [low(first), high(first), low(second), high(second)];
}

const low = (word: bigint): number => Number(word & 0xffff_ffffn);
const high = (word: bigint): number => Number(word >> 32n);

/** SplitMix64, which the authors of xoshiro recommend for seeding: near seeds give states that are far apart. */
export function splitMix64(seed: bigint): () => bigint {
  let state = seed & MASK_64;
  return () => {
    state = (state + 0x9e37_79b9_7f4a_7c15n) & MASK_64;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & MASK_64;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn) & MASK_64;
    return mixed ^ (mixed >> 31n);
  };
}

/** FNV-1a of the UTF-8 bytes: where the sequence of a named stream starts. */
export function fnv1a64(text: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x100_0000_01b3n) & MASK_64;
  return hash;
}

/** xoshiro128** 1.1: words of 32 bits, period 2^128 - 1. The state must not be all zeros, which SplitMix64 never makes it. */
export function xoshiro128StarStar(state: Words): () => number {
  let [a, b, c, d] = state;
  return () => {
    const word = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return word;
  };
}

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
