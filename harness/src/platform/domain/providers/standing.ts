import type { CooperationConcern } from '@hopback/sdk/platform';
import type { RequestOutcome } from '../../core/index.js';
import { binomialUpperTail, falseDiscoveryRates, wilsonInterval } from './binomial.js';
import type { RateInterval } from './binomial.js';
import { countRequest } from './counted-request.js';
import type { CountedRequest, CountingFacts } from './counted-request.js';

/** From when on a share is a concern. */
export interface ConcernRule {
  /** Share that the lower bound of the interval has to be above. */
  readonly threshold: number;
  /** Requests below which nothing is said. */
  readonly minTrials: number;
  /** Requests that have to speak for it. */
  readonly minHits: number;
  /** Campaigns that these have to come from: parallel tracebacks of one campaign are one event told several times. */
  readonly minCampaigns: number;
}

/** Below ten requests the interval of even ten of ten reaches below three quarters, and one bad day decides. */
const MIN_TRIALS = 10;
/** "Repeatedly" and "regularly" are more than twice. */
const MIN_HITS = 3;

/**
 * The four concerns of the request of 2020. In 2024 one provider in nine was non-responsive at all; who leaves more than a fifth of
 * what he is asked unanswered is far above that. Parts in calls have higher bounds where the part is a business of its own: a gateway
 * provider is a point of entry by trade, and its share says more than its count.
 */
export const CONCERN_RULES: Readonly<Record<CooperationConcern, ConcernRule>> = {
  'not-participating': { threshold: 0.2, minTrials: MIN_TRIALS, minHits: MIN_HITS, minCampaigns: 1 },
  'repeated-origin': { threshold: 0.2, minTrials: MIN_TRIALS, minHits: MIN_HITS, minCampaigns: 2 },
  'regular-point-of-entry': { threshold: 0.3, minTrials: MIN_TRIALS, minHits: MIN_HITS, minCampaigns: 2 },
  'insufficient-records': { threshold: 0.2, minTrials: MIN_TRIALS, minHits: MIN_HITS, minCampaigns: 1 },
};

/** Which share of all stated concerns may be false, on average: thousands of providers are looked at, and chance alone would accuse some. */
export const FALSE_DISCOVERY_RATE = 0.05;

/** One concern, measured. */
export interface ConcernMeasure {
  readonly concern: CooperationConcern;
  readonly interval: RateInterval;
  /** Campaigns of the requests that speak for it; a traceback without a campaign is one of its own. */
  readonly campaigns: number;
  /** Whether there are too few requests to say anything. */
  readonly isTooFew: boolean;
  /** After Benjamini and Hochberg, over all providers and concerns that were tested together; absent where nothing was tested. */
  readonly qValue?: number;
  readonly isConcern: boolean;
}

/** A provider's requests as counted, and what they come to. */
export interface ProviderStanding {
  readonly providerId: string;
  readonly requests: readonly CountedRequest[];
  readonly measures: readonly ConcernMeasure[];
}

/**
 * Counts requests and looks for concerns, of all providers together: a concern is stated only where there are enough requests, the lower bound
 * of the 95 % interval is above the threshold of {@link CONCERN_RULES}, and the exact test still holds when the false discovery rate over all
 * tests is kept at {@link FALSE_DISCOVERY_RATE}. Requests are taken for independent of each other; of one campaign they are not quite,
 * which is why parts in calls need several campaigns.
 * @param outcomes - of all providers, of the same stretch of time: with fewer providers the correction is too weak
 * @param facts - time, outages and objections
 * @returns by provider; never throws
 */
export function measureStandings(
  outcomes: readonly RequestOutcome[],
  facts: CountingFacts,
): ReadonlyMap<string, ProviderStanding> {
  const byProvider = new Map<string, CountedRequest[]>();
  for (const outcome of outcomes) {
    const own = byProvider.get(outcome.providerId) ?? [];
    if (own.length === 0) byProvider.set(outcome.providerId, own);
    own.push(countRequest(outcome, facts));
  }
  const tested = [...byProvider].flatMap(([providerId, requests]) =>
    CONCERNS.map((concern) => ({ providerId, ...plainMeasure(concern, requests) })),
  );
  const withTest = tested.filter(({ isTooFew }) => !isTooFew);
  const rates = falseDiscoveryRates(withTest.map(({ concern, interval }) => pValue(concern, interval)));
  const measures = new Map<string, ConcernMeasure[]>([...byProvider.keys()].map((providerId) => [providerId, []]));
  const qValues = new Map(withTest.map((measure, index) => [measure, rates[index] ?? 1]));
  for (const measure of tested) measures.get(measure.providerId)?.push(judged(measure, qValues.get(measure)));
  return new Map(
    [...byProvider].map(([providerId, requests]) => [
      providerId,
      { providerId, requests, measures: measures.get(providerId) ?? [] },
    ]),
  );
}

/** In the order in which they were asked for. */
export const CONCERNS: readonly CooperationConcern[] = [
  'not-participating',
  'repeated-origin',
  'regular-point-of-entry',
  'insufficient-records',
];

/** The standing of a provider that was not asked anything. */
export const emptyStanding = (providerId: string): ProviderStanding => ({
  providerId,
  requests: [],
  measures: CONCERNS.map((concern) => ({ ...plainMeasure(concern, []), isConcern: false })),
});

type PlainMeasure = Omit<ConcernMeasure, 'qValue' | 'isConcern'>;

function plainMeasure(concern: CooperationConcern, requests: readonly CountedRequest[]): PlainMeasure {
  const tried = requests.filter((request) => request.tried.includes(concern));
  const hits = tried.filter(({ findings }) => findings.some((finding) => finding.concern === concern));
  const campaigns = new Set(hits.map(({ outcome: { campaignId, tracebackId } }) => campaignId ?? tracebackId));
  return {
    concern,
    interval: wilsonInterval(hits.length, tried.length),
    campaigns: campaigns.size,
    isTooFew: tried.length < CONCERN_RULES[concern].minTrials,
  };
}

const pValue = (concern: CooperationConcern, { hits, trials }: RateInterval): number =>
  binomialUpperTail(hits, trials, CONCERN_RULES[concern].threshold);

function judged({ concern, interval, campaigns, isTooFew }: PlainMeasure, qValue: number | undefined): ConcernMeasure {
  const { threshold, minHits, minCampaigns } = CONCERN_RULES[concern];
  const isConcern =
    qValue !== undefined &&
    qValue <= FALSE_DISCOVERY_RATE &&
    interval.lower > threshold &&
    interval.hits >= minHits &&
    campaigns >= minCampaigns;
  return { concern, interval, campaigns, isTooFew, ...(qValue !== undefined && { qValue }), isConcern };
}
