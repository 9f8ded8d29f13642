import type { PlatformAnswer, TracebackOpening } from '@hopback/sdk/platform';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { TracebackEvent } from '@hopback/sdk/traceback';
import { viewTraceback } from '@hopback/sdk/traceback';
import { sql } from 'kysely';
import type { OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { HeldTraceback } from './held-traceback.js';
import { platformReason } from './held-traceback.js';
import { openForward, openTraceback, registered } from './open-traceback.js';
import { announceConcluded, referenceOf } from './perform-effect.js';
import type { StaffBody } from './staff-bodies.js';
import { pageOfRows, placeWindow } from './stored-requests.js';
import type { AnswerParts } from './take-answers.js';
import type { Looking } from './tell-tracebacks.js';
import { coverage, shownTracebacks, tellUpdated } from './tell-tracebacks.js';
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
async function shownAnswer(
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

/** What a person's decision is, as an event of the lifecycle; a refusal where it cannot be. */
type Decide = (
  transaction: PlatformTransaction,
  deciding: {
    readonly held: HeldTraceback;
    readonly call: OperationCall;
    readonly frame: { readonly tracebackId: string; readonly atMs: number };
  },
) => Promise<TracebackEvent | PlatformAnswer> | TracebackEvent | PlatformAnswer;

/** Operations of the staff on tracebacks. Each is put down with who decided it. */
export function staffOperations(parts: AnswerParts): Operations {
  const decision = (action: string, decide: Decide) => (call: OperationCall) =>
    decided(parts, { call, action, decide });
  return {
    withdrawTraceback: decision('traceback.withdrawn', (_transaction, { call, frame }) => {
      const { reason } = call.request.body as StaffBody<'TracebackWithdrawal'>;
      return { type: 'cancelled', ...frame, by: call.caller.clientId, reason: textWithoutNumbers(reason) };
    }),
    reportNeighbour: decision('neighbour.reported', async (transaction, { call, frame }) => {
      const { reportId, provider, sentTo } = call.request.body as StaffBody<'NeighbourReport'>;
      return {
        ...{ type: 'neighbour-reported', ...frame, reportId: `staff:${reportId}` },
        provider: await registered(parts, transaction, provider),
        sentTo: await registered(parts, transaction, sentTo),
      };
    }),
    chooseNeighbour: decision('neighbour.chosen', (_transaction, { held, call, frame }) => {
      const { requestId, reportId } = call.request.body as StaffBody<'NeighbourChoice'>;
      const isKnown = held.state.facts.some((fact) => fact.kind === 'report' && fact.id === reportId);
      if (!isKnown) return problemAnswer('conflict', { detail: 'There is no such report.' });
      return { type: 'neighbour-chosen', ...frame, requestId, reportId, by: call.caller.clientId };
    }),
    decideDispute: decision('dispute.decided', (_transaction, { held, call, frame }) => {
      const { disputeId, ruling, reason } = call.request.body as StaffBody<'DisputeDecision'>;
      const isKnown = viewTraceback(held.state).disputes.some((dispute) => dispute.disputeId === disputeId);
      if (!isKnown) return problemAnswer('conflict', { detail: 'There is no such dispute.' });
      const by = call.caller.clientId;
      return { type: 'dispute-decided', ...frame, disputeId, ruling, by, reason: textWithoutNumbers(reason) };
    }),
    identifyProvider: decision('provider.identified', async (transaction, { call, frame }) => {
      const { requestId, providerId } = call.request.body as StaffBody<'ProviderIdentification'>;
      const provider = await parts.providers.provider(transaction, providerId);
      if (provider === undefined) return problemAnswer('conflict', { detail: 'The registry has no such provider.' });
      return { type: 'provider-identified', ...frame, requestId, provider: referenceOf(provider) };
    }),
    acceptOutcome: decision('outcome.accepted', (_transaction, { held, call, frame }) => {
      const { outcomeKey } = call.request.body as StaffBody<'OutcomeAcceptance'>;
      const { outcome } = viewTraceback(held.state);
      const isRepeat = held.state.facts.some((fact) => fact.kind === 'accepted' && fact.id === outcomeKey);
      if (outcome?.key !== outcomeKey && !isRepeat)
        return problemAnswer('conflict', { detail: 'The traceback has come to something else meanwhile.' });
      return { type: 'outcome-accepted', ...frame, outcomeKey, by: call.caller.clientId };
    }),
    traceForward: (call) => traceForward(parts, call),
    listWaiting: (call) => listWaiting(parts, call),
    listNeighbourHints: (call) => listHints(parts, call),
  };
}

async function decided(
  parts: AnswerParts,
  { call, action, decide }: { readonly call: OperationCall; readonly action: string; readonly decide: Decide },
): Promise<PlatformAnswer> {
  const { context, engine } = parts;
  const tracebackId = call.request.parameters['tracebackId'] ?? '';
  return engine.transact(async (transaction) => {
    const held = (await engine.load(transaction, [tracebackId])).get(tracebackId);
    if (held === undefined) return problemAnswer('not-found');
    const wasCancelled = viewTraceback(held.state).status === 'cancelled';
    const event = await decide(transaction, { held, call, frame: { tracebackId, atMs: context.clock.nowMs() } });
    if ('kind' in event) return event;
    const { refused, done } = await engine.conductHeld(transaction, [held], {
      changes: [{ tracebackId, events: [event] }],
    });
    if (refused !== undefined) return problemAnswer('conflict', { detail: `It cannot be: ${refused.reason}.` });
    if (!wasCancelled && viewTraceback(held.state).status === 'cancelled') {
      await tellUpdated({ ...parts, texts: engine.texts }, transaction, held);
      await announceConcluded(parts, transaction, { held, isFinal: true });
    }
    const { organizationId, clientId } = call.caller;
    await context.audit(transaction, {
      ...{ action, organizationId, actor: clientId, object: `traceback:${tracebackId}` },
      details: { done: done.get(tracebackId) ?? [] },
    });
    return shownAnswer(parts, transaction, { call, tracebackId });
  });
}

async function traceForward(parts: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const { engine, context } = parts;
  const { forwardId, number, firstProvider } = call.request.body as StaffBody<'ForwardTrace'>;
  const tracebackId = call.request.parameters['tracebackId'] ?? '';
  return engine.transact(async (transaction) => {
    const held = (await engine.load(transaction, [tracebackId])).get(tracebackId);
    if (held === undefined) return problemAnswer('not-found');
    const known = held.state.facts.find((fact) => fact.kind === 'forward' && fact.id === forwardId);
    if (known?.kind === 'forward') return jsonAnswer({ tracebackId: known.number.replace(/^traceback:/, '') });
    const now = new Date(context.clock.nowMs()).toISOString();
    const at = { asWritten: now, local: now.slice(0, -1), zone: 'UTC', precision: 'millisecond' } as const;
    const { organizationId, clientId } = call.caller;
    const opened = await openForward(parts, transaction, {
      ...{ held, forwardId },
      order: {
        opening: { direction: 'forward', call: { called: number, at }, firstProvider },
        ...{ organizationId, actor: clientId, reasonKey: `forward:${tracebackId}:${forwardId}` },
        ...(held.row.campaign_id !== null && { campaignId: held.row.campaign_id }),
      },
    });
    if (opened.status === 'refused') return problemAnswer('conflict', { detail: opened.detail ?? opened.reason });
    await context.audit(transaction, {
      ...{ action: 'traceback.forwarded', organizationId, actor: clientId, object: `traceback:${tracebackId}` },
      details: { forward: opened.tracebackId },
    });
    return jsonAnswer({ tracebackId: opened.tracebackId });
  });
}

async function listWaiting({ context }: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const window = placeWindow(call.request.parameters);
  if (window === undefined)
    return problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown' }] });
  let query = context.database
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_states')
    .select(['traceback_id', 'place', 'campaign_id', 'updated_at_ms', 'waits'])
    .where(sql<boolean>`waits <> '[]'::jsonb`);
  if (window.behind !== undefined) query = query.where('place', '>', window.behind);
  const rows = await query
    .orderBy('place')
    .limit(window.limit + 1)
    .execute();
  return jsonAnswer(
    pageOfRows(rows, window, (row) => ({
      tracebackId: row.traceback_id,
      ...(row.campaign_id !== null && { campaignId: row.campaign_id }),
      updatedAt: new Date(row.updated_at_ms).toISOString(),
      items: row.waits,
    })),
  );
}

/** Tracebacks of a campaign that are looked through for hints, the newest first. */
const HINTING_TRACEBACKS = 200;
/** Hints that a person looks at. */
const MAX_HINTS = 100;

async function listHints({ engine }: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const tracebackId = call.request.parameters['tracebackId'] ?? '';
  return engine.transact(async (transaction) => {
    const held = (await engine.load(transaction, [tracebackId])).get(tracebackId);
    if (held === undefined) return problemAnswer('not-found');
    const silent = viewTraceback(held.state)
      .path.filter(({ state, current }) => current === undefined && (state === 'overdue' || state === 'non-responsive'))
      .map(({ provider }) => provider?.providerId)
      .filter((id) => id !== undefined);
    const { campaign_id: campaignId } = held.row;
    if (campaignId === null || silent.length === 0) return jsonAnswer({ items: [] });
    const rows = await transaction
      .withTables<TracebacksTables>()
      .selectFrom('tracebacks_requests')
      .innerJoin('tracebacks_states', 'tracebacks_states.traceback_id', 'tracebacks_requests.traceback_id')
      .select('tracebacks_states.traceback_id')
      .distinct()
      .where('tracebacks_states.campaign_id', '=', campaignId)
      .where('tracebacks_requests.provider_id', 'in', silent)
      .where('tracebacks_requests.answered_at_ms', 'is not', null)
      .limit(HINTING_TRACEBACKS)
      .execute();
    const others = await engine.load(
      transaction,
      rows.map((row) => row.traceback_id),
    );
    return jsonAnswer({
      items: [...others.values()].flatMap((one) => hintsIn(one, new Set(silent))).slice(0, MAX_HINTS),
    });
  });
}

function hintsIn({ row, state }: HeldTraceback, silent: ReadonlySet<string>): StaffBody<'NeighbourHints'>['items'] {
  return viewTraceback(state).path.flatMap(({ provider, current, requestId }) => {
    const upstream = current?.upstream;
    if (provider?.providerId === undefined || upstream === undefined || !silent.has(provider.providerId)) return [];
    return [{ tracebackId: row.traceback_id, requestId, silent: provider, upstream }];
  });
}
