import { sql } from 'kysely';
import type { PlatformTransaction } from '../core/index.js';

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
