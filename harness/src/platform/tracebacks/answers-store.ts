import type { CompiledQuery, Selectable } from 'kysely';
import type { TracebackAnswer } from '@hopback/sdk/traceback';
import type { PlatformContext, Reading, PlatformTransaction } from '../core/index.js';
import type { PlainTexts } from './plain-texts.js';
import { compiledOnce, isAmong, openJson } from '../database/index.js';
import type { OpeningReason } from '../database/index.js';
import type { AnswersTable, TracebacksTables } from './tracebacks-tables.js';

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
