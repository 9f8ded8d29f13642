import { coverageGaps } from '../../records/index.js';
import { coverageWithin } from '../../records/store/record-store.js';
import type { CoverageInterval, TimeWindow } from '../../records/index.js';
import { EXIT, optionSpecs, refuseOperands, UsageError } from '../kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from '../kit/command.js';
import type { CliIo } from '../kit/node-io.js';
import { countText, distanceText, factLines, report } from '../kit/output.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from '../inputs/record-sources.js';
import { checkZone, coverageBySource, timesOf, utcText, windowOption, windowText } from '../inputs/records-query.js';

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

const COVERAGE_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  'from <TIME>': 'first instant: ISO 8601 with Z or an offset, or local time with --zone; default the first known',
  'to <TIME>': 'last instant; default now with --from, else the last known',
  'zone <ZONE>': 'zone of times without an offset: America/New_York',
  'id <SOURCE...>': 'sources to show; default all',
});

const COVERAGE: CommandBody = {
  usage: ['--store DIR [--from TIME [--to TIME]] [--id SOURCE ...]'],
  options: COVERAGE_OPTIONS,
  notes: [
    'A source is complete for the time that was read to its end without a loss. In the bar █ is complete, ▒ complete in part, ░ not at ' +
      `all. ${STORE_NOTE}`,
    'Exit codes: 0 every source is complete for all of the time, 2 command line or input not valid, 3 something is missing, 4 the store is not usable.',
  ],
  run: runCoverage,
};

/** What is shown of one source. */
interface SourceCoverage {
  readonly sourceId: string;
  readonly intervals: readonly CoverageInterval[];
  readonly gaps: readonly TimeWindow[];
}

async function runCoverage(options: OptionsOf<typeof COVERAGE_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const zone = options.text('zone');
  checkZone(zone);
  const nowUs = io.clock.nowMs() * 1_000;
  const isBounded = options.text('from') !== undefined || options.text('to') !== undefined;
  const given = isBounded ? windowOption(options, zone, nowUs) : undefined;
  await using store = await openExistingStore(options, io);
  const bySource = await coverageBySource(store);
  const wanted = options.texts('id').length > 0 ? options.texts('id') : [...bySource.keys()];
  const unknown = wanted.filter((sourceId) => !bySource.has(sourceId));
  if (unknown.length > 0 && given === undefined)
    throw new UsageError(`the store knows no source ${unknown.join(', ')}`);
  const window = given ?? hullOf(wanted.flatMap((sourceId) => bySource.get(sourceId) ?? []));
  const sources = wanted.map((sourceId) => within(sourceId, bySource.get(sourceId) ?? [], window));
  const isComplete = window !== undefined && sources.length > 0 && sources.every(({ gaps }) => gaps.length === 0);
  const document = {
    format: 'hopback.records-coverage.1',
    exitCode: isComplete ? EXIT.ok : EXIT.indeterminate,
    window: window && dated(window),
    sources: sources.map(({ sourceId, intervals, gaps }) => ({
      sourceId,
      intervals: intervals.map(dated),
      gaps: gaps.map(dated),
    })),
  };
  return report(options, io, document, textOf(sources, { window, nowUs, columns: io.stdout.columns }));
}

const dated = (stretch: TimeWindow): unknown => ({ fromUs: stretch.fromUs, toUs: stretch.toUs, ...timesOf(stretch) });

function hullOf(intervals: readonly CoverageInterval[]): TimeWindow | undefined {
  if (intervals.length === 0) return undefined;
  let [fromUs, toUs] = [Infinity, -Infinity];
  for (const interval of intervals) {
    fromUs = Math.min(fromUs, interval.fromUs);
    toUs = Math.max(toUs, interval.toUs);
  }
  return { fromUs, toUs };
}

/** @param window - undefined where no source is complete for any time */
function within(
  sourceId: string,
  intervals: readonly CoverageInterval[],
  window: TimeWindow | undefined,
): SourceCoverage {
  if (window === undefined) return { sourceId, intervals: [], gaps: [] };
  return { sourceId, intervals: coverageWithin(intervals, window), gaps: coverageGaps(intervals, window) };
}

interface TextOptions {
  readonly window: TimeWindow | undefined;
  readonly nowUs: number;
  readonly columns: number | undefined;
}

function textOf(sources: readonly SourceCoverage[], { window, nowUs, columns }: TextOptions): readonly string[] {
  if (window === undefined || sources.length === 0) {
    const known = sources.length === 0 ? '' : `; it knows ${sources.map(({ sourceId }) => sourceId).join(', ')}`;
    return [`? the store is not complete for any time of any source${known}`];
  }
  return [
    windowText(window),
    ...sources.flatMap(({ sourceId, intervals, gaps }) => {
      const last = intervals.at(-1);
      const until = last === undefined ? '' : `, last known ${distanceText(last.toUs / 1_000, nowUs / 1_000)}`;
      return [
        '',
        `${gaps.length === 0 ? '✓' : '?'} ${sourceId}: ${gaps.length === 0 ? 'complete' : gapCount(gaps)}${until}`,
        ...coverageBar(intervals, { window, columns }),
        ...listed(intervals, 'complete'),
        ...listed(gaps, 'missing '),
      ];
    }),
  ];
}

function gapCount(gaps: readonly TimeWindow[]): string {
  return gaps.length === 1 ? '1 stretch missing' : `${String(gaps.length)} stretches missing`;
}

/** Stretches that are listed of one source; `--json` has them all. */
const MAX_LISTED = 20;

function listed(stretches: readonly TimeWindow[], word: string): readonly string[] {
  const lines = stretches
    .slice(-MAX_LISTED)
    .map(({ fromUs, toUs }) => `  ${word}  ${utcText(fromUs)} to ${utcText(toUs)}`);
  const more = stretches.length - lines.length;
  return more === 0 ? lines : [`  ${word}  and ${String(more)} stretches before; --json lists them all`, ...lines];
}

const STATS: CommandBody = {
  usage: ['--store DIR'],
  options: STORE_OPTIONS,
  notes: [
    `Records, octets on disk, days, oldest and newest call, and what is under a hold. ${STORE_NOTE}`,
    'Exit codes: 0 shown, 2 command line or input not valid, 4 the store is not usable.',
  ],
  run: runStats,
};

async function runStats(options: OptionsOf<typeof STORE_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  await using store = await openExistingStore(options, io);
  const statistics = await store.statistics();
  const { records, sizeBytes, partitions, oldestUs, newestUs } = statistics;
  const holds = await store.holds();
  const held = holds.reduce((sum, { count }) => sum + count, 0);
  const bytesPerRecord = records === 0 ? undefined : Math.round(sizeBytes / records);
  const [oldest, newest] = [oldestUs, newestUs].map((us) => (us === undefined ? undefined : utcText(us)));
  const counts = { bytesPerRecord, holds: holds.length, recordsUnderHold: held };
  const density = bytesPerRecord === undefined ? '' : `, ${String(bytesPerRecord)} octets a record`;
  const facts = [
    ['records', String(records)],
    ['size', `${sizeText(sizeBytes)}${density}`],
    ['partitions', countText(partitions, 'day')],
    ['oldest', oldest ?? '-'],
    ['newest', newest ?? '-'],
    ['holds', `${String(holds.length)} in force, over ${countText(held, 'record')}`],
  ] as const;
  const document = {
    format: 'hopback.records-stats.1',
    ...statistics,
    oldest,
    newest,
    ...counts,
  };
  return report(options, io, document, factLines(facts, ''));
}

const UNITS = ['octets', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `118 octets`, `2.4 GiB` */
function sizeText(bytes: number): string {
  const step = bytes < 1_024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  return `${step === 0 ? String(bytes) : (bytes / 1_024 ** step).toFixed(1)} ${UNITS[step] ?? ''}`;
}

export const COMMANDS = { 'records coverage': COVERAGE, 'records stats': STATS };
