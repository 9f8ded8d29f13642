import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer } from '@hopback/sdk/platform';
import type { CountingReader, OperationCall, Operations, PlatformContext, TracebackDesk } from '../core/index.js';
import {
  CONCERNS,
  emptyStanding,
  measureStandings,
  participationCsv,
  participationJson,
  readCursor,
  scorecardOf,
  writeCursor,
} from '../domain/providers/index.js';
import type { CountedRequest, ProviderStanding } from '../domain/providers/index.js';
import { limitOf, pathOf, rangeOf, wrongParameter } from './lists.js';
import type { TimeRange } from './lists.js';
import type { CountedRequestView } from './provider-bodies.js';
import { readProvider } from './provider-reader.js';
import type { ProviderTables } from './provider-tables.js';

/** Outages that are weighed: one a day for 14 years. */
const MAX_OUTAGES = 5_000;

/** What scorecards are made of. */
export interface ScorecardParts {
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
export const isHidden = ({ caller }: OperationCall, providerId: string): boolean =>
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
  const tables = reading.withTables<ProviderTables>();
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
  if (cursor !== undefined && place === undefined) return wrongParameter('cursor');
  const asked = rangeOf(call);
  const range = place === undefined ? asked : { fromMs: Number(place[0]), toMs: Number(place[1]) };
  if (range === undefined || asked === undefined) return wrongParameter('from');
  if (!isDateRange(range)) return wrongParameter('cursor');
  const standings = await standingsOf(parts, range, call.atMs);
  const kept = [...standings.values()].filter(
    ({ measures }) => concern === undefined || measures.some((one) => one.concern === concern && one.isConcern),
  );
  const sorted = kept.sort(orderBy(sort));
  const [begin, limit] = [place === undefined ? 0 : Number(place[2]), limitOf(call)];
  const shown = sorted.slice(begin, begin + limit);
  const isMore = begin + limit < sorted.length;
  return jsonAnswer({
    items: shown.map((standing) => scorecardOf(standing, range)),
    ...(isMore && { nextCursor: writeCursor([range.fromMs, range.toMs, begin + limit]) }),
  });
}

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
  if (cursor !== undefined && place === undefined) return wrongParameter('cursor');
  if ((await readProvider(parts.context.database, providerId)) === undefined) return problemAnswer('not-found');
  const outcomes = await allOf(parts.desk.requestOutcomes(parts.context.database, { ...range, providerId }));
  const facts = { nowMs: call.atMs, ...(await countingFacts(parts.context.database, range)) };
  const requests = measureStandings(outcomes, facts).get(providerId)?.requests ?? [];
  const sorted = [...requests].sort((one, other) => newestFirst(one, other));
  const rest =
    place === undefined
      ? sorted
      : sorted.filter(({ outcome }) => isBehind(outcome, Number(place[0]), String(place[1])));
  const limit = limitOf(call);
  const shown = rest.slice(0, limit);
  const last = shown.at(-1)?.outcome;
  const nextCursor =
    rest.length > limit && last !== undefined ? writeCursor([last.issuedAtMs, last.requestId]) : undefined;
  return jsonAnswer({ items: shown.map(viewOf), ...(nextCursor !== undefined && { nextCursor }) });
}

const newestFirst = ({ outcome: one }: CountedRequest, { outcome: other }: CountedRequest): number =>
  other.issuedAtMs - one.issuedAtMs || (one.requestId < other.requestId ? 1 : -1);

const isBehind = (outcome: CountedRequest['outcome'], atMs: number, requestId: string): boolean =>
  outcome.issuedAtMs < atMs || (outcome.issuedAtMs === atMs && outcome.requestId < requestId);

function viewOf({ outcome, timeliness, excluded, contest, findings }: CountedRequest): CountedRequestView {
  const { requestId, tracebackId, campaignId, hop, dueAtMs, answeredAtMs, arm, reason, role, isDisputed } = outcome;
  return {
    requestId,
    tracebackId,
    ...(campaignId !== undefined && { campaignId }),
    hop,
    issuedAt: new Date(outcome.issuedAtMs).toISOString(),
    ...(dueAtMs !== undefined && { dueAt: new Date(dueAtMs).toISOString() }),
    ...(answeredAtMs !== undefined && { answeredAt: new Date(answeredAtMs).toISOString() }),
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
  const rows = await parts.context.database
    .withTables<ProviderTables>()
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
