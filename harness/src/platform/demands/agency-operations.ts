import { hash } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import type { Traceback, TracebackOpening, Demand } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer, canonicalJson, signatureFor } from '@hopback/sdk/internal';
import type { Operation, OperationCall, Operations } from '../core/index.js';
import { actorOf, iso, pageAnswer, readPage, wrongCursor } from '../database/index.js';
import { scopeMatches } from '../domain/demands/scope.js';
import { tracedCall } from '../domain/demands/produced-rows.js';
import { orderProduction, withdrawProductions } from './decide-demand.js';
import type { DemandParts, DemandRow, ProductionRow } from './demand-rows.js';
import { approvedScope, DemandWork, isStaff, maySee } from './demand-rows.js';
import { endHold } from './holds.js';
import { conflict, LONGEST_RETRIEVAL_MS, MAX_PRODUCTIONS, ofDemand } from './review-operations.js';
import type { ExtensionBody, ReasonBody } from './routes.schema.js';
import { DEMANDS, PRODUCTIONS, RETRIEVALS } from './tables.js';

type OfProduction<Result> = (work: DemandWork, row: ProductionRow, call: OperationCall) => Promise<Result>;

/** Does something with the production that a call names; one that the caller may not see is not there. */
function withProduction<Result>(
  parts: DemandParts,
  call: OperationCall,
  run: OfProduction<Result>,
): Promise<Result | PlatformAnswer> {
  return parts.context.transact(async (transaction) => {
    const row = await PRODUCTIONS.get(transaction, call.request.parameters['productionId'] ?? '');
    if (row === undefined || !maySee(call.caller, row.organization_id)) return problemAnswer('not-found');
    return run(new DemandWork(parts, transaction, actorOf(call)), row, call);
  });
}

type DemandState = Demand['state'];

/** What is done with productions. */
export function productionOperations(parts: DemandParts): Operations {
  const ofProduction =
    (run: OfProduction<PlatformAnswer>): Operation =>
    (call) =>
      withProduction(parts, call, run);
  return {
    fetchProduction: ofProduction(async (work, row, { atMs }) => jsonAnswer(await work.production(row, atMs))),
    fetchProductionFile: (call) => fetchFile(parts, call),
    fetchProductionProgress: ofProduction(async (_work, row) => jsonAnswer(progress(row))),
    listProductionReceipts: (call) => receipts(parts, call),
    extendProduction: ofProduction(extend),
    reissueProduction: ofProduction(reissue),
  };
}

/** Hands a file over: who had which octets when is written down before they are given. */
async function fetchFile(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, ports } = parts;
  const { name = '' } = call.request.parameters;
  const found = await withProduction(parts, call, async ({ tables }, row) => {
    if (row.state === 'in-preparation') return problemAnswer('production-not-ready');
    if (row.state === 'expired' || (row.expires_at_ms ?? 0) <= call.atMs) return problemAnswer('gone');
    const file = await tables
      .selectFrom('demands_files')
      .selectAll()
      .where('production_id', '=', row.production_id)
      .where('name', '=', name)
      .executeTakeFirst();
    return file ?? problemAnswer('not-found');
  });
  if ('kind' in found) return found;
  const { production_id: productionId, sha256, size_bytes: sizeBytes } = found;
  const bytes = await ports.files.read(productionId, sha256);
  // The job that removes what has expired was quicker.
  if (bytes === undefined) return problemAnswer('gone');
  const { httpRequestId } = call;
  await context.transact(async (transaction) => {
    const work = new DemandWork(parts, transaction, actorOf(call));
    await RETRIEVALS.add(transaction, {
      retrieval_id: context.newId('r'),
      production_id: productionId,
      name: found.name,
      sha256,
      size_bytes: sizeBytes,
      at_ms: call.atMs,
      organization_id: work.by.organizationId,
      client_id: work.by.actor,
      http_request_id: httpRequestId,
    });
    const details = {
      name: found.name,
      sha256,
      sizeBytes,
      httpRequestId,
    };
    await work.audit('production.retrieved', `production:${productionId}`, details);
  });
  return { kind: 'file', bytes, mediaType: found.media_type };
}

const progress = (row: ProductionRow): object => ({
  productionId: row.production_id,
  state: row.state,
  phase: row.phase,
  kind: row.kind,
  items: row.items,
  attempts: row.attempts,
  ...(row.as_of_ms !== null && { asOf: iso(row.as_of_ms) }),
  ...(row.failure !== null && { failure: row.failure }),
});

/** Receipts of a production, signed as they are listed. */
async function receipts(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { signer } = parts.ports;
  const listed = await withProduction(parts, call, async ({ tables }, row) => {
    const all = tables.selectFrom('demands_retrievals').selectAll().where('production_id', '=', row.production_id);
    return (await readPage(all, { call, by: { place: 'number' }, order: 'asc' })) ?? wrongCursor();
  });
  if ('kind' in listed) return listed;
  const statement = {
    format: 'hopback.retrieval-receipts.1',
    productionId: call.request.parameters['productionId'],
    statedAt: iso(call.atMs),
    receipts: listed.rows.map((one) => ({
      retrievalId: one.retrieval_id,
      name: one.name,
      sha256: one.sha256,
      sizeBytes: one.size_bytes,
      retrievedAt: iso(one.at_ms),
      organizationId: one.organization_id,
      clientId: one.client_id,
      httpRequestId: one.http_request_id,
    })),
  };
  const statementText = canonicalJson(statement);
  const signature = await signatureFor(signer, Buffer.from(statementText, 'utf8'));
  const signed = {
    statement: statementText,
    algorithm: signer.algorithm,
    signature: Buffer.from(signature).toString('base64'),
    publicKeySha256: hash('sha256', signer.publicKey.export({ type: 'spki', format: 'der' }), 'hex'),
  };
  return jsonAnswer({ ...statement, signed, ...listed.next });
}

/** Lets a production be fetched for longer. What has expired is not brought back: it is issued anew. */
async function extend(work: DemandWork, row: ProductionRow, call: OperationCall): Promise<PlatformAnswer> {
  const { until, reason } = call.request.body as ExtensionBody;
  if (row.state !== 'ready' || (row.expires_at_ms ?? 0) <= call.atMs)
    return conflict('Only a production that can still be fetched can be extended; issue it anew.');
  const untilMs = Date.parse(until);
  if (!(untilMs > (row.expires_at_ms ?? 0)) || untilMs > call.atMs + LONGEST_RETRIEVAL_MS)
    return problemAnswer('invalid-body', { errors: [{ pointer: '/until', code: 'out-of-range' }] });
  await PRODUCTIONS.set(work.transaction, row.production_id, { expires_at_ms: untilMs });
  const details = { until, reasonChars: reason.length };
  await work.audit('production.extended', `production:${row.production_id}`, details);
  return jsonAnswer(await work.production({ ...row, expires_at_ms: untilMs }, call.atMs));
}

/** Orders a production anew under the same decision. */
async function reissue(work: DemandWork, row: ProductionRow, call: OperationCall): Promise<PlatformAnswer> {
  const { reason } = call.request.body as ReasonBody;
  const demand = await work.demandRow(row.demand_id);
  if (demand === undefined) return problemAnswer('not-found');
  if (demand.state === 'withdrawn' || demand.state === 'rejected') return conflict('The demand is no longer in force.');
  if (row.state === 'in-preparation') return problemAnswer('production-not-ready');
  if ((await work.countOf('demands_productions', row.demand_id)) >= MAX_PRODUCTIONS)
    return conflict('The demand has reached its limit of productions.');
  const productionId = await orderProduction(work, {
    row: demand,
    decisionId: row.decision_id,
    kind: 're-issue',
    atMs: call.atMs,
    ...(row.from_ms !== null && { fromMs: row.from_ms }),
  });
  const details = { productionId, reasonChars: reason.length };
  await work.audit('production.reissued', `production:${row.production_id}`, details);
  const made = await PRODUCTIONS.get(work.transaction, productionId);
  return made === undefined ? problemAnswer('internal') : jsonAnswer(await work.production(made, call.atMs));
}

/** Tracebacks that one demand has opened at most: more is a campaign, whose tracebacks are opened for it. */
const MAX_TRACES = 200;

/** What agencies do beside submitting. */
export function agencyOperations(parts: DemandParts): Operations {
  return {
    listDemands: (call) => listDemands(parts, call),
    fetchDemand: ofDemand(parts, async (work, row) => jsonAnswer(await work.demand(row))),
    withdrawDemand: ofDemand(parts, withdraw),
    traceUnderDemand: (call) => trace(parts, call),
  };
}

function listDemands(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const { state } = call.request.parameters;
  return parts.context.transact(async (transaction) => {
    const work = new DemandWork(parts, transaction, actorOf(call));
    let query = work.tables.selectFrom('demands_demands').selectAll();
    if (!isStaff(call.caller)) query = query.where('organization_id', '=', call.caller.organizationId);
    if (state !== undefined) query = query.where('state', '=', state as DemandState);
    return pageAnswer(query, { call, by: { place: 'number' }, order: 'desc' }, (rows) => work.demands(rows, 'demands'));
  });
}

/** Takes a demand back: what is being prepared is ended, what can be fetched is fetched no more, what is held is let go. */
async function withdraw(work: DemandWork, row: DemandRow, { request, atMs }: OperationCall): Promise<PlatformAnswer> {
  const { reason } = request.body as ReasonBody;
  if (row.state === 'withdrawn' || row.state === 'rejected') return problemAnswer('demand-not-open');
  const { transaction } = work;
  const demandId = row.demand_id;
  await DEMANDS.set(transaction, demandId, { state: 'withdrawn', continuing_until_ms: null });
  await withdrawProductions(work, { demandId, atMs, states: ['in-preparation', 'ready'] });
  await endHold(transaction, { demandId, atMs });
  await work.audit('demand.withdrawn', `demand:${demandId}`, { before: row.state, reasonChars: reason.length });
  return jsonAnswer(await work.demand({ ...row, state: 'withdrawn' }));
}

/** Has a call traced under a demand: one that its approved scope reaches, once, however often it is asked for. */
async function trace(parts: DemandParts, call: OperationCall): Promise<PlatformAnswer> {
  const opening = call.request.body as TracebackOpening;
  const startedMs = await recordStartMs(parts, opening);
  const traced = ofDemand(parts, async (work, row) => {
    const { transaction } = work;
    const scope = row.state === 'withdrawn' ? undefined : approvedScope(await work.demand(row));
    if (scope === undefined) return conflict('Calls are traced under a demand that was approved.');
    const resolved = (await work.resolved(scope)).scope;
    if (!scopeMatches(resolved, itemOf(opening, { startedMs, atMs: call.atMs })))
      return problemAnswer('invalid-body', { errors: [{ pointer: '/call', code: 'not-within-scope' }] });
    const reasonKey = `demand:${row.demand_id}:${hash('sha256', JSON.stringify(opening), 'hex')}`;
    if ((await work.countOf('demands_traces', row.demand_id)) >= MAX_TRACES)
      return conflict('The demand has reached its limit of traced calls.');
    const campaignId = opening.campaign?.campaignId;
    const tracebackId = await parts.ports.tracebacks.open(transaction, {
      opening,
      organizationId: row.organization_id,
      actor: work.by.actor,
      reasonKey,
      ...(campaignId !== undefined && { campaignId }),
    });
    await work.tables
      .insertInto('demands_traces')
      .values({ demand_id: row.demand_id, traceback_id: tracebackId, opened_at_ms: call.atMs })
      .onConflict((on) => on.doNothing())
      .execute();
    await work.audit('demand.call-traced', `demand:${row.demand_id}`, { tracebackId });
    return jsonAnswer({ demandId: row.demand_id, tracebackId });
  });
  try {
    return await traced(call);
  } catch (error) {
    if (!isHopbackError(error) || error.code !== 'invalid-argument') throw error;
    return problemAnswer('invalid-body', { errors: [{ pointer: '', code: String(error.details['reason']) }] });
  }
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
  const at = iso(atMs);
  const traceback: Traceback = {
    format: 'hopback.traceback.1',
    tracebackId: 'new',
    direction: opening.direction,
    state: 'open',
    requester: { kind: 'itg', name: '' },
    call: opening.call,
    openedAt: at,
    updatedAt: at,
    hops: [],
  };
  const { fromMs, toMs, calling, called } = tracedCall(traceback, []);
  const campaignId = opening.campaign?.campaignId;
  return {
    recordClass: 'traceback-records',
    fromMs: startedMs ?? fromMs,
    toMs: startedMs ?? toMs,
    calling,
    called,
    campaignIds: campaignId === undefined ? [] : [campaignId],
    tracebackIds: [],
    providers: opening.firstProvider === undefined ? [] : [opening.firstProvider],
  };
}
