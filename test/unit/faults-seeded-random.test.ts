import { expect, test } from 'vitest';
import {
  SeededRandom,
  MAX_INT_BELOW,
  fnv1a64,
  seedWords,
  splitMix64,
  xoshiro128StarStar,
} from '../../harness/src/faults/seeded-random.js';

const DRAWS = 100_000;

const drawn = <Value>(count: number, draw: () => Value): Value[] => Array.from({ length: count }, draw);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pearson's: 0 for sequences that have nothing to do with each other, within about 3 / √n. */
function correlation(one: readonly number[], other: readonly number[]): number {
  const [meanOne, meanOther] = [mean(one), mean(other)];
  const covariance = mean(one.map((value, index) => (value - meanOne) * (other[index]! - meanOther)));
  const spread = (values: readonly number[], middle: number): number =>
    Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
  return covariance / (spread(one, meanOne) * spread(other, meanOther));
}

test('gives the words that the authors of xoshiro128** publish for the state 1, 2, 3, 4', () => {
  expect(drawn(10, xoshiro128StarStar([1, 2, 3, 4]))).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

test('gives the words that are published of SplitMix64 for the seed 1234567', () => {
  expect(drawn(5, splitMix64(1_234_567n))).toEqual([
    6457827717110365317n,
    3203168211198807973n,
    9817491932198370423n,
    4593380528125082431n,
    16408922859458223821n,
  ]);
});

test('hashes as the reference vectors of FNV-1a do', () => {
  expect(['', 'a', 'foobar'].map(fnv1a64)).toEqual([0xcbf29ce484222325n, 0xaf63dc4c8601ec8cn, 0x85944171f73967e8n]);
});

test('fills the state of a seed with its first two words of SplitMix64, the low half first', () => {
  expect(seedWords(0, '')).toEqual([0x7b1dcdaf, 0xe220a839, 0xa1b965f4, 0x6e789e6a]);
});

test('gives the same numbers for the same seed and others for the next one', () => {
  const numbers = (seed: number): readonly number[] => drawn(100, new SeededRandom(seed).next);
  expect(numbers(7)).toEqual(numbers(7));
  expect(numbers(8)).not.toEqual(numbers(7));
  expect(
    Math.abs(correlation(drawn(DRAWS, new SeededRandom(7).next), drawn(DRAWS, new SeededRandom(8).next))),
  ).toBeLessThan(0.01);
});

test('spreads evenly over 0 up to, not including, 1', () => {
  const numbers = drawn(DRAWS, new SeededRandom(1).next);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(mean(numbers)).toBeCloseTo(0.5, 2);
  expect(mean(numbers.map((number) => (number - 0.5) ** 2))).toBeCloseTo(1 / 12, 3);
  expect(Math.abs(correlation(numbers.slice(0, -1), numbers.slice(1)))).toBeLessThan(0.01);
});

test('draws every whole number below a bound equally often', () => {
  const random = new SeededRandom(2);
  const counts = Array.from({ length: 10 }, () => 0);
  for (const number of drawn(DRAWS, () => random.int(10))) counts[number]! += 1;
  const expected = DRAWS / 10;
  // 27.9 is what chi-square with 9 degrees of freedom exceeds once in a thousand times.
  expect(counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)).toBeLessThan(27.9);
  expect(random.int(1)).toBe(0);
  expect(random.int(MAX_INT_BELOW)).toBeLessThan(MAX_INT_BELOW);
});

test('picks every item, and says yes as often as its rate says', () => {
  const random = new SeededRandom(3);
  expect(new Set(drawn(100, () => random.pick(['honest', 'lying', 'silent'])))).toEqual(
    new Set(['honest', 'lying', 'silent']),
  );
  expect(drawn(DRAWS, () => random.chance(0.03)).filter(Boolean).length / DRAWS).toBeCloseTo(0.03, 2);
  expect(drawn(1_000, () => random.chance(0)).includes(true)).toBe(false);
  expect(drawn(1_000, () => random.chance(1)).includes(false)).toBe(false);
});

test('waits exponentially: the mean that was asked for, and longer than it in 1 of e cases', () => {
  const random = new SeededRandom(4);
  const waits = drawn(DRAWS, () => random.exponential(180));
  expect(Math.min(...waits.slice(0, 10_000))).toBeGreaterThanOrEqual(0);
  expect(Math.abs(mean(waits) - 180)).toBeLessThan(3);
  expect(waits.filter((wait) => wait > 180).length / DRAWS).toBeCloseTo(1 / Math.E, 2);
  expect(random.exponential(0)).toBe(0);
});

test('takes one number for each question, whatever the question', () => {
  const asked = new SeededRandom(5);
  asked.int(3);
  asked.chance(0.5);
  asked.pick([1, 2]);
  asked.exponential(10);
  const plain = new SeededRandom(5);
  drawn(4, plain.next);
  expect(asked.next()).toBe(plain.next());
});

test('forks by name alone: numbers taken before do not change a fork, and forks have nothing to do with each other', () => {
  const fresh = new SeededRandom(6);
  const used = new SeededRandom(6);
  drawn(10, used.next);
  expect(drawn(10, used.fork('carrier-1').next)).toEqual(drawn(10, fresh.fork('carrier-1').next));
  const one = drawn(DRAWS, fresh.fork('carrier-1').next);
  const other = drawn(DRAWS, fresh.fork('carrier-2').next);
  expect(Math.abs(correlation(one, other))).toBeLessThan(0.01);
  expect(fresh.fork('a').fork('b').next()).toBe(fresh.fork('a').fork('b').next());
  expect(fresh.fork('a').fork('b').next()).not.toBe(fresh.fork('b').fork('a').next());
});

test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses %s as a seed', (seed) => {
  expect(() => new SeededRandom(seed)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('refuses questions that have no answer', () => {
  const random = new SeededRandom(0);
  const questions = [
    () => random.int(0),
    () => random.int(1.5),
    () => random.int(MAX_INT_BELOW + 1),
    () => random.chance(1.1),
    () => random.chance(Number.NaN),
    () => random.pick([]),
    () => random.exponential(-1),
    () => random.exponential(Number.POSITIVE_INFINITY),
  ];
  for (const question of questions) {
    expect(question).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  }
});
