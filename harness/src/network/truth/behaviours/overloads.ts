import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** What is more than it can carry gets 503; which calls these are depends on the instant. RFC 3261 section 21.5.4 */
export function overloads({ perSecond }: BehaviourOf<'overloads'>): BehaviourEffects {
  return { receives: (load) => (load() > perSecond ? { isCertain: false, status: [503] } : undefined) };
}
