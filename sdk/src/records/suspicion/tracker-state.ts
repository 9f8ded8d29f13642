import type { BoundedTable, BoundedTableState } from './bounded-table.js';
import { packCounts, unpackCounts } from './call-counts.js';
import type { CallCounts, HalfCounts } from './call-counts.js';
import type { GroupMemory } from './call-groups.js';
import type { DiallingRowsState } from './dialling-rows.js';
import type { RecentCallsState } from './recent-calls.js';

/**
 * What a tracker has learned, as plain values: numbers, typed arrays and lists of them. Large typed arrays are the tracker's own, so that
 * nothing is copied: write the state out before the next call is judged.
 */
export interface SuspicionTrackerState {
  readonly half: number;
  readonly groupsMade: number;
  readonly numbers: SavedTable<Int32Array>;
  readonly trunks: SavedTable<SavedGroup>;
  readonly signers: SavedTable<SavedGroup>;
  readonly signed: Int32Array;
  readonly calls: RecentCallsState;
  readonly rows: DiallingRowsState;
}

/** A table whose entries are packed, in the order of their places. */
export interface SavedTable<Packed> {
  readonly keys: Float64Array;
  readonly turns: Float64Array;
  readonly turn: number;
  readonly used: number;
  readonly packed: Iterable<Packed>;
}

/** A trunk or signer. */
export interface SavedGroup {
  readonly place: number;
  readonly index: number;
  readonly counts: Int32Array;
  readonly callersNow: Uint8Array;
  readonly callersBefore: Uint8Array | undefined;
  readonly areas: Uint16Array;
  readonly areaCalls: number;
}

/** Numbers that are packed into one array: some milliseconds of work. */
const PACKED_AT_ONCE = 4_096;

/** Packs the counts of numbers, some thousands at a time. */
export function savedNumbers(table: BoundedTable<CallCounts>): SavedTable<Int32Array> {
  const { entries, ...rest } = table.state();
  return { ...rest, packed: packedNumbers(entries) };
}

function* packedNumbers(entries: BoundedTableState<CallCounts>['entries']): Generator<Int32Array> {
  for (let from = 0; from < entries.length; from += PACKED_AT_ONCE) {
    const words: number[] = [];
    for (let place = from; place < Math.min(entries.length, from + PACKED_AT_ONCE); place += 1) {
      const counts = entries[place];
      if (counts !== undefined) words.push(place, ...packCounts(counts));
    }
    yield Int32Array.from(words);
  }
}

/** Takes packed counts of numbers over. */
export function restoreNumbers(table: BoundedTable<CallCounts>, saved: SavedTable<Int32Array>): void {
  const entries: (CallCounts | undefined)[] = [];
  for (const words of saved.packed) {
    for (let at = 0; at < words.length;) {
      const place = words[at] as number;
      const { counts, next } = unpackCounts(words, at + 1);
      entries[place] = counts;
      at = next;
    }
  }
  table.restore({ ...saved, entries });
}

/** Packs trunks or signers, one at a time. */
export function savedGroups(table: BoundedTable<GroupMemory>): SavedTable<SavedGroup> {
  const { entries, ...rest } = table.state();
  return { ...rest, packed: packedGroups(entries) };
}

function* packedGroups(entries: BoundedTableState<GroupMemory>['entries']): Generator<SavedGroup> {
  for (const [place, group] of entries.entries()) {
    if (group === undefined) continue;
    const { index, counts, areas, areaCalls } = group;
    yield {
      ...{ place, index, areas, areaCalls, counts: Int32Array.from(packCounts(counts)) },
      callersNow: ranksOf(counts.now) ?? new Uint8Array(0),
      callersBefore: ranksOf(counts.before),
    };
  }
}

const ranksOf = ({ callers }: HalfCounts): Uint8Array | undefined => callers?.ranks;

/** Takes packed trunks or signers over. */
export function restoreGroups(table: BoundedTable<GroupMemory>, saved: SavedTable<SavedGroup>): void {
  const entries: (GroupMemory | undefined)[] = [];
  for (const { place, index, counts, callersNow, callersBefore, areas, areaCalls } of saved.packed) {
    const callers = { now: callersNow, before: callersBefore };
    entries[place] = { index, areas, areaCalls, counts: unpackCounts(counts, 0, callers).counts };
  }
  table.restore({ ...saved, entries });
}
