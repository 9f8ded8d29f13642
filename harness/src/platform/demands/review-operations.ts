import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { DemandRecordClass, DemandScope, PlatformAnswer } from '@hopback/sdk/platform';
import type { OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { countVolume } from '../domain/demands/restraint-package.js';
import { narrowed, scopeMatcher } from '../domain/demands/scope.js';
import { reviewClock, reviewFindings, reviewOrder } from '../domain/demands/review-findings.js';
import type { ClockedDemand, ReviewEstimate } from '../domain/demands/review-findings.js';
import type { Producible } from '../domain/demands/produced-rows.js';
import type { DemandParts, DemandRow } from './demand-rows.js';
import { approvedScope, demandRow, maySee, openedBy, resolvedScope, tablesOf, wireDemand } from './demand-rows.js';
import { producibles } from './sources.js';
import type { ContinuingBody } from './routes.schema.js';

/** Demands that a reviewer is shown at once: a week of the busiest year that a traceback group has had, many times over. */
const QUEUE_ITEMS = 200;
/** Items of a class that are counted for an estimate: to count more takes longer than somebody waits. */
const COUNTED_ITEMS = 20_000;
/** Productions of one demand that the contract has room for. */
export const MAX_PRODUCTIONS = 100;
/** Of which supplements may take so many, so that there is room to issue anew. */
export const MAX_SUPPLEMENTS = 80;
const DAY_MS = 86_400_000;

/** What reviewers do beside deciding. */
export function reviewOperations(parts: DemandParts): Operations {
  return {
    listReviewQueue: (call) => reviewQueue(parts, call),
    fetchDemandChecklist: (call) => checklist(parts, call),
    fetchDemandDocument: (call) => document(parts, call),
    claimDemand: (call) => claim(parts, call),
    continueDemand: (call) => continueDemand(parts, call),
  };
}

async function reviewQueue({ context }: DemandParts, { atMs }: OperationCall): Promise<PlatformAnswer> {
  const rows = await tablesOf(context.database)
    .selectFrom('demands_demands')
    .selectAll()
    .where('state', '=', 'under-review')
    .orderBy('is_urgent', 'desc')
    .orderBy('is_live', 'desc')
    .orderBy('place')
    .limit(QUEUE_ITEMS)
    .execute();
  const byId = new Map(rows.map((row) => [row.demand_id, row]));
  const items = reviewOrder(rows.map(clocked)).map((demand) => {
    const row = byId.get(demand.demandId);
    return {
      demandId: demand.demandId,
      organizationId: row?.organization_id,
      kind: row?.kind,
      clock: reviewClock(demand, atMs),
      ...(typeof row?.claimed_by === 'string' && { claimedBy: row.claimed_by }),
    };
  });
  return jsonAnswer({ items });
}

function clocked(row: DemandRow): ClockedDemand {
  return {
    demandId: row.demand_id,
    state: row.state,
    isUrgent: row.is_urgent,
    namesLiveCampaign: row.is_live,
    submittedAtMs: row.submitted_at_ms,
    ...(row.decided_at_ms !== null && { decidedAtMs: row.decided_at_ms }),
    returnOn: row.return_on,
  };
}

async function checklist(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, ports } = parts;
  const { demandId = '' } = call.request.parameters;
  const read = await context.transact(async (transaction) => {
    const row = await demandRow(transaction, demandId);
    if (row === undefined) return undefined;
    const reason = openedBy(call.caller, `demand:${demandId}`);
    const demand = await wireDemand(context, transaction, { row, reason });
    const agency = await ports.organizations.agency(transaction, row.organization_id);
    const unknown = await unknownNames(parts, transaction, demand.scope);
    const resolved = await resolvedScope(parts, transaction, demand.scope);
    return {
      row,
      demand,
      agency,
      unknown: { ...unknown, providers: resolved.unknownProviders },
      scope: resolved.scope,
    };
  });
  if (read === undefined) return problemAnswer('not-found');
  const { row, demand, agency, unknown, scope } = read;
  const estimate: ReviewEstimate = {
    nowMs: call.atMs,
    document: row.document_seen,
    ...(agency !== undefined && { agencyJurisdiction: agency.jurisdiction }),
    unknown,
    ...(await reachOf(parts, scope, call)),
  };
  return jsonAnswer({
    demandId,
    clock: reviewClock(clocked(row), call.atMs),
    findings: reviewFindings(demand, estimate),
    reach: estimate.reach,
    ...(estimate.calls !== undefined && { calls: estimate.calls }),
    ...(row.claimed_by !== null && { claimedBy: row.claimed_by }),
  });
}

/** Names that are looked up for a checklist; the rest is taken to be known. */
const LOOKED_UP = 200;

async function unknownNames(
  { ports }: DemandParts,
  transaction: PlatformTransaction,
  { campaignIds = [], tracebackIds = [] }: DemandScope,
): Promise<{ readonly campaigns: number; readonly tracebacks: number }> {
  let [campaigns, tracebacks] = [0, 0];
  for (const id of campaignIds.slice(0, LOOKED_UP))
    if ((await ports.campaigns.campaign(transaction, id)) === undefined) campaigns += 1;
  for (const id of tracebackIds.slice(0, LOOKED_UP))
    if ((await ports.tracebacks.traceback(transaction, id)) === undefined) tracebacks += 1;
  return { campaigns, tracebacks };
}

/** Classes of which records and reports of one call are: they are counted together, and their calls with them. */
const OF_CALLS: readonly DemandRecordClass[] = ['call-records', 'app-reports'];

/** Counts what a scope reaches up to now, until there is enough of it to know that it is much. */
async function reachOf(
  parts: DemandParts,
  scope: DemandScope,
  call: OperationCall,
): Promise<Pick<ReviewEstimate, 'reach' | 'calls'>> {
  const ofCalls = scope.recordClasses.filter((one) => OF_CALLS.includes(one));
  const others = scope.recordClasses.filter((one) => !OF_CALLS.includes(one));
  const volume = countVolume();
  let reach: ReviewEstimate['reach'] = {};
  for (const recordClass of others)
    reach = { ...reach, ...(await reachOfClasses(parts, { scope, call }, [recordClass])) };
  if (ofCalls.length === 0) return { reach };
  const counted = await reachOfClasses(parts, { scope, call }, ofCalls, volume.add);
  const { calls, carrierRecords, appReports } = volume.counted().volume;
  const isAtLeast = Object.values(counted).some((one) => one.isAtLeast);
  return { reach: { ...reach, ...counted }, calls: { calls, carrierRecords, appReports, isAtLeast } };
}

async function reachOfClasses(
  parts: DemandParts,
  { scope, call }: { readonly scope: DemandScope; readonly call: OperationCall },
  recordClasses: readonly DemandRecordClass[],
  reached: (produced: Producible) => void = () => undefined,
): Promise<ReviewEstimate['reach']> {
  const counts = new Map(recordClasses.map((one) => [one, { items: 0, isAtLeast: false }]));
  const until = new Date(call.atMs).toISOString();
  const within = narrowed({ ...scope, recordClasses }, { ...scope, recordClasses, to: until });
  if (within !== undefined && !call.signal.aborted) {
    const matches = scopeMatcher(within);
    let seen = 0;
    for await (const produced of producibles(parts, { scope: within, asOfMs: call.atMs })) {
      seen += 1;
      const count = counts.get(produced.item.recordClass);
      if (count !== undefined && matches(produced.item)) {
        count.items += 1;
        reached(produced);
      }
      if (seen < COUNTED_ITEMS * recordClasses.length && !call.signal.aborted) continue;
      for (const one of counts.values()) one.isAtLeast = true;
      break;
    }
  }
  return Object.fromEntries(counts);
}

async function document({ context, ports }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { demandId = '' } = call.request.parameters;
  const { organizationId, clientId } = call.caller;
  const row = await context.transact(async (transaction) => {
    const found = await demandRow(transaction, demandId);
    if (found === undefined || !maySee(call.caller, found.organization_id)) return undefined;
    await context.audit(transaction, {
      ...{ action: 'demand.document-read', organizationId, actor: clientId, object: `demand:${demandId}` },
      details: { documentSha256: found.document_sha256 },
    });
    return found;
  });
  const bytes = row === undefined ? undefined : await ports.files.read(demandId, row.document_sha256);
  return bytes === undefined ? problemAnswer('not-found') : { kind: 'file', bytes, mediaType: 'application/pdf' };
}

/** Says who reviews it: the last one who said so does. */
function claim({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { demandId = '' } = call.request.parameters;
  const { organizationId, clientId, name } = call.caller;
  return context.transact(async (transaction) => {
    const row = await demandRow(transaction, demandId);
    if (row === undefined) return problemAnswer('not-found');
    if (row.state !== 'under-review') return problemAnswer('demand-not-open');
    await tablesOf(transaction)
      .updateTable('demands_demands')
      .set({ claimed_by: name, claimed_at_ms: call.atMs })
      .where('demand_id', '=', demandId)
      .execute();
    await context.audit(transaction, {
      ...{ action: 'demand.claimed', organizationId, actor: clientId, object: `demand:${demandId}` },
      details: { before: row.claimed_by },
    });
    return jsonAnswer({ demandId, claimedBy: name, claimedAt: new Date(call.atMs).toISOString() });
  });
}

/** Has a court order go on: its production is supplemented until its end. */
function continueDemand(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context } = parts;
  const { demandId = '' } = call.request.parameters;
  const body = call.request.body as ContinuingBody;
  const { organizationId, clientId } = call.caller;
  return context.transact(async (transaction) => {
    const row = await demandRow(transaction, demandId);
    if (row === undefined) return problemAnswer('not-found');
    if (row.kind !== 'court-order') return conflict('Only a court order can reach what is yet to come.');
    if (row.decided_at_ms === null || row.state === 'rejected' || row.state === 'withdrawn')
      return conflict('It has to be approved first.');
    const reason = openedBy(call.caller, `demand:${demandId}`);
    const demand = await wireDemand(context, transaction, { row, reason });
    const endMs = Date.parse(approvedScope(demand)?.to ?? '');
    const untilMs = Date.parse(body.until);
    if (!(untilMs > call.atMs) || !(untilMs <= endMs))
      return problemAnswer('invalid-body', { errors: [{ pointer: '/until', code: 'not-within-scope' }] });
    const everyMs = Math.max(body.everyHours * 3_600_000, Math.ceil((untilMs - call.atMs) / MAX_SUPPLEMENTS));
    await tablesOf(transaction)
      .updateTable('demands_demands')
      .set({ continuing_until_ms: untilMs, continuing_every_ms: everyMs, supplemented_at_ms: call.atMs })
      .where('demand_id', '=', demandId)
      .execute();
    await context.audit(transaction, {
      ...{ action: 'demand.continued', organizationId, actor: clientId, object: `demand:${demandId}` },
      details: { until: body.until, everyMs },
    });
    return jsonAnswer({ demandId, until: body.until, everyHours: Math.round((everyMs / 3_600_000) * 100) / 100 });
  });
}

/** Longest that a production can be fetched for: a quarter, after which it is issued anew under a fresh look. */
export const LONGEST_RETRIEVAL_MS: number = 92 * DAY_MS;

/** What is there already does not allow it. */
export const conflict = (detail: string): PlatformAnswer => problemAnswer('conflict', { detail });
