import type { BehaviourEffects } from './behaviour-effects.js';

/** Nothing is answered: who sent the call gives up by timer B, or learns from its transport that nobody is there. RFC 3261 section 17.1.1.2 */
export function crashes(): BehaviourEffects {
  return { receives: () => ({ isCertain: true, status: [408, 480, 500, 502, 503, 504] }), record: 'none' };
}
