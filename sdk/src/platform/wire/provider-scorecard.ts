import type { FindingArm } from '../../core/traceback-request.js';

/** What became of the requests to a provider. They add up to `received`. */
export interface RequestCounts {
  readonly received: number;
  readonly answeredInTime: number;
  readonly answeredLate: number;
  /** Due, and not answered. */
  readonly unanswered: number;
  /** Not due yet. */
  readonly open: number;
  readonly cancelled: number;
}

/** How often a provider was what in tracebacks that ended. */
export interface TracebackRoles {
  readonly origin: number;
  readonly pointOfEntry: number;
  readonly transit: number;
  readonly terminating: number;
}

/** A reason that a provider gave for not answering, and how often. */
export interface RefusalReason {
  readonly reason: string;
  readonly count: number;
}

/**
 * What makes a provider look non-cooperative, as the attorneys general of 51 jurisdictions listed it in 2020:
 * - `not-participating`: requests go unanswered or refused
 * - `repeated-origin`: illegal calls begin or are taken in there again and again
 * - `regular-point-of-entry`: foreign illegal calls regularly come in there
 * - `insufficient-records`: records are repeatedly missing, gone or ambiguous
 */
export type CooperationConcern =
  'not-participating' | 'repeated-origin' | 'regular-point-of-entry' | 'insufficient-records';

/** Why a request is left out of all rates: withdrawn, the platform's own outage, or contested by the provider with reason. */
export type RequestExclusion = 'withdrawn' | 'platform-outage' | 'contest-upheld';

/** How large a share of the requests speaks for a concern, and how sure that is. */
export interface ConcernRate {
  readonly concern: CooperationConcern;
  /** Requests that speak for it. */
  readonly hits: number;
  /** Requests that could have. */
  readonly trials: number;
  /** `hits` of `trials`; 0 where there are none. */
  readonly rate: number;
  /** Wilson score interval, 95 %. */
  readonly lower: number;
  readonly upper: number;
  /** Campaigns that the requests which speak for it belong to. */
  readonly campaigns: number;
  /** Share above which the lower bound has to be for a concern. */
  readonly threshold: number;
  /** Too few requests to say anything: never a concern. */
  readonly isTooFew: boolean;
  /** Of the exact test, after Benjamini and Hochberg over all providers of that time; absent where there were too few requests. */
  readonly qValue?: number;
}

/** How long answers took, from issue to answer, by the platform's clock. */
export interface AnswerTimeDistribution {
  /** Seconds within which that share of the answers was there. */
  readonly quantiles: readonly { readonly share: number; readonly seconds: number }[];
  /** Answers that took at most so long and longer than those before; the last entry has no upper end. */
  readonly histogram: readonly { readonly upToSeconds?: number; readonly count: number }[];
}

/** Requests whose counting the provider contested, by what was decided. */
export interface ContestCounts {
  /** Counted and marked until it is decided. */
  readonly pending: number;
  /** Left out of all rates. */
  readonly upheld: number;
  readonly rejected: number;
}

/**
 * How a provider answers, over a stretch of time: rates and reasons, never a yes or no.
 * @see TRACED Act section 13(d); 47 CFR 64.1203
 */
export interface ProviderScorecard {
  readonly format: 'hopback.provider-scorecard.1';
  readonly providerId: string;
  /** Stretch that is counted, RFC 3339 in UTC; `from` is in it, `to` is not. */
  readonly from: string;
  readonly to: string;
  readonly requests: RequestCounts;
  /** Different calls that the requests were about: each traceback follows one. */
  readonly tracedCalls?: number;
  /** Last answers by what they say; arms that did not come are left out. */
  readonly answers: readonly { readonly arm: FindingArm; readonly count: number }[];
  readonly refusals: readonly RefusalReason[];
  /** From issue to answer, seconds; absent where nothing was answered. */
  readonly medianAnswerSeconds?: number;
  readonly slowestAnswerSeconds?: number;
  readonly roles: TracebackRoles;
  /** Answers that a neighbour's answer contradicts, where evidence did not decide. */
  readonly disputed: number;
  /** Each with the count that gave rise to it. */
  readonly concerns: readonly { readonly concern: CooperationConcern; readonly count: number }[];
  /** Requests that are left out of all rates, by why. */
  readonly excluded?: readonly { readonly reason: RequestExclusion; readonly count: number }[];
  /** What the concerns rest on, those that are none too. */
  readonly rates?: readonly ConcernRate[];
  /** Absent where nothing was answered. */
  readonly answerTimes?: AnswerTimeDistribution;
  readonly contests?: ContestCounts;
}
