import type { NetworkPlan } from '../network/plan/index.js';

/** `plan.json` of a run's folder: from it the same plan can be made again. */
export interface PlanFile {
  readonly format: 'hopback.run-plan.1';
  readonly scenario: NetworkPlan['scenario'];
  readonly seed: number;
  readonly options: PlanFileOptions;
}

/** What a plan was made with, beside its scenario and seed. */
export interface PlanFileOptions {
  readonly onceOnly?: boolean;
  readonly scale?: number;
}

/** The text of `plan.json`. */
export function planFileOf({ scenario, seed }: NetworkPlan, options: PlanFileOptions): string {
  const file: PlanFile = { format: 'hopback.run-plan.1', scenario, seed, options };
  return `${JSON.stringify(file, null, 2)}\n`;
}
