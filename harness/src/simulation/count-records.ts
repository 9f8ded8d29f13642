import type { NetworkTruth } from '../network/truth/index.js';
import { createSureSuspicion } from '../oracle/index.js';
import type { SeenRecords } from '../oracle/index.js';

/**
 * Counts the records that the calls of a plan leave behind: one for each call at each hop that writes it down, in branches too. Of those who share what is
 * suspicious only what is so by itself is counted as sent: what a call is among others is for those to say who look at them.
 */
export function countRecords({ plan, carried }: NetworkTruth): readonly SeenRecords[] {
  const counts = new Map(plan.providers.map(({ id }) => [id, { stored: 0, suspicious: 0 }]));
  const sharing = plan.scenario.platform === undefined ? [] : plan.providers;
  const suspecting = new Set(sharing.filter(({ shares }) => shares === 'suspicious').map(({ id }) => id));
  const isSuspicious = createSureSuspicion();
  for (const call of plan.calls)
    for (const hop of carried(call).hops) {
      const count = counts.get(hop.provider);
      if (count === undefined || hop.record === 'none') continue;
      count.stored += 1;
      if (suspecting.has(hop.provider) && isSuspicious(hop)) count.suspicious += 1;
    }
  return plan.providers.map(({ id, shares }) => {
    const { stored = 0, suspicious = 0 } = counts.get(id) ?? {};
    const streamed = shares === 'all' || shares === 'all-pseudonymous' ? stored : suspicious;
    return { provider: id, stored, streamed, received: streamed };
  });
}
