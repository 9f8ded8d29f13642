import type { Metric } from './metrics.js';

/** What is taken of a metric. `p` with its percentile. */
export type ThresholdAggregate =
  | { readonly kind: 'rate' | 'count' | 'value' | 'min' | 'max' | 'avg' | 'med' }
  | { readonly kind: 'p'; readonly percentile: '50' | '90' | '95' | '99' | '99.9' };

/** How it is compared. */
export type ThresholdOperator = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** A threshold as it was written, in parts. */
export interface Threshold {
  readonly text: string;
  readonly aggregate: ThresholdAggregate;
  readonly operator: ThresholdOperator;
  readonly limit: number;
}

/** What {@link parseThreshold} found. */
export type ParsedThreshold =
  { readonly status: 'parsed'; readonly threshold: Threshold } | { readonly status: 'faulty'; readonly reason: string };

const FORM =
  /^\s*(?:(?<word>[a-z]{1,10})|p\(\s*(?<percentile>\d{1,3}(?:\.\d{1,3})?)\s*\))\s*(?<operator><=|>=|==|!=|===|!==|<|>)\s*(?<limit>-?\d{1,15}(?:\.\d{1,9})?)\s*$/u;

const WORDS = ['rate', 'count', 'value', 'min', 'max', 'avg', 'med'] as const;
const PERCENTILES = ['50', '90', '95', '99', '99.9'] as const;

/**
 * Reads a threshold in the grammar of k6: `rate==1`, `p(99)<20`, `count>0`. Percentiles are those that a run keeps: 50, 90, 95, 99 and 99.9.
 * @param text - as written
 * @returns its parts, or why it is none; never throws
 * @see https://grafana.com/docs/k6/latest/using-k6/thresholds/
 * @example
 * ```ts
 * const parsed = parseThreshold('p(99)<20');
 * if (parsed.status === 'parsed') console.log(parsed.threshold.operator, parsed.threshold.limit); // < 20
 * ```
 */
export function parseThreshold(text: string): ParsedThreshold {
  const parts = text.length > 100 ? undefined : FORM.exec(text)?.groups;
  if (parts === undefined)
    return faulty('must be what is measured, how it is compared and a number: rate==1, p(99)<20, count>0');
  const { word, percentile, operator = '', limit } = parts;
  if (operator === '===' || operator === '!==') return faulty(`has ${operator}: write ${operator.slice(0, 2)}`);
  const aggregate = word === undefined ? percentileOf(percentile ?? '') : wordOf(word);
  if (aggregate === undefined) {
    return faulty(
      word === undefined
        ? `asks for p(${percentile ?? ''}): a run keeps p(50), p(90), p(95), p(99) and p(99.9)`
        : `asks for ${word}: there are ${WORDS.join(', ')} and p(n)`,
    );
  }
  const threshold = { text, aggregate, operator: operator as ThresholdOperator, limit: Number(limit) };
  return { status: 'parsed', threshold };
}

const faulty = (reason: string): ParsedThreshold => ({ status: 'faulty', reason });

function wordOf(word: string): ThresholdAggregate | undefined {
  const kind = WORDS.find((known) => known === word);
  return kind === undefined ? undefined : { kind };
}

function percentileOf(text: string): ThresholdAggregate | undefined {
  const percentile = PERCENTILES.find((known) => Number(known) === Number(text));
  return percentile === undefined ? undefined : { kind: 'p', percentile };
}

/** What may be asked of each kind of metric. */
const ASKED_OF: Readonly<Record<Metric['kind'], readonly ThresholdAggregate['kind'][]>> = {
  count: ['count', 'value'],
  rate: ['rate', 'value'],
  distribution: ['min', 'max', 'avg', 'med', 'p', 'count'],
};

/** Why an aggregate cannot be taken of a metric of this kind; absent: it can. */
export function misfit(aggregate: ThresholdAggregate, kind: Metric['kind']): string | undefined {
  const asked = ASKED_OF[kind];
  if (asked.includes(aggregate.kind)) return undefined;
  return `has no ${aggregate.kind}: of a ${kind} there ${asked.length > 1 ? 'are' : 'is'} ${asked.join(', ')}`;
}

/** The number that an aggregate takes out of a metric; absent where nothing was measured, or it has none. */
export function aggregateOf(metric: Metric, aggregate: ThresholdAggregate): number | undefined {
  if (misfit(aggregate, metric.kind) !== undefined) return undefined;
  if (metric.kind === 'count') return metric.count;
  // Of nothing nothing was right.
  if (metric.kind === 'rate') return metric.of === 0 ? undefined : metric.value;
  if (aggregate.kind === 'count') return metric.count;
  if (metric.count === 0) return undefined;
  if (aggregate.kind === 'p') return metric.percentiles[aggregate.percentile];
  if (aggregate.kind === 'min' || aggregate.kind === 'max') return metric[aggregate.kind];
  return aggregate.kind === 'avg' ? metric.mean : metric.percentiles['50'];
}
