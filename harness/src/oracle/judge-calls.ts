import type { PlannedCall } from '../network/plan/index.js';
import type { CarriedTruth } from '../network/truth/index.js';
import { createRecordsCount } from './expected-records.js';
import type { RecordsCount } from './expected-records.js';
import type { Metric } from './findings.js';
import type { Judging } from './judging.js';
import { plannedCall } from './judging.js';
import { judgeShown, judgeVerdicts, refusingHop } from './judge-verdict.js';
import type { SeenCall } from './run-facts.js';
import { counted, createSpread, rate } from './spread.js';

/** What was placed of a campaign. */
export interface PlacedCampaign {
  /** Milliseconds since the epoch. */
  readonly firstAtMs: number;
  readonly placed: number;
  /** Calls of which anything reaches the platform: a report, or a record of a provider that shares. */
  readonly visible: number;
}

/** What the calls of a run come to. */
export interface JudgedCalls {
  readonly metrics: Readonly<
    Record<
      | ('calls_placed' | 'calls_unplaced' | 'calls_answered' | 'calls_unavailable' | 'calls_wrong')
      | ('call_setup_ms' | 'verify_latency_ms' | 'verdict_accuracy'),
      Metric
    >
  >;
  readonly records: RecordsCount;
  readonly campaigns: ReadonlyMap<string, PlacedCampaign>;
}

/** Holds each call against its truth; the calls are gone through once. */
export function judgeCalls(judging: Judging): JudgedCalls {
  const { plan, truth, facts, findings } = judging;
  const [setup, held] = [createSpread(), createSpread()];
  const records = createRecordsCount(plan);
  const campaigns = createCampaignCount(judging);
  const verdicts = { good: 0, of: 0 };
  let [placed, answered, unavailable, wrong] = [0, 0, 0, 0];
  for (const seen of facts.calls) {
    const call = plannedCall(judging, seen.index);
    if (call === undefined) {
      const { index: callIndex } = seen;
      findings.add({ kind: 'call-outcome', callIndex, expected: 'no such call in the plan', seen: 'a call' });
      wrong += 1;
      continue;
    }
    if (seen.placedAtMs === undefined) continue;
    placed += 1;
    const isAnswered = seen.finalStatus === 200;
    if (isAnswered) answered += 1;
    if (seen.finalStatus === 503) unavailable += 1;
    if (seen.setupMs !== undefined) setup.add(seen.setupMs);
    for (const { verstat, heldUs } of seen.hops) if (verstat !== undefined) held.add(heldUs / 1_000);
    const known = truth.carried(call);
    records.add(call, known, isAnswered);
    campaigns.add(call, seen.placedAtMs);
    const outcome = wrongOutcome(seen, known);
    const missing = judgeVerdicts(judging, { seen, truth: known }, verdicts);
    const isBlocked = outcome !== undefined && !isAnswered;
    judgeShown(judging, { seen, truth: known, isBlocked }, verdicts);
    const trouble =
      atExternal(outcome, seen, { judging, call }) ?? lostCall(seen, call, { judging, truth: known, missing });
    if (trouble === undefined) continue;
    wrong += outcome === undefined ? 0 : 1;
    findings.add({ kind: 'call-outcome', callIndex: seen.index, ...trouble });
  }
  return {
    metrics: {
      calls_placed: counted(placed),
      calls_unplaced: counted(plan.calls.length - placed),
      calls_answered: counted(answered),
      calls_unavailable: counted(unavailable),
      calls_wrong: counted(wrong),
      call_setup_ms: setup.metric(),
      verify_latency_ms: held.metric(),
      verdict_accuracy: rate(verdicts.good, verdicts.of),
    },
    records,
    campaigns: campaigns.found,
  };
}

interface Trouble {
  readonly provider?: string;
  readonly expected: string;
  readonly seen: string;
}

function wrongOutcome({ finalStatus, isAtCallee }: SeenCall, truth: CarriedTruth): Trouble | undefined {
  if (finalStatus !== undefined && truth.finalStatus.includes(finalStatus)) {
    const provider = refusingHop(truth)?.provider;
    if (provider === undefined || isAtCallee !== true) return undefined;
    return { provider, expected: `the call ends at ${provider}`, seen: 'it came to the callee' };
  }
  return {
    expected: `the caller gets ${truth.finalStatus.join(' or ')}`,
    seen: finalStatus === undefined ? 'the caller got no final response' : `the caller got ${finalStatus}`,
  };
}

/** A call that ended otherwise, and whose last part nobody saw but a switch of others: the finding says whether anything came out of that switch. */
function atExternal(
  outcome: Trouble | undefined,
  { hops, isAtCallee = false }: SeenCall,
  { judging, call: { way } }: { readonly judging: Judging; readonly call: PlannedCall },
): Trouble | undefined {
  if (outcome === undefined || outcome.provider !== undefined) return outcome;
  const reached = way.findLastIndex((id) => hops.some(({ provider }) => provider === id));
  const next = way[reached + 1];
  if (next === undefined || !judging.external.has(next)) return outcome;
  const came = isAtCallee ? `the call came out of ${next} to the callee` : `nothing came out of ${next}`;
  return { provider: next, expected: outcome.expected, seen: `${outcome.seen}, and ${came}` };
}

/** A call that was not seen where it has to come to, or was seen where it never goes. */
function lostCall(
  seen: SeenCall,
  { way }: PlannedCall,
  {
    judging,
    truth,
    missing,
  }: { readonly judging: Judging; readonly truth: CarriedTruth; readonly missing: readonly string[] },
): Trouble | undefined {
  const [lost] = missing;
  if (lost !== undefined)
    return { provider: lost, expected: `the call comes to ${lost}`, seen: 'it was not seen there' };
  const isForked = way.some((id) => judging.forking.has(id));
  const end = refusingHop(truth) === undefined ? way.length : truth.hops.length;
  const strange = seen.hops.find(({ provider }) => !way.slice(0, end).includes(provider));
  if (strange === undefined || isForked) return undefined;
  const { provider } = strange;
  return { provider, expected: `the call never comes to ${provider}`, seen: 'it was seen there' };
}

function createCampaignCount({ plan }: Judging): {
  readonly add: (call: PlannedCall, placedAtMs: number) => void;
  readonly found: ReadonlyMap<string, PlacedCampaign>;
} {
  const sharing = new Set(plan.providers.filter(({ shares }) => shares !== 'nothing').map(({ id }) => id));
  const found = new Map<string, { firstAtMs: number; placed: number; visible: number }>();
  return {
    found,
    add: ({ campaign, way, isReported }, placedAtMs) => {
      if (campaign === undefined) return;
      const known = found.get(campaign) ?? { firstAtMs: placedAtMs, placed: 0, visible: 0 };
      known.firstAtMs = Math.min(known.firstAtMs, placedAtMs);
      known.placed += 1;
      if (isReported || way.some((id) => sharing.has(id))) known.visible += 1;
      found.set(campaign, known);
    },
  };
}
