import { z } from 'zod';
import type { ReadonlyDeep, ScenarioThreshold } from '../schema/scenario.schema.js';

const count = z.number().int().nonnegative();
const time = z.number();

/** Metric that is a number of things. */
export const COUNT_METRIC = z.object({ kind: z.literal('count'), count });
/** `value` is `good / of`; 1 where there was nothing to be right or wrong about. */
export const RATE_METRIC = z.object({ kind: z.literal('rate'), good: count, of: count, value: z.number() });

/** The schema of a metric. */
export const Metric = z.discriminatedUnion('kind', [
  COUNT_METRIC,
  RATE_METRIC,
  /** Of a time; the unit is in the name of the metric. */
  z.object({
    kind: z.literal('distribution'),
    count,
    min: time,
    mean: time,
    max: time,
    percentiles: z.object({
      '50': time,
      '90': time,
      '95': time,
      '99': time,
      '99.9': time,
    }),
  }),
]);

/** What was measured over all calls or tracebacks of a run. */
export type Metric = ReadonlyDeep<z.output<typeof Metric>>;

/** What is known of a metric whatever a run measures. */
export interface MetricTraits {
  readonly kind: Metric['kind'];
  /** Which way is better; absent: neither. Times are told, and decide nothing: they differ from run to run. */
  readonly better?: 'more' | 'less';
  /** It is known while calls go on, so that a threshold can end the run; the others are known when all is over. */
  readonly isLive?: true;
  /** It is of a platform: without one nothing can be said of it. */
  readonly isOfPlatform?: true;
  /** The seed decides it. What the platform traces by itself, and when it finds a campaign, has a part in all others. */
  readonly isSteady?: true;
}

const named = <Name extends string>(metrics: Record<Name, MetricTraits>): Readonly<Record<Name, MetricTraits>> =>
  metrics;

/** Metrics of a run, which thresholds may name. */
export const METRICS = named({
  calls_placed: { kind: 'count', isLive: true, isSteady: true },
  calls_unplaced: { kind: 'count', better: 'less', isLive: true, isSteady: true },
  /** Ended with 200 at the caller. */
  calls_answered: { kind: 'count', isLive: true },
  /** Ended with 503: somebody on the way was down, or had too many. RFC 3261 section 21.5.4 */
  calls_unavailable: { kind: 'count', isLive: true },
  /** Ended in another way than is true of them. */
  calls_wrong: { kind: 'count', better: 'less', isLive: true, isSteady: true },
  call_setup_ms: { kind: 'distribution', isLive: true },
  /** How long a hop held an INVITE that it verified. */
  verify_latency_ms: { kind: 'distribution', isLive: true },
  verdict_accuracy: { kind: 'rate', better: 'more', isLive: true, isSteady: true },
  records_complete: { kind: 'rate', better: 'more', isSteady: true },
  /** Of the records that a provider shares, those that reached the platform, once. */
  records_streamed: { kind: 'rate', better: 'more', isOfPlatform: true, isSteady: true },
  answers_correct: { kind: 'rate', better: 'more', isOfPlatform: true },
  /** Of the answers that were given, those that no person had to decide. */
  answers_automatic: { kind: 'rate', better: 'more', isOfPlatform: true },
  tracebacks: { kind: 'count', isOfPlatform: true },
  tracebacks_concluded: { kind: 'rate', better: 'more', isOfPlatform: true },
  /** Came to one of their fair outcomes. */
  traceback_fair: { kind: 'rate', better: 'more', isOfPlatform: true },
  /** Named the true origin, or the true point of entry. */
  traceback_origin_correct: { kind: 'rate', better: 'more', isOfPlatform: true },
  /** Named somebody as origin or point of entry who is neither. */
  wrong_accusations: { kind: 'count', better: 'less', isOfPlatform: true },
  disputed: { kind: 'count', isOfPlatform: true },
  time_to_origin_ms: { kind: 'distribution', isOfPlatform: true },
  campaign_precision: { kind: 'rate', better: 'more', isOfPlatform: true },
  campaign_recall: { kind: 'rate', better: 'more', isOfPlatform: true },
  time_to_campaign_ms: { kind: 'distribution', isOfPlatform: true },
  time_to_alert_ms: { kind: 'distribution', isOfPlatform: true },
  troubles: { kind: 'count', better: 'less', isSteady: true },
});

/** Name of one of {@link METRICS}. */
export type MetricName = keyof typeof METRICS;

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
function aggregateOf(metric: Metric, aggregate: ThresholdAggregate): number | undefined {
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

/** Values that something may have. */
interface Span {
  readonly low: number;
  readonly high: number;
  /** Whether the ends themselves are among them. */
  readonly hasLow: boolean;
  readonly hasHigh: boolean;
  readonly isWhole: boolean;
  /** Values in between that it may not have. */
  readonly without: readonly number[];
}

/**
 * Why a threshold can never be kept: by itself, or together with those of the same metric before it. A run that is held to it fails whatever happens.
 * @param threshold - of an aggregate that a metric of this kind has
 * @param kind - of the metric
 * @param before - of the same metric, each of which can be kept by itself
 * @returns undefined where it can be kept; never throws
 */
export function contradiction(
  threshold: Threshold,
  kind: Metric['kind'],
  before: readonly Threshold[],
): string | undefined {
  const own = spanOf(threshold, kind);
  if (isEmpty(own)) return `can never hold: ${DOMAIN_WORDS[domainOf(threshold.aggregate, kind)]}`;
  const against = before.find((other) => !canBothHold(threshold, other, kind));
  if (against !== undefined) return `cannot hold together with ${against.text.trim()}`;
  const alike = before.filter(({ aggregate }) => rankOf(aggregate) === rankOf(threshold.aggregate));
  const together = alike.reduce((span, other) => both(span, spanOf(other, kind)), own);
  return isEmpty(together) ? 'cannot hold together with those before it' : undefined;
}

type Domain = 'rate' | 'count' | 'time';

const DOMAIN_WORDS: Readonly<Record<Domain, string>> = {
  rate: 'a rate is 0 to 1',
  count: 'a count is a whole number of 0 or more',
  time: 'a time is 0 or more',
};

const ALL: Span = {
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  hasLow: false,
  hasHigh: false,
  isWhole: false,
  without: [],
};

/** None below 0. */
const TIMES: Span = { ...ALL, low: 0, hasLow: true };

const DOMAINS: Readonly<Record<Domain, Span>> = {
  rate: { ...TIMES, high: 1, hasHigh: true },
  count: { ...TIMES, isWhole: true },
  time: TIMES,
};

function domainOf({ kind: aggregate }: ThresholdAggregate, kind: Metric['kind']): Domain {
  if (kind !== 'distribution') return kind;
  return aggregate === 'count' ? 'count' : 'time';
}

function spanOf({ aggregate, operator, limit }: Threshold, kind: Metric['kind']): Span {
  const domain = DOMAINS[domainOf(aggregate, kind)];
  if (operator === '!=') return { ...domain, without: [limit] };
  const isIncluded = operator.endsWith('=');
  return both(domain, {
    ...ALL,
    isWhole: domain.isWhole,
    ...(!operator.startsWith('<') && { low: limit, hasLow: isIncluded }),
    ...(!operator.startsWith('>') && { high: limit, hasHigh: isIncluded }),
  });
}

/** Values that are in both. */
function both(one: Span, other: Span): Span {
  const low = Math.max(one.low, other.low);
  const high = Math.min(one.high, other.high);
  const isIn = (end: number, own: number, has: boolean): boolean => own !== end || has;
  return {
    low,
    high,
    isWhole: one.isWhole,
    without: [...one.without, ...other.without],
    hasLow: isIn(low, one.low, one.hasLow) && isIn(low, other.low, other.hasLow),
    hasHigh: isIn(high, one.high, one.hasHigh) && isIn(high, other.high, other.hasHigh),
  };
}

function isEmpty({ low, high, hasLow, hasHigh, isWhole, without }: Span): boolean {
  if (!isWhole) return low > high || (low === high && (!hasLow || !hasHigh || without.includes(low)));
  const last = hasHigh ? Math.floor(high) : Math.ceil(high) - 1;
  let first = hasLow ? Math.ceil(low) : Math.floor(low) + 1;
  while (first <= last && without.includes(first)) first += 1;
  return first > last;
}

/** Aggregates of times in their order: none is more than one of a higher rank. */
const RANKS: readonly string[] = ['min', '50', '90', '95', '99', '99.9', 'max'];

/** Whether two aggregates are the same, or which is the lesser, by their place in {@link RANKS}; a word where they have none. */
function rankOf(aggregate: ThresholdAggregate): number | string {
  const { kind } = aggregate;
  if (kind === 'rate' || kind === 'count' || kind === 'value') return 'value';
  const rank = RANKS.indexOf(kind === 'p' ? aggregate.percentile : kind === 'med' ? '50' : kind);
  return rank < 0 ? kind : rank;
}

/** Whether one is never more than the other, where they are not the same. */
function isAtMost(lesser: ThresholdAggregate, greater: ThresholdAggregate): boolean {
  const [one, other] = [rankOf(lesser), rankOf(greater)];
  if (typeof one === 'number' && typeof other === 'number') return one < other;
  return (lesser.kind === 'min' && other === 'avg') || (one === 'avg' && greater.kind === 'max');
}

function canBothHold(one: Threshold, other: Threshold, kind: Metric['kind']): boolean {
  const [span, against] = [spanOf(one, kind), spanOf(other, kind)];
  if (rankOf(one.aggregate) === rankOf(other.aggregate)) return !isEmpty(both(span, against));
  if (isAtMost(one.aggregate, other.aggregate)) return canBeAtMost(span, against);
  return !isAtMost(other.aggregate, one.aggregate) || canBeAtMost(against, span);
}

const canBeAtMost = (lesser: Span, greater: Span): boolean =>
  lesser.low < greater.high || (lesser.low === greater.high && lesser.hasLow && greater.hasHigh);
