import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** Another number is called; a div PASSporT says so where there is an Identity that it could belong to. RFC 8946 section 4 */
export function diverts({ to, withoutDiv = false }: BehaviourOf<'diverts'>): BehaviourEffects {
  return {
    sends: (leg, hop) => ({
      calling: leg.calling,
      called: to,
      identity:
        withoutDiv || !hop.isSigner || leg.identity.length === 0
          ? leg.identity
          : [...leg.identity, hop.divert(leg, to)],
    }),
  };
}
