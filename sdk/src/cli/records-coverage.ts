import { coverageGaps, coverageWithin } from '../records/index.js';
import type { CoverageInterval, TimeWindow } from '../records/index.js';
import type { Command } from './command.js';
import { coverageBar } from './coverage-bar.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { distanceText, printJson, printLines } from './output.js';
import { coverageBySource, timesOf } from './record-completeness.js';
import { windowOption } from './record-query-options.js';
import { checkZone, utcText, windowText } from './record-times.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from './store-options.js';
import type { StoreOption } from './store-options.js';
import { UsageError } from './usage-error.js';

type CoverageOption = StoreOption | 'from' | 'to' | 'zone' | 'id';

const OPTIONS: OptionSpecs<CoverageOption> = {
  ...STORE_OPTIONS,
  from: {
    value: 'TIME',
    text: 'first instant: ISO 8601 with Z or an offset, or local time with --zone; default the first known',
  },
  to: { value: 'TIME', text: 'last instant; default now with --from, else the last known' },
  zone: { value: 'ZONE', text: 'zone of times without an offset: America/New_York' },
  id: { value: 'SOURCE', multiple: true, text: 'sources to show; default all' },
};

/** `hopback records coverage` */
export const recordsCoverageCommand: Command = {
  name: 'records coverage',
  summary: 'show for which times each source is complete',
  usage: ['--store DIR [--from TIME [--to TIME]] [--id SOURCE ...]'],
  options: OPTIONS,
  notes: [
    'A source is complete for the time that was read to its end without a loss. In the bar █ is complete, ▒ complete in part, ░ not at ' +
      `all. ${STORE_NOTE}`,
    'Exit codes: 0 every source is complete for all of the time, 2 not understood, 3 something is missing, 4 the store is not usable.',
  ],
  run,
};

/** What is shown of one source. */
interface SourceCoverage {
  readonly sourceId: string;
  readonly intervals: readonly CoverageInterval[];
  readonly gaps: readonly TimeWindow[];
}

async function run(options: Options<CoverageOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const zone = options.text('zone');
  checkZone(zone);
  const nowUs = io.clock.nowMs() * 1_000;
  const isBounded = options.text('from') !== undefined || options.text('to') !== undefined;
  const given = isBounded ? windowOption(options, { zone, nowUs }) : undefined;
  await using store = await openExistingStore(options, io);
  const bySource = await coverageBySource(store);
  const wanted = options.texts('id').length > 0 ? options.texts('id') : [...bySource.keys()];
  const unknown = wanted.filter((sourceId) => !bySource.has(sourceId));
  if (unknown.length > 0 && given === undefined)
    throw new UsageError(`the store knows no source ${unknown.join(', ')}`);
  const window = given ?? hullOf(wanted.flatMap((sourceId) => bySource.get(sourceId) ?? []));
  const sources = wanted.map((sourceId) => within(sourceId, bySource.get(sourceId) ?? [], window));
  const isComplete = window !== undefined && sources.length > 0 && sources.every(({ gaps }) => gaps.length === 0);
  const exitCode = isComplete ? EXIT.ok : EXIT.indeterminate;
  if (options.isOn('json')) printJson(io, documentOf(sources, { exitCode, window }));
  else printLines(io, textOf(sources, { window, nowUs, columns: io.stdout.columns }));
  return exitCode;
}

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

function documentOf(
  sources: readonly SourceCoverage[],
  { exitCode, window }: { readonly exitCode: ExitCode; readonly window: TimeWindow | undefined },
): unknown {
  const dated = (stretch: TimeWindow): unknown => ({ fromUs: stretch.fromUs, toUs: stretch.toUs, ...timesOf(stretch) });
  return {
    format: 'hopback.records-coverage.1',
    exitCode,
    ...(window === undefined ? {} : { window: dated(window) }),
    sources: sources.map(({ sourceId, intervals, gaps }) => ({
      sourceId,
      intervals: intervals.map(dated),
      gaps: gaps.map(dated),
    })),
  };
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
