import type { PlatformAnswer } from '@hopback/sdk/internal';
import { problemAnswer, jsonAnswer, DEFAULT_PAGE_ITEMS } from '@hopback/sdk/internal';
import type { Selectable } from 'kysely';
import type {
  CountingReader,
  OperationCall,
  Operations,
  PlatformContext,
  RequestOutcome,
  TracebackDesk,
} from '../core/index.js';
import { Acting, actorOf, iso, pageAnswer, wrongCursor } from '../database/index.js';
import type { CountedRequest, ProviderStanding } from '../domain/providers/scorecard.js';
import { CONCERNS, emptyStanding, measureStandings, scorecardOf } from '../domain/providers/scorecard.js';
import { participationCsv, participationJson } from '../domain/providers/participation-report.js';
import { readCursor, writeCursor } from '../domain/providers/resolve-reference.js';
import { textWithoutNumbers } from '../domain/records/mask-numbers.js';
import type { ProviderBody } from './provider-bodies.js';
import type { TimeRange } from './provider-reader.js';
import { bodyOf, pathOf, rangeOf, readProvider, wrongBody, wrongParameter } from './provider-reader.js';
import type { ProviderTables } from './provider-tables.js';
import { CONTESTS, OUTAGES, tablesOf } from './provider-tables.js';

/** Outages that are weighed: one a day for 14 years. */
const MAX_OUTAGES = 5_000;

/** What scorecards are made of. */
interface ScorecardParts {
  readonly context: PlatformContext;
  readonly desk: Pick<TracebackDesk, 'requestOutcomes'>;
}

/** Operations that count requests. A carrier sees what is its own; whatever belongs to others it is told there is none of. */
export function createScorecardOperations(parts: ScorecardParts): Operations {
  return {
    fetchProviderScorecard: (call) => fetchScorecard(parts, call),
    listProviderScorecards: (call) => listScorecards(parts, call),
    listCountedRequests: (call) => listCountedRequests(parts, call),
    fetchParticipationReport: (call) => fetchReport(parts, call),
  };
}

/** Whether a provider is none that the caller may see anything of but its entry. */
const isHidden = ({ caller }: OperationCall, providerId: string): boolean =>
  caller.kind === 'carrier' && caller.organizationId !== providerId;

/** Standings of all providers that were asked in a stretch of time. */
async function standingsOf(
  { context, desk }: ScorecardParts,
  range: TimeRange,
  nowMs: number,
): Promise<ReadonlyMap<string, ProviderStanding>> {
  const outcomes = await allOf(desk.requestOutcomes(context.database, range));
  return measureStandings(outcomes, { nowMs, ...(await countingFacts(context.database, range)) });
}

/** Standings are measured together, so that the outcomes of a stretch of time are held; they come in pages. */
async function allOf<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What is held in favour of providers when their requests are counted. */
export const countingFacts: CountingReader['facts'] = async (reading, { fromMs, toMs }) => {
  const tables = tablesOf(reading);
  const contests = await tables
    .selectFrom('providers_contests')
    .select(['request_id', 'state'])
    .where('issued_at_ms', '>=', fromMs)
    .where('issued_at_ms', '<', toMs)
    .execute();
  const outages = await tables
    .selectFrom('providers_outages')
    .select(['from_ms', 'to_ms'])
    .where('to_ms', '>', fromMs)
    .orderBy('to_ms', 'desc')
    .limit(MAX_OUTAGES)
    .execute();
  return {
    contests: new Map(contests.map(({ request_id: requestId, state }) => [requestId, state])),
    outages: outages.map((row) => ({ fromMs: row.from_ms, toMs: row.to_ms })),
  };
};

async function fetchScorecard(parts: ScorecardParts, call: OperationCall): Promise<PlatformAnswer> {
  const providerId = pathOf(call, 'providerId');
  if (isHidden(call, providerId)) return problemAnswer('not-found');
  const range = rangeOf(call);
  if (range === undefined) return wrongParameter('from');
  const isKnown = (await readProvider(parts.context.database, providerId)) !== undefined;
  if (!isKnown) return problemAnswer('not-found');
  const standings = await standingsOf(parts, range, call.atMs);
  return jsonAnswer(scorecardOf(standings.get(providerId) ?? emptyStanding(providerId), range));
}

async function listScorecards(parts: ScorecardParts, call: OperationCall): Promise<PlatformAnswer> {
  const { cursor, sort = 'provider', concern } = call.request.parameters;
  // Pages of one list are of one stretch of time, however long somebody takes to read them.
  const place = cursor === undefined ? undefined : readCursor(cursor, ['number', 'number', 'number']);
  if (cursor !== undefined && place === undefined) return wrongCursor();
  const asked = rangeOf(call);
  const range = place === undefined ? asked : { fromMs: Number(place[0]), toMs: Number(place[1]) };
  if (range === undefined || asked === undefined) return wrongParameter('from');
  if (!isDateRange(range)) return wrongCursor();
  const standings = await standingsOf(parts, range, call.atMs);
  const kept = [...standings.values()].filter(
    ({ measures }) => concern === undefined || measures.some((one) => one.concern === concern && one.isConcern),
  );
  const sorted = kept.sort(orderBy(sort)).slice(place === undefined ? 0 : Number(place[2]));
  const page = sorted.slice(0, limitOf(call));
  const end = (place === undefined ? 0 : Number(place[2])) + page.length;
  return jsonAnswer({
    items: page.map((standing) => scorecardOf(standing, range)),
    ...(sorted.length > page.length && { nextCursor: writeCursor([range.fromMs, range.toMs, end]) }),
  });
}

/** Items of a page that were asked for. The route has seen to it that it is a number. */
const limitOf = ({ request }: OperationCall): number => Number(request.parameters['limit'] ?? DEFAULT_PAGE_ITEMS);

/** Last instant that a date has. ECMA-262 section 21.4.1.1 */
const MAX_DATE_MS = 8.64e15;

const isDateRange = ({ fromMs, toMs }: TimeRange): boolean =>
  fromMs < toMs && Math.abs(fromMs) <= MAX_DATE_MS && Math.abs(toMs) <= MAX_DATE_MS;

type Order = (one: ProviderStanding, other: ProviderStanding) => number;

const byId: Order = (one, other) => (one.providerId < other.providerId ? -1 : 1);

function orderBy(sort: string): Order {
  const concern = CONCERNS.find((one) => one === sort);
  // The lower bound: by the rate itself one of one would stand in front of 90 of 100.
  const key = (standing: ProviderStanding): number => {
    if (concern === undefined) return sort === 'requests' ? standing.requests.length : 0;
    return standing.measures.find((measure) => measure.concern === concern)?.interval.lower ?? 0;
  };
  return (one, other) => key(other) - key(one) || byId(one, other);
}

async function listCountedRequests(parts: ScorecardParts, call: OperationCall): Promise<PlatformAnswer> {
  const providerId = pathOf(call, 'providerId');
  if (isHidden(call, providerId)) return problemAnswer('not-found');
  const range = rangeOf(call);
  if (range === undefined) return wrongParameter('from');
  const { cursor } = call.request.parameters;
  const place = cursor === undefined ? undefined : readCursor(cursor, ['number', 'string']);
  if (cursor !== undefined && place === undefined) return wrongCursor();
  if ((await readProvider(parts.context.database, providerId)) === undefined) return problemAnswer('not-found');
  const outcomes = await allOf(parts.desk.requestOutcomes(parts.context.database, { ...range, providerId }));
  const facts = { nowMs: call.atMs, ...(await countingFacts(parts.context.database, range)) };
  const requests = measureStandings(outcomes, facts).get(providerId)?.requests ?? [];
  const sorted = [...requests].sort((one, other) => newestFirst(one, other));
  const rest =
    place === undefined
      ? sorted
      : sorted.filter(({ outcome }) => isBehind(outcome, Number(place[0]), String(place[1])));
  const shown = rest.slice(0, limitOf(call));
  const last = rest.length > shown.length ? shown.at(-1)?.outcome : undefined;
  return jsonAnswer({
    items: shown.map(viewOf),
    ...(last !== undefined && { nextCursor: writeCursor([last.issuedAtMs, last.requestId]) }),
  });
}

const newestFirst = ({ outcome: one }: CountedRequest, { outcome: other }: CountedRequest): number =>
  other.issuedAtMs - one.issuedAtMs || (one.requestId < other.requestId ? 1 : -1);

const isBehind = (outcome: CountedRequest['outcome'], atMs: number, requestId: string): boolean =>
  outcome.issuedAtMs < atMs || (outcome.issuedAtMs === atMs && outcome.requestId < requestId);

function viewOf({ outcome, timeliness, excluded, contest, findings }: CountedRequest): object {
  const { requestId, tracebackId, campaignId, hop, dueAtMs, answeredAtMs, arm, reason, role, isDisputed } = outcome;
  return {
    requestId,
    tracebackId,
    ...(campaignId !== undefined && { campaignId }),
    hop,
    issuedAt: iso(outcome.issuedAtMs),
    ...(dueAtMs !== undefined && { dueAt: iso(dueAtMs) }),
    ...(answeredAtMs !== undefined && { answeredAt: iso(answeredAtMs) }),
    timeliness,
    ...(arm !== undefined && { arm }),
    ...(reason !== undefined && { reason }),
    ...(role !== undefined && !isDisputed && { role }),
    isDisputed,
    ...(excluded !== undefined && { excluded }),
    ...(contest !== undefined && { contest }),
    findings,
  };
}

const REPORT_NAME = /^participation-(2\d{3})\.(csv|json)$/;

/**
 * The report of a year. What is open at its end is counted as it stands then, or now while the year lasts, so that a report of a year that is
 * over does not change with the day on which it is made.
 */
async function fetchReport(parts: ScorecardParts, call: OperationCall): Promise<PlatformAnswer> {
  const [, digits, form] = REPORT_NAME.exec(pathOf(call, 'name')) ?? [];
  if (digits === undefined) return problemAnswer('not-found');
  const year = Number(digits);
  const range = { fromMs: Date.UTC(year, 0, 1), toMs: Date.UTC(year + 1, 0, 1) };
  if (range.fromMs > call.atMs) return problemAnswer('not-found');
  const standings = [...(await standingsOf(parts, range, Math.min(call.atMs, range.toMs))).values()];
  const rows = await tablesOf(parts.context.database)
    .selectFrom('providers_entries')
    .select(['provider_id', 'entry'])
    .execute();
  const names = new Map(rows.map(({ provider_id: id, entry }) => [id, entry]));
  const report = { year, standings, names };
  const text = form === 'csv' ? participationCsv(report) : participationJson(report);
  return {
    kind: 'file',
    bytes: new TextEncoder().encode(text),
    mediaType: form === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/json',
  };
}

/** How far back a request may be that is contested: as far as scorecards reach. */
const MAX_AGE_MS = 5 * 366 * 86_400_000;
/** Contests of one provider that wait for a decision: staff reads each of them. */
const MAX_PENDING = 500;
/** Longest outage that is noted at once: what is longer is written in parts, by somebody who thought of each. */
const MAX_OUTAGE_MS = 7 * 86_400_000;

type ContestRow = Selectable<ProviderTables['providers_contests']>;

/** Operations on objections of providers, and on outages of the platform. */
export function createContestOperations(parts: ScorecardParts): Operations {
  const { context } = parts;
  return {
    contestRequest: (call) => contestRequest(parts, call),
    listProviderContests: (call) => {
      const providerId = pathOf(call, 'providerId');
      return isHidden(call, providerId) ? problemAnswer('not-found') : listContests(context, call, { providerId });
    },
    listContests: (call) => listContests(context, call, call.request.parameters),
    decideContest: (call) => decideContest(context, call),
    noteOutage: (call) => noteOutage(context, call),
    listOutages: (call) => listOutages(context, call),
  };
}

async function outcomeOf(
  outcomes: AsyncIterable<RequestOutcome>,
  requestId: string,
): Promise<RequestOutcome | undefined> {
  for await (const outcome of outcomes) if (outcome.requestId === requestId) return outcome;
  return undefined;
}

async function contestRequest(parts: ScorecardParts, call: OperationCall): Promise<PlatformAnswer> {
  const { context, desk } = parts;
  const providerId = pathOf(call, 'providerId');
  if (isHidden(call, providerId)) return problemAnswer('not-found');
  const { requestId, reason: given } = bodyOf(call) as ProviderBody<'ContestSubmission'>;
  const reason = textWithoutNumbers(given);
  const range = { fromMs: call.atMs - MAX_AGE_MS, toMs: call.atMs + 1, providerId };
  return context.transact(async (transaction) => {
    const outcome = await outcomeOf(desk.requestOutcomes(transaction, range), requestId);
    if (outcome === undefined) return problemAnswer('not-found');
    const tables = tablesOf(transaction);
    const there = await tables
      .selectFrom('providers_contests')
      .selectAll()
      .where('request_id', '=', requestId)
      .executeTakeFirst();
    // One contest for each request: what was decided is not asked again in other words.
    if (there !== undefined) return there.reason === reason ? jsonAnswer(contestOf(there)) : problemAnswer('conflict');
    const { pending } = await tables
      .selectFrom('providers_contests')
      .select((row) => row.fn.countAll<number>().as('pending'))
      .where('provider_id', '=', providerId)
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow();
    if (pending >= MAX_PENDING)
      return problemAnswer('conflict', { detail: 'too many contests of the provider wait for a decision' });
    const row: ContestRow = {
      contest_id: context.newId('con'),
      provider_id: outcome.providerId,
      request_id: requestId,
      issued_at_ms: outcome.issuedAtMs,
      reason,
      state: 'pending',
      contested_at_ms: context.clock.nowMs(),
      contested_by: call.caller.clientId,
      decided_at_ms: null,
      decided_by: null,
      decision_reason: null,
    };
    await CONTESTS.add(transaction, row);
    const work = new Acting(context, transaction, actorOf(call));
    await work.audit('request.contested', `contest:${row.contest_id}`, { requestId });
    return jsonAnswer(contestOf(row));
  });
}

function contestOf(row: ContestRow): ProviderBody<'Contest'> {
  return {
    contestId: row.contest_id,
    providerId: row.provider_id,
    requestId: row.request_id,
    reason: row.reason,
    state: row.state,
    contestedAt: iso(row.contested_at_ms),
    ...(row.decided_at_ms !== null && {
      decision: { decidedAt: iso(row.decided_at_ms), reason: row.decision_reason ?? '' },
    }),
  };
}

function listContests(
  { database }: PlatformContext,
  call: OperationCall,
  { providerId, state }: { readonly providerId?: string; readonly state?: string },
): Promise<PlatformAnswer> {
  let query = tablesOf(database).selectFrom('providers_contests').selectAll();
  if (providerId !== undefined) query = query.where('provider_id', '=', providerId);
  if (state !== undefined) query = query.where('state', '=', state as ContestRow['state']);
  return pageAnswer(query, { call, by: { contested_at_ms: 'number', contest_id: 'string' }, order: 'desc' }, (rows) =>
    rows.map(contestOf),
  );
}

async function decideContest(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const { decision, reason: given } = bodyOf(call) as ProviderBody<'ContestDecision'>;
  const reason = textWithoutNumbers(given);
  const state = decision === 'uphold' ? 'upheld' : 'rejected';
  return context.transact(async (transaction) => {
    const there = await CONTESTS.get(transaction, pathOf(call, 'contestId'));
    if (there === undefined) return problemAnswer('not-found');
    if (there.state !== 'pending') {
      const isSame = there.state === state && there.decision_reason === reason;
      return isSame ? jsonAnswer(contestOf(there)) : problemAnswer('conflict');
    }
    const { contest_id: contestId, request_id: requestId, provider_id: providerId } = there;
    const work = new Acting(context, transaction, actorOf(call));
    const decided = {
      state,
      decided_at_ms: context.clock.nowMs(),
      decided_by: work.by.actor,
      decision_reason: reason,
    } as const;
    await CONTESTS.set(transaction, contestId, decided);
    await work.audit('contest.decided', `contest:${contestId}`, { state, requestId, providerId });
    return jsonAnswer(contestOf({ ...there, ...decided }));
  });
}

async function noteOutage(context: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const { from, to, reason: given } = bodyOf(call) as ProviderBody<'OutageNote'>;
  const reason = textWithoutNumbers(given);
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  if (toMs <= fromMs || toMs - fromMs > MAX_OUTAGE_MS) return wrongBody('/to', 'not-a-stretch');
  if (toMs > call.atMs) return wrongBody('/to', 'in-the-future');
  return context.transact(async (transaction) => {
    const there = await tablesOf(transaction)
      .selectFrom('providers_outages')
      .select('outage_id')
      .where('from_ms', '=', fromMs)
      .where('to_ms', '=', toMs)
      .where('reason', '=', reason)
      .executeTakeFirst();
    if (there !== undefined) return jsonAnswer({ outageId: there.outage_id, from, to, reason });
    const outageId = context.newId('out');
    const work = new Acting(context, transaction, actorOf(call));
    const row = {
      outage_id: outageId,
      from_ms: fromMs,
      to_ms: toMs,
      reason,
      actor: work.by.actor,
    };
    await OUTAGES.add(transaction, row);
    await work.audit('outage.noted', `outage:${outageId}`, { from, to });
    return jsonAnswer({ outageId, from, to, reason });
  });
}

function listOutages({ database }: PlatformContext, call: OperationCall): Promise<PlatformAnswer> {
  const query = tablesOf(database).selectFrom('providers_outages').selectAll();
  return pageAnswer(query, { call, by: { to_ms: 'number', outage_id: 'string' }, order: 'desc' }, (rows) =>
    rows.map((row) => ({
      outageId: row.outage_id,
      from: iso(row.from_ms),
      to: iso(row.to_ms),
      reason: row.reason,
    })),
  );
}
