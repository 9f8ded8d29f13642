import type { TracebackOpening } from '@hopback/sdk/platform';
import type { PlatformAnswer, TracebackEvent } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer, viewTraceback } from '@hopback/sdk/internal';
import { sql } from 'kysely';
import type { Operation, OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { actorOf, iso, pageAnswer } from '../database/index.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { HeldTraceback } from './held-traceback.js';
import { platformReason, TracebackWork } from './held-traceback.js';
import { openForward, openTraceback, registered } from './open-traceback.js';
import { announceConcluded, referenceOf } from './perform-effect.js';
import type { StaffBody } from './staff-bodies.js';
import type { AnswerParts } from './take-answers.js';
import type { Looking } from './tell-tracebacks.js';
import { coverage, shownTracebacks, tellUpdated } from './tell-tracebacks.js';
import { tablesOf } from './tracebacks-tables.js';

/** What one does in the name of whoever calls. */
class CallWork extends TracebackWork {
  readonly call: OperationCall;
  readonly engine: AnswerParts['engine'];

  constructor(parts: AnswerParts, transaction: PlatformTransaction, call: OperationCall) {
    super(parts, transaction, parts.engine.texts, actorOf(call));
    this.call = call;
    this.engine = parts.engine;
  }

  /** What the caller may see of some tracebacks. */
  async looking(tracebackIds: readonly string[]): Promise<Looking> {
    const { organizationId } = this.by;
    const kind = kindOf(this.call);
    const covered = kind === 'agency' ? await coverage(this, organizationId, tracebackIds) : new Set<string>();
    const [only] = tracebackIds;
    const object = tracebackIds.length === 1 ? `traceback:${only}` : 'tracebacks';
    return { organizationId, kind, covered, reason: this.reason(object) };
  }
}

const acting =
  (parts: AnswerParts, run: (work: CallWork) => Promise<PlatformAnswer>): Operation =>
  (call) =>
    parts.engine.transact((transaction) => run(new CallWork(parts, transaction, call)));

/** Does something with the traceback that a call names. */
const ofTraceback = (parts: AnswerParts, run: (work: CallWork, held: HeldTraceback) => Promise<PlatformAnswer>) =>
  acting(parts, async (work) => {
    const tracebackId = work.call.request.parameters['tracebackId'] ?? '';
    const held = (await work.engine.load(work.transaction, [tracebackId])).get(tracebackId);
    if (held !== undefined) return run(work, held);
    // An id that does not exist costs, and leaves in the audit, what one of somebody else does: neither tells whether it exists.
    await work.looking([tracebackId]);
    return problemAnswer('not-found');
  });

/** Opening and reading tracebacks, each as far as the caller may see. */
export function tracebackOperations(parts: AnswerParts): Operations {
  return {
    openTraceback: (call) => open(parts, call),
    listTracebacks: acting(parts, list),
    fetchTraceback: ofTraceback(parts, shownAnswer),
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
      opening,
      organizationId: caller.organizationId,
      actor: caller.clientId,
    });
    if (opened.status === 'refused')
      return unopened(
        opened.reason === 'foreign-requester' ? '/requester' : '/firstProvider',
        opened.reason,
        opened.detail,
      );
    const { tracebackId, held } = opened;
    const work = new CallWork(parts, transaction, call);
    // What somebody stated just now is not opened for it.
    if (held !== undefined) return shownWith(work, held, { reason: platformReason(tracebackId) });
    const known = (await parts.engine.load(transaction, [tracebackId])).get(tracebackId);
    return known === undefined ? problemAnswer('not-found') : shownAnswer(work, known);
  });
}

const unopened = (pointer: string, code: string, detail?: string): PlatformAnswer =>
  problemAnswer('invalid-body', { errors: [{ pointer, code }], ...(detail !== undefined && { detail }) });

/** One traceback as the caller sees it. */
async function shownAnswer(work: CallWork, held: HeldTraceback): Promise<PlatformAnswer> {
  return shownWith(work, held, {});
}

async function shownWith(
  work: CallWork,
  held: HeldTraceback,
  other: Partial<Pick<Looking, 'reason'>>,
): Promise<PlatformAnswer> {
  const looking = { ...(await work.looking([held.row.traceback_id])), ...other };
  if (!isConcerned(held, looking)) return problemAnswer('not-found');
  const traceback = (await shownTracebacks(work, [held], looking)).get(held.row.traceback_id);
  return traceback === undefined ? problemAnswer('not-found') : jsonAnswer(traceback);
}

/** Whether a traceback is there for somebody: looked at before anything is opened, so that nothing is opened for who may not see it. */
function isConcerned({ row, requests }: HeldTraceback, { kind, organizationId, covered }: Looking): boolean {
  if (kind === 'staff' || row.opened_by === organizationId) return true;
  if (kind === 'agency') return covered.has(row.traceback_id);
  // Who is asked through another traceback's request has been asked by that one, and does not know of this.
  return [...requests.values()].some(
    ({ provider_id: providerId, asked_by: askedBy }) => providerId === organizationId && askedBy === null,
  );
}

function list(work: CallWork): Promise<PlatformAnswer> {
  const { call, transaction } = work;
  const { organizationId } = work.by;
  const kind = kindOf(call);
  let query = tablesOf(transaction).selectFrom('tracebacks_states').select(['traceback_id', 'place']);
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
  const { state, campaignId } = call.request.parameters;
  if (state !== undefined) query = query.where('standing', '=', state as 'open');
  if (campaignId !== undefined) query = query.where('campaign_id', '=', campaignId);
  return pageAnswer(query, { call, by: { place: 'number' }, order: 'desc' }, async (rows) => {
    const ids = rows.map(({ traceback_id: id }) => id);
    const held = await work.engine.load(transaction, ids);
    const shown = await shownTracebacks(work, [...held.values()], await work.looking(ids));
    return ids.map((id) => shown.get(id));
  });
}

/** What a person's decision is, as an event of the lifecycle; a refusal where it cannot be. */
type Decide = (
  work: CallWork,
  held: HeldTraceback,
  frame: { readonly tracebackId: string; readonly atMs: number },
) => Promise<TracebackEvent | PlatformAnswer> | TracebackEvent | PlatformAnswer;

/** Operations of the staff on tracebacks. Each is put down with who decided it. */
export function staffOperations(parts: AnswerParts): Operations {
  const decision = (action: string, decide: Decide) =>
    ofTraceback(parts, (work, held) => decided(work, held, action, decide));
  return {
    withdrawTraceback: decision('traceback.withdrawn', ({ call }, _held, frame) => {
      const { reason } = call.request.body as StaffBody<'TracebackWithdrawal'>;
      return { type: 'cancelled', ...frame, by: call.caller.clientId, reason: textWithoutNumbers(reason) };
    }),
    reportNeighbour: decision('neighbour.reported', async ({ call, transaction }, _held, frame) => {
      const { reportId, provider, sentTo } = call.request.body as StaffBody<'NeighbourReport'>;
      return {
        type: 'neighbour-reported',
        ...frame,
        reportId: `staff:${reportId}`,
        provider: await registered(parts, transaction, provider),
        sentTo: await registered(parts, transaction, sentTo),
      };
    }),
    chooseNeighbour: decision('neighbour.chosen', ({ call }, held, frame) => {
      const { requestId, reportId } = call.request.body as StaffBody<'NeighbourChoice'>;
      const isKnown = held.state.facts.some((fact) => fact.kind === 'report' && fact.id === reportId);
      if (!isKnown) return problemAnswer('conflict', { detail: 'There is no such report.' });
      return {
        type: 'neighbour-chosen',
        ...frame,
        requestId,
        reportId,
        by: call.caller.clientId,
      };
    }),
    decideDispute: decision('dispute.decided', ({ call }, held, frame) => {
      const { disputeId, ruling, reason } = call.request.body as StaffBody<'DisputeDecision'>;
      const isKnown = viewTraceback(held.state).disputes.some((dispute) => dispute.disputeId === disputeId);
      if (!isKnown) return problemAnswer('conflict', { detail: 'There is no such dispute.' });
      const by = call.caller.clientId;
      return {
        type: 'dispute-decided',
        ...frame,
        disputeId,
        ruling,
        by,
        reason: textWithoutNumbers(reason),
      };
    }),
    identifyProvider: decision('provider.identified', async ({ call, transaction }, _held, frame) => {
      const { requestId, providerId } = call.request.body as StaffBody<'ProviderIdentification'>;
      const provider = await parts.providers.provider(transaction, providerId);
      if (provider === undefined) return problemAnswer('conflict', { detail: 'The registry has no such provider.' });
      return { type: 'provider-identified', ...frame, requestId, provider: referenceOf(provider) };
    }),
    acceptOutcome: decision('outcome.accepted', ({ call }, held, frame) => {
      const { outcomeKey } = call.request.body as StaffBody<'OutcomeAcceptance'>;
      const { outcome } = viewTraceback(held.state);
      const isRepeat = held.state.facts.some((fact) => fact.kind === 'accepted' && fact.id === outcomeKey);
      if (outcome?.key !== outcomeKey && !isRepeat)
        return problemAnswer('conflict', { detail: 'The traceback has come to something else meanwhile.' });
      return { type: 'outcome-accepted', ...frame, outcomeKey, by: call.caller.clientId };
    }),
    traceForward: ofTraceback(parts, (work, held) => traceForward(parts, work, held)),
    listWaiting: (call) => listWaiting(parts, call),
    listNeighbourHints: ofTraceback(parts, listHints),
  };
}

async function decided(work: CallWork, held: HeldTraceback, action: string, decide: Decide): Promise<PlatformAnswer> {
  const { context, engine, transaction } = work;
  const tracebackId = held.row.traceback_id;
  const wasCancelled = viewTraceback(held.state).status === 'cancelled';
  const event = await decide(work, held, { tracebackId, atMs: context.clock.nowMs() });
  if ('kind' in event) return event;
  const changes = [{ tracebackId, events: [event] }];
  const { refused, done } = await engine.conductHeld(transaction, [held], { changes });
  if (refused !== undefined) return problemAnswer('conflict', { detail: `It cannot be: ${refused.reason}.` });
  if (!wasCancelled && viewTraceback(held.state).status === 'cancelled') {
    await tellUpdated(work, held);
    await announceConcluded(work, held, true);
  }
  await work.audit(action, `traceback:${tracebackId}`, { done: done.get(tracebackId) ?? [] });
  const after = (await engine.load(transaction, [tracebackId])).get(tracebackId);
  return after === undefined ? problemAnswer('not-found') : shownAnswer(work, after);
}

async function traceForward(parts: AnswerParts, work: CallWork, held: HeldTraceback): Promise<PlatformAnswer> {
  const { forwardId, number, firstProvider } = work.call.request.body as StaffBody<'ForwardTrace'>;
  const tracebackId = held.row.traceback_id;
  const known = held.state.facts.find((fact) => fact.kind === 'forward' && fact.id === forwardId);
  if (known?.kind === 'forward') return jsonAnswer({ tracebackId: known.number.replace(/^traceback:/, '') });
  const now = iso(work.context.clock.nowMs());
  const at = { asWritten: now, local: now.slice(0, -1), zone: 'UTC', precision: 'millisecond' } as const;
  const opened = await openForward(parts, work.transaction, {
    held,
    forwardId,
    order: {
      opening: { direction: 'forward', call: { called: number, at }, firstProvider },
      ...work.by,
      reasonKey: `forward:${tracebackId}:${forwardId}`,
      ...(held.row.campaign_id !== null && { campaignId: held.row.campaign_id }),
    },
  });
  if (opened.status === 'refused') return problemAnswer('conflict', { detail: opened.detail ?? opened.reason });
  await work.audit('traceback.forwarded', `traceback:${tracebackId}`, { forward: opened.tracebackId });
  return jsonAnswer({ tracebackId: opened.tracebackId });
}

function listWaiting({ context }: AnswerParts, call: OperationCall): Promise<PlatformAnswer> {
  const query = tablesOf(context.database)
    .selectFrom('tracebacks_states')
    .select(['traceback_id', 'place', 'campaign_id', 'updated_at_ms', 'waits'])
    .where(sql<boolean>`waits <> '[]'::jsonb`);
  return pageAnswer(query, { call, by: { place: 'number' }, order: 'asc' }, (rows) =>
    rows.map((row) => ({
      tracebackId: row.traceback_id,
      ...(row.campaign_id !== null && { campaignId: row.campaign_id }),
      updatedAt: iso(row.updated_at_ms),
      items: row.waits,
    })),
  );
}

/** Tracebacks of a campaign that are looked through for hints, the newest first. */
const HINTING_TRACEBACKS = 200;
/** Hints that a person looks at. */
const MAX_HINTS = 100;

async function listHints({ engine, transaction }: CallWork, held: HeldTraceback): Promise<PlatformAnswer> {
  const silent = viewTraceback(held.state)
    .path.filter(({ state, current }) => current === undefined && (state === 'overdue' || state === 'non-responsive'))
    .map(({ provider }) => provider?.providerId)
    .filter((id) => id !== undefined);
  const { campaign_id: campaignId } = held.row;
  if (campaignId === null || silent.length === 0) return jsonAnswer({ items: [] });
  const rows = await tablesOf(transaction)
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
  const items = [...others.values()].flatMap((one) => hintsIn(one, new Set(silent))).slice(0, MAX_HINTS);
  return jsonAnswer({ items });
}

function hintsIn({ row, state }: HeldTraceback, silent: ReadonlySet<string>): StaffBody<'NeighbourHints'>['items'] {
  return viewTraceback(state).path.flatMap(({ provider, current, requestId }) => {
    const upstream = current?.upstream;
    if (provider?.providerId === undefined || upstream === undefined || !silent.has(provider.providerId)) return [];
    return [{ tracebackId: row.traceback_id, requestId, silent: provider, upstream }];
  });
}
