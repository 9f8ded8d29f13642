import { HopbackError } from '@hopback/sdk/errors';
import type { Traceback } from '@hopback/sdk/platform';
import type { ProviderReference, TracebackAnswer } from '@hopback/sdk/traceback';
import type { TracebackEvent } from '@hopback/sdk/internal';
import { mixedReferenceText, startTraceback } from '@hopback/sdk/internal';
import { sql } from 'kysely';
import type { OpeningOrder, PlatformTransaction, Reading, RequestOutcome, TracebackDesk } from '../core/index.js';
import { Acting, sealJson } from '../database/index.js';
import type { TracebackEngine } from './engine.js';
import type { HeldTraceback } from './held-traceback.js';
import { platformReason, TracebackWork } from './held-traceback.js';
import { referenceOf } from './perform-effect.js';
import { answersOf } from './stored-requests.js';
import type { AnswerParts } from './take-answers.js';
import { shownTracebacks } from './tell-tracebacks.js';
import type { TracebacksParts } from './tracebacks-tables.js';
import { tablesOf } from './tracebacks-tables.js';

/** A traceback that was opened, now or before. */
type Opened =
  | {
      readonly status: 'opened';
      readonly tracebackId: string;
      /** Where it was opened now. */
      readonly held?: HeldTraceback;
    }
  | {
      readonly status: 'refused';
      readonly reason:
        /** Nobody is named who delivered the call, or who may serve the number, and no record or report says it. */
        | 'no-first-provider'
        /** The record is of nobody that is named. */
        | 'record-without-provider'
        /** It is to be asked in the name of somebody who does not open it. */
        | 'foreign-requester'
        /** The first provider mixes two companies. */
        | 'mixed-provider';
      /** For people. */
      readonly detail?: string;
    };

type OpeningParts = TracebacksParts & { readonly engine: TracebackEngine };

/** Opens a traceback, or gives the one that was opened for the same reason. */
export async function openTraceback(
  parts: OpeningParts,
  transaction: PlatformTransaction,
  order: OpeningOrder,
): Promise<Opened> {
  const { context, engine } = parts;
  const { opening, organizationId, actor, reasonKey, campaignId = opening.campaign?.campaignId } = order;
  const known = reasonKey === undefined ? undefined : await openedFor(transaction, reasonKey);
  if (known !== undefined) return { status: 'opened', tracebackId: known };
  const { call, direction } = opening;
  if (!(await mayAskAs(parts, transaction, order))) return { status: 'refused', reason: 'foreign-requester' };
  const named = opening.firstProvider ?? (await servedBy(parts, transaction, opening.reportId));
  if (named === undefined)
    return { status: 'refused', reason: call.recordId === undefined ? 'no-first-provider' : 'record-without-provider' };
  const found = await parts.providers.resolve(transaction, named);
  // The platform itself names by an id alone, and retries what is refused.
  if (organizationId !== 'platform' && found.status === 'several' && found.mixed !== undefined)
    return {
      status: 'refused',
      reason: 'mixed-provider',
      detail: mixedReferenceText('The first provider', found.mixed),
    };
  const tracebackId = context.newId('t');
  const first = found.status === 'found' ? referenceOf(found.provider) : named;
  const atMs = context.clock.nowMs();
  const { state } = startTraceback({
    tracebackId,
    atMs,
    first,
    direction,
    ...(parts.rules !== undefined && { rules: parts.rules }),
    ...(call.recordId !== undefined && { sharedRecordId: call.recordId }),
  });
  const requester = opening.requester ?? parts.requester;
  const whole = requester === undefined ? opening : { ...opening, requester };
  const pieces = await sealJson(context, transaction, { value: whole, belongsTo: `traceback:${tracebackId}` });
  engine.texts.note(pieces, whole);
  const held: HeldTraceback = {
    row: {
      traceback_id: tracebackId,
      place: 0,
      direction,
      campaign_id: campaignId ?? null,
      opened_by: organizationId,
      reason_key: reasonKey ?? null,
      opened_at_ms: atMs,
      updated_at_ms: atMs,
      standing: 'open',
      outcome: null,
      version: 0,
      wake_at_ms: null,
      seeks_neighbours: false,
      waits: [],
      opening: pieces,
    },
    requests: new Map(),
    state,
    readState: state,
    isNew: true,
  };
  await engine.conductHeld(transaction, [held], { changes: [] });
  const details = { direction, ...(campaignId !== undefined && { campaignId }), reasonKey: reasonKey ?? null };
  const work = new Acting(context, transaction, { organizationId, actor });
  await work.audit('traceback.opened', `traceback:${tracebackId}`, details);
  return { status: 'opened', tracebackId, held };
}

/** The traceback group asks for whom it will; an agency in its own name alone; nobody else in anybody's. 47 CFR 64.1200(n)(1) says who may ask. */
async function mayAskAs(
  { organizations }: TracebacksParts,
  transaction: PlatformTransaction,
  { opening: { requester }, organizationId }: OpeningOrder,
): Promise<boolean> {
  if (requester === undefined || organizationId === 'platform') return true;
  const agency = await organizations.agency(transaction, organizationId);
  if (agency !== undefined) return requester.name === agency.name && requester.kind.endsWith('law-enforcement');
  return (await organizations.staff(transaction)).includes(organizationId);
}

async function openedFor(transaction: PlatformTransaction, reasonKey: string): Promise<string | undefined> {
  const row = await tablesOf(transaction)
    .selectFrom('tracebacks_states')
    .select('traceback_id')
    .where('reason_key', '=', reasonKey)
    .executeTakeFirst();
  return row?.traceback_id;
}

/** An application names the provider that serves its subscriber. Reports are told apart by `appId/reportId`. */
async function servedBy(
  { live }: TracebacksParts,
  transaction: PlatformTransaction,
  reportId: string | undefined,
): Promise<ProviderReference | undefined> {
  const [appId, id] = reportId?.split('/') ?? [];
  if (live === undefined || appId === undefined || id === undefined) return undefined;
  const report = await live.report(appId, id, transaction);
  return report?.servedBy === undefined ? undefined : { name: report.servedBy };
}

/** The lifecycle is told of providers as the registry has them. */
export async function registered(
  { providers }: TracebacksParts,
  transaction: PlatformTransaction,
  reference: ProviderReference,
): Promise<ProviderReference> {
  const found = await providers.resolve(transaction, reference);
  return found.status === 'found' ? referenceOf(found.provider) : reference;
}

/** Trace forward: who serves a call-back number is found out in a traceback of its own. */
export async function openForward(
  parts: OpeningParts,
  transaction: PlatformTransaction,
  forward: {
    readonly held: HeldTraceback;
    readonly order: OpeningOrder;
    readonly forwardId: string;
  },
): Promise<Opened> {
  const { held, order, forwardId } = forward;
  const opened = await openTraceback(parts, transaction, order);
  if (opened.status === 'refused') return opened;
  const { tracebackId: forwardTraceback } = opened;
  const frame = { tracebackId: held.row.traceback_id, atMs: parts.context.clock.nowMs() };
  const events: readonly TracebackEvent[] = [
    // The number itself is in what the other traceback was opened with, sealed.
    {
      type: 'trace-forward-asked',
      ...frame,
      forwardId,
      number: `traceback:${forwardTraceback}`,
      by: order.actor,
    },
    { type: 'effect-done', ...frame, effectId: `forward:${forwardId}`, reference: forwardTraceback },
  ];
  const { refused } = await parts.engine.conduct(transaction, [{ tracebackId: frame.tracebackId, events }]);
  if (refused === undefined) return opened;
  throw new HopbackError('internal', 'a traceback does not take note of the one that traces forward for it', {
    details: { reason: refused.reason },
  });
}

/** Tracebacks of a campaign that are given at once: a campaign has a budget of some dozens. */
const OF_CAMPAIGN = 10_000;

/** Makes the port by which other areas deal with tracebacks. */
export function createTracebackDesk(parts: AnswerParts): TracebackDesk {
  const { engine } = parts;
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
        const work = new TracebackWork(parts, transaction, engine.texts);
        const reason = { ...platformReason(tracebackId), actor: 'platform:answers', organizationId: 'production' };
        const answers: TracebackAnswer[] = [];
        for (const request of held?.requests.values() ?? [])
          answers.push(...(await answersOf(work, request.asked_by ?? request.request_id, reason)));
        return answers;
      }),
    ofCampaign: async (reading, campaignId) => {
      const rows = await tablesOf(reading)
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
  const work = new TracebackWork(parts, transaction, parts.engine.texts);
  const shown = await shownTracebacks(work, [held], looking);
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
    const rows = await tablesOf(reading)
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
export async function* requestOutcomes(
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
  return tablesOf(reading)
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
    requestId: row.request_id,
    tracebackId: row.traceback_id,
    providerId: row.provider_id,
    ...(row.campaign_id !== null && { campaignId: row.campaign_id }),
    hop: row.hop,
    issuedAtMs: row.issued_at_ms,
    dueAtMs: row.due_at_ms,
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
