import type { Metric } from './metrics.js';
import type { Threshold, ThresholdAggregate } from './parse-threshold.js';

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

const DOMAINS: Readonly<Record<Domain, Span>> = {
  rate: { low: 0, high: 1, hasLow: true, hasHigh: true, isWhole: false, without: [] },
  count: { low: 0, high: Number.POSITIVE_INFINITY, hasLow: true, hasHigh: false, isWhole: true, without: [] },
  time: { low: 0, high: Number.POSITIVE_INFINITY, hasLow: true, hasHigh: false, isWhole: false, without: [] },
};

function domainOf({ kind: aggregate }: ThresholdAggregate, kind: Metric['kind']): Domain {
  if (kind !== 'distribution') return kind;
  return aggregate === 'count' ? 'count' : 'time';
}

function spanOf({ aggregate, operator, limit }: Threshold, kind: Metric['kind']): Span {
  const domain = DOMAINS[domainOf(aggregate, kind)];
  const all: Span = {
    ...{ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, hasLow: false, hasHigh: false },
    ...{ isWhole: domain.isWhole, without: [] },
  };
  switch (operator) {
    case '<':
      return both(domain, { ...all, high: limit });
    case '<=':
      return both(domain, { ...all, high: limit, hasHigh: true });
    case '>':
      return both(domain, { ...all, low: limit });
    case '>=':
      return both(domain, { ...all, low: limit, hasLow: true });
    case '==':
      return both(domain, { ...all, low: limit, high: limit, hasLow: true, hasHigh: true });
    default:
      return { ...domain, without: [limit] };
  }
}

/** Values that are in both. */
function both(one: Span, other: Span): Span {
  const low = Math.max(one.low, other.low);
  const high = Math.min(one.high, other.high);
  const isIn = (end: number, own: number, has: boolean): boolean => own !== end || has;
  return {
    ...{ low, high, isWhole: one.isWhole, without: [...one.without, ...other.without] },
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
