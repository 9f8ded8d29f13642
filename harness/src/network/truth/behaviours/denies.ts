import type { BehaviourEffects } from './behaviour-effects.js';

/** Says that there was no such call. */
export function denies(): BehaviourEffects {
  return { says: { kind: 'not-found' } };
}
