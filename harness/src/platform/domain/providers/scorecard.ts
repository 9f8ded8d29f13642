import type { ProviderScorecard } from '@hopback/sdk/platform';
import type { RequestOutcome } from '../../core/index.js';

type CooperationConcern = ProviderScorecard['concerns'][number]['concern'];

const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
const HOUR = 3_600;
/** A minute is a machine, an hour a person, 24 hours the rule (47 CFR 64.1200(n)(1)), a week what few wait for. */
const EDGES_SECONDS: readonly number[] = [60, 300, 900, HOUR, 4 * HOUR, 8 * HOUR, 24 * HOUR, 48 * HOUR, 168 * HOUR];

/** Distribution of response times. @param seconds - from issue to answer by the platform's clock, in any order; at least one */
export function answerTimes(seconds: readonly number[]): NonNullable<ProviderScorecard['answerTimes']> {
  const sorted = [...seconds].sort((one, other) => one - other);
  const counts = EDGES_SECONDS.map((edge, index) => {
    const below = EDGES_SECONDS[index - 1] ?? -Infinity;
    return { upToSeconds: edge, count: sorted.filter((value) => value > below && value <= edge).length };
  });
  const last = EDGES_SECONDS.at(-1) ?? 0;
  return {
    quantiles: SHARES.map((share) => ({ share, seconds: quantile(sorted, share) })),
    histogram: [...counts, { count: sorted.filter((value) => value > last).length }],
  };
}

/** Nearest rank: a time that there was, never one between two. @param sorted - upwards */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** What became of a request, by the platform's clock alone: what a provider says about time is not asked. */
export type Timeliness = 'in-time' | 'late' | 'unanswered' | 'open' | 'cancelled';

/**
 * Why a request is left out of every rate.
 * - `withdrawn`: the platform withdrew it before there was an answer
 * - `platform-outage`: it is late or unanswered, and the platform could not be reached within its time
 * - `contest-upheld`: the provider contested how it is counted, and was right
 */
export type ExclusionReason = 'withdrawn' | 'platform-outage' | 'contest-upheld';

/** What was decided about a provider's objection; `pending` while it is not. */
export type ContestState = 'pending' | 'upheld' | 'rejected';

/** Why a request speaks for a concern. */
export type FindingReason =
  | 'unanswered'
  | 'refused'
  | 'origin'
  | 'accepted-from-unlisted'
  | 'point-of-entry'
  | 'not-found'
  | 'not-retained'
  | 'ambiguous';

/** What one request says of the provider. */
export interface CountedRequest {
  readonly outcome: RequestOutcome;
  readonly timeliness: Timeliness;
  readonly excluded?: ExclusionReason;
  readonly contest?: ContestState;
  /** Concerns for whose rate it counts at all. */
  readonly tried: readonly CooperationConcern[];
  /** Concerns that it speaks for; each is in `tried`. */
  readonly findings: readonly { readonly concern: CooperationConcern; readonly reason: FindingReason }[];
}

/** What counting rests on beside the outcomes. */
interface CountingFacts {
  readonly nowMs: number;
  /** When the platform itself could not be reached. */
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Objections by the id of their request. */
  readonly contests: ReadonlyMap<string, ContestState>;
}

/**
 * Counts one request. A statement that a neighbour's contradicts is held apart: that there was an answer counts, what it says does not, and
 * neither does the part in the call, since nobody knows who of the two is right.
 * @returns what it says of the provider, with reasons; never throws
 */
export function countRequest(outcome: RequestOutcome, facts: CountingFacts): CountedRequest {
  const timeliness = timelinessOf(outcome, facts.nowMs);
  const contest = facts.contests.get(outcome.requestId);
  const excluded = exclusionOf(outcome, timeliness, facts);
  const isCounted = excluded === undefined && timeliness !== 'open';
  const findings = isCounted ? findingsOf(outcome, timeliness) : [];
  return {
    outcome,
    timeliness,
    ...(excluded !== undefined && { excluded }),
    ...(contest !== undefined && { contest }),
    tried: isCounted ? triedOf(outcome, timeliness) : [],
    findings,
  };
}

function timelinessOf({ state, dueAtMs, answeredAtMs }: RequestOutcome, nowMs: number): Timeliness {
  if (state === 'cancelled') return 'cancelled';
  if (answeredAtMs !== undefined) return dueAtMs !== undefined && answeredAtMs > dueAtMs ? 'late' : 'in-time';
  if (state === 'unanswered') return 'unanswered';
  return dueAtMs !== undefined && dueAtMs < nowMs ? 'unanswered' : 'open';
}

function exclusionOf(
  { requestId, issuedAtMs, dueAtMs }: RequestOutcome,
  timeliness: Timeliness,
  { outages, contests }: CountingFacts,
): ExclusionReason | undefined {
  if (timeliness === 'cancelled') return 'withdrawn';
  if (contests.get(requestId) === 'upheld') return 'contest-upheld';
  const isBehind = timeliness === 'late' || timeliness === 'unanswered';
  const endMs = dueAtMs ?? Infinity;
  const isHit = outages.some(({ fromMs, toMs }) => fromMs < endMs && toMs > issuedAtMs);
  return isBehind && isHit ? 'platform-outage' : undefined;
}

const isAnswered = (timeliness: Timeliness): boolean => timeliness === 'in-time' || timeliness === 'late';

function triedOf({ role, arm, isDisputed }: RequestOutcome, timeliness: Timeliness): readonly CooperationConcern[] {
  const hasPart = !isDisputed && (role !== undefined || arm === 'received-from-unlisted');
  const hasSaid = !isDisputed && isAnswered(timeliness) && arm !== undefined && arm !== 'refused';
  return [
    'not-participating',
    ...(hasPart ? (['repeated-origin', 'regular-point-of-entry'] as const) : []),
    ...(hasSaid ? (['insufficient-records'] as const) : []),
  ];
}

function findingsOf({ role, arm, isDisputed }: RequestOutcome, timeliness: Timeliness): CountedRequest['findings'] {
  const part = isDisputed ? [] : partOf(role);
  if (timeliness === 'unanswered') return [{ concern: 'not-participating', reason: 'unanswered' }, ...part];
  if (arm === 'refused') return [{ concern: 'not-participating', reason: 'refused' }, ...part];
  if (isDisputed) return [];
  const lacking = arm === 'not-found' || arm === 'not-retained' || arm === 'ambiguous';
  return [
    ...part,
    ...(arm === 'received-from-unlisted' && role !== 'origin'
      ? [{ concern: 'repeated-origin', reason: 'accepted-from-unlisted' } as const]
      : []),
    ...(lacking ? [{ concern: 'insufficient-records', reason: arm } as const] : []),
  ];
}

function partOf(role: RequestOutcome['role']): CountedRequest['findings'] {
  if (role === 'origin') return [{ concern: 'repeated-origin', reason: 'origin' }];
  return role === 'point-of-entry' ? [{ concern: 'regular-point-of-entry', reason: 'point-of-entry' }] : [];
}

/** Share with the interval in which the true one lies with a stated confidence. */
interface RateInterval {
  readonly hits: number;
  readonly trials: number;
  /** `hits / trials`; 0 where there are no trials. */
  readonly rate: number;
  readonly lower: number;
  readonly upper: number;
}

/** Quantile of the normal distribution for intervals of 95 %, two-sided. */
const Z = 1.959963984540054;

/**
 * Wilson score interval of a share, 95 %. Unlike the one of the textbook (Wald) it stays within 0 and 1 and covers what it promises, about,
 * for few requests and for shares near 0 and 1, which is what most providers have. Where nothing was tried it is 0 to 1: nothing is known.
 * @param hits - whole, 0 to `trials`
 * @param trials - whole, 0 or more
 * @see E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927)
 * @example
 * ```ts
 * console.log(wilsonInterval(0, 3).upper > 0.5); // true
 * ```
 */
export function wilsonInterval(hits: number, trials: number): RateInterval {
  if (trials === 0)
    return {
      hits,
      trials,
      rate: 0,
      lower: 0,
      upper: 1,
    };
  const rate = hits / trials;
  const square = Z * Z;
  const divisor = 1 + square / trials;
  const centre = (rate + square / (2 * trials)) / divisor;
  const half = (Z * Math.sqrt((rate * (1 - rate)) / trials + square / (4 * trials * trials))) / divisor;
  // At the ends the bound is exact, whatever the last bits say.
  const lower = hits === 0 ? 0 : Math.max(0, centre - half);
  const upper = hits === trials ? 1 : Math.min(1, centre + half);
  return {
    hits,
    trials,
    rate,
    lower,
    upper,
  };
}

/**
 * Probability of at least so many hits where each trial is one with a given probability, independently: the p-value of the exact one-sided
 * test whether a share is above `probability`.
 * @param hits - whole, 0 to `trials`
 * @param trials - whole
 * @param probability - above 0 and below 1
 * @returns 0 to 1; to about 12 digits
 * @see NIST Digital Library of Mathematical Functions, 8.17.5: the tail is a regularized incomplete beta function
 * @example
 * ```ts
 * console.log(binomialUpperTail(2, 2, 0.5)); // 0.25
 * ```
 */
export function binomialUpperTail(hits: number, trials: number, probability: number): number {
  if (hits <= 0) return 1;
  if (hits > trials) return 0;
  return Math.min(1, Math.max(0, incompleteBeta(probability, hits, trials - hits + 1)));
}

/** Regularized I_x(a, b). DLMF 8.17 */
function incompleteBeta(x: number, a: number, b: number): number {
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // The continued fraction converges fast below this point; above it the mirrored one does.
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

/** Terms of the continued fraction: about the square root of the number of trials is needed, and a provider has no million. */
const MAX_TERMS = 2_000;
const PRECISION = 1e-14;
/** Stands for zero in a divisor. */
const TINY = 1e-300;

/** DLMF 8.17.22, by the method of Lentz. */
function betaFraction(x: number, a: number, b: number): number {
  const safe = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / safe(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= MAX_TERMS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d);
    c = safe(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d);
    c = safe(1 + odd / c);
    const step = d * c;
    result *= step;
    if (Math.abs(step - 1) < PRECISION) break;
  }
  return result;
}

/** Coefficients of C. Lanczos for g = 7, n = 9. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Natural logarithm of the gamma function for arguments from 1 up. */
function logGamma(argument: number): number {
  const x = argument - 1;
  const sum = LANCZOS.reduce(
    (total, coefficient, index) => (index === 0 ? coefficient : total + coefficient / (x + index)),
    0,
  );
  const t = x + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum);
}

/**
 * What the p-values of many tests are after the procedure of Benjamini and Hochberg: whoever calls those of at most 0.05 findings is wrong in
 * 5 % of his findings on average, however many providers were looked at.
 * @param pValues - of tests that are independent, or positively dependent
 * @returns q-values in the same order, each at least its p-value
 * @see Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, J. R. Statist. Soc. B 57 (1995)
 * @example
 * ```ts
 * console.log(falseDiscoveryRates([0.01, 0.5]).map((q) => q.toFixed(2))); // [ '0.02', '0.50' ]
 * ```
 */
export function falseDiscoveryRates(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((one, other) => other.p - one.p);
  const rates: number[] = Array.from(pValues, () => 1);
  let least = 1;
  for (const [above, { p, index }] of order.entries()) {
    const rank = pValues.length - above;
    // A quotient of at least 1: rounding never brings a q-value below its p-value.
    least = Math.min(least, p * (pValues.length / rank));
    rates[index] = least;
  }
  return rates;
}

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
interface ConcernMeasure {
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
  return {
    concern,
    interval,
    campaigns,
    isTooFew,
    ...(qValue !== undefined && { qValue }),
    isConcern,
  };
}

/** Different reasons of refusals that are told, those given most often: as many as the contract takes. */
const MAX_REASONS = 100;

/** Digits of shares: more would be false precision, and make two computers differ in the last one. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

/**
 * The scorecard of a provider in the form of the contract.
 * @param standing - as {@link measureStandings} made it of the requests of all providers
 * @param range - stretch of time that was counted, milliseconds since the epoch
 */
export function scorecardOf(
  { providerId, requests, measures }: ProviderStanding,
  range: { readonly fromMs: number; readonly toMs: number },
): ProviderScorecard {
  const seconds = requests
    .flatMap(({ outcome: { issuedAtMs, answeredAtMs } }) =>
      answeredAtMs === undefined ? [] : [Math.max(0, answeredAtMs - issuedAtMs) / 1_000],
    )
    .sort((one, other) => one - other);
  return {
    format: 'hopback.provider-scorecard.1',
    providerId,
    from: new Date(range.fromMs).toISOString(),
    to: new Date(range.toMs).toISOString(),
    ...countsOf(requests),
    // Each traceback follows one call; of a call that came by a provider twice it is asked twice.
    tracedCalls: new Set(requests.map(({ outcome }) => outcome.tracebackId)).size,
    ...(seconds.length > 0 && {
      medianAnswerSeconds: quantile(seconds, 0.5),
      slowestAnswerSeconds: seconds.at(-1) ?? 0,
      answerTimes: answerTimes(seconds),
    }),
    roles: rolesOf(requests),
    disputed: requests.filter(({ outcome }) => outcome.isDisputed).length,
    concerns: measures
      .filter(({ isConcern }) => isConcern)
      .map(({ concern, interval }) => ({ concern, count: interval.hits })),
    rates: measures.map(rateOf),
    contests: contestsOf(requests),
  };
}

function countsOf(
  requests: readonly CountedRequest[],
): Pick<ProviderScorecard, 'requests' | 'answers' | 'refusals' | 'excluded'> {
  const of = (timeliness: Timeliness): number => requests.filter((one) => one.timeliness === timeliness).length;
  const excludedBy = (reason: ExclusionReason): number => requests.filter(({ excluded }) => excluded === reason).length;
  const arms = counted(requests.flatMap(({ outcome: { arm } }) => (arm === undefined ? [] : [arm])));
  const reasons = counted(
    requests.flatMap(({ outcome: { arm, reason } }) => (arm === 'refused' && reason !== undefined ? [reason] : [])),
  );
  return {
    requests: {
      received: requests.length,
      answeredInTime: of('in-time'),
      answeredLate: of('late'),
      unanswered: of('unanswered'),
      open: of('open'),
      cancelled: of('cancelled'),
    },
    answers: arms.map(([arm, count]) => ({ arm, count })),
    refusals: reasons.slice(0, MAX_REASONS).map(([reason, count]) => ({ reason, count })),
    excluded: EXCLUSIONS.map((reason) => ({ reason, count: excludedBy(reason) })).filter(({ count }) => count > 0),
  };
}

const EXCLUSIONS: readonly ExclusionReason[] = ['withdrawn', 'platform-outage', 'contest-upheld'];

/** By how often, most first, then by the word itself. */
function counted<Word extends string>(words: readonly Word[]): readonly (readonly [Word, number])[] {
  const counts = new Map<Word, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([one, many], [other, few]) => few - many || (one < other ? -1 : 1));
}

function rolesOf(requests: readonly CountedRequest[]): ProviderScorecard['roles'] {
  const of = (role: string): number =>
    requests.filter(({ outcome }) => !outcome.isDisputed && outcome.role === role).length;
  return {
    origin: of('origin'),
    pointOfEntry: of('point-of-entry'),
    transit: of('transit'),
    terminating: of('terminating'),
  };
}

function rateOf({
  concern,
  interval,
  campaigns,
  isTooFew,
  qValue,
}: ConcernMeasure): NonNullable<ProviderScorecard['rates']>[number] {
  const { hits, trials, rate, lower, upper } = interval;
  return {
    concern,
    hits,
    trials,
    rate: rounded(rate),
    lower: rounded(lower),
    upper: rounded(upper),
    campaigns,
    threshold: CONCERN_RULES[concern].threshold,
    isTooFew,
    // As small as it is: rounded it would be 0, and nothing is that sure.
    ...(qValue !== undefined && { qValue }),
  };
}

function contestsOf(requests: readonly CountedRequest[]): NonNullable<ProviderScorecard['contests']> {
  const of = (state: string): number => requests.filter(({ contest }) => contest === state).length;
  return { pending: of('pending'), upheld: of('upheld'), rejected: of('rejected') };
}
