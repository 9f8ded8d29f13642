import type { CallRecord } from '../../core/call-record.js';
import type { CoverageInterval } from '../../core/call-record.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { StoreScope, TimeWindow } from '../../records/store/record-store.js';
import type { MatchOutcome, MatchSearch } from '../match-outcome.js';
import type { TrunkDirectory } from '../trunk-directory.js';
import { searchCoverage } from './covered-search.js';
import { DOUBTS, LACKS } from './match-doubts.js';
import { matchLimits, MAX_MATCH_CANDIDATES } from './match-options.js';
import type { MatchOptions } from './match-options.js';
import { isByCalled, keptOf, noneFound, statedDoubts } from './none-found.js';
import type { Judging } from './none-found.js';
import { planSearch } from './plan-search.js';
import type { SearchPlan } from './plan-search.js';
import { weighCandidates } from './weigh-candidates.js';
import type { WeighedCandidate } from './weigh-candidates.js';

/** What a request is held against. */
export interface MatchInput {
  readonly request: TracebackRequest;
  /** Records of the windows that were looked through, in any order. */
  readonly records: readonly CallRecord[];
  /** Of the sources, at least for those windows. */
  readonly coverage: readonly CoverageInterval[];
  readonly scope: StoreScope;
  readonly directory: TrunkDirectory;
  readonly options?: MatchOptions;
  /** What was looked through. Default: the widened windows of {@link planSearch}, to their ends. */
  readonly searched?: SearchedRecords;
}

/** How the records were found. */
export interface SearchedRecords {
  /** In order and apart from each other. */
  readonly windows: readonly TimeWindow[];
  /** Whether there were more records than were read. */
  readonly isCut: boolean;
  /** By what was looked, in the words of {@link MatchSearch}. Default all that the request gives. */
  readonly keys?: readonly string[];
}

/** An outcome, and whether wider windows could only add calls that are not meant. */
export interface MatchJudgement {
  readonly outcome: MatchOutcome;
  readonly isSettled: boolean;
}

/**
 * Finds the call that a request means among the records of a carrier. It is `unique` only where exactly one call is consistent with
 * everything that was stated at its stated uncertainty, no other is or could be (a record that lacks the calling number could, or one with
 * another attestation), it was sent to the provider that named us, and no record of that time is missing. Everything else is a person's to
 * decide, or says why nothing was found: "not found" only where every source is complete for all that was looked through, and no call of it
 * was to the number or has an identifier that was stated; "not retained" only where nothing is kept of any time that may have been meant.
 *
 * A call may have many legs, which count as one: forks, routes tried one after the other, numbers rewritten from leg to leg. A call that
 * crosses the carrier twice is two.
 * @param input - the request as it was received, of which nothing is trusted; records, coverage and scope of the store; the trunk directory
 * @returns the outcome, every candidate with the reasons for its score. Never throws for what a request or a record holds
 * @see {@link findMatch}, which looks the records up; 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const outcome = matchCall({
 *   request: {
 *     format: 'hopback.traceback-request.1',
 *     requestId: 'request-1',
 *     tracebackId: 'traceback-1',
 *     direction: 'back',
 *     hop: 1,
 *     requester: { kind: 'itg', name: 'Industry Traceback Group' },
 *     issuedAt: '2026-10-26T14:00:00Z',
 *     provider: { name: 'Example Carrier' },
 *     call: { called: '2025550101', at: { asWritten: '3:41 PM', local: '2026-10-23T15:41', zone: 'UTC', precision: 'minute' } },
 *   },
 *   records: [],
 *   coverage: [],
 *   scope: { sources: ['sbc-1'] },
 *   directory: { partyOf: () => undefined, isSame: (one, other) => one.name === other.name, knows: () => true },
 * });
 * console.log(outcome.status); // gap
 * ```
 */
export function matchCall(input: MatchInput): MatchOutcome {
  return judgeMatch(input, planSearch(input.request, input.options)).outcome;
}

/** As {@link matchCall}, with a plan that was made already. */
export function judgeMatch(input: MatchInput, plan: SearchPlan): MatchJudgement {
  if (plan.status === 'unreadable') return { outcome: plan, isSettled: true };
  const { request, records, directory, scope, coverage, options = {} } = input;
  const { windows, isCut, keys = plan.keys } = input.searched ?? { windows: plan.wide, isCut: false };
  const weighed = weighCandidates(records, { request, plan, directory, limits: matchLimits(options) });
  const covered = searchCoverage(windows, coverage, scope);
  const search: MatchSearch = {
    windows,
    keys,
    coverage: covered.coverage,
    recordsConsidered: new Set(records.map(({ recordId }) => recordId)).size,
  };
  const judging = { plan, weighed, search, isCut, covered, narrow: searchCoverage(plan.narrow, coverage, scope) };
  const isSettled = weighed.some(({ standing }) => standing === 'consistent' || standing === 'possible');
  const meant = weighed.filter(({ standing }) => standing !== 'other');
  return { outcome: meant.length === 0 ? noneFound(judging) : found(judging, meant), isSettled };
}

function found(judging: Judging, meant: readonly WeighedCandidate[]): MatchOutcome {
  const { weighed, search } = judging;
  // The identifier of a call names it, whatever else is on record or missing; of where else it may have been sent it says nothing.
  const isIdentified = weighed.some((one) => one.isIdentified);
  const missing = missingDoubts(judging);
  const doubts = [...statedDoubts(judging.plan), ...(isIdentified ? [] : missing)];
  const [best, next] = meant;
  if (best?.standing === 'consistent' && (next === undefined || next.standing === 'near') && doubts.length === 0) {
    return {
      status: 'unique',
      candidate: best.candidate,
      others: weighed.slice(1, 1 + MAX_MATCH_CANDIDATES).map(({ candidate }) => candidate),
      search,
    };
  }
  const disputed = doubts.length + missing.length === 0 ? disputedOf(meant) : undefined;
  const because = [...statedDoubts(judging.plan), ...missing, ...standingDoubts(meant), ...judging.plan.notes];
  return {
    status: 'several',
    candidates: meant.slice(0, MAX_MATCH_CANDIDATES).map(({ candidate }) => candidate),
    because: disputed === undefined ? because : [DOUBTS.sentElsewhere, ...judging.plan.notes],
    ...(disputed === undefined ? {} : { disputed: disputed.candidate }),
    ...keptOf(judging.covered),
    search,
  };
}

/** The one call that would be unique, had it been sent to whoever named us. */
function disputedOf(meant: readonly WeighedCandidate[]): WeighedCandidate | undefined {
  const elsewhere = meant.filter(({ contradicted }) => contradicted.every((field) => field === 'downstream'));
  const [only, ...more] = elsewhere;
  if (only === undefined || more.length > 0 || only.lacks.length > 0) return undefined;
  // A call that comes round again has another Call-ID each time: one of them was sent to whoever named us.
  if (
    meant.some(
      ({ candidate, contradicted }) => candidate.downstream === 'sent-to-downstream' && isByCallId(contradicted),
    )
  )
    return undefined;
  return only.candidate.downstream === 'sent-elsewhere' ? only : undefined;
}

function isByCallId(contradicted: readonly string[]): boolean {
  return contradicted.every((field) => field === 'call-id');
}

/** What the search itself may have missed. */
function missingDoubts({ plan, search, isCut, narrow }: Judging): readonly string[] {
  return [
    ...(isByCalled(plan, search.keys) ? [] : [DOUBTS.notByCalled]),
    ...(isCut ? [DOUBTS.cut] : []),
    ...(narrow.gaps.length > 0 ? [DOUBTS.gap] : []),
    ...(narrow.retainedFromUs === undefined ? [] : [DOUBTS.notRetained]),
  ];
}

function standingDoubts(meant: readonly WeighedCandidate[]): readonly string[] {
  const count = (standing: WeighedCandidate['standing']): number =>
    meant.filter((one) => one.standing === standing).length;
  const [consistent, possible] = [count('consistent'), count('possible')];
  const [best] = meant;
  return [
    ...(consistent > 1 ? [DOUBTS.several] : []),
    ...(consistent + possible > 1 && possible > 0 ? [DOUBTS.possible] : []),
    ...(consistent + possible === 0 ? [DOUBTS.contradicted] : []),
    ...(consistent === 0 && possible > 0 ? (best?.lacks ?? []).map((lack) => LACKS[lack]) : []),
  ];
}
