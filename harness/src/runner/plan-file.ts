import type { NetworkPlan } from '../network/plan/index.js';

/** `plan.json` of a run's folder: from it the same plan can be made again. */
export interface PlanFile {
  readonly format: 'hopback.run-plan.1';
  /** As it was carried out: shortened, if it was. */
  readonly scenario: NetworkPlan['scenario'];
  readonly seed: number;
  readonly onceOnly: boolean;
}

/** The text of `plan.json`. */
export function planFileOf({ scenario, seed, onceOnly }: NetworkPlan): string {
  const file: PlanFile = { format: 'hopback.run-plan.1', scenario, seed, onceOnly };
  return `${JSON.stringify(file, null, 2)}\n`;
}
