import { isHopbackError } from '@hopback/sdk/errors';
import type { PlatformJob } from '../core/index.js';
import { buildProduction } from './build-production.js';
import { closeUnusable } from './close-unusable.js';
import { PLATFORM_ACTOR, tablesOf, type DemandParts } from './demand-area.js';
import { orderProduction } from './decide-demand.js';
import { lastDecision, type ProductionRow } from './demand-rows.js';
import { finishProduction } from './finish-production.js';
import { endHold, HOLDS_JOB, tellHolds } from './holds.js';
import { namesLiveCampaign } from './named.js';

/** How soon work is looked for: an expedited production begins within this. */
const PRODUCTIONS_EVERY_MS = 500;
const HOLDS_EVERY_MS = 2_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Productions of one round: what comes first may have come meanwhile. */
const PRODUCTIONS_AT_ONCE = 10;
/** First wait after a failure; it doubles up to an hour. */
const RETRY_MS = 5_000;
/** Milliseconds until a proof is looked for again: the audit is written to its log within some hundred. */
const PROOF_WAIT_MS = 250;
/** Rows of one round of the other jobs. */
const ROWS_AT_ONCE = 100;
/** How far a supplement reaches back behind the last look: batches of carriers come in within two days. */
const SUPPLEMENT_OVERLAP_MS: number = 2 * DAY_MS;

/** Work of the area that comes round. */
export function demandJobs(parts: DemandParts): readonly PlatformJob[] {
  const unnamed = new Map<string, number>();
  return [
    { name: 'demands.productions', everyMs: PRODUCTIONS_EVERY_MS, run: (nowMs) => produce(parts, nowMs) },
    {
      name: HOLDS_JOB,
      everyMs: HOLDS_EVERY_MS,
      run: async (nowMs) => {
        await closeUnusable(parts, nowMs).finally(() => tellHolds(parts, nowMs));
      },
    },
    { name: 'demands.liveness', everyMs: MINUTE_MS, run: () => lookForLive(parts) },
    { name: 'demands.supplements', everyMs: MINUTE_MS, run: (nowMs) => orderSupplements(parts, nowMs) },
    { name: 'demands.expiry', everyMs: MINUTE_MS, run: (nowMs) => expire(parts, nowMs) },
    { name: 'demands.files', everyMs: HOUR_MS, run: (nowMs) => removeUnnamed(parts, nowMs, unnamed) },
  ];
}

/** Makes productions that are ordered: expedited ones first, and of each priority the oldest. */
async function produce(parts: DemandParts, nowMs: number): Promise<void> {
  for (let round = 0; round < PRODUCTIONS_AT_ONCE; round += 1) {
    const row = await nextProduction(parts, nowMs);
    if (row === undefined) return;
    try {
      if (row.phase === 'building' && !(await buildProduction(parts, row.production_id, nowMs))) {
        // Of one that was withdrawn meanwhile the files go with the job that removes what has expired.
        await postpone(parts, row, { untilMs: nowMs + RETRY_MS });
        continue;
      }
      if (!(await finishProduction(parts, await sealedRow(parts, row), nowMs)))
        await postpone(parts, row, { untilMs: nowMs + PROOF_WAIT_MS });
    } catch (error) {
      const failure = isHopbackError(error) ? error.code : 'internal';
      const waitMs = Math.min(HOUR_MS, RETRY_MS * 2 ** Math.min(row.attempts, 10));
      parts.context.log.error('a production could not be made', {
        productionId: row.production_id,
        failure,
        attempts: row.attempts + 1,
      });
      await postpone(parts, row, { untilMs: nowMs + waitMs, failure });
    }
  }
}

async function nextProduction({ context }: DemandParts, nowMs: number): Promise<ProductionRow | undefined> {
  return tablesOf(context.database)
    .selectFrom('demands_productions')
    .selectAll()
    .where('state', '=', 'in-preparation')
    .where('next_try_ms', '<=', nowMs)
    .orderBy('priority')
    .orderBy('created_at_ms')
    .orderBy('place')
    .limit(1)
    .executeTakeFirst();
}

async function sealedRow({ context }: DemandParts, row: ProductionRow): Promise<ProductionRow> {
  return tablesOf(context.database)
    .selectFrom('demands_productions')
    .selectAll()
    .where('production_id', '=', row.production_id)
    .executeTakeFirstOrThrow();
}

async function postpone(
  { context }: DemandParts,
  row: ProductionRow,
  { untilMs, failure }: { readonly untilMs: number; readonly failure?: string },
): Promise<void> {
  await context.transact((transaction) =>
    tablesOf(transaction)
      .updateTable('demands_productions')
      .set({ next_try_ms: untilMs, ...(failure !== undefined && { failure }) })
      .where('production_id', '=', row.production_id)
      .where('state', '=', 'in-preparation')
      .execute(),
  );
}

/** A demand that waits comes first as soon as a campaign that it names calls again. */
async function lookForLive(parts: DemandParts): Promise<void> {
  const { context } = parts;
  const rows = await tablesOf(context.database)
    .selectFrom('demands_demands')
    .select(['demand_id', 'is_live', 'campaign_ids'])
    .where('state', '=', 'under-review')
    .where('is_urgent', '=', true)
    .orderBy('place')
    .limit(ROWS_AT_ONCE)
    .execute();
  for (const { demand_id: demandId, is_live: wasLive, campaign_ids: campaignIds } of rows) {
    const isLive = await namesLiveCampaign(parts, context.database, campaignIds);
    if (isLive === wasLive) continue;
    await context.transact((transaction) =>
      tablesOf(transaction)
        .updateTable('demands_demands')
        .set({ is_live: isLive })
        .where('demand_id', '=', demandId)
        .execute(),
    );
  }
}

/** Supplements what court orders have go on, until their end. */
async function orderSupplements(parts: DemandParts, nowMs: number): Promise<void> {
  const { context } = parts;
  const due = await tablesOf(context.database)
    .selectFrom('demands_demands')
    .select('demand_id')
    .where('continuing_until_ms', 'is not', null)
    .where((is) =>
      is.or([
        is(is('supplemented_at_ms', '+', is.ref('continuing_every_ms')), '<=', nowMs),
        is('continuing_until_ms', '<=', nowMs),
      ]),
    )
    .limit(ROWS_AT_ONCE)
    .execute();
  for (const { demand_id: demandId } of due) {
    await context.transact(async (transaction) => {
      const tables = tablesOf(transaction);
      const row = await tables
        .selectFrom('demands_demands')
        .selectAll()
        .where('demand_id', '=', demandId)
        .executeTakeFirstOrThrow();
      const decision = await lastDecision(transaction, demandId);
      if (row.continuing_until_ms === null || decision === undefined) return;
      const isLast = row.continuing_until_ms <= nowMs;
      const fromMs = (row.supplemented_at_ms ?? row.submitted_at_ms) - SUPPLEMENT_OVERLAP_MS;
      const productionId = await orderProduction(parts, transaction, {
        ...{ row, decisionId: decision.decision_id, kind: 'supplement', atMs: nowMs, fromMs },
      });
      await tables
        .updateTable('demands_demands')
        .set({ supplemented_at_ms: nowMs, ...(isLast && { continuing_until_ms: null }) })
        .where('demand_id', '=', demandId)
        .execute();
      await context.audit(transaction, {
        ...PLATFORM_ACTOR,
        action: 'demand.supplemented',
        object: `demand:${demandId}`,
        details: { productionId, isLast },
      });
    });
  }
}

/** Ends what can no longer be fetched, removes its files, and lets go what was held for it. */
async function expire(parts: DemandParts, nowMs: number): Promise<void> {
  const { context, ports } = parts;
  const rows = await tablesOf(context.database)
    .selectFrom('demands_productions')
    .select(['production_id', 'demand_id'])
    .where('removed_at_ms', 'is', null)
    .where('expires_at_ms', '<=', nowMs)
    .orderBy('expires_at_ms')
    .limit(ROWS_AT_ONCE)
    .execute();
  for (const { production_id: productionId, demand_id: demandId } of rows) {
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
    if (!isOver) continue;
    await ports.files.remove(productionId);
    await context.transact(async (transaction) => {
      const tables = tablesOf(transaction);
      await tables
        .updateTable('demands_productions')
        .set({ removed_at_ms: nowMs })
        .where('production_id', '=', productionId)
        .execute();
      await context.audit(transaction, {
        ...PLATFORM_ACTOR,
        action: 'production.removed',
        object: `production:${productionId}`,
      });
      const left = await tables
        .selectFrom('demands_productions')
        .select('production_id')
        .where('demand_id', '=', demandId)
        .where('state', '!=', 'expired')
        .limit(1)
        .execute();
      const demand = await tables
        .selectFrom('demands_demands')
        .select('continuing_until_ms')
        .where('demand_id', '=', demandId)
        .executeTakeFirst();
      if (left.length === 0 && typeof demand?.continuing_until_ms !== 'number')
        await endHold(transaction, { demandId, atMs: nowMs });
    });
  }
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
  for (const owner of here) {
    const sinceMs = unnamed.get(owner);
    if (sinceMs === undefined) unnamed.set(owner, nowMs);
    else if (nowMs - sinceMs >= HOUR_MS) await ports.files.remove(owner);
  }
}
