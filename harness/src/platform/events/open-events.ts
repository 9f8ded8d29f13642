import type { PlatformContext } from '../core/index.js';
import { isSealedData, openJson } from '../database/index.js';
import type { StoredEvent } from '../database/index.js';

/**
 * Events with their data in the clear, as they are brought to an organization. What was sealed and has been removed since is left out: there
 * is nothing to tell any more.
 * @param events - as they are stored
 * @param organizationId - whom they are brought to, for the audit
 */
export async function openEvents(
  context: Pick<PlatformContext, 'sealed' | 'transact'>,
  events: readonly StoredEvent[],
  organizationId: string,
): Promise<readonly StoredEvent[]> {
  const pieces = events.flatMap(({ data }) => (isSealedData(data) ? [data.sealed] : []));
  if (pieces.length === 0) return events;
  const reason = { organizationId, actor: 'platform', object: 'events:delivery' };
  const values = await context.transact((transaction) => openJson(context, transaction, { pieces, reason }));
  let next = 0;
  const opened: StoredEvent[] = [];
  for (const event of events) {
    if (!isSealedData(event.data)) opened.push(event);
    else {
      const value = values[next++];
      if (value !== undefined) opened.push({ ...event, data: { [event.data.member]: value } });
    }
  }
  return opened;
}
