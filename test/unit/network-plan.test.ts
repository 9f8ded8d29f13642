import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { arrivalsOf } from '../../harness/src/network/plan/plan-network.js';
import {
  behaviourHolds,
  callsToTrace,
  createRouting,
  generateNetwork,
  planNetwork,
  planProviders,
  plannedCalls,
} from '../../harness/src/network/plan/index.js';
import type { PlannedCall } from '../../harness/src/network/plan/index.js';
import { defineScenario, readShippedScenario } from '../../harness/src/scenario/index.js';
import type {
  CallingNumbers,
  Scenario,
  ScenarioCaller,
  ScenarioPhase,
  ScenarioProvider,
} from '../../harness/src/scenario/index.js';
import { SCENARIO } from '../support/scenario-samples.js';

const [dialer, office] = SCENARIO.callers as readonly [ScenarioCaller, ScenarioCaller];
const phase = (rate: ScenarioPhase['rate'], seconds = 10): ScenarioPhase => ({ name: 'flood', seconds, rate });
const flood = (perSecond: number, seconds?: number): ScenarioPhase => phase({ shape: 'constant', perSecond }, seconds);
const withCaller = (caller: Partial<ScenarioCaller>, rest: Partial<Scenario> = {}): Scenario =>
  defineScenario({ ...SCENARIO, ...rest, callers: [{ ...dialer, ...caller }] });
const callsOf = (scenario: Scenario): readonly PlannedCall[] => planNetwork(scenario).calls;
const shown = (numbers: CallingNumbers): readonly PlannedCall[] =>
  callsOf(withCaller({ numbers }, { phases: [flood(100)] }));

const arrivals = (rate: ScenarioPhase['rate'], seconds = 30): readonly number[] => [
  ...arrivalsOf(phase(rate, seconds), new SeededRandom(1)),
];

test('a constant rate has a call at equal distances', () => {
  expect(arrivals({ shape: 'constant', perSecond: 2 }, 2)).toEqual([0.25, 0.75, 1.25, 1.75]);
});

test.each([
  ['up', 0, 20],
  ['down', 20, 0],
  ['a little', 10, 10.0001],
])('a ramp %s has as many calls as its area says, in time', (_, from, to) => {
  const times = arrivals({ shape: 'ramp', from, to });
  expect(times.length).toBe(300);
  expect(times.every((at, place) => at >= (times[place - 1] ?? 0) && at <= 30)).toBe(true);
  const half = times.filter((at) => at < 15).length;
  const share = (3 * from + to) / (4 * (from + to));
  expect(Math.abs(half - 300 * share)).toBeLessThanOrEqual(1);
});

test('a spike has its peak in the middle third', () => {
  const times = arrivals({ shape: 'spike', perSecond: 5, peak: 50 });
  const within = (from: number, to: number): number => times.filter((at) => at >= from && at < to).length;
  expect([within(0, 10), within(10, 20), within(20, 30)]).toEqual([50, 500, 50]);
});

test('calls at random are as many as the rate says on average, and come in bunches', () => {
  const times = arrivals({ shape: 'poisson', perSecond: 100 }, 100);
  expect(Math.abs(times.length - 10_000)).toBeLessThan(300);
  const gaps = times.slice(1).map((at, place) => at - (times[place] ?? 0));
  // Of exponential gaps 63 % are shorter than the mean.
  expect(gaps.filter((gap) => gap < 0.01).length / gaps.length).toBeCloseTo(0.632, 1);
});

test('what a scenario leaves open is put in: names, codes, roles', () => {
  const providers: readonly ScenarioProvider[] = [
    { id: 'birch-valley', role: 'terminating', spc: '100J' },
    { id: 'kauri', role: 'foreign', country: 'NZ' },
    { id: 'cedar', role: 'transit', stir: false },
  ];
  const { providers: planned } = planProviders({ ...SCENARIO, providers });
  expect(
    planned.map(({ name, providerId, spc, country, stir, shares, answersTracebacks }) =>
      [name, providerId, spc, country, stir, shares, answersTracebacks].join(' '),
    ),
  ).toEqual([
    'Birch Valley Telecom prv-0000000001 100J US true suspicious true',
    'Kauri Telecom prv-0000000002 101J NZ false nothing false',
    'Cedar Telecom prv-0000000003 102J US false nothing true',
  ]);
});

test('codes of 7,000 providers all differ and have four characters', () => {
  const providers = Array.from({ length: 7_000 }, (_, at): ScenarioProvider => ({
    id: `p${String(at)}`,
    role: 'transit',
  }));
  const codes = planProviders({ ...SCENARIO, providers }).providers.map(({ spc }) => spc);
  expect(new Set(codes).size).toBe(7_000);
  expect(codes.every((spc) => /^\d{3}[A-Z]$/u.test(spc))).toBe(true);
});

test('a neighbour shows another number of the same exchange', () => {
  const calls = shown({ kind: 'neighbour' });
  expect(calls.every(({ calling, called }) => calling !== called && calling.slice(0, -4) === called.slice(0, -4))).toBe(
    true,
  );
  expect(new Set(calls.map(({ calling }) => calling)).size).toBeGreaterThan(900);
});

test('a snowshoe dialer takes each number of its pool as seldom as can be', () => {
  const counts = new Map<string, number>();
  for (const { calling } of shown({ kind: 'snowshoe', prefixes: ['1213', '14695'], count: 400 }))
    counts.set(calling, (counts.get(calling) ?? 0) + 1);
  expect(counts.size).toBe(400);
  expect([...counts.values()].every((times) => times === 2 || times === 3)).toBe(true);
  expect([...counts.keys()].every((number) => /^1(?:213[2-9]|4695)\d{6}$/u.test(number))).toBe(true);
});

test('invalid numbers break the numbering plan', () => {
  const isPossible = /^1[2-9](?!11)\d\d[2-9](?!11)\d{6}$/u;
  const calls = shown({ kind: 'invalid' });
  expect(calls.every(({ calling }) => /^1\d{10}$/u.test(calling) && !isPossible.test(calling))).toBe(true);
});

test('numbers of the do-not-originate list are listed, with their ranges', () => {
  const numbers = ['18005550100-18005550102', '18005550111'];
  const plan = planNetwork(withCaller({ numbers: { kind: 'dno', numbers } }));
  expect(plan.doNotOriginate).toEqual(['18005550100', '18005550101', '18005550102', '18005550111']);
  expect(plan.calls.every(({ calling }) => plan.doNotOriginate.includes(calling))).toBe(true);
});

test('sequential dialling goes through all numbers of all entries, and begins again', () => {
  const called = [
    { id: 'homes', at: 'cedar', first: '12025550198', count: 2 },
    { id: 'farms', at: 'cedar', first: '12025550100' },
  ];
  const scenario = withCaller({ order: 'sequential', calls: ['homes', 'farms'] }, { called, phases: [flood(5, 1)] });
  expect(callsOf(scenario).map((call) => `${call.called.slice(-3)} ${call.destination}`)).toEqual([
    ...['198 homes', '199 homes', '100 farms', '198 homes', '199 homes'],
  ]);
});

const csv = (order: 'sequential' | 'random' | 'user'): NonNullable<ScenarioCaller['csv']> => ({
  ...{ calling: 0, called: 1, words: { name: 2 }, order },
  rows: Array.from({ length: 40 }, (_, at) => [`1312555${String(1_000 + at)}`, '12025550123', `Caller${String(at)}`]),
});

test('rows of a CSV file are taken in their order, with their words in the script', () => {
  const scenario = withCaller(
    { csv: csv('sequential'), script: 'It is {name} who calls about the amount of {amount} dollars, as was said.' },
    { phases: [flood(50, 1)] },
  );
  const calls = callsOf(scenario);
  expect(calls.map(({ calling }) => Number(calling.slice(-2)))).toEqual(calls.map((_, at) => at % 40));
  expect(
    calls.filter(({ transcript = '' }, at) => transcript.includes(`Caller${String(at % 40)} `)).length,
  ).toBeGreaterThan(20);
});

test('a subscriber of a CSV file does not call while its call lasts', () => {
  const scenario = withCaller({ csv: csv('user'), durationSeconds: { from: 1, to: 9 } }, { phases: [flood(5, 30)] });
  const until = new Map<string, number>();
  for (const { calling, atMs, durationMs } of callsOf(scenario)) {
    expect(until.get(calling) ?? 0).toBeLessThanOrEqual(atMs);
    until.set(calling, atMs + durationMs);
  }
});

test('a call centre has no more calls than people', () => {
  const calls = callsOf(withCaller({ agents: 3, durationSeconds: { from: 2, to: 5 } }));
  for (const { atMs } of calls) {
    const up = calls.filter((other) => other.atMs <= atMs && other.atMs + other.durationMs > atMs);
    expect(up.length).toBeLessThanOrEqual(3);
  }
  expect(calls.length).toBeGreaterThanOrEqual(3);
});

test('a caller with a daily rhythm calls at noon and hardly at night', () => {
  const at = (startHour: number): number =>
    callsOf(withCaller({ daily: { startHour } }, { phases: [flood(50)] })).length;
  expect(at(11)).toBe(500);
  expect(at(3)).toBeLessThan(30);
});

test('a robocaller says its script, with words that vary and a call-back number of its own', () => {
  const calls = callsOf(withCaller({ script: 'irs-lawsuit', callBack: ['18005550177'] }, { phases: [flood(30)] }));
  const texts = calls.map(({ transcript = '' }) => transcript);
  expect(new Set(texts).size).toBeGreaterThan(250);
  expect(
    texts.filter((text) => /800-555-0177|eight zero zero five five five zero one seven seven/u.test(text)).length,
  ).toBeGreaterThan(200);
  expect(texts.join('')).not.toMatch(/[{}]/u);
  expect(callsOf(withCaller({ script: '' })).every(({ transcript }) => transcript === undefined)).toBe(true);
});

test('an app reports its part of the robocalls, and rejects those if it does so', () => {
  const called = [{ id: 'homes', at: 'cedar', first: '12025550100', count: 100, app: { reports: 0.3, rejects: true } }];
  const scenario = { ...SCENARIO, called, phases: [flood(200)] };
  const calls = callsOf(scenario);
  const reported = calls.filter(({ isReported }) => isReported);
  expect(
    reported.every(
      (call) => call.campaign === 'dialer' && call.isRejected && !call.isAnswered && call.durationMs === 0,
    ),
  ).toBe(true);
  expect(reported.length / calls.filter(({ caller }) => caller === 'dialer').length).toBeCloseTo(0.3, 1);
});

test('the cheapest way is taken, and ways of equal cost by their shares', () => {
  const { wayOf } = createRouting({
    trunks: [
      { from: 'a', to: 'b', share: 0.75 },
      { from: 'a', to: 'c', share: 0.25 },
      { from: 'a', to: 'd', cost: 0.5 },
      { from: 'b', to: 'e' },
      { from: 'c', to: 'e' },
      { from: 'd', to: 'e', cost: 2 },
      { from: 'e', to: 'a' },
    ],
  });
  const random = new SeededRandom(1);
  const ways = Array.from({ length: 4_000 }, () => wayOf('a', 'e', random)?.join(''));
  expect(ways.filter((way) => way === 'abe').length / 4_000).toBeCloseTo(0.75, 1);
  expect(new Set(ways)).toEqual(new Set(['abe', 'ace']));
  expect(wayOf('e', 'x', random)).toBeUndefined();
  expect(wayOf('e', 'e', random)).toEqual(['e']);
});

test('a diverted call goes on from the carrier that forwards it, says where and why, and is traced for it', async () => {
  const plan = planNetwork(await readShippedScenario('diverted'));
  const diverted = plan.calls.filter(({ diversions }) => diversions !== undefined);
  // Within three standard deviations of what is drawn by 0.65.
  const deviation = Math.sqrt((0.65 * 0.35) / plan.calls.length);
  expect(Math.abs(diverted.length / plan.calls.length - 0.65)).toBeLessThan(3 * deviation);
  expect(diverted.length).toBeGreaterThan(0);
  const birch = plan.providers.find(({ id }) => id === 'birch');
  for (const call of diverted) {
    const [diversion] = call.diversions ?? [];
    expect(call.way).toEqual(['alder', 'birch', 'cedar', 'dogwood']);
    expect(call.destination).toBe('homes');
    expect(diversion).toMatchObject({ hop: 1, destination: 'office-line' });
    const place = diversion?.behaviour ?? -1;
    expect(behaviourHolds(birch!.behaviours[place]!, call, { seed: plan.seed, provider: 'birch', place })).toBe(true);
  }
  expect(callsToTrace(plan, () => true)[0]?.call).toBe(diverted[0]);
});

test('a behaviour holds in its time, for its share of the calls', () => {
  const calls = callsOf({ ...SCENARIO, phases: [flood(300)] });
  const holds = (call: PlannedCall): boolean =>
    behaviourHolds({ kind: 'strips-identity', fromSeconds: 2, untilSeconds: 8, share: 0.4 }, call, {
      seed: 3,
      provider: 'birch',
      place: 0,
    });
  const held = calls.filter(holds);
  expect(held.every(({ atMs }) => atMs >= 2_000 && atMs < 8_000)).toBe(true);
  expect(held.length / 1_800).toBeCloseTo(0.4, 1);
});

test('once: one call of each caller, in a tenth of a second each', () => {
  const { calls } = planNetwork(SCENARIO, { onceOnly: true });
  expect(calls.map(({ index, caller, atMs }) => [index, caller, atMs])).toEqual([
    [0, 'dialer', 0],
    [1, 'office', 100],
  ]);
});

test('a shortened plan has shorter phases and calls, and what happens at a time happens sooner; rates stay', () => {
  const providers: readonly ScenarioProvider[] = SCENARIO.providers.map((provider) =>
    provider.id === 'birch'
      ? { ...provider, behaviours: [{ kind: 'crashes', fromSeconds: 2, untilSeconds: 4 }] }
      : provider,
  );
  const plan = planNetwork({ ...SCENARIO, providers }, { scale: 0.5 });
  expect(plan.durationMs).toBe(2_500);
  expect(plan.calls.length).toBe(10);
  expect(plan.providers[1]?.behaviours).toEqual([{ kind: 'crashes', fromSeconds: 1, untilSeconds: 2 }]);
  expect(plan.calls.every(({ caller, durationMs }) => durationMs <= (caller === 'dialer' ? 10_000 : 120_000))).toBe(
    true,
  );
});

test('calls are dealt out by shares at all times, not only in the end', () => {
  const calls = callsOf({ ...SCENARIO, callers: [dialer, { ...office, share: 3 }], phases: [flood(40)] });
  for (const upTo of [40, 100, 400]) {
    const own = calls.slice(0, upTo).filter(({ caller }) => caller === 'dialer').length;
    expect(Math.abs(own - upTo / 4)).toBeLessThanOrEqual(2);
  }
});

test('the calls of a network can be made again and again, and are those of the plan', () => {
  const network = planProviders(SCENARIO, { seed: 9 });
  expect([...plannedCalls(network)]).toEqual(planNetwork(SCENARIO, { seed: 9 }).calls);
  expect([...plannedCalls(network)]).toEqual([...plannedCalls(network)]);
});

test.each([-1, 1.5, Number.NaN])('a seed of %s is refused, and so is such a scale', (number) => {
  expect(() => planNetwork(SCENARIO, { seed: number })).toThrow();
  expect(() => planNetwork(SCENARIO, { scale: number === 1.5 ? 0 : number })).toThrow();
});

test('a generated network of 7,000 carriers is a scenario, whose calls all get through', () => {
  const scenario = generateNetwork({ carriers: 7_000, seed: 4, calls: 20_000 });
  expect(defineScenario(scenario).providers.length).toBe(7_000);
  expect(generateNetwork({ carriers: 7_000, seed: 4, calls: 20_000 })).toEqual(scenario);
  const degrees = new Map<string, number>();
  for (const { from } of scenario.trunks) degrees.set(from, (degrees.get(from) ?? 0) + 1);
  const sorted = [...degrees.values()].sort((a, b) => b - a);
  // Few have many links, many have few.
  expect(sorted[0]).toBeGreaterThan(200);
  expect(sorted[3_500]).toBeLessThanOrEqual(2);
  const hops: number[] = [];
  let robocalls = 0;
  for (const { way, campaign } of plannedCalls(planProviders(scenario))) {
    hops.push(way.length);
    if (campaign !== undefined) robocalls += 1;
  }
  expect(hops.every((count) => count > 0)).toBe(true);
  const mean = hops.reduce((sum, count) => sum + count, 0) / hops.length;
  console.log(`calls of 7,000 carriers: ${mean.toFixed(2)} hops on average, ${String(Math.max(...hops))} at most`);
  expect(mean).toBeGreaterThan(3.5);
  expect(mean).toBeLessThan(6);
  expect(robocalls / hops.length).toBeGreaterThan(0.15);
});

test.each([{ carriers: 19 }, { carriers: 100, stir: 1.1 }, { carriers: 100, calls: 0 }])(
  'a network of %j is refused',
  (options) => {
    expect(() => generateNetwork({ seed: 1, ...options })).toThrow();
  },
);

test('of what is to be traced each entry gets the first call that fits and came to its callee, and none twice', () => {
  const [alder, birch, cedar] = SCENARIO.providers as readonly [ScenarioProvider, ScenarioProvider, ScenarioProvider];
  const rewrites = { kind: 'rewrites-numbers', how: 'national', share: 0.3 } as const;
  const traces = [
    { through: 'birch', behaviour: 'rewrites-numbers' },
    { through: 'birch', behaviour: 'rewrites-numbers', caller: 'office' },
    { through: 'birch' },
    { through: 'birch' },
  ] as const;
  const plan = planNetwork(
    defineScenario({
      ...SCENARIO,
      providers: [alder, { ...birch, behaviours: [rewrites] }, cedar],
      platform: { traces },
    }),
  );
  const place = { seed: plan.seed, provider: 'birch', place: 0 };
  const rewritten = plan.calls.filter((call) => behaviourHolds(rewrites, call, place));
  const others = plan.calls.filter((call) => call !== rewritten[0] && call.index > 0);
  const found = callsToTrace(plan, ({ index }) => index > 0).map(({ call }) => call);
  expect(rewritten[0]?.index).toBeGreaterThan(0);
  expect(found).toEqual([
    rewritten[0],
    rewritten.find((call) => call.caller === 'office' && call !== rewritten[0]),
    ...others.filter((call) => call !== found[1]).slice(0, 2),
  ]);
  expect(callsToTrace(plan, () => false)).toEqual(traces.map((trace) => ({ trace })));
});
