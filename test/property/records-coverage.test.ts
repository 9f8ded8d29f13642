import * as fc from 'fast-check';
import { test } from 'vitest';
import type { CoverageInterval } from '../../sdk/src/contract/call-record.js';
import {
  coverageGaps,
  coverageWith,
  coverageWithin,
  coverageWithout,
} from '../../sdk/src/records/store/record-store.js';
import { forAll } from '../support/for-all.js';

/** Small times, so that stretches touch, overlap and swallow each other often. */
const LAST = 40;
const time = fc.integer({ min: 0, max: LAST });
const change = fc.record({ isAdded: fc.boolean(), one: time, other: time });
const changes = fc.array(change, { maxLength: 25 });

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** The same by a set of instants, which cannot be wrong about touching. */
function instants(list: readonly Change[]): Set<number> {
  const set = new Set<number>();
  for (const { isAdded, one, other } of list)
    for (let at = Math.min(one, other); at <= Math.max(one, other); at += 1)
      if (isAdded) set.add(at);
      else set.delete(at);
  return set;
}

function applied(list: readonly Change[]): readonly CoverageInterval[] {
  return list.reduce<readonly CoverageInterval[]>((intervals, { isAdded, one, other }) => {
    const interval = { sourceId: 'sbc-1', fromUs: Math.min(one, other), toUs: Math.max(one, other) };
    return isAdded ? coverageWith(intervals, interval) : coverageWithout(intervals, interval);
  }, []);
}

const holds = (intervals: readonly { fromUs: number; toUs: number }[], at: number): boolean =>
  intervals.some(({ fromUs, toUs }) => fromUs <= at && at <= toUs);

const everyInstant = (claim: (at: number) => boolean): boolean =>
  Array.from({ length: LAST + 1 }, (_, at) => at).every(claim);

test('covers exactly the instants that were added and not taken since', () => {
  forAll([changes], 5_000, (list) => {
    const intervals = applied(list);
    const expected = instants(list);
    return everyInstant((at) => holds(intervals, at) === expected.has(at));
  });
});

test('keeps stretches in order and never leaves two that touch', () => {
  forAll([changes], 5_000, (list) =>
    applied(list).every(({ fromUs, toUs }, index, all) => {
      const next = all[index + 1];
      return fromUs <= toUs && (next === undefined || next.fromUs > toUs + 1);
    }),
  );
});

test('a window falls into what is covered and what is a gap, without rest', () => {
  forAll([changes, time, time], 5_000, (list, one, other) => {
    const window = { fromUs: Math.min(one, other), toUs: Math.max(one, other) };
    const within = coverageWithin(applied(list), window);
    const gaps = coverageGaps(applied(list), window);
    return everyInstant((at) => {
      const isInside = window.fromUs <= at && at <= window.toUs;
      return Number(holds(within, at)) + Number(holds(gaps, at)) === Number(isInside);
    });
  });
});

test('what is empty neither adds nor takes', () => {
  forAll([changes, time], 100, (list, at) => {
    const intervals = applied(list);
    const nothing = { sourceId: 'sbc-1', fromUs: at + 1, toUs: at };
    return coverageWith(intervals, nothing) === intervals && coverageWithout(intervals, nothing) === intervals;
  });
});
