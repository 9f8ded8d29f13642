import { HopbackError } from '../../errors.js';
import type { Demand, DemandDecisionRequest, DemandState, Production } from '../../platform/index.js';
import type { Assembly } from './assemble.js';
import type { TestProductionFile } from './demand-desk.js';
import { conforming } from './registry-desk.js';
import { found } from './test-found.js';

/** Demands, as a test conducts them. What it names and is not there is refused with {@link HopbackError} `invalid-argument`. */
export interface TestDemands {
  /** A demand as staff sees it. */
  readonly demand: (demandId: string) => Demand;
  /** Decides about a demand in the place of staff. @throws {@link HopbackError} `request-refused` where it is decided already */
  readonly decideDemand: (demandId: string, decision: DemandDecisionRequest) => Demand;
  /** Begins a production under a demand that was approved or narrowed; its files are not ready yet. */
  readonly prepareProduction: (demandId: string) => Production;
  /** Ends a production, and tells the agency: these files, and a `manifest.json` that lists them; they can be fetched for thirty days. */
  readonly produce: (productionId: string, files: readonly TestProductionFile[]) => Production;
  /** Waits until a demand stands like this. */
  readonly demanded: (demandId: string, state: DemandState) => Promise<Demand>;
}

/** Demands of a platform, for its tests. */
export function demandsOf({ demands, watch, register }: Assembly): TestDemands {
  const demandOf = (demandId: string): Demand => found(demands.demand(demandId), `demand ${demandId}`).item;
  return {
    demand: demandOf,
    decideDemand: (demandId, decision) => {
      demandOf(demandId);
      const [staff = 'Reviewer'] = register.clientsOf('staff');
      const answer = demands.decide(demandId, conforming('DemandDecisionRequest', decision), staff);
      watch.changed();
      if (answer.kind === 'problem')
        throw new HopbackError('request-refused', `the decision is refused: ${answer.code}`, {
          details: { problemCode: answer.code },
        });
      return demandOf(demandId);
    },
    prepareProduction: demands.prepare,
    produce: (productionId, files) => {
      const production = demands.produce(productionId, files);
      watch.changed();
      return production;
    },
    demanded: (demandId, state) =>
      watch.until(() => {
        const demand = demandOf(demandId);
        return demand.state === state ? demand : undefined;
      }),
  };
}
