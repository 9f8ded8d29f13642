import type { DemandDecision, DemandScope, ProductionState } from '@hopback/sdk/platform';
import { demandScopeRefusal } from '@hopback/sdk/platform';
import type { PlatformTransaction } from '../core/index.js';
import { workThrough } from '../database/index.js';
import { enterDecision } from './decide-demand.js';
import { PLATFORM_ACTOR, tablesOf, type DemandParts } from './demand-area.js';
import { demandRow, wireDemand, type DemandRow } from './demand-rows.js';
import { endHold, placeHold } from './holds.js';

/** Demands that are read at once. */
const ROWS_AT_ONCE = 50;

/** Ends productions of a demand: what is being prepared is given up, and what can be fetched is fetched no more. */
export async function withdrawProductions(
  transaction: PlatformTransaction,
  options: { readonly demandId: string; readonly atMs: number; readonly states: readonly ProductionState[] },
): Promise<void> {
  const { demandId, atMs, states } = options;
  await tablesOf(transaction)
    .updateTable('demands_productions')
    .set({ state: 'expired', phase: 'withdrawn', expires_at_ms: atMs })
    .where('demand_id', '=', demandId)
    .where('state', 'in', states)
    .execute();
}

/**
 * Closes demands that an earlier release took although their scope does not end later than it begins: nothing can be held or produced for them. The
 * agency and staff are told with the decision. Where only the decision of a reviewer narrowed the scope so, the demand is reviewed anew, and
 * what it demanded is held meanwhile.
 */
export async function closeUnusable(parts: DemandParts, nowMs: number): Promise<void> {
  await workThrough({
    ...{ context: parts.context, job: 'demands.unusable', nowMs, idOf: (demandId: string) => demandId },
    page: async (after = '') => {
      const rows = await tablesOf(parts.context.database)
        .selectFrom('demands_holds')
        .select('demand_id')
        .where('ended_at_ms', 'is', null)
        .whereRef('from_ms', '>=', 'to_ms')
        .where('demand_id', '>', after)
        .orderBy('demand_id')
        .limit(ROWS_AT_ONCE)
        .execute();
      return rows.map((row) => row.demand_id);
    },
    work: (demandId) => closeOne(parts, demandId, nowMs),
  });
}

async function closeOne(parts: DemandParts, demandId: string, nowMs: number): Promise<void> {
  const { context } = parts;
  await context.transact(async (transaction) => {
    const row = await demandRow(transaction, demandId);
    if (row === undefined) return;
    if (row.state === 'withdrawn' || row.state === 'rejected') return endHold(transaction, { demandId, atMs: nowMs });
    const object = `demand:${demandId}`;
    const { scope } = await wireDemand(context, transaction, { row, reason: { ...PLATFORM_ACTOR, object } });
    await withdrawProductions(transaction, { demandId, atMs: nowMs, states: ['in-preparation'] });
    const refusal = demandScopeRefusal(scope);
    return refusal === undefined
      ? reviewAnew(parts, transaction, { row, scope })
      : reject(parts, transaction, { row, detail: refusal.detail ?? '', nowMs });
  });
}

async function reject(
  parts: DemandParts,
  transaction: PlatformTransaction,
  { row, detail, nowMs }: { readonly row: DemandRow; readonly detail: string; readonly nowMs: number },
): Promise<void> {
  const { context, ports } = parts;
  const decision: DemandDecision = {
    decision: 'reject',
    reason: `The platform closed the demand because its scope is unusable. ${detail} Submit the demand again with the right dates.`,
    ...{ decisionId: context.newId('dd'), decidedBy: 'platform', decidedAt: new Date(nowMs).toISOString() },
  };
  const to = await ports.organizations.staff(transaction);
  const by = { organizationId: PLATFORM_ACTOR.organizationId, clientId: PLATFORM_ACTOR.actor };
  await enterDecision(parts, transaction, { row, decision, atMs: nowMs, ...by, to });
  await tablesOf(transaction)
    .updateTable('demands_demands')
    .set({ continuing_until_ms: null })
    .where('demand_id', '=', row.demand_id)
    .execute();
  await endHold(transaction, { demandId: row.demand_id, atMs: nowMs });
}

async function reviewAnew(
  { context }: DemandParts,
  transaction: PlatformTransaction,
  { row, scope }: { readonly row: DemandRow; readonly scope: DemandScope },
): Promise<void> {
  const { demand_id: demandId, organization_id: organizationId } = row;
  const subject = `demand:${demandId}`;
  await placeHold(transaction, { demandId, organizationId, scope });
  await tablesOf(transaction)
    .updateTable('demands_demands')
    .set({ state: 'under-review', decided_at_ms: null, continuing_until_ms: null })
    .where('demand_id', '=', demandId)
    .execute();
  await context.audit(transaction, {
    ...{ ...PLATFORM_ACTOR, action: 'demand.reopened', object: subject },
    details: { reason: 'narrowed-scope-unusable', before: row.state },
  });
  await context.announce(transaction, {
    type: 'platform.fault',
    subject,
    data: {
      ...{ subject, fault: 'demands.narrowed-scope', organizationId },
      title: `Demand ${demandId} is under review again`,
      summary:
        'The last decision narrowed the demand to a scope that does not end later than it begins, so nothing can be held or produced under it. The platform holds what was demanded, and a reviewer decides again.',
    },
  });
}
