import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** Names somebody whom no registry has. */
export function namesNobody({ name }: BehaviourOf<'names-nobody'>): BehaviourEffects {
  return { says: { kind: 'unlisted', name } };
}
