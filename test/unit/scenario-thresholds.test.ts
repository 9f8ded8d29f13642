import { expect, test } from 'vitest';
import { checkThresholds, parseThreshold } from '../../harness/src/scenario/index.js';
import type { Metric, MetricName } from '../../harness/src/scenario/index.js';

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
  '',
  'rate',
  'rate=1',
  'rate===1',
  'rate==one',
  'rate==1 and more',
  'p(98)<1',
  'p99<1',
  'sum>1',
  'p()<1',
  '1<rate',
])('%s is no threshold', (text) => {
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
