import type { CallNote, EvidenceTables, KindTable, WayTables } from './call-note.js';
import { KINDS, KINDS_OF_WAY, SCALES } from './call-note.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignPolicy, WayOfCalling } from './campaign-policy.js';

/** Calls of one signer, upstream provider or trunk, and the evidence that they are a campaign's, by way of calling. */
export interface CallGroup {
  /** `signer:707S`, `upstream:Cedar Gateway`, `trunk:carrier-1:…`. */
  readonly key: string;
  /** By way of calling, of each as many as {@link KINDS}: what speaks for a campaign is the least of them. */
  readonly sums: Float64Array;
  /** Bits of the ways of calling of which a sum is more than nothing. */
  raised: number;
  /** Learned share of marked calls, by way of calling, and up to which call it was learned. */
  readonly shares: Float64Array;
  readonly learned: Float64Array;
  calls: number;
  /** Latest marked calls since the sum was last nothing, by way of calling. */
  readonly notes: (CallNote[] | undefined)[];
  /** Campaign of which marked calls are while there is evidence, by way of calling. */
  readonly owners: (string | undefined)[];
  lastAtMs: number;
}

/** Marked calls that are kept: enough to see whose they are, and to have the first calls of a campaign on record. */
export const MAX_GROUP_NOTES = 48;
/** How fast a group is learned: some ten thousand calls. Faster, and a campaign teaches that it is ordinary before it is found. */
const LEARNING = 1 / 32_768;
/** Times the alarm that a sum rises to, so that a campaign that has ended is over within some hundred calls. */
const MOST_ALARMS = 2;

const SNOWSHOE = WAYS_OF_CALLING.indexOf('snowshoe');

/**
 * Starts a group. Who calls from ever new numbers comes with a signature or a provider that nobody has called by before, and a group that is new
 * begins part of the way to the alarm; trunks get new names whenever a switch is set up anew. Never throws.
 * @see Lucas and Crosier, Fast Initial Response for CUSUM Quality-Control Schemes, Technometrics 24 (1982)
 */
export function createCallGroup(
  key: string,
  by: { readonly tables: EvidenceTables; readonly headStart: number },
): CallGroup {
  const { tables } = by;
  const headStart = key.startsWith('trunk:') ? 0 : by.headStart;
  const sums = new Float64Array(WAYS_OF_CALLING.length * KINDS);
  sums.fill(headStart, SNOWSHOE * KINDS, (SNOWSHOE + 1) * KINDS);
  return {
    key,
    sums,
    raised: headStart > 0 ? 1 << SNOWSHOE : 0,
    shares: Float64Array.from(tables.all, ({ ordinary }) => ordinary),
    learned: new Float64Array(WAYS_OF_CALLING.length),
    calls: 0,
    notes: [],
    owners: [],
    lastAtMs: 0,
  };
}

/** What a call is added by. */
export interface GroupEvidence {
  readonly tables: EvidenceTables;
  readonly policy: CampaignPolicy;
  readonly isSelected: boolean;
}

/**
 * Adds a call to a group.
 * @returns bits of the ways of calling of which the evidence is at or beyond the alarm, and the call is marked. Never throws
 */
export function addToGroup(group: CallGroup, note: CallNote, by: GroupEvidence): number {
  group.lastAtMs = note.atMs;
  group.calls += 1;
  // Of the other ways nothing changes but the share, which is learned when it is asked for.
  const touched = note.marks | group.raised;
  let alarms = 0;
  for (let way = 0; touched >>> way !== 0; way += 1) {
    if ((touched & (1 << way)) !== 0 && addToWay(group, note, by, way)) alarms |= 1 << way;
  }
  return alarms;
}

/** Nothing is made for it: it is run for nearly every call three times. */
function addToWay(group: CallGroup, note: CallNote, by: GroupEvidence, way: number): boolean {
  const { policy } = by;
  const table = (by.isSelected ? by.tables.selected : by.tables.all)[way] as WayTables;
  const { kinds, countsOutcome } = table;
  const isMarked = (note.marks & (1 << way)) !== 0;
  const before = evidenceIn(group, way, kinds.length);
  const share = learnedShare(group, way, isMarked, before < policy.watchAt / 2);
  const scale = scaleOf(share / table.ordinary);
  const most = policy.alarmAt * MOST_ALARMS;
  let least = most;
  let isRaised = false;
  for (let kind = 0; kind < kinds.length; kind += 1) {
    const { marked, unmarked, outcomes } = kinds[kind] as KindTable;
    const outcome = outcomes[note.outcome];
    const gain = isMarked
      ? (marked[scale] as number) + outcome
      : (unmarked[scale] as number) + (countsOutcome && outcome < 0 ? outcome : 0);
    const place = way * KINDS + kind;
    const next = Math.min(most, Math.max(0, (group.sums[place] as number) + gain));
    group.sums[place] = next;
    if (next < least) least = next;
    if (next > 0) isRaised = true;
  }
  group.raised = isRaised ? group.raised | (1 << way) : group.raised & ~(1 << way);
  if (least === 0) {
    if (before > 0) forgetNotes(group, way);
    return false;
  }
  if (!isMarked) return false;
  keepNote(group, note, way, policy);
  return least >= policy.alarmAt;
}

/** Share of marked calls with this one. Calls that were not marked since it was last asked for are made up for. */
function learnedShare(group: CallGroup, way: number, isMarked: boolean, isLearning: boolean): number {
  const missed = group.calls - 1 - (group.learned[way] as number);
  let share = group.shares[way] as number;
  if (missed > 0) share *= (1 - LEARNING) ** missed;
  // A campaign must not teach that it is ordinary.
  if (isLearning) share += ((isMarked ? 1 : 0) - share) * LEARNING;
  group.shares[way] = share;
  group.learned[way] = group.calls;
  return share;
}

/** Evidence of a way of calling, logarithm of odds against the kind of ordinary callers that it is most like. Never throws. */
export function evidenceOfWay(group: CallGroup, way: number): number {
  return evidenceIn(group, way, KINDS_OF_WAY[way] as number);
}

function evidenceIn({ sums }: CallGroup, way: number, kinds: number): number {
  let least = sums[way * KINDS] as number;
  for (let kind = 1; kind < kinds; kind += 1) least = Math.min(least, sums[way * KINDS + kind] as number);
  return least;
}

/** Raises the evidence of a way of calling to the alarm: what called when it was stored does not have to show anew that it is a campaign. Never throws. */
export function raiseEvidence(group: CallGroup, way: number, to: number): void {
  for (let kind = 0; kind < (KINDS_OF_WAY[way] as number); kind += 1) {
    group.sums[way * KINDS + kind] = Math.max(group.sums[way * KINDS + kind] as number, to);
  }
  group.raised |= 1 << way;
}

function scaleOf(times: number): number {
  if (times < 2) return 0;
  return times < 6 ? 1 : SCALES.length - 1;
}

function forgetNotes(group: CallGroup, way: number): void {
  const notes = group.notes[way];
  if (notes !== undefined && notes.length > 0) notes.length = 0;
}

/**
 * Keeps a marked call in place of the oldest of its sort: numbers that come again and again have half of the places at most where others call
 * as well, and the others as many. An exchange that was set up wrongly would push out the calls of a campaign beside it before they are enough.
 */
function keepNote(group: CallGroup, note: CallNote, way: number, policy: CampaignPolicy): void {
  const notes = (group.notes[way] ??= []);
  notes.push(note);
  if (notes.length <= MAX_GROUP_NOTES) return;
  let regulars = 0;
  for (const kept of notes) if (isRegular(kept, policy)) regulars += 1;
  const goes = regulars > MAX_GROUP_NOTES / 2;
  notes.splice(
    notes.findIndex((kept) => isRegular(kept, policy) === goes),
    1,
  );
}

/** Whether a call is of a number that comes again and again. Each carrier veils it anew, so that it is counted by carrier. */
const isRegular = ({ callsBefore }: CallNote, { leastCalling }: CampaignPolicy): boolean => callsBefore >= leastCalling;

/** Ways of calling that live on many numbers: of one number they are that number's fault. */
const MANY_NUMBERS: ReadonlySet<WayOfCalling> = new Set(['neighbour-spoofing', 'failed-verification', 'snowshoe']);

/**
 * Of the marked calls of a group those that can be called a campaign: all of them, or all but those of numbers that come again and again, which are their
 * callers' own fault. None where they are too few, or of too few people, or end as those of people do. The evidence of marks alone does
 * not do: a hospital calls next door, an exchange that was set up wrongly shows one number that cannot be with every call, and people talk with
 * both. Of calls that were selected most end badly, so that nothing is to be learned of it. Never throws.
 */
export function enoughNotes(notes: readonly CallNote[], way: number, by: GroupEvidence): readonly CallNote[] {
  if (isEnough(notes, way, by)) return notes;
  let others = notes.length;
  for (const note of notes) if (isRegular(note, by.policy)) others -= 1;
  if (others === notes.length || others < by.policy.leastCalls) return [];
  const regulars = new Set<number>();
  for (const note of notes) if (isRegular(note, by.policy)) regulars.add(note.callingKey);
  const found = notes.filter(({ callingKey }) => !regulars.has(callingKey));
  return isEnough(found, way, by) ? found : [];
}

/**
 * Whether a marked call of a group with a campaign in it is to be left out of that: its number comes again and again, and with the calls of
 * such numbers those of the group are like no campaign. Never throws.
 */
export function isApart(group: CallGroup, note: CallNote, way: number, by: GroupEvidence): boolean {
  return isRegular(note, by.policy) && !isEnough(group.notes[way] ?? [], way, by);
}

function isEnough(notes: readonly CallNote[], way: number, { policy, tables, isSelected }: GroupEvidence): boolean {
  if (notes.length < policy.leastCalls) return false;
  const people = (tables.all[way] as WayTables).kinds[0] as KindTable;
  let isOwn = true;
  let known = 0;
  let outcomes = 0;
  for (const { isFailed, attestation, outcome } of notes) {
    if (isFailed || attestation === 'C') isOwn = false;
    if (outcome !== 'unknown') known += 1;
    outcomes += people.outcomes[outcome];
  }
  // What costs least first: of a group that has reached the alarm it is asked at every marked call.
  if (!isSelected && known >= policy.leastCalls && outcomes < policy.watchAt) return false;
  if (!hasDistinct(notes, 'calledKey', policy.leastCalled)) return false;
  const isMany = hasDistinct(notes, 'callingKey', policy.leastCalling);
  const name = WAYS_OF_CALLING[way] as WayOfCalling;
  // A county that warns a town goes through its exchanges number by number, and shows its own: who does so can be called back.
  if (name === 'sequential-dialling') return isMany || !isOwn;
  return !MANY_NUMBERS.has(name) || isMany;
}

/** Whether so many different numbers are among calls. */
function hasDistinct(notes: readonly CallNote[], key: 'calledKey' | 'callingKey', least: number): boolean {
  const found: number[] = [];
  for (const note of notes) {
    if (found.length >= least) return true;
    // So few that a list is faster than a set.
    if (note[key] >= 0 && !found.includes(note[key])) found.push(note[key]);
  }
  return found.length >= least;
}

/** Groups by their keys, never more than a limit. */
export type CallGroups = ReturnType<typeof createCallGroups>;

/**
 * Makes the table: two generations, of which the older one is forgotten when the younger is half the limit, but for groups of campaigns.
 * Never throws.
 */
export function createCallGroups(limit: number, by: { readonly tables: EvidenceTables; readonly headStart: number }) {
  let young = new Map<string, CallGroup>();
  let old = new Map<string, CallGroup>();
  const turn = (): void => {
    const kept = new Map<string, CallGroup>();
    for (const [key, group] of old) {
      if (group.owners.some((owner) => owner !== undefined) && kept.size < limit / 4) kept.set(key, group);
    }
    old = young;
    for (const [key, group] of kept) old.set(key, group);
    young = new Map();
  };
  /** Both generations as they stand, by reference. */
  const state = () => ({ young, old });
  return {
    find: (key: string): CallGroup | undefined => young.get(key) ?? old.get(key),
    at: (key: string): CallGroup => {
      const known = young.get(key);
      if (known !== undefined) return known;
      const group = old.get(key) ?? createCallGroup(key, by);
      old.delete(key);
      if (young.size >= limit / 2) turn();
      young.set(key, group);
      return group;
    },
    all: function* all(): IterableIterator<CallGroup> {
      yield* young.values();
      yield* old.values();
    },
    size: () => young.size + old.size,
    state,
    restore: (saved: ReturnType<typeof state>) => {
      ({ young, old } = saved);
    },
  };
}
