export { behaviourHolds } from './behaviour-holds.js';
export { withExternalParties } from './external-parties.js';
export * from './plan.js';
export { planNetwork, planProviders } from './plan-network.js';
export type { PlanOptions } from './plan-network.js';
export { plannedCalls } from './planned-calls.js';
export { createRouting } from './routing.js';
export { generateNetwork } from './generate-network.js';
export type { GenerateOptions } from './generate-network.js';
