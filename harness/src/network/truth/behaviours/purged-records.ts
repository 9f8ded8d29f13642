import type { BehaviourEffects } from './behaviour-effects.js';

/** It was written down, and is gone when somebody asks. */
export function purgedRecords(): BehaviourEffects {
  return { record: 'gone' };
}
