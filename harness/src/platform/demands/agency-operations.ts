import { createHash, hash } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import { signatureFor } from '@hopback/sdk/log';
import type { DemandState, PlatformAnswer, Traceback, TracebackOpening } from '@hopback/sdk/platform';
import { DEFAULT_PAGE_ITEMS, jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import { canonicalJson } from '@hopback/sdk/traceback';
import type { OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { scopeMatches } from '../domain/demands/scope.js';
import { tracedCall } from '../domain/demands/produced-rows.js';
import { orderProduction, withdrawProductions } from './decide-demand.js';
import type { DemandParts, DemandRow, ProductionRow } from './demand-rows.js';
import {
  approvedScope,
  demandRow,
  isStaff,
  maySee,
  openedBy,
  productionRow,
  resolvedScope,
  tablesOf,
  wireDemand,
  wireDemands,
  wireProduction,
} from './demand-rows.js';
import { endHold } from './holds.js';
import { conflict, LONGEST_RETRIEVAL_MS, MAX_PRODUCTIONS } from './review-operations.js';
import type { ExtensionBody, ReasonBody } from './routes.schema.js';

/** What is done with productions. */
export function productionOperations(parts: DemandParts): Operations {
  return {
    fetchProduction: (call) => fetchProduction(parts, call),
    fetchProductionFile: (call) => fetchFile(parts, call),
    fetchProductionProgress: (call) => progress(parts, call),
    listProductionReceipts: (call) => receipts(parts, call),
    extendProduction: (call) => extend(parts, call),
    reissueProduction: (call) => reissue(parts, call),
  };
}

async function visibleProduction(
  transaction: PlatformTransaction,
  call: OperationCall,
): Promise<ProductionRow | undefined> {
  const row = await productionRow(transaction, call.request.parameters['productionId'] ?? '');
  return row !== undefined && maySee(call.caller, row.organization_id) ? row : undefined;
}

function fetchProduction({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    const row = await visibleProduction(transaction, call);
    if (row === undefined) return problemAnswer('not-found');
    return jsonAnswer(await wireProduction(transaction, row, call.atMs));
  });
}

/** Hands a file over: who had which octets when is written down before they are given. */
async function fetchFile(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, ports } = parts;
  const { name = '' } = call.request.parameters;
  const found = await context.transact(async (transaction) => {
    const row = await visibleProduction(transaction, call);
    if (row === undefined) return problemAnswer('not-found');
    if (row.state === 'in-preparation') return problemAnswer('production-not-ready');
    if (row.state === 'expired' || (row.expires_at_ms ?? 0) <= call.atMs) return problemAnswer('gone');
    const file = await tablesOf(transaction)
      .selectFrom('demands_files')
      .selectAll()
      .where('production_id', '=', row.production_id)
      .where('name', '=', name)
      .executeTakeFirst();
    return file ?? problemAnswer('not-found');
  });
  if ('kind' in found) return found;
  const bytes = await ports.files.read(found.production_id, found.sha256);
  // The job that removes what has expired was quicker.
  if (bytes === undefined) return problemAnswer('gone');
  await context.transact((transaction) => writeReceipt(parts, transaction, { call, file: found }));
  return { kind: 'file', bytes, mediaType: found.media_type };
}

interface Retrieval {
  readonly call: OperationCall;
  readonly file: {
    readonly production_id: string;
    readonly name: string;
    readonly sha256: string;
    readonly size_bytes: number;
  };
}

async function writeReceipt(
  { context }: DemandParts,
  transaction: PlatformTransaction,
  { call, file }: Retrieval,
): Promise<void> {
  const { organizationId, clientId } = call.caller;
  await tablesOf(transaction)
    .insertInto('demands_retrievals')
    .values({
      retrieval_id: context.newId('r'),
      production_id: file.production_id,
      name: file.name,
      sha256: file.sha256,
      size_bytes: file.size_bytes,
      at_ms: call.atMs,
      organization_id: organizationId,
      client_id: clientId,
      http_request_id: call.httpRequestId,
    })
    .execute();
  await context.audit(transaction, {
    ...{ action: 'production.retrieved', organizationId, actor: clientId, object: `production:${file.production_id}` },
    details: { name: file.name, sha256: file.sha256, sizeBytes: file.size_bytes, httpRequestId: call.httpRequestId },
  });
}

function progress({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    const row = await visibleProduction(transaction, call);
    if (row === undefined) return problemAnswer('not-found');
    return jsonAnswer({
      productionId: row.production_id,
      state: row.state,
      phase: row.phase,
      kind: row.kind,
      items: row.items,
      attempts: row.attempts,
      ...(row.as_of_ms !== null && { asOf: new Date(row.as_of_ms).toISOString() }),
      ...(row.failure !== null && { failure: row.failure }),
    });
  });
}

/** Receipts of a production, signed as they are listed. */
async function receipts({ context, ports }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { cursor, limit } = call.request.parameters;
  const after = cursor === undefined ? 0 : placeOf(cursor);
  if (after === undefined) return badCursor();
  const count = Number(limit ?? DEFAULT_PAGE_ITEMS);
  const listed = await context.transact(async (transaction) => {
    const row = await visibleProduction(transaction, call);
    if (row === undefined) return undefined;
    return tablesOf(transaction)
      .selectFrom('demands_retrievals')
      .selectAll()
      .where('production_id', '=', row.production_id)
      .where('place', '>', after)
      .orderBy('place')
      .limit(count + 1)
      .execute();
  });
  if (listed === undefined) return problemAnswer('not-found');
  const page = listed.slice(0, count);
  const statement = {
    format: 'hopback.retrieval-receipts.1',
    productionId: call.request.parameters['productionId'],
    statedAt: new Date(call.atMs).toISOString(),
    receipts: page.map((one) => ({
      retrievalId: one.retrieval_id,
      name: one.name,
      sha256: one.sha256,
      sizeBytes: one.size_bytes,
      retrievedAt: new Date(one.at_ms).toISOString(),
      organizationId: one.organization_id,
      clientId: one.client_id,
      httpRequestId: one.http_request_id,
    })),
  };
  const statementText = canonicalJson(statement);
  const signature = await signatureFor(ports.signer, Buffer.from(statementText, 'utf8'));
  const last = page.at(-1);
  return jsonAnswer({
    ...statement,
    signed: {
      statement: statementText,
      algorithm: ports.signer.algorithm,
      signature: Buffer.from(signature).toString('base64'),
      publicKeySha256: createHash('sha256')
        .update(ports.signer.publicKey.export({ type: 'spki', format: 'der' }))
        .digest('hex'),
    },
    ...(listed.length > count && last !== undefined && { nextCursor: String(last.place) }),
  });
}

/** Lets a production be fetched for longer. What has expired is not brought back: it is issued anew. */
function extend({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { until, reason } = call.request.body as ExtensionBody;
  const { organizationId, clientId } = call.caller;
  return context.transact(async (transaction) => {
    const row = await visibleProduction(transaction, call);
    if (row === undefined) return problemAnswer('not-found');
    if (row.state !== 'ready' || (row.expires_at_ms ?? 0) <= call.atMs)
      return conflict('Only a production that can be fetched now can be for longer; issue it anew.');
    const untilMs = Date.parse(until);
    if (!(untilMs > (row.expires_at_ms ?? 0)) || untilMs > call.atMs + LONGEST_RETRIEVAL_MS)
      return problemAnswer('invalid-body', { errors: [{ pointer: '/until', code: 'out-of-range' }] });
    await tablesOf(transaction)
      .updateTable('demands_productions')
      .set({ expires_at_ms: untilMs })
      .where('production_id', '=', row.production_id)
      .execute();
    await context.audit(transaction, {
      ...{ action: 'production.extended', organizationId, actor: clientId, object: `production:${row.production_id}` },
      details: { until, reasonChars: reason.length },
    });
    return jsonAnswer(await wireProduction(transaction, { ...row, expires_at_ms: untilMs }, call.atMs));
  });
}

/** Orders a production anew under the same decision. */
function reissue(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context } = parts;
  const { organizationId, clientId } = call.caller;
  const { reason } = call.request.body as ReasonBody;
  return context.transact(async (transaction) => {
    const row = await visibleProduction(transaction, call);
    const demand = row === undefined ? undefined : await demandRow(transaction, row.demand_id);
    if (row === undefined || demand === undefined) return problemAnswer('not-found');
    if (demand.state === 'withdrawn' || demand.state === 'rejected') return conflict('The demand stands no longer.');
    if (row.state === 'in-preparation') return problemAnswer('production-not-ready');
    const { count } = await tablesOf(transaction)
      .selectFrom('demands_productions')
      .select((of) => of.fn.countAll<number>().as('count'))
      .where('demand_id', '=', row.demand_id)
      .executeTakeFirstOrThrow();
    if (count >= MAX_PRODUCTIONS) return conflict('There are as many productions under the demand as there can be.');
    const productionId = await orderProduction(parts, transaction, {
      ...{ row: demand, decisionId: row.decision_id, kind: 're-issue', atMs: call.atMs },
      ...(row.from_ms !== null && { fromMs: row.from_ms }),
    });
    await context.audit(transaction, {
      ...{ action: 'production.reissued', organizationId, actor: clientId, object: `production:${row.production_id}` },
      details: { productionId, reasonChars: reason.length },
    });
    const made = await productionRow(transaction, productionId);
    return made === undefined
      ? problemAnswer('internal')
      : jsonAnswer(await wireProduction(transaction, made, call.atMs));
  });
}

/** A place in a list; undefined where it is none. */
function placeOf(cursor: string): number | undefined {
  const place = /^[0-9]{1,15}$/.test(cursor) ? Number(cursor) : Number.NaN;
  return Number.isSafeInteger(place) ? place : undefined;
}

/** The cursor is none of this list. */
function badCursor(): PlatformAnswer {
  return problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown' }] });
}

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

async function visibleDemand(transaction: PlatformTransaction, call: OperationCall): Promise<DemandRow | undefined> {
  const row = await demandRow(transaction, call.request.parameters['demandId'] ?? '');
  return row !== undefined && maySee(call.caller, row.organization_id) ? row : undefined;
}

function fetchDemand({ context }: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  return context.transact(async (transaction) => {
    const row = await visibleDemand(transaction, call);
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
    const row = await visibleDemand(transaction, call);
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
    const row = await visibleDemand(transaction, call);
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
