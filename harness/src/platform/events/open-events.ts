import type { PlatformContext } from '../core/index.js';
import { isSealedData, openJson, readableJson } from '../database/index.js';
import type { StoredEvent } from '../database/index.js';

/**
 * Events with their data in the clear, as they are brought to an organization. What was sealed and has been removed since is left out: there
 * is nothing to tell any more.
 * @param events - as they are stored
 * @param organizationId - whom they are brought to, for the audit
 */
export function openEvents(
  context: OpeningContext,
  events: readonly StoredEvent[],
  organizationId: string,
): Promise<readonly StoredEvent[]> {
  return openedBy(openJson, { context, events, organizationId });
}

/** The same, also without events that cannot be opened: one of them keeps a stream from none of the others. */
export function readableEvents(
  context: OpeningContext,
  events: readonly StoredEvent[],
  organizationId: string,
): Promise<readonly StoredEvent[]> {
  return openedBy(readableJson, { context, events, organizationId });
}

type OpeningContext = Pick<PlatformContext, 'sealed' | 'transact' | 'log'>;

async function openedBy(
  open: typeof readableJson,
  given: {
    readonly context: OpeningContext;
    readonly events: readonly StoredEvent[];
    readonly organizationId: string;
  },
): Promise<readonly StoredEvent[]> {
  const { context, events, organizationId } = given;
  const pieces = events.flatMap(({ data }) => (isSealedData(data) ? [data.sealed] : []));
  if (pieces.length === 0) return events;
  const reason = { organizationId, actor: 'platform', object: 'events:delivery' };
  const values = await context.transact((transaction) => open(context, transaction, { pieces, reason }));
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
