import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer, ReceivedAnswer, TracebackRequestStatus } from '@hopback/sdk/platform';
import type { TracebackRequest } from '@hopback/sdk/traceback';
import type { Operation, OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { answerRows } from './answers-store.js';
import type { HeldRequest } from './held-traceback.js';
import { pageOfRows, placeWindow } from './paging.js';
import type { OpeningReason } from '../database/index.js';
import { askedRequest, joinedQuery } from './asked-requests.js';
import { createAnswerIntake } from './submit-answer.js';
import type { AnswerParts } from './submit-answer.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** What a provider does with the requests to it. Those of others, and those that another request asks for, are none. */
export function requestOperations(parts: AnswerParts): Operations {
  const withOwn =
    (
      work: (transaction: PlatformTransaction, row: HeldRequest, call: OperationCall) => Promise<PlatformAnswer>,
    ): Operation =>
    (call) =>
      parts.engine.transact(async (transaction) => {
        const requestId = call.request.parameters['requestId'] ?? '';
        const row = await askedRequest(transaction, { requestId, providerId: call.caller.organizationId });
        return row === undefined ? problemAnswer('not-found') : work(transaction, row, call);
      });
  return {
    listTracebackRequests: (call) => listRequests(parts, call),
    fetchTracebackRequest: withOwn(async (transaction, row, call) => statusAnswer(parts, transaction, { row, call })),
    acknowledgeTracebackRequest: withOwn((transaction, row, call) => acknowledge(parts, transaction, { row, call })),
    answerTracebackRequest: createAnswerIntake(parts),
    fetchAnswerReceipt: withOwn(async (transaction, row, call) => {
      const answers = await answerRows(transaction, [row.request_id]);
      const found = answers.find(({ answer_id: answerId }) => answerId === call.request.parameters['answerId']);
      return found === undefined
        ? problemAnswer('not-found')
        : jsonAnswer({ answerId: found.answer_id, receipt: found.receipt });
    }),
  };
}

interface OwnRequest {
  readonly row: HeldRequest;
  readonly call: OperationCall;
}

const reasonOf = ({ caller }: OperationCall, object: string): OpeningReason => ({
  organizationId: caller.organizationId,
  actor: caller.clientId,
  object,
});

async function acknowledge(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  { row, call }: OwnRequest,
): Promise<PlatformAnswer> {
  if (row.cancelled_at_ms !== null) return problemAnswer('request-cancelled');
  if (row.acknowledged_at_ms !== null) return statusAnswer(parts, transaction, { row, call });
  const { context, engine } = parts;
  const atMs = context.clock.nowMs();
  const { rows: joined } = await transaction.executeQuery(joinedQuery(transaction, [row.request_id]));
  const concerned = [{ request_id: row.request_id, traceback_id: row.traceback_id }, ...joined];
  const held = await engine.load(transaction, [...new Set(concerned.map((one) => one.traceback_id))]);
  const ids = new Set(concerned.map((one) => one.request_id));
  for (const { requests } of held.values())
    for (const request of requests.values())
      if (ids.has(request.request_id)) Object.assign(request, { acknowledged_at_ms: atMs, isChanged: true });
  await engine.conductHeld(transaction, [...held.values()], {
    happenings: concerned.map((one) => ({
      tracebackId: one.traceback_id,
      events: [
        { type: 'request-acknowledged', tracebackId: one.traceback_id, requestId: one.request_id, atMs } as const,
      ],
    })),
  });
  await context.audit(transaction, {
    ...{ action: 'request.acknowledged', organizationId: call.caller.organizationId, actor: call.caller.clientId },
    object: `request:${row.request_id}`,
  });
  return statusAnswer(parts, transaction, { row: { ...row, acknowledged_at_ms: atMs }, call });
}

async function statusAnswer(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  { row, call }: OwnRequest,
): Promise<PlatformAnswer> {
  const [status] = await statuses(parts, transaction, {
    rows: [row],
    reason: reasonOf(call, `request:${row.request_id}`),
  });
  return status === undefined ? problemAnswer('gone') : jsonAnswer(status);
}

/** Requests with what has been said to them; those whose content has been removed are undefined. */
async function statuses(
  { engine }: AnswerParts,
  transaction: PlatformTransaction,
  { rows, reason }: { readonly rows: readonly HeldRequest[]; readonly reason: OpeningReason },
): Promise<readonly (TracebackRequestStatus | undefined)[]> {
  if (rows.length === 0) return [];
  const requests = await engine.texts.requests(transaction, rows, reason);
  const answers = await answerRows(
    transaction,
    rows.filter(({ answered_at_ms: atMs }) => atMs !== null).map(({ request_id: requestId }) => requestId),
  );
  return rows.map((row, index) => {
    const request = requests[index];
    if (request === undefined) return undefined;
    const received = answers
      .filter(({ request_id: requestId }) => requestId === row.request_id)
      .map((one): ReceivedAnswer => ({
        ...{ answerId: one.answer_id, revision: one.revision, receivedAt: iso(one.received_at_ms) },
      }));
    return statusOf(row, request, received);
  });
}

function statusOf(
  row: HeldRequest,
  request: TracebackRequest,
  answers: readonly ReceivedAnswer[],
): TracebackRequestStatus {
  const { acknowledged_at_ms: acknowledgedAtMs, cancelled_at_ms: cancelledAtMs, cancel_reason: reason } = row;
  const state =
    answers.length > 0
      ? 'answered'
      : cancelledAtMs !== null
        ? 'cancelled'
        : acknowledgedAtMs !== null
          ? 'acknowledged'
          : 'open';
  return {
    request,
    state,
    dueAt: iso(row.due_at_ms),
    ...(acknowledgedAtMs !== null && { acknowledgedAt: iso(acknowledgedAtMs) }),
    ...(cancelledAtMs !== null && { cancelled: { cancelledAt: iso(cancelledAtMs), reason: reason ?? '' } }),
    answers,
  };
}

async function listRequests(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const { parameters } = call.request;
  const window = placeWindow(parameters);
  if (window === undefined)
    return problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown' }] });
  const { state = 'open' } = parameters;
  const { organizationId } = call.caller;
  return parts.engine.transact(async (transaction) => {
    let query = transaction
      .withTables<TracebacksTables>()
      .selectFrom('tracebacks_requests')
      .selectAll()
      .where('provider_id', '=', organizationId)
      .where('asked_by', 'is', null);
    if (window.behind !== undefined) query = query.where('place', '>', window.behind);
    if (state === 'answered') query = query.where('answered_at_ms', 'is not', null);
    if (state === 'open') query = query.where('answered_at_ms', 'is', null).where('cancelled_at_ms', 'is', null);
    const rows = await query
      .orderBy('place')
      .limit(window.limit + 1)
      .execute();
    const shown = rows.slice(0, window.limit);
    const reason = reasonOf(call, `requests-to:${organizationId}`);
    const found = await statuses(parts, transaction, { rows: shown, reason });
    const byId = new Map(shown.map((row, index) => [row.request_id, found[index]]));
    return jsonAnswer(pageOfRows(rows, window, (row) => byId.get(row.request_id)));
  });
}

const iso = (atMs: number): string => new Date(atMs).toISOString();
