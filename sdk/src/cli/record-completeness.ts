import { coverageGaps } from '../records/index.js';
import type { CoverageInterval, RecordLookup, TimeWindow } from '../records/index.js';
import { utcText, windowText } from './record-times.js';

/** A stretch of a window for which the store cannot say what a source wrote. */
export interface MissingStretch extends TimeWindow {
  readonly sourceId: string;
  /** `not-retained`: it was removed, or not taken, for its age. */
  readonly reason: 'not-known' | 'not-retained';
}

/** Whether a store may say "not found" about some windows. */
export interface Completeness {
  readonly isComplete: boolean;
  /** Sources that were looked at. */
  readonly sources: readonly string[];
  /** By source, then time. */
  readonly missing: readonly MissingStretch[];
}

/** Every time that a record may have. */
const ALL_TIME: TimeWindow = { fromUs: Number.MIN_SAFE_INTEGER, toUs: Number.MAX_SAFE_INTEGER };

/** All that a store is complete for, by source. */
export async function coverageBySource(store: RecordLookup): Promise<ReadonlyMap<string, readonly CoverageInterval[]>> {
  const bySource = new Map<string, CoverageInterval[]>();
  // One that is complete for no time at all has to be named too: its silence proves nothing.
  const { sources } = await store.scope();
  for (const sourceId of sources) bySource.set(sourceId, []);
  // Of all time: a source that has nothing in a window is not named by the coverage of the window.
  for (const interval of await store.coverage(ALL_TIME)) {
    const known = bySource.get(interval.sourceId);
    if (known === undefined) bySource.set(interval.sourceId, [interval]);
    else known.push(interval);
  }
  return bySource;
}

/**
 * What is missing of some windows.
 * @param windows - what lies in the future of them is not missed, where they begin before now
 * @param options - `sourceIds` that have to be complete: those that the store knows where none are named
 */
export async function completenessOf(
  store: RecordLookup,
  windows: readonly TimeWindow[],
  { sourceIds, nowUs }: { readonly sourceIds: readonly string[]; readonly nowUs: number },
): Promise<Completeness> {
  const bySource = await coverageBySource(store);
  const { retainedFromUs = Number.NEGATIVE_INFINITY } = await store.scope();
  const sources = sourceIds.length > 0 ? sourceIds : [...bySource.keys()];
  const past = windows.map(({ fromUs, toUs }) => ({ fromUs, toUs: fromUs < nowUs ? Math.min(toUs, nowUs) : toUs }));
  const missing = sources.flatMap((sourceId) =>
    past.flatMap((window) =>
      coverageGaps(bySource.get(sourceId) ?? [], window).flatMap((gap) => reasoned(gap, { sourceId, retainedFromUs })),
    ),
  );
  return { isComplete: sources.length > 0 && missing.length === 0, sources, missing };
}

/** A gap, divided where retention ended. */
function reasoned(
  { fromUs, toUs }: TimeWindow,
  { sourceId, retainedFromUs }: { readonly sourceId: string; readonly retainedFromUs: number },
): readonly MissingStretch[] {
  const removed = { sourceId, fromUs, toUs: Math.min(toUs, retainedFromUs - 1), reason: 'not-retained' } as const;
  const unknown = { sourceId, fromUs: Math.max(fromUs, retainedFromUs), toUs, reason: 'not-known' } as const;
  return [removed, unknown].filter((stretch) => stretch.fromUs <= stretch.toUs);
}

/** Whether the only thing that is missing is what retention has removed. */
export function isNotRetained({ missing }: Completeness): boolean {
  return missing.length > 0 && missing.every(({ reason }) => reason === 'not-retained');
}

/** Stretches that are listed; a source that fails every few minutes has more than anybody reads. */
const MAX_LISTED = 20;

/** What is missing, a line for each stretch. */
export function missingLines({ sources, missing }: Completeness): readonly string[] {
  if (sources.length === 0) return ['  ? the store is not complete for any time of any source'];
  const listed = missing
    .slice(0, MAX_LISTED)
    .map((gap) => `  ? ${gap.sourceId}: ${REASON_WORDS[gap.reason]} ${windowText(gap)}`);
  const more = missing.length - listed.length;
  return more === 0 ? listed : [...listed, `  ? and ${String(more)} more stretches; --json lists them all`];
}

const REASON_WORDS: Readonly<Record<MissingStretch['reason'], string>> = {
  'not-known': 'nothing known of',
  'not-retained': 'no longer kept  ',
};

/** For a document: with times that can be read. */
export function completenessDocument({
  isComplete,
  sources,
  missing,
}: Completeness): Readonly<Record<string, unknown>> {
  return { isComplete, sources, missing: missing.map((gap) => Object.assign({}, gap, timesOf(gap))) };
}

/** The ends of a window as texts, beside their microseconds. */
export function timesOf({ fromUs, toUs }: TimeWindow): { readonly from: string; readonly to: string } {
  return { from: utcText(fromUs), to: utcText(toUs) };
}
