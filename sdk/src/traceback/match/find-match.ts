import type { CallRecord } from '../../core/call-record.js';
import type { CoverageInterval } from '../../core/call-record.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import type { FoundRecords, RecordLookup, RecordQuery, TimeWindow } from '../../records/store/record-store.js';
import type { MatchOutcome } from '../match-outcome.js';
import type { TrunkDirectory } from '../trunk-directory.js';
import { commonCoverage } from './covered-search.js';
import { hopParties } from './hop-parties.js';
import type { HopParties } from './hop-parties.js';
import { legQueries } from './leg-queries.js';
import { judgeMatch } from './match-call.js';
import type { MatchJudgement } from './match-call.js';
import { planSearch } from './plan-search.js';
import type { SearchPlan } from './plan-search.js';
import type { MatchOptions } from './match-options.js';

/** What a match is looked up with. */
export interface FindMatchOptions {
  /** Where records are looked up. */
  readonly store: RecordLookup;
  readonly directory: TrunkDirectory;
  readonly options?: MatchOptions;
}

/**
 * Most look-ups for legs that the first ones did not find: a leg with other numbers, the record of another own switch. Where more calls
 * than that lack a leg the match is not left to a machine.
 */
export const MAX_LEG_LOOKUPS = 24;

/**
 * Looks up the call that a request means. First in the windows in which everything that is consistent with the stated time began; where
 * nothing that could be meant is found there, an hour around it. Legs in which the switch wrote other numbers are looked up by what they
 * have in common with those that were found. The number of look-ups is bounded, and so is what each reads: where there was more, the
 * outcome is never `unique`.
 * @param request - as it was received; nothing of it is trusted
 * @param options - the store, the trunk directory, and how requests are read
 * @returns as {@link matchCall}
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
export async function findMatch(request: TracebackRequest, options: FindMatchOptions): Promise<MatchOutcome> {
  const { store, directory, options: matching = {} } = options;
  const plan = planSearch(request, matching);
  if (plan.status === 'unreadable') return plan;
  // What is complete is asked before anything is looked up, and again when all was: a look-up is worth what holds at both times.
  const coveredBefore = await coverageOf(store, plan.wide);
  const search: Search = {
    store,
    request,
    directory,
    matching,
    plan,
    coveredBefore,
    parties: hopParties(directory, request.provider),
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
  readonly directory: TrunkDirectory;
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
      ...{ request, records: [...records.values()], coverage, scope, directory, options: matching },
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
