import type { BehaviourEffects } from './behaviour-effects.js';

/** What was signed is not what is read any longer. The numbers stay. */
export function altersIdentity(): BehaviourEffects {
  return {
    sends: ({ identity, ...leg }) => ({
      ...leg,
      identity: identity.map((one) =>
        one.ppt === 'shaken' ? { ...one, attestation: 'A', faults: [...one.faults, 'signature-false'] } : one,
      ),
    }),
  };
}
