import type { CampaignProvider, Traceback, TracebackHop } from '@hopback/sdk/platform';
import type { PlatformTransaction, TracebackDesk } from '../core/index.js';
import { campaignsTables } from './campaigns-repository.js';
import type { StoredFindings } from './campaigns-tables.js';

/** Tracebacks that are read for one campaign, the latest: as many as it may have by itself, and those of agencies. */
const MAX_READ = 200;
/** Providers that are told of one campaign. */
const MAX_PROVIDERS = 1_000;

/** Reads what tracebacks have found out about a campaign, and stores it beside the campaign. */
export async function refreshFindings(
  transaction: PlatformTransaction,
  campaignId: string,
  desk: TracebackDesk,
): Promise<void> {
  const all = await desk.ofCampaign(transaction, campaignId);
  const tracebackIds = all.map(({ tracebackId }) => tracebackId).slice(0, MAX_READ);
  const counts = new Map<
    string,
    { provider: CampaignProvider['provider']; role: CampaignProvider['role']; tracebacks: number }
  >();
  for (const tracebackId of tracebackIds) {
    const traceback = await desk.traceback(transaction, tracebackId);
    if (traceback === undefined) continue;
    for (const { provider, role } of rolesOf(traceback)) {
      const key = `${provider.providerId ?? provider.name}\n${role}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { provider, role, tracebacks: 1 });
      else known.tracebacks += 1;
    }
  }
  const providers = [...counts.values()].toSorted((a, b) => b.tracebacks - a.tracebacks).slice(0, MAX_PROVIDERS);
  const findings: StoredFindings = { tracebackIds, providers };
  await campaignsTables(transaction)
    .updateTable('campaigns_campaigns')
    .set({ findings: JSON.stringify(findings) })
    .where('campaign_id', '=', campaignId)
    .execute();
}

/** Which part providers have in a call by their own answers; of what was not answered nobody has a part. Never throws. */
export function rolesOf(traceback: Traceback): readonly Pick<CampaignProvider, 'provider' | 'role'>[] {
  const answered = traceback.hops.filter(({ state }) => state === 'answered' || state === 'corrected');
  const last = answered.at(-1);
  return answered.flatMap((hop) => {
    const role = roleOf(traceback, hop, hop === last);
    return role === undefined ? [] : [{ provider: hop.provider, role }];
  });
}

function roleOf({ outcome }: Traceback, hop: TracebackHop, isLast: boolean): CampaignProvider['role'] | undefined {
  if (isLast && outcome === 'origin') return 'origin';
  if (isLast && outcome === 'point-of-entry') return 'point-of-entry';
  if (hop.hop === 1) return 'terminating';
  return hop.upstream === undefined ? undefined : 'transit';
}

/** Where a traceback ended, if it ended somewhere. Never throws. */
export function originOf(traceback: Traceback): string | undefined {
  if (traceback.outcome !== 'origin' && traceback.outcome !== 'point-of-entry') return undefined;
  const provider = traceback.hops.findLast(({ state }) => state === 'answered' || state === 'corrected')?.provider;
  return provider?.providerId ?? provider?.name;
}
