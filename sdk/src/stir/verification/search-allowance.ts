import type { Certificate } from '../certificates/certificate.js';
import { FULL_PATH_ALLOWANCE } from '../certificates/path-budget.js';
import type { PathAllowance } from '../certificates/path-budget.js';
import type { SignatureCost } from '../certificates/path-checks.js';

/*
 * Costs are multiples of one signature check under P-256, which takes 0.085 ms, so that a thousand of them in a second are 8.5 % of one
 * event loop.
 */

/**
 * What the path searches of one call may cost in all, where what leads nowhere counts twice. Six chains that nobody has seen before, each
 * with three signatures under P-384, are within it, and a chain that is in order beside the worst of the others. Takes the event loop
 * for 12 ms where all are in order, for 6 ms where none is; what was not searched is searched with the next call.
 */
export const CALL_SEARCH_COST = 140;

/** Of that, what searches that lead nowhere may cost before further ones in the call are made thriftily: as much as to explain one. */
const CALL_FRUITLESS_COST = 8;

/** A store of cost that fills up with time. */
interface BucketLimits {
  readonly capacity: number;
  readonly perSecond: number;
}

/**
 * For searches that go on after a signature that does not hold, and explain themselves: 2.5 % of the event loop, and two of the worst in one
 * turn of it, since the last one may overdraw.
 */
const FULL_SEARCHES: BucketLimits = { capacity: 28, perSecond: 300 };

/**
 * For the searches that are made when there is nothing left for full ones: 10 % of the event loop. They end with the first signature that
 * does not hold, which is 0.085 ms or, where an anchor is under P-384, 0.7 ms, so that 600 or 150 chains that lead nowhere have
 * their turn in a second.
 */
const THRIFTY_SEARCHES: BucketLimits = { capacity: 28, perSecond: 1200 };

/** A chain whose key identifiers are in order needs no signature that does not hold. */
const THRIFTY: Pick<PathAllowance, 'invalidCost' | 'explanationCost'> = { invalidCost: 1, explanationCost: 0 };

/** What a search that leads nowhere costs beside its signatures: to sort a few hundred anchors by name. */
const FRUITLESS_SEARCH_COST = 1;

/** What the searches of one call have cost so far, what led nowhere counted twice. */
export interface CallSearches {
  cost: number;
  /** Of what led nowhere, counted once. */
  fruitless: number;
  /** Chains that could not be searched to an end. */
  readonly givenUp: Set<readonly Certificate[]>;
}

/** Starts with nothing spent. */
export function startCallSearches(): CallSearches {
  return { cost: 0, fruitless: 0, givenUp: new Set() };
}

/** Leave for one search. */
export interface SearchGrant {
  readonly allowance: PathAllowance;
  /** Says what it came to. */
  readonly spend: (cost: SignatureCost, wasFruitful: boolean) => void;
}

/** What a search is granted for. */
export interface SearchApplication {
  readonly call: CallSearches;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The chain has had a path before: it will hardly lead nowhere now, and its calls must not wait for strangers. */
  readonly isProven: boolean;
}

/** Grants path searches: what strangers publish must not take the event loop from everybody else. */
export interface SearchAllowances {
  /** Undefined when there is nothing left, for the call or for now. */
  readonly grant: (application: SearchApplication) => SearchGrant | undefined;
}

/**
 * Makes the allowances of one service. Only what leads nowhere is charged beyond the call, so that a chain which is in order has its
 * path found at once also in the middle of a flood of others that are not.
 */
export function createSearchAllowances(): SearchAllowances {
  const full = createBucket(FULL_SEARCHES);
  const thrifty = createBucket(THRIFTY_SEARCHES);
  return {
    grant({ call, nowMs, isProven }) {
      const left = CALL_SEARCH_COST - call.cost;
      if (left <= 0) return undefined;
      const isFull = isProven || (call.fruitless < CALL_FRUITLESS_COST && full.hasSome(nowMs));
      if (!isFull && !thrifty.hasSome(nowMs)) return undefined;
      const bucket = isFull ? full : thrifty;
      return {
        allowance: isFull ? within(left, FULL_PATH_ALLOWANCE) : within(left, { ...FULL_PATH_ALLOWANCE, ...THRIFTY }),
        spend({ all, invalid }, wasFruitful) {
          const fruitless = wasFruitful ? invalid : all + FRUITLESS_SEARCH_COST;
          call.cost += wasFruitful ? all + invalid : 2 * fruitless;
          call.fruitless += fruitless;
          bucket.take(fruitless);
        },
      };
    },
  };
}

function within(left: number, allowance: PathAllowance): PathAllowance {
  const { signatureCost, invalidCost, explanationCost } = allowance;
  return {
    signatureCost: Math.min(signatureCost, left),
    invalidCost: Math.min(invalidCost, left),
    explanationCost: Math.min(explanationCost, left),
  };
}

interface Bucket {
  readonly hasSome: (nowMs: number) => boolean;
  /** May take more than there is; that has to fill up first. */
  readonly take: (cost: number) => void;
}

function createBucket({ capacity, perSecond }: BucketLimits): Bucket {
  let level = capacity;
  let atMs = 0;
  return {
    hasSome(nowMs) {
      // A clock that was put back fills nothing, and goes on from there.
      level = Math.min(capacity, level + (Math.max(0, nowMs - atMs) / 1000) * perSecond);
      atMs = nowMs;
      return level > 0;
    },
    take(cost) {
      level -= cost;
    },
  };
}
