import type { NetworkPlan } from '../network/plan/index.js';
import type { CallTruth } from '../network/truth/index.js';
import { oneLine } from '../report/index.js';

/** Ways that are listed. */
const MAX_WAYS = 30;

/** What a plan would do, without doing it: who, how many calls, by which ways, and what is true of them. */
export function dryRunLines(plan: NetworkPlan, truthOf: (index: number) => CallTruth): readonly string[] {
  const { scenario, seed, providers, calls, durationMs } = plan;
  const [ways, phases, callers] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const [verdicts, ends, culprits, fair] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  for (const { index, way, phase, caller } of calls) {
    add(ways, way.join(' > '));
    add(phases, phase);
    add(callers, caller);
    const truth = truthOf(index);
    for (const { verdict } of truth.hops) add(verdicts, verdict.verstat.join(' or '));
    add(ends, truth.finalStatus.join(' or '));
    add(culprits, `${truth.culprit.kind} ${truth.culprit.provider}`);
    add(fair, [...new Set(truth.fairOutcomes.map(({ kind }) => kind))].join(' or '));
  }
  const odd = providers.filter(({ behaviours }) => behaviours.length > 0);
  return [
    `${oneLine(scenario.name)}, seed ${seed}: ${providers.length} providers, ${calls.length} calls in ${(durationMs / 1_000).toFixed(1)} s`,
    oneLine(scenario.why),
    ...listed('Calls by phase', phases),
    ...listed('Calls by caller', callers),
    ...listed('Ways', ways),
    ...(odd.length === 0 ? [] : ['Behaviours', ...odd.map(({ id, behaviours }) => `  ${id}: ${behaviours.map(({ kind }) => kind).join(', ')}`)]),
    ...listed('True verdicts, one for each hop', verdicts),
    ...listed('True ends of calls', ends),
    ...listed('Where calls truly began or came in', culprits),
    ...listed('What tracebacks may fairly come to', fair),
  ];
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function listed(title: string, counts: ReadonlyMap<string, number>): readonly string[] {
  if (counts.size === 0) return [];
  const sorted = [...counts].toSorted(([, one], [, other]) => other - one);
  const left = sorted.length - MAX_WAYS;
  return [
    title,
    ...sorted.slice(0, MAX_WAYS).map(([name, count]) => `  ${String(count).padStart(7)}  ${oneLine(name)}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
}
