import type { DemandCoverage, PlatformArea, PlatformContext } from '../core/index.js';
import { agencyOperations, productionOperations } from './agency-operations.js';
import { decideDemand, submitDemand } from './decide-demand.js';
import type { DemandLimits, DemandParts, DemandPorts } from './demand-rows.js';
import { createDemandCoverage, DEFAULT_DEMAND_LIMITS } from './demand-rows.js';
import { demandJobs } from './jobs.js';
import { reviewOperations } from './review-operations.js';
import { DEMAND_OPERATOR_ROUTES } from './routes.js';
import { DEMAND_BODY_SCHEMAS } from './routes.schema.js';

/** The area, and what others have of it. */
export interface DemandsArea extends PlatformArea {
  readonly coverage: DemandCoverage;
}

/**
 * Makes the area of demands and productions: agencies submit legal process, staff reviews it, and what was approved is produced, sealed and handed
 * over. Its jobs do the work; everything that was acknowledged is done after a crash.
 * @param ports - other areas, files, keys and who operates the platform
 * @param limits - what an operator may set
 * @see 18 USC 2702, 2703 for what may be produced under which process
 */
export function createDemandsArea(
  context: PlatformContext,
  ports: DemandPorts,
  limits: Partial<DemandLimits> = {},
): DemandsArea {
  const parts: DemandParts = { context, ports, limits: { ...DEFAULT_DEMAND_LIMITS, ...limits } };
  return {
    name: 'demands',
    routes: DEMAND_OPERATOR_ROUTES,
    schemas: DEMAND_BODY_SCHEMAS,
    operations: {
      submitDemand: submitDemand(parts),
      decideDemand: decideDemand(parts),
      ...agencyOperations(parts),
      ...productionOperations(parts),
      ...reviewOperations(parts),
    },
    coverage: createDemandCoverage(parts),
    jobs: demandJobs(parts),
    reactions: {},
  };
}
