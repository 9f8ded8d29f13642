import type { CallRecord, CoverageInterval } from '../../contract/call-record.js';
import type { TracebackRequest } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import { coverageGaps, coverageWithin } from '../../records/store/record-store.js';
import type {
  FoundRecords,
  RecordLookup,
  RecordQuery,
  StoreScope,
  TimeWindow,
} from '../../records/store/record-store.js';
import type { MatchCandidate, MatchOutcome, MatchSearch } from '../match-outcome.js';
import type { TrunkDirectory, TrunkParties } from '../directory/trunk-directory.js';
import { hopParties, legQueries } from './call-legs.js';
import type { HopParties } from './call-legs.js';
import { MAX_MATCH_CANDIDATES, clockAllowanceUs } from './match-options.js';
import type { MatchOptions } from './match-options.js';
import { isTollFree, planSearch } from './plan-search.js';
import type { SearchPlan } from './plan-search.js';
import { LACKS, weighCandidates } from './weigh-candidates.js';
import type { WeighedCandidate } from './weigh-candidates.js';

/** What can be said about the windows of a search. */
interface SearchCoverage {
  /** Coverage in the windows, by source and time. */
  readonly coverage: readonly CoverageInterval[];
  /** What of them is not covered, and still is within retention. */
  readonly gaps: Extract<MatchOutcome, { status: 'gap' }>['gaps'];
  /** How far retention went, where it cuts into a window. */
  readonly retainedFromUs?: number;
}

/**
 * What is covered of some windows, for every source of a store, and what is not. A store of no source covers nothing: its whole window is
 * a gap, of the source `''`. Never throws.
 * @param coverage - of any sources, in any order; of one source in order and apart from each other
 */
export function searchCoverage(
  windows: readonly TimeWindow[],
  coverage: readonly CoverageInterval[],
  scope: StoreScope,
): SearchCoverage {
  const { retainedFromUs } = scope;
  const sources = [...new Set([...scope.sources, ...coverage.map(({ sourceId }) => sourceId)])].toSorted();
  const bySource = sources.map((sourceId) =>
    coverage.filter((interval) => interval.sourceId === sourceId).toSorted(byBegin),
  );
  const cut = windows.some(({ fromUs }) => retainedFromUs !== undefined && fromUs < retainedFromUs);
  const kept = windows
    .map(({ fromUs, toUs }) => ({ fromUs: Math.max(fromUs, retainedFromUs ?? fromUs), toUs }))
    .filter(({ fromUs, toUs }) => fromUs <= toUs);
  const gaps =
    sources.length === 0
      ? kept.map((window) => ({ sourceId: '', ...window }))
      : sources.flatMap((sourceId, at) =>
          kept.flatMap((window) => coverageGaps(bySource[at] ?? [], window).map((gap) => ({ sourceId, ...gap }))),
        );
  return {
    coverage: bySource.flatMap((intervals) => windows.flatMap((window) => coverageWithin(intervals, window))),
    gaps,
    ...(cut && retainedFromUs !== undefined ? { retainedFromUs } : {}),
  };
}

/**
 * What is covered by one list and by another, of any sources. Never throws.
 * @returns in the order of the first
 */
function commonCoverage(
  one: readonly CoverageInterval[],
  other: readonly CoverageInterval[],
): readonly CoverageInterval[] {
  return one.flatMap((interval) =>
    coverageWithin(
      other.filter(({ sourceId }) => sourceId === interval.sourceId),
      interval,
    ),
  );
}

function byBegin(one: CoverageInterval, other: CoverageInterval): number {
  return one.fromUs - other.fromUs;
}

/** Why no call is one that a machine decides on, and why no machine says that there was none. */
export const DOUBTS = {
  several: 'Several calls are consistent with everything that was stated.',
  possible: 'Other calls could fit too: their records lack what would tell them apart.',
  contradicted: 'No call is consistent with everything that was stated.',
  sentElsewhere: 'The only call that is consistent with what was stated was not sent to the provider that named us.',
  alike: 'Calls to the number were found, and more than one thing that was stated speaks against each.',
  cut: 'There were more records than one look-up reads.',
  leftOut: 'The stated local time does not exist.',
  noZone: 'No zone was stated, and none is configured.',
  gap: 'Records of that time are missing: another call may have been meant.',
  notRetained: 'Some records of that time have been removed: another call may have been meant.',
  notKept: 'Some records of that time have been removed: the call may be among them.',
  notGlobal: 'The number called that was stated is no full telephone number: it may be on record in another form.',
  notByCalled:
    'It could not be looked for by the number called, and an identifier may be that of another hop or of several calls.',
  tollFree: 'The number called is toll-free, and who called cannot be looked for: it may be on record under another.',
  noRecord: 'No record has the record id that was stated.',
} as const;

/** What an outcome is made of. */
interface Judging {
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
function noneFound({ plan, weighed, search, isCut, covered, narrow }: Judging): MatchOutcome {
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
function keptOf({
  gaps,
  retainedFromUs,
}: SearchCoverage): Pick<Extract<MatchOutcome, { status: 'several' }>, 'isCovered' | 'retainedFromUs'> {
  const isCovered = gaps.length === 0 && retainedFromUs === undefined;
  return retainedFromUs === undefined ? { isCovered } : { isCovered, retainedFromUs };
}

/** What of a statement forbids that a machine decides, whatever is found. Never throws. */
function statedDoubts({ time, called }: Judging['plan']): readonly string[] {
  return [
    ...(time.occurs === 'left-out' ? [DOUBTS.leftOut] : []),
    ...(time.zoneFrom === 'none' ? [DOUBTS.noZone] : []),
    ...(called.kind === 'number' && !called.isGlobal ? [DOUBTS.notGlobal] : []),
  ];
}

/** Whether all calls to the number that was stated were looked for, and not only those with an identifier. Never throws. */
function isByCalled({ called }: Judging['plan'], keys: readonly string[]): boolean {
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

/** What a request is held against. */
export interface MatchInput {
  readonly request: TracebackRequest;
  /** Records of the windows that were looked through, in any order. */
  readonly records: readonly CallRecord[];
  /** Of the sources, at least for those windows. */
  readonly coverage: readonly CoverageInterval[];
  readonly scope: StoreScope;
  readonly directory: TrunkParties;
  readonly options?: MatchOptions;
  /** What was looked through. Default: the widened windows of `planSearch`, to their ends. */
  readonly searched?: SearchedRecords;
}

/** How the records were found. */
export interface SearchedRecords {
  /** In order and apart from each other. */
  readonly windows: readonly TimeWindow[];
  /** Whether there were more records than were read. */
  readonly isCut: boolean;
  /** By what was looked, in the words of the outcome. Default all that the request gives. */
  readonly keys?: readonly string[];
}

/** An outcome, and whether wider windows could only add calls that are not meant. */
interface MatchJudgement {
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
 */
export function matchCall(input: MatchInput): MatchOutcome {
  return judgeMatch(input, planSearch(input.request, input.options)).outcome;
}

/** As `matchCall`, with a plan that was made already. */
function judgeMatch(input: MatchInput, plan: SearchPlan): MatchJudgement {
  if (plan.status === 'unreadable') return { outcome: plan, isSettled: true };
  const { request, records, directory, scope, coverage, options = {} } = input;
  const { windows, isCut, keys = plan.keys } = input.searched ?? { windows: plan.wide, isCut: false };
  const weighed = weighCandidates(records, { request, plan, directory, allowanceUs: clockAllowanceUs(options) });
  const covered = searchCoverage(windows, coverage, scope);
  const search: MatchSearch = {
    windows,
    keys,
    coverage: covered.coverage,
    recordsConsidered: new Set(records.map(({ recordId }) => recordId)).size,
  };
  const judging = {
    plan,
    weighed,
    search,
    isCut,
    covered,
    narrow: searchCoverage(plan.narrow, coverage, scope),
  };
  const isSettled = weighed.some(({ standing }) => standing === 'consistent' || standing === 'possible');
  const meant = weighed.filter(({ standing }) => standing !== 'other');
  return { outcome: meant.length === 0 ? noneFound(judging) : foundOutcome(judging, meant), isSettled };
}

function foundOutcome(judging: Judging, meant: readonly WeighedCandidate[]): MatchOutcome {
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

/**
 * Most look-ups for legs that the first ones did not find: a leg with other numbers, the record of another own switch. Where more calls
 * than that lack a leg the match is not left to a machine.
 */
const MAX_LEG_LOOKUPS = 24;

/**
 * Looks up the call that a request means. First in the windows in which everything that is consistent with the stated time began; where
 * nothing that could be meant is found there, an hour around it. Legs in which the switch wrote other numbers are looked up by what they
 * have in common with those that were found. The number of look-ups is bounded, and so is what each reads: where there was more, the
 * outcome is never `unique`.
 * @param request - as it was received; nothing of it is trusted
 * @param options - the store, the trunk directory, and how requests are read
 * @returns as `matchCall`
 * @throws {@link HopbackError} what the store throws: `storage-failed` where it cannot be read, `closed`
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * await using store = createMemoryRecordStore({ clock: { nowMs: () => 1_793_000_000_000 } });
 * const call = { called: '2025550101', at: { asWritten: '3:41 PM', local: '2026-10-23T15:41', zone: 'UTC', precision: 'minute' } } as const;
 * const request = {
 *   format: 'hopback.traceback-request.1',
 *   requestId: 'request-1',
 *   tracebackId: 'traceback-1',
 *   direction: 'back',
 *   hop: 1,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' },
 *   issuedAt: '2026-10-26T14:00:00Z',
 *   provider: { name: 'Example Carrier' },
 *   call,
 * } as const;
 * await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: 1_793_000_000_000_000 });
 * const directory = { partyOf: () => undefined, isSame: () => false, knows: () => false };
 * console.log((await findMatch(request, { store, directory })).status); // none-but-covered
 * ```
 */
export async function findMatch(
  request: TracebackRequest,
  options: {
    readonly store: RecordLookup;
    readonly directory: Pick<TrunkDirectory, 'partyOf' | 'isSame' | 'knows'>;
    readonly options?: MatchOptions;
  },
): Promise<MatchOutcome> {
  const { store, directory, options: matching = {} } = options;
  const plan = planSearch(request, matching);
  if (plan.status === 'unreadable') return plan;
  // What is complete is asked before anything is looked up, and again when all was: a look-up is worth what holds at both times.
  const coveredBefore = await coverageOf(store, plan.wide);
  const parties = hopParties(directory, request.provider);
  const search: Search = {
    store,
    request,
    directory,
    matching,
    plan,
    coveredBefore,
    parties,
  };
  const first = await firstFound(search);
  const narrow = await judged(search, first, plan.narrow);
  if (narrow.isSettled) return narrow.outcome;
  const more = await lookUp(store, plan.widened);
  return (await judged(search, together(more, first), plan.wide)).outcome;
}

interface Search {
  readonly store: RecordLookup;
  readonly request: TracebackRequest;
  readonly directory: TrunkParties;
  readonly matching: MatchOptions;
  readonly plan: Extract<SearchPlan, { status: 'planned' }>;
  readonly coveredBefore: readonly CoverageInterval[];
  readonly parties: HopParties;
}

/** What look-ups found. */
interface Found {
  readonly records: ReadonlyMap<string, CallRecord>;
  readonly isCut: boolean;
  /** By what the store cannot look. */
  readonly passed: ReadonlySet<string>;
}

/** What the first look-ups find, and those that follow at once where they were cut, or have not found the record that was named. */
async function firstFound({ store, plan }: Search): Promise<Found> {
  const first = await lookUp(store, plan.first);
  const farther = plan.farther.filter(({ recordId = '' }) => !first.records.has(recordId));
  const [pair, named] = await Promise.all([lookUp(store, first.isCut ? plan.ifCut : []), lookUpFar(store, farther)]);
  // That the pair has fewer calls than are read does not make up for what was cut.
  return together(together(pair, named), first);
}

function together(one: Found, other: Found): Found {
  return {
    records: new Map([...one.records, ...other.records]),
    isCut: one.isCut || other.isCut,
    passed: new Set([...one.passed, ...other.passed]),
  };
}

async function coverageOf(store: RecordLookup, windows: readonly TimeWindow[]): Promise<readonly CoverageInterval[]> {
  return (await Promise.all(windows.map((window) => store.coverage(window)))).flat();
}

async function judged(search: Search, found: Found, windows: readonly TimeWindow[]): Promise<MatchJudgement> {
  const { store, request, directory, matching, coveredBefore, plan, parties } = search;
  const queries = legQueries([...found.records.values()], plan, parties);
  const legs = await lookUp(store, queries.slice(0, MAX_LEG_LOOKUPS));
  const { records, passed } = together(legs, found);
  const isCut = found.isCut || legs.isCut || queries.length > MAX_LEG_LOOKUPS;
  const keys = plan.keys.filter((key) => !passed.has(key));
  // Last of all: what was removed, or became doubtful, while it was looked for counts as not looked for.
  const [scope, coveredAfter] = await Promise.all([store.scope(), coverageOf(store, plan.wide)]);
  const coverage = commonCoverage(coveredBefore, coveredAfter);
  return judgeMatch(
    {
      request,
      records: [...records.values()],
      coverage,
      scope,
      directory,
      options: matching,
      searched: { windows, isCut, keys },
    },
    plan,
  );
}

async function lookUp(store: RecordLookup, queries: readonly RecordQuery[]): Promise<Found> {
  const found = await Promise.all(queries.map((query) => findOrPass(store, query)));
  const records = new Map<string, CallRecord>();
  for (const { records: each } of found) for (const record of each) records.set(record.recordId, record);
  return {
    records,
    isCut: found.some(({ isCut }) => isCut),
    passed: new Set(found.flatMap(({ passed }) => passed)),
  };
}

/** A record that is named and lies far from the stated time is shown to a person: that a day of then cannot be read holds up nothing. */
async function lookUpFar(store: RecordLookup, queries: readonly RecordQuery[]): Promise<Found> {
  try {
    return await lookUp(store, queries);
  } catch (error) {
    if (error instanceof HopbackError && error.code === 'storage-failed')
      return { records: new Map(), isCut: true, passed: new Set() };
    throw error;
  }
}

/** A table without a column for Call-IDs, origids or callers is looked through by what it has. */
async function findOrPass(
  store: RecordLookup,
  query: RecordQuery,
): Promise<FoundRecords & { readonly passed: readonly string[] }> {
  try {
    return { ...(await store.find(query)), passed: [] };
  } catch (error) {
    if (error instanceof HopbackError && error.code === 'invalid-argument')
      return { records: [], isCut: false, passed: keysOfQuery(query) };
    throw error;
  }
}

/** What of a query is asked for beside what others ask for, in the words of a search. */
const KEY_WORDS = [
  ['recordId', 'record-id'],
  ['callId', 'call-id'],
  ['origId', 'origid'],
  ['callingTn', 'calling'],
  ['calledTn', 'called'],
] as const;

function keysOfQuery(query: RecordQuery): readonly string[] {
  return KEY_WORDS.filter(([key]) => query[key] !== undefined)
    .map(([, word]) => word)
    .slice(0, 1);
}
