import type { CooperationConcern } from '@hopback/sdk/platform';
import type { RequestOutcome } from '../../core/index.js';

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
export interface CountingFacts {
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
