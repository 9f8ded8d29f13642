import { searchCoverage } from '../match/covered-search.js';
import type { CoverageGap } from '../match-outcome.js';
import { utcText } from '../utc-text.js';
import type { ReviewSubject } from './review-subject.js';
import type { ViewFact } from './review-view.js';
import { spanText } from './span-text.js';

/** What of the asked windows is on record, for every source that was asked. */
interface AskedCoverage {
  /** By source and time; of the source `''` where there is none. */
  readonly gaps: readonly CoverageGap[];
  /** Microseconds that are covered, by source. */
  readonly coveredUs: ReadonlyMap<string, number>;
  /** Microseconds of all windows. */
  readonly askedUs: number;
}

/**
 * Whether every source that was asked is covered for all of the windows that were looked through: only then may "not found" be said, whatever
 * was found beside it. Never throws.
 */
export function isSearchComplete(subject: ReviewSubject): boolean {
  const asked = askedCoverage(subject);
  return asked !== undefined && asked.askedUs > 0 && asked.gaps.length === 0;
}

/** Gaps that are shown: past them nobody reads on. */
const MAX_SHOWN_GAPS = 20;

/** What was looked through, and how much of it is on record, in words. */
export function searchedFacts(subject: ReviewSubject): readonly ViewFact[] {
  const { outcome } = subject;
  if (outcome === undefined) return [];
  if (outcome.status === 'unreadable') return outcome.because.map((value) => ({ label: 'not read', value }));
  const { windows, keys, recordsConsidered } = outcome.search;
  const retainedFromUs = outcome.status === 'not-retained' ? outcome.retainedFromUs : undefined;
  return [
    ...windows.map(({ fromUs, toUs }) => ({ label: 'window', value: `${utcText(fromUs)} to ${utcText(toUs)}` })),
    { label: 'by', value: keys.join(', ') },
    { label: 'records', value: String(recordsConsidered) },
    ...coverageFacts(askedCoverage(subject)),
    ...(retainedFromUs === undefined ? [] : [{ label: 'removed', value: `records before ${utcText(retainedFromUs)}` }]),
    ...gapFacts(askedCoverage(subject)?.gaps ?? [], retainedFromUs),
  ];
}

function askedCoverage({ outcome, sources = [] }: ReviewSubject): AskedCoverage | undefined {
  if (outcome === undefined || outcome.status === 'unreadable') return undefined;
  const { windows, coverage } = outcome.search;
  // A gap may be all that is known of a source.
  const missing = outcome.status === 'gap' ? outcome.gaps.map(({ sourceId }) => sourceId) : [];
  const asked = [...new Set([...sources, ...missing, ...coverage.map(({ sourceId }) => sourceId)])].filter(
    (sourceId) => sourceId !== '',
  );
  const { gaps } = searchCoverage(windows, coverage, { sources: asked });
  const askedUs = windows.reduce((sum, { fromUs, toUs }) => sum + Math.max(0, toUs - fromUs + 1), 0);
  const coveredUs = new Map(asked.map((sourceId) => [sourceId, askedUs]));
  for (const { sourceId, fromUs, toUs } of gaps)
    if (sourceId !== '') coveredUs.set(sourceId, (coveredUs.get(sourceId) ?? askedUs) - (toUs - fromUs + 1));
  return { gaps, coveredUs, askedUs };
}

/** "complete" is said of all or of none: where a source is not, of each it is said how much is covered. */
function coverageFacts(asked: AskedCoverage | undefined): readonly ViewFact[] {
  if (asked === undefined) return [];
  const { askedUs, gaps, coveredUs } = asked;
  if (coveredUs.size === 0) return [{ label: 'incomplete', value: 'no source is known' }];
  if (askedUs > 0 && gaps.length === 0) return [{ label: 'complete', value: [...coveredUs.keys()].join(', ') }];
  return [...coveredUs].map(([sourceId, us]) => {
    const part = us === askedUs ? 'all' : us === 0 ? 'nothing' : wholeSeconds(us);
    return {
      label: us === askedUs ? 'covered' : 'incomplete',
      value: `${sourceId}: ${part} of ${wholeSeconds(askedUs)}`,
    };
  });
}

/** Rounded down: what is nearly complete is not. */
function wholeSeconds(us: number): string {
  return spanText(Math.floor(us / 1_000_000));
}

function gapFacts(gaps: readonly CoverageGap[], retainedFromUs: number | undefined): readonly ViewFact[] {
  const shown = gaps.filter(({ toUs }) => toUs >= (retainedFromUs ?? toUs));
  return [
    ...shown.slice(0, MAX_SHOWN_GAPS).map(({ sourceId, fromUs, toUs }) => ({
      label: 'missing',
      value: `${sourceId === '' ? 'every source' : sourceId}: ${utcText(fromUs)} to ${utcText(toUs)}`,
    })),
    ...(shown.length > MAX_SHOWN_GAPS
      ? [{ label: 'missing', value: `and ${String(shown.length - MAX_SHOWN_GAPS)} more` }]
      : []),
  ];
}
