import { expect, test } from 'vitest';
import type { NetworkPlan } from '../../harness/src/network/plan/index.js';
import { isSurelySuspicious, judgeRun } from '../../harness/src/oracle/index.js';
import type {
  Finding,
  MetricName,
  OracleReport,
  RunFacts,
  SeenCall,
  SeenTraceback,
} from '../../harness/src/oracle/index.js';
import { simulateRun } from '../../harness/src/simulation/index.js';
import { rowOf, smallPlan, type SmallProvider } from '../support/planned-network.js';

const CALLS = 30;

/** Thirty calls of one campaign over four providers, and one ordinary call from abroad. */
const PLAN: NetworkPlan = smallPlan({
  providers: [
    ...rowOf('a b c d'),
    { id: 'f', role: 'foreign', shares: 'nothing' },
    { id: 'g', role: 'gateway' },
    { id: 'x', role: 'transit', shares: 'nothing' },
  ],
  calls: [
    ...Array.from({ length: CALLS }, () => ({ way: 'a b c d', campaign: 'warranty' })),
    { way: 'f g d', calling: '49301234567' },
  ],
  platform: {},
});

/** What is seen when all goes as it should: the campaign is found and alerted of, a call of each kind is traced. */
function facts(): RunFacts {
  const seen = simulateRun(PLAN, { traced: [3, CALLS] });
  const firstSeenMs = seen.startedAtMs + 5_000;
  return {
    ...seen,
    calls: [...seen.calls],
    campaigns: [
      {
        campaignId: 'c-1',
        name: 'AutoWarranty',
        firstSeenMs,
        calls: Array.from({ length: CALLS }, (_none, index) => index),
      },
    ],
    alerts: [{ campaignId: 'c-1', agency: 'US', atMs: firstSeenMs + 2_000 }],
  };
}

const value = ({ metrics }: OracleReport, name: MetricName): unknown => {
  const metric = metrics[name];
  return metric.kind === 'count' ? metric.count : metric.kind === 'rate' ? metric.value : metric.count;
};

test('a run without discrepancies has no finding, and every metric', () => {
  const report = judgeRun(PLAN, facts());
  expect(report.findings).toEqual([]);
  expect(report.findingsInAll).toBe(0);
  const values = Object.fromEntries(
    (Object.keys(report.metrics) as MetricName[]).map((name) => [name, value(report, name)]),
  );
  expect(values).toEqual({
    ...{ calls_placed: 31, calls_unplaced: 0, calls_answered: 31, calls_unavailable: 0, calls_wrong: 0 },
    ...{ call_setup_ms: 31, verify_latency_ms: 91 },
    ...{ verdict_accuracy: 1, records_complete: 1, records_streamed: 1 },
    answers_automatic: 1,
    ...{ answers_correct: 1, tracebacks: 2, tracebacks_concluded: 1, traceback_fair: 1, traceback_origin_correct: 1 },
    ...{ wrong_accusations: 0, disputed: 0, time_to_origin_ms: 2 },
    ...{ campaign_precision: 1, campaign_recall: 1, time_to_campaign_ms: 1, time_to_alert_ms: 1, troubles: 0 },
  });
  expect(report.metrics.time_to_campaign_ms).toMatchObject({ min: 5_000, max: 5_000 });
  expect(report.metrics.time_to_alert_ms).toMatchObject({ min: 7_000 });
});

type Change = (seen: RunFacts) => RunFacts;

const callChanged =
  (change: (call: SeenCall) => SeenCall, at = 3): Change =>
  (seen) => ({ ...seen, calls: seen.calls.map((call) => (call.index === at ? change(call) : call)) });

const hopChanged = (provider: string, change: Partial<SeenCall['hops'][number]>): Change =>
  callChanged((call) => ({
    ...call,
    hops: call.hops.map((hop) => (hop.provider === provider ? { ...hop, ...change } : hop)),
  }));

const tracebackChanged =
  (change: Partial<SeenTraceback>): Change =>
  (seen) => ({
    ...seen,
    tracebacks: seen.tracebacks.map((one) => (one.callIndex === 3 ? { ...one, ...change } : one)),
  });

const recordsChanged =
  (change: Partial<RunFacts['records'][number]>, provider = 'b'): Change =>
  (seen) => ({
    ...seen,
    records: seen.records.map((one) => (one.provider === provider ? { ...one, ...change } : one)),
  });

const outcome = (kind: string, provider?: string): Change =>
  tracebackChanged({ outcome: { kind, ...(provider !== undefined && { provider }) } });

const hopsChanged = (change: (hops: SeenCall['hops']) => SeenCall['hops']): Change =>
  callChanged((call) => ({ ...call, hops: change(call.hops) }));

const answering = (answer: Omit<SeenTraceback['answers'][number], 'afterMs'>): Change =>
  tracebackChanged({ answers: [{ ...answer, afterMs: 1 }] });

const about = (kind: Finding['kind'], provider?: string, callIndex?: number): Partial<Finding> => ({
  kind,
  ...(provider !== undefined && { provider }),
  ...(callIndex !== undefined && { callIndex }),
});
const STRAY: SeenCall = { index: 99, placedAtMs: 0, hops: [], reasons: [] };
const ORDINARY = { campaignId: 'c-2', name: 'Two', calls: [CALLS], firstSeenMs: 0 };

// Another verdict, another end, a lost record and a wrong accusation are planted in any network: test/property/oracle.test.ts.
test.for<[string, Change, Partial<Finding>]>([
  ['another attestation', hopChanged('c', { attestation: 'B' }), about('verdict', 'c', 3)],
  ['another signer', hopChanged('d', { signerSpc: '1003' }), about('verdict', 'd')],
  ['a verdict on an unsigned call', hopChanged('a', { verstat: 'No-TN-Validation' }), about('verdict', 'a')],
  [
    'another verdict for the callee',
    callChanged((call) => ({ ...call, shownVerstat: 'TN-Validation-Failed' })),
    about('verdict', 'd'),
  ],
  [
    'no verdict for the callee',
    callChanged(({ shownVerstat: _none, ...call }) => ({ ...call, isAtCallee: true })),
    { ...about('verdict', 'd'), seen: 'the callee was shown no verstat' },
  ],
  ['no end', callChanged(({ finalStatus: _none, ...call }) => call), { kind: 'call-outcome', callIndex: 3 }],
  ['a missing hop', hopsChanged((hops) => hops.filter((hop) => hop.provider !== 'c')), about('call-outcome', 'c')],
  ['another hop', hopChanged('a', { provider: 'x' }), about('call-outcome', 'x')],
  [
    'an unplanned call',
    (seen) => ({ ...seen, calls: [...seen.calls, STRAY] }),
    { kind: 'call-outcome', callIndex: 99 },
  ],
  ['a record too many', recordsChanged({ stored: CALLS + 1 }), about('record', 'b')],
  ['a record lost on the way', recordsChanged({ received: CALLS - 1 }), about('stream', 'b')],
  ['a record that was received twice', recordsChanged({ received: CALLS + 1 }), about('stream', 'b')],
  ['no record streamed', recordsChanged({ streamed: 0, received: 0 }), about('stream', 'b')],
  ['a record that is not shared', recordsChanged({ streamed: 1, received: 1 }, 'x'), about('stream', 'x')],
  ['an answer off by one hop', answering({ provider: 'd', kind: 'received-from', named: 'b' }), about('answer', 'd')],
  ['an answer of another kind', answering({ provider: 'c', kind: 'not-found' }), about('answer', 'c')],
  ['an answer by a provider without the call', answering({ provider: 'x', kind: 'origin' }), about('answer', 'x')],
  ['an accused provider without the call', outcome('origin', 'x'), about('accusation', 'x', 3)],
  ['a dispute although nobody lies', outcome('disputed'), { kind: 'traceback', callIndex: 3 }],
  ['a silent provider that answers', outcome('non-responsive', 'c'), about('traceback')],
  ['no outcome', tracebackChanged({ outcome: undefined as never }), about('traceback')],
  ['a campaign not found', (seen) => ({ ...seen, campaigns: [], alerts: [] }), about('campaign')],
  [
    'a campaign of ordinary calls',
    (seen) => ({ ...seen, campaigns: [...seen.campaigns, ORDINARY] }),
    about('campaign'),
  ],
  [
    'an ordinary call in a campaign',
    (seen) => ({ ...seen, campaigns: seen.campaigns.map((one) => ({ ...one, calls: [...one.calls, CALLS] })) }),
    { kind: 'campaign', callIndex: CALLS, seen: 'so is a call that is ordinary' },
  ],
  [
    'an alert without a campaign',
    (seen) => ({ ...seen, alerts: [...seen.alerts, { campaignId: 'c-9', agency: 'US-TX', atMs: 0 }] }),
    about('alert'),
  ],
  ['a campaign without an alert', (seen) => ({ ...seen, alerts: [] }), about('alert')],
  ['a trouble', (seen) => ({ ...seen, troubles: [{ where: 'b', what: 'a socket was closed' }] }), about('trouble')],
])('one discrepancy is one finding: %s', ([, change, finding]) => {
  const report = judgeRun(PLAN, change(facts()));
  expect(report.findings).toMatchObject([finding]);
  expect(report.findingsInAll).toBe(1);
  // A scenario has thresholds, and then they decide.
  const rates: Partial<Record<Finding['kind'], MetricName>> = {
    ...{ verdict: 'verdict_accuracy', record: 'records_complete', stream: 'records_streamed' },
  };
  const held = finding.kind === undefined ? undefined : rates[finding.kind];
  if (held !== undefined) expect(value(report, held)).toBeLessThan(1);
});

test('a switch that does nothing scores nothing: hops without an expected verdict count only if a verdict was seen', () => {
  const plan = smallPlan({
    providers: rowOf('a b c'),
    calls: [{ way: 'a b c', calling: '49301234567' }],
    platform: {},
  });
  const dead = { ...plan, providers: plan.providers.map((one) => ({ ...one, stir: false })) };
  const seen = simulateRun(dead);
  expect(judgeRun(dead, seen).metrics.verdict_accuracy).toMatchObject({ good: 0, of: 0 });
  const calls = [...seen.calls].map((call) => ({
    ...call,
    hops: call.hops.map((hop) => ({ ...hop, verstat: 'TN-Validation-Passed' as const })),
  }));
  const report = judgeRun(dead, { ...seen, calls });
  expect(report.metrics.verdict_accuracy).toMatchObject({ good: 0, of: 3 });
  expect(report.findings.map(({ kind }) => kind)).toEqual(['verdict', 'verdict', 'verdict']);
});

test('hops that a call did not reach are wrong verdicts, also where the call ended otherwise', () => {
  const { calls } = facts();
  const before = judgeRun(PLAN, facts()).metrics.verdict_accuracy;
  const lost = (call: SeenCall): SeenCall => ({
    ...call,
    finalStatus: 503,
    hops: call.hops.filter(({ provider }) => provider === 'a'),
  });
  const report = judgeRun(PLAN, { ...facts(), calls: calls.map((call) => (call.index === 3 ? lost(call) : call)) });
  if (before.kind !== 'rate') throw new Error('no rate');
  expect(before.good).toBe(before.of);
  expect(report.metrics.verdict_accuracy).toMatchObject({ good: before.of - 3, of: before.of });
  expect(report.findings).toMatchObject([{ kind: 'call-outcome', callIndex: 3 }]);
});

test('a gateway that names the foreign provider is no accusation, and the gateway is the point of entry', () => {
  const seen = facts();
  const tracebacks = seen.tracebacks.map((one) =>
    one.callIndex === CALLS ? { ...one, outcome: { kind: 'foreign-provider', provider: 'f' } } : one,
  );
  const report = judgeRun(PLAN, { ...seen, tracebacks });
  expect(report.findings).toEqual([]);
  expect(report.metrics.traceback_origin_correct).toMatchObject({ good: 2 });
});

test('calls that were not placed are counted, and have no findings', () => {
  const seen = facts();
  const calls = seen.calls.map((call) => (call.index === 3 ? { index: 3, hops: [], reasons: [] } : call));
  const records = seen.records.map((one) =>
    'abcd'.includes(one.provider)
      ? { ...one, stored: one.stored - 1, streamed: one.streamed - 1, received: one.received - 1 }
      : one,
  );
  const report = judgeRun(PLAN, { ...seen, calls, records });
  expect(report.findings).toEqual([]);
  expect([report.metrics.calls_placed, report.metrics.calls_unplaced]).toMatchObject([{ count: 30 }, { count: 1 }]);
});

test('the gravest finding comes first, and of many a thousand are kept', () => {
  const providers: SmallProvider[] = rowOf('a d');
  const plan = smallPlan({ providers, calls: Array.from({ length: 1_200 }, () => ({ way: 'a d' })) });
  const seen = simulateRun(plan, { traced: [7] });
  const calls = [...seen.calls].map((call) => ({ ...call, finalStatus: 500 }));
  const tracebacks = seen.tracebacks.map((one) => ({ ...one, outcome: { kind: 'origin', provider: 'd' } }));
  const report = judgeRun(plan, { ...seen, calls, tracebacks });
  expect(report.findingsInAll).toBe(1_201);
  expect(report.findings).toHaveLength(1_000);
  expect(report.findings[0]).toMatchObject({ kind: 'accusation', provider: 'd' });
});

test('a provider that shares suspicious records has to send those whose calling number alone is suspicious', () => {
  const providers = [...rowOf('a b c d')].map((one) => ({ ...one, shares: 'suspicious' as const }));
  // The first number is fictional, the second could be real.
  const calls = ['12025550100', '12029550100'].map((calling) => ({ way: 'a b c d', calling }));
  const plan = smallPlan({ providers, calls, platform: {} });
  const seen = simulateRun(plan);
  expect(judgeRun(plan, seen).metrics.records_streamed).toMatchObject({ good: 4, of: 4 });
  const silent = seen.records.map((one) => (one.provider === 'd' ? { ...one, streamed: 0, received: 0 } : one));
  const report = judgeRun(plan, { ...seen, records: silent });
  expect(report.findings).toMatchObject([{ kind: 'stream', provider: 'd', seen: 'the platform has 0' }]);
  expect(report.metrics.records_streamed).toMatchObject({ good: 3, of: 4 });
  // Without its record it is the record that is missed.
  const lost = silent.map((one) => (one.provider === 'd' ? { ...one, stored: 1 } : one));
  expect(judgeRun(plan, { ...seen, records: lost }).findings.map(({ kind }) => kind)).toEqual(['record']);
});

test('a campaign needs no alert if few of its calls were found, or none is to the area of an agency', () => {
  const untold = (plan: NetworkPlan, found = CALLS): number => {
    const seen = { ...facts(), alerts: [] };
    const campaigns = seen.campaigns.map((one) => ({ ...one, calls: one.calls.slice(0, found) }));
    return judgeRun(plan, { ...seen, campaigns }).findings.filter(({ kind }) => kind === 'alert').length;
  };
  const withAgencies = (...agencies: string[]): NetworkPlan => ({
    ...PLAN,
    scenario: { ...PLAN.scenario, platform: { agencies } },
  });
  // The calls are to Illinois.
  expect([untold(PLAN), untold(withAgencies('US-TX', 'US-IL')), untold(withAgencies('US'))]).toEqual([1, 1, 1]);
  expect([untold(withAgencies('US-TX')), untold(PLAN, 19)]).toEqual([0, 0]);
});

test('two calls with the same numbers may be ambiguous to a provider', () => {
  const same = { way: 'a d', calling: '12025550100', called: '13125550100' };
  const plan = smallPlan({ providers: rowOf('a d'), calls: [same, same] });
  const seen = simulateRun(plan, { traced: [0] });
  expect(seen.tracebacks[0]?.outcome?.kind).toBe('ambiguous');
  expect(judgeRun(plan, seen).findings).toEqual([]);
});

test('two calls that are alike are no excuse for not answering', () => {
  const same = { way: 'a b d', calling: '12025550100', called: '13125550100' };
  const outcomeOf = (provider: string, behaviours: Parameters<typeof rowOf>[1] = {}): readonly Finding[] => {
    const plan = smallPlan({ providers: rowOf('a b d', behaviours), calls: [same, same] });
    const seen = simulateRun(plan, { traced: [0] });
    const tracebacks = seen.tracebacks.map((one) => ({ ...one, outcome: { kind: 'non-responsive', provider } }));
    return judgeRun(plan, { ...seen, tracebacks }).findings.filter(({ kind }) => kind === 'traceback');
  };
  expect(outcomeOf('d')).toHaveLength(1);
  expect(outcomeOf('b')).toHaveLength(1);
  expect(outcomeOf('b', { b: [{ kind: 'silent' }] })).toEqual([]);
  expect(outcomeOf('b', { b: [{ kind: 'late', hours: 30 }] })).toEqual([]);
  expect(outcomeOf('d', { b: [{ kind: 'silent' }] })).toHaveLength(1);
});

test('calls of two campaigns in one are a finding about the smaller one', () => {
  const calls = ['one', 'one', 'two', 'two', 'one'].map((campaign) => ({ way: 'a d', campaign }));
  const plan = smallPlan({ providers: rowOf('a d'), calls, platform: {} });
  const found = { campaignId: 'c-1', name: 'Mixed', calls: [0, 1, 2, 3, 4], firstSeenMs: 0 };
  const report = judgeRun(plan, { ...simulateRun(plan), campaigns: [found], alerts: [] });
  expect(report.findings).toMatchObject([
    { kind: 'campaign', callIndex: 2, expected: 'calls of one are in Mixed', seen: 'so are 2 calls that are of two' },
  ]);
  expect(report.metrics.campaign_precision).toMatchObject({ good: 3, of: 5 });
});

test('a call that was answered has its record at every hop, and one that was refused need not', () => {
  const providers = rowOf('a b d', { b: [{ kind: 'overloads', perSecond: 1 }] });
  const calls = Array.from({ length: 6 }, () => ({ way: 'a b d', atMs: 0 }));
  const plan = smallPlan({ providers, calls });
  const seen = simulateRun(plan);
  const lost = seen.records.map((one) =>
    one.provider === 'd' ? { ...one, stored: 5, streamed: 5, received: 5 } : one,
  );
  const answered = judgeRun(plan, { ...seen, records: lost });
  expect(answered.findings).toMatchObject([{ kind: 'record', provider: 'd', expected: '6 records of its calls' }]);
  expect(answered.metrics).toMatchObject({ calls_answered: { count: 6 }, calls_unavailable: { count: 0 } });
  const refused = [...seen.calls].map((call) =>
    call.index === 4 ? { ...call, finalStatus: 503, hops: call.hops.slice(0, 1) } : call,
  );
  const report = judgeRun(plan, { ...seen, calls: refused, records: lost });
  expect(report.findings).toEqual([]);
  expect(report.metrics).toMatchObject({ calls_answered: { count: 5 }, calls_unavailable: { count: 1 } });
});

test('a traceback that tests a behaviour needs the answer of that provider, unless the behaviour is to be silent', () => {
  const tried = (kind: 'names-another' | 'silent', isAnswered: boolean): OracleReport => {
    const behaviours = { b: [kind === 'silent' ? { kind } : { kind, provider: 'x' }] };
    const providers: SmallProvider[] = [...rowOf('a b d', behaviours), { id: 'x', role: 'transit' }];
    const platform = { traces: [{ through: 'b', behaviour: kind }] };
    const plan = smallPlan({ providers, calls: [{ way: 'a b d' }, { way: 'a b d' }], platform });
    const seen = simulateRun(plan);
    expect(seen.tracebacks.map(({ callIndex }) => callIndex)).toEqual([0]);
    const tracebacks = seen.tracebacks.map((one) => ({
      ...one,
      answers: one.answers.filter(({ provider }) => isAnswered || provider !== 'b'),
    }));
    return judgeRun(plan, { ...seen, tracebacks });
  };
  expect(tried('names-another', true).findings).toEqual([]);
  const { findings, metrics } = tried('names-another', false);
  expect(findings).toMatchObject([
    { kind: 'answer', callIndex: 0, provider: 'b', expected: 'b is asked about a call through b (names-another)' },
  ]);
  expect(value({ findings, metrics, findingsInAll: 1 }, 'answers_correct')).toBeLessThan(1);
  expect(tried('silent', false).findings).toEqual([]);
});

test('percentiles are right to a hundredth, however many values there are', () => {
  const seen = facts();
  const calls = seen.calls.map((call) => ({ ...call, setupMs: call.index + 1 }));
  expect(judgeRun(PLAN, { ...seen, calls }).metrics.call_setup_ms).toMatchObject({ min: 1, max: 31, mean: 16 });
  const metric = judgeRun(PLAN, { ...seen, calls }).metrics.call_setup_ms;
  if (metric.kind !== 'distribution') throw new Error('no distribution');
  expect(Math.abs(metric.percentiles[50] - 16)).toBeLessThan(0.17);
  expect(Math.abs(metric.percentiles['99.9'] - 31)).toBeLessThan(0.32);
});

test.each([
  ['12029550100', false],
  ['12025550100', true],
  ['10025551234', true],
  ['12020551234', true],
  ['19115551234', true],
  ['12024111234', true],
  ['18004117246', false],
  ['442079460000', false],
  ['911', false],
])('a call from %s is suspicious by its number alone: %s', (calling, isSure) => {
  expect(isSurelySuspicious({ receives: { calling }, sends: { calling } } as never)).toBe(isSure);
});
