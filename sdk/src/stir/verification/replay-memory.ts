/** How often a call has been seen by one verifier. */
export interface Seen {
  /** This time included. */
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstSeenMs: number;
}

/** Remembers call keys for as long as their PASSporTs can be fresh. Belongs to one verifier, never to the process. */
export interface ReplayMemory {
  /**
   * Counts a call key, as in {@link VerdictEvidence}, and says how often it has been counted. Should not throw; a verification
   * service goes on without the count where it does.
   */
  readonly observe: (callKey: string, nowMs: number) => Seen;
  /** Number of keys remembered. */
  readonly size: () => number;
}

/** Bounds of a {@link ReplayMemory}. */
export interface ReplayMemoryOptions {
  /** How long a key is remembered at least, milliseconds. */
  readonly windowMs: number;
  /**
   * The last so many calls are remembered at least, unless the window has passed since; half as many more at most. Default 400,000:
   * eleven minutes at 600 calls/s, two at 3,000; 75 MB at worst.
   */
  readonly maxKeys?: number;
}

/**
 * Makes a replay memory of several generations. A generation is dropped whole, when the window has passed since its last key or enough
 * newer keys are there, so that no key costs a timer and memory stays bounded whatever arrives. A service makes one of its own; pass one
 * to share it between the services of one process. Never throws.
 * @param options - window and bound
 * @returns an empty memory
 * @see RFC 8224 section 12.1
 * @example
 * ```ts
 * const memory = createReplayMemory({ windowMs: 660_000 });
 * memory.observe('call-key', 0);
 * console.log(memory.observe('call-key', 1000).count); // 2
 * ```
 */
export function createReplayMemory({ windowMs, maxKeys = DEFAULT_MAX_KEYS }: ReplayMemoryOptions): ReplayMemory {
  const generationKeys = Math.max(1, Math.ceil(maxKeys / GENERATIONS));
  let young = openGeneration(Number.NEGATIVE_INFINITY);
  /** Newest first. */
  let closed: readonly ClosedGeneration[] = [];
  const age = (nowMs: number): void => {
    // Calls end in another order than they began: an instant before the last turn is not one to turn at.
    const isOver = nowMs - young.sinceMs >= windowMs / GENERATIONS;
    if (!isOver && young.firstSeen.size < generationKeys) return;
    closed = stillNeeded([{ ...young, closedAtMs: nowMs }, ...closed], { nowMs, windowMs, maxKeys });
    young = openGeneration(nowMs);
  };
  return {
    observe(callKey, nowMs) {
      age(nowMs);
      const before = seenIn(young, callKey) ?? seenInAny(closed, callKey);
      const seen = { count: 1 + (before?.count ?? 0), firstSeenMs: before?.firstSeenMs ?? nowMs };
      young.firstSeen.set(callKey, seen.firstSeenMs - young.sinceMs);
      if (seen.count > 1) young.counts.set(callKey, seen.count);
      return seen;
    },
    size: () => closed.reduce((keys, { firstSeen }) => keys + firstSeen.size, young.firstSeen.size),
  };
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

/** Drops generations whose last key is older than the window, and those behind as many newer keys as are to be remembered. */
function stillNeeded(
  generations: readonly ClosedGeneration[],
  { nowMs, windowMs, maxKeys }: { readonly nowMs: number } & Required<ReplayMemoryOptions>,
): readonly ClosedGeneration[] {
  let newerKeys = 0;
  return generations.filter(({ firstSeen, closedAtMs }) => {
    const isNeeded = newerKeys < maxKeys && nowMs - closedAtMs < windowMs && firstSeen.size > 0;
    newerKeys += firstSeen.size;
    return isNeeded;
  });
}

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
