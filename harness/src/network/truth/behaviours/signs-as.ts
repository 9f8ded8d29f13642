import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** What came is thrown away; what goes on is signed by this provider with the key and certificate of another. */
export function signsAs({ provider, attestation }: BehaviourOf<'signs-as'>): BehaviourEffects {
  return {
    sends: (leg, hop) => ({
      calling: leg.calling,
      called: leg.called,
      identity: [hop.sign(leg, provider, attestation)],
    }),
  };
}
