import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** What came is thrown away; what goes on is signed by this provider, for the numbers that the call has now. */
export function downgrades({ to }: BehaviourOf<'downgrades'>): BehaviourEffects {
  return {
    sends: (leg, hop) => ({
      calling: leg.calling,
      called: leg.called,
      identity: [hop.sign(leg, hop.provider, to)],
    }),
  };
}
