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
  /** Upper bound of keys remembered. Default 400,000: two minutes at 3,000 calls/s, about 100 MB at worst. */
  readonly maxKeys?: number;
}

/**
 * Makes a replay memory of two generations: the older one is dropped whole when the window has passed or the younger one is
 * full, so that no key costs a timer and memory stays bounded whatever arrives. A service makes one of its own; hand in one to
 * share it between services, or one that asks a data base that several machines share. Never throws.
 * @param options - window and bound
 * @returns an empty memory
 * @see RFC 8224 section 12.1
 * @example
 * ```ts
 * const memory = createReplayMemory({ windowMs: 120_000 });
 * memory.observe('call-key', 0);
 * console.log(memory.observe('call-key', 1000).count); // 2
 * ```
 */
export function createReplayMemory(options: ReplayMemoryOptions): ReplayMemory {
  const generationKeys = Math.max(1, Math.floor((options.maxKeys ?? DEFAULT_MAX_KEYS) / 2));
  let young = new Map<string, Entry>();
  let old = new Map<string, Entry>();
  let youngSinceMs = Number.NEGATIVE_INFINITY;
  const age = (nowMs: number): void => {
    // Calls end in another order than they began: an instant before the last turn is none to turn at.
    const isOver = nowMs - youngSinceMs >= options.windowMs;
    if (!isOver && young.size < generationKeys) return;
    old = young;
    young = new Map();
    youngSinceMs = nowMs;
  };
  return {
    observe(callKey, nowMs) {
      age(nowMs);
      let entry = young.get(callKey);
      if (entry === undefined) {
        entry = (old.size === 0 ? undefined : old.get(callKey)) ?? { count: 0, firstSeenMs: nowMs };
        young.set(callKey, entry);
      }
      entry.count += 1;
      return { count: entry.count, firstSeenMs: entry.firstSeenMs };
    },
    size: () => young.size + old.size,
  };
}

const DEFAULT_MAX_KEYS = 400_000;

interface Entry {
  count: number;
  readonly firstSeenMs: number;
}
