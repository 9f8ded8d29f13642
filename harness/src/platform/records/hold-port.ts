import { hash } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import type { HoldPort, LegalHold } from '../core/index.js';
import type { LiveHoldOrder, LiveHolds } from './live-holds.js';

/** A stretch of time that has more records than one hold may have is divided down to this: a second of the full rate has some thousands. */
const SHORTEST_MS = 1_000;
const BY = { organizationId: 'platform', actor: 'platform' } as const;

/**
 * Keeps live data that demands reach, by their times and providers.
 * A hold whose scope was changed is placed anew before the former one ends.
 */
export function createHoldPort(holds: LiveHolds): HoldPort {
  return {
    place: async (hold) => {
      const orders = ordersOf(hold);
      for (const order of orders) await placed(holds, order);
      const own = orders.map(({ holdId }) => holdId);
      for (const former of await holds.ofMatter(hold.holdId))
        if (!own.some((id) => former.startsWith(id)))
          await holds.release(former, { ...BY, reason: 'the scope of the demand was changed' });
    },
    release: async (holdId) => {
      for (const one of await holds.ofMatter(holdId)) await holds.release(one, { ...BY, reason: 'the demand is over' });
    },
  };
}

function ordersOf({ holdId, scope, organizationId }: LegalHold): readonly LiveHoldOrder[] {
  const wanted: readonly string[] = ['call-records', 'app-reports', 'recordings', 'traceback-records'];
  if (!scope.recordClasses.some((one) => wanted.includes(one))) return [];
  const { from, to, providerIds } = scope;
  const content = { from, to, providerIds: providerIds ?? null };
  return [
    {
      holdId: `${holdId}/${hash('sha256', JSON.stringify(content), 'hex').slice(0, 12)}`,
      reason: `demand ${holdId} of ${organizationId}`,
      ...{ fromMs: Date.parse(from), toMs: Date.parse(to) },
      ...(providerIds !== undefined && { providerIds }),
      ...BY,
    },
  ];
}

/** Places a hold; where it has too many records, one for each half of its time. */
async function placed(holds: LiveHolds, order: LiveHoldOrder): Promise<void> {
  try {
    await holds.place(order);
  } catch (error) {
    const lengthMs = order.toMs - order.fromMs;
    if (!isHopbackError(error) || error.code !== 'invalid-argument' || lengthMs <= SHORTEST_MS) throw error;
    const middleMs = order.fromMs + Math.ceil(lengthMs / 2);
    await placed(holds, { ...order, holdId: `${order.holdId}0`, toMs: middleMs });
    await placed(holds, { ...order, holdId: `${order.holdId}1`, fromMs: middleMs });
  }
}
