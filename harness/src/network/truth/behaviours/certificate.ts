import type { TrueFault } from '../truth.js';
import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/** Signatures under this certificate prove nothing; that of another's code proves something else. ATIS-1000080 */
export function certificate({ fault }: BehaviourOf<'certificate'>): BehaviourEffects {
  return { certificate: { faults: [FAULTS[fault]], doubtful: [] } };
}

const FAULTS = {
  expired: 'certificate-expired',
  revoked: 'certificate-revoked',
  'wrong-spc': 'certificate-wrong-spc',
  untrusted: 'certificate-untrusted',
} as const satisfies Record<BehaviourOf<'certificate'>['fault'], TrueFault>;
