import type { RunControl, RunStage, RunView } from '../run-options.js';
import { dashboardLines, plainLine } from './dashboard-lines.js';
import { actOn, keyActions } from './key-actions.js';

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

/** The run as a terminal shows it. */
export interface Dashboard {
  readonly steer: (control: RunControl) => void;
  readonly show: (view: RunView) => void;
  /** Leaves the last state where it is, and the terminal as it was. */
  readonly close: () => void;
}

/** Opens the dashboard. Where standard output is no terminal it prints a line for each change of stage, and one a second. */
export function openDashboard(options: DashboardOptions): Dashboard {
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
    steer: (given) => (control = given),
    show,
    close: () => {
      stdout.off('resize', onResize);
      if (!readsKeys) return;
      stdin.off('data', onKeys);
      stdin.setRawMode(false);
      stdin.pause();
    },
  };
}
