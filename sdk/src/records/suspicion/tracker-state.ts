import type { BoundedTable, BoundedTableState } from './bounded-table.js';
import { PACKED_COUNTS, packCounts, unpackedGroupCounts } from './call-counts.js';
import type { CallCounts, HalfCounts } from './call-counts.js';
import type { GroupMemory } from './call-groups.js';
import type { DiallingRowsState } from './dialling-rows.js';
import type { NumberCountsState } from './number-counts.js';
import type { RecentCallsState } from './recent-calls.js';

/**
 * What a tracker has learned, as plain values: numbers, typed arrays and lists of them. Large typed arrays are the tracker's own, so that
 * nothing is copied: write the state out before the next call is judged.
 */
export interface SuspicionTrackerState {
  readonly half: number;
  readonly groupsMade: number;
  readonly numbers: NumberCountsState;
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
      ...{ place, index, areas, areaCalls, counts: packedCounts(counts) },
      callersNow: ranksOf(counts.now) ?? new Uint8Array(0),
      callersBefore: ranksOf(counts.before),
    };
  }
}

/** Counts as one array. */
export function packedCounts(counts: CallCounts): Int32Array {
  const packed = new Int32Array(PACKED_COUNTS);
  packCounts(counts, packed, 0);
  return packed;
}

const ranksOf = ({ callers }: HalfCounts): Uint8Array | undefined => callers?.ranks;

/** Takes packed trunks or signers over. */
export function restoreGroups(table: BoundedTable<GroupMemory>, saved: SavedTable<SavedGroup>): void {
  const entries: (GroupMemory | undefined)[] = [];
  for (const { place, index, counts, callersNow, callersBefore, areas, areaCalls } of saved.packed) {
    const callers = { now: callersNow, before: callersBefore };
    entries[place] = { index, areas, areaCalls, counts: unpackedGroupCounts(counts, callers) };
  }
  table.restore({ ...saved, entries });
}
