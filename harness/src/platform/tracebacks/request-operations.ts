import { hash } from 'node:crypto';
import type { FccNotice, NoticeResponse, TracebackRequestStatus } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer, requestStatus } from '@hopback/sdk/internal';
import type { TracebackRequest } from '@hopback/sdk/traceback';
import { noticeDeadlines } from '@hopback/sdk/traceback';
import type { Selectable } from 'kysely';
import type { Operation, OperationCall, Operations } from '../core/index.js';
import { actorOf, iso, openJson, pageAnswer, sealJson } from '../database/index.js';
import { receiveResponse } from '../domain/tracebacks/waiting-items.js';
import type { HeldRequest } from './held-traceback.js';
import { TracebackWork } from './held-traceback.js';
import { referenceOf } from './perform-effect.js';
import type { StaffBody } from './staff-bodies.js';
import { answerRows, askedRequest, joinedQuery } from './stored-requests.js';
import type { AnswerParts } from './take-answers.js';
import { createAnswerIntake } from './take-answers.js';
import { kindOf } from './traceback-operations.js';
import type { NoticesTable } from './tracebacks-tables.js';
import { NOTICES, RESPONSES, tablesOf } from './tracebacks-tables.js';

/** Does something in a transaction, in the name of whoever calls. */
const acting =
  (parts: AnswerParts, run: (work: TracebackWork, call: OperationCall) => Promise<PlatformAnswer>): Operation =>
  (call) =>
    parts.engine.transact((transaction) =>
      run(new TracebackWork(parts, transaction, parts.engine.texts, actorOf(call)), call),
    );

/** What a provider does with the requests to it. Those of others, and those that another request asks for, are none. */
export function requestOperations(parts: AnswerParts): Operations {
  const ofOwn = (run: (work: TracebackWork, row: HeldRequest, call: OperationCall) => Promise<PlatformAnswer>) =>
    acting(parts, async (work, call) => {
      const requestId = call.request.parameters['requestId'] ?? '';
      const row = await askedRequest(work.transaction, requestId, call.caller.organizationId);
      return row === undefined ? problemAnswer('not-found') : run(work, row, call);
    });
  return {
    listTracebackRequests: acting(parts, listRequests),
    fetchTracebackRequest: ofOwn(statusAnswer),
    acknowledgeTracebackRequest: ofOwn((work, row) => acknowledge(parts, work, row)),
    answerTracebackRequest: createAnswerIntake(parts),
    fetchAnswerReceipt: ofOwn(async ({ transaction }, row, call) => {
      const answers = await answerRows(transaction, [row.request_id]);
      const found = answers.find(({ answer_id: answerId }) => answerId === call.request.parameters['answerId']);
      return found === undefined
        ? problemAnswer('not-found')
        : jsonAnswer({ answerId: found.answer_id, receipt: found.receipt });
    }),
  };
}

async function acknowledge({ engine }: AnswerParts, work: TracebackWork, row: HeldRequest): Promise<PlatformAnswer> {
  if (row.cancelled_at_ms !== null) return problemAnswer('request-cancelled');
  if (row.acknowledged_at_ms !== null) return statusAnswer(work, row);
  const { context, transaction } = work;
  const atMs = context.clock.nowMs();
  const { rows: joined } = await transaction.executeQuery(joinedQuery(transaction, [row.request_id]));
  const concerned = [{ request_id: row.request_id, traceback_id: row.traceback_id }, ...joined];
  const held = await engine.load(transaction, [...new Set(concerned.map((one) => one.traceback_id))]);
  const ids = new Set(concerned.map((one) => one.request_id));
  for (const { requests } of held.values())
    for (const request of requests.values())
      if (ids.has(request.request_id)) Object.assign(request, { acknowledged_at_ms: atMs, isChanged: true });
  const changes = concerned.map(({ traceback_id: tracebackId, request_id: requestId }) => ({
    tracebackId,
    events: [{ type: 'request-acknowledged', tracebackId, requestId, atMs } as const],
  }));
  await engine.conductHeld(transaction, [...held.values()], { changes });
  await work.audit('request.acknowledged', `request:${row.request_id}`);
  return statusAnswer(work, { ...row, acknowledged_at_ms: atMs });
}

async function statusAnswer(work: TracebackWork, row: HeldRequest): Promise<PlatformAnswer> {
  const [status] = await statuses(work, [row], `request:${row.request_id}`);
  return status === undefined ? problemAnswer('gone') : jsonAnswer(status);
}

/** Requests with what has been said to them; those whose content has been removed are undefined. */
async function statuses(
  work: TracebackWork,
  rows: readonly HeldRequest[],
  object: string,
): Promise<readonly (TracebackRequestStatus | undefined)[]> {
  if (rows.length === 0) return [];
  const requests = await work.texts.requests(work.transaction, rows, work.reason(object));
  const answered = rows
    .filter(({ answered_at_ms: atMs }) => atMs !== null)
    .map(({ request_id: requestId }) => requestId);
  const answers = await answerRows(work.transaction, answered);
  return rows.map((row, index) => {
    const request = requests[index];
    if (request === undefined) return undefined;
    const own = answers.filter(({ request_id: requestId }) => requestId === row.request_id);
    return statusOf(row, request, own);
  });
}

function statusOf(
  row: HeldRequest,
  request: TracebackRequest,
  answers: Awaited<ReturnType<typeof answerRows>>,
): TracebackRequestStatus {
  const { acknowledged_at_ms: acknowledgedAtMs, cancelled_at_ms: cancelledAtMs, cancel_reason: reason } = row;
  return requestStatus({
    request,
    dueAt: iso(row.due_at_ms),
    ...(acknowledgedAtMs !== null && { acknowledgedAt: iso(acknowledgedAtMs) }),
    ...(cancelledAtMs !== null && { cancelled: { cancelledAt: iso(cancelledAtMs), reason: reason ?? '' } }),
    answers: answers.map(({ answer_id: answerId, revision, received_at_ms: receivedAtMs }) => ({
      answerId,
      revision,
      receivedAt: iso(receivedAtMs),
    })),
  });
}

function listRequests(work: TracebackWork, call: OperationCall): Promise<PlatformAnswer> {
  const { state = 'open' } = call.request.parameters;
  const { organizationId } = call.caller;
  let query = tablesOf(work.transaction)
    .selectFrom('tracebacks_requests')
    .selectAll()
    .where('provider_id', '=', organizationId)
    .where('asked_by', 'is', null);
  if (state === 'answered') query = query.where('answered_at_ms', 'is not', null);
  if (state === 'open') query = query.where('answered_at_ms', 'is', null).where('cancelled_at_ms', 'is', null);
  return pageAnswer(query, { call, by: { place: 'number' }, order: 'asc' }, (rows) =>
    statuses(work, rows, `requests-to:${organizationId}`),
  );
}

type NoticeRow = Selectable<NoticesTable>;

/** Notices of the Commission: handed over by staff, answered by the provider that they are for. @see 47 CFR 64.1200(n)(2) */
export function noticeOperations(parts: AnswerParts): Operations {
  const ofNotice = (run: (work: TracebackWork, row: NoticeRow, call: OperationCall) => Promise<PlatformAnswer>) =>
    acting(parts, async (work, call) => {
      const row = await NOTICES.get(work.transaction, call.request.parameters['noticeId'] ?? '');
      const isTheirs = kindOf(call) === 'staff' || row?.provider_id === call.caller.organizationId;
      return row === undefined || !isTheirs ? problemAnswer('not-found') : run(work, row, call);
    });
  return {
    issueNotice: acting(parts, issue),
    withdrawNotice: ofNotice(withdraw),
    listNotices: acting(parts, list),
    respondToNotice: ofNotice(respond),
  };
}

async function issue(work: TracebackWork, call: OperationCall): Promise<PlatformAnswer> {
  const { context, parts, transaction } = work;
  const { providerId, reference, description, reportDueAt, campaignId, calls, tracebackIds } = call.request
    .body as StaffBody<'NoticeIssue'>;
  const provider = await parts.providers.provider(transaction, providerId);
  if (provider === undefined) return problemAnswer('conflict', { detail: 'The registry has no such provider.' });
  // The same reference is the same notice.
  const noticeId = `n-${context.sealed.pseudonym(JSON.stringify(['notice', providerId, reference]))}`;
  const known = await NOTICES.get(transaction, noticeId);
  if (known !== undefined) return noticeAnswer(work, known);
  const issuedAtMs = context.clock.nowMs();
  const clocks = noticeDeadlines(issuedAtMs, {
    zone: provider.zone,
    ...(reportDueAt !== undefined && { statedReportDueAtMs: Date.parse(reportDueAt) }),
  });
  if (clocks.status === 'refused') return problemAnswer('conflict', { detail: clocks.detail });
  const { mitigationDueAt, reportDueAt: reportDue } = clocks;
  const notice: FccNotice = {
    format: 'hopback.fcc-notice.1',
    noticeId,
    state: 'open',
    reference,
    provider: referenceOf(provider),
    issuedAt: iso(issuedAtMs),
    mitigationDueAt: iso(mitigationDueAt.atMs),
    reportDueAt: iso(reportDue.atMs),
    description,
    ...(campaignId !== undefined && { campaignId }),
    calls,
    tracebackIds,
    responses: [],
  };
  const belongsTo = `notice:${noticeId}`;
  const pieces = await sealJson(context, transaction, { value: notice, belongsTo });
  await NOTICES.add(transaction, {
    notice_id: noticeId,
    provider_id: providerId,
    issued_at_ms: issuedAtMs,
    state: 'open',
    mitigation_due_at_ms: mitigationDueAt.atMs,
    report_due_at_ms: reportDue.atMs,
    notice: JSON.stringify(pieces),
  });
  await context.tell(transaction, {
    type: 'org.hopback.notice.issued.1',
    subject: noticeId,
    to: [providerId],
    data: { member: 'notice', sealed: pieces },
  });
  await work.audit('notice.issued', belongsTo);
  return jsonAnswer(notice);
}

async function withdraw(work: TracebackWork, row: NoticeRow): Promise<PlatformAnswer> {
  if (row.state !== 'withdrawn') {
    await NOTICES.set(work.transaction, row.notice_id, { state: 'withdrawn' });
    await work.audit('notice.withdrawn', `notice:${row.notice_id}`);
  }
  return noticeAnswer(work, { ...row, state: 'withdrawn' });
}

async function respond(work: TracebackWork, row: NoticeRow, call: OperationCall): Promise<PlatformAnswer> {
  const { context, transaction } = work;
  const noticeId = row.notice_id;
  // It is the provider's to respond, and not for staff.
  if (row.provider_id !== call.caller.organizationId) return problemAnswer('not-found');
  const response = call.request.body as NoticeResponse;
  const { responseId, kind } = response;
  const sha256 = hash('sha256', JSON.stringify(response), 'hex');
  const before = await responseRows(work, [noticeId]);
  const responses = before.map((one) => ({ responseId: one.response_id, kind: one.kind, sha256: one.sha256 }));
  const received = receiveResponse({ state: row.state, responses }, { responseId, kind, sha256 });
  if (received.status === 'conflict') return problemAnswer('conflict');
  if (received.status === 'repeat') return noticeAnswer(work, row);
  const belongsTo = `notice:${noticeId}`;
  const pieces = await sealJson(context, transaction, { value: response, belongsTo });
  await RESPONSES.add(transaction, {
    notice_id: noticeId,
    response_id: responseId,
    kind,
    sha256,
    received_at_ms: context.clock.nowMs(),
    response: JSON.stringify(pieces),
  });
  const { state } = received;
  if (state !== row.state) await NOTICES.set(transaction, noticeId, { state });
  await work.audit('notice.responded', belongsTo, { responseId, kind, sha256 });
  return noticeAnswer(work, { ...row, state });
}

function list(work: TracebackWork, call: OperationCall): Promise<PlatformAnswer> {
  let query = tablesOf(work.transaction).selectFrom('tracebacks_notices').selectAll();
  if (kindOf(call) !== 'staff') query = query.where('provider_id', '=', call.caller.organizationId);
  return pageAnswer(query, { call, by: { place: 'number' }, order: 'desc' }, (rows) =>
    noticesOf(work, rows, 'notices'),
  );
}

async function noticeAnswer(work: TracebackWork, row: NoticeRow): Promise<PlatformAnswer> {
  const [notice] = await noticesOf(work, [row], `notice:${row.notice_id}`);
  return notice === undefined ? problemAnswer('not-found') : jsonAnswer(notice);
}

/** Notices with their responses, opened in one go; those that have been removed are undefined. */
async function noticesOf(
  work: TracebackWork,
  rows: readonly NoticeRow[],
  object: string,
): Promise<readonly (FccNotice | undefined)[]> {
  const { context, transaction } = work;
  const responses = await responseRows(
    work,
    rows.map(({ notice_id: id }) => id),
  );
  const pieces = [...rows.map(({ notice }) => notice), ...responses.map(({ response }) => response)];
  const opened = await openJson(context, transaction, { pieces, reason: work.reason(object) });
  const given = opened.slice(rows.length) as readonly (NoticeResponse | undefined)[];
  return rows.map((row, index) => {
    const notice = opened[index] as FccNotice | undefined;
    const own = responses.flatMap(({ notice_id: id }, at) => (id === row.notice_id ? (given[at] ?? []) : []));
    return notice === undefined ? undefined : { ...notice, state: row.state, responses: own };
  });
}

async function responseRows({ transaction }: TracebackWork, noticeIds: readonly string[]) {
  if (noticeIds.length === 0) return [];
  return tablesOf(transaction)
    .selectFrom('tracebacks_notice_responses')
    .selectAll()
    .where('notice_id', 'in', noticeIds)
    .orderBy('place')
    .execute();
}
