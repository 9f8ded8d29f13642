import { createSeededRandom } from '../../faults/index.js';
import type { Behaviour } from '../../scenario/index.js';

/** Which call it is about, and when. */
export interface UnderContext {
  /** Of the plan. */
  readonly seed: number;
  /** Id of the provider, as the scenario has it. */
  readonly providerId: string;
  /** Index of the call in the plan. */
  readonly callIndex: number;
  /** When the call is placed by the plan, milliseconds from the beginning of the run: at all hops the same, however late the INVITE is there. */
  readonly atMs: number;
}

/**
 * Whether a behaviour holds for a call: the call is placed within its window, and is one of the part that the seed draws. Whoever carries the plan out
 * and whoever tells its truth ask this one function, so that both come to the same. Each provider and kind has draws of its own.
 * @param behaviour - `fromSeconds` is within the window, `untilSeconds` no more
 * @param context - the call
 * @returns true where the behaviour holds; never throws for a plan that was read
 * @example
 * ```ts
 * isUnder({ kind: 'downgrades', to: 'B', fromSeconds: 10 }, { seed: 1, providerId: 'birch', callIndex: 7, atMs: 9_000 }); // false
 * ```
 */
export function isUnder(behaviour: Behaviour, { seed, providerId, callIndex, atMs }: UnderContext): boolean {
  const { fromSeconds = 0, untilSeconds = Infinity, share = 1 } = behaviour;
  if (atMs < fromSeconds * 1_000 || atMs >= untilSeconds * 1_000) return false;
  if (share >= 1) return true;
  return createSeededRandom(seed, `under/${providerId}/${behaviour.kind}/${String(callIndex)}`).chance(share);
}
