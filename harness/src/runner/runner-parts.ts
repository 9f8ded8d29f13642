import type { NetworkPlan } from '../network/plan/index.js';
import type { CallTruth } from '../network/truth/index.js';
import type { World, WorldOptions } from '../network/world/index.js';
import type { OracleReport, RunFacts } from '../oracle/index.js';

/** Whom the runner drives. Tests put a world of their own in the place of the one that speaks SIP. */
export interface RunnerParts {
  readonly openWorld: (options: WorldOptions) => Promise<World>;
  readonly judge: (plan: NetworkPlan, facts: RunFacts) => OracleReport;
  /** What is true of the calls of a plan, by their indexes. */
  readonly truthOf: (plan: NetworkPlan) => (index: number) => CallTruth;
}
