import type { Metric } from '../oracle/index.js';
import type { TrueHop } from '../network/truth/index.js';
import type { SeenHop } from '../oracle/index.js';
import type { LatencySummary } from './run-record.js';

/** A metric in a few words: `0.993 (149 of 150)`, `12`, `p50 3.1, p95 9.8, p99 14.2, max 20`. */
export function metricText(metric: Metric): string {
  switch (metric.kind) {
    case 'count':
      return String(metric.count);
    case 'rate':
      return metric.of === 0 ? 'nothing to judge' : `${rounded(metric.value)} (${metric.good} of ${metric.of})`;
    case 'distribution': {
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

/** What a hop has seen of what is true of it: `absent`, the call never came there. */
export interface HopPair {
  readonly truth: TrueHop;
  readonly seen?: SeenHop;
}

/** Puts what was seen beside what is true: the first hop of a provider to its first, the second to its second. */
export function hopPairs(truth: readonly TrueHop[], seen: readonly SeenHop[]): readonly HopPair[] {
  const taken = new Set<SeenHop>();
  return truth.map((trueHop) => {
    const found = seen.find((hop) => hop.provider === trueHop.provider && !taken.has(hop));
    if (found === undefined) return { truth: trueHop };
    taken.add(found);
    return { truth: trueHop, seen: found };
  });
}

/** Whether a verdict is one of those that are true of its hop; who attested what counts where it passed. */
export function isVerdictTrue({ truth, seen }: HopPair): boolean {
  if (seen === undefined) return false;
  const { verdict } = truth;
  const verstat = seen.verstat ?? 'not-asked';
  if (!verdict.verstat.includes(verstat)) return false;
  if (verstat !== 'TN-Validation-Passed') return true;
  if (verdict.attestation !== undefined && verdict.attestation !== seen.attestation) return false;
  return verdict.signerSpc === undefined || verdict.signerSpc === seen.signerSpc;
}
