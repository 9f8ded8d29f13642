import { demandScopeRefusal, jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type {
  Demand,
  DemandDecision,
  DemandDecisionRequest,
  DemandScope,
  PlatformAnswer,
  PlatformProblem,
} from '@hopback/sdk/platform';
import type { OperationCall, PlatformTransaction } from '../core/index.js';
import { sealJson } from '../database/index.js';
import { classesBeyond, priorityOf, priorityRank, reviewFindings, widerMembers } from '../domain/demands/index.js';
import { textWithoutNumbers } from '../domain/records/index.js';
import { tablesOf, type DemandParts } from './demand-area.js';
import { demandRow, openedBy, wireDemand, type DemandRow } from './demand-rows.js';
import { endHold, placeHold } from './holds.js';
import { namesLiveCampaign } from './named.js';

/**
 * Approves, narrows or rejects a demand. What is approved never reaches further than what was demanded, nor further than its kind of process does;
 * with the decision the production is ordered, in one transaction.
 */
export function decideDemand(parts: DemandParts): (call: OperationCall) => Promise<PlatformAnswer> {
  return (call) => {
    const { demandId = '' } = call.request.parameters;
    const asked = call.request.body as DemandDecisionRequest;
    return parts.context.transact(async (transaction) => {
      const row = await demandRow(transaction, demandId);
      if (row === undefined) return problemAnswer('not-found');
      if (row.state !== 'under-review') return problemAnswer('demand-not-open');
      const reason = openedBy(call.caller, `demand:${demandId}`);
      const demand = await wireDemand(parts.context, transaction, { row, reason });
      const refused = refusalOf(demand, asked, call.atMs);
      if (refused !== undefined) return refused;
      await carryOut(parts, transaction, { call, row, demand, asked });
      const decided = await demandRow(transaction, demandId);
      return jsonAnswer(await wireDemand(parts.context, transaction, { row: decided ?? row, reason }));
    });
  };
}

/** Why a decision cannot be taken as it is. */
function refusalOf(demand: Demand, asked: DemandDecisionRequest, nowMs: number): PlatformProblem | undefined {
  if (asked.decision === 'reject') return undefined;
  const scope = asked.decision === 'narrow' ? asked.scope : demand.scope;
  const unusable = asked.decision === 'narrow' ? demandScopeRefusal(scope) : undefined;
  if (unusable !== undefined) return unusable;
  const errors = [
    ...(asked.decision === 'narrow'
      ? widerMembers(demand.scope, scope).map((member) => ({
          pointer: `/scope/${member}`,
          code: 'wider-than-demanded',
        }))
      : []),
    ...(classesBeyond(demand.kind, scope.recordClasses).length > 0
      ? [{ pointer: asked.decision === 'narrow' ? '/scope/recordClasses' : '/decision', code: 'needs-court-order' }]
      : []),
    ...barredSteps(demand, scope, nowMs).map((code) => ({ pointer: '/decision', code })),
  ];
  if (errors.length === 0) return undefined;
  const detail =
    'It cannot be approved so: narrow it to what was demanded and what its kind of process reaches, or reject it.';
  return problemAnswer('invalid-body', { detail, errors });
}

/** Steps of the checklist that leave nobody a choice, whatever is estimated. */
function barredSteps(demand: Demand, scope: DemandScope, nowMs: number): readonly string[] {
  const document = { version: '', sizeBytes: demand.documentSizeBytes, notes: [] };
  const unknown = { campaigns: 0, tracebacks: 0, providers: 0 };
  return reviewFindings({ ...demand, scope }, { nowMs, document, unknown, reach: {} })
    .filter(({ result, step }) => result === 'bars' && step !== 'process')
    .map(({ step, reason }) => `${step}-${reason}`);
}

interface DecisionToCarryOut {
  readonly call: OperationCall;
  readonly row: DemandRow;
  readonly demand: Demand;
  readonly asked: DemandDecisionRequest;
}

async function carryOut(
  parts: DemandParts,
  transaction: PlatformTransaction,
  given: DecisionToCarryOut,
): Promise<void> {
  const { context } = parts;
  const { call, row, demand, asked } = given;
  const { demandId } = demand;
  const decision: DemandDecision = {
    ...asked,
    decisionId: context.newId('dd'),
    decidedBy: call.caller.name,
    decidedAt: new Date(call.atMs).toISOString(),
  };
  const { organizationId, clientId } = call.caller;
  await enterDecision(parts, transaction, { row, decision, atMs: call.atMs, organizationId, clientId, to: [] });
  if (decision.decision === 'reject') return endHold(transaction, { demandId, atMs: call.atMs });
  if (decision.decision === 'narrow')
    await placeHold(transaction, { demandId, organizationId: row.organization_id, scope: decision.scope });
  await orderProduction(parts, transaction, { row, decisionId: decision.decisionId, kind: 'first', atMs: call.atMs });
  return context.announce(transaction, { type: 'demand.approved', subject: demandId, data: { demandId } });
}

/** A decision that was taken, and by whom. */
interface EnteredDecision {
  readonly row: DemandRow;
  readonly decision: DemandDecision;
  readonly atMs: number;
  readonly organizationId: string;
  readonly clientId: string;
  /** Organizations that are told beside the agency. */
  readonly to: readonly string[];
}

/** Enters a decision: the demand stands as it says, the audit has it, and the agency is told. */
export async function enterDecision(
  { context }: DemandParts,
  transaction: PlatformTransaction,
  { row, decision, atMs, organizationId, clientId, to }: EnteredDecision,
): Promise<void> {
  const demandId = row.demand_id;
  const sealed = await sealJson(context, transaction, { value: decision, belongsTo: `demand:${demandId}` });
  const tables = tablesOf(transaction);
  await tables
    .insertInto('demands_decisions')
    .values({
      decision_id: decision.decisionId,
      demand_id: demandId,
      decided_at_ms: atMs,
      decision: decision.decision,
      client_id: clientId,
      content: JSON.stringify(sealed),
    })
    .execute();
  const state = ({ approve: 'approved', narrow: 'narrowed', reject: 'rejected' } as const)[decision.decision];
  await tables
    .updateTable('demands_demands')
    .set({ state, decided_at_ms: atMs })
    .where('demand_id', '=', demandId)
    .execute();
  await context.audit(transaction, {
    ...{ action: 'demand.decided', organizationId, actor: clientId, object: `demand:${demandId}` },
    details: { decisionId: decision.decisionId, decision: decision.decision },
  });
  await context.tell(transaction, {
    type: 'org.hopback.demand.decided.1',
    subject: demandId,
    data: { demandId, decision: toldDecision(decision) },
    to: [row.organization_id, ...to],
  });
}

/** Events lie in the database and go out by webhook: numbers stay out of them, and are in the demand for whoever may fetch it. */
function toldDecision(decision: DemandDecision): DemandDecision {
  if (decision.decision !== 'narrow') return { ...decision, reason: textWithoutNumbers(decision.reason) };
  const { callingNumbers, calledNumbers, ...scope } = decision.scope;
  const isCut = callingNumbers !== undefined || calledNumbers !== undefined;
  const reason = textWithoutNumbers(decision.reason);
  const said = 'The scope is narrowed to telephone numbers, too, which stand in the demand and are not in this event.';
  return { ...decision, scope, reason: isCut ? `${said} ${reason}`.slice(0, 8_192) : reason };
}

/** A production to be made. */
export interface ProductionOrder {
  readonly row: DemandRow;
  readonly decisionId: string;
  readonly kind: 'first' | 'supplement' | 're-issue';
  readonly atMs: number;
  /** From when on calls are in it, where it supplements another. */
  readonly fromMs?: number;
}

/**
 * Orders a production; the job makes it. One of an urgent demand that names a live campaign comes before all others, and has what a motion for a
 * temporary restraining order rests on.
 * @returns its id
 */
export async function orderProduction(
  parts: DemandParts,
  transaction: PlatformTransaction,
  { row, decisionId, kind, atMs, fromMs }: ProductionOrder,
): Promise<string> {
  const { context } = parts;
  const productionId = context.newId('p');
  const namesLive = row.is_live || (await namesLiveCampaign(parts, transaction, row.campaign_ids));
  const priority = priorityOf({ isUrgent: row.is_urgent, namesLiveCampaign: namesLive });
  await tablesOf(transaction)
    .insertInto('demands_productions')
    .values({
      production_id: productionId,
      demand_id: row.demand_id,
      decision_id: decisionId,
      organization_id: row.organization_id,
      state: 'in-preparation',
      phase: 'building',
      kind,
      priority: priorityRank(priority),
      with_restraint: priority === 'expedited',
      created_at_ms: atMs,
      from_ms: fromMs ?? null,
      attempts: 0,
      next_try_ms: atMs,
      items: 0,
    })
    .execute();
  return productionId;
}
