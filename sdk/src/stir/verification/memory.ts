import { FULL_PATH_ALLOWANCE, searchPath } from '../certificates/build-path.js';
import type { Certificate } from '../certificates/certificate.js';
import type { PathAllowance } from '../certificates/build-path.js';
import type { CertificatePathResult, SignatureCost } from '../certificates/path.js';
import type { TrustStore } from '../certificates/trust-store.js';

/** How often a call has been seen by one verifier. */
export type Seen = ReturnType<ReplayMemory['observe']>;

/**
 * Remembers call keys for as long as their PASSporTs can be fresh. It consists of several generations. A generation is dropped whole, when
 * the window has passed since its last key or enough newer keys are there, so that no key costs a timer and memory stays bounded whatever
 * arrives. A service makes one of its own; pass one to share it between the services of one process. Never throws.
 * @see RFC 8224 section 12.1
 * @example
 * ```ts
 * const memory = new ReplayMemory({ windowMs: 660_000 });
 * memory.observe('call-key', 0);
 * console.log(memory.observe('call-key', 1000).count); // 2
 * ```
 */
export class ReplayMemory {
  readonly #windowMs: number;
  readonly #maxKeys: number;
  #young = openGeneration(Number.NEGATIVE_INFINITY);
  /** Newest first. */
  #closed: readonly ClosedGeneration[] = [];

  /** @param options - window and bound */
  constructor(options: {
    /** How long a key is remembered at least, milliseconds. */
    readonly windowMs: number;
    /**
     * The last so many calls are remembered at least, unless the window has passed since; half as many more at most. Default 400,000:
     * eleven minutes at 600 calls/s, two at 3,000; 75 MB at worst.
     */
    readonly maxKeys?: number;
  }) {
    const { windowMs, maxKeys = DEFAULT_MAX_KEYS } = options;
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
  }

  /** Counts a call key, as in {@link VerdictEvidence}, and says how often it has been counted. */
  observe(
    callKey: string,
    nowMs: number,
  ): {
    /** This time included. */
    readonly count: number;
    /** Milliseconds since the epoch. */
    readonly firstSeenMs: number;
  } {
    this.#age(nowMs);
    const young = this.#young;
    const before = seenIn(young, callKey) ?? seenInAny(this.#closed, callKey);
    const seen = { count: 1 + (before?.count ?? 0), firstSeenMs: before?.firstSeenMs ?? nowMs };
    young.firstSeen.set(callKey, seen.firstSeenMs - young.sinceMs);
    if (seen.count > 1) young.counts.set(callKey, seen.count);
    return seen;
  }

  /** Number of keys remembered. */
  size(): number {
    return this.#closed.reduce((keys, { firstSeen }) => keys + firstSeen.size, this.#young.firstSeen.size);
  }

  #age(nowMs: number): void {
    // Calls end in another order than they began: an instant before the last turn is not one to turn at.
    const isOver = nowMs - this.#young.sinceMs >= this.#windowMs / GENERATIONS;
    const generationKeys = Math.max(1, Math.ceil(this.#maxKeys / GENERATIONS));
    if (!isOver && this.#young.firstSeen.size < generationKeys) return;
    this.#closed = this.#stillNeeded([{ ...this.#young, closedAtMs: nowMs }, ...this.#closed], nowMs);
    this.#young = openGeneration(nowMs);
  }

  /** Drops generations whose last key is older than the window, and those behind as many newer keys as are to be remembered. */
  #stillNeeded(generations: readonly ClosedGeneration[], nowMs: number): readonly ClosedGeneration[] {
    let newerKeys = 0;
    return generations.filter(({ firstSeen, closedAtMs }) => {
      const isNeeded = newerKeys < this.#maxKeys && nowMs - closedAtMs < this.#windowMs && firstSeen.size > 0;
      newerKeys += firstSeen.size;
      return isNeeded;
    });
  }
}

const DEFAULT_MAX_KEYS = 400_000;

/** More of them waste less memory, and each costs one look-up a call. */
const GENERATIONS = 4;

/** Hardly any call comes twice: one number for most keys, and counts for the others only. */
interface Generation {
  readonly sinceMs: number;
  /** Milliseconds since `sinceMs`: small numbers, which take no memory of their own. */
  readonly firstSeen: Map<string, number>;
  readonly counts: Map<string, number>;
}

interface ClosedGeneration extends Generation {
  readonly closedAtMs: number;
}

const openGeneration = (sinceMs: number): Generation => ({ sinceMs, firstSeen: new Map(), counts: new Map() });

function seenInAny(generations: readonly Generation[], callKey: string): Seen | undefined {
  for (const generation of generations) {
    const seen = seenIn(generation, callKey);
    if (seen !== undefined) return seen;
  }
  return undefined;
}

function seenIn({ sinceMs, firstSeen, counts }: Generation, callKey: string): Seen | undefined {
  const sinceTurnMs = firstSeen.get(callKey);
  if (sinceTurnMs === undefined) return undefined;
  return { count: counts.get(callKey) ?? 1, firstSeenMs: sinceMs + sinceTurnMs };
}

/*
 * Costs are multiples of one signature check under P-256, which takes 0.085 ms, so that a thousand of them in a second are 8.5 % of one
 * event loop.
 */

/**
 * What the path searches of one call may cost in all, where what leads nowhere counts twice. Six chains that nobody has seen before, each
 * with three signatures under P-384, are within it, and a chain that is in order beside the worst of the others. Takes the event loop
 * for 12 ms where all are in order, for 6 ms where none is; what was not searched is searched with the next call.
 */
const CALL_SEARCH_COST = 140;

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
interface SearchGrant {
  readonly allowance: PathAllowance;
  /** Says what it came to. */
  readonly spend: (cost: SignatureCost, wasFruitful: boolean) => void;
}

/** What a search is granted for. */
interface SearchApplication {
  readonly call: CallSearches;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The chain has had a path before: it will hardly lead nowhere now, and its calls must not wait for strangers. */
  readonly isProven: boolean;
}

/**
 * Rations path searches, so that certificates which strangers publish do not take the event loop from all other calls. Only searches
 * without a result count beyond their call: a valid chain has its path found at once, even amid a flood of invalid ones.
 */
function createSearchAllowances() {
  const full = createBucket(FULL_SEARCHES);
  const thrifty = createBucket(THRIFTY_SEARCHES);
  return {
    /** Undefined if the call, or all calls together, have used up their searches. */
    grant({ call, nowMs, isProven }: SearchApplication): SearchGrant | undefined {
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

function createBucket({ capacity, perSecond }: BucketLimits) {
  let level = capacity;
  let atMs = 0;
  return {
    hasSome(nowMs: number): boolean {
      // A clock that was put back fills nothing, and goes on from there.
      level = Math.min(capacity, level + (Math.max(0, nowMs - atMs) / 1000) * perSecond);
      atMs = nowMs;
      return level > 0;
    },
    /** May take more than there is; that has to fill up first. */
    take(cost: number): void {
      level -= cost;
    },
  };
}

/**
 * How long a path result is believed before it is made anew: validity dates and CRLs run out while a certificate stays in the
 * cache, and a path costs several signature checks. A minute is what PASSporTs themselves are given.
 */
export const PATH_REEVALUATION_MS = 60_000;

/** To where, when and for whom a path is searched. */
interface ChainSearch {
  readonly trustStore: TrustStore;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** The searches of the same call. */
  readonly call: CallSearches;
}

/** Makes a path memory; it holds no chain that its repository has let go. */
export function createPathMemory(algorithms?: readonly ('ES256' | 'ES384')[]) {
  const known = new WeakMap<readonly Certificate[], Remembered>();
  const allowances = createSearchAllowances();
  return {
    /** The result for a chain where one is remembered that still counts. */
    remembered(
      chain: readonly Certificate[],
      trustStore: TrustStore,
      nowMs: number,
    ): CertificatePathResult | undefined {
      const remembered = known.get(chain);
      return remembered !== undefined && isCurrent(remembered, trustStore, nowMs) ? remembered.result : undefined;
    },
    /** Makes the result for a chain anew; undefined, and nothing remembered, where searches have cost too much already. */
    search(chain: readonly Certificate[], { trustStore, nowMs, call }: ChainSearch): CertificatePathResult | undefined {
      const isProven = known.get(chain)?.result.status === 'trusted';
      const grant = call.givenUp.has(chain) ? undefined : allowances.grant({ call, nowMs, isProven });
      if (grant === undefined) return undefined;
      const options = {
        trustAnchors: trustStore.anchors,
        intermediates: trustStore.intermediates,
        atMs: nowMs,
        revocation: (certificate: Certificate, issuer: Certificate) =>
          trustStore.revocation.lookup(certificate, issuer, nowMs),
        ...(algorithms === undefined ? undefined : { algorithms }),
      };
      const { result, cost } = searchPath(chain, options, 'passport', grant.allowance);
      grant.spend(cost, result?.status === 'trusted');
      if (result === undefined) call.givenUp.add(chain);
      else known.set(chain, { result, trustStore, evaluatedAtMs: nowMs });
      return result;
    },
  };
}

interface Remembered {
  readonly result: CertificatePathResult;
  readonly trustStore: TrustStore;
  readonly evaluatedAtMs: number;
}

function isCurrent(remembered: Remembered, trustStore: TrustStore, nowMs: number): boolean {
  const ageMs = nowMs - remembered.evaluatedAtMs;
  if (remembered.trustStore !== trustStore || ageMs < 0 || ageMs >= PATH_REEVALUATION_MS) return false;
  return remembered.result.status === 'untrusted' || nowMs <= remembered.result.path.validToMs;
}
