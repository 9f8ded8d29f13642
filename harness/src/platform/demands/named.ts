import type { DemandScope } from '@hopback/sdk/platform';
import type { ProviderReference } from '@hopback/sdk/traceback';
import type { Reading } from '../core/index.js';
import type { DemandParts } from './demand-area.js';

/** Campaigns of a demand that are looked at for whether one calls now: a demand that names more is no matter of minutes. */
const LIVE_LOOKED_AT = 50;

/** Whether a campaign that a demand names calls now. */
export async function namesLiveCampaign(
  { ports }: Pick<DemandParts, 'ports'>,
  reading: Reading,
  campaignIds: readonly string[] = [],
): Promise<boolean> {
  for (const campaignId of campaignIds.slice(0, LIVE_LOOKED_AT)) {
    if ((await ports.campaigns.campaign(reading, campaignId))?.state === 'live') return true;
  }
  return false;
}

/** A scope whose providers are those of the registry, and how many that it names cannot be told to be one of it. */
export interface ResolvedScope {
  readonly scope: DemandScope;
  readonly unknownProviders: number;
}

/**
 * Finds the providers of a scope in the registry. One that is not there, or could be several, reaches nothing: an accusation of another is worse
 * than a question back.
 */
export async function resolvedScope(
  { ports }: Pick<DemandParts, 'ports'>,
  reading: Reading,
  scope: DemandScope,
): Promise<ResolvedScope> {
  if (scope.providers === undefined) return { scope, unknownProviders: 0 };
  const found: ProviderReference[] = [];
  for (const reference of scope.providers) {
    const resolved = await ports.providers.resolve(reading, reference);
    if (resolved.status !== 'found') continue;
    const { providerId, businessName } = resolved.provider.entry;
    found.push({ providerId, name: businessName });
  }
  return { scope: { ...scope, providers: found }, unknownProviders: scope.providers.length - found.length };
}
