import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { storyLines } from '../../report/index.js';
import type { RunResult } from '../../runner/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import { runRecordsAct } from '../demo/records-act.js';
import type { RecordsActOutput } from '../demo/records-act.js';
import type { HarnessProcess } from '../run.js';
import { carryOut, isScreen, mayColor, signalled } from './carry-out.js';
import { defaultFolder, loadedPlan } from './run-command.js';
import { readRunSettings, RUN_OPTIONS } from './run-settings.js';
import { DEMO_USAGE } from './usage.js';

const INTRODUCTION = [
  '',
  'A robocall campaign, and how it is traced. Seven carriers, telephones, a call-blocking',
  'app, two agencies and a traceback platform are opened on this machine, and call each',
  'other over real SIP. Nothing leaves it. It takes a minute, on a busy machine two.',
  '',
];

/** The scenario that is shipped under this name is the demo. */
const SCENARIO = 'demo';

/**
 * Runs `hopback-harness demo`: records that survive a kill, and the shipped scenario, told for somebody who has seen none.
 * @returns the exit code; 0 where no record was lost and every threshold of the scenario is met
 */
export async function runDemo(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const startMs = performance.now();
  const { seed, out, keep, timeout, help } = RUN_OPTIONS;
  const asked = readCommandLine(argv, { seed, out, keep, timeout, help });
  if (asked.status === 'not-understood') return misunderstood(io, asked.why);
  if (asked.values.help) {
    io.stdout.write(DEMO_USAGE);
    return EXIT.ok;
  }
  if (asked.positionals.length > 0) return misunderstood(io, 'demo takes no operands');
  const settings = readRunSettings({ ...asked.values, once: false }, io.env);
  if (typeof settings === 'string') return misunderstood(io, settings);
  const plan = await loadedPlan(SCENARIO, settings, io);
  if (typeof plan === 'number') return plan;
  const paint = mayColor(io) ? painted : (line: string): string => line;
  const leaving = signalled(io);
  const records = await runRecordsAct(progressing(io, paint), leaving.signal).finally(leaving.release);
  if (leaving.signal.aborted) return EXIT.stopped;
  io.stdout.write(`${INTRODUCTION.join('\n')}\n`);
  const { out: folder = defaultFolder(plan), keep: keeps } = asked.values;
  const campaign = await carryOut({
    ...{ plan, settings, io, out: folder, keeps, isJson: false },
    command: `hopback-harness run ${SCENARIO} --seed ${plan.seed}`,
    tell: (result) => [...storyLines(result.record).map(paint), ...ending(result, { startMs, keeps })],
  });
  return campaign === EXIT.ok && records !== 0 ? records : campaign;
}

/** How often a line of progress is printed where it cannot be drawn over, milliseconds. */
const PLAIN_PROGRESS_MS = 1_000;
const CLEAR_LINE = '\r\u001b[K';

/** Draws progress over itself on a terminal; elsewhere prints a line now and then. */
function progressing(io: HarnessProcess, paint: (line: string) => string): RecordsActOutput {
  const redraws = isScreen(io);
  const say = (lines: readonly string[]): void =>
    void io.stdout.write(`${redraws ? CLEAR_LINE : ''}${lines.map(paint).join('\n')}\n`);
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

function misunderstood(io: HarnessProcess, why: string): number {
  io.stderr.write(`hopback-harness demo: ${why}\n\n${DEMO_USAGE}`);
  return EXIT.usage;
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

const COLORS: Readonly<Record<string, number>> = { '✓': 32, '✗': 31, '≠': 31, '⌀': 33, '?': 33, '→': 36 };

/** Colours the mark of a line, and the whole of a line in capitals, which is a title. */
function painted(line: string): string {
  if (/^[A-Z ]+$/.test(line)) return `\u001b[1m${line}\u001b[0m`;
  return line.replace(/(^| {2})([✓✗≠⌀?→])(?= )/, (_, before: string, mark: string) => {
    return `${before}\u001b[${COLORS[mark] ?? 0}m${mark}\u001b[0m`;
  });
}
