import { externalProviders } from '../network/plan/index.js';
import type { NetworkPlan } from '../network/plan/index.js';
import { networkTruth } from '../network/truth/index.js';
import { createFindingList } from './finding-list.js';
import type { OracleReport } from './findings.js';
import { judgeCalls } from './judge-calls.js';
import { judgeCampaigns } from './judge-campaigns.js';
import { judgeRecords } from './judge-records.js';
import { judgeTracebacks } from './judge-tracebacks.js';
import type { JudgedFacts, Judging } from './judging.js';
import { counted } from './spread.js';

/**
 * Holds what was seen of a run against what is true of its plan.
 * @param plan - that was carried out
 * @param facts - what was seen; calls are read once, so that a generator does
 * @returns every metric, and what is not as it is true, the gravest first; the same for the same plan and facts
 * @throws `RangeError` where a way of the plan leads over a provider that the plan does not have
 * @see {@link networkTruth}
 * @example
 * ```ts
 * const plan = planNetwork(await readShippedScenario('three-hops'), { onceOnly: true });
 * const { findings, metrics } = judgeRun(plan, simulateRun(plan));
 * console.log(findings.length, metrics.verdict_accuracy.kind); // 0 rate
 * ```
 */
export function judgeRun(plan: NetworkPlan, facts: JudgedFacts): OracleReport {
  const findings = createFindingList();
  const forks = plan.providers.filter(({ behaviours }) => behaviours.some(({ kind }) => kind === 'forks'));
  const forking = new Set(forks.map(({ id }) => id));
  const external = externalProviders(plan);
  const showing = new Set(
    plan.providers.filter(({ role, stir }) => role === 'terminating' && stir).map(({ id }) => id),
  );
  const judging: Judging = { plan, truth: networkTruth(plan), facts, findings, forking, external, showing };
  const calls = judgeCalls(judging);
  const metrics = {
    ...calls.metrics,
    ...judgeRecords(judging, calls.records),
    ...judgeTracebacks(judging),
    ...judgeCampaigns(judging, calls.campaigns),
    troubles: counted(facts.troubles.length),
  };
  for (const { where, what } of facts.troubles)
    findings.add({ kind: 'trouble', expected: 'no trouble', seen: `${where}: ${what}` });
  return { metrics, ...findings.found() };
}
