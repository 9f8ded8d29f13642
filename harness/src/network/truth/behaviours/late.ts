import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** Says what is true, when the deadline may be over. */
export function late({ hours }: BehaviourOf<'late'>): BehaviourEffects {
  return { afterHours: hours };
}
