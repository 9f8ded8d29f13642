import type { NetworkPlan } from '../network/plan/index.js';
import { networkTruth } from '../network/truth/index.js';
import type { CallTruth } from '../network/truth/index.js';
import { judgeRun } from '../oracle/index.js';
import type { RunnerParts } from './runner-parts.js';

/** What is true of the calls of a plan, by their indexes. */
export function truthOfPlan(plan: NetworkPlan): (index: number) => CallTruth {
  const truth = networkTruth(plan);
  const calls = new Map(plan.calls.map((call) => [call.index, call]));
  return (index) => {
    const call = calls.get(index);
    if (call === undefined) throw new RangeError(`the plan has no call ${index}`);
    return truth.ofCall(call);
  };
}

/** The network over SIP, its truth and its oracle. */
export const SIP_PARTS: RunnerParts = {
  openWorld: async (options) => {
    const world: unknown = await import('../network/world/index.js');
    return (world as Pick<RunnerParts, 'openWorld'>).openWorld(options);
  },
  judge: judgeRun,
  truthOf: truthOfPlan,
};
