import { sql } from 'kysely';
import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/platform';
import { viewTraceback } from '@hopback/sdk/traceback';
import type { TracebackEvent } from '@hopback/sdk/traceback';
import type { OperationCall, Operations, PlatformTransaction } from '../core/index.js';
import { textWithoutNumbers } from '../domain/records/index.js';
import { referenceOf } from './ask-provider.js';
import type { HeldTraceback } from './held-traceback.js';
import { openForward, registered } from './open-traceback.js';
import { announceConcluded } from './perform-effect.js';
import { pageOfRows, placeWindow } from './paging.js';
import type {
  DisputeDecision,
  ForwardTrace,
  NeighbourChoice,
  NeighbourHint,
  NeighbourReport,
  OutcomeAcceptance,
  ProviderIdentification,
  TracebackWithdrawal,
} from './staff-bodies.js';
import type { AnswerParts } from './submit-answer.js';
import { tellUpdated } from './tell-tracebacks.js';
import { shownAnswer } from './traceback-operations.js';
import type { TracebacksTables } from './tracebacks-tables.js';

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
      const { reason } = call.request.body as TracebackWithdrawal;
      return { type: 'cancelled', ...frame, by: call.caller.clientId, reason: textWithoutNumbers(reason) };
    }),
    reportNeighbour: decision('neighbour.reported', async (transaction, { call, frame }) => {
      const { reportId, provider, sentTo } = call.request.body as NeighbourReport;
      return {
        ...{ type: 'neighbour-reported', ...frame, reportId: `staff:${reportId}` },
        provider: await registered(parts, transaction, provider),
        sentTo: await registered(parts, transaction, sentTo),
      };
    }),
    chooseNeighbour: decision('neighbour.chosen', (_transaction, { held, call, frame }) => {
      const { requestId, reportId } = call.request.body as NeighbourChoice;
      const isKnown = held.state.facts.some((fact) => fact.kind === 'report' && fact.id === reportId);
      if (!isKnown) return problemAnswer('conflict', { detail: 'There is no such report.' });
      return { type: 'neighbour-chosen', ...frame, requestId, reportId, by: call.caller.clientId };
    }),
    decideDispute: decision('dispute.decided', (_transaction, { held, call, frame }) => {
      const { disputeId, ruling, reason } = call.request.body as DisputeDecision;
      const isKnown = viewTraceback(held.state).disputes.some((dispute) => dispute.disputeId === disputeId);
      if (!isKnown) return problemAnswer('conflict', { detail: 'There is no such dispute.' });
      const by = call.caller.clientId;
      return { type: 'dispute-decided', ...frame, disputeId, ruling, by, reason: textWithoutNumbers(reason) };
    }),
    identifyProvider: decision('provider.identified', async (transaction, { call, frame }) => {
      const { requestId, providerId } = call.request.body as ProviderIdentification;
      const provider = await parts.providers.provider(transaction, providerId);
      if (provider === undefined) return problemAnswer('conflict', { detail: 'The registry has no such provider.' });
      return { type: 'provider-identified', ...frame, requestId, provider: referenceOf(provider) };
    }),
    acceptOutcome: decision('outcome.accepted', (_transaction, { held, call, frame }) => {
      const { outcomeKey } = call.request.body as OutcomeAcceptance;
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
      happenings: [{ tracebackId, events: [event] }],
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
  const { forwardId, number, firstProvider } = call.request.body as ForwardTrace;
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

function hintsIn({ row, state }: HeldTraceback, silent: ReadonlySet<string>): readonly NeighbourHint[] {
  return viewTraceback(state).path.flatMap(({ provider, current, requestId }): NeighbourHint[] => {
    const upstream = current?.upstream;
    if (provider?.providerId === undefined || upstream === undefined || !silent.has(provider.providerId)) return [];
    return [{ tracebackId: row.traceback_id, requestId, silent: provider, upstream }];
  });
}
