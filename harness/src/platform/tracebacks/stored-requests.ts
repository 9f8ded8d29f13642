import type { Page } from '@hopback/sdk/platform';
import { DEFAULT_PAGE_ITEMS } from '@hopback/sdk/platform';
import type { TracebackAnswer } from '@hopback/sdk/traceback';
import type { CompiledQuery, Selectable } from 'kysely';
import type { PlatformContext, PlatformTransaction, Reading } from '../core/index.js';
import type { OpeningReason } from '../database/index.js';
import { compiledOnce, isAmong, openJson } from '../database/index.js';
import type { HeldRequest, HeldTraceback, PlainTexts } from './held-traceback.js';
import type { AnswersTable, RequestsTable, TracebacksTables } from './tracebacks-tables.js';

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
  reading
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_answers')
    .selectAll()
    .where(isAmong('request_id', requestIds))
    .orderBy('revision')
    .compile(),
);

/** What an answer states, out of its JWS: it was verified before it was stored. */
export function payloadOf(jws: string): TracebackAnswer {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8')) as TracebackAnswer;
}

/** Answers to a request in plain, the first revision first; those that have been removed are left out. */
export async function answersOf(
  context: PlatformContext,
  transaction: PlatformTransaction,
  {
    requestId,
    reason,
    texts,
  }: { readonly requestId: string; readonly reason: OpeningReason; readonly texts: PlainTexts },
): Promise<readonly TracebackAnswer[]> {
  const remembered = texts.answers(requestId);
  if (remembered !== undefined && reason.organizationId === 'platform') return remembered;
  const rows = await answerRows(transaction, [requestId]);
  const opened = await openJson(context, transaction, { pieces: rows.map(({ jws }) => jws), reason });
  return opened.filter((jws): jws is string => typeof jws === 'string').map(payloadOf);
}

/** A stretch of a list by place, as it was asked for. */
export interface PlaceWindow {
  /** Place behind which the page begins; undefined for the first page. */
  readonly behind: number | undefined;
  readonly limit: number;
}

/** Reads cursor and limit of a call; undefined where the cursor is none of this platform's. */
export function placeWindow(parameters: Readonly<Record<string, string>>): PlaceWindow | undefined {
  const { cursor, limit } = parameters;
  const behind = cursor === undefined ? undefined : placeOf(cursor);
  if (cursor !== undefined && behind === undefined) return undefined;
  return { behind, limit: limit === undefined ? DEFAULT_PAGE_ITEMS : Number(limit) };
}

/** A page of rows, of which one more than the page was read. */
export function pageOfRows<Row extends { readonly place: number }, Item>(
  rows: readonly Row[],
  { limit }: PlaceWindow,
  itemOf: (row: Row) => Item | undefined,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const items = shown.map(itemOf).filter((item) => item !== undefined);
  return { items, ...(last !== undefined && { nextCursor: cursorOf(last.place) }) };
}

const cursorOf = (place: number): string => Buffer.from(`place ${place}`).toString('base64url');

function placeOf(cursor: string): number | undefined {
  const place = /^place (\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  return place === undefined ? undefined : Number(place);
}
