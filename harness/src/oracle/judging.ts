import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { NetworkTruth } from '../network/truth/index.js';
import type { FindingList } from './finding-list.js';
import type { RunFacts, SeenCall } from './run-facts.js';

/**
 * Facts as the oracle looks at them: calls are read once, in any order, so that they need not all be in memory. Without `campaigns` nobody looked
 * for any, and without `alerts` nobody was to be alerted.
 */
export type JudgedFacts = Omit<RunFacts, 'calls' | 'campaigns' | 'alerts'> &
  Partial<Pick<RunFacts, 'campaigns' | 'alerts'>> & { readonly calls: Iterable<SeenCall> };

/** What all parts of the oracle look at. */
export interface Judging {
  readonly plan: NetworkPlan;
  readonly truth: NetworkTruth;
  readonly facts: JudgedFacts;
  readonly findings: FindingList;
  /** Ids of providers that fork calls. */
  readonly forking: ReadonlySet<string>;
  /** Ids of providers that are somebody else's switch: what they found is not known. */
  readonly external: ReadonlySet<string>;
  /** Ids of providers that show to whom they serve what they found: those that terminate calls and take part in STIR/SHAKEN. */
  readonly showing: ReadonlySet<string>;
}

/** The call of the plan that was seen; undefined where the plan has no such call. */
export function plannedCall({ plan }: Judging, index: number): PlannedCall | undefined {
  return plan.calls[index];
}
