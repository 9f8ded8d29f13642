import { counted, oneLine, rounded } from '../../report/index.js';
import type { LatencySummary } from '../../report/index.js';
import type { FoundSoFar } from '../../network/world/index.js';
import type { RunView } from '../run-options.js';

/** How wide and high a terminal is, and whether it may be coloured. */
export interface TerminalShape {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

const STAGES = {
  opening: 'opening the network',
  calls: 'calls',
  settling: 'waiting for records, campaigns and tracebacks',
  judging: 'judging',
  over: 'over',
} as const;

/** Why a run ends before its plan does. */
const ENDS = {
  plan: '',
  stopped: 'STOPPED, ',
  signal: 'ENDED BY A SIGNAL, ',
  timeout: 'TIME IS UP, ',
  threshold: 'ENDED BY A THRESHOLD, ',
} as const;

const KEYS = '+ - 10 % more, less   * / twice, half   p pause   q stop';

/** The dashboard as lines of a terminal, none wider or more than it has room for. */
export function dashboardLines(view: RunView, { columns, rows, color }: TerminalShape): readonly string[] {
  const { counts, hops, last, found } = view;
  const paint = (text: string, code: number): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const head = ` ${oneLine(view.scenario)}, seed ${view.seed}: ${ENDS[view.endedBy ?? 'plan']}${view.isPaused ? 'PAUSED' : STAGES[view.stage]}`;
  const lines: readonly (readonly [string, number?])[] = [
    [head, 1],
    [` ${bar(view, Math.max(10, Math.min(50, columns - 30)))} ${clock(view.elapsedMs)}`],
    [''],
    [` Rate     ${rounded(last?.placedPerSecond ?? 0)} calls/s, ${rounded(view.rateFactor * 100)} % of the scenario's`],
    [
      ` Calls    ${counts.up} up, ${counts.placed} of ${counts.planned} placed, ${counts.ended} ended, ${counts.unplaced > 0 ? '! ' : ''}${counts.unplaced} not placed`,
    ],
    [` Wrong    ${counts.wrong === 0 ? '0' : `! ${counts.wrong}`}`, counts.wrong === 0 ? 32 : 31],
    [` Verdicts ${accuracy(counts.verdicts)}`, counts.verdicts.good === counts.verdicts.of ? 32 : 31],
    [` Setup    ${latency(last?.setupMs)}`],
    [` Held     ${latency(last?.heldMs)}`],
    ...(found === undefined ? [] : [[` Found    ${foundText(found)}`] as const]),
    [''],
    [
      ` ${'Provider'.padEnd(22)}${'calls'.padStart(8)}${'verdicts'.padStart(12)}${'held p50'.padStart(11)}${'p99'.padStart(9)}`,
      4,
    ],
  ];
  const room = Math.max(0, rows - lines.length - 3);
  const table = hops
    .slice(0, room)
    .map(({ provider, calls, verdicts: { good, of }, heldMs }): readonly [string, number?] => {
      const isTrue = good === of;
      const verdicts = of === 0 ? '' : `${isTrue ? '' : '! '}${good}/${of}`;
      const held = heldMs === undefined ? ['', ''] : [rounded(heldMs.p50), rounded(heldMs.p99)];
      const cells = [
        String(calls).padStart(8),
        verdicts.padStart(12),
        (held[0] ?? '').padStart(11),
        (held[1] ?? '').padStart(9),
      ];
      const text = ` ${oneLine(provider).slice(0, 21).padEnd(22)}${cells.join('')}`;
      return isTrue ? [text] : [text, 31];
    });
  const left = hops.length - table.length;
  const foot: readonly (readonly [string, number?])[] = [
    ...(left > 0 ? [[` and ${left} more`] as const] : []),
    [''],
    [` ${KEYS}`, 2],
  ];
  return [...lines, ...table, ...foot].slice(0, Math.max(1, rows - 1)).map(([text, code]) => {
    const cut = text.slice(0, Math.max(1, columns - 1));
    return code === undefined ? cut : paint(cut, code);
  });
}

/** How things stand on one line, for logs of CI. */
export function plainLine(view: RunView): string {
  const { counts, last, found, stage, isPaused, endedBy = 'plan' } = view;
  const parts = [
    `${clock(view.elapsedMs)} ${ENDS[endedBy].toLowerCase()}${isPaused ? 'paused' : stage}`,
    `${counts.placed}/${counts.planned} placed`,
    `${counts.up} up`,
    `${counts.wrong} wrong`,
    ...(counts.unplaced > 0 ? [`${counts.unplaced} not placed`] : []),
    `verdicts ${accuracy(counts.verdicts)}`,
    ...(last?.setupMs === undefined ? [] : [`setup p99 ${rounded(last.setupMs.p99)} ms`]),
    ...(found === undefined || found.campaigns + found.tracebacks === 0 ? [] : [foundText(found)]),
  ];
  return parts.join(', ');
}

function foundText({ campaigns, alerts, tracebacks, concluded }: FoundSoFar): string {
  if (campaigns + alerts + tracebacks === 0) return 'nothing yet';
  return [
    counted(campaigns, 'campaign'),
    counted(alerts, 'alert'),
    `${concluded} of ${counted(tracebacks, 'traceback')} concluded`,
  ].join(', ');
}

function bar({ planMs, durationMs }: RunView, width: number): string {
  const part = durationMs <= 0 ? 1 : Math.min(1, Math.max(0, planMs / durationMs));
  const full = Math.round(part * width);
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${Math.round(part * 100)} %`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function accuracy({ good, of }: RunView['counts']['verdicts']): string {
  if (of === 0) return 'none yet';
  return good === of ? `all ${of} true` : `! ${good} of ${of} true`;
}

function latency(summary: LatencySummary | undefined): string {
  if (summary === undefined) return '-';
  const { p50, p95, p99, max } = summary;
  return `p50 ${rounded(p50)}  p95 ${rounded(p95)}  p99 ${rounded(p99)}  max ${rounded(max)} ms`;
}
