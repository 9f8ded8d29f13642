import { createHash } from 'node:crypto';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { FccNotice, NoticeResponse, PlatformAnswer } from '@hopback/sdk/platform';
import { noticeDeadlines } from '@hopback/sdk/traceback';
import { receiveResponse } from '../domain/tracebacks/index.js';
import type { OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { referenceOf } from './ask-provider.js';
import { pageOfRows, placeWindow } from './paging.js';
import { openJson, sealJson } from '../database/index.js';
import type { OpeningReason } from '../database/index.js';
import type { NoticeIssue } from './staff-bodies.js';
import type { AnswerParts } from './submit-answer.js';
import { kindOf } from './traceback-operations.js';
import type { NoticesTable, TracebacksTables } from './tracebacks-tables.js';
import type { Selectable } from 'kysely';

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

const reasonOf = ({ caller }: OperationCall, object: string): OpeningReason => ({
  ...{ organizationId: caller.organizationId, actor: caller.clientId, object },
});

async function issue(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, engine, providers } = parts;
  const body = call.request.body as NoticeIssue;
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

const iso = (atMs: number): string => new Date(atMs).toISOString();
