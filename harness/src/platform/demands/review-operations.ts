import { problemAnswer, jsonAnswer } from '@hopback/sdk/internal';
import type { DemandScope } from '@hopback/sdk/platform';
import type { PlatformAnswer, DemandRecordClass } from '@hopback/sdk/internal';
import type { OperationCall, Operations } from '../core/index.js';
import { countVolume } from '../domain/demands/restraint-package.js';
import { narrowed, scopeMatcher } from '../domain/demands/scope.js';
import { reviewClock, reviewFindings, reviewOrder } from '../domain/demands/review-findings.js';
import type { ClockedDemand, ReviewEstimate } from '../domain/demands/review-findings.js';
import type { Producible } from '../domain/demands/produced-rows.js';
import { actorOf, iso } from '../database/index.js';
import type { DemandParts, DemandRow } from './demand-rows.js';
import { approvedScope, DemandWork, maySee } from './demand-rows.js';
import { producibles } from './sources.js';
import type { ContinuingBody } from './routes.schema.js';
import { DEMANDS, tablesOf } from './tables.js';

/** Demands that a reviewer is shown at once: a week of the busiest year that a traceback group has had, many times over. */
const QUEUE_ITEMS = 200;
/** Items of a class that are counted for an estimate: to count more takes longer than somebody waits. */
const COUNTED_ITEMS = 20_000;
/** Productions of one demand that the contract has room for. */
export const MAX_PRODUCTIONS = 100;
/** Of which supplements may take so many, so that there is room to issue anew. */
export const MAX_SUPPLEMENTS = 80;
const DAY_MS = 86_400_000;

/** Does something in a transaction with the demand that a call names; one that the caller may not see is not there. */
export const ofDemand =
  (
    parts: DemandParts,
    run: (work: DemandWork, row: DemandRow, call: OperationCall) => Promise<PlatformAnswer>,
  ): ((call: OperationCall) => Promise<PlatformAnswer>) =>
  (call) =>
    parts.context.transact(async (transaction) => {
      const work = new DemandWork(parts, transaction, actorOf(call));
      const row = await work.demandRow(call.request.parameters['demandId'] ?? '');
      return row !== undefined && maySee(call.caller, row.organization_id)
        ? run(work, row, call)
        : problemAnswer('not-found');
    });

/** What reviewers do beside deciding. */
export function reviewOperations(parts: DemandParts): Operations {
  return {
    listReviewQueue: (call) => reviewQueue(parts, call),
    fetchDemandChecklist: (call) => checklist(parts, call),
    fetchDemandDocument: (call) => document(parts, call),
    claimDemand: ofDemand(parts, claim),
    continueDemand: ofDemand(parts, continueDemand),
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
  const { demandId = '' } = call.request.parameters;
  const read = await parts.context.transact(async (transaction) => {
    const work = new DemandWork(parts, transaction, actorOf(call));
    const row = await work.demandRow(demandId);
    if (row === undefined) return undefined;
    const demand = await work.demand(row);
    const agency = await parts.ports.organizations.agency(transaction, row.organization_id);
    const unknown = await unknownNames(work, demand.scope);
    const { scope, unknownProviders: providers } = await work.resolved(demand.scope);
    return {
      row,
      demand,
      agency,
      unknown: { ...unknown, providers },
      scope,
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
  { parts: { ports }, transaction }: DemandWork,
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
  const until = iso(call.atMs);
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

async function document(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { demandId = '' } = call.request.parameters;
  const row = await parts.context.transact(async (transaction) => {
    const work = new DemandWork(parts, transaction, actorOf(call));
    const found = await work.demandRow(demandId);
    if (found === undefined || !maySee(call.caller, found.organization_id)) return undefined;
    await work.audit('demand.document-read', `demand:${demandId}`, { documentSha256: found.document_sha256 });
    return found;
  });
  const bytes = row === undefined ? undefined : await parts.ports.files.read(demandId, row.document_sha256);
  return bytes === undefined ? problemAnswer('not-found') : { kind: 'file', bytes, mediaType: 'application/pdf' };
}

/** Says who reviews it: the last one who said so does. */
async function claim(work: DemandWork, row: DemandRow, { caller, atMs }: OperationCall): Promise<PlatformAnswer> {
  const demandId = row.demand_id;
  if (row.state !== 'under-review') return problemAnswer('demand-not-open');
  await DEMANDS.set(work.transaction, demandId, { claimed_by: caller.name, claimed_at_ms: atMs });
  await work.audit('demand.claimed', `demand:${demandId}`, { before: row.claimed_by });
  return jsonAnswer({ demandId, claimedBy: caller.name, claimedAt: iso(atMs) });
}

/** Has a court order go on: its production is supplemented until its end. */
async function continueDemand(work: DemandWork, row: DemandRow, call: OperationCall): Promise<PlatformAnswer> {
  const demandId = row.demand_id;
  const { until, everyHours } = call.request.body as ContinuingBody;
  if (row.kind !== 'court-order') return conflict('Only a court order can cover future records.');
  if (row.decided_at_ms === null || row.state === 'rejected' || row.state === 'withdrawn')
    return conflict('It has to be approved first.');
  const endMs = Date.parse(approvedScope(await work.demand(row))?.to ?? '');
  const untilMs = Date.parse(until);
  if (!(untilMs > call.atMs) || !(untilMs <= endMs))
    return problemAnswer('invalid-body', { errors: [{ pointer: '/until', code: 'not-within-scope' }] });
  const everyMs = Math.max(everyHours * 3_600_000, Math.ceil((untilMs - call.atMs) / MAX_SUPPLEMENTS));
  const order = { continuing_until_ms: untilMs, continuing_every_ms: everyMs, supplemented_at_ms: call.atMs };
  await DEMANDS.set(work.transaction, demandId, order);
  await work.audit('demand.continued', `demand:${demandId}`, { until, everyMs });
  return jsonAnswer({ demandId, until, everyHours: Math.round((everyMs / 3_600_000) * 100) / 100 });
}

/** Longest that a production can be fetched for: a quarter, after which it is issued anew under a fresh look. */
export const LONGEST_RETRIEVAL_MS: number = 92 * DAY_MS;

/** What is there already does not allow it. */
export const conflict = (detail: string): PlatformAnswer => problemAnswer('conflict', { detail });
