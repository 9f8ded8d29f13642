import type { BehaviourEffects } from './behaviour-effects.js';

/** Says nothing. */
export function silent(): BehaviourEffects {
  return { says: { kind: 'silent' } };
}
