import type { Metric } from './findings.js';

/** Values of a time, without keeping them: they are counted in steps of a hundredth of themselves, so that a percentile is right to half of that. */
export interface Spread {
  readonly add: (value: number) => void;
  readonly metric: () => Extract<Metric, { readonly kind: 'distribution' }>;
}

const STEP = Math.log(1.01);
/** What is less is counted as this: a millionth of a millisecond is no time. */
const LEAST = 1e-6;
const PERCENTILES = ['50', '90', '95', '99', '99.9'] as const;

/** Starts to count. Values below 0 are counted as 0. */
export function createSpread(): Spread {
  const steps = new Map<number, number>();
  let [count, sum, min, max] = [0, 0, Infinity, 0];
  const at = (share: number): number => {
    if (count === 0) return 0;
    let left = Math.max(1, Math.ceil(count * share));
    for (const [step, values] of [...steps].sort(([one], [other]) => one - other)) {
      left -= values;
      if (left <= 0) return Math.min(max, Math.max(min, Math.exp(step * STEP)));
    }
    return max;
  };
  return {
    add: (given) => {
      const value = Math.max(0, given);
      const step = Math.round(Math.log(Math.max(value, LEAST)) / STEP);
      steps.set(step, (steps.get(step) ?? 0) + 1);
      count += 1;
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    },
    metric: () => ({
      kind: 'distribution',
      count,
      min: count === 0 ? 0 : min,
      mean: count === 0 ? 0 : sum / count,
      max,
      percentiles: Object.fromEntries(PERCENTILES.map((name) => [name, at(Number(name) / 100)])) as Record<
        (typeof PERCENTILES)[number],
        number
      >,
    }),
  };
}

/** How much of something was as it should be. */
export function rate(good: number, of: number): Extract<Metric, { readonly kind: 'rate' }> {
  return { kind: 'rate', good, of, value: of === 0 ? 1 : good / of };
}

/** How often something was. */
export function counted(count: number): Extract<Metric, { readonly kind: 'count' }> {
  return { kind: 'count', count };
}
