import type { BehaviourEffects } from './behaviour-effects.js';

/** The call is carried, and nothing is written down. */
export function recordGap(): BehaviourEffects {
  return { record: 'none' };
}
