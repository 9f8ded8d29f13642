import type { PlatformTransaction } from '../core/index.js';
import type { HeldRequest, HeldTraceback } from './held-traceback.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** Tracebacks that the same transaction works on. */
interface Batch {
  readonly batch: readonly HeldTraceback[];
}

/**
 * The request on the wire of which a traceback speaks where it reminds, or says that a deadline has passed. Of several tracebacks that share one it is the
 * one that sent it; where that one does not want it any more, the first that still does.
 * @returns the request that the provider knows; undefined where another traceback speaks of it
 */
export async function requestOnWire(
  { batch }: Batch,
  transaction: PlatformTransaction,
  request: HeldRequest,
): Promise<HeldRequest | undefined> {
  const { asked_by: askedBy } = request;
  if (askedBy === null) return request;
  const asking = await askingRow({ batch }, transaction, askedBy);
  if (asking === undefined || asking.is_wanted || asking.cancelled_at_ms !== null) return undefined;
  const first = await transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .select('request_id')
    .where('asked_by', '=', askedBy)
    .where('is_wanted', '=', true)
    .orderBy('place')
    .limit(1)
    .executeTakeFirst();
  return first?.request_id === request.request_id ? asking : undefined;
}

/** A request as it is on the wire: in hand, or in the table. */
export async function askingRow(
  { batch }: Batch,
  transaction: PlatformTransaction,
  requestId: string,
): Promise<HeldRequest | undefined> {
  for (const { requests } of batch) {
    const request = requests.get(requestId);
    if (request !== undefined) return request;
  }
  return transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .selectAll()
    .where('request_id', '=', requestId)
    .executeTakeFirst();
}
