import { hash } from 'node:crypto';
import type { Demand, DemandScope, DemandSubmission, WireBodies, Production } from '@hopback/sdk/platform';
import type { PlatformProblem, PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, MAX_DEMAND_DOCUMENT_BYTES, jsonAnswer, demandScopeRefusal } from '@hopback/sdk/internal';
import type { OperationCall } from '../core/index.js';
import { actorOf, iso, sealJson, workThrough } from '../database/index.js';
import type { PdfObservations } from '../domain/demands/review-findings.js';
import { classesBeyond, priorityOf, priorityRank, readPdf, reviewFindings } from '../domain/demands/review-findings.js';
import { widerMembers } from '../domain/demands/scope.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { DemandParts, DemandRow } from './demand-rows.js';
import { DemandWork, namesLiveCampaign } from './demand-rows.js';
import { endHold, placeHold } from './holds.js';
import { ofDemand } from './review-operations.js';
import { DECISIONS, DEMANDS, PRODUCTIONS, tablesOf } from './tables.js';

type DemandDecision = Demand['decisions'][number];
type DemandDecisionRequest = WireBodies['DemandDecisionRequest'];
type ProductionState = Production['state'];

/**
 * Takes a demand in: its document is on the disk, encrypted, before the transaction that names it, and both are before it is acknowledged. The
 * same key with the same content is the same demand, whenever it comes again.
 */
export function submitDemand(parts: DemandParts): (call: OperationCall) => Promise<PlatformAnswer> {
  return async (call) => {
    const submission = call.request.body as DemandSubmission;
    const document = call.request.document ?? new Uint8Array();
    if (document.length > MAX_DEMAND_DOCUMENT_BYTES) return problemAnswer('too-large');
    const read = documentOf(submission, document);
    if (read.status === 'refused') return read.problem;
    const refusal = demandScopeRefusal(submission.scope);
    if (refusal !== undefined) return refusal;
    const keyHash = hash('sha256', call.request.parameters['Idempotency-Key'] ?? '', 'hex');
    const requestHash = hash('sha256', JSON.stringify(submission), 'hex');
    const earlier = await repeated(parts, call, { keyHash, requestHash });
    if (earlier !== undefined) return earlier;
    const demandId = parts.context.newId('d');
    await parts.ports.files.put(demandId, document);
    try {
      return await parts.context.transact(async (transaction) => {
        const work = new DemandWork(parts, transaction, actorOf(call));
        await insertDemand(work, {
          call,
          submission,
          demandId,
          keyHash,
          requestHash,
          seen: read.seen,
        });
        return demandAnswer(work, demandId);
      });
    } catch (error) {
      // Another attempt under the same key was quicker. What was put for this one goes with the job that removes what nobody names.
      const quicker = await repeated(parts, call, { keyHash, requestHash });
      if (quicker !== undefined) return quicker;
      throw error;
    }
  };
}

type DocumentReading =
  | { readonly status: 'read'; readonly seen: PdfObservations }
  | { readonly status: 'refused'; readonly problem: PlatformAnswer };

function documentOf({ documentSha256 }: DemandSubmission, document: Uint8Array): DocumentReading {
  const reading = readPdf(document);
  if (reading.status === 'unreadable') {
    const detail = `The document is no PDF: ${reading.reason}.`;
    return { status: 'refused', problem: problemAnswer('document-unreadable', { detail }) };
  }
  if (hash('sha256', document, 'hex') !== documentSha256) {
    const detail = 'The octets of the document do not have the SHA-256 that documentSha256 states.';
    return { status: 'refused', problem: problemAnswer('document-unreadable', { detail }) };
  }
  return { status: 'read', seen: reading.observations };
}

interface SubmissionKey {
  readonly keyHash: string;
  readonly requestHash: string;
}

async function repeated(
  parts: DemandParts,
  call: OperationCall,
  { keyHash, requestHash }: SubmissionKey,
): Promise<PlatformAnswer | undefined> {
  return parts.context.transact(async (transaction) => {
    const work = new DemandWork(parts, transaction, actorOf(call));
    const row = await work.tables
      .selectFrom('demands_demands')
      .select(['demand_id', 'request_hash'])
      .where('client_id', '=', call.caller.clientId)
      .where('key_hash', '=', keyHash)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.request_hash !== requestHash) return problemAnswer('idempotency-key-reused');
    return demandAnswer(work, row.demand_id);
  });
}

interface NewDemand extends SubmissionKey {
  readonly call: OperationCall;
  readonly submission: DemandSubmission;
  readonly demandId: string;
  readonly seen: PdfObservations;
}

async function insertDemand(work: DemandWork, given: NewDemand): Promise<void> {
  const { context, transaction, by } = work;
  const { call, submission, demandId, seen } = given;
  const { kind, documentSha256, scope, isUrgent } = submission;
  const sealed = await sealJson(context, transaction, { value: submission, belongsTo: `demand:${demandId}` });
  await DEMANDS.add(transaction, {
    demand_id: demandId,
    organization_id: by.organizationId,
    client_id: by.actor,
    key_hash: given.keyHash,
    request_hash: given.requestHash,
    state: 'under-review',
    kind,
    is_urgent: isUrgent,
    is_live: await namesLiveCampaign(work.parts, transaction, scope.campaignIds),
    record_classes: JSON.stringify(scope.recordClasses),
    campaign_ids: JSON.stringify(scope.campaignIds ?? []),
    return_on: submission.returnOn,
    submitted_at_ms: call.atMs,
    document_sha256: documentSha256,
    document_size: seen.sizeBytes,
    document_seen: JSON.stringify(seen),
    submission: JSON.stringify(sealed),
  });
  await placeHold(transaction, { demandId, organizationId: by.organizationId, scope });
  const details = {
    kind,
    documentSha256,
    recordClasses: scope.recordClasses,
    isUrgent,
  };
  await work.audit('demand.submitted', `demand:${demandId}`, details);
}

async function demandAnswer(work: DemandWork, demandId: string): Promise<PlatformAnswer> {
  const row = await work.demandRow(demandId);
  return row === undefined ? problemAnswer('not-found') : jsonAnswer(await work.demand(row));
}

/**
 * Approves, narrows or rejects a demand. What is approved never reaches further than what was demanded, nor further than its kind of process does;
 * with the decision the production is ordered, in one transaction.
 */
export function decideDemand(parts: DemandParts): (call: OperationCall) => Promise<PlatformAnswer> {
  return ofDemand(parts, async (work, row, call) => {
    const asked = call.request.body as DemandDecisionRequest;
    if (row.state !== 'under-review') return problemAnswer('demand-not-open');
    const demand = await work.demand(row);
    const refused = refusalOf(demand, asked, call.atMs);
    if (refused !== undefined) return refused;
    await carryOut(work, row, asked, call);
    return demandAnswer(work, row.demand_id);
  });
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

async function carryOut(
  work: DemandWork,
  row: DemandRow,
  asked: DemandDecisionRequest,
  { caller, atMs }: OperationCall,
): Promise<void> {
  const { context, transaction } = work;
  const { demand_id: demandId, organization_id: organizationId } = row;
  const decision: DemandDecision = {
    ...asked,
    decisionId: context.newId('dd'),
    decidedBy: caller.name,
    decidedAt: iso(atMs),
  };
  await enterDecision(work, { row, decision, atMs, to: [] });
  if (decision.decision === 'reject') return endHold(transaction, { demandId, atMs });
  if (decision.decision === 'narrow') await placeHold(transaction, { demandId, organizationId, scope: decision.scope });
  await orderProduction(work, { row, decisionId: decision.decisionId, kind: 'first', atMs });
  return context.announce(transaction, { type: 'demand.approved', subject: demandId, data: { demandId } });
}

/** A decision that was taken. */
interface EnteredDecision {
  readonly row: DemandRow;
  readonly decision: DemandDecision;
  readonly atMs: number;
  /** Organizations that are told beside the agency. */
  readonly to: readonly string[];
}

/** Enters a decision: the demand stands as it says, the audit has it, and the agency is told. */
async function enterDecision(work: DemandWork, { row, decision, atMs, to }: EnteredDecision): Promise<void> {
  const { context, transaction, by } = work;
  const demandId = row.demand_id;
  const sealed = await sealJson(context, transaction, { value: decision, belongsTo: `demand:${demandId}` });
  await DECISIONS.add(transaction, {
    decision_id: decision.decisionId,
    demand_id: demandId,
    decided_at_ms: atMs,
    decision: decision.decision,
    client_id: by.actor,
    content: JSON.stringify(sealed),
  });
  const state = ({ approve: 'approved', narrow: 'narrowed', reject: 'rejected' } as const)[decision.decision];
  await DEMANDS.set(transaction, demandId, { state, decided_at_ms: atMs });
  const details = { decisionId: decision.decisionId, decision: decision.decision };
  await work.audit('demand.decided', `demand:${demandId}`, details);
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
interface ProductionOrder {
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
  { parts, context, transaction }: DemandWork,
  { row, decisionId, kind, atMs, fromMs }: ProductionOrder,
): Promise<string> {
  const productionId = context.newId('p');
  const namesLive = row.is_live || (await namesLiveCampaign(parts, transaction, row.campaign_ids));
  const priority = priorityOf({ isUrgent: row.is_urgent, namesLiveCampaign: namesLive });
  await PRODUCTIONS.add(transaction, {
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
  });
  return productionId;
}

/** Demands that are read at once. */
const ROWS_AT_ONCE = 50;

/** Ends productions of a demand: what is being prepared is given up, and what can be fetched is fetched no more. */
export async function withdrawProductions(
  { tables }: DemandWork,
  options: {
    readonly demandId: string;
    readonly atMs: number;
    readonly states: readonly ProductionState[];
  },
): Promise<void> {
  const { demandId, atMs, states } = options;
  await tables
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
    context: parts.context,
    job: 'demands.unusable',
    nowMs,
    idOf: (demandId: string) => demandId,
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
    work: (demandId) =>
      parts.context.transact((transaction) => closeOne(new DemandWork(parts, transaction), demandId, nowMs)),
  });
}

async function closeOne(work: DemandWork, demandId: string, nowMs: number): Promise<void> {
  const row = await work.demandRow(demandId);
  if (row === undefined) return;
  if (row.state === 'withdrawn' || row.state === 'rejected')
    return endHold(work.transaction, { demandId, atMs: nowMs });
  const { scope } = await work.demand(row);
  await withdrawProductions(work, { demandId, atMs: nowMs, states: ['in-preparation'] });
  const refusal = demandScopeRefusal(scope);
  if (refusal === undefined) await reviewAnew(work, row, scope);
  else await reject(work, row, refusal.detail ?? '', nowMs);
}

async function reject(work: DemandWork, row: DemandRow, detail: string, nowMs: number): Promise<void> {
  const { parts, context, transaction } = work;
  const demandId = row.demand_id;
  const decision: DemandDecision = {
    decision: 'reject',
    reason: `The platform closed the demand because its scope is unusable. ${detail} Submit the demand again with the right dates.`,
    decisionId: context.newId('dd'),
    decidedBy: 'platform',
    decidedAt: iso(nowMs),
  };
  const to = await parts.ports.organizations.staff(transaction);
  await enterDecision(work, { row, decision, atMs: nowMs, to });
  await DEMANDS.set(transaction, demandId, { continuing_until_ms: null });
  await endHold(transaction, { demandId, atMs: nowMs });
}

async function reviewAnew(work: DemandWork, row: DemandRow, scope: DemandScope): Promise<void> {
  const { context, transaction } = work;
  const { demand_id: demandId, organization_id: organizationId } = row;
  const subject = `demand:${demandId}`;
  await placeHold(transaction, { demandId, organizationId, scope });
  const reopened = { state: 'under-review', decided_at_ms: null, continuing_until_ms: null } as const;
  await DEMANDS.set(transaction, demandId, reopened);
  await work.audit('demand.reopened', subject, { reason: 'narrowed-scope-unusable', before: row.state });
  await context.announce(transaction, {
    type: 'platform.fault',
    subject,
    data: {
      subject,
      fault: 'demands.narrowed-scope',
      organizationId,
      title: `Demand ${demandId} is under review again`,
      summary:
        'The last decision narrowed the demand to a scope that does not end later than it begins, so nothing can be held or produced under it. The platform holds what was demanded, and a reviewer decides again.',
    },
  });
}
