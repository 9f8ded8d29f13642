import { hash } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import { DEFAULT_PAGE_ITEMS, jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { DemandState, PlatformAnswer, Traceback, TracebackOpening } from '@hopback/sdk/platform';
import type { OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { scopeMatches, tracedCall } from '../domain/demands/index.js';
import { isStaff, maySee, tablesOf, type DemandParts } from './demand-area.js';
import { approvedScope, demandRow, openedBy, wireDemand, wireDemands, type DemandRow } from './demand-rows.js';
import { endHold } from './holds.js';
import { withdrawProductions } from './close-unusable.js';
import { resolvedScope } from './named.js';
import { badCursor, placeOf } from './production-operations.js';
import { conflict } from './review-operations.js';
import type { ReasonBody } from './routes.schema.js';

/** Tracebacks that one demand has opened at most: more is a campaign, whose tracebacks are opened for it. */
const MAX_TRACES = 200;

/** What agencies do beside submitting. */
export function agencyOperations(parts: DemandParts): Operations {
  return {
    listDemands: (call) => listDemands(parts, call),
    fetchDemand: (call) => fetchDemand(parts, call),
    withdrawDemand: (call) => withdraw(parts, call),
    traceUnderDemand: (call) => trace(parts, call),
  };
}

function listDemands({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { cursor, limit, state } = call.request.parameters;
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : placeOf(cursor);
  if (before === undefined) return Promise.resolve(badCursor());
  const count = Number(limit ?? DEFAULT_PAGE_ITEMS);
  return context.transact(async (transaction) => {
    let query = tablesOf(transaction)
      .selectFrom('demands_demands')
      .selectAll()
      .where('place', '<', before)
      .orderBy('place', 'desc')
      .limit(count + 1);
    if (!isStaff(call.caller)) query = query.where('organization_id', '=', call.caller.organizationId);
    if (state !== undefined) query = query.where('state', '=', state as DemandState);
    const found = await query.execute();
    const rows = found.slice(0, count);
    const last = rows.at(-1);
    const reason = openedBy(call.caller, 'demands');
    return jsonAnswer({
      items: await wireDemands(context, transaction, { rows, reason }),
      ...(found.length > count && last !== undefined && { nextCursor: String(last.place) }),
    });
  });
}

async function visible(transaction: PlatformTransaction, call: OperationCall): Promise<DemandRow | undefined> {
  const row = await demandRow(transaction, call.request.parameters['demandId'] ?? '');
  return row !== undefined && maySee(call.caller, row.organization_id) ? row : undefined;
}

function fetchDemand({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    const row = await visible(transaction, call);
    if (row === undefined) return problemAnswer('not-found');
    const reason = openedBy(call.caller, `demand:${row.demand_id}`);
    return jsonAnswer(await wireDemand(context, transaction, { row, reason }));
  });
}

/** Takes a demand back: what is being prepared is ended, what can be fetched is fetched no more, what is held is let go. */
function withdraw({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { organizationId, clientId } = call.caller;
  const { reason: why } = call.request.body as ReasonBody;
  return context.transact(async (transaction) => {
    const row = await visible(transaction, call);
    if (row === undefined) return problemAnswer('not-found');
    if (row.state === 'withdrawn' || row.state === 'rejected') return problemAnswer('demand-not-open');
    const demandId = row.demand_id;
    const tables = tablesOf(transaction);
    await tables
      .updateTable('demands_demands')
      .set({ state: 'withdrawn', continuing_until_ms: null })
      .where('demand_id', '=', demandId)
      .execute();
    await withdrawProductions(transaction, { demandId, atMs: call.atMs, states: ['in-preparation', 'ready'] });
    await endHold(transaction, { demandId, atMs: call.atMs });
    await context.audit(transaction, {
      ...{ action: 'demand.withdrawn', organizationId, actor: clientId, object: `demand:${demandId}` },
      details: { before: row.state, reasonChars: why.length },
    });
    const reason = openedBy(call.caller, `demand:${demandId}`);
    return jsonAnswer(await wireDemand(context, transaction, { row: { ...row, state: 'withdrawn' }, reason }));
  });
}

/** Has a call traced under a demand: one that its approved scope reaches, once, however often it is asked for. */
async function trace(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, ports } = parts;
  const opening = call.request.body as TracebackOpening;
  const { organizationId, clientId } = call.caller;
  const startedMs = await recordStartMs(parts, opening);
  const traced = context.transact(async (transaction) => {
    const row = await visible(transaction, call);
    if (row === undefined) return problemAnswer('not-found');
    const reason = openedBy(call.caller, `demand:${row.demand_id}`);
    const demand = await wireDemand(context, transaction, { row, reason });
    const scope = row.state === 'withdrawn' ? undefined : approvedScope(demand);
    if (scope === undefined) return conflict('Calls are traced under a demand that was approved.');
    const resolved = (await resolvedScope(parts, transaction, scope)).scope;
    if (!scopeMatches(resolved, itemOf(opening, { startedMs, atMs: call.atMs })))
      return problemAnswer('invalid-body', { errors: [{ pointer: '/call', code: 'not-within-scope' }] });
    const reasonKey = `demand:${row.demand_id}:${hash('sha256', JSON.stringify(opening), 'hex')}`;
    const tables = tablesOf(transaction);
    const { count } = await tables
      .selectFrom('demands_traces')
      .select((of) => of.fn.countAll<number>().as('count'))
      .where('demand_id', '=', row.demand_id)
      .executeTakeFirstOrThrow();
    if (count >= MAX_TRACES) return conflict('As many calls as one demand can have traced have been.');
    const campaignId = opening.campaign?.campaignId;
    const tracebackId = await ports.tracebacks.open(transaction, {
      ...{ opening, organizationId: row.organization_id, actor: clientId, reasonKey },
      ...(campaignId !== undefined && { campaignId }),
    });
    await tables
      .insertInto('demands_traces')
      .values({ demand_id: row.demand_id, traceback_id: tracebackId, opened_at_ms: call.atMs })
      .onConflict((on) => on.doNothing())
      .execute();
    await context.audit(transaction, {
      ...{ action: 'demand.call-traced', organizationId, actor: clientId, object: `demand:${row.demand_id}` },
      details: { tracebackId },
    });
    return jsonAnswer({ demandId: row.demand_id, tracebackId });
  });
  return traced.catch((error: unknown) => {
    if (!isHopbackError(error) || error.code !== 'invalid-argument') throw error;
    return problemAnswer('invalid-body', { errors: [{ pointer: '', code: String(error.details['reason']) }] });
  });
}

/** When the shared record that an opening begins with says that the call was. */
async function recordStartMs(
  { ports }: DemandParts,
  { call, firstProvider }: TracebackOpening,
): Promise<number | undefined> {
  if (call.recordId === undefined || firstProvider?.providerId === undefined) return undefined;
  const found = await ports.live.record(firstProvider.providerId, call.recordId);
  return found === undefined ? undefined : Math.floor(found.record.inviteAtUs / 1_000);
}

function itemOf(
  opening: TracebackOpening,
  { startedMs, atMs }: { readonly startedMs: number | undefined; readonly atMs: number },
): Parameters<typeof scopeMatches>[1] {
  const at = new Date(atMs).toISOString();
  const traceback: Traceback = {
    ...{ format: 'hopback.traceback.1', tracebackId: 'new', direction: opening.direction, state: 'open' },
    ...{ requester: { kind: 'itg', name: '' }, call: opening.call, openedAt: at, updatedAt: at, hops: [] },
  };
  const { fromMs, toMs, calling, called } = tracedCall(traceback, []);
  const campaignId = opening.campaign?.campaignId;
  return {
    recordClass: 'traceback-records',
    ...{ fromMs: startedMs ?? fromMs, toMs: startedMs ?? toMs, calling, called },
    campaignIds: campaignId === undefined ? [] : [campaignId],
    tracebackIds: [],
    providers: opening.firstProvider === undefined ? [] : [opening.firstProvider],
  };
}
