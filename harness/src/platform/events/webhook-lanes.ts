import { sql } from 'kysely';
import type { PlatformContext, PlatformTransaction } from '../core/index.js';
import { ownerOf } from './endpoint-operations.js';
import { ENDPOINTS, LANES, tablesOf } from './events-tables.js';

/** How long a lane is its holder's without a sign of life, milliseconds: three attempts that time out. */
export const HELD_MS = 60_000;
/** Events of one endpoint that wait by themselves; beyond that the endpoint as a whole waits. */
export const MAX_RETRY_LANES = 100;

/** A lane with what is needed to post its events. */
export type HeldLane = Awaited<ReturnType<typeof dueLanes>>[number];

/** Whose events are looked for: of some organizations, or of all. */
export type Awake = ReadonlySet<string> | 'all';

/** Which lanes are looked for, at most how many. */
interface LaneQuery {
  readonly awake: Awake;
  readonly nowMs: number;
  readonly limit: number;
  readonly newest: number;
}

/** Takes lanes that are due, for one holder. @returns those it has now */
export async function takeLanes(
  { database, transact }: PlatformContext,
  holder: string,
  query: LaneQuery,
): Promise<readonly HeldLane[]> {
  // Most times there is nothing, which a look tells without a transaction.
  if (query.limit === 0 || (await dueLanes(database, query)).length === 0) return [];
  return transact(async (transaction) => {
    const due = await dueLanes(transaction, query);
    const ids = due.map(({ laneId }) => laneId);
    if (ids.length > 0)
      await tablesOf(transaction)
        .updateTable('events_lanes')
        .set({ holder, held_until_ms: query.nowMs + HELD_MS })
        .where('lane_id', 'in', ids)
        .execute();
    return due;
  });
}

async function dueLanes(reading: PlatformContext['database'], { awake, nowMs, limit, newest }: LaneQuery) {
  return tablesOf(reading)
    .selectFrom('events_lanes as lane')
    .innerJoin('events_endpoints as endpoint', 'endpoint.endpoint_id', 'lane.endpoint_id')
    .select(['lane.lane_id as laneId', 'lane.kind', 'lane.position', 'lane.until_position as untilPosition'])
    .select(['lane.attempts', 'lane.event_types as laneTypes', 'endpoint.endpoint_id as endpointId'])
    .select(['endpoint.organization_id as organizationId', 'endpoint.url', 'endpoint.event_types as eventTypes'])
    .select(['endpoint.secret', 'endpoint.previous_secret as previousSecret'])
    .select('endpoint.previous_ends_at_ms as previousEndsAtMs')
    .where('endpoint.state', '=', 'active')
    .where('lane.due_at_ms', '<=', nowMs)
    .where('lane.held_until_ms', '<=', nowMs)
    .where('lane.position', '<', newest)
    .$if(awake !== 'all', (query) =>
      query.where((is) =>
        is.or([
          is('lane.kind', '!=', 'live'),
          is('lane.attempts', '>', 0),
          // Whoever held it died.
          is('lane.holder', 'is not', null),
          ...(awake !== 'all' && awake.size > 0 ? [is('endpoint.organization_id', 'in', [...awake])] : []),
        ]),
      ),
    )
    .orderBy('lane.due_at_ms')
    .orderBy('lane.position')
    .limit(limit)
    .execute();
}

/** Organizations that have endpoints to which is posted. */
export async function endpointOwners({ database }: PlatformContext): Promise<ReadonlySet<string>> {
  const rows = await tablesOf(database)
    .selectFrom('events_endpoints')
    .select('organization_id')
    .distinct()
    .where('state', '=', 'active')
    .execute();
  return new Set(rows.map((row) => row.organization_id));
}

/** When the next lane is due that waits, milliseconds since the epoch. */
export async function nextDueMs({ database }: PlatformContext, nowMs: number): Promise<number | undefined> {
  const row = await tablesOf(database)
    .selectFrom('events_lanes as lane')
    .innerJoin('events_endpoints as endpoint', 'endpoint.endpoint_id', 'lane.endpoint_id')
    .select(
      sql<
        number | null
      >`min(greatest(lane.due_at_ms, case when lane.holder is null then 0 else lane.held_until_ms end))`.as('due'),
    )
    .where('endpoint.state', '=', 'active')
    .where((is) => is.or([is('lane.due_at_ms', '>', nowMs), is('lane.holder', 'is not', null)]))
    .executeTakeFirst();
  return row?.due ?? undefined;
}

/** What of a lane is written. */
export interface LaneState {
  readonly position: number;
  readonly attempts: number;
  readonly dueAtMs: number;
  /** Whether its holder goes on. */
  readonly isHeld: boolean;
}

/** Notes how far a lane has come. @returns false where it is its holder's no longer: the endpoint was deleted or disabled */
export async function saveLane(
  transaction: PlatformTransaction,
  {
    laneId,
    holder,
    nowMs,
  }: {
    readonly laneId: string;
    readonly holder: string;
    readonly nowMs: number;
  },
  { position, attempts, dueAtMs, isHeld }: LaneState,
): Promise<boolean> {
  const held = isHeld ? { held_until_ms: nowMs + HELD_MS } : { holder: null, held_until_ms: 0 };
  return LANES.set(transaction, laneId, { position, attempts, due_at_ms: dueAtMs, ...held }, { holder });
}

/** Posts nothing to an endpoint any longer. It stays in the list, so that its owner sees why. */
export async function disableEndpoint(
  context: PlatformContext,
  { endpointId, organizationId }: Pick<HeldLane, 'endpointId' | 'organizationId'>,
  reason: 'gone' | 'failing',
): Promise<void> {
  await context.transact(async (transaction) => {
    await ENDPOINTS.set(transaction, endpointId, { state: 'disabled', disabled_reason: reason });
    await tablesOf(transaction).deleteFrom('events_lanes').where('endpoint_id', '=', endpointId).execute();
    await context.audit(transaction, {
      action: 'webhook-endpoint.disabled',
      organizationId,
      actor: 'platform',
      object: ownerOf(endpointId),
      details: { reason },
    });
  });
}
