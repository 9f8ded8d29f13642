import type { FoundSoFar } from '../../network/world/index.js';
import type { LatencySummary } from '../../report/index.js';
import { counted, oneLine, rounded } from '../../report/index.js';
import type { RunControl, RunStage, RunView } from '../run-options.js';

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

const KEY_HELP = '+ - 10 % more, less   * / twice, half   p pause   q stop';

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
    [` ${KEY_HELP}`, 2],
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

/** What a key does to a run, as SIPp has them: `+ - * /` change its rate, `p` pauses it and lets it go on, `q` stops it. */
export type KeyAction = 'faster' | 'slower' | 'double' | 'halve' | 'pause' | 'stop' | 'interrupt';

/** Control-C, which a terminal in raw mode hands on like any other key. */
const INTERRUPT = '\u0003';

const KEYS: Readonly<Record<string, KeyAction | undefined>> = {
  '+': 'faster',
  '-': 'slower',
  '*': 'double',
  '/': 'halve',
  p: 'pause',
  q: 'stop',
  [INTERRUPT]: 'interrupt',
};

/** The actions of the keys that were pressed, in their order; other keys have none. */
export function keyActions(text: string): readonly KeyAction[] {
  return Array.from(text).flatMap((key) => {
    const action = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    return action === undefined ? [] : [action];
  });
}

/** Does to a run what a key says, but for `interrupt`, which is whoever holds its signal's to do. */
export function actOn(control: RunControl, action: Exclude<KeyAction, 'interrupt'>): void {
  const { rateFactor, isPaused } = control.view();
  switch (action) {
    case 'faster':
      control.setRate(rateFactor * 1.1);
      return;
    case 'slower':
      control.setRate(rateFactor / 1.1);
      return;
    case 'double':
      control.setRate(rateFactor * 2);
      return;
    case 'halve':
      control.setRate(rateFactor / 2);
      return;
    case 'pause':
      if (isPaused) control.resume();
      else control.pause();
      return;
    case 'stop':
      control.stop();
      return;
  }
}

/** What of a terminal the dashboard touches. */
export interface DashboardOptions {
  readonly stdout: Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns' | 'rows' | 'on' | 'off'>;
  /** Keys are read where it is a terminal. */
  readonly stdin?: Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode' | 'on' | 'off' | 'pause' | 'resume' | 'setEncoding'>;
  /** Whether lines may be coloured: no `NO_COLOR`, and a terminal that can. */
  readonly color: boolean;
  /** Whether lines can be drawn over: a terminal that is not `dumb`. Others get a line each second. */
  readonly redraws: boolean;
  /** Control-C was pressed. */
  readonly onInterrupt: () => void;
}

/** Opens the dashboard, the run as a terminal shows it. Where standard output is no terminal it prints a line for each change of stage, and one a second. */
export function openDashboard(options: DashboardOptions) {
  const { stdout, stdin, color, redraws, onInterrupt } = options;
  let control: RunControl | undefined;
  let drawn = 0;
  let last: RunView | undefined;
  let said: { readonly stage: RunStage; readonly atMs: number } | undefined;

  const draw = (view: RunView): void => {
    const shape = { columns: stdout.columns || 80, rows: stdout.rows || 24, color };
    const lines = dashboardLines(view, shape);
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    stdout.write(`${up}\u001b[0J${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const say = (view: RunView): void => {
    // Keys and stages come between the seconds.
    if (said?.stage === view.stage && view.elapsedMs - said.atMs < 990) return;
    said = { stage: view.stage, atMs: view.elapsedMs };
    stdout.write(`${plainLine(view)}\n`);
  };
  const show = (view: RunView): void => {
    last = view;
    if (redraws) draw(view);
    else say(view);
  };
  const onResize = (): void => {
    // Lines may have been broken anew: what was drawn is left where it is.
    drawn = 0;
    if (redraws && last !== undefined) draw(last);
  };
  const onKeys = (text: string | Buffer): void => {
    for (const action of keyActions(String(text))) {
      if (action === 'interrupt') onInterrupt();
      else if (control !== undefined) actOn(control, action);
    }
  };
  const readsKeys = redraws && stdin?.isTTY === true;
  if (readsKeys) {
    stdin.setRawMode(true);
    stdin.setEncoding('utf8');
    stdin.on('data', onKeys);
    stdin.resume();
  }
  stdout.on('resize', onResize);
  return {
    steer: (given: RunControl) => (control = given),
    show,
    /** Leaves the last state where it is, and the terminal as it was. */
    close: () => {
      stdout.off('resize', onResize);
      if (!readsKeys) return;
      stdin.off('data', onKeys);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
