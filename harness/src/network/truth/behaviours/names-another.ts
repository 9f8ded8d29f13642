import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** Names a provider of the network that did not send it the call. */
export function namesAnother({
  provider,
  colludes = false,
  otherCall = false,
}: BehaviourOf<'names-another'>): BehaviourEffects {
  return {
    says: { kind: 'upstream', provider, ...(otherCall && { otherCall }) },
    ...(colludes && { colluder: provider }),
  };
}
