import type { CallNote } from './call-note.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignPolicy } from './campaign-policy.js';
import { outcomeEvidence, SCALES } from './evidence-of-call.js';
import type { EvidenceTables } from './evidence-of-call.js';

/** Calls of one signer, upstream provider or trunk, and the evidence that they are a campaign's, by way of calling. */
export interface CallGroup {
  /** `signer:707S`, `upstream:Cedar Gateway`, `trunk:carrier-1:…`. */
  readonly key: string;
  /** By way of calling. */
  readonly sums: Float64Array;
  /** Learned share of marked calls, by way of calling. */
  readonly shares: Float64Array;
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

/** Starts a group. Never throws. */
export function createCallGroup(key: string, tables: EvidenceTables): CallGroup {
  return {
    key,
    sums: new Float64Array(WAYS_OF_CALLING.length),
    shares: Float64Array.from(tables.all, ({ ordinary }) => ordinary),
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
 * @returns bits of the ways of calling of which the sum is at or beyond the alarm, and the call is marked. Never throws
 */
export function addToGroup(group: CallGroup, note: CallNote, by: GroupEvidence): number {
  const { policy, isSelected } = by;
  const tables = isSelected ? by.tables.selected : by.tables.all;
  const outcome = outcomeEvidence(note.outcome, isSelected);
  const against = outcome < 0 ? outcome : 0;
  const most = policy.alarmAt * MOST_ALARMS;
  let alarms = 0;
  group.lastAtMs = note.atMs;
  for (let way = 0; way < tables.length; way += 1) {
    const table = tables[way] as (typeof tables)[number];
    const isMarked = (note.marks & (1 << way)) !== 0;
    const sum = group.sums[way] as number;
    if (!isMarked && sum === 0 && table.countsOutcome) continue;
    const share = group.shares[way] as number;
    // A campaign must not teach that it is ordinary.
    if (sum < policy.watchAt / 2) group.shares[way] = share + ((isMarked ? 1 : 0) - share) * LEARNING;
    const scale = scaleOf(share / table.ordinary);
    const gain = isMarked
      ? (table.marked[scale] as number) + outcome
      : (table.unmarked[scale] as number) + (table.countsOutcome ? against : 0);
    const next = sum + gain;
    if (next <= 0) {
      if (sum > 0) forgetNotes(group, way);
      group.sums[way] = 0;
      continue;
    }
    group.sums[way] = next > most ? most : next;
    if (!isMarked) continue;
    keepNote(group, way, note);
    if (next >= policy.alarmAt) alarms |= 1 << way;
  }
  return alarms;
}

function scaleOf(times: number): number {
  if (times < 2) return 0;
  return times < 6 ? 1 : SCALES.length - 1;
}

function forgetNotes(group: CallGroup, way: number): void {
  const notes = group.notes[way];
  if (notes !== undefined && notes.length > 0) notes.length = 0;
}

function keepNote(group: CallGroup, way: number, note: CallNote): void {
  let notes = group.notes[way];
  if (notes === undefined) {
    notes = [];
    group.notes[way] = notes;
  }
  if (notes.length >= MAX_GROUP_NOTES) notes.shift();
  notes.push(note);
}

/** Ways of calling that live on many numbers: of one number they are that number's fault. */
const MANY_NUMBERS = [true, false, false, true, false, false, true];

/** Whether calls are enough, and of enough people, to be called a campaign. Never throws. */
export function isEnough(notes: readonly CallNote[], way: number, policy: CampaignPolicy): boolean {
  if (notes.length < policy.leastCalls) return false;
  const called = new Set<number>();
  const calling = new Set<number>();
  for (const { calledKey, callingKey } of notes) {
    if (calledKey >= 0) called.add(calledKey);
    if (callingKey >= 0) calling.add(callingKey);
  }
  return called.size >= policy.leastCalled && (MANY_NUMBERS[way] !== true || calling.size >= policy.leastCalling);
}

/** Groups by their keys, never more than a limit. */
export interface CallGroups {
  readonly at: (key: string) => CallGroup;
  readonly find: (key: string) => CallGroup | undefined;
  readonly all: () => IterableIterator<CallGroup>;
  readonly size: () => number;
}

/**
 * Makes the table: two generations, of which the older one is forgotten when the younger is half the limit, but for groups of campaigns.
 * Never throws.
 */
export function createCallGroups(limit: number, tables: EvidenceTables): CallGroups {
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
  const find = (key: string): CallGroup | undefined => young.get(key) ?? old.get(key);
  return {
    find,
    at: (key) => {
      const known = young.get(key);
      if (known !== undefined) return known;
      const group = old.get(key) ?? createCallGroup(key, tables);
      old.delete(key);
      if (young.size >= limit / 2) turn();
      young.set(key, group);
      return group;
    },
    all: function* all() {
      yield* young.values();
      yield* old.values();
    },
    size: () => young.size + old.size,
  };
}
