import { judgedTracebacks, metricText } from '../run-record.js';
import { counted } from '../html/markup.js';
import { verdictSentence } from '../html/report-html.js';
import { oneLine } from '../ladder/one-line.js';
import type { RunRecord } from '../run-record.js';
import { campaignLines, foundLines } from './campaign-lines.js';
import { namedLines } from './named-lines.js';
import { tracebackLines } from './traceback-lines.js';
import { wrapped } from './wrapped.js';

/** Different tracebacks that are told whole; a terminal is no report. */
const MAX_TOLD = 6;

/**
 * A run told in plain words, for somebody who has never seen one: what the campaign was, what was found of it and when, each traceback hop by hop beside
 * the true way, who is named and who was named falsely, and how that stands to the truth. No line is wider than 80 columns but for names of peers.
 * @returns lines, without colour
 */
export function storyLines(record: RunRecord): readonly string[] {
  const { plan, thresholds, verdict, oracle } = record;
  const courses = new Map<string, { readonly lines: readonly string[]; readonly calls: number[] }>();
  for (const judged of judgedTracebacks(record)) {
    const lines = tracebackLines(judged, plan);
    const known = courses.get(lines.join('\n'));
    if (known === undefined) courses.set(lines.join('\n'), { lines, calls: [judged.traceback.callIndex] });
    else known.calls.push(judged.traceback.callIndex);
  }
  const told = [...courses.values()].slice(0, MAX_TOLD);
  const left = courses.size - told.length;
  return [
    '',
    'WHAT HAPPENED',
    ...campaignLines(record),
    '',
    'WHAT WAS FOUND',
    ...foundLines(record),
    ...told.flatMap(({ lines, calls }) => ['', ...titleOf(calls), ...lines]),
    ...(left > 0 ? ['', `${counted(left, 'other course')} of tracebacks: in the report.`] : []),
    '',
    'WHO IS NAMED',
    ...namedLines(record),
    '',
    'HELD AGAINST THE TRUTH',
    ...thresholds.map(({ metric, threshold, isMet, seen }) => {
      const figure = Object.entries(oracle.metrics).find(([name]) => name === metric)?.[1];
      return `  ${isMet ? '✓' : '✗'} ${metric} ${threshold}: ${figure === undefined ? seen : metricText(figure)}`;
    }),
    ...oracle.findings
      .slice(0, MAX_TOLD)
      .flatMap(({ kind, expected, seen }) =>
        wrapped(`${kind}: true is ${oneLine(expected)}; seen was ${oneLine(seen)}`, { first: '  ✗ ', rest: '    ' }),
      ),
    '',
    ...wrapped(`${verdict.toUpperCase()}: ${verdictSentence(record)}`, {
      first: `${verdict === 'passed' ? '✓' : '✗'} `,
      rest: '  ',
    }),
  ];
}

function titleOf(calls: readonly number[]): readonly string[] {
  // A call of which there are a record and a report may be traced by either.
  const which = [...new Set(calls)].toSorted((one, other) => one - other);
  const whose = which.length === 1 ? `call ${which[0]}` : `calls ${which.slice(0, -1).join(', ')} and ${which.at(-1)}`;
  return wrapped(
    `${calls.length === 1 ? 'Traceback' : `${calls.length} tracebacks`} of ${whose}, back from who was called:`,
    {
      first: '',
      rest: '  ',
    },
  );
}
