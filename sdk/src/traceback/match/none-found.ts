import type { MatchCandidate, MatchOutcome, MatchSearch } from '../match-outcome.js';
import type { SearchCoverage } from './covered-search.js';
import { DOUBTS } from './match-doubts.js';
import { MAX_MATCH_CANDIDATES } from './match-options.js';
import type { SearchPlan } from './plan-search.js';
import { isTollFree } from './stated-number.js';
import type { WeighedCandidate } from './weigh-candidates.js';

/** What an outcome is made of. */
export interface Judging {
  readonly plan: Extract<SearchPlan, { status: 'planned' }>;
  /** Best first. */
  readonly weighed: readonly WeighedCandidate[];
  readonly search: MatchSearch;
  /** Whether there were more records than were read. */
  readonly isCut: boolean;
  /** What can be said about all that was looked through. */
  readonly covered: SearchCoverage;
  /** What can be said about the windows in which everything consistent with the stated time began. */
  readonly narrow: SearchCoverage;
}

/**
 * What can be said where no call is consistent with what was stated, or nearly so: that there was none only where everything that it could
 * be was looked for, is at hand, and is not there. Never throws.
 */
export function noneFound({ plan, weighed, search, isCut, covered, narrow }: Judging): MatchOutcome {
  const { gaps, retainedFromUs } = covered;
  const alike = weighed.filter(({ candidate }) => isAlike(candidate)).map(({ candidate }) => candidate);
  const toPerson = (because: readonly string[]): MatchOutcome => ({
    status: 'several',
    candidates: alike.slice(0, MAX_MATCH_CANDIDATES),
    because: [...because, ...plan.notes],
    ...keptOf(covered),
    search,
  });
  const kept = retainedFromUs === undefined ? [] : [DOUBTS.notKept];
  const found = [...(isCut ? [DOUBTS.cut] : []), ...(alike.length > 0 ? [DOUBTS.alike] : [])];
  if (found.length > 0) return toPerson([...found, ...(gaps.length > 0 ? [DOUBTS.gap] : []), ...kept]);
  if (narrow.retainedFromUs !== undefined && latestUs(plan) < narrow.retainedFromUs)
    return { status: 'not-retained', retainedFromUs: narrow.retainedFromUs, search };
  if (gaps.length > 0) return { status: 'gap', gaps, search };
  const because = [...kept, ...statedDoubts(plan), ...searchDoubts(plan, search.keys)];
  return because.length > 0 ? toPerson(because) : { status: 'none-but-covered', search };
}

/** What a person may say of records that are missing. Never throws. */
export function keptOf({
  gaps,
  retainedFromUs,
}: SearchCoverage): Pick<Extract<MatchOutcome, { status: 'several' }>, 'isCovered' | 'retainedFromUs'> {
  const isCovered = gaps.length === 0 && retainedFromUs === undefined;
  return retainedFromUs === undefined ? { isCovered } : { isCovered, retainedFromUs };
}

/** What of a statement forbids that a machine decides, whatever is found. Never throws. */
export function statedDoubts({ time, called }: Judging['plan']): readonly string[] {
  return [
    ...(time.occurs === 'left-out' ? [DOUBTS.leftOut] : []),
    ...(time.zoneFrom === 'none' ? [DOUBTS.noZone] : []),
    ...(called.kind === 'number' && !called.isGlobal ? [DOUBTS.notGlobal] : []),
  ];
}

/** Whether all calls to the number that was stated were looked for, and not only those with an identifier. Never throws. */
export function isByCalled({ called }: Judging['plan'], keys: readonly string[]): boolean {
  return called.kind === 'number' && keys.includes('called');
}

/** What the search cannot have found, if it was there. */
function searchDoubts(plan: Judging['plan'], keys: readonly string[]): readonly string[] {
  const { called, calling } = plan;
  const isByCaller = calling.kind === 'number' && calling.isGlobal && keys.includes('calling');
  return [
    ...(isByCalled(plan, keys) ? [] : [DOUBTS.notByCalled]),
    ...(called.kind === 'number' && isTollFree(called.tn) && !isByCaller ? [DOUBTS.tollFree] : []),
    ...(plan.keys.includes('record-id') ? [DOUBTS.noRecord] : []),
  ];
}

/** Whether a call was to the number that was stated, or may have been by the one and to the other. */
function isAlike({ reasons }: MatchCandidate): boolean {
  const isEqual = reasons.some(({ field, verdict }) => field === 'called' && verdict === 'equal');
  const isOther = reasons.some(
    ({ field, verdict }) => verdict === 'contradicts' && (field === 'called' || field === 'calling'),
  );
  return isEqual || !isOther;
}

/** Clocks are behind UTC by 12 hours at most: as much later a time without a zone may have been, microseconds. */
const MOST_BEHIND_UTC_US = 43_200_000_000;

/** The last instant at which a call could have begun that is consistent with the stated time in any way that it may be meant. */
function latestUs({ narrow, time: { zoneFrom } }: Judging['plan']): number {
  return Math.max(...narrow.map(({ toUs }) => toUs)) + (zoneFrom === 'none' ? MOST_BEHIND_UTC_US : 0);
}
