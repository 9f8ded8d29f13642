import type { CoverageInterval } from '../../core/call-record.js';
import type { StoreScope, TimeWindow } from './record-store.js';

/**
 * Adds a stretch to the coverage of one source. Stretches that touch or overlap become one: microseconds are whole, so that one
 * that ends at 9 touches one that begins at 10.
 * @param intervals - of one source, in order, apart from each other, as this function returns them
 * @param added - one that ends before it begins adds nothing
 * @returns in order, apart from each other. Never throws
 * @see {@link coverageWithout}, which takes away
 * @example
 * ```ts
 * const day = coverageWith([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { sourceId: 'sbc-1', fromUs: 10, toUs: 19 });
 * console.log(day); // [ { sourceId: 'sbc-1', fromUs: 0, toUs: 19 } ]
 * ```
 */
export function coverageWith(
  intervals: readonly CoverageInterval[],
  added: CoverageInterval,
): readonly CoverageInterval[] {
  if (added.toUs < added.fromUs) return intervals;
  let { fromUs, toUs } = added;
  const before: CoverageInterval[] = [];
  const after: CoverageInterval[] = [];
  for (const interval of intervals) {
    if (interval.toUs + 1 < fromUs) before.push(interval);
    else if (interval.fromUs - 1 > toUs) after.push(interval);
    else {
      fromUs = Math.min(fromUs, interval.fromUs);
      toUs = Math.max(toUs, interval.toUs);
    }
  }
  return [...before, { sourceId: added.sourceId, fromUs, toUs }, ...after];
}

/**
 * Takes a stretch from the coverage of one source; what lay across its ends is cut there.
 * @param intervals - of one source, in order, apart from each other
 * @param removed - one that ends before it begins takes nothing
 * @returns in order, apart from each other. Never throws
 * @see {@link coverageWith}, which adds
 * @example
 * ```ts
 * const left = coverageWithout([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { fromUs: 4, toUs: 5 });
 * console.log(left.map(({ fromUs, toUs }) => `${fromUs}-${toUs}`).join(' ')); // 0-3 6-9
 * ```
 */
export function coverageWithout(
  intervals: readonly CoverageInterval[],
  removed: TimeWindow,
): readonly CoverageInterval[] {
  if (removed.toUs < removed.fromUs) return intervals;
  const left: CoverageInterval[] = [];
  for (const { sourceId, fromUs, toUs } of intervals) {
    if (toUs < removed.fromUs || fromUs > removed.toUs) left.push({ sourceId, fromUs, toUs });
    else {
      if (fromUs < removed.fromUs) left.push({ sourceId, fromUs, toUs: removed.fromUs - 1 });
      if (toUs > removed.toUs) left.push({ sourceId, fromUs: removed.toUs + 1, toUs });
    }
  }
  return left;
}

/**
 * The coverage from a time on: where records that began before are not kept, "not found" says nothing about them.
 * @param intervals - of one source, in order, apart from each other
 * @param fromUs - microseconds since the epoch
 * @returns in order, cut at the time. Never throws
 */
export function coverageFrom(intervals: readonly CoverageInterval[], fromUs: number): readonly CoverageInterval[] {
  return coverageWithout(intervals, { fromUs: -Infinity, toUs: fromUs - 1 });
}

/**
 * The part of the coverage that lies in a window.
 * @param intervals - of any sources, in any order
 * @param window - microseconds since the epoch, both ends included
 * @returns in the same order, cut to the window. Never throws
 * @see {@link coverageGaps} for what is not covered
 * @example
 * ```ts
 * const hour = coverageWithin([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { fromUs: 5, toUs: 50 });
 * console.log(hour); // [ { sourceId: 'sbc-1', fromUs: 5, toUs: 9 } ]
 * ```
 */
export function coverageWithin(
  intervals: readonly CoverageInterval[],
  window: TimeWindow,
): readonly CoverageInterval[] {
  const within: CoverageInterval[] = [];
  for (const { sourceId, fromUs, toUs } of intervals) {
    const from = Math.max(fromUs, window.fromUs);
    const to = Math.min(toUs, window.toUs);
    if (from <= to) within.push({ sourceId, fromUs: from, toUs: to });
  }
  return within;
}

/**
 * The stretches of a window that a source does not cover: what "not found" may not be said about.
 * @param intervals - of one source, in order, apart from each other
 * @param window - microseconds since the epoch, both ends included
 * @returns in order; empty where all of it is covered. Never throws
 * @see {@link coverageWithin} for what is covered
 * @example
 * ```ts
 * console.log(coverageGaps([{ sourceId: 'sbc-1', fromUs: 0, toUs: 9 }], { fromUs: 5, toUs: 12 })); // [ { fromUs: 10, toUs: 12 } ]
 * ```
 */
export function coverageGaps(intervals: readonly CoverageInterval[], window: TimeWindow): readonly TimeWindow[] {
  const gaps: TimeWindow[] = [];
  let next = window.fromUs;
  for (const { fromUs, toUs } of coverageWithin(intervals, window)) {
    if (fromUs > next) gaps.push({ fromUs: next, toUs: fromUs - 1 });
    next = toUs + 1;
  }
  if (next <= window.toUs) gaps.push({ fromUs: next, toUs: window.toUs });
  return gaps;
}

/**
 * The scope of a store.
 * @param retainedFromUs - 0 where retention never removed anything
 */
export function scopeOf(sources: readonly string[], retainedFromUs: number): StoreScope {
  return retainedFromUs > 0 ? { sources, retainedFromUs } : { sources };
}

/** Coverage of every source of a store, in memory. */
export interface CoverageTable {
  readonly of: (sourceId: string) => readonly CoverageInterval[];
  /** Sets the coverage of a source; none removes it. */
  readonly set: (sourceId: string, intervals: readonly CoverageInterval[]) => void;
  readonly sources: () => readonly string[];
  /** By source, then time. */
  readonly within: (window: TimeWindow) => readonly CoverageInterval[];
}

/**
 * Makes an empty table of coverage.
 * @example
 * ```ts
 * const table = createCoverageTable();
 * table.set('sbc-1', coverageWith(table.of('sbc-1'), { sourceId: 'sbc-1', fromUs: 0, toUs: 9 }));
 * console.log(table.within({ fromUs: 0, toUs: 3 })); // [ { sourceId: 'sbc-1', fromUs: 0, toUs: 3 } ]
 * ```
 */
export function createCoverageTable(): CoverageTable {
  const bySource = new Map<string, readonly CoverageInterval[]>();
  const sources = (): readonly string[] => [...bySource.keys()].sort();
  return {
    of: (sourceId) => bySource.get(sourceId) ?? [],
    set: (sourceId, intervals) => {
      if (intervals.length === 0) bySource.delete(sourceId);
      else bySource.set(sourceId, intervals);
    },
    sources,
    within: (window) => sources().flatMap((sourceId) => coverageWithin(bySource.get(sourceId) ?? [], window)),
  };
}
