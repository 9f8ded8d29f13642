import type { BehaviourEffects } from './behaviour-effects.js';

/** Each branch carries the same numbers and the same Identity: one way of them is the way of the plan. RFC 8224 section 12.1 */
export function forks(): BehaviourEffects {
  return { isForked: true };
}
