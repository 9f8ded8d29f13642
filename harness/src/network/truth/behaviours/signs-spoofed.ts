import type { BehaviourEffects } from './behaviour-effects.js';

/** Whatever it signs, it signs with full attestation. */
export function signsSpoofed(): BehaviourEffects {
  return { attestation: 'A' };
}
