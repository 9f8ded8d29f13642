import { join } from 'node:path';
import { isHopbackError } from '@hopback/sdk/errors';
import {
  dryRunLines,
  labRunOptions,
  loadPlan,
  openDashboard,
  readLab,
  runPlan,
  startControlServer,
  truthOfPlan,
} from '../../runner/index.js';
import type { ControlServer, Dashboard, LoadedPlan, RunOptions, RunResult, RunView } from '../../runner/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
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
  if (asked.values['dry-run']) {
    io.stdout.write(`${dryRunLines(loaded, truthOfPlan(loaded)).join('\n')}\n`);
    return EXIT.ok;
  }
  const { out = defaultFolder(loaded), keep, json } = asked.values;
  const lab = await labOf(from, io);
  if (typeof lab === 'number') return lab;
  return carriedOut({
    plan: loaded,
    settings: { ...settings, run: { ...lab, ...settings.run } },
    io,
    out,
    keeps: keep,
    isJson: json,
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

function defaultFolder({ scenario, seed }: Plan): string {
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

interface Order {
  readonly plan: Plan;
  readonly settings: RunSettings;
  readonly io: HarnessProcess;
  readonly out: string;
  readonly keeps: boolean;
  readonly isJson: boolean;
  readonly command: string;
}

async function carriedOut(order: Order): Promise<number> {
  const { plan, settings, io, out, isJson } = order;
  const leaving = signalled(io);
  let control: ControlServer | undefined;
  const printer = printerOf(order, leaving.abort);
  try {
    if (settings.control !== undefined) {
      const token = io.env['HOPBACK_CONTROL_TOKEN'];
      control = await startControlServer({ ...settings.control, ...(token !== undefined && { token }) });
      printer.steered(control);
    }
    const options: RunOptions = {
      ...settings.run,
      ...{ folder: out, command: order.command, signal: leaving.signal },
      onControl: (given) => {
        printer.dashboard?.steer(given);
        control?.steer(given);
      },
      onView: (view) => {
        printer.view(view);
        control?.tell(view);
      },
      beforeClose: async (result, platform) => {
        printer.close();
        printer.result(result);
        if (order.keeps) await printer.kept(platform, leaving.anew());
      },
    };
    return (await runPlan(plan, options)).exitCode;
  } catch (error) {
    printer.close();
    io.stderr.write(`hopback-harness run: ${error instanceof Error ? error.message : String(error)}\n`);
    if (isJson) io.stdout.write(`${JSON.stringify({ event: 'failed' })}\n`);
    return isHopbackError(error) && error.code === 'invalid-argument' ? EXIT.usage : EXIT.environment;
  } finally {
    printer.close();
    leaving.release();
    await control?.close();
  }
}

interface Leaving {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** A signal that has not come yet, or the one that came. */
  readonly anew: () => AbortSignal;
  readonly release: () => void;
}

/** The first signal ends the run and the second what is kept up; a third is left to do what it does. */
export function signalled(io: Pick<HarnessProcess, 'once' | 'off'>): Leaving {
  const controllers = [new AbortController(), new AbortController()];
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const abort = (): void => {
    controllers.find(({ signal }) => !signal.aborted)?.abort();
    if (controllers.every(({ signal }) => signal.aborted)) release();
    else for (const name of signals) io.off(name, abort).once(name, abort);
  };
  const release = (): void => {
    for (const name of signals) io.off(name, abort);
  };
  for (const name of signals) io.once(name, abort);
  const [first = new AbortController(), second = new AbortController()] = controllers;
  return { signal: first.signal, abort, release, anew: () => (first.signal.aborted ? second.signal : first.signal) };
}

interface Printer {
  readonly dashboard?: Dashboard;
  readonly view: (view: RunView) => void;
  readonly steered: (control: ControlServer) => void;
  readonly result: (result: RunResult) => void;
  readonly kept: (
    platform: { readonly url: string; readonly profile: string } | undefined,
    until: AbortSignal,
  ) => Promise<void>;
  readonly close: () => void;
}

function printerOf({ io, isJson }: Order, onInterrupt: () => void): Printer {
  const { stdout, env } = io;
  const say = (text: string): void => void stdout.write(`${text}\n`);
  const event = (name: string, members: object): void => say(JSON.stringify({ event: name, ...members }));
  const untilAborted = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) resolve();
      // A listener alone keeps no process up; the network does.
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  if (isJson) {
    return {
      view: (view) => event('view', { view }),
      steered: ({ url, token }) => event('control', { url, token }),
      result: ({ summary, folder }) => event('result', { folder, summary }),
      kept: async (platform, until) => {
        event('kept', { platform });
        await untilAborted(until);
      },
      close: () => undefined,
    };
  }
  const isDumb = env['TERM'] === 'dumb';
  const dashboard = openDashboard({
    ...{ stdout, onInterrupt, redraws: stdout.isTTY && !isDumb },
    color: stdout.isTTY && !isDumb && (env['NO_COLOR'] ?? '') === '',
    ...(io.stdin !== undefined && { stdin: io.stdin }),
  });
  return {
    ...{ dashboard, view: dashboard.show, close: dashboard.close },
    steered: ({ url, token }) => say(`Steered at ${url} with the token ${token}`),
    result: (result) => say(resultLines(result).join('\n')),
    kept: async (platform, until) => {
      const where =
        platform === undefined
          ? 'There is no platform.'
          : `The platform is at ${platform.url}; --profile ${platform.profile}`;
      say(`\nThe network stays up until Control-C. ${where}`);
      await untilAborted(until);
    },
  };
}
