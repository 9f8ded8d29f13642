import { HopbackError } from '@hopback/sdk/errors';
import type { Traceback } from '@hopback/sdk/platform';
import { viewTraceback } from '@hopback/sdk/traceback';
import type { TracebackAnswer } from '@hopback/sdk/traceback';
import { isDisputedHop, requestRole, withoutNumbers } from '../domain/tracebacks/index.js';
import type { PlatformTransaction, Reading, RequestOutcome, TracebackDesk } from '../core/index.js';
import { answersOf } from './answers-store.js';
import { createStateMemory, loadTracebacks } from './held-traceback.js';
import type { HeldRequest, HeldTraceback } from './held-traceback.js';
import { openTraceback } from './open-traceback.js';
import { platformReason } from './plain-texts.js';
import type { AnswerParts } from './submit-answer.js';
import { shownTracebacks } from './tell-tracebacks.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** Tracebacks of a campaign that are given at once: a campaign has a budget of some dozens. */
const OF_CAMPAIGN = 10_000;
/** Tracebacks that are loaded at once for outcomes. */
const LOADED_AT_ONCE = 500;

/** Makes the port by which other areas deal with tracebacks. */
export function createTracebackDesk(parts: AnswerParts): TracebackDesk {
  const { context, engine } = parts;
  return {
    open: async (transaction, order) => {
      const opened = await openTraceback(parts, transaction, order);
      if (opened.status === 'opened') return opened.tracebackId;
      throw new HopbackError('invalid-argument', 'a traceback cannot be opened as it was ordered', {
        details: { reason: opened.reason },
      });
    },
    traceback: (reading, tracebackId) =>
      within(parts, reading, (transaction) => whole(parts, transaction, tracebackId)),
    answers: (reading, tracebackId) =>
      within(parts, reading, async (transaction) => {
        const held = (await engine.load(transaction, [tracebackId])).get(tracebackId);
        const answers: TracebackAnswer[] = [];
        for (const request of held?.requests.values() ?? []) {
          const requestId = request.asked_by ?? request.request_id;
          const reason = { ...platformReason(tracebackId), actor: 'platform:answers', organizationId: 'production' };
          answers.push(...(await answersOf(context, transaction, { requestId, reason, texts: engine.texts })));
        }
        return answers;
      }),
    ofCampaign: async (reading, campaignId) => {
      const rows = await reading
        .withTables<TracebacksTables>()
        .selectFrom('tracebacks_states')
        .select(['traceback_id', 'outcome'])
        .where('campaign_id', '=', campaignId)
        .orderBy('place', 'desc')
        .limit(OF_CAMPAIGN)
        .execute();
      return rows.map((row) => ({
        tracebackId: row.traceback_id,
        ...(row.outcome !== null && { outcome: row.outcome }),
      }));
    },
    openedBetween: async (reading, { fromMs, toMs }) => {
      const rows = await reading
        .withTables<TracebacksTables>()
        .selectFrom('tracebacks_states')
        .select('traceback_id')
        .where('opened_at_ms', '>=', fromMs)
        .where('opened_at_ms', '<', toMs)
        .orderBy('place')
        .execute();
      return rows.map((row) => row.traceback_id);
    },
    requestOutcomes,
  };
}

/** What is sealed is opened in a transaction, since that is audited. */
function within<Result>(
  { engine }: AnswerParts,
  reading: Reading,
  work: (transaction: PlatformTransaction) => Promise<Result>,
): Promise<Result> {
  return reading.isTransaction ? work(reading as PlatformTransaction) : engine.transact(work);
}

async function whole(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  tracebackId: string,
): Promise<Traceback | undefined> {
  const held = (await parts.engine.load(transaction, [tracebackId])).get(tracebackId);
  if (held === undefined) return undefined;
  const reason = platformReason(tracebackId);
  const looking = { organizationId: 'platform', kind: 'staff', covered: new Set<string>(), reason } as const;
  const shown = await shownTracebacks({ ...parts, texts: parts.engine.texts }, transaction, { held: [held], looking });
  return shown.get(tracebackId);
}

/** Requests that were issued in a stretch of time. A request that another asks for is none of its own: its provider was asked once. */
async function requestOutcomes(
  reading: Reading,
  { fromMs, toMs, providerId }: Parameters<TracebackDesk['requestOutcomes']>[1],
): Promise<readonly RequestOutcome[]> {
  let query = reading
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .select(['request_id', 'traceback_id'])
    .where('issued_at_ms', '>=', fromMs)
    .where('issued_at_ms', '<', toMs)
    .where('asked_by', 'is', null);
  if (providerId !== undefined) query = query.where('provider_id', '=', providerId);
  const rows = await query.orderBy('place').execute();
  const wanted = new Set(rows.map((row) => row.request_id));
  const ids = [...new Set(rows.map((row) => row.traceback_id))];
  const memory = createStateMemory();
  const outcomes = new Map<string, RequestOutcome>();
  for (let at = 0; at < ids.length; at += LOADED_AT_ONCE) {
    const held = await loadTracebacks(reading, ids.slice(at, at + LOADED_AT_ONCE), memory);
    for (const one of held.values())
      for (const request of one.requests.values())
        if (wanted.has(request.request_id)) outcomes.set(request.request_id, outcomeOf(one, request));
  }
  return rows.map((row) => outcomes.get(row.request_id)).filter((outcome) => outcome !== undefined);
}

function outcomeOf({ row, state }: HeldTraceback, request: HeldRequest): RequestOutcome {
  const view = viewTraceback(state);
  const hop = [...view.path, ...view.left].find(({ requestId }) => requestId === request.request_id);
  const role = hop === undefined ? undefined : requestRole(hop, view);
  const reason = hop?.current?.reason;
  return {
    requestId: request.request_id,
    tracebackId: row.traceback_id,
    providerId: request.provider_id,
    ...(row.campaign_id !== null && { campaignId: row.campaign_id }),
    hop: request.hop,
    issuedAtMs: request.issued_at_ms,
    dueAtMs: request.due_at_ms,
    ...(request.answered_at_ms !== null && { answeredAtMs: request.answered_at_ms }),
    state: stateOf(request, hop?.state === 'non-responsive'),
    ...(hop?.current !== undefined && { arm: hop.current.arm }),
    ...(reason !== undefined && { reason: withoutNumbers(reason) }),
    ...(role !== undefined && { role }),
    isDisputed: hop !== undefined && isDisputedHop(hop, view),
  };
}

function stateOf(request: HeldRequest, isNonResponsive: boolean): RequestOutcome['state'] {
  if (request.answered_at_ms !== null) return 'answered';
  if (request.cancelled_at_ms !== null) return 'cancelled';
  return isNonResponsive ? 'unanswered' : 'open';
}
