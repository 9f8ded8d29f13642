import type { Traceback } from '@hopback/sdk/platform';
import type { RunFacts, SeenAlert, SeenAnswer, SeenCampaign, SeenTraceback } from '../../oracle/index.js';
import { finalNumber } from '../node/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import { callOfReport } from './app-reports.js';
import { allTracebacks } from './settle-platform.js';
import type { WorldPlatform } from './world-platform.js';

/** What the platform knows, by the calls of a plan. */
export type PlatformFacts = Pick<RunFacts, 'campaigns' | 'alerts' | 'tracebacks'> & {
  /** Records that it has, by id of the provider. */
  readonly received: ReadonlyMap<string, number>;
};

/** How calls of the plan are known. */
export interface CallKeys {
  /** Index by record id. */
  readonly byRecord: ReadonlyMap<string, number>;
  /** When calls were placed, by index, milliseconds since the epoch. */
  readonly placed: ReadonlyMap<number, number>;
}

/** Calls of a campaign that are read at most. */
const MAX_CAMPAIGN_CALLS = 1_000_000;
/** Records of calls before and after those of the run are counted too: clocks may be wrong by hours. */
const MARGIN_MS = 86_400_000;

/** Asks the platform, as its staff. */
export async function platformFacts(
  plan: NetworkPlan,
  platform: WorldPlatform,
  keys: CallKeys,
): Promise<PlatformFacts> {
  const { operator, reference, agencies } = platform;
  const campaigns: SeenCampaign[] = [];
  for await (const { campaignId, name, firstSeenAt } of operator.campaigns.iterate({})) {
    const members = await reference.campaignCalls(campaignId, MAX_CAMPAIGN_CALLS);
    const calls = members.flatMap(({ recordId, reportId }) => [
      ...(recordId === undefined ? [] : [keys.byRecord.get(recordId)]),
      ...(reportId === undefined ? [] : [callOfReport(reportId)]),
    ]);
    const known = new Set(calls.filter((index) => index !== undefined));
    campaigns.push({
      ...{ campaignId, name, firstSeenMs: Date.parse(firstSeenAt) },
      calls: [...known].toSorted((one, other) => one - other),
    });
  }
  const alerts: SeenAlert[] = [];
  for (const { organizationId, client } of agencies.values())
    for await (const { campaignId, raisedAt } of client.alerts.iterate({}))
      if (campaignId !== undefined) alerts.push({ campaignId, agency: organizationId, atMs: Date.parse(raisedAt) });
  const calls = callIndex(plan, keys);
  const tracebacks = await allTracebacks(operator);
  return {
    ...{ campaigns, alerts, received: await receivedOf(plan, platform) },
    tracebacks: tracebacks.map((one) => seenTraceback(one, { plan, indexOf: calls })),
  };
}

async function receivedOf(plan: NetworkPlan, { reference }: WorldPlatform): Promise<ReadonlyMap<string, number>> {
  const received = new Map<string, number>();
  const range = { fromMs: Date.now() - MARGIN_MS, toMs: Date.now() + MARGIN_MS };
  for (const { id, providerId } of plan.providers) received.set(id, await reference.recordCount(providerId, range));
  return received;
}

type IndexOf = (traceback: Traceback) => number | undefined;

/** The call that a traceback is about: by its record, or of those with its numbers the one nearest in time. */
function callIndex({ calls }: NetworkPlan, { byRecord, placed }: CallKeys): IndexOf {
  const byCalled = new Map<string, PlannedCall[]>();
  for (const call of calls) {
    const known = byCalled.get(finalNumber(call));
    if (known === undefined) byCalled.set(finalNumber(call), [call]);
    else known.push(call);
  }
  const number = (written: string | undefined): string => written?.replace(/\D/g, '') ?? '';
  return ({ call }) => {
    const { recordId, called, calling, at } = call;
    if (recordId !== undefined && byRecord.has(recordId)) return byRecord.get(recordId);
    const candidates = (byCalled.get(number(called)) ?? []).filter(({ index }) => placed.has(index));
    const atMs = Date.parse(`${at.local}Z`);
    // Callers may show another number than they began with.
    const apart = ({ index, calling: own }: PlannedCall): number =>
      Math.abs((placed.get(index) ?? 0) - atMs) + (own === number(calling) ? 0 : OTHER_CALLER_MS);
    return candidates.toSorted((one, other) => apart(one) - apart(other))[0]?.index;
  };
}

/** A call of another caller is rather meant where it came so much nearer in time, milliseconds. */
const OTHER_CALLER_MS = 60_000;

function seenTraceback(
  traceback: Traceback,
  { plan, indexOf }: { readonly plan: NetworkPlan; readonly indexOf: IndexOf },
): SeenTraceback {
  const { tracebackId, state, outcome, openedAt, closedAt, hops, campaign } = traceback;
  const idOf = (providerId: string | undefined): string | undefined =>
    plan.providers.find((one) => one.providerId === providerId)?.id;
  const answers = hops.flatMap((hop): readonly SeenAnswer[] => {
    const { arm, issuedAt, answeredAt, upstream, provider } = hop;
    if (arm === undefined || issuedAt === undefined || answeredAt === undefined) return [];
    const named = upstream && (idOf(upstream.providerId) ?? upstream.name);
    return [
      {
        ...{ provider: idOf(provider.providerId) ?? provider.name, kind: arm },
        afterMs: Date.parse(answeredAt) - Date.parse(issuedAt),
        ...(named !== undefined && { named }),
      },
    ];
  });
  const last = hops.at(-1);
  const provider = idOf(last?.provider.providerId) ?? last?.provider.name;
  return {
    ...{ tracebackId, state, callIndex: indexOf(traceback) ?? -1, openedAtMs: Date.parse(openedAt), answers },
    ...(outcome !== undefined && { outcome: { kind: outcome, ...(provider !== undefined && { provider }) } }),
    ...(campaign !== undefined && { campaignId: campaign.campaignId }),
    ...(closedAt !== undefined && { concludedAtMs: Date.parse(closedAt) }),
  };
}
