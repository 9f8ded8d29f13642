import type { Metric } from './findings.js';
import type { PlacedCampaign } from './judge-calls.js';
import type { Judging } from './judging.js';
import { plannedCall } from './judging.js';
import type { SeenCampaign } from './run-facts.js';
import { createSpread, rate } from './spread.js';
import { judgeUnalerted } from './unalerted-campaigns.js';

/** Metrics of campaigns and alerts. */
export type CampaignMetrics = Readonly<
  Record<'campaign_precision' | 'campaign_recall' | 'time_to_campaign_ms' | 'time_to_alert_ms', Metric>
>;

/** The earliest first: a platform tells of what is new first. */
const inOrder = <One>(all: readonly One[] = [], timeOf: (one: One) => number): readonly One[] =>
  all.toSorted((one, other) => timeOf(one) - timeOf(other));

/** Of fewer calls nobody could say that they belong together. */
const FEWEST_CALLS = 20;

/**
 * Holds the campaigns that were found against those that there are: a campaign that was found is taken for the one of which it has most calls. Precision
 * is how many calls of all that were put into one belong into it, recall how many of those that reached the platform are in one of theirs.
 */
export function judgeCampaigns(judging: Judging, placed: ReadonlyMap<string, PlacedCampaign>): CampaignMetrics {
  const { facts, findings } = judging;
  const [toCampaign, toAlert] = [createSpread(), createSpread()];
  const found = new Map<string, Set<number>>();
  const named = new Map<string, string | undefined>();
  let [good, of] = [0, 0];
  for (const campaign of inOrder(facts.campaigns, ({ firstSeenMs }) => firstSeenMs)) {
    const meant = meantBy(judging, campaign);
    named.set(campaign.campaignId, meant.name);
    of += campaign.calls.length;
    good += meant.calls.length;
    if (meant.name === undefined) {
      const seen = `${campaign.name}, of ${campaign.calls.length} calls`;
      findings.add({ kind: 'campaign', expected: 'no campaign is made of ordinary calls', seen });
      continue;
    }
    for (const [name, [callIndex, ...more]] of meant.others) {
      const which = name === undefined ? 'ordinary' : `of ${name}`;
      const seen = `so ${more.length === 0 ? 'is a call that is' : `are ${more.length + 1} calls that are`} ${which}`;
      findings.add({ kind: 'campaign', callIndex, expected: `calls of ${meant.name} are in ${campaign.name}`, seen });
    }
    if (!found.has(meant.name)) toCampaign.add(campaign.firstSeenMs - (placed.get(meant.name)?.firstAtMs ?? 0));
    const calls = found.get(meant.name) ?? new Set<number>();
    for (const index of meant.calls) calls.add(index);
    found.set(meant.name, calls);
  }
  const recall = recallOf(judging, placed, found);
  const alerted = new Set<string>();
  for (const { campaignId, agency, atMs } of inOrder(facts.alerts, (alert) => alert.atMs)) {
    const name = named.get(campaignId);
    if (name === undefined) {
      findings.add({
        kind: 'alert',
        expected: 'alerts are about campaigns',
        seen: `${agency} was alerted of ${campaignId}`,
      });
    } else if (!alerted.has(name)) {
      alerted.add(name);
      toAlert.add(atMs - (placed.get(name)?.firstAtMs ?? 0));
    }
  }
  judgeUnalerted(judging, (campaignId) => named.get(campaignId), alerted);
  return {
    campaign_precision: rate(good, of),
    campaign_recall: recall,
    time_to_campaign_ms: toCampaign.metric(),
    time_to_alert_ms: toAlert.metric(),
  };
}

/** What a campaign that was found is made of. */
interface MeantCampaign {
  /** The campaign that most of its calls belong to; absent: most are ordinary calls. */
  readonly name: string | undefined;
  readonly calls: readonly number[];
  /** The other calls, at least one each: of other campaigns, and ordinary ones under no name. */
  readonly others: readonly (readonly [string | undefined, readonly [number, ...number[]]])[];
}

function meantBy(judging: Judging, { calls }: SeenCampaign): MeantCampaign {
  const parts = new Map<string | undefined, [number, ...number[]]>();
  for (const index of new Set(calls)) {
    const name = plannedCall(judging, index)?.campaign;
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [index]);
    else part.push(index);
  }
  const [most, ...others] = [...parts].toSorted(([, one], [, other]) => other.length - one.length);
  if (most?.[0] === undefined) return { name: undefined, calls: [], others };
  return { name: most[0], calls: most[1], others };
}

function recallOf(
  { plan, facts, findings }: Judging,
  placed: ReadonlyMap<string, PlacedCampaign>,
  found: ReadonlyMap<string, ReadonlySet<number>>,
): Metric {
  let [good, of] = [0, 0];
  // Without a platform nobody looks for any.
  if (facts.campaigns === undefined || plan.scenario.platform === undefined) return rate(good, of);
  for (const [name, { visible }] of placed) {
    const size = Math.min(found.get(name)?.size ?? 0, visible);
    good += size;
    of += visible;
    if (size > 0 || visible < FEWEST_CALLS) continue;
    const expected = `the campaign ${name} is found, of which the platform could see ${visible} calls`;
    findings.add({ kind: 'campaign', expected, seen: 'it was not' });
  }
  return rate(good, of);
}
