import type { DemandRecordClass } from '@hopback/sdk/internal';
import { sql, type Selectable } from 'kysely';
import type { DemandScope } from '@hopback/sdk/platform';
import type { HeldScope, PlatformTransaction, Reading } from '../core/index.js';
import { ITEM_ATTEMPTS, openJson, PLATFORM_ACTOR, workThrough } from '../database/index.js';
import type { DemandParts } from './demand-rows.js';
import { HOLDS, tablesOf, type DemandTables } from './tables.js';

interface HoldToPlace {
  readonly demandId: string;
  readonly organizationId: string;
  readonly scope: DemandScope;
}

/** Holds what a demand reaches, or changes its hold to another scope. The job of holds tells the store of live records, until it has heard. */
export async function placeHold(
  transaction: PlatformTransaction,
  { demandId, organizationId, scope }: HoldToPlace,
): Promise<void> {
  const content = {
    held_scope: JSON.stringify(heldScope(scope)),
    scope: JSON.stringify([]),
    record_classes: JSON.stringify(scope.recordClasses),
    campaign_ids: JSON.stringify(scope.campaignIds ?? null),
    traceback_ids: JSON.stringify(scope.tracebackIds ?? null),
    from_ms: Date.parse(scope.from),
    to_ms: Date.parse(scope.to),
    placed_at_ms: null,
    ended_at_ms: null,
    released_at_ms: null,
  };
  if (await HOLDS.set(transaction, demandId, content)) return;
  await HOLDS.add(transaction, { demand_id: demandId, organization_id: organizationId, ...content });
}

function heldScope({ recordClasses, from, to, providers }: DemandScope): HeldScope {
  const providerIds = providers?.flatMap(({ providerId }) => (providerId === undefined ? [] : [providerId]));
  const isById = providerIds !== undefined && providerIds.length === providers?.length;
  return { recordClasses, from, to, ...(isById && { providerIds }) };
}

/** Ends the hold of a demand. */
export async function endHold(
  transaction: PlatformTransaction,
  { demandId, atMs }: { readonly demandId: string; readonly atMs: number },
): Promise<void> {
  await HOLDS.set(transaction, demandId, { ended_at_ms: atMs }, { ended_at_ms: null });
}

/** Name of the job, under which failures of holds are kept. */
export const HOLDS_JOB = 'demands.holds';
/** Holds that are read at once. */
const HOLDS_AT_ONCE = 50;

type HoldRow = Selectable<DemandTables['demands_holds']>;

/**
 * Tells the store of live records of holds that it has not heard of, and of those that have ended. Told twice, it does no harm. A hold that cannot
 * be placed keeps no other waiting; after some attempts its agency and staff are told.
 */
export async function tellHolds(parts: DemandParts, nowMs: number): Promise<void> {
  const { context } = parts;
  await workThrough<HoldRow>({
    context,
    job: HOLDS_JOB,
    nowMs,
    idOf: (row) => row.demand_id,
    page: (after) => untoldHolds(parts, after?.demand_id ?? ''),
    work: (row) => tellHold(parts, row, nowMs),
    alarm: ({ demand_id: demandId, organization_id: organizationId, ended_at_ms: endedMs }) => ({
      subject: `demand:${demandId}`,
      organizationId,
      title: `The legal hold of demand ${demandId} is not ${endedMs === null ? 'in place' : 'released'}`,
      summary: `The platform tried ${ITEM_ATTEMPTS} times to ${endedMs === null ? 'place' : 'release'} the hold in the store of live records, and tries once a day from now on. ${endedMs === null ? 'Until then retention may remove live records that the demand reaches. ' : ''}Staff find the cause in the log of the platform.`,
    }),
  });
}

function untoldHolds({ context }: DemandParts, after: string): Promise<HoldRow[]> {
  return tablesOf(context.database)
    .selectFrom('demands_holds')
    .selectAll()
    .where((is) =>
      is.or([
        is('placed_at_ms', 'is', null),
        is.and([is('ended_at_ms', 'is not', null), is('released_at_ms', 'is', null)]),
      ]),
    )
    .where('demand_id', '>', after)
    .orderBy('demand_id')
    .limit(HOLDS_AT_ONCE)
    .execute();
}

async function tellHold(parts: DemandParts, row: HoldRow, nowMs: number): Promise<void> {
  const { context, ports } = parts;
  const { demand_id: holdId, organization_id: organizationId } = row;
  const isEnded = row.ended_at_ms !== null;
  const object = `demand:${holdId}`;
  const scope = row.held_scope ?? (isEnded ? undefined : await unsealedOnce(parts, row));
  if (isEnded) await ports.holds.release(holdId);
  else if (scope !== undefined) await ports.holds.place({ holdId, organizationId, scope });
  await context.transact(async (transaction) => {
    // A scope that was changed meanwhile is told of in the next round.
    const updated = await tablesOf(transaction)
      .updateTable('demands_holds')
      .set(isEnded ? { placed_at_ms: nowMs, released_at_ms: nowMs } : { placed_at_ms: nowMs })
      .where('demand_id', '=', holdId)
      .where(sql<boolean>`held_scope is not distinct from ${scope === undefined ? null : JSON.stringify(scope)}::jsonb`)
      .executeTakeFirst();
    if (updated.numUpdatedRows === 0n) return;
    const action = isEnded ? 'demand.hold-released' : 'demand.hold-placed';
    await context.audit(transaction, { ...PLATFORM_ACTOR, action, object });
  });
}

/** Unseals the scope of a row of an earlier release, and keeps what is held of it, so that no later attempt unseals it again. */
async function unsealedOnce(
  { context }: DemandParts,
  { demand_id: demandId, scope: pieces }: HoldRow,
): Promise<HeldScope> {
  const reason = { ...PLATFORM_ACTOR, object: `demand:${demandId}` };
  return context.transact(async (transaction) => {
    const [scope] = await openJson(context, transaction, { pieces: [pieces], reason });
    const held = heldScope(scope as DemandScope);
    await tablesOf(transaction)
      .updateTable('demands_holds')
      .set({ held_scope: JSON.stringify(held) })
      .where('demand_id', '=', demandId)
      .where(sql<boolean>`scope = ${JSON.stringify(pieces)}::jsonb`)
      .execute();
    return held;
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

/** Makes the reader of holds for retention. */
export function createHoldReader() {
  return {
    /**
     * Whether a demand that is under review or approved may reach something. It looks at class, time, campaign and traceback, and not at numbers and
     * providers: rather too much is kept than too little. Something of which the campaign is not stated may be of any.
     */
    isHeld: async (
      reading: Reading,
      { recordClass, fromMs, toMs, campaignId, tracebackId }: RemovableItem,
    ): Promise<boolean> => {
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
