import { coverageWithin } from '../records/index.js';
import type { CoverageInterval, TimeWindow } from '../records/index.js';

/** Where nobody says how wide the terminal is. */
const DEFAULT_COLUMNS = 80;
/** Two dates have their place below the narrowest bar, and eyes find theirs in the widest. */
const MIN_CELLS = 24;
const MAX_CELLS = 160;
const INDENT = '  ';

/**
 * Draws what a source covers of a window: a bar, and below it the dates of its ends.
 * @param intervals - of one source, in order, apart from each other
 * @param options - the window, and the width of the terminal in characters
 * @returns two lines. Never throws
 * @example
 * ```ts
 * const [bar] = coverageBar([{ sourceId: 'sbc-1', fromUs: 0, toUs: 11 }], { window: { fromUs: 0, toUs: 23 }, columns: 26 });
 * console.log(bar); //   ████████████░░░░░░░░░░░░
 * ```
 */
export function coverageBar(
  intervals: readonly CoverageInterval[],
  { window, columns = DEFAULT_COLUMNS }: { readonly window: TimeWindow; readonly columns?: number | undefined },
): readonly string[] {
  const cells = Math.min(Math.max(columns - INDENT.length, MIN_CELLS), MAX_CELLS);
  const lengthUs = window.toUs - window.fromUs + 1;
  let bar = '';
  for (let cell = 0; cell < cells; cell += 1) {
    const fromUs = window.fromUs + Math.floor((lengthUs * cell) / cells);
    // A window of fewer microseconds than cells has cells of the same microsecond.
    const toUs = Math.max(fromUs, window.fromUs + Math.floor((lengthUs * (cell + 1)) / cells) - 1);
    bar += mark(intervals, { fromUs, toUs });
  }
  const [from, to] = endTexts(window);
  return [`${INDENT}${bar}`, `${INDENT}${from}${to.padStart(Math.max(cells - from.length, to.length + 1))}`];
}

function mark(intervals: readonly CoverageInterval[], cell: TimeWindow): string {
  let coveredUs = 0;
  for (const { fromUs, toUs } of coverageWithin(intervals, cell)) coveredUs += toUs - fromUs + 1;
  if (coveredUs === 0) return '░';
  return coveredUs > cell.toUs - cell.fromUs ? '█' : '▒';
}

/** Days, or days and minutes where the window is short. */
function endTexts({ fromUs, toUs }: TimeWindow): readonly [string, string] {
  const chars = toUs - fromUs < SHORT_US ? 16 : 10;
  const text = (us: number): string => {
    const date = new Date(us / 1_000);
    return Number.isNaN(date.getTime()) ? String(us) : date.toISOString().slice(0, chars).replace('T', ' ');
  };
  return [text(fromUs), text(toUs)];
}

/** A week. */
const SHORT_US = 7 * 86_400_000_000;
