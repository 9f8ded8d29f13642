import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** Will not say, and says why. */
export function refuses({ reason }: BehaviourOf<'refuses'>): BehaviourEffects {
  return { says: { kind: 'refused', reason } };
}
