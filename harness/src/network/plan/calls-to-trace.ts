import type { ScenarioTrace } from '../../scenario/index.js';
import { behaviourHolds } from './behaviour-holds.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from './plan.js';

/** What a scenario asks staff to trace, and the call that it is; no call: none of the plan fits. */
export interface CallToTrace {
  readonly trace: ScenarioTrace;
  readonly call?: PlannedCall;
}

/**
 * Calls that staff traces whatever the seed draws: for each entry of the scenario the first call that fits, and that no entry before it has taken.
 * @param plan - as it was carried out
 * @param isHeard - whether a call came to its callee: of others nobody complains
 * @returns one for each entry, in their order; never throws
 */
export function callsToTrace(plan: NetworkPlan, isHeard: (call: PlannedCall) => boolean): readonly CallToTrace[] {
  const taken = new Set<number>();
  return (plan.scenario.platform?.traces ?? []).map((trace) => {
    const provider = plan.providers.find(({ id }) => id === trace.through);
    const call = plan.calls.find(
      (one) =>
        !taken.has(one.index) &&
        one.way.includes(trace.through) &&
        (trace.caller ?? one.caller) === one.caller &&
        isHeard(one) &&
        (trace.behaviour === undefined || provider === undefined || isDone(trace.behaviour, one, { provider, plan })),
    );
    if (call === undefined) return { trace };
    taken.add(call.index);
    return { trace, call };
  });
}

/** Whether a provider behaves so with a call. */
function isDone(
  kind: ScenarioTrace['behaviour'],
  call: PlannedCall,
  { provider: { id, behaviours }, plan }: { readonly provider: PlannedProvider; readonly plan: NetworkPlan },
): boolean {
  return behaviours.some((behaviour, place) => {
    if (behaviour.kind !== kind) return false;
    // To where a call is forwarded is planned: by who serves the number that was called.
    if (kind === 'diverts') return call.diversions?.some(({ hop }) => call.way[hop] === id) === true;
    return behaviourHolds(behaviour, call, { seed: plan.seed, provider: id, place });
  });
}

/** What an entry asks for, in words. */
export function traceInWords({ through, behaviour, caller }: ScenarioTrace): string {
  const by = caller === undefined ? '' : ` of ${caller}`;
  return `a call${by} through ${through}${behaviour === undefined ? '' : ` (${behaviour})`}`;
}
