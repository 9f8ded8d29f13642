import type { CompiledQuery, Selectable } from 'kysely';
import type { PlatformTransaction, Reading } from '../core/index.js';
import { compiledOnce, isAmong } from '../database/index.js';
import type { HeldRequest } from './held-traceback.js';
import type { RequestsTable, TracebacksTables } from './tracebacks-tables.js';

/** A request that the provider was sent itself: one that another asks for does not exist for it. */
export async function askedRequest(
  reading: Reading,
  { requestId, providerId }: { readonly requestId: string; readonly providerId: string },
): Promise<HeldRequest | undefined> {
  const [asked] = (await reading.executeQuery(askedQuery(reading, [requestId]))).rows;
  return asked?.provider_id === providerId ? asked : undefined;
}

/** Asks for requests that were sent to providers, by id. */
export const askedQuery: (reading: Reading, requestIds: readonly string[]) => CompiledQuery<Selectable<RequestsTable>> =
  compiledOnce((reading, requestIds) =>
    reading
      .withTables<TracebacksTables>()
      .selectFrom('tracebacks_requests')
      .selectAll()
      .where(isAmong('request_id', requestIds))
      .where('asked_by', 'is', null)
      .compile(),
  );

/** A request that another asks for. */
export type JoinedRow = Pick<Selectable<RequestsTable>, 'request_id' | 'traceback_id' | 'asked_by'>;

/** Asks for requests of other tracebacks that are answered with some. */
export const joinedQuery: (reading: Reading, requestIds: readonly string[]) => CompiledQuery<JoinedRow> = compiledOnce(
  (reading, requestIds) =>
    reading
      .withTables<TracebacksTables>()
      .selectFrom('tracebacks_requests')
      .select(['request_id', 'traceback_id', 'asked_by'])
      .where(isAmong('asked_by', requestIds))
      .compile(),
);

/** Requests of the table by their question. */
export async function requestsWith(
  transaction: PlatformTransaction,
  questions: readonly string[],
): Promise<ReadonlyMap<string, readonly HeldRequest[]>> {
  if (questions.length === 0) return new Map();
  const { rows } = await transaction.executeQuery(questionsQuery(transaction, [...new Set(questions)]));
  const found = new Map<string, HeldRequest[]>();
  for (const row of rows) found.set(row.question, [...(found.get(row.question) ?? []), row]);
  return found;
}

const questionsQuery = compiledOnce((reading, questions: readonly string[]): CompiledQuery<Selectable<RequestsTable>> =>
  reading
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .selectAll()
    .where(isAmong('question', questions))
    .where('asked_by', 'is', null)
    .where('cancelled_at_ms', 'is', null)
    .orderBy('place')
    .compile(),
);
