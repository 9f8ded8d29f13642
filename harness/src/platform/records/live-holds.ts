import { hash } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import type { RecordStore } from '@hopback/sdk/records';
import type { HoldPort, LegalHold, PlatformContext, PlatformTransaction } from '../core/index.js';
import { EVERY_ROW } from './live-reader.js';
import type { RecordsTables } from './records-tables.js';

/** An order to keep live data, for a demand. */
interface LiveHoldOrder {
  /** The same order again is none more: that of the demand, say. */
  readonly holdId: string;
  /** The matter, the demand, the case number. */
  readonly reason: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Whose records; of all providers where nothing is said. Reports and complaints of the time are kept in any case. */
  readonly providerIds?: readonly string[];
  readonly untilMs?: number;
  readonly organizationId: string;
  readonly actor: string;
}

/** Keeps live data beyond their time. */
export type LiveHolds = ReturnType<typeof createLiveHolds>;

/** What holds are placed in. */
export interface LiveHoldParts {
  readonly context: PlatformContext;
  readonly store: RecordStore;
  readonly caughtUp: () => Promise<void>;
}

/** Holds on records lie in the record store, as copies; those on reports and complaints are what retention looks at. */
export function createLiveHolds({ context, store, caughtUp }: LiveHoldParts) {
  const ofStore = async (holdId: string) =>
    (await store.holds()).filter(({ reason }) => reason.startsWith(`${holdId} `));
  return {
    /**
     * Places a hold, or goes on placing one that broke off.
     * @throws HopbackError `invalid-argument` where there are more records than one hold may have: then the stretch of time is divided
     */
    place: async (order: LiveHoldOrder) => {
      const { holdId, reason, fromMs, toMs, untilMs, providerIds = [EVERY_ROW] } = order;
      // First what costs nothing and keeps most; what is placed in the store after a crash is found there.
      await context.transact((transaction) => insertHold({ context, transaction }, order));
      await caughtUp();
      const window = { fromUs: fromMs * 1_000, toUs: toMs * 1_000 - 1 };
      const there = new Set((await ofStore(holdId)).map(({ query }) => query.trunk));
      try {
        for (const trunk of new Set(providerIds))
          if (!there.has(trunk))
            await store.hold({
              ...{ query: { window, trunk }, reason: `${holdId} ${reason}`, by: order.actor },
              ...(untilMs !== undefined && { untilUs: untilMs * 1_000 }),
            });
      } catch (error) {
        if (isHopbackError(error) && error.code === 'invalid-argument') await endHold(context, holdId);
        throw error;
      }
    },
    /** Ends a hold. The next retention round removes its expired records. @returns false if no such hold is in force */
    release: async (
      holdId: string,
      {
        reason,
        organizationId,
        actor,
      }: { readonly reason: string; readonly organizationId: string; readonly actor: string },
    ): Promise<boolean> => {
      const isEnded = await endHold(context, holdId, { organizationId, actor });
      for (const one of await ofStore(holdId)) await store.release(one.holdId, reason, actor);
      return isEnded;
    },
    /** Holds in force of a matter: those whose id is `matter/…`. */
    ofMatter: async (matter: string): Promise<readonly string[]> => {
      const rows = await context.database
        .withTables<RecordsTables>()
        .selectFrom('records_holds')
        .select('hold_id')
        .where('released_at_ms', 'is', null)
        .where((is) => is(is.fn<string>('left', ['hold_id', is.val(matter.length + 1)]), '=', `${matter}/`))
        .orderBy('hold_id')
        .execute();
      return rows.map((row) => row.hold_id);
    },
  };
}

async function insertHold(
  { context, transaction }: { readonly context: PlatformContext; readonly transaction: PlatformTransaction },
  { holdId, reason, fromMs, toMs, untilMs, organizationId, actor }: LiveHoldOrder,
): Promise<void> {
  const inserted = await transaction
    .withTables<RecordsTables>()
    .insertInto('records_holds')
    .values({
      ...{ hold_id: holdId, reason, placed_by: actor, placed_at_ms: context.clock.nowMs() },
      ...{ from_ms: fromMs, to_ms: toMs, until_ms: untilMs ?? null, released_at_ms: null },
    })
    .onConflict((conflict) => conflict.column('hold_id').doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) return;
  await context.audit(transaction, {
    action: 'live-hold.placed',
    organizationId,
    actor,
    object: `live-hold:${holdId}`,
  });
}

async function endHold(
  context: PlatformContext,
  holdId: string,
  by: { readonly organizationId: string; readonly actor: string } = { organizationId: 'platform', actor: 'platform' },
): Promise<boolean> {
  return context.transact(async (transaction) => {
    const ended = await transaction
      .withTables<RecordsTables>()
      .updateTable('records_holds')
      .set({ released_at_ms: context.clock.nowMs() })
      .where('hold_id', '=', holdId)
      .where('released_at_ms', 'is', null)
      .executeTakeFirst();
    if (ended.numUpdatedRows === 0n) return false;
    await context.audit(transaction, { ...by, action: 'live-hold.released', object: `live-hold:${holdId}` });
    return true;
  });
}

/** A stretch of time that has more records than one hold may have is divided down to this: a second of the full rate has some thousands. */
const SHORTEST_MS = 1_000;
const BY = { organizationId: 'platform', actor: 'platform' } as const;

/**
 * Keeps live data that demands reach, by their times and providers.
 * A hold whose scope was changed is placed anew before the former one ends.
 */
export function createHoldPort(holds: LiveHolds): HoldPort {
  return {
    place: async (hold) => {
      const orders = ordersOf(hold);
      for (const order of orders) await placed(holds, order);
      const own = orders.map(({ holdId }) => holdId);
      for (const former of await holds.ofMatter(hold.holdId))
        if (!own.some((id) => former.startsWith(id)))
          await holds.release(former, { ...BY, reason: 'the scope of the demand was changed' });
    },
    release: async (holdId) => {
      for (const one of await holds.ofMatter(holdId)) await holds.release(one, { ...BY, reason: 'the demand is over' });
    },
  };
}

function ordersOf({ holdId, scope, organizationId }: LegalHold): readonly LiveHoldOrder[] {
  const wanted: readonly string[] = ['call-records', 'app-reports', 'recordings', 'traceback-records'];
  if (!scope.recordClasses.some((one) => wanted.includes(one))) return [];
  const { from, to, providerIds } = scope;
  const content = { from, to, providerIds: providerIds ?? null };
  return [
    {
      holdId: `${holdId}/${hash('sha256', JSON.stringify(content), 'hex').slice(0, 12)}`,
      reason: `demand ${holdId} of ${organizationId}`,
      ...{ fromMs: Date.parse(from), toMs: Date.parse(to) },
      ...(providerIds !== undefined && { providerIds }),
      ...BY,
    },
  ];
}

/** Places a hold; where it has too many records, one for each half of its time. */
async function placed(holds: LiveHolds, order: LiveHoldOrder): Promise<void> {
  try {
    await holds.place(order);
  } catch (error) {
    const lengthMs = order.toMs - order.fromMs;
    if (!isHopbackError(error) || error.code !== 'invalid-argument' || lengthMs <= SHORTEST_MS) throw error;
    const middleMs = order.fromMs + Math.ceil(lengthMs / 2);
    await placed(holds, { ...order, holdId: `${order.holdId}0`, toMs: middleMs });
    await placed(holds, { ...order, holdId: `${order.holdId}1`, fromMs: middleMs });
  }
}
