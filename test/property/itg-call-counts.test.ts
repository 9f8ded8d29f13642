import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import type { CampaignCall } from '../../harness/src/platform/core/index.js';
import { createEvidenceJoiner } from '../../harness/src/platform/domain/campaigns/count-evidence.js';
import { restoredCampaign, savedCampaign } from '../../harness/src/platform/domain/campaigns/campaign-file.js';
import type { CampaignEngine } from '../../harness/src/platform/domain/campaigns/campaign-engine.js';
import type { CampaignFile } from '../../harness/src/platform/domain/campaigns/campaign-file.js';
import { DEFAULT_SUSPICION_POLICY } from '../../sdk/src/records/index.js';
import { makeEvidence, type HopPlan, type MadeEvidence } from '../support/itg-hops.js';
import { LIVE_START_MS, testEngine } from '../support/itg-live-calls.js';
import { forAll } from '../support/for-all.js';

const RECEIVED_MS = LIVE_START_MS + 86_400_000;

/** Clocks of carriers within two seconds, of telephones within 40. Where PASSporTs tell calls apart, who calls again may do so at once. */
const anyPlans: fc.Arbitrary<HopPlan> = fc.record({
  seed: fc.nat({ max: 1_000_000 }),
  calls: fc.integer({ min: 20, max: 90 }),
  arriving: fc.double({ min: 0.3, max: 1, noNaN: true }),
  carrierSkewMs: fc.constantFrom(0, 500, 2_000),
  phoneSkewMs: fc.constantFrom(0, 5_000, 40_000),
  againAfterSeconds: fc.constantFrom(3, 15, 40, 240),
  hasPassports: fc.boolean(),
});
/** Without them calls that follow at once are told apart by carriers that have records of both. */
const plans = anyPlans.map((plan) =>
  plan.hasPassports || plan.againAfterSeconds > 3 ? plan : { ...plan, arriving: 1, carrierSkewMs: 0 },
);

/** To make room for a country takes longer than all the rest. */
const SMALL = {
  limits: { groups: 512, numbers: 8_192, calls: 2_048, reports: 2_048, contents: 512, campaigns: 64 },
  suspicion: { ...DEFAULT_SUSPICION_POLICY, limits: { ...DEFAULT_SUSPICION_POLICY.limits, numbers: 8_192 } },
};
let ids = 0;
const newEngine = (): CampaignEngine =>
  testEngine([], { ...SMALL, allocated: new Set(['390']), newId: () => `c-${String((ids += 1))}` });

const hear = (engine: CampaignEngine, one: MadeEvidence): void => {
  if (one.kind === 'record') engine.record(one.live);
  else engine.report(one.appId, one.report, RECEIVED_MS);
};

/** In any order, a share of it twice. */
function shuffled(evidence: readonly MadeEvidence[], seed: number, twice = 0.2): readonly MadeEvidence[] {
  const random = new SeededRandom(seed, 'order');
  const left = evidence.flatMap((one) => (random.chance(twice) ? [one, one] : [one]));
  const order: MadeEvidence[] = [];
  while (left.length > 0) order.push(...left.splice(random.int(left.length), 1));
  return order;
}

const standing = (engine: CampaignEngine): readonly CampaignFile[] =>
  [...engine.campaigns()].filter(({ mergedInto }) => mergedInto === undefined);

/** What is stored of calls: of each record and report the last that was told. */
function tell(rows: Map<string, CampaignCall>, engine: CampaignEngine): void {
  for (const { calls } of engine.take()) for (const one of calls) rows.set(one.callId, one);
}

/** Holds the figures of all campaigns against the calls of the plan that their evidence was made of. */
function expectTrueFigures(
  engine: CampaignEngine,
  rows: ReadonlyMap<string, CampaignCall>,
  evidence: readonly MadeEvidence[],
): void {
  const made = new Map(evidence.map((one) => [one.callId, one]));
  const counted = [...rows.keys()].map((callId) => made.get(callId) as MadeEvidence);
  const callsOf = (kind?: MadeEvidence['kind']): Set<number> =>
    new Set(counted.filter((one) => kind === undefined || one.kind === kind).map(({ callIndex }) => callIndex));
  const [recorded, reported] = [callsOf('record'), callsOf('report')];
  const truth = {
    observedCalls: callsOf().size,
    carrierRecords: counted.filter(({ kind }) => kind === 'record').length,
    appReports: counted.filter(({ kind }) => kind === 'report').length,
    recordedCalls: recorded.size,
    reportedCalls: reported.size,
    bothCalls: [...recorded].filter((index) => reported.has(index)).length,
  };
  const files = standing(engine);
  for (const [name, count] of Object.entries(truth)) {
    const counts = files.map((file) => file[name as keyof typeof truth]);
    expect([name, counts.reduce((sum, one) => sum + one, 0)]).toEqual([name, count]);
  }
  const inAreas = files.flatMap(({ areas }) => [...areas.values()]).reduce((sum, count) => sum + count, 0);
  expect(inAreas).toBe(truth.observedCalls);
  // Where much arrives, a campaign is found: a figure of nothing is always true.
  if (evidence.length > 150) expect(truth.observedCalls).toBeGreaterThan(20);
  // Evidence of one call is of one call, and of two of two.
  const placed = new Map([...rows.values()].map(({ callId, placedCallId }) => [callId, placedCallId]));
  expect(new Set(placed.values()).size).toBe(truth.observedCalls);
}

test('a campaign counts the calls of its evidence, whatever arrives of them, in whatever order, once or twice', () => {
  forAll([plans, fc.nat()], 30, (plan, order) => {
    const evidence = makeEvidence(plan);
    const engine = newEngine();
    const rows = new Map<string, CampaignCall>();
    for (const one of shuffled(evidence, order)) hear(engine, one);
    tell(rows, engine);
    expectTrueFigures(engine, rows, evidence);
  });
});

test('after a restart what comes late of a call is counted with what was counted before', () => {
  forAll(
    [plans, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true })],
    {
      numRuns: 20,
      examples: [
        // A report that was not counted is read again before the record of its call, which was.
        [
          {
            ...{ seed: 999_880, calls: 20, arriving: 0.7045463043239794, carrierSkewMs: 0, phoneSkewMs: 5_000 },
            ...{ againAfterSeconds: 240, hasPassports: false },
          },
          0,
          0.6,
        ],
      ],
    },
    (plan, order, share) => {
      const evidence = makeEvidence(plan);
      const rows = new Map<string, CampaignCall>();
      const heard = shuffled(evidence, order);
      const [before, after] = [heard.slice(0, heard.length * share), heard.slice(heard.length * share)];
      const first = newEngine();
      for (const one of before) hear(first, one);
      tell(rows, first);
      const second = newEngine();
      const owner = (one: CampaignCall): string =>
        first.campaign(campaignOf.get(one.callId) ?? '')?.campaignId ?? standing(first)[0]?.campaignId ?? '';
      const campaignOf = new Map<string, string>();
      for (const file of standing(first))
        second.restore(restoredCampaign(JSON.parse(JSON.stringify(savedCampaign(file))), [...file.keys.values()]));
      second.known([...rows.values()].map((one) => ({ ...one, campaignId: owner(one) })));
      for (const one of before.toSorted((a, b) => a.atMs - b.atMs)) hear(second, one);
      second.replayed();
      for (const one of after) hear(second, one);
      tell(rows, second);
      expectTrueFigures(second, rows, evidence);
    },
  );
});

test('what is produced is joined as campaigns are, without any, whatever the order', () => {
  forAll([plans, fc.nat()], 30, (plan, order) => {
    const evidence = makeEvidence(plan);
    const joiner = createEvidenceJoiner();
    const heard = shuffled(evidence, order, 0).map((one) =>
      one.kind === 'record' ? joiner.record(one.live) : joiner.report(one.appId, one.report),
    );
    const placed = heard.map((one) => one.placedCallId());
    expect(new Set(placed).size).toBe(new Set(evidence.map(({ callIndex }) => callIndex)).size);
  });
});
