import { HopbackError } from '@hopback/sdk/errors';
import type { AppReport, DemandScope } from '@hopback/sdk/platform';
import type { CampaignCall, LiveRecord } from '../core/index.js';
import type { EvidenceJoiner, JoinedEvidence } from '../domain/campaigns/count-evidence.js';
import { createEvidenceJoiner, recordsOfCalls } from '../domain/campaigns/count-evidence.js';
import type { Producible } from '../domain/demands/produced-rows.js';
import {
  appReportRow,
  callRecordRow,
  campaignRecordingRow,
  reportRecordingRow,
  tracebackRows,
  tracedCall,
} from '../domain/demands/produced-rows.js';
import { comparableNumber } from '../domain/demands/scope.js';
import type { DemandParts } from './demand-rows.js';

/** A list by time that is given in pieces. */
export interface CutList<Item> {
  /** Milliseconds since the epoch, `fromMs` in it and `toMs` not. */
  readonly range: { readonly fromMs: number; readonly toMs: number };
  readonly direction: 'oldest-first' | 'newest-first';
  readonly pageItems: number;
  readonly idOf: (item: Item) => string;
  readonly atMsOf: (item: Item) => number;
  /** The first items of a range in the direction; `isCut` where there are more. */
  readonly find: (range: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly limit: number;
  }) => Promise<{ readonly items: readonly Item[]; readonly isCut: boolean }>;
}

/** Items of one page where one millisecond fills it: more than any network has in one, and less than areas give at once. */
const LARGEST_PAGE = 32_000;

/**
 * Goes through a list page by page, each beginning with the millisecond that the last one ended with; what came already is left out, so that items
 * of one millisecond may fall into two pages.
 * @throws HopbackError `storage-failed` where a millisecond has more items than can be asked for
 */
export async function* cutPages<Item>(list: CutList<Item>): AsyncGenerator<readonly Item[]> {
  const { direction, pageItems, idOf, atMsOf, find } = list;
  let { fromMs, toMs } = list.range;
  let limit = pageItems;
  let seen: ReadonlySet<string> = new Set();
  while (fromMs < toMs) {
    const { items, isCut } = await find({ fromMs, toMs, limit });
    const fresh = items.filter((item) => !seen.has(idOf(item)));
    if (fresh.length > 0) yield fresh;
    const last = items.at(-1);
    if (!isCut || last === undefined) return;
    const edgeMs = atMsOf(last);
    const edge = items.filter((item) => atMsOf(item) === edgeMs).map(idOf);
    const isStuck = direction === 'oldest-first' ? edgeMs <= fromMs : edgeMs >= toMs - 1;
    if (isStuck && limit >= LARGEST_PAGE)
      throw new HopbackError('storage-failed', 'one millisecond has more calls than can be asked for at once');
    seen = isStuck ? new Set([...seen, ...edge]) : new Set(edge);
    limit = isStuck ? Math.min(limit * 2, LARGEST_PAGE) : pageItems;
    if (direction === 'oldest-first') fromMs = Math.max(fromMs, edgeMs);
    else toMs = Math.min(toMs, edgeMs + 1);
  }
}

/** What is looked for. */
export interface ProducibleQuery {
  /** With the providers of the registry. */
  readonly scope: DemandScope;
  /** Up to when tracebacks were opened. */
  readonly asOfMs: number;
}

const DAY_MS = 86_400_000;

/**
 * Everything that a scope may reach, one after the other, in memory that does not grow with it: all that it reaches is in it, and more; what is
 * produced is what the scope matches. Areas are asked in pages.
 */
export async function* producibles(parts: DemandParts, query: ProducibleQuery): AsyncGenerator<Producible> {
  const classes = new Set(query.scope.recordClasses);
  const wantsCalls = classes.has('call-records');
  const wantsReports = classes.has('app-reports') || classes.has('recordings');
  if (classes.has('traceback-records') || classes.has('customer-records')) yield* tracebackItems(parts, query);
  if (query.scope.tracebackIds !== undefined) {
    // Reports are not linked to a traceback that they began, so that no demand of tracebacks reaches them.
    if (wantsCalls) yield* recordsOfTracebacks(parts, query);
  } else if (query.scope.campaignIds !== undefined) {
    if (wantsCalls || wantsReports) yield* callsOfCampaigns(parts, query, { wantsCalls, wantsReports });
    if (classes.has('recordings')) yield* campaignScripts(parts, query);
  } else {
    const none = noEvidence();
    yield* joined(
      byTime(wantsCalls ? recordsByTime(parts, query) : none, wantsReports ? reportsByTime(parts, query) : none),
    );
  }
}

/** A record or report that is to be joined with others of its call. */
interface Evidence {
  readonly atMs: number;
  readonly join: (joiner: EvidenceJoiner) => JoinedEvidence;
  readonly rows: (placedCallId: string) => Iterable<Producible>;
}

/** Records and reports that wait for one that ties them to others: about as many as the joiner remembers. */
const WAITING_EVIDENCE = 32_768;

/** Gives each record and report its call. It waits for others, since a later one may show that two calls are one. */
async function* joined(evidence: AsyncIterable<Evidence> | Iterable<Evidence>): AsyncGenerator<Producible> {
  const joiner = createEvidenceJoiner();
  const waiting: { readonly rows: Evidence['rows']; readonly call: JoinedEvidence }[] = [];
  for await (const { join, rows } of evidence) {
    waiting.push({ rows, call: join(joiner) });
    if (waiting.length < WAITING_EVIDENCE) continue;
    for (const one of waiting.splice(0, WAITING_EVIDENCE / 2)) yield* one.rows(one.call.placedCallId());
  }
  for (const one of waiting) yield* one.rows(one.call.placedCallId());
}

async function* noEvidence(): AsyncGenerator<Evidence> {
  // Nothing of this class is demanded.
}

/** Two lists by time as one, so that records and reports of one call come after each other. */
async function* byTime(one: AsyncGenerator<Evidence>, other: AsyncGenerator<Evidence>): AsyncGenerator<Evidence> {
  let [first, second] = [await one.next(), await other.next()];
  while (first.done !== true || second.done !== true) {
    const isFirst = second.done === true || (first.done !== true && first.value.atMs <= second.value.atMs);
    if (isFirst && first.done !== true) {
      yield first.value;
      first = await one.next();
    } else if (second.done !== true) {
      yield second.value;
      second = await other.next();
    }
  }
}

async function* tracebackItems(parts: DemandParts, query: ProducibleQuery): AsyncGenerator<Producible> {
  const { context, ports } = parts;
  for await (const { tracebackId, campaignIds } of tracebacksOf(parts, query)) {
    const traceback = await ports.tracebacks.traceback(context.database, tracebackId);
    if (traceback === undefined) continue;
    const answers = await ports.tracebacks.answers(context.database, tracebackId);
    yield* tracebackRows({ traceback, answers, call: tracedCall(traceback, answers), campaignIds });
  }
}

interface NamedTraceback {
  readonly tracebackId: string;
  readonly campaignIds: readonly string[];
}

/** Tracebacks that a scope may reach, with those of its campaigns that they belong to. */
async function* tracebacksOf({ context, ports }: DemandParts, query: ProducibleQuery): AsyncGenerator<NamedTraceback> {
  const { scope, asOfMs } = query;
  if (scope.campaignIds !== undefined) {
    const campaigns = new Map<string, string[]>();
    for (const campaignId of scope.campaignIds) {
      for (const { tracebackId } of await ports.tracebacks.ofCampaign(context.database, campaignId))
        campaigns.set(tracebackId, [...(campaigns.get(tracebackId) ?? []), campaignId]);
    }
    const named = scope.tracebackIds === undefined ? undefined : new Set(scope.tracebackIds);
    for (const [tracebackId, campaignIds] of campaigns)
      if (named === undefined || named.has(tracebackId)) yield { tracebackId, campaignIds };
    return;
  }
  if (scope.tracebackIds !== undefined) {
    for (const tracebackId of new Set(scope.tracebackIds)) yield { tracebackId, campaignIds: [] };
    return;
  }
  // A call is traced after it was made; clocks may differ by less than a day.
  for (let fromMs = Date.parse(scope.from) - DAY_MS; fromMs <= asOfMs; fromMs += DAY_MS) {
    const toMs = Math.min(fromMs + DAY_MS, asOfMs + 1);
    for await (const tracebackId of ports.tracebacks.openedBetween(context.database, { fromMs, toMs }))
      yield { tracebackId, campaignIds: [] };
  }
}

/** Records that tracebacks began with, by time: two tracebacks may have begun with one call. */
async function* recordsOfTracebacks(parts: DemandParts, query: ProducibleQuery): AsyncGenerator<Producible> {
  const { context, ports } = parts;
  const found: Evidence[] = [];
  for await (const { tracebackId, campaignIds } of tracebacksOf(parts, query)) {
    const traceback = await ports.tracebacks.traceback(context.database, tracebackId);
    const recordId = traceback?.call.recordId;
    const providerId = traceback?.hops.find(({ hop }) => hop === 1)?.provider.providerId;
    if (recordId === undefined || providerId === undefined) continue;
    const record = await ports.live.record(providerId, recordId);
    if (record !== undefined) found.push(recordEvidence(record, { campaignIds, tracebackIds: [tracebackId] }));
  }
  yield* joined(found.toSorted((a, b) => a.atMs - b.atMs));
}

const recordEvidence = (
  record: LiveRecord,
  links: Pick<Producible['item'], 'campaignIds' | 'tracebackIds'>,
): Evidence => ({
  atMs: recordAtMs(record),
  join: (joiner) => joiner.record(record),
  rows: (placedCallId) => [callRecordRow(record, { ...links, placedCallId })],
});

const recordAtMs = ({ record }: LiveRecord): number => Math.floor(record.inviteAtUs / 1_000);

const NO_LINKS = { campaignIds: [], tracebackIds: [] };

interface Wanted {
  readonly wantsCalls: boolean;
  readonly wantsReports: boolean;
}

/** Records and reports of the campaigns that are named; one that is of several of them comes once. */
async function* callsOfCampaigns(
  parts: DemandParts,
  query: ProducibleQuery,
  wanted: Wanted,
): AsyncGenerator<Producible> {
  const campaignIds = [...new Set(query.scope.campaignIds ?? [])];
  const done = campaignIds.length > 1 ? new Set<string>() : undefined;
  for (const campaignId of campaignIds) {
    for await (const page of campaignPages(parts, query, campaignId)) {
      const fresh = page.filter(({ callId }) => done === undefined || !done.has(callId));
      for (const { callId } of fresh) done?.add(callId);
      const records = wanted.wantsCalls ? await recordsOfCalls(parts.ports.live, fresh) : undefined;
      for (const { callId, placedCallId, isUnjoined, reporterId, reportId } of fresh) {
        const links = { campaignIds: [campaignId], tracebackIds: [], placedCallId, isUnjoined };
        const record = records?.get(callId);
        if (record !== undefined) yield callRecordRow(record, links);
        if (reportId === undefined || !wanted.wantsReports) continue;
        const report = await parts.ports.live.report(reporterId, reportId);
        if (report !== undefined) yield* reportItems(reporterId, report, links);
      }
    }
  }
}

function campaignPages(
  parts: DemandParts,
  { scope }: ProducibleQuery,
  campaignId: string,
): AsyncGenerator<readonly CampaignCall[]> {
  const { context, ports, limits } = parts;
  return cutPages<CampaignCall>({
    range: { fromMs: Date.parse(scope.from), toMs: Date.parse(scope.to) },
    direction: 'newest-first',
    pageItems: limits.pageItems,
    idOf: ({ callId }) => callId,
    atMsOf: ({ atMs }) => atMs,
    find: async ({ fromMs, toMs, limit }) => {
      const items = await ports.campaigns.calls(context.database, campaignId, { fromMs, toMs, limit });
      return { items, isCut: items.length >= limit };
    },
  });
}

async function* campaignScripts(
  { context, ports }: DemandParts,
  { scope }: ProducibleQuery,
): AsyncGenerator<Producible> {
  for (const campaignId of new Set(scope.campaignIds ?? [])) {
    const campaign = await ports.campaigns.campaign(context.database, campaignId);
    const row = campaign === undefined ? undefined : campaignRecordingRow(campaign);
    if (row !== undefined) yield row;
  }
}

async function* recordsByTime({ ports, limits }: DemandParts, { scope }: ProducibleQuery): AsyncGenerator<Evidence> {
  const providerIds = scope.providers?.flatMap(({ providerId }) => (providerId === undefined ? [] : [providerId]));
  if (providerIds?.length === 0) return;
  const pages = cutPages<LiveRecord>({
    range: { fromMs: Date.parse(scope.from), toMs: Date.parse(scope.to) },
    direction: 'oldest-first',
    pageItems: limits.pageItems,
    // A provider may have given an id to more than one call.
    idOf: ({ providerId, record }) => `${providerId} ${record.recordId} ${record.inviteAtUs}`,
    atMsOf: recordAtMs,
    find: async ({ fromMs, toMs, limit }) => {
      const { records, isCut } = await ports.live.find({
        fromMs,
        toMs,
        limit,
        ...(providerIds !== undefined && { providerIds }),
        ...numbersOf(scope),
      });
      return { items: records, isCut };
    },
  });
  for await (const page of pages) for (const record of page) yield recordEvidence(record, NO_LINKS);
}

async function* reportsByTime({ ports, limits }: DemandParts, { scope }: ProducibleQuery): AsyncGenerator<Evidence> {
  const pages = cutPages<{ readonly appId: string; readonly report: AppReport }>({
    range: { fromMs: Date.parse(scope.from), toMs: Date.parse(scope.to) },
    direction: 'oldest-first',
    pageItems: limits.pageItems,
    idOf: ({ appId, report }) => `${appId} ${report.reportId}`,
    atMsOf: ({ report }) => Date.parse(report.calledAt),
    find: async ({ fromMs, toMs, limit }) => {
      const { reports, isCut } = await ports.reports.findReports({ fromMs, toMs, limit, ...numbersOf(scope) });
      return { items: reports, isCut };
    },
  });
  for await (const page of pages)
    for (const { appId, report } of page)
      yield {
        atMs: Date.parse(report.calledAt),
        join: (joiner) => joiner.report(appId, report),
        rows: (placedCallId) => reportItems(appId, report, { ...NO_LINKS, placedCallId }),
      };
}

function* reportItems(
  appId: string,
  report: AppReport,
  links: Parameters<typeof appReportRow>[2],
): Generator<Producible> {
  yield appReportRow(appId, report, links);
  const { campaignIds, tracebackIds } = links;
  const recording = reportRecordingRow(appId, report, { campaignIds, tracebackIds });
  if (recording !== undefined) yield recording;
}

function numbersOf({ callingNumbers, calledNumbers }: DemandScope): {
  readonly callingTns?: readonly string[];
  readonly calledTns?: readonly string[];
} {
  return {
    ...(callingNumbers !== undefined && { callingTns: callingNumbers.map(comparableNumber) }),
    ...(calledNumbers !== undefined && { calledTns: calledNumbers.map(comparableNumber) }),
  };
}
