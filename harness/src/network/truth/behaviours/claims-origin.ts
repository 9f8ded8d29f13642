import type { BehaviourEffects } from './behaviour-effects.js';

/** Says that the call began with it; with which customer, it does not say. */
export function claimsOrigin(): BehaviourEffects {
  return { says: { kind: 'origin', caller: '' } };
}
