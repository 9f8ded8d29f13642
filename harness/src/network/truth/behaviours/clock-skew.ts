import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** Times that it writes, those of signatures too, are so many seconds late. */
export function clockSkew({ seconds }: BehaviourOf<'clock-skew'>): BehaviourEffects {
  return { clockSeconds: seconds };
}
