import type { BehaviourEffects } from './behaviour-effects.js';

/** The Identity of the first call that had any, in place of that of this one. */
export function replaysIdentity(): BehaviourEffects {
  return {
    sends: (leg, hop) => {
      const earlier = hop.earlierIdentity();
      return earlier === undefined ? leg : { calling: leg.calling, called: leg.called, identity: earlier };
    },
  };
}
