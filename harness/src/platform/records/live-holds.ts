import { hash } from 'node:crypto';
import { isHopbackError } from '@hopback/sdk/errors';
import type { RecordStore } from '@hopback/sdk/records';
import type { HoldPort, LegalHold, PlatformContext } from '../core/index.js';
import { EVERY_ROW } from './live-reader.js';
import type { RecordsTables } from './records-tables.js';

/** An order to keep live data of a stretch of time, for a demand. */
interface LiveHoldOrder {
  /** `demand/scope`: the same order again is none more. */
  readonly holdId: string;
  readonly reason: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Whose records; of all providers where nothing is said. Reports and complaints of the time are kept in any case. */
  readonly providerIds: readonly string[] | undefined;
}

interface LiveHoldParts {
  readonly context: PlatformContext;
  readonly store: RecordStore;
  readonly caughtUp: () => Promise<void>;
}

/** A stretch of time that has more records than one hold may have is divided down to this: a second of the full rate has some thousands. */
const SHORTEST_MS = 1_000;
const BY = { organizationId: 'platform', actor: 'platform' } as const;

/**
 * Keeps live data that demands reach, by their times and providers. Holds on records lie in the record store, as copies; those on reports and
 * complaints are what retention looks at. A hold whose scope was changed is placed anew before the former one ends.
 */
export function createHoldPort(parts: LiveHoldParts): HoldPort {
  return {
    place: async (hold) => {
      const orders = ordersOf(hold);
      for (const order of orders) await placed(parts, order);
      const own = orders.map(({ holdId }) => holdId);
      for (const former of await holdsOf(parts, hold.holdId))
        if (!own.some((id) => former.startsWith(id)))
          await release(parts, former, 'the scope of the demand was changed');
    },
    release: async (holdId) => {
      for (const one of await holdsOf(parts, holdId)) await release(parts, one, 'the demand is over');
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
      fromMs: Date.parse(from),
      toMs: Date.parse(to),
      providerIds,
    },
  ];
}

/** Places a hold; where it has too many records, one for each half of its time. */
async function placed(parts: LiveHoldParts, order: LiveHoldOrder): Promise<void> {
  try {
    await place(parts, order);
  } catch (error) {
    const lengthMs = order.toMs - order.fromMs;
    if (!isHopbackError(error) || error.code !== 'invalid-argument' || lengthMs <= SHORTEST_MS) throw error;
    const middleMs = order.fromMs + Math.ceil(lengthMs / 2);
    await placed(parts, { ...order, holdId: `${order.holdId}0`, toMs: middleMs });
    await placed(parts, { ...order, holdId: `${order.holdId}1`, fromMs: middleMs });
  }
}

/**
 * Places a hold, or goes on placing one that broke off.
 * @throws HopbackError `invalid-argument` where there are more records than one hold may have
 */
async function place({ context, store, caughtUp }: LiveHoldParts, order: LiveHoldOrder): Promise<void> {
  const { holdId, reason, fromMs, toMs, providerIds = [EVERY_ROW] } = order;
  // First what costs nothing and keeps most; what is placed in the store after a crash is found there.
  await insertHold(context, order);
  await caughtUp();
  const window = { fromUs: fromMs * 1_000, toUs: toMs * 1_000 - 1 };
  const there = new Set((await inStore(store, holdId)).map(({ query }) => query.trunk));
  try {
    for (const trunk of new Set(providerIds))
      if (!there.has(trunk))
        await store.hold({ query: { window, trunk }, reason: `${holdId} ${reason}`, by: BY.actor });
  } catch (error) {
    if (isHopbackError(error) && error.code === 'invalid-argument') await endHold(context, holdId);
    throw error;
  }
}

/** Ends a hold. The next retention round removes its expired records. */
async function release({ context, store }: LiveHoldParts, holdId: string, reason: string): Promise<void> {
  await endHold(context, holdId);
  for (const one of await inStore(store, holdId)) await store.release(one.holdId, reason, BY.actor);
}

const inStore = async (store: RecordStore, holdId: string) =>
  (await store.holds()).filter(({ reason }) => reason.startsWith(`${holdId} `));

/** Holds in force of a demand: those whose id is `demand/…`. */
async function holdsOf({ context }: LiveHoldParts, demandId: string): Promise<readonly string[]> {
  const rows = await context.database
    .withTables<RecordsTables>()
    .selectFrom('records_holds')
    .select('hold_id')
    .where('released_at_ms', 'is', null)
    .where((is) => is(is.fn<string>('left', ['hold_id', is.val(demandId.length + 1)]), '=', `${demandId}/`))
    .orderBy('hold_id')
    .execute();
  return rows.map((row) => row.hold_id);
}

async function insertHold(context: PlatformContext, { holdId, reason, fromMs, toMs }: LiveHoldOrder): Promise<void> {
  await context.transact(async (transaction) => {
    const inserted = await transaction
      .withTables<RecordsTables>()
      .insertInto('records_holds')
      .values({
        hold_id: holdId,
        reason,
        placed_by: BY.actor,
        placed_at_ms: context.clock.nowMs(),
        from_ms: fromMs,
        to_ms: toMs,
        until_ms: null,
        released_at_ms: null,
      })
      .onConflict((conflict) => conflict.column('hold_id').doNothing())
      .executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 1n)
      await context.audit(transaction, { ...BY, action: 'live-hold.placed', object: `live-hold:${holdId}` });
  });
}

async function endHold(context: PlatformContext, holdId: string): Promise<void> {
  await context.transact(async (transaction) => {
    const ended = await transaction
      .withTables<RecordsTables>()
      .updateTable('records_holds')
      .set({ released_at_ms: context.clock.nowMs() })
      .where('hold_id', '=', holdId)
      .where('released_at_ms', 'is', null)
      .executeTakeFirst();
    if (ended.numUpdatedRows > 0n)
      await context.audit(transaction, { ...BY, action: 'live-hold.released', object: `live-hold:${holdId}` });
  });
}
