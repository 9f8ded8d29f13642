import type { Campaign } from '@hopback/sdk/platform';
import type { PlatformContext, Reading } from '../core/index.js';
import { describeCampaign, keyName, restoredCampaign } from '../domain/campaigns/index.js';
import type { CampaignEngine } from '../domain/campaigns/index.js';
import type { CampaignStore } from './campaign-store.js';
import { campaignsTables } from './campaigns-repository.js';
import type { Detector } from './detector.js';

/** What operations stand on. */
export interface OperationParts {
  readonly context: PlatformContext;
  readonly engine: CampaignEngine;
  readonly store: CampaignStore;
  readonly detector: Detector;
}

/** Columns of which a campaign is described. */
export interface StoredCampaign {
  readonly saved: Parameters<typeof restoredCampaign>[0];
  readonly findings: { readonly tracebackIds: readonly string[]; readonly providers: Campaign['providers'] };
  readonly updated_ms: number;
}

/** A campaign in the form of the contract, as agencies and staff see it. Never throws. */
export function describeStored({ saved, findings, updated_ms }: StoredCampaign): Campaign {
  return describeCampaign(restoredCampaign(saved, []), { ...findings, updatedAtMs: updated_ms });
}

/** A campaign as it is stored, under the id that it has now. */
export async function findStored(
  reading: Reading,
  campaignId: string,
): Promise<(StoredCampaign & { readonly is_lawful: boolean }) | undefined> {
  return campaignsTables(reading)
    .selectFrom('campaigns_campaigns')
    .select(['saved', 'findings', 'updated_ms', 'is_lawful'])
    .where('campaign_id', '=', await currentIdOf(reading, campaignId))
    .where('merged_into', 'is', null)
    .executeTakeFirst();
}

/** The id that a campaign has after mergers; its own where it was never merged, or is none. */
export async function currentIdOf(reading: Reading, campaignId: string): Promise<string> {
  let id = campaignId;
  // Mergers of mergers; each is older than the one before, so that it ends.
  for (let step = 0; step < MAX_MERGERS; step += 1) {
    const row = await campaignsTables(reading)
      .selectFrom('campaigns_campaigns')
      .select('merged_into')
      .where('campaign_id', '=', id)
      .executeTakeFirst();
    if (row === undefined || row.merged_into === null) return id;
    id = row.merged_into;
  }
  return id;
}

/** The id of a campaign, and those of all that were merged into it. */
export async function idsOfCampaign(reading: Reading, campaignId: string): Promise<readonly string[]> {
  const ids = new Set([campaignId]);
  for (let last: readonly string[] = [campaignId]; last.length > 0;) {
    const rows = await campaignsTables(reading)
      .selectFrom('campaigns_campaigns')
      .select('campaign_id')
      .where('merged_into', 'in', last)
      .execute();
    last = rows.map(({ campaign_id }) => campaign_id).filter((id) => !ids.has(id));
    for (const id of last) ids.add(id);
  }
  return [...ids];
}

/** Mergers in a row that are followed. */
const MAX_MERGERS = 32;

/** Name of a key in the interface: of its own name nothing can be read, which may be a telephone number. */
export const keyIdOf = (context: PlatformContext, key: Parameters<typeof keyName>[0]): string =>
  `k-${context.sealed.pseudonym(keyName(key))}`;
