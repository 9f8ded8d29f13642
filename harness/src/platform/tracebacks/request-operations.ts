import { createHash } from 'node:crypto';
import type {
  FccNotice,
  NoticeResponse,
  PlatformAnswer,
  ReceivedAnswer,
  TracebackRequestStatus,
} from '@hopback/sdk/platform';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { TracebackRequest } from '@hopback/sdk/traceback';
import { noticeDeadlines } from '@hopback/sdk/traceback';
import type { Selectable } from 'kysely';
import type { Operation, OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import type { OpeningReason } from '../database/index.js';
import { openJson, sealJson } from '../database/index.js';
import { receiveResponse } from '../domain/tracebacks/waiting-items.js';
import type { HeldRequest } from './held-traceback.js';
import { referenceOf } from './perform-effect.js';
import type { StaffBody } from './staff-bodies.js';
import { answerRows, askedRequest, joinedQuery, pageOfRows, placeWindow } from './stored-requests.js';
import type { AnswerParts } from './take-answers.js';
import { createAnswerIntake } from './take-answers.js';
import { kindOf } from './traceback-operations.js';
import type { NoticesTable, TracebacksTables } from './tracebacks-tables.js';

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
    changes: concerned.map((one) => ({
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

type NoticeRow = Selectable<NoticesTable>;

/** Notices of the Commission: handed over by staff, answered by the provider that they are for. @see 47 CFR 64.1200(n)(2) */
export function noticeOperations(parts: AnswerParts): Operations {
  return {
    issueNotice: (call) => issue(parts, call),
    withdrawNotice: (call) => withdraw(parts, call),
    listNotices: (call) => list(parts, call),
    respondToNotice: (call) => respond(parts, call),
  };
}

async function issue(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, engine, providers } = parts;
  const body = call.request.body as StaffBody<'NoticeIssue'>;
  return engine.transact(async (transaction) => {
    const provider = await providers.provider(transaction, body.providerId);
    if (provider === undefined) return problemAnswer('conflict', { detail: 'The registry has no such provider.' });
    // The same reference is the same notice.
    const noticeId = `n-${context.sealed.pseudonym(JSON.stringify(['notice', body.providerId, body.reference]))}`;
    const known = await noticeRow(transaction, noticeId);
    if (known !== undefined) return noticeAnswer(parts, transaction, { row: known, call });
    const issuedAtMs = context.clock.nowMs();
    const clocks = noticeDeadlines(issuedAtMs, {
      zone: provider.zone,
      ...(body.reportDueAt !== undefined && { statedReportDueAtMs: Date.parse(body.reportDueAt) }),
    });
    if (clocks.status === 'refused') return problemAnswer('conflict', { detail: clocks.detail });
    const notice: FccNotice = {
      ...{ format: 'hopback.fcc-notice.1', noticeId, state: 'open', reference: body.reference },
      provider: referenceOf(provider),
      issuedAt: iso(issuedAtMs),
      mitigationDueAt: iso(clocks.mitigationDueAt.atMs),
      reportDueAt: iso(clocks.reportDueAt.atMs),
      description: body.description,
      ...(body.campaignId !== undefined && { campaignId: body.campaignId }),
      ...{ calls: body.calls, tracebackIds: body.tracebackIds, responses: [] },
    };
    const belongsTo = `notice:${noticeId}`;
    const pieces = await sealJson(context, transaction, { value: notice, belongsTo });
    await transaction
      .withTables<TracebacksTables>()
      .insertInto('tracebacks_notices')
      .values({
        ...{ notice_id: noticeId, provider_id: body.providerId, issued_at_ms: issuedAtMs, state: 'open' },
        ...{ mitigation_due_at_ms: clocks.mitigationDueAt.atMs, report_due_at_ms: clocks.reportDueAt.atMs },
        notice: JSON.stringify(pieces),
      })
      .execute();
    await context.tell(transaction, {
      ...{ type: 'org.hopback.notice.issued.1', subject: noticeId, to: [body.providerId] },
      data: { member: 'notice', sealed: pieces },
    });
    await context.audit(transaction, { ...reasonOf(call, belongsTo), action: 'notice.issued' });
    return jsonAnswer(notice);
  });
}

async function withdraw(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const noticeId = call.request.parameters['noticeId'] ?? '';
  return parts.engine.transact(async (transaction) => {
    const row = await noticeRow(transaction, noticeId);
    if (row === undefined) return problemAnswer('not-found');
    if (row.state !== 'withdrawn') {
      await setState(transaction, noticeId, 'withdrawn');
      await parts.context.audit(transaction, { ...reasonOf(call, `notice:${noticeId}`), action: 'notice.withdrawn' });
    }
    return noticeAnswer(parts, transaction, { row: { ...row, state: 'withdrawn' }, call });
  });
}

async function respond(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, engine } = parts;
  const noticeId = call.request.parameters['noticeId'] ?? '';
  const response = call.request.body as NoticeResponse;
  const { responseId, kind } = response;
  return engine.transact(async (transaction) => {
    const row = await noticeRow(transaction, noticeId);
    if (row === undefined || row.provider_id !== call.caller.organizationId) return problemAnswer('not-found');
    const sha256 = createHash('sha256').update(JSON.stringify(response)).digest('hex');
    const before = await responseRows(transaction, [noticeId]);
    const responses = before.map((one) => ({ responseId: one.response_id, kind: one.kind, sha256: one.sha256 }));
    const received = receiveResponse({ state: row.state, responses }, { responseId, kind, sha256 });
    if (received.status === 'conflict') return problemAnswer('conflict');
    if (received.status === 'repeat') return noticeAnswer(parts, transaction, { row, call });
    const belongsTo = `notice:${noticeId}`;
    const pieces = await sealJson(context, transaction, { value: response, belongsTo });
    await transaction
      .withTables<TracebacksTables>()
      .insertInto('tracebacks_notice_responses')
      .values({
        ...{ notice_id: noticeId, response_id: responseId, kind, sha256 },
        ...{ received_at_ms: context.clock.nowMs(), response: JSON.stringify(pieces) },
      })
      .execute();
    if (received.state !== row.state) await setState(transaction, noticeId, received.state);
    await context.audit(transaction, {
      ...{ ...reasonOf(call, belongsTo), action: 'notice.responded', details: { responseId, kind, sha256 } },
    });
    return noticeAnswer(parts, transaction, { row: { ...row, state: received.state }, call });
  });
}

async function list(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const window = placeWindow(call.request.parameters);
  if (window === undefined)
    return problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown' }] });
  return parts.engine.transact(async (transaction) => {
    let query = transaction.withTables<TracebacksTables>().selectFrom('tracebacks_notices').selectAll();
    if (kindOf(call) !== 'staff') query = query.where('provider_id', '=', call.caller.organizationId);
    if (window.behind !== undefined) query = query.where('place', '<', window.behind);
    const rows = await query
      .orderBy('place', 'desc')
      .limit(window.limit + 1)
      .execute();
    const shown = rows.slice(0, window.limit);
    const notices = await noticesOf(parts, transaction, { rows: shown, reason: reasonOf(call, 'notices') });
    return jsonAnswer(pageOfRows(rows, window, ({ notice_id: id }) => notices.get(id)));
  });
}

async function noticeAnswer(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  { row, call }: { readonly row: NoticeRow; readonly call: OperationCall },
): Promise<PlatformAnswer> {
  const reason = reasonOf(call, `notice:${row.notice_id}`);
  const notice = (await noticesOf(parts, transaction, { rows: [row], reason })).get(row.notice_id);
  return notice === undefined ? problemAnswer('not-found') : jsonAnswer(notice);
}

/** Notices with their responses, opened in one go. */
async function noticesOf(
  { context }: AnswerParts,
  transaction: PlatformTransaction,
  { rows, reason }: { readonly rows: readonly NoticeRow[]; readonly reason: OpeningReason },
): Promise<ReadonlyMap<string, FccNotice>> {
  const responses = await responseRows(
    transaction,
    rows.map(({ notice_id: id }) => id),
  );
  const pieces = [...rows.map(({ notice }) => notice), ...responses.map(({ response }) => response)];
  const opened = await openJson(context, transaction, { pieces, reason });
  const given = opened.slice(rows.length) as readonly (NoticeResponse | undefined)[];
  return new Map(
    rows.flatMap((row, index): [string, FccNotice][] => {
      const notice = opened[index] as FccNotice | undefined;
      if (notice === undefined) return [];
      const own = responses.flatMap((one, at) => {
        const response = given[at];
        return one.notice_id === row.notice_id && response !== undefined ? [response] : [];
      });
      return [[row.notice_id, { ...notice, state: row.state, responses: own }]];
    }),
  );
}

async function noticeRow(transaction: PlatformTransaction, noticeId: string): Promise<NoticeRow | undefined> {
  return transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_notices')
    .selectAll()
    .where('notice_id', '=', noticeId)
    .executeTakeFirst();
}

async function responseRows(transaction: PlatformTransaction, noticeIds: readonly string[]) {
  if (noticeIds.length === 0) return [];
  return transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_notice_responses')
    .selectAll()
    .where('notice_id', 'in', noticeIds)
    .orderBy('place')
    .execute();
}

async function setState(transaction: PlatformTransaction, noticeId: string, state: NoticeRow['state']): Promise<void> {
  await transaction
    .withTables<TracebacksTables>()
    .updateTable('tracebacks_notices')
    .set({ state })
    .where('notice_id', '=', noticeId)
    .execute();
}
