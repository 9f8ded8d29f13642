import { HopbackError } from '@hopback/sdk/errors';
import { sql } from 'kysely';
import type { Traceback } from '@hopback/sdk/platform';
import type { TracebackAnswer } from '@hopback/sdk/traceback';
import type { PlatformTransaction, Reading, RequestOutcome, TracebackDesk } from '../core/index.js';
import { answersOf } from './answers-store.js';
import { openTraceback } from './open-traceback.js';
import { platformReason } from './plain-texts.js';
import type { AnswerParts } from './submit-answer.js';
import { shownTracebacks } from './tell-tracebacks.js';
import type { TracebacksTables } from './tracebacks-tables.js';

/** Tracebacks of a campaign that are given at once: a campaign has a budget of some dozens. */
const OF_CAMPAIGN = 10_000;

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
    openedBetween,
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

/** Rows of a page of what other areas count. */
const COUNTED_AT_ONCE = 2_000;

/** Tracebacks that were opened in a stretch of time, by that time. */
async function* openedBetween(
  reading: Reading,
  { fromMs, toMs }: Parameters<TracebackDesk['openedBetween']>[1],
): AsyncGenerator<string> {
  for (let behind = { atMs: fromMs, place: -1 }; ;) {
    const rows = await reading
      .withTables<TracebacksTables>()
      .selectFrom('tracebacks_states')
      .select(['traceback_id', 'opened_at_ms', 'place'])
      .where('opened_at_ms', '<', toMs)
      .where(sql<boolean>`(opened_at_ms, place) > (${behind.atMs}, ${behind.place})`)
      .orderBy('opened_at_ms')
      .orderBy('place')
      .limit(COUNTED_AT_ONCE)
      .execute();
    for (const row of rows) yield row.traceback_id;
    const last = rows.at(-1);
    if (last === undefined || rows.length < COUNTED_AT_ONCE) return;
    behind = { atMs: last.opened_at_ms, place: last.place };
  }
}

/**
 * Requests that were issued in a stretch of time, by that time. A request that another asks for is none of its own: its provider was asked
 * once.
 */
async function* requestOutcomes(
  reading: Reading,
  { fromMs, toMs, providerId }: Parameters<TracebackDesk['requestOutcomes']>[1],
): AsyncGenerator<RequestOutcome> {
  for (let behind = { atMs: fromMs, place: -1 }; ;) {
    const rows = await outcomeRows(reading, behind, { toMs, providerId });
    for (const row of rows) yield outcomeOf(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < COUNTED_AT_ONCE) return;
    behind = { atMs: last.issued_at_ms, place: last.place };
  }
}

function outcomeRows(
  reading: Reading,
  behind: { readonly atMs: number; readonly place: number },
  { toMs, providerId }: { readonly toMs: number; readonly providerId: string | undefined },
) {
  return reading
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests as request')
    .innerJoin('tracebacks_states as traceback', 'traceback.traceback_id', 'request.traceback_id')
    .select(['request.request_id', 'request.place', 'request.traceback_id', 'request.provider_id', 'request.hop'])
    .select(['request.issued_at_ms', 'request.due_at_ms', 'request.answered_at_ms', 'request.cancelled_at_ms'])
    .select(['request.result', 'traceback.campaign_id'])
    .where('request.issued_at_ms', '<', toMs)
    .where(sql<boolean>`(request.issued_at_ms, request.place) > (${behind.atMs}, ${behind.place})`)
    .where('request.asked_by', 'is', null)
    .$if(providerId !== undefined, (query) => query.where('request.provider_id', '=', providerId ?? ''))
    .orderBy('request.issued_at_ms')
    .orderBy('request.place')
    .limit(COUNTED_AT_ONCE)
    .execute();
}

type OutcomeRow = Awaited<ReturnType<typeof outcomeRows>>[number];

function outcomeOf(row: OutcomeRow): RequestOutcome {
  const { arm, reason, role, isDisputed } = row.result;
  return {
    ...{ requestId: row.request_id, tracebackId: row.traceback_id, providerId: row.provider_id },
    ...(row.campaign_id !== null && { campaignId: row.campaign_id }),
    ...{ hop: row.hop, issuedAtMs: row.issued_at_ms, dueAtMs: row.due_at_ms },
    ...(row.answered_at_ms !== null && { answeredAtMs: row.answered_at_ms }),
    state: stateOf(row),
    ...(arm !== undefined && { arm }),
    ...(reason !== undefined && { reason }),
    ...(role !== undefined && { role }),
    isDisputed,
  };
}

function stateOf({ answered_at_ms, cancelled_at_ms, result }: OutcomeRow): RequestOutcome['state'] {
  if (answered_at_ms !== null) return 'answered';
  if (cancelled_at_ms !== null) return 'cancelled';
  return result.isNonResponsive ? 'unanswered' : 'open';
}
