import { planNetwork } from '../network/plan/index.js';
import type { NetworkPlan, PlanOptions } from '../network/plan/index.js';
import type { Scenario } from '../scenario/index.js';
import type { RunOptions, RunResult } from './run-options.js';
import { runPlan } from './run-plan.js';

/** Settings of {@link runScenario}: how it is planned, and how it is run. */
export interface RunScenarioOptions extends RunOptions, PlanOptions {}

/**
 * Plans a scenario and carries it out over SIP, on loopback: opens its network, places its calls when they are due, waits until what follows from them is
 * done, and holds what was seen against what is true.
 * @param scenario - from `readScenario`, `readShippedScenario` or `defineScenario`; or a plan that was made already
 * @param options - seed, scale; folder, time, rate, captures
 * @returns what the run came to, also when it failed, was stopped or had no time
 * @throws {@link HopbackError} `invalid-argument` for a seed or scale out of bounds, and for a folder that is not empty; what opening the network throws
 * @see {@link planNetwork}
 * @example
 * ```ts
 * const result = await runScenario(await readShippedScenario('direct'), { onceOnly: true, seed: 7 });
 * console.log(result.verdict); // passed
 * ```
 */
export function runScenario(scenario: Scenario | NetworkPlan, options: RunScenarioOptions = {}): Promise<RunResult> {
  const { seed, onceOnly, scale, ...run } = options;
  if (!('format' in scenario)) return runPlan(scenario, run);
  const plan = planNetwork(scenario, {
    ...(seed !== undefined && { seed }),
    ...(onceOnly !== undefined && { onceOnly }),
    ...(scale !== undefined && { scale }),
  });
  return runPlan(plan, run);
}
