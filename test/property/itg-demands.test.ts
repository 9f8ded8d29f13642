import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DemandParts } from '../../harness/src/platform/demands/demand-rows.js';
import { cutPages, producibles } from '../../harness/src/platform/demands/sources.js';
import {
  appReportRow,
  callRecordRow,
  campaignRecordingRow,
  csvField,
  offsetInstant,
  reportRecordingRow,
  tracebackRows,
  tracedCall,
} from '../../harness/src/platform/domain/demands/produced-rows.js';
import type { Producible } from '../../harness/src/platform/domain/demands/produced-rows.js';
import { authoritiesIn, readPdf, reviewFindings } from '../../harness/src/platform/domain/demands/review-findings.js';
import {
  comparableNumber,
  narrowed,
  scopeMatches,
  widerMembers,
} from '../../harness/src/platform/domain/demands/scope.js';
import type { ScopeItem } from '../../harness/src/platform/domain/demands/scope.js';
import { countVolume } from '../../harness/src/platform/domain/demands/restraint-package.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import type { DemandScope } from '../../sdk/src/platform/index.js';
import {
  appReport,
  campaign,
  addRecord,
  addReport,
  emptyWorld,
  liveRecord,
  portsOf,
  SUBMISSION,
  tracedOver,
  type DemandWorld,
} from '../support/itg-demands.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const DAY = Date.parse('2026-10-20T00:00:00Z');
const CLASSES = ['traceback-records', 'call-records', 'customer-records', 'app-reports', 'recordings'] as const;
const NUMBERS = ['12025550100', '12025550101', '13125550102'];
const PROVIDERS = ['acme', 'dune', 'birch'];

const instant = fc.integer({ min: 0, max: 40 }).map((quarter) => DAY + quarter * 900_000);
const some = <Value>(values: readonly Value[]): fc.Arbitrary<Value[]> => fc.subarray([...values], { minLength: 1 });

const scopes: fc.Arbitrary<DemandScope> = fc
  .record(
    {
      recordClasses: some(CLASSES),
      ends: fc.tuple(instant, instant),
      callingNumbers: some(NUMBERS),
      calledNumbers: some(NUMBERS),
      campaignIds: some(['c-0', 'c-1']),
      tracebackIds: some(['t-0', 't-1', 't-2']),
      providers: some(PROVIDERS).map((ids) => ids.map((providerId) => ({ providerId, name: providerId }))),
    },
    { requiredKeys: ['recordClasses', 'ends'] },
  )
  .map(({ ends, ...rest }) => ({
    ...rest,
    from: new Date(Math.min(...ends)).toISOString(),
    to: new Date(Math.max(...ends) + 1).toISOString(),
  })) as fc.Arbitrary<DemandScope>;

const items: fc.Arbitrary<ScopeItem> = fc
  .record({
    recordClass: fc.constantFrom(...CLASSES),
    span: fc.tuple(instant, fc.constantFrom(0, 59_999)),
    calling: fc.subarray(NUMBERS),
    called: fc.subarray(NUMBERS),
    campaignIds: fc.subarray(['c-0', 'c-1']),
    tracebackIds: fc.subarray(['t-0', 't-1', 't-2']),
    providers: fc.subarray(PROVIDERS).map((ids) => ids.map((providerId) => ({ providerId, name: providerId }))),
  })
  .map(({ span: [fromMs, more], ...rest }) => ({ ...rest, fromMs, toMs: fromMs + more }));

const aCampaign = fc.option(fc.constantFrom('c-0', 'c-1'), { nil: undefined });
const aNumber = fc.constantFrom(...NUMBERS);

/** Calls, reports and tracebacks of a few hours, many in one millisecond. */
const worlds: fc.Arbitrary<DemandWorld> = fc
  .record({
    calls: fc.array(
      fc.record({
        ...{ at: instant, providerId: fc.constantFrom(...PROVIDERS), calling: aNumber, campaignId: aCampaign },
        called: fc.option(aNumber, { nil: undefined }),
      }),
      { maxLength: 14 },
    ),
    reports: fc.array(fc.record({ at: instant, calling: aNumber, campaignId: aCampaign }), { maxLength: 8 }),
    traced: fc.array(fc.record({ at: instant, called: aNumber, campaignId: aCampaign, record: fc.nat({ max: 13 }) }), {
      maxLength: 4,
    }),
  })
  .map(({ calls, reports, traced }) => {
    const world = emptyWorld();
    const seen = { firstSeenAt: new Date(DAY).toISOString(), lastSeenAt: new Date(DAY + 7_200_000).toISOString() };
    for (const id of ['c-0', 'c-1']) world.campaigns.push(campaign(id, { transcript: 'the script', ...seen }));
    for (const [index, { at, campaignId, called, ...of }] of calls.entries())
      addRecord(world, liveRecord(`rec-${index}`, at, { ...of, ...(called !== undefined && { called }) }), campaignId);
    for (const [index, { at, calling, campaignId }] of reports.entries())
      addReport(world, appReport(`rep-${index}`, new Date(at).toISOString(), { calling }), campaignId);
    for (const [index, { at, called, campaignId, record }] of traced.entries()) {
      const { traceback, answers } = tracedOver(`t-${index}`, new Date(at).toISOString(), called);
      const began = world.records[record];
      const call = { ...traceback.call, ...(began?.providerId === 'acme' && { recordId: began.record.recordId }) };
      const of = campaignId === undefined ? {} : { campaignId };
      world.tracebacks.push({ traceback: { ...traceback, call }, answers, ...of });
    }
    return world;
  });

/** Everything there is, each with all that it belongs to: what a scope reaches of it is what has to be produced. */
function everything(world: DemandWorld, scope: DemandScope): readonly Producible[] {
  const campaignsOf = (callId: string): string[] =>
    world.calls.filter((call) => call.callId === callId).map(({ campaignId }) => campaignId);
  const ofTraceback = world.tracebacks.map(({ traceback, answers, campaignId }) => ({
    traceback,
    answers,
    campaignIds: campaignId === undefined ? [] : [campaignId],
  }));
  return [
    ...ofTraceback.flatMap((one) => tracebackRows({ ...one, call: tracedCall(one.traceback, one.answers) })),
    ...world.records.flatMap((record) => {
      const { recordId } = record.record;
      // What a traceback began with belongs to it, and to its campaigns, where the demand names tracebacks.
      const began = ofTraceback.filter(
        ({ traceback }) => record.providerId === 'acme' && traceback.call.recordId === recordId,
      );
      if (scope.tracebackIds !== undefined)
        return began.map(({ traceback, campaignIds }) =>
          callRecordRow(record, { campaignIds, tracebackIds: [traceback.tracebackId], placedCallId: '' }),
        );
      return [
        callRecordRow(record, {
          campaignIds: campaignsOf(`record:${record.providerId}:${recordId}`),
          ...{ tracebackIds: [], placedCallId: '' },
        }),
      ];
    }),
    ...world.reports.flatMap(({ appId, report }) => {
      const links = { campaignIds: campaignsOf(`report:${appId}:${report.reportId}`), tracebackIds: [] };
      const recording = reportRecordingRow(appId, report, links);
      return [
        appReportRow(appId, report, { ...links, placedCallId: '' }),
        ...(recording === undefined ? [] : [recording]),
      ];
    }),
    // Scripts of campaigns are produced where the demand names the campaign.
    ...(scope.campaignIds === undefined ? [] : world.campaigns.flatMap((one) => campaignRecordingRow(one) ?? [])),
  ];
}

const partsOf = (world: DemandWorld, pageItems: number): DemandParts =>
  ({ context: { database: undefined }, ports: portsOf(world, []), limits: { pageItems } }) as unknown as DemandParts;

/** The placed call is left out: other tests check it. */
const keyOf = ({ item, whole }: Producible): string =>
  `${item.recordClass} ${JSON.stringify({ ...(whole as object), placedCallId: undefined })}`;

test('everything that a scope reaches is produced once, and nothing else', async () => {
  await forAllAsync([worlds, scopes, fc.integer({ min: 1, max: 5 })], 400, async (world, scope, pageItems) => {
    const produced: string[] = [];
    for await (const one of producibles(partsOf(world, pageItems), { scope, asOfMs: DAY + 10 * 86_400_000 }))
      if (scopeMatches(scope, one.item)) produced.push(keyOf(one));
    const expected = everything(world, scope)
      .filter(({ item }) => scopeMatches(scope, item))
      .map(keyOf);
    // A record that two tracebacks began with is listed for each.
    expect(produced.toSorted()).toEqual(expected.toSorted());
  });
});

/** The legs of one switch, of which the second came back from another carrier: its record alone says that the three are of one call. */
function tiedRecords(call: number, [first, other, tying]: readonly number[]): readonly LiveRecord[] {
  const calling = `1202555${String(1_000 + call)}`;
  const made = (name: string, minute: number | undefined, links: Partial<LiveRecord['record']>): LiveRecord => {
    const providerId = name === 'other' ? 'dune' : 'acme';
    const live = liveRecord(`${name}-${call}`, DAY + (minute ?? 0) * 60_000, { providerId, calling });
    return { ...live, record: { ...live.record, ...links } };
  };
  const callId = `${call}@acme.example`;
  return [
    made('first', first, { callGroupId: `group-${call}` }),
    made('other', other, { ingress: { callId } }),
    made('tying', tying, { callGroupId: `group-${call}`, egress: { callId } }),
  ];
}

test('the count of calls does not depend on the order of records, nor on the size of pages', async () => {
  const minutes = fc.shuffledSubarray([0, 2, 4, 6, 8], { minLength: 3, maxLength: 3 });
  const orders = fc.array(fc.record({ at: minutes, traced: fc.nat() }), { minLength: 1, maxLength: 6 });
  await forAllAsync([orders, fc.integer({ min: 1, max: 4 }), fc.boolean()], 200, async (calls, pageItems, isTraced) => {
    const world = emptyWorld();
    for (const [call, { at }] of calls.entries()) world.records.push(...tiedRecords(call, at));
    for (const [index, { providerId, record }] of world.records.entries()) {
      const { traceback } = tracedOver(`t-${index}`, new Date(DAY).toISOString());
      const began = { ...traceback.call, recordId: record.recordId };
      const hops = traceback.hops.map((hop) => ({ ...hop, provider: { providerId, name: providerId } }));
      world.tracebacks.push({ traceback: { ...traceback, call: began, hops }, answers: [] });
    }
    const order = (id: string): number => calls[Math.floor(Number(id.slice(2)) / 3)]!.traced * Number(id.slice(2));
    const tracebackIds = world.tracebacks
      .map(({ traceback }) => traceback.tracebackId)
      .toSorted((a, b) => (order(a) % 7) - (order(b) % 7));
    const scope: DemandScope = {
      recordClasses: ['call-records'],
      ...{ from: new Date(DAY).toISOString(), to: new Date(DAY + 3_600_000).toISOString() },
      ...(isTraced && { tracebackIds }),
    };
    const volume = countVolume();
    for await (const one of producibles(partsOf(world, pageItems), { scope, asOfMs: DAY + 86_400_000 }))
      volume.add(one);
    const { calls: counted, carrierRecords } = volume.counted().volume;
    expect({ counted, carrierRecords }).toEqual({ counted: calls.length, carrierRecords: world.records.length });
  });
});

/** What has several numbers may be reached by one scope for one of them and by another for another: by no number of both. */
const hasOneOfEach = ({ calling, called, campaignIds, tracebackIds, providers }: ScopeItem): boolean =>
  [calling, called, campaignIds, tracebackIds, providers].every(({ length }) => length <= 1);

test('a narrowed scope reaches what both reach by the same number, nothing else, and is wider in no member', () => {
  forAll([scopes, scopes, items], 3_000, (scope, by, item) => {
    const both = narrowed(scope, by);
    const isReached = both !== undefined && scopeMatches(both, item);
    const isReachedByBoth = scopeMatches(scope, item) && scopeMatches(by, item);
    if (hasOneOfEach(item)) expect(isReached).toBe(isReachedByBoth);
    else if (isReached) expect(isReachedByBoth).toBe(true);
    if (both !== undefined) expect([widerMembers(scope, both), widerMembers(by, both)]).toEqual([[], []]);
  });
});

test('a scope that is wider in no member reaches nothing that the other does not', () => {
  forAll([scopes, scopes, items], 3_000, (demanded, decided, item) => {
    if (widerMembers(demanded, decided).length > 0 || !scopeMatches(decided, item)) return;
    expect(scopeMatches(demanded, item)).toBe(true);
  });
});

test('providers that are known by different identifiers narrow to nothing wider', () => {
  const reference = fc.record(
    {
      providerId: fc.constantFrom('p1', 'p2'),
      ocn: fc.constantFrom('0001', '0002'),
      frn: fc.constantFrom('0000000001', '0000000002'),
      name: fc.constant('A'),
    },
    { requiredKeys: ['name'] },
  );
  const base = { recordClasses: ['call-records'] as const, from: '2026-10-20T00:00:00Z', to: '2026-10-21T00:00:00Z' };
  forAll(
    [
      fc.array(reference, { minLength: 1, maxLength: 3 }),
      fc.array(reference, { minLength: 1, maxLength: 3 }),
      reference,
    ],
    2_000,
    (one, other, given) => {
      const item: ScopeItem = {
        ...{ recordClass: 'call-records', fromMs: DAY, toMs: DAY, calling: [], called: [], campaignIds: [] },
        ...{ tracebackIds: [], providers: [given] },
      };
      const [scope, by] = [one, other].map((providers) => ({ ...base, providers })) as unknown as [
        DemandScope,
        DemandScope,
      ];
      const both = narrowed(scope, by);
      if (both === undefined || !scopeMatches(both, item)) return;
      expect([scopeMatches(scope, item), scopeMatches(by, item)]).toEqual([true, true]);
    },
  );
});

test('a list in pieces gives each item once, in either direction, whatever falls into one millisecond', async () => {
  await forAllAsync(
    [fc.array(fc.nat({ max: 6 }), { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), fc.boolean()],
    100,
    async (times, pageItems, isForward) => {
      const all = times
        .map((atMs, id) => ({ atMs, id: String(id) }))
        .toSorted((a, b) => (isForward ? a.atMs - b.atMs : b.atMs - a.atMs));
      const seen: string[] = [];
      const pages = cutPages<(typeof all)[number]>({
        ...{ range: { fromMs: 0, toMs: 7 }, direction: isForward ? 'oldest-first' : 'newest-first', pageItems },
        ...{ idOf: ({ id }) => id, atMsOf: ({ atMs }) => atMs },
        find: ({ fromMs, toMs, limit }) => {
          const found = all.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
          return Promise.resolve({ items: found.slice(0, limit), isCut: found.length > limit });
        },
      });
      for await (const page of pages) seen.push(...page.map(({ id }) => id));
      expect(seen.toSorted()).toEqual(all.map(({ id }) => id).toSorted());
    },
  );
});

test('what others wrote is read, whatever it is', () => {
  forAll([fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 3_000 })], 100, (text, octets) => {
    expect(['read', 'unreadable']).toContain(readPdf(octets).status);
    expect(
      readPdf(Buffer.concat([Buffer.from('%PDF-1.7\n'), octets, Buffer.from('\nstartxref\n0\n%%EOF\n')])).status,
    ).toBe('read');
    expect(Array.isArray(authoritiesIn(text))).toBe(true);
    expect(comparableNumber(text)).toMatch(/^[0-9*#]*$/);
    expect(csvField(text)).not.toMatch(/^[=+\-@\t\r]/);
    expect(['number', 'undefined']).toContain(
      typeof offsetInstant({ asWritten: text, local: text, zone: text, precision: 'minute' }),
    );
    const demand = { ...SUBMISSION, authority: text, returnOn: text };
    const document = { version: '1.7', sizeBytes: 1, notes: [] };
    const unknown = { campaigns: 0, tracebacks: 0, providers: 0 };
    expect(reviewFindings(demand, { nowMs: DAY, document, unknown, reach: {} })).toHaveLength(10);
  });
});

test('a time that is stated in a zone is the instant that a clock there showed it at', () => {
  forAll(
    [
      fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 31) }),
      fc.constantFrom('America/New_York', 'America/Los_Angeles', 'UTC'),
    ],
    100,
    (ms, zone) => {
      const minute = Math.floor(ms / 60_000) * 60_000;
      const local = new Date(minute).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T').slice(0, 16);
      const read = offsetInstant({ asWritten: local, local, zone, precision: 'minute' })!;
      // Of an hour that comes twice either is the one that was meant.
      expect([0, 3_600_000]).toContain(Math.abs(read - minute));
    },
  );
});
