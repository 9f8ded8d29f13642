import type { ProviderScorecard } from '@hopback/sdk/platform';
import { answerTimes, quantile } from './answer-times.js';
import type { CountedRequest, ExclusionReason, Timeliness } from './counted-request.js';
import { CONCERN_RULES } from './standing.js';
import type { ConcernMeasure, ProviderStanding } from './standing.js';

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
