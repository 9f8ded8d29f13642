import { jsonAnswer, problemAnswer } from '../../platform/index.js';
import type { DemandDecisionRequest, DemandSubmission } from '../../platform/index.js';
import type { DemandDesk, HeldDemand } from './demand-desk.js';
import { paged } from './kit-call.js';
import type { KitCall, KitHandler } from './kit-call.js';

/** What the platform does at the operations of agencies, and of whoever reviews. */
export function demandHandlers({
  demands,
  changed,
}: {
  readonly demands: DemandDesk;
  readonly changed: () => void;
}): Readonly<Record<string, KitHandler>> {
  /** Those of others are none to an agency. */
  const demandOf = (call: KitCall): HeldDemand | undefined => {
    const held = demands.demand(call.request.parameters['demandId'] ?? '');
    return held !== undefined && maySee(held, call) ? held : undefined;
  };
  const productionOf = (call: KitCall): ReturnType<DemandDesk['production']> => {
    const found = demands.production(call.request.parameters['productionId'] ?? '');
    return found !== undefined && maySee(found.held, call) ? found : undefined;
  };
  return {
    submitDemand: ({ request, clientId }) => {
      const answer = demands.submit(request.body as DemandSubmission, request.document ?? new Uint8Array(), clientId);
      changed();
      return answer;
    },
    listDemands: (call) => {
      const { state } = call.request.parameters;
      const shown = demands
        .demands()
        .filter((held) => maySee(held, call) && (state === undefined || held.item.state === state));
      return paged(
        shown.map(({ place, item }) => ({ place, item })),
        call,
        'newest-first',
      );
    },
    fetchDemand: (call) => {
      const held = demandOf(call);
      return held === undefined ? problemAnswer('not-found') : jsonAnswer(held.item);
    },
    decideDemand: (call) => {
      const { demandId = '' } = call.request.parameters;
      const answer = demands.decide(demandId, call.request.body as DemandDecisionRequest, call.clientId);
      changed();
      return answer;
    },
    fetchProduction: (call) => {
      const found = productionOf(call);
      return found === undefined ? problemAnswer('not-found') : jsonAnswer(found.production);
    },
    fetchProductionFile: (call) => {
      const found = productionOf(call);
      if (found === undefined) return problemAnswer('not-found');
      return demands.file(found.production.productionId, call.request.parameters['name'] ?? '');
    },
  };
}

function maySee({ submittedBy }: HeldDemand, { clientId, scopes }: KitCall): boolean {
  return scopes.includes('staff') || submittedBy === clientId;
}
