import type { NetworkTruth } from '../network/truth/index.js';
import type { SeenRecords } from '../oracle/index.js';

/** Counts the records that the calls of a plan leave behind: one for each call at each hop that writes it down, in branches too. */
export function countRecords({ plan, carried }: NetworkTruth): readonly SeenRecords[] {
  const stored = new Map<string, number>(plan.providers.map(({ id }) => [id, 0]));
  for (const call of plan.calls)
    for (const { provider, record } of carried(call).hops)
      if (record !== 'none') stored.set(provider, (stored.get(provider) ?? 0) + 1);
  return plan.providers.map(({ id, shares }) => {
    const count = stored.get(id) ?? 0;
    // Which calls are suspicious is for those to say who look at them.
    const streamed = shares === 'all' || shares === 'all-pseudonymous' ? count : 0;
    return { provider: id, stored: count, streamed, received: streamed };
  });
}
