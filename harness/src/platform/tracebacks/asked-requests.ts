import type { PlatformTransaction, Reading } from '../core/index.js';
import type { HeldRequest } from './held-traceback.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** A request that the provider was sent itself: one that another asks for does not exist for it. */
export async function askedRequest(
  reading: Reading,
  { requestId, providerId }: { readonly requestId: string; readonly providerId: string },
): Promise<HeldRequest | undefined> {
  const asked = (await askedRequests(reading, [requestId])).get(requestId);
  return asked?.provider_id === providerId ? asked : undefined;
}

/** Requests that were sent to providers, by id. */
export async function askedRequests(
  reading: Reading,
  requestIds: readonly string[],
): Promise<ReadonlyMap<string, HeldRequest>> {
  const rows = await reading
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .selectAll()
    .where('request_id', 'in', requestIds)
    .where('asked_by', 'is', null)
    .execute();
  return new Map(rows.map((row) => [row.request_id, row]));
}

/** Requests of other tracebacks that are answered with some. */
export async function joinedRequests(
  reading: Reading,
  requestIds: readonly string[],
): Promise<
  readonly { readonly request_id: string; readonly traceback_id: string; readonly asked_by: string | null }[]
> {
  return reading
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .select(['request_id', 'traceback_id', 'asked_by'])
    .where('asked_by', 'in', requestIds)
    .execute();
}

/** Requests of the table by their question. */
export async function requestsWith(
  transaction: PlatformTransaction,
  questions: readonly string[],
): Promise<ReadonlyMap<string, readonly HeldRequest[]>> {
  if (questions.length === 0) return new Map();
  const rows = await transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .selectAll()
    .where('question', 'in', [...new Set(questions)])
    .where('asked_by', 'is', null)
    .where('cancelled_at_ms', 'is', null)
    .orderBy('place')
    .execute();
  const found = new Map<string, HeldRequest[]>();
  for (const row of rows) found.set(row.question, [...(found.get(row.question) ?? []), row]);
  return found;
}
