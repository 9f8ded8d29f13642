import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer, TracebackOpening } from '@hopback/sdk/platform';
import type { OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { openTraceback } from './open-traceback.js';
import { platformReason } from './plain-texts.js';
import type { AnswerParts } from './submit-answer.js';
import { pageOfRows, placeWindow } from './paging.js';
import { coverage, shownTracebacks } from './tell-tracebacks.js';
import type { Looking } from './tell-tracebacks.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** Opening and reading tracebacks, each as far as the caller may see. */
export function tracebackOperations(parts: AnswerParts): Operations {
  return {
    openTraceback: (call) => open(parts, call),
    listTracebacks: (call) => list(parts, call),
    fetchTraceback: (call) =>
      parts.engine.transact((transaction) =>
        shownAnswer(parts, transaction, { call, tracebackId: call.request.parameters['tracebackId'] ?? '' }),
      ),
  };
}

/** What a caller is in these operations: who is staff sees as staff, whatever else it may be. */
export function kindOf({ caller }: OperationCall): Looking['kind'] {
  if (caller.scopes.includes('staff') && caller.kind === 'staff') return 'staff';
  return caller.kind === 'agency' ? 'agency' : 'carrier';
}

async function open(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const { caller, request } = call;
  const opening = request.body as TracebackOpening;
  // What applications reported is for staff alone, and under a demand: whether there is a report would be told to whoever guesses its id.
  if (kindOf(call) !== 'staff' && opening.reportId !== undefined) return unopened('/reportId', 'not-your-own');
  // A carrier may state its own shared record.
  const isForeignRecord =
    kindOf(call) === 'carrier' &&
    opening.call.recordId !== undefined &&
    opening.firstProvider?.providerId !== caller.organizationId;
  if (isForeignRecord) return unopened('/call/recordId', 'not-your-own');
  return parts.engine.transact(async (transaction) => {
    const opened = await openTraceback(parts, transaction, {
      ...{ opening, organizationId: caller.organizationId, actor: caller.clientId },
    });
    if (opened.status === 'refused')
      return unopened(
        opened.reason === 'foreign-requester' ? '/requester' : '/firstProvider',
        opened.reason,
        opened.detail,
      );
    const { tracebackId, held } = opened;
    return held === undefined
      ? shownAnswer(parts, transaction, { call, tracebackId })
      : shownOpened(parts, transaction, { call, held });
  });
}

/** A traceback to whoever opened it just now: what it stated itself is not opened for it. */
async function shownOpened(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  { call, held }: { readonly call: OperationCall; readonly held: Held },
): Promise<PlatformAnswer> {
  const tracebackId = held.row.traceback_id;
  const looking = await lookingOf(parts, transaction, { call, tracebackIds: [tracebackId] });
  const shown = await shownTracebacks({ ...parts, texts: parts.engine.texts }, transaction, {
    ...{ held: [held], looking: { ...looking, reason: platformReason(tracebackId) } },
  });
  const traceback = shown.get(tracebackId);
  return traceback === undefined ? problemAnswer('not-found') : jsonAnswer(traceback);
}

const unopened = (pointer: string, code: string, detail?: string): PlatformAnswer =>
  problemAnswer('invalid-body', { errors: [{ pointer, code }], ...(detail !== undefined && { detail }) });

async function lookingOf(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  { call, tracebackIds }: { readonly call: OperationCall; readonly tracebackIds: readonly string[] },
): Promise<Looking> {
  const { organizationId, clientId } = call.caller;
  const kind = kindOf(call);
  const covered =
    kind === 'agency'
      ? await coverage(parts, transaction, { agencyId: organizationId, tracebackIds })
      : new Set<string>();
  const [only] = tracebackIds;
  const object = tracebackIds.length === 1 ? `traceback:${only}` : 'tracebacks';
  return { organizationId, kind, covered, reason: { organizationId, actor: clientId, object } };
}

/** One traceback as the caller sees it. */
export async function shownAnswer(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  { call, tracebackId }: { readonly call: OperationCall; readonly tracebackId: string },
): Promise<PlatformAnswer> {
  const held = await parts.engine.load(transaction, [tracebackId]);
  const one = held.get(tracebackId);
  const looking = await lookingOf(parts, transaction, { call, tracebackIds: [tracebackId] });
  if (one === undefined || !isConcerned(one, looking)) return problemAnswer('not-found');
  const shown = await shownTracebacks({ ...parts, texts: parts.engine.texts }, transaction, { held: [one], looking });
  const traceback = shown.get(tracebackId);
  return traceback === undefined ? problemAnswer('not-found') : jsonAnswer(traceback);
}

type Held = NonNullable<ReturnType<Awaited<ReturnType<AnswerParts['engine']['load']>>['get']>>;

/** Whether a traceback is there for somebody: looked at before anything is opened, so that nothing is opened for who may not see it. */
function isConcerned({ row, requests }: Held, { kind, organizationId, covered }: Looking): boolean {
  if (kind === 'staff' || row.opened_by === organizationId) return true;
  if (kind === 'agency') return covered.has(row.traceback_id);
  // Who is asked through another traceback's request has been asked by that one, and does not know of this.
  return [...requests.values()].some(
    ({ provider_id: providerId, asked_by: askedBy }) => providerId === organizationId && askedBy === null,
  );
}

async function list(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const { parameters } = call.request;
  const window = placeWindow(parameters);
  if (window === undefined)
    return problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown' }] });
  const { organizationId } = call.caller;
  const kind = kindOf(call);
  return parts.engine.transact(async (transaction) => {
    const tables = transaction.withTables<TracebacksTables>();
    let query = tables.selectFrom('tracebacks_states').select(['traceback_id', 'place']);
    if (kind !== 'staff')
      query = query.where((where) => {
        const opened = where('opened_by', '=', organizationId);
        const own = where
          .selectFrom('tracebacks_requests')
          .select('request_id')
          .whereRef('tracebacks_requests.traceback_id', '=', 'tracebacks_states.traceback_id')
          .where('provider_id', '=', organizationId)
          .where('asked_by', 'is', null);
        return kind === 'agency' ? opened : where.or([opened, where.exists(own)]);
      });
    const { state, campaignId } = parameters;
    if (state !== undefined) query = query.where('standing', '=', state as 'open');
    if (campaignId !== undefined) query = query.where('campaign_id', '=', campaignId);
    if (window.behind !== undefined) query = query.where('place', '<', window.behind);
    const rows = await query
      .orderBy('place', 'desc')
      .limit(window.limit + 1)
      .execute();
    const ids = rows.slice(0, window.limit).map(({ traceback_id: id }) => id);
    const held = await parts.engine.load(transaction, ids);
    const looking = await lookingOf(parts, transaction, { call, tracebackIds: ids });
    const shown = await shownTracebacks({ ...parts, texts: parts.engine.texts }, transaction, {
      held: [...held.values()],
      looking,
    });
    return jsonAnswer(pageOfRows(rows, window, ({ traceback_id: id }) => shown.get(id)));
  });
}
