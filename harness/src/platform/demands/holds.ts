import { sql, type Selectable } from 'kysely';
import type { DemandRecordClass, DemandScope } from '@hopback/sdk/platform';
import type { PlatformTransaction, Reading } from '../core/index.js';
import { PLATFORM_ACTOR, tablesOf, type DemandParts } from './demand-area.js';
import { openJson, sealJson } from '../database/index.js';
import type { DemandTables } from './tables.js';

interface HoldToPlace {
  readonly demandId: string;
  readonly organizationId: string;
  readonly scope: DemandScope;
}

/** Holds what a demand reaches, or changes its hold to a narrowed scope. The store of live records is told by a job, until it has heard. */
export async function placeHold(
  { context }: DemandParts,
  transaction: PlatformTransaction,
  { demandId, organizationId, scope }: HoldToPlace,
): Promise<void> {
  const sealed = await sealJson(context, transaction, { value: scope, belongsTo: `demand:${demandId}` });
  const content = {
    scope: JSON.stringify(sealed),
    record_classes: JSON.stringify(scope.recordClasses),
    campaign_ids: JSON.stringify(scope.campaignIds ?? null),
    traceback_ids: JSON.stringify(scope.tracebackIds ?? null),
    from_ms: Date.parse(scope.from),
    to_ms: Date.parse(scope.to),
    placed_at_ms: null,
    ended_at_ms: null,
    released_at_ms: null,
  };
  await tablesOf(transaction)
    .insertInto('demands_holds')
    .values({ demand_id: demandId, organization_id: organizationId, ...content })
    .onConflict((conflict) => conflict.column('demand_id').doUpdateSet(content))
    .execute();
}

/** Ends the hold of a demand. */
export async function endHold(
  transaction: PlatformTransaction,
  { demandId, atMs }: { readonly demandId: string; readonly atMs: number },
): Promise<void> {
  await tablesOf(transaction)
    .updateTable('demands_holds')
    .set({ ended_at_ms: atMs })
    .where('demand_id', '=', demandId)
    .where('ended_at_ms', 'is', null)
    .execute();
}

/** Holds that the store of live records is told of in one round. */
const HOLDS_AT_ONCE = 50;

/** Tells the store of live records of holds that it has not heard of, and of those that have ended. Told twice, it does no harm. */
export async function tellHolds(parts: DemandParts, nowMs: number): Promise<void> {
  const { context } = parts;
  const rows = await tablesOf(context.database)
    .selectFrom('demands_holds')
    .selectAll()
    .where((is) =>
      is.or([
        is('placed_at_ms', 'is', null),
        is.and([is('ended_at_ms', 'is not', null), is('released_at_ms', 'is', null)]),
      ]),
    )
    .orderBy('demand_id')
    .limit(HOLDS_AT_ONCE)
    .execute();
  const failures: unknown[] = [];
  for (const row of rows) {
    try {
      await tellHold(parts, row, nowMs);
    } catch (error) {
      // One that cannot be placed does not keep the others waiting.
      failures.push(error);
      context.log.error('a legal hold could not be told of', { demandId: row.demand_id });
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function tellHold(
  { context, ports }: DemandParts,
  row: Selectable<DemandTables['demands_holds']>,
  nowMs: number,
): Promise<void> {
  const { demand_id: holdId, organization_id: organizationId } = row;
  const isEnded = row.ended_at_ms !== null;
  const object = `demand:${holdId}`;
  if (isEnded) await ports.holds.release(holdId);
  else {
    const reason = { ...PLATFORM_ACTOR, object };
    const [scope] = await context.transact((transaction) =>
      openJson(context, transaction, { pieces: [row.scope], reason }),
    );
    await ports.holds.place({ holdId, organizationId, scope: scope as DemandScope });
  }
  await context.transact(async (transaction) => {
    // A scope that was changed meanwhile is told of in the next round.
    const updated = await tablesOf(transaction)
      .updateTable('demands_holds')
      .set(isEnded ? { placed_at_ms: nowMs, released_at_ms: nowMs } : { placed_at_ms: nowMs })
      .where('demand_id', '=', holdId)
      .where(sql<boolean>`scope = ${JSON.stringify(row.scope)}::jsonb`)
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) return;
    const action = isEnded ? 'demand.hold-released' : 'demand.hold-placed';
    await context.audit(transaction, { ...PLATFORM_ACTOR, action, object });
  });
}

/** Something in SQL that retention would remove. */
export interface RemovableItem {
  readonly recordClass: DemandRecordClass;
  readonly fromMs: number;
  readonly toMs: number;
  readonly campaignId?: string;
  readonly tracebackId?: string;
}

/** Says what is held. */
export interface HoldReader {
  /**
   * Whether a demand that is under review or approved may reach something. It looks at class, time, campaign and traceback, and not at numbers and
   * providers: rather too much is kept than too little. Something of which the campaign is not stated may be of any.
   */
  readonly isHeld: (reading: Reading, item: RemovableItem) => Promise<boolean>;
}

/** Makes the reader of holds for retention. */
export function createHoldReader(): HoldReader {
  return {
    isHeld: async (reading, { recordClass, fromMs, toMs, campaignId, tracebackId }) => {
      const rows = await tablesOf(reading)
        .selectFrom('demands_holds')
        .select(['record_classes', 'campaign_ids', 'traceback_ids'])
        .where('ended_at_ms', 'is', null)
        .where('from_ms', '<=', toMs)
        .where('to_ms', '>', fromMs)
        .execute();
      return rows.some(
        (row) =>
          row.record_classes.includes(recordClass) &&
          mayBe(row.campaign_ids, campaignId) &&
          mayBe(row.traceback_ids, tracebackId),
      );
    },
  };
}

function mayBe(named: readonly string[] | null, id: string | undefined): boolean {
  return named === null || id === undefined || named.includes(id);
}
