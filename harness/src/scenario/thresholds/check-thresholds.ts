import type { ScenarioThreshold } from '../scenario.js';
import type { Metric, MetricName } from './metrics.js';
import { aggregateOf, parseThreshold } from './parse-threshold.js';
import type { ThresholdOperator } from './parse-threshold.js';

/** What became of one threshold. */
export interface ThresholdResult {
  /** As written. */
  readonly metric: string;
  readonly threshold: string;
  /**
   * `unmeasured`: there is nothing to compare, as a percentile of times of which there is none, or the threshold is none. Before the end of a run it says
   * nothing; at the end it is a failure, since what was to be measured was not.
   */
  readonly status: 'kept' | 'broken' | 'unmeasured';
  /** What was compared; absent: unmeasured. */
  readonly value?: number;
  /** Whether a run ends where it is broken, and after how many seconds at the earliest. */
  readonly abortOnFail: boolean;
  readonly delayAbortSeconds: number;
}

/**
 * Holds what was measured against the thresholds of a scenario.
 * @param metrics - of a run, or of what is known of it until now; those that are absent are unmeasured
 * @param thresholds - of the scenario; absent: there are none
 * @returns one result for each threshold, in their order; never throws
 * @see https://grafana.com/docs/k6/latest/using-k6/thresholds/
 * @example
 * ```ts
 * const metrics = { wrong_accusations: { kind: 'count', count: 0 } } as const;
 * const [result] = checkThresholds(metrics, { wrong_accusations: ['count==0'] });
 * console.log(result?.status, result?.value); // kept 0
 * ```
 */
export function checkThresholds(
  metrics: Readonly<Partial<Record<MetricName, Metric>>>,
  thresholds: Readonly<Record<string, readonly ScenarioThreshold[]>> = {},
): readonly ThresholdResult[] {
  return Object.entries(thresholds).flatMap(([name, held]) => {
    const metric = Object.hasOwn(metrics, name) ? metrics[name as MetricName] : undefined;
    return held.map((threshold) => resultOf(name, metric, threshold));
  });
}

function resultOf(name: string, metric: Metric | undefined, held: ScenarioThreshold): ThresholdResult {
  const {
    threshold: text,
    abortOnFail = false,
    delayAbortSeconds = 0,
  } = typeof held === 'string' ? { threshold: held } : held;
  const base = { metric: name, threshold: text, abortOnFail, delayAbortSeconds };
  const parsed = parseThreshold(text);
  if (metric === undefined || parsed.status === 'faulty') return { ...base, status: 'unmeasured' };
  const value = aggregateOf(metric, parsed.threshold.aggregate);
  if (value === undefined) return { ...base, status: 'unmeasured' };
  const isKept = COMPARE[parsed.threshold.operator](value, parsed.threshold.limit);
  return { ...base, status: isKept ? 'kept' : 'broken', value };
}

const COMPARE: Readonly<Record<ThresholdOperator, (value: number, limit: number) => boolean>> = {
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '==': (value, limit) => value === limit,
  '!=': (value, limit) => value !== limit,
};
