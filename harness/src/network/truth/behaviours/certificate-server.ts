import type { TrueFault } from '../truth.js';
import type { BehaviourEffects, BehaviourOf } from './behaviour-effects.js';

/**
 * Nobody gets the certificate from a dead server. From a slow one some get it, and have it from then on. From a hostile one comes anything, another
 * certificate too.
 */
export function certificateServer({ fault }: BehaviourOf<'certificate-server'>): BehaviourEffects {
  if (fault === 'slow') return { certificate: { faults: [], doubtful: ['certificate-not-fetched'] } };
  const doubtful: readonly TrueFault[] = fault === 'hostile' ? ['certificate-untrusted'] : [];
  return { certificate: { faults: ['certificate-not-fetched'], doubtful } };
}
