import type { DemandScope } from '@hopback/sdk/platform';
import type { DemandCoverage, PlatformTransaction } from '../core/index.js';
import { scopeMatcher, tracebackRows, tracedCall } from '../domain/demands/index.js';
import { PLATFORM_ACTOR, tablesOf, type DemandParts } from './demand-area.js';
import { approvedScope, wireDemands } from './demand-rows.js';
import { resolvedScope } from './named.js';

/** Demands of one agency that are looked at: the latest. */
const LOOKED_AT = 200;

const NOTHING: ReadonlySet<string> = new Set();

/** Says which tracebacks an agency may see: those that a demand of its own reaches, as it was approved. */
export function createDemandCoverage(parts: DemandParts): DemandCoverage {
  return {
    covered: async (reading, agencyId, tracebackIds) => {
      if (tracebackIds.length === 0) return NOTHING;
      const work = (transaction: PlatformTransaction): Promise<ReadonlySet<string>> =>
        coveredBy(parts, transaction, { agencyId, tracebackIds });
      return reading.isTransaction ? work(reading as PlatformTransaction) : parts.context.transact(work);
    },
  };
}

async function coveredBy(
  parts: DemandParts,
  transaction: PlatformTransaction,
  { agencyId, tracebackIds }: { readonly agencyId: string; readonly tracebackIds: readonly string[] },
): Promise<ReadonlySet<string>> {
  const scopes = await scopesOf(parts, transaction, agencyId);
  if (scopes.length === 0) return NOTHING;
  const campaigns = await campaignsOf(parts, transaction, { scopes, tracebackIds });
  const { tracebacks } = parts.ports;
  const covered = new Set<string>();
  for (const tracebackId of tracebackIds) {
    const traceback = await tracebacks.traceback(transaction, tracebackId);
    if (traceback === undefined) continue;
    const answers = await tracebacks.answers(transaction, tracebackId);
    const call = tracedCall(traceback, answers);
    const rows = tracebackRows({ traceback, answers, call, campaignIds: campaigns.get(tracebackId) ?? [] });
    const reaches = scopes.some((scope) => {
      const isReached = scopeMatcher(scope);
      return rows.some(({ item }) => item.recordClass === 'traceback-records' && isReached(item));
    });
    if (reaches) covered.add(tracebackId);
  }
  return covered;
}

/** What was approved of the demands of an agency that reach tracebacks. */
async function scopesOf(
  parts: DemandParts,
  transaction: PlatformTransaction,
  agencyId: string,
): Promise<readonly DemandScope[]> {
  const found = await tablesOf(transaction)
    .selectFrom('demands_demands')
    .selectAll()
    .where('organization_id', '=', agencyId)
    .where('state', 'in', ['approved', 'narrowed', 'produced'])
    .orderBy('submitted_at_ms', 'desc')
    .limit(LOOKED_AT)
    .execute();
  const rows = found.filter((row) => row.record_classes.includes('traceback-records'));
  const reason = { ...PLATFORM_ACTOR, object: `agency:${agencyId}` };
  const scopes: DemandScope[] = [];
  for (const demand of await wireDemands(parts.context, transaction, { rows, reason })) {
    const scope = approvedScope(demand);
    if (scope !== undefined) scopes.push((await resolvedScope(parts, transaction, scope)).scope);
  }
  return scopes;
}

/** Campaigns of tracebacks, as far as scopes name campaigns. */
async function campaignsOf(
  { ports }: DemandParts,
  transaction: PlatformTransaction,
  { scopes, tracebackIds }: { readonly scopes: readonly DemandScope[]; readonly tracebackIds: readonly string[] },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Set(tracebackIds);
  const campaigns = new Map<string, string[]>();
  for (const campaignId of new Set(scopes.flatMap((scope) => scope.campaignIds ?? []))) {
    for (const { tracebackId } of await ports.tracebacks.ofCampaign(transaction, campaignId))
      if (wanted.has(tracebackId)) campaigns.set(tracebackId, [...(campaigns.get(tracebackId) ?? []), campaignId]);
  }
  return campaigns;
}
