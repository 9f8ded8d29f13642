import type { BehaviourEffects } from './behaviour-effects.js';

/** A link that is not IP: neither what came nor what the provider signed survives. */
export function stripsIdentity(): BehaviourEffects {
  return { sends: ({ calling, called }) => ({ calling, called, identity: [] }) };
}
