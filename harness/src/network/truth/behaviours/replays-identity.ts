import type { TrueIdentity } from '../truth.js';
import type { BehaviourEffects, Leg } from './behaviour-effects.js';

/** The Identity of the first call under it that had any, in place of that of this one. */
export function replaysIdentity(): BehaviourEffects {
  return {
    isReplaying: true,
    sends: (leg, hop) => {
      const kept = hop.keptIdentities();
      const [first] = kept;
      if (kept.length === 0) return leg;
      const { calling, called } = leg;
      const fitting = kept.filter((identity) => identity === undefined || isAbout(identity, leg));
      if (fitting.length === kept.length || fitting.length === 0) {
        return { calling, called, identity: first ?? leg.identity };
      }
      // It depends on which came first, so that what was sent may be about this call, or about another.
      return { calling, called, identity: (fitting[0] ?? leg.identity).map(perhapsOfAnother) };
    },
  };
}

function isAbout(identity: readonly TrueIdentity[], { calling, called }: Leg): boolean {
  return identity.every(({ orig, dest }) => orig === calling && dest === called);
}

function perhapsOfAnother(one: TrueIdentity): TrueIdentity {
  return { ...one, doubtful: [...one.doubtful, 'callee-differs'] };
}
