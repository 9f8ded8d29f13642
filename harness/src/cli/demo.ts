import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { EXIT, refuseOperands, UsageError } from '@hopback/sdk/internal/cli';
import { storyLines } from '../report/index.js';
import type { RunResult } from '../runner/index.js';
import { carryOut } from './carry-out.js';
import { isScreen, mayColor, signalled } from './harness-io.js';
import { runRecordsAct } from './demo/records-act.js';
import type { RecordsActOutput } from './demo/records-act.js';
import type { HarnessCommand, HarnessIo } from './harness-io.js';
import { DASHBOARD_NOTE, defaultFolder, loadedPlan } from './run-commands.js';
import { ENDING_OPTIONS, PLAN_OPTIONS, runSettings } from './run-settings.js';

const INTRODUCTION = [
  '',
  'A robocall campaign, and how it is traced. Seven carriers, phones, a call-blocking app,',
  'two agencies and a traceback platform start on this machine. The calls are real SIP,',
  'and nothing leaves the machine. It takes a minute, or two on a busy machine.',
  '',
];

/** The scenario that is shipped under this name is the demo. */
const SCENARIO = 'demo';

const OPTIONS = {
  seed: PLAN_OPTIONS.seed,
  ...ENDING_OPTIONS,
  json: { text: 'not supported; use hopback-harness run demo --json' },
} as const;

/** `hopback-harness demo`: records that survive a kill, and the shipped scenario, told for somebody who has seen none. */
export const DEMO: HarnessCommand = {
  usage: ['[options]'],
  options: OPTIONS,
  notes: [
    'First hopback records tail follows a file that a switch writes its calls to, stores them and sends them to a platform; it is killed in the ' +
      'middle and started again, and the calls are counted at all three places. Then the shipped scenario demo is carried out over real SIP on ' +
      'loopback: a dialer abroad, a gateway, a carrier that is silent and one that lies; a campaign that is found, alerts, tracebacks. What was ' +
      'found is shown next to the truth.',
    DASHBOARD_NOTE,
    'Exit codes: 0 no record was lost and the results match the truth; 1 otherwise; 2 the command line cannot be understood; 3 it was stopped, ' +
      'or a signal ended it; 4 an address cannot be bound, or a file not be written; 97 the time was up; 99 no call was placed.',
  ],
  run: async (options, io) => {
    const startMs = performance.now();
    refuseOperands(options);
    if (options.isOn('json')) throw new UsageError('demo does not support --json; use hopback-harness run demo --json');
    const settings = runSettings(options, io.env);
    const plan = await loadedPlan(SCENARIO, settings, io);
    const paint = mayColor(io) ? painted : (line: string): string => line;
    const leaving = signalled(io.process);
    const records = await runRecordsAct(progressing(io, paint), leaving.signal).finally(leaving.release);
    if (leaving.signal.aborted) return EXIT.indeterminate;
    io.stdout.write(`${INTRODUCTION.join('\n')}\n`);
    const keeps = options.isOn('keep');
    const campaign = await carryOut({
      plan,
      settings,
      io,
      out: options.text('out') ?? defaultFolder(plan),
      keeps,
      isJson: false,
      command: `hopback-harness run ${SCENARIO} --seed ${plan.seed}`,
      tell: (result) => [...storyLines(result.record).map(paint), ...ending(result, { startMs, keeps })],
    });
    return campaign === EXIT.ok && records !== 0 ? EXIT.negative : campaign;
  },
};

/** How often a line of progress is printed where it cannot be drawn over, milliseconds. */
const PLAIN_PROGRESS_MS = 1_000;
const CLEAR_LINE = '\r\u001b[K';

/** Draws progress over itself on a terminal; elsewhere prints a line now and then. */
function progressing(io: HarnessIo, paint: (line: string) => string): RecordsActOutput {
  const redraws = isScreen(io);
  const say = (lines: readonly string[]): void =>
    io.stdout.write(`${redraws ? CLEAR_LINE : ''}${lines.map(paint).join('\n')}\n`);
  let shownAtMs = performance.now();
  return {
    say,
    progress: (line) => {
      if (redraws) io.stdout.write(`${CLEAR_LINE}${line}`);
      else if (performance.now() - shownAtMs >= PLAIN_PROGRESS_MS) {
        shownAtMs = performance.now();
        say([line]);
      }
    },
  };
}

function ending(
  { folder, record }: RunResult,
  { startMs, keeps }: { readonly startMs: number; readonly keeps: boolean },
): readonly string[] {
  return [
    `  It took ${((performance.now() - startMs) / 1_000).toFixed(0)} s. The same calls again: ${record.command}`,
    ...(folder === undefined ? [] : ['', `The report, for a browser: ${resolve(folder, 'report.html')}`]),
    ...(keeps ? [] : ['With --keep the platform stays up, to look at all of it there.']),
  ];
}

const COLORS: Readonly<Record<string, number>> = {
  '✓': 32,
  '✗': 31,
  '≠': 31,
  '⌀': 33,
  '?': 33,
  '→': 36,
};

/** Colours the mark of a line, and the whole of a line in capitals, which is a title. */
function painted(line: string): string {
  if (/^[A-Z ]+$/.test(line)) return `\u001b[1m${line}\u001b[0m`;
  return line.replace(/(^| {2})([✓✗≠⌀?→])(?= )/, (_, before: string, mark: string) => {
    return `${before}\u001b[${COLORS[mark] ?? 0}m${mark}\u001b[0m`;
  });
}
