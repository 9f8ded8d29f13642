import type { TracebackAnswer } from '@hopback/sdk/traceback';
import type { CompiledQuery, Selectable } from 'kysely';
import type { PlatformTransaction, Reading } from '../core/index.js';
import type { OpeningReason } from '../database/index.js';
import { compiledOnce, isAmong, openJson } from '../database/index.js';
import type { HeldRequest, HeldTraceback, TracebackWork } from './held-traceback.js';
import type { AnswersTable, RequestsTable } from './tracebacks-tables.js';
import { REQUESTS, tablesOf } from './tracebacks-tables.js';

/** A request that the provider was sent itself: one that another asks for does not exist for it. */
export async function askedRequest(
  reading: Reading,
  requestId: string,
  providerId: string,
): Promise<HeldRequest | undefined> {
  const [asked] = (await reading.executeQuery(askedQuery(reading, [requestId]))).rows;
  return asked?.provider_id === providerId ? asked : undefined;
}

/** Asks for requests that were sent to providers, by id. */
export const askedQuery: (reading: Reading, requestIds: readonly string[]) => CompiledQuery<Selectable<RequestsTable>> =
  compiledOnce((reading, requestIds) =>
    tablesOf(reading)
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
    tablesOf(reading)
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
  tablesOf(reading)
    .selectFrom('tracebacks_requests')
    .selectAll()
    .where(isAmong('question', questions))
    .where('asked_by', 'is', null)
    .where('cancelled_at_ms', 'is', null)
    .orderBy('place')
    .compile(),
);

/** Tracebacks that a transaction works on. */
export interface Batch {
  readonly transaction: PlatformTransaction;
  readonly batch: readonly HeldTraceback[];
}

/**
 * The request on the wire of which a traceback speaks where it reminds, or says that a deadline has passed. Of several tracebacks that share one it is the
 * one that sent it; where that one does not want it any more, the first that still does.
 * @returns the request that the provider knows; undefined where another traceback speaks of it
 */
export async function requestOnWire(work: Batch, request: HeldRequest): Promise<HeldRequest | undefined> {
  const { asked_by: askedBy } = request;
  if (askedBy === null) return request;
  const asking = await askingRow(work, askedBy);
  if (asking === undefined || asking.is_wanted || asking.cancelled_at_ms !== null) return undefined;
  const first = await tablesOf(work.transaction)
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
export async function askingRow({ batch, transaction }: Batch, requestId: string): Promise<HeldRequest | undefined> {
  const held = batch.find(({ requests }) => requests.has(requestId));
  return held === undefined ? REQUESTS.get(transaction, requestId) : held.requests.get(requestId);
}

/** Rows of answers to a request, the first revision first. */
export async function answerRows(
  reading: Reading,
  requestIds: readonly string[],
): Promise<readonly Selectable<AnswersTable>[]> {
  if (requestIds.length === 0) return [];
  return (await reading.executeQuery(answersQuery(reading, requestIds))).rows;
}

/** What {@link answerRows} asks. */
export const answersQuery: (
  reading: Reading,
  requestIds: readonly string[],
) => CompiledQuery<Selectable<AnswersTable>> = compiledOnce((reading, requestIds) =>
  tablesOf(reading)
    .selectFrom('tracebacks_answers')
    .selectAll()
    .where(isAmong('request_id', requestIds))
    .orderBy('revision')
    .compile(),
);

/** What an answer states, out of its JWS: it was verified before it was stored. */
function payloadOf(jws: string): TracebackAnswer {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')) as TracebackAnswer;
}

/** Answers to a request in plain, the first revision first; those that have been removed are left out. */
export async function answersOf(
  { context, transaction, texts }: TracebackWork,
  requestId: string,
  reason: OpeningReason,
): Promise<readonly TracebackAnswer[]> {
  const remembered = texts.answers(requestId);
  if (remembered !== undefined && reason.organizationId === 'platform') return remembered;
  const rows = await answerRows(transaction, [requestId]);
  const opened = await openJson(context, transaction, { pieces: rows.map(({ jws }) => jws), reason });
  return opened.filter((jws): jws is string => typeof jws === 'string').map(payloadOf);
}
