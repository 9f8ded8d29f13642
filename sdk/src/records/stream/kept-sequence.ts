import type { DurableValues } from '../durable-values.js';

/** Under which the stream keeps how far the receiver has acknowledged. */
export const ACKNOWLEDGED_KEY = 'stream.acknowledged';
/** Under which it keeps how far dead letters have been dealt with. */
export const DEAD_LETTERS_KEY = 'stream.dead-letters';

/**
 * Reads a sequence number that was kept. Never throws for what is kept: what cannot be read counts as lost, and a lost one only makes
 * the stream repeat itself.
 * @param values - where it is kept
 * @param key - its name
 * @returns 0 or more; 0 where there is none
 * @see {@link ACKNOWLEDGED_KEY}
 * @example
 * ```ts
 * const values = { get: () => '17', set: async () => {} };
 * console.log(keptSequence(values, ACKNOWLEDGED_KEY)); // 17
 * ```
 */
export function keptSequence(values: DurableValues, key: string): number {
  return knownSequence(values, key) ?? 0;
}

/** As {@link keptSequence}, undefined where there is none. */
export function knownSequence(values: DurableValues, key: string): number | undefined {
  const text = values.get(key);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
