import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkThresholds,
  defineScenario,
  faultText,
  parseThreshold,
  readScenario,
} from '../../harness/src/scenario/index.js';
import type { Metric, MetricName } from '../../harness/src/scenario/index.js';
import { changed, faultsOf, SCENARIO, SCENARIO_TEXT } from '../support/scenario-samples.js';
import { forAll } from '../support/for-all.js';

const path = 'sample.yaml';
const withChange = (from: string, to: string): string => changed(SCENARIO_TEXT, from, to);

test('a file of YAML, one of JSON and an object make the same scenario', async () => {
  for (const text of [SCENARIO_TEXT, JSON.stringify(SCENARIO)])
    expect(await readScenario(text, { path })).toEqual({ status: 'read', scenario: defineScenario(SCENARIO) });
});

test('the checks of an object are those of a file, and the error names every member that is wrong', () => {
  const [first, ...others] = SCENARIO.callers;
  const wrong = { ...SCENARIO, callers: [{ ...first!, at: 'aldr' }, ...others], thresholds: { calls: ['rate==1'] } };
  const message = expect.stringMatching(/callers\[0\]\.at[^]*thresholds\.calls/) as string;
  expect(() => defineScenario(wrong)).toThrow(expect.objectContaining({ code: 'invalid-argument', message }) as Error);
});

// Where something is wrong, as an editor counts lines and columns.
test.each([
  ['text that is no YAML', 'providers:\n', 'providers: [\n', '8:3'],
  ['a name that is there twice', 'name: sample', 'name: sample\nname: again', '3:1'],
  ['a tag that nobody knows', 'name: sample', 'name: !secret sample', '2:7'],
  ['a member that there is not', 'role: transit }', 'role: transit, stirs: true }', '9:33'],
  ['a member of another form', 'count: 100', 'count: many', '26:48'],
  ['digits without quotes', "'${first}'", '12025550100', '26:29'],
  ['a kind that there is not', 'kind: neighbour', 'kind: neighbor', '18:16'],
  ['a member that is missing', 'why: So that tests have one.\n', '', '1:1'],
  ['an unknown provider in a trunk', '{ from: birch, to: cedar }', '{ from: birch, to: ceder }', '13:20'],
  ['a caller at an unknown provider', 'at: alder', 'at: aldr', '17:5'],
  ['a called party that is not there', 'calls: [homes]', 'calls: [home]', '19:13'],
  ['a threshold of a metric that there is not', 'verdict_accuracy:', 'verdict_acuracy:', '30:3'],
  ['a threshold that cannot be parsed', 'rate==1', 'rate=1', '30:22'],
  ['a threshold that can never hold', 'rate==1', 'rate>=1.2', '30:22'],
  ['a threshold that contradicts the one before', 'rate==1', 'rate==1, rate<1', '30:31'],
  [
    'a share out of range',
    'role: transit }',
    'role: transit, behaviours: [{ kind: strips-identity, share: 2 }] }',
    '9:71',
  ],
])('%s is told with its line and column', async (_, from, to, place) => {
  const [first] = await faultsOf(withChange(from, to));
  expect(first?.split(' ')[0]).toBe(place);
});

test.each([
  ['role: transit', 'role: trnsit', 'transit'],
  ['kind: neighbour', 'kind: neighbor', 'neighbour'],
  ['at: alder', 'at: aldr', 'alder'],
  ['verdict_accuracy:', 'verdict_acuracy:', 'verdict_accuracy'],
  ['numbers: {', 'nubmers: {', 'numbers'],
  ['calls: [homes]', 'calls: [homes]\n    script: ssa-suspnded', 'ssa-suspended'],
])('for %s written as %s a suggestion is made: %s', async (from, to, meant) => {
  expect((await faultsOf(withChange(from, to))).join('\n')).toMatch(new RegExp(`Did you mean .*${meant}`));
});

test.each([
  ['a trunk back to where it comes from', '{ from: birch, to: cedar }', '{ from: birch, to: birch }', 'trunks[1].to'],
  ['no way from caller to called', '  - { from: birch, to: cedar }\n', '', 'callers[0].calls[0]'],
  ['two providers of one name', 'id: cedar', 'id: birch', 'providers[2].id'],
  ['overlapping numbers', '100 }', "100 }\n  - { id: more, at: cedar, first: '12025550199' }", 'called[1].first'],
  ['a range of two lengths', '-13125550109', '-1312555010', 'callers[1].numbers.numbers[0]'],
  ['more phones than there may be', 'count: 100', 'count: 51, by: phones', 'called[0].count'],
  [
    'more numbers than a prefix has',
    'neighbour',
    "snowshoe, prefixes: ['1202555010'], count: 9",
    'callers[0].numbers.count',
  ],
  ['a foreign provider without a country', 'role: transit }', 'role: foreign }', 'providers[1]'],
  ['an unknown word in a script', '[homes]', "[homes]\n    script: 'Call {nobody}'", 'callers[0].script'],
  ['an ordinary caller with a script', 'ordinary', "ordinary\n    script: 'Hello {name}'", 'callers[1].script'],
  ['a metric of a platform that is not there', 'verdict_accuracy', 'campaign_recall', 'thresholds.campaign_recall'],
  ['a percentile of a rate', 'rate==1', 'p(99)<1', 'thresholds.verdict_accuracy[0]'],
  [
    'a percentile that is not kept',
    'verdict_accuracy: [rate==1]',
    "call_setup_ms: ['p(98)<1']",
    'thresholds.call_setup_ms[0]',
  ],
  [
    'more calls than can be',
    "5, rate: { shape: constant, perSecond: '${perSecond}'",
    '604800, rate: { shape: constant, perSecond: 100000',
    'phases',
  ],
  ['a text in a number', "'${perSecond}'", "'${first} a second'", 'phases[0].rate.perSecond'],
])('%s is a fault', async (_, from, to, member) => {
  const [first] = await faultsOf(withChange(from, to));
  expect(first?.split(' ')[1]).toBe(member);
});

test.each([
  ['diverts to a number of nobody', "kind: diverts, to: '14155550100'", '.to'],
  ['lies about a provider that is not there', 'kind: names-another, provider: gum', '.provider'],
  ['lies about its own provider', 'kind: names-another, provider: birch', '.provider'],
  ['forks to more branches than there are trunks', 'kind: forks, branches: 2', '.branches'],
  ['ends before it begins', 'kind: crashes, fromSeconds: 3, untilSeconds: 3', '.untilSeconds'],
  ['has a share, of a kind that has none', 'kind: silent, share: 0.5', '.share'],
  ['rewrites the calling number without another', 'kind: rewrites-numbers, how: calling', ''],
])('a behaviour that %s is a fault', async (_, behaviour, member) => {
  const [first] = await faultsOf(withChange('role: transit }', `role: transit, behaviours: [{ ${behaviour} }] }`));
  expect(first?.split(' ')[1]).toBe(`providers[1].behaviours[0]${member}`);
});

test('a signature without a certificate is a fault', async () => {
  const behaviour = 'role: transit, stir: false, behaviours: [{ kind: downgrades, to: C }] }';
  const [first] = await faultsOf(withChange('role: transit }', behaviour));
  expect(first?.split(' ')[1]).toBe('providers[1].behaviours[0].kind');
});

test.each([
  ['through a provider that is not there', 'through: gum', 'through'],
  ['for what its provider does not do', 'through: birch, behaviour: silent', 'behaviour'],
  ['of a caller that is not there', 'through: birch, caller: nobody', 'caller'],
])('a call that is to be traced %s is a fault', async (_, trace, member) => {
  const [first] = await faultsOf(withChange('thresholds:', `platform: { traces: [{ ${trace} }] }\nthresholds:`));
  expect(first?.split(' ')[1]).toBe(`platform.traces[0].${member}`);
});

test('a run that is to end by what is known at its end is a fault', async () => {
  const late = 'records_complete: [{ threshold: rate==1, abortOnFail: true }]';
  const [first] = await faultsOf(withChange('verdict_accuracy: [rate==1]', late));
  expect(first?.split(' ')[1]).toBe('thresholds.records_complete[0].abortOnFail');
});

test('diversions in circles are a fault', async () => {
  const text = `${SCENARIO_TEXT}platform: {}\n`
    .replace('role: terminating }', "role: terminating, behaviours: [{ kind: diverts, to: '13125550150' }] }")
    .replace("numbers: ['1312555'] }", "numbers: ['1312555'], behaviours: [{ kind: diverts, to: '12025550100' }] }")
    .replace('callers:\n', '  - { from: cedar, to: alder }\ncallers:\n')
    .replace('count: 100 }', "count: 100 }\n  - { id: desk, at: alder, first: '13125550150' }");
  expect((await faultsOf(text)).map((fault) => fault.split(' ').slice(1).join(' '))).toEqual(
    expect.arrayContaining(['providers[0].behaviours divert calls in circles']),
  );
});

test('all faults of a file are told at once, in its order', async () => {
  const text = withChange('role: transit', 'role: trnsit')
    .replace('kind: neighbour', 'kind: neighbor')
    .replace('seconds: 5', 'seconds: 0');
  const lines = (await faultsOf(text)).map((fault) => Number(fault.split(':')[0]));
  expect(lines).toEqual([9, 18, 28]);
});

test('a fault is a line that editors jump to', () => {
  const fault = { file: 'a.yaml', line: 3, column: 5, path: 'callers[0].at', message: 'there is no provider x' };
  expect(faultText(fault)).toBe('a.yaml:3:5: callers[0].at: there is no provider x');
});

test.each([
  ['verdict_accuracy', ['rate>=1.2'], 0],
  ['verdict_accuracy', ['rate<0'], 0],
  ['verdict_accuracy', ['value>1'], 0],
  ['calls_wrong', ['count<0'], 0],
  ['calls_wrong', ['count==1.5'], 0],
  ['calls_wrong', ['value>=0', 'count<=-1'], 1],
  ['call_setup_ms', ['p(99)<0'], 0],
  ['call_setup_ms', ['avg<=-5'], 0],
  ['call_setup_ms', ['count==0.5'], 0],
  ['calls_wrong', ['count>2', 'count<3'], 1],
  ['calls_wrong', ['count==0', 'count>0'], 1],
  ['calls_wrong', ['count>=1', 'count<=2', 'count!=1', 'count!=2'], 3],
  ['verdict_accuracy', ['rate==1', 'value!=1'], 1],
  ['verdict_accuracy', ['rate<0.9', 'rate>0.9'], 1],
  ['call_setup_ms', ['p(99)<20', 'med>=20'], 1],
  ['call_setup_ms', ['med<4', 'p(50)>4'], 1],
  ['call_setup_ms', ['avg>30', 'max<=30'], 1],
  ['call_setup_ms', ['min>3', 'avg<3'], 1],
  ['verdict_accuracy', ['rate>0.9', 'rate<1', 'rate!=0.95', 'value<=0.99'], undefined],
  ['verdict_accuracy', ['rate==0'], undefined],
  ['calls_wrong', ['count>2', 'count<4', 'count!=5', 'count>-1'], undefined],
  ['call_setup_ms', ['p(50)<20', 'p(99)>20', 'avg>25', 'max<26', 'min>=0', 'count>100'], undefined],
  ['call_setup_ms', ['p(50)<=20', 'p(99)>=20', 'max==20'], undefined],
] as const)(
  'thresholds of %s, %j: the first that can never be met is at place %s',
  async (metric, thresholds, place) => {
    const held = `${metric}: ${JSON.stringify(thresholds)}`;
    const faults = await faultsOf(withChange('verdict_accuracy: [rate==1]', held));
    const impossible = place === undefined ? [] : [`thresholds.${metric}[${String(place)}]`];
    expect(faults.map((fault) => fault.split(' ')[1])).toEqual(impossible);
  },
);

test('thresholds that some count meets all of are no contradiction', () => {
  const threshold = fc.tuple(fc.constantFrom('<', '<=', '>', '>=', '==', '!='), fc.nat(3));
  forAll([fc.nat(50), fc.array(threshold, { minLength: 1, maxLength: 5 })], 100, (count, asked) => {
    const met = asked.map(([operator, apart]) => {
      const limits = { '<': count + 1 + apart, '<=': count + apart, '>': count - 1 - apart, '>=': count - apart };
      const limit = { ...limits, '==': count, '!=': count + 1 + apart }[operator];
      return `count${operator}${String(limit)}`;
    });
    const { thresholds } = defineScenario({ ...SCENARIO, thresholds: { calls_wrong: met } });
    expect(thresholds).toEqual({ calls_wrong: met });
  });
});

const times: Metric = {
  ...{ kind: 'distribution', count: 10, min: 1, mean: 4.5, max: 30 },
  percentiles: { '50': 4, '90': 9, '95': 12, '99': 20, '99.9': 29 },
};
const metrics = {
  verify_latency_ms: times,
  verdict_accuracy: { kind: 'rate', good: 99, of: 100, value: 0.99 },
  calls_placed: { kind: 'count', count: 12 },
} as const;

const statusOf = (metric: MetricName, threshold: string): string | undefined =>
  checkThresholds(metrics, { [metric]: [threshold] })[0]?.status;

test.each([
  ['verify_latency_ms', 'p(99)<=20', 'kept'],
  ['verify_latency_ms', 'p(99)<20', 'broken'],
  ['verify_latency_ms', ' p( 99.9 ) < 29.5 ', 'kept'],
  ['verify_latency_ms', 'avg==4.5', 'kept'],
  ['verify_latency_ms', 'med!=4', 'broken'],
  ['verify_latency_ms', 'min>=1', 'kept'],
  ['verify_latency_ms', 'max>30', 'broken'],
  ['verify_latency_ms', 'count>9', 'kept'],
  ['verdict_accuracy', 'rate==1', 'broken'],
  ['verdict_accuracy', 'value>0.98', 'kept'],
  ['calls_placed', 'count>-1', 'kept'],
  ['calls_placed', 'value<12', 'broken'],
] as const)('%s %s is %s', (metric, threshold, status) => {
  expect(statusOf(metric, threshold)).toBe(status);
});

test.each([
  ...['', 'rate', 'rate=1', 'rate===1', 'rate==one', 'rate==1 and more'],
  ...['p(98)<1', 'p99<1', 'sum>1', 'p()<1', '1<rate'],
])('%s is not a threshold', (text) => {
  const parsed = parseThreshold(text);
  expect(parsed.status === 'faulty' && parsed.reason.length > 10).toBe(true);
});

test('times of which there is none keep no threshold and break none', () => {
  const none = { ...times, count: 0 };
  const [result] = checkThresholds({ time_to_origin_ms: none }, { time_to_origin_ms: ['p(99)<20'] });
  expect(result).toEqual({
    ...{ metric: 'time_to_origin_ms', threshold: 'p(99)<20', status: 'unmeasured' },
    ...{ abortOnFail: false, delayAbortSeconds: 0 },
  });
});

test('a metric that is not there is unmeasured, and so is a threshold that asks for what a metric has not', () => {
  expect(checkThresholds({}, { troubles: ['count==0'] })[0]?.status).toBe('unmeasured');
  expect(statusOf('calls_placed', 'p(99)<20')).toBe('unmeasured');
});

test('a result says whether the run ends where it is broken', () => {
  const held = { threshold: 'rate==1', abortOnFail: true, delayAbortSeconds: 3 };
  expect(checkThresholds(metrics, { verdict_accuracy: [held] })[0]).toMatchObject({
    ...{ status: 'broken', value: 0.99, abortOnFail: true, delayAbortSeconds: 3 },
  });
});
