import type { DemandRecordClass } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type { PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import { removeOverdue } from '../database/index.js';
import type { RetentionClass } from '../database/index.js';
import { campaignsTables } from './campaigns-repository.js';
import { idsOfCampaign } from './stored-campaign.js';

/** Says whether legal process asks for something. Carried out by the area `demands`; nothing is held where there is none. */
export interface CallHolds {
  readonly isHeld: (
    reading: Reading,
    item: {
      readonly recordClass: DemandRecordClass;
      readonly fromMs: number;
      readonly toMs: number;
      readonly campaignId: string;
    },
  ) => Promise<boolean>;
}

/** How long a call of a campaign is on its list: the retention of live records, after which there is nothing behind it. */
const CALLS_KEPT_MS = 90 * 86_400_000;
/** Classes that demands find by the list of calls of a campaign. */
const CLASSES_BY_CALLS: readonly DemandRecordClass[] = ['call-records', 'app-reports', 'recordings'];

/**
 * Removes calls of campaigns whose time is over, but for those of campaigns that a demand holds: under the id that they have now, or under one that they
 * had before a merger.
 */
export async function removeOldCalls(
  context: PlatformContext,
  holds: CallHolds | undefined,
  nowMs: number,
): Promise<void> {
  const beforeMs = nowMs - CALLS_KEPT_MS;
  const held = async (transaction: PlatformTransaction, _class: string, ids: readonly string[]) => {
    const kept = new Set<string>();
    for (const id of ids)
      if (holds !== undefined && (await areHeld(transaction, holds, { campaignId: id, beforeMs }))) kept.add(id);
    return kept;
  };
  await removeOverdue({ context, classes: [callsClass(beforeMs)], holds: { held } }, nowMs);
}

/** Of a campaign that is over its calls before a time: what is due is the campaign, what is removed are they. */
const callsClass = (beforeMs: number): RetentionClass => ({
  name: 'campaigns.calls',
  keepMs: CALLS_KEPT_MS,
  due: async (transaction, { after, limit }) => {
    let query = campaignsTables(transaction)
      .selectFrom('campaigns_calls')
      .select('campaign_id')
      .distinct()
      .where('at_ms', '<', beforeMs);
    if (after !== undefined) query = query.where('campaign_id', '>', after);
    return (await query.orderBy('campaign_id').limit(limit).execute()).map(({ campaign_id }) => campaign_id);
  },
  remove: async (transaction, campaignIds) => {
    await campaignsTables(transaction)
      .deleteFrom('campaigns_calls')
      .where('campaign_id', 'in', campaignIds)
      .where('at_ms', '<', beforeMs)
      .execute();
  },
});

async function areHeld(
  transaction: PlatformTransaction,
  holds: CallHolds,
  { campaignId, beforeMs }: { readonly campaignId: string; readonly beforeMs: number },
): Promise<boolean> {
  const { oldest } = await campaignsTables(transaction)
    .selectFrom('campaigns_calls')
    .select(sql<number>`min(at_ms)`.as('oldest'))
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  for (const id of await idsOfCampaign(transaction, campaignId)) {
    for (const recordClass of CLASSES_BY_CALLS) {
      const item = { recordClass, fromMs: oldest, toMs: beforeMs, campaignId: id };
      if (await holds.isHeld(transaction, item)) return true;
    }
  }
  return false;
}
