import type { PlatformEventType } from '@hopback/sdk/internal';
import type { WireBodies } from '@hopback/sdk/platform';
import { sql } from 'kysely';
import type { AreaDefinition, EpochMs, JsonColumn, PlatformTransaction, Reading } from '../core/index.js';
import { KeyedTable } from '../database/index.js';

type WebhookDisabledReason = NonNullable<WireBodies['WebhookEndpoint']['disabledReason']>;

/** Tables of where events are posted to, and how far that has come. */
export type EventsTables = {
  readonly events_endpoints: {
    readonly endpoint_id: string;
    readonly organization_id: string;
    readonly url: string;
    readonly event_types: JsonColumn<readonly PlatformEventType[]> | null;
    readonly description: string | null;
    readonly state: 'active' | 'disabled';
    readonly disabled_reason: WebhookDisabledReason | null;
    readonly created_at_ms: EpochMs;
    readonly last_delivered_at_ms: number | null;
    /** References of sealed secrets: the one in use, and the one before until it ends. */
    readonly secret: string;
    readonly previous_secret: string | null;
    readonly previous_ends_at_ms: number | null;
  };
  /**
   * Stretches of events that are posted to an endpoint, one after the other: `live` without an end, `replay` up to a position, `retry` one
   * event that was refused alone.
   */
  readonly events_lanes: {
    readonly lane_id: string;
    readonly endpoint_id: string;
    readonly kind: 'live' | 'replay' | 'retry';
    /** Of the last event that is done with. */
    readonly position: number;
    readonly until_position: number | null;
    readonly event_types: JsonColumn<readonly PlatformEventType[]> | null;
    /** Attempts at the event behind `position` so far. */
    readonly attempts: number;
    /** When the next attempt is due. */
    readonly due_at_ms: EpochMs;
    /** The process that posts, and until when nobody else does. */
    readonly holder: string | null;
    readonly held_until_ms: EpochMs;
  };
};

/** The tables within a transaction, or outside. */
export const tablesOf = (reading: Reading) => reading.withTables<EventsTables>();

export const ENDPOINTS = new KeyedTable<EventsTables['events_endpoints']>('events_endpoints', 'endpoint_id');
export const LANES = new KeyedTable<EventsTables['events_lanes']>('events_lanes', 'lane_id');

/** What a lane begins with: it is due, and nobody has it. */
export const newLane = (laneId: string, endpointId: string, dueAtMs: number) =>
  ({
    lane_id: laneId,
    endpoint_id: endpointId,
    due_at_ms: dueAtMs,
    until_position: null,
    event_types: null,
    attempts: 0,
    holder: null,
    held_until_ms: 0,
  }) as const;

/** Tables of endpoints and lanes. */
export const eventsDefinition: AreaDefinition = {
  name: 'events',
  migrations: [
    {
      name: 'events-001-endpoints',
      up: async (database) => {
        await sql`create table events_endpoints (
          endpoint_id text primary key,
          organization_id text not null,
          url text not null,
          event_types jsonb,
          description text,
          state text not null,
          disabled_reason text,
          created_at_ms bigint not null,
          last_delivered_at_ms bigint,
          secret text not null,
          previous_secret text,
          previous_ends_at_ms bigint)`.execute(database);
        await sql`create index events_endpoints_organization on events_endpoints (organization_id, endpoint_id)`.execute(
          database,
        );
        await sql`create table events_lanes (
          lane_id text primary key,
          endpoint_id text not null references events_endpoints (endpoint_id) on delete cascade,
          kind text not null,
          position bigint not null,
          until_position bigint,
          event_types jsonb,
          attempts int not null,
          due_at_ms bigint not null,
          holder text,
          held_until_ms bigint not null)`.execute(database);
        await sql`create index events_lanes_endpoint on events_lanes (endpoint_id)`.execute(database);
        await sql`create index events_lanes_due on events_lanes (due_at_ms, position)`.execute(database);
      },
    },
  ],
};

/**
 * How far all endpoints are done with events: before the first event that one of them still has to be posted. A lane for whose organization
 * nothing happens stands still, and keeps nothing.
 * @returns a position; Infinity where everything was posted
 */
export async function readByEndpoints(transaction: PlatformTransaction): Promise<number> {
  const { rows } = await sql<{ readonly waiting: number | null }>`
    select min(waiting.position) as waiting
    from events_lanes lane
    join events_endpoints endpoint on endpoint.endpoint_id = lane.endpoint_id and endpoint.state = 'active'
    cross join lateral (
      select event.position from core_events event
      where event.position > lane.position
        and (lane.until_position is null or event.position <= lane.until_position)
        and event.audience @> jsonb_build_array(endpoint.organization_id)
      order by event.position limit 1) waiting`.execute(transaction);
  const waiting = rows[0]?.waiting ?? undefined;
  return waiting === undefined ? Infinity : waiting - 1;
}
