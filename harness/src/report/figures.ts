import type { NetworkPlan } from '../network/plan/index.js';
import { hopVerdict } from '../oracle/index.js';
import type { HopPair, Metric } from '../oracle/index.js';
import type { LatencySummary } from './run-record.js';

/** A metric in a few words: `0.993 (149 of 150)`, `12`, `p50 3.1, p95 9.8, p99 14.2, max 20`. */
export function metricText(metric: Metric): string {
  switch (metric.kind) {
    case 'count':
      return String(metric.count);
    case 'rate':
      return metric.of === 0 ? 'nothing to judge' : `${rounded(metric.value)} (${metric.good} of ${metric.of})`;
    default: {
      if (metric.count === 0) return 'nothing was measured';
      const { percentiles, max, count } = metric;
      return `p50 ${rounded(percentiles['50'])}, p95 ${rounded(percentiles['95'])}, p99 ${rounded(percentiles['99'])}, max ${rounded(max)} (${count})`;
    }
  }
}

/** A number with as many digits as anybody reads: three behind the point below 10, one below 1,000, none above. */
export function rounded(value: number): string {
  const size = Math.abs(value);
  const digits = size < 10 ? 3 : size < 1_000 ? 1 : 0;
  return String(Number(value.toFixed(digits)));
}

/** Percentiles of some times by nearest rank; undefined of none. */
export function latencySummary(times: readonly number[]): LatencySummary | undefined {
  if (times.length === 0) return undefined;
  const sorted = times.toSorted((one, other) => one - other);
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** Whether a plan has a call of this index; what was seen may speak of others, which the oracle finds fault with. */
export function hasCall({ calls }: NetworkPlan, index: number): boolean {
  return calls[index]?.index === index;
}

/** Whether there is nothing wrong with what was seen of a hop. */
export function isVerdictTrue(pair: HopPair): boolean {
  return pair.seen !== undefined && hopVerdict(pair) !== 'wrong';
}
