import { expect, test } from 'vitest';
import type { RequestOutcome } from '../../harness/src/platform/core/index.js';
import {
  answerTimes,
  binomialUpperTail,
  countRequest,
  falseDiscoveryRates,
  measureStandings,
  wilsonInterval,
} from '../../harness/src/platform/domain/providers/scorecard.js';

const HOUR = 3_600_000;

const outcome = (over: Partial<RequestOutcome> = {}): RequestOutcome => ({
  ...{ requestId: 'r-1', tracebackId: 't-1', providerId: 'prv-1', hop: 1, issuedAtMs: 0, dueAtMs: 24 * HOUR },
  ...{ answeredAtMs: HOUR, state: 'answered', arm: 'received-from', role: 'transit', isDisputed: false },
  ...over,
});
const { answeredAtMs: _answered, arm: _arm, role: _role, ...asked } = outcome();
const silent = (over: Partial<RequestOutcome> = {}): RequestOutcome => ({ ...asked, state: 'unanswered', ...over });
const facts = { nowMs: 100 * HOUR, outages: [], contests: new Map() };

test('the Wilson interval is that of published tables', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  const round = (value: number): number => Math.round(value * 1e4) / 1e4;
  const of = (hits: number, trials: number) => {
    const { lower, upper } = wilsonInterval(hits, trials);
    return [round(lower), round(upper)];
  };
  expect(of(81, 263)).toEqual([0.2553, 0.3662]);
  expect(of(15, 148)).toEqual([0.0624, 0.1605]);
  expect(of(0, 20)).toEqual([0, 0.1611]);
  expect(of(1, 29)).toEqual([0.0061, 0.1718]);
  expect(of(0, 0)).toEqual([0, 1]);
});

test('the tail of the binomial distribution is the sum of its terms', () => {
  const sum = (hits: number, trials: number, p: number): number => {
    let total = 0;
    for (let k = hits; k <= trials; k += 1) {
      let term = p ** k * (1 - p) ** (trials - k);
      for (let j = 1; j <= k; j += 1) term *= (trials - k + j) / j;
      total += term;
    }
    return total;
  };
  for (const [hits, trials, p] of [
    [2, 2, 0.5],
    [3, 10, 0.2],
    [10, 10, 0.2],
    [40, 100, 0.3],
    [1, 50, 0.01],
  ] as const)
    expect(binomialUpperTail(hits, trials, p)).toBeCloseTo(sum(hits, trials, p), 10);
  expect(binomialUpperTail(0, 10, 0.2)).toBe(1);
  expect(binomialUpperTail(2_500, 10_000, 0.2)).toBeLessThan(1e-30);
});

test('q-values are those of the paper of Benjamini and Hochberg', () => {
  // Their example of 15 hypotheses: four are rejected at 0.05.
  const p = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ];
  expect(falseDiscoveryRates(p).filter((q) => q <= 0.05)).toHaveLength(4);
  expect(falseDiscoveryRates(p.toReversed()).toReversed()).toEqual(falseDiscoveryRates(p));
  expect(falseDiscoveryRates([])).toEqual([]);
});

test('a request that was withdrawn, hit by an outage or contested with reason is in no rate', () => {
  const cases = [
    [silent({ state: 'cancelled' }), facts, 'withdrawn'],
    [silent(), { ...facts, outages: [{ fromMs: HOUR, toMs: 2 * HOUR }] }, 'platform-outage'],
    [silent(), { ...facts, contests: new Map([['r-1', 'upheld' as const]]) }, 'contest-upheld'],
  ] as const;
  for (const [request, given, why] of cases) {
    const counted = countRequest(request, given);
    expect([counted.excluded, counted.tried, counted.findings]).toEqual([why, [], []]);
  }
  // An answer in time is counted, outage or not.
  expect(countRequest(outcome(), cases[1][1]).excluded).toBeUndefined();
});

test('a contest that waits or was rejected leaves a request counted, and marked', () => {
  for (const state of ['pending', 'rejected'] as const) {
    const counted = countRequest(silent(), { ...facts, contests: new Map([['r-1', state]]) });
    expect([counted.contest, counted.findings]).toEqual([
      state,
      [{ concern: 'not-participating', reason: 'unanswered' }],
    ]);
  }
});

test('a disputed answer counts as an answer and says nothing else', () => {
  const counted = countRequest(outcome({ isDisputed: true, arm: 'not-found', role: 'origin' }), facts);
  expect([counted.tried, counted.findings]).toEqual([['not-participating'], []]);
});

test('lateness goes by the clock of the platform, and is no refusal to take part', () => {
  const late = countRequest(outcome({ answeredAtMs: 24 * HOUR + 1 }), facts);
  expect([late.timeliness, late.findings]).toEqual(['late', []]);
  expect(countRequest(outcome({ answeredAtMs: 24 * HOUR }), facts).timeliness).toBe('in-time');
});

test('each arm speaks for its concern with its reason', () => {
  const reasons = (over: Partial<RequestOutcome>) =>
    countRequest(outcome(over), facts).findings.map(({ reason }) => reason);
  expect(reasons({ arm: 'refused', reason: 'no' })).toEqual(['refused']);
  expect(reasons({ arm: 'origin', role: 'origin' })).toEqual(['origin']);
  expect(reasons({ arm: 'point-of-entry', role: 'point-of-entry' })).toEqual(['point-of-entry']);
  expect(reasons({ arm: 'received-from-unlisted' })).toEqual(['accepted-from-unlisted']);
  for (const arm of ['not-found', 'not-retained', 'ambiguous'] as const) expect(reasons({ arm })).toEqual([arm]);
  expect(reasons({})).toEqual([]);
});

const many = (count: number, make: (index: number) => RequestOutcome): readonly RequestOutcome[] =>
  Array.from({ length: count }, (_, index) => ({ ...make(index), requestId: `r-${index}`, tracebackId: `t-${index}` }));
const concernsOf = (outcomes: readonly RequestOutcome[]): readonly string[] =>
  [...measureStandings(outcomes, facts).values()].flatMap(({ measures }) =>
    measures.filter(({ isConcern }) => isConcern).map(({ concern }) => concern),
  );

test('nine unanswered requests of nine are too few for a concern, and twelve of twelve are one', () => {
  expect(concernsOf(many(9, () => silent()))).toEqual([]);
  expect(concernsOf(many(12, () => silent()))).toEqual(['not-participating']);
});

test('a share above the threshold whose interval reaches below it is no concern', () => {
  expect(concernsOf(many(20, (index) => (index < 6 ? silent() : outcome())))).toEqual([]);
  expect(concernsOf(many(200, (index) => (index < 60 ? silent() : outcome())))).toEqual(['not-participating']);
});

test('an origin of one campaign is not a repeated one, however many of its calls are traced', () => {
  const origin = (campaignId: string) => outcome({ arm: 'origin', role: 'origin', campaignId });
  expect(concernsOf(many(30, () => origin('c-1')))).toEqual([]);
  expect(concernsOf(many(30, (index) => origin(`c-${index % 3}`)))).toEqual(['repeated-origin']);
});

test('times of answers are told by quantiles that there were and by steps that add up', () => {
  const { quantiles, histogram } = answerTimes([10, 50, 70, 4_000, 90_000, 700_000]);
  expect(quantiles.find(({ share }) => share === 0.5)?.seconds).toBe(70);
  expect(histogram.reduce((total, { count }) => total + count, 0)).toBe(6);
  expect(histogram.at(-1)).toEqual({ count: 1 });
});
