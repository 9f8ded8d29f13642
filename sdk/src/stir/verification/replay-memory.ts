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
  /** How long a key is remembered at least, unless memory runs short, milliseconds. */
  readonly windowMs: number;
  /** Upper bound of keys remembered. Default 400,000: eleven minutes at 600 calls/s, two at 3,000; about 100 MB at worst. */
  readonly maxKeys?: number;
}

/**
 * Makes a replay memory of two generations: the older one is dropped whole when the window has passed or the younger one is
 * full, so that no key costs a timer and memory stays bounded whatever arrives. A service makes one of its own; hand in one to
 * share it between the services of one process. Never throws.
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
export function createReplayMemory(options: ReplayMemoryOptions): ReplayMemory {
  const generationKeys = Math.max(1, Math.floor((options.maxKeys ?? DEFAULT_MAX_KEYS) / 2));
  let young = openGeneration(Number.NEGATIVE_INFINITY);
  let old = young;
  const age = (nowMs: number): void => {
    // Calls end in another order than they began: an instant before the last turn is none to turn at.
    const isOver = nowMs - young.sinceMs >= options.windowMs;
    if (!isOver && young.firstSeen.size < generationKeys) return;
    old = young;
    young = openGeneration(nowMs);
  };
  return {
    observe(callKey, nowMs) {
      age(nowMs);
      const before = seenIn(young, callKey) ?? (old.firstSeen.size === 0 ? undefined : seenIn(old, callKey));
      const seen = { count: 1 + (before?.count ?? 0), firstSeenMs: before?.firstSeenMs ?? nowMs };
      young.firstSeen.set(callKey, seen.firstSeenMs - young.sinceMs);
      if (seen.count > 1) young.counts.set(callKey, seen.count);
      return seen;
    },
    size: () => (old === young ? 0 : old.firstSeen.size) + young.firstSeen.size,
  };
}

const DEFAULT_MAX_KEYS = 400_000;

/** Hardly any call comes twice: one number for most keys, and counts for the others only. */
interface Generation {
  readonly sinceMs: number;
  /** Milliseconds since `sinceMs`: small numbers, which take no memory of their own. */
  readonly firstSeen: Map<string, number>;
  readonly counts: Map<string, number>;
}

const openGeneration = (sinceMs: number): Generation => ({ sinceMs, firstSeen: new Map(), counts: new Map() });

function seenIn({ sinceMs, firstSeen, counts }: Generation, callKey: string): Seen | undefined {
  const sinceTurnMs = firstSeen.get(callKey);
  if (sinceTurnMs === undefined) return undefined;
  return { count: counts.get(callKey) ?? 1, firstSeenMs: sinceMs + sinceTurnMs };
}
