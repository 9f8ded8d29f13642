import type { CoverageInterval } from '../../core/call-record.js';
import { coverageGaps, coverageWithin } from '../../records/store/coverage.js';
import type { StoreScope, TimeWindow } from '../../records/store/record-store.js';
import type { CoverageGap } from '../match-outcome.js';

/** What can be said about the windows of a search. */
export interface SearchCoverage {
  /** Coverage in the windows, by source and time. */
  readonly coverage: readonly CoverageInterval[];
  /** What of them is not covered, and still is within retention. */
  readonly gaps: readonly CoverageGap[];
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
export function commonCoverage(
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
