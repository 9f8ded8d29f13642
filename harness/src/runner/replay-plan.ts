import type { NetworkPlan } from '../network/plan/index.js';
import type { RunOptions, RunResult } from './run-options.js';
import { runPlan } from './run-plan.js';
import { truthOfPlan } from './default-parts.js';

/** Thresholds are about whole runs: a call by itself is judged by its findings. */
function withoutThresholds(plan: NetworkPlan): NetworkPlan {
  const { thresholds: _, ...scenario } = plan.scenario;
  return { ...plan, scenario };
}

/**
 * Places one call of a plan again, as it was: the same network, and before it the calls whose Identity it replays.
 * @param plan - of the run
 * @param index - of the call
 * @param options - as for a run
 * @returns what it came to: it has passed when nothing was found
 */
export function replayPlan(plan: NetworkPlan, index: number, options: RunOptions = {}): Promise<RunResult> {
  const truthOf = options.parts?.truthOf(plan) ?? truthOfPlan(plan);
  const needed = new Set<number>();
  const need = (call: number): void => {
    if (needed.has(call)) return;
    needed.add(call);
    for (const { receives, sends } of truthOf(call).hops) {
      for (const { madeFor } of [...receives.identity, ...sends.identity]) need(madeFor);
    }
  };
  need(index);
  const only = [...needed].toSorted((one, other) => one - other);
  return runPlan(withoutThresholds(plan), { ...options, only, keepsMessages: true });
}
