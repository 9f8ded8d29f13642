export {
  behaviourHolds,
  callsToTrace,
  createRouting,
  externalProviders,
  traceInWords,
  withExternalParties,
} from './plan.js';
export type { NetworkPlan, PlannedCall, PlannedDiversion, PlannedNetwork, PlannedProvider } from './plan.js';
export { planNetwork, planProviders, plannedCalls, unassignedCode } from './plan-network.js';
export type { PlanOptions } from './plan-network.js';
export { generateNetwork } from './generate-network.js';
export type { GenerateOptions } from './generate-network.js';
