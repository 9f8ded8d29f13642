import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import type { PlatformJob } from '../core/index.js';
import { forgetFailure, isAmong, ITEM_ATTEMPTS, noteFailure, workThrough } from '../database/index.js';
import { buildProduction, finishProduction } from './build-production.js';
import { closeUnusable, orderProduction } from './decide-demand.js';
import type { DemandParts, DemandRow, ProductionRow } from './demand-rows.js';
import { DemandWork, namesLiveCampaign } from './demand-rows.js';
import { endHold, HOLDS_JOB, tellHolds } from './holds.js';
import { DEMANDS, PRODUCTIONS, tablesOf } from './tables.js';

/** How soon work is looked for: an expedited production begins within this. */
const PRODUCTIONS_EVERY_MS = 500;
const HOLDS_EVERY_MS = 2_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Productions of one round: what comes first may have come meanwhile. */
const PRODUCTIONS_AT_ONCE = 10;
/** Name of the job, under which failures of productions are kept. */
const PRODUCTIONS_JOB = 'demands.productions';
/** Milliseconds until a proof is looked for again: the audit is written to its log within some hundred. */
const PROOF_WAIT_MS = 250;
/** Rows of one round of the other jobs. */
const ROWS_AT_ONCE = 100;
/** How far a supplement reaches back behind the last look: batches of carriers come in within two days. */
const SUPPLEMENT_OVERLAP_MS: number = 2 * DAY_MS;
/** States of demands that may have supplements; an earlier release let orders go on that it had closed as unusable. */
const SUPPLEMENTED = ['approved', 'narrowed', 'produced'] as const satisfies readonly DemandRow['state'][];

/** Work of the area that comes round. */
export function demandJobs(parts: DemandParts): readonly PlatformJob[] {
  const unnamed = new Map<string, number>();
  return [
    { name: PRODUCTIONS_JOB, everyMs: PRODUCTIONS_EVERY_MS, run: (nowMs) => produce(parts, nowMs) },
    {
      name: HOLDS_JOB,
      everyMs: HOLDS_EVERY_MS,
      run: async (nowMs) => {
        try {
          await closeUnusable(parts, nowMs);
        } finally {
          await tellHolds(parts, nowMs);
        }
      },
    },
    { name: 'demands.liveness', everyMs: MINUTE_MS, run: (nowMs) => lookForLive(parts, nowMs) },
    { name: 'demands.supplements', everyMs: MINUTE_MS, run: (nowMs) => orderSupplements(parts, nowMs) },
    { name: 'demands.expiry', everyMs: MINUTE_MS, run: (nowMs) => expire(parts, nowMs) },
    { name: 'demands.files', everyMs: HOUR_MS, run: (nowMs) => removeUnnamed(parts, nowMs, unnamed) },
  ];
}

/**
 * Makes productions that are ordered: expedited ones first, and of each priority the oldest. Those that wait for their proof take no turn away from
 * those that are still to be built.
 */
async function produce(parts: DemandParts, nowMs: number): Promise<void> {
  const seen: string[] = [];
  for (let built = 0; built < PRODUCTIONS_AT_ONCE;) {
    const row = await nextProduction(parts, { nowMs, seen });
    if (row === undefined) return;
    seen.push(row.production_id);
    if (row.phase === 'building') built += 1;
    await produceOne(parts, row, nowMs);
  }
}

async function produceOne(parts: DemandParts, row: ProductionRow, nowMs: number): Promise<void> {
  const { context } = parts;
  const { production_id: productionId, demand_id: demandId, organization_id: organizationId } = row;
  try {
    // Of one that was withdrawn meanwhile the files go with the job that removes what has expired.
    if (row.phase === 'building' && !(await buildProduction(parts, productionId, nowMs))) return;
    const sealed = (await PRODUCTIONS.get(context.database, productionId)) ?? row;
    if (!(await finishProduction(parts, sealed, nowMs)))
      return await postpone(parts, row, { untilMs: nowMs + PROOF_WAIT_MS });
    if (row.failure !== null) await forgetFailure(context, PRODUCTIONS_JOB, productionId);
  } catch (error) {
    const untilMs = await noteFailure(context, {
      job: PRODUCTIONS_JOB,
      item: productionId,
      nowMs,
      error,
      alarm: {
        subject: `production:${productionId}`,
        organizationId,
        title: `A production under demand ${demandId} cannot be made`,
        summary: `The platform tried ${ITEM_ATTEMPTS} times to make production ${productionId}, and tries once a day from now on. Staff find the cause in the log of the platform.`,
      },
    });
    await postpone(parts, row, { untilMs, failure: isHopbackError(error) ? error.code : 'internal' });
  }
}

async function nextProduction(
  { context }: DemandParts,
  { nowMs, seen }: { readonly nowMs: number; readonly seen: readonly string[] },
): Promise<ProductionRow | undefined> {
  return tablesOf(context.database)
    .selectFrom('demands_productions')
    .selectAll()
    .where('state', '=', 'in-preparation')
    .where('next_try_ms', '<=', nowMs)
    .where((is) => is.not(isAmong('production_id', seen)))
    .orderBy('priority')
    .orderBy('created_at_ms')
    .orderBy('place')
    .limit(1)
    .executeTakeFirst();
}

async function postpone(
  { context }: DemandParts,
  row: ProductionRow,
  { untilMs, failure }: { readonly untilMs: number; readonly failure?: string },
): Promise<void> {
  const waiting = { next_try_ms: untilMs, ...(failure !== undefined && { failure }) };
  await context.transact((transaction) =>
    PRODUCTIONS.set(transaction, row.production_id, waiting, { state: 'in-preparation' }),
  );
}

/** A demand that waits comes first as soon as a campaign that it names calls again. */
async function lookForLive(parts: DemandParts, nowMs: number): Promise<void> {
  const { context } = parts;
  await workThrough({
    context,
    job: 'demands.liveness',
    nowMs,
    idOf: (row: WaitingDemand) => row.demand_id,
    page: (after) =>
      tablesOf(context.database)
        .selectFrom('demands_demands')
        .select(['demand_id', 'is_live', 'campaign_ids', 'place'])
        .where('state', '=', 'under-review')
        .where('is_urgent', '=', true)
        .where('place', '>', after?.place ?? 0)
        .orderBy('place')
        .limit(ROWS_AT_ONCE)
        .execute(),
    work: async ({ demand_id: demandId, is_live: wasLive, campaign_ids: campaignIds }) => {
      const isLive = await namesLiveCampaign(parts, context.database, campaignIds);
      if (isLive === wasLive) return;
      await context.transact((transaction) => DEMANDS.set(transaction, demandId, { is_live: isLive }));
    },
  });
}

type WaitingDemand = Pick<DemandRow, 'demand_id' | 'is_live' | 'campaign_ids' | 'place'>;

/** Supplements what court orders have go on, until their end. */
async function orderSupplements(parts: DemandParts, nowMs: number): Promise<void> {
  const { context } = parts;
  await workThrough({
    context,
    job: 'demands.supplements',
    nowMs,
    idOf: (demandId: string) => demandId,
    page: async (after = '') => {
      const due = await tablesOf(context.database)
        .selectFrom('demands_demands')
        .select('demand_id')
        .where('continuing_until_ms', 'is not', null)
        .where('state', 'in', SUPPLEMENTED)
        .where((is) =>
          is.or([
            is(is('supplemented_at_ms', '+', is.ref('continuing_every_ms')), '<=', nowMs),
            is('continuing_until_ms', '<=', nowMs),
          ]),
        )
        .where('demand_id', '>', after)
        .orderBy('demand_id')
        .limit(ROWS_AT_ONCE)
        .execute();
      return due.map((row) => row.demand_id);
    },
    work: (demandId) =>
      context.transact((transaction) => orderSupplement(new DemandWork(parts, transaction), demandId, nowMs)),
  });
}

async function orderSupplement(work: DemandWork, demandId: string, nowMs: number): Promise<void> {
  const row = await work.demandRow(demandId);
  if (row === undefined || row.continuing_until_ms === null) return;
  const decision = await work.tables
    .selectFrom('demands_decisions')
    .select('decision_id')
    .where('demand_id', '=', demandId)
    .orderBy('decided_at_ms', 'desc')
    .orderBy('decision_id', 'desc')
    .executeTakeFirst();
  if (decision === undefined)
    throw new HopbackError('internal', 'a demand was continued without a decision', { details: { demandId } });
  const isLast = row.continuing_until_ms <= nowMs;
  const fromMs = (row.supplemented_at_ms ?? row.submitted_at_ms) - SUPPLEMENT_OVERLAP_MS;
  const productionId = await orderProduction(work, {
    row,
    decisionId: decision.decision_id,
    kind: 'supplement',
    atMs: nowMs,
    fromMs,
  });
  const supplemented = { supplemented_at_ms: nowMs, ...(isLast && { continuing_until_ms: null }) };
  await DEMANDS.set(work.transaction, demandId, supplemented);
  await work.audit('demand.supplemented', `demand:${demandId}`, { productionId, isLast });
}

type ExpiredProduction = Pick<ProductionRow, 'production_id' | 'demand_id'>;

/** Ends what can no longer be fetched, removes its files, and lets go what was held for it. */
async function expire(parts: DemandParts, nowMs: number): Promise<void> {
  const { context } = parts;
  await workThrough({
    context,
    job: 'demands.expiry',
    nowMs,
    idOf: (row: ExpiredProduction) => row.production_id,
    page: (after) =>
      tablesOf(context.database)
        .selectFrom('demands_productions')
        .select(['production_id', 'demand_id'])
        .where('removed_at_ms', 'is', null)
        .where('expires_at_ms', '<=', nowMs)
        .where('production_id', '>', after?.production_id ?? '')
        .orderBy('production_id')
        .limit(ROWS_AT_ONCE)
        .execute(),
    work: (row) => expireOne(parts, row, nowMs),
  });
}

async function expireOne(
  parts: DemandParts,
  { production_id: productionId, demand_id: demandId }: ExpiredProduction,
  nowMs: number,
): Promise<void> {
  const { context, ports } = parts;
  const isOver = await context.transact(async (transaction) => {
    const updated = await tablesOf(transaction)
      .updateTable('demands_productions')
      .set({ state: 'expired' })
      .where('production_id', '=', productionId)
      // Unless it was let be fetched for longer meanwhile.
      .where('expires_at_ms', '<=', nowMs)
      .executeTakeFirst();
    return updated.numUpdatedRows > 0n;
  });
  if (!isOver) return;
  await ports.files.remove(productionId);
  await context.transact(async (transaction) => {
    const work = new DemandWork(parts, transaction);
    await PRODUCTIONS.set(transaction, productionId, { removed_at_ms: nowMs });
    await work.audit('production.removed', `production:${productionId}`);
    const left = await work.tables
      .selectFrom('demands_productions')
      .select('production_id')
      .where('demand_id', '=', demandId)
      .where('state', '!=', 'expired')
      .limit(1)
      .execute();
    const demand = await work.demandRow(demandId);
    if (left.length === 0 && typeof demand?.continuing_until_ms !== 'number')
      await endHold(transaction, { demandId, atMs: nowMs });
  });
}

/** Removes what was put for a demand that was never acknowledged, when it has been seen twice, an hour apart: no submission takes so long. */
async function removeUnnamed(
  { context, ports }: DemandParts,
  nowMs: number,
  unnamed: Map<string, number>,
): Promise<void> {
  const owners = await ports.files.owners();
  const here = new Set<string>();
  for (let at = 0; at < owners.length; at += ROWS_AT_ONCE) {
    const some = owners.slice(at, at + ROWS_AT_ONCE);
    const tables = tablesOf(context.database);
    const demands = await tables
      .selectFrom('demands_demands')
      .select('demand_id as id')
      .where('demand_id', 'in', some)
      .execute();
    const productions = await tables
      .selectFrom('demands_productions')
      .select('production_id as id')
      .where('production_id', 'in', some)
      .execute();
    const named = new Set([...demands, ...productions].map(({ id }) => id));
    for (const owner of some) if (!named.has(owner)) here.add(owner);
  }
  for (const owner of unnamed.keys()) if (!here.has(owner)) unnamed.delete(owner);
  const due: string[] = [];
  for (const owner of here) {
    const sinceMs = unnamed.get(owner);
    if (sinceMs === undefined) unnamed.set(owner, nowMs);
    else if (nowMs - sinceMs >= HOUR_MS) due.push(owner);
  }
  await workThrough({
    context,
    job: 'demands.files',
    nowMs,
    idOf: (owner: string) => owner,
    page: (after) => Promise.resolve(after === undefined ? due : []),
    work: (owner) => ports.files.remove(owner),
  });
}
