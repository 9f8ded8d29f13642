export * from './is-under.js';
export { behaviourHolds } from './behaviour-holds.js';
export type { BehaviourPlace } from './behaviour-holds.js';
export * from './plan.js';
export { planNetwork, planProviders } from './plan-network.js';
export type { PlanOptions } from './plan-network.js';
export { plannedCalls } from './planned-calls.js';
export { createRouting } from './routing.js';
export type { Routing } from './routing.js';
