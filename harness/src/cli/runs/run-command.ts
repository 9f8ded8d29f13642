import { join } from 'node:path';
import { oneLine } from '../../report/index.js';
import { dryRunLines, labRunOptions, loadPlan, readLab, truthOfPlan } from '../../runner/index.js';
import type { LoadedPlan, RunOptions } from '../../runner/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { carryOut } from './carry-out.js';
import { resultLines } from './result-lines.js';
import { readRunSettings, RUN_OPTIONS } from './run-settings.js';
import type { RunSettings } from './run-settings.js';
import { RUN_USAGE } from './usage.js';

type Plan = Extract<LoadedPlan, { readonly status: 'loaded' }>['plan'];

/** Runs `hopback-harness run`. @returns the exit code */
export async function runRun(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, RUN_OPTIONS);
  if (asked.status === 'not-understood') return misunderstood(io, asked.why);
  if (asked.values.help) {
    io.stdout.write(RUN_USAGE);
    return EXIT.ok;
  }
  const [from, more] = asked.positionals;
  if (from === undefined) return misunderstood(io, 'which scenario? hopback-harness list names those that are shipped');
  if (more !== undefined) return misunderstood(io, `${more}: one scenario at a time`);
  const settings = readRunSettings(asked.values, io.env);
  if (typeof settings === 'string') return misunderstood(io, settings);
  const loaded = await loadedPlan(from, settings, io);
  if (typeof loaded === 'number') return loaded;
  if (loaded.calls.length === 0) {
    const { scenario, seed } = loaded;
    io.stderr.write(
      `hopback-harness run: ${oneLine(scenario.name)}, seed ${seed}, has no call to place: its phases are too short\n`,
    );
    return EXIT.noCalls;
  }
  if (asked.values['dry-run']) {
    io.stdout.write(`${dryRunLines(loaded, truthOfPlan(loaded)).join('\n')}\n`);
    return EXIT.ok;
  }
  const { out = defaultFolder(loaded), keep, json } = asked.values;
  const lab = await labOf(from, io);
  if (typeof lab === 'number') return lab;
  return carryOut({
    ...{ plan: loaded, settings: { ...settings, run: { ...lab, ...settings.run } } },
    ...{ io, out, keeps: keep, isJson: json, tell: resultLines },
    command: commandOf(from, asked.values, loaded),
  });
}

/** Reads a scenario, or says what is wrong with it. @returns the plan, or an exit code */
export async function loadedPlan(from: string, settings: RunSettings, io: HarnessProcess): Promise<Plan | number> {
  const { seed, set, onceOnly, scale } = settings;
  const loaded = await loadPlan({
    ...{ from, set, env: io.env },
    ...(seed !== undefined && { seed }),
    ...(onceOnly !== undefined && { onceOnly }),
    ...(scale !== undefined && { scale }),
  });
  if (loaded.status === 'loaded') return loaded.plan;
  const faults = loaded.status === 'faulty' ? loaded.faults : [`hopback-harness: ${loaded.why}`];
  io.stderr.write(`${faults.join('\n')}\n`);
  return EXIT.usage;
}

/** What a run in a lab is carried out with; nothing where `from` is none. @returns it, or an exit code */
export async function labOf(from: string, io: Pick<HarnessProcess, 'stderr'>): Promise<RunOptions | number> {
  try {
    const lab = await readLab(from);
    return lab === undefined ? {} : labRunOptions(from, lab);
  } catch (error) {
    io.stderr.write(`hopback-harness: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.usage;
  }
}

function misunderstood(io: HarnessProcess, why: string): number {
  io.stderr.write(`hopback-harness run: ${why}\n\n${RUN_USAGE}`);
  return EXIT.usage;
}

/** Folder of a run where none is named. */
export function defaultFolder({ scenario, seed }: Plan): string {
  const time = new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  return join('hopback-runs', `${scenario.name}-${seed}-${time}`);
}

/** The command that makes the same calls again. */
function commandOf(
  from: string,
  values: {
    readonly set?: readonly string[] | undefined;
    readonly once: boolean;
    readonly shorten?: string | undefined;
  },
  { seed }: Plan,
): string {
  const quoted = (text: string): string => (/^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  const words = ['hopback-harness', 'run', quoted(from), '--seed', String(seed)];
  for (const pair of values.set ?? []) words.push('--set', quoted(pair));
  if (values.once) words.push('--once');
  if (values.shorten !== undefined) words.push('--shorten', values.shorten);
  return words.join(' ');
}
