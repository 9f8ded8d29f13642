import { isHopbackError } from '@hopback/sdk/errors';
import { EXIT, printLines } from '@hopback/sdk/internal/cli';
import type { Command, ExitCode, ProgramIo } from '@hopback/sdk/internal/cli';
import { openDashboard, runPlan, startControlServer } from '../runner/index.js';
import type { ControlServer, Dashboard, LoadedPlan, RunOptions, RunResult, RunView } from '../runner/index.js';
import type { RunSettings } from './run-settings.js';

/** What of a process the commands touch. */
export type HarnessProcess = Pick<NodeJS.Process, 'env' | 'stdout' | 'stderr' | 'once' | 'off'> & {
  /** Keys of the dashboard; absent: none are read. */
  readonly stdin?: NodeJS.Process['stdin'];
};

/** What commands of `hopback-harness` work with. */
export interface HarnessIo extends ProgramIo {
  readonly process: HarnessProcess;
}

/** A command of `hopback-harness`. */
export type HarnessCommand = Command<string, HarnessIo>;

/** A run that a command line asks for. */
interface RunOrder {
  readonly plan: Extract<LoadedPlan, { readonly status: 'loaded' }>['plan'];
  readonly settings: RunSettings;
  readonly io: HarnessIo;
  /** Folder of the run. */
  readonly out: string;
  /** Whether network and platform stay up until a signal comes. */
  readonly keeps: boolean;
  readonly isJson: boolean;
  /** Command that makes the same run again. */
  readonly command: string;
  /** What is printed of the run when it is over, where it is not JSON. */
  readonly tell: (result: RunResult) => readonly string[];
}

/** Carries a run out, with a dashboard or lines of JSON. @returns the exit code */
export async function carryOut(order: RunOrder): Promise<ExitCode> {
  const { plan, settings, io, out, isJson } = order;
  const leaving = signalled(io.process);
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
        // Whoever ends a run wants the whole of it to end.
        if (order.keeps && !leaving.signal.aborted) await printer.kept(platform, leaving.signal);
      },
    };
    return (await runPlan(plan, options)).exitCode;
  } catch (error) {
    printer.close();
    const why = error instanceof Error ? error.message : String(error);
    printLines(io, `hopback-harness run: ${why}`.split('\n'), io.stderr);
    if (isJson) io.stdout.write(`${JSON.stringify({ event: 'failed', why })}\n`);
    return isHopbackError(error) && error.code === 'invalid-argument' ? EXIT.usage : EXIT.environment;
  } finally {
    printer.close();
    leaving.release();
    await control?.close();
  }
}

/** Whether lines can be drawn over. */
export const isScreen = ({ stdout, env }: HarnessIo): boolean => stdout.isTty && env['TERM'] !== 'dumb';

/** Whether lines may be coloured. */
export const mayColor = (io: HarnessIo): boolean => isScreen(io) && (io.env['NO_COLOR'] ?? '') === '';

/** The first signal ends the run; what the second does is decided for the whole process. */
export function signalled(process: Pick<HarnessProcess, 'once' | 'off'>) {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const release = (): void => {
    for (const name of signals) process.off(name, abort);
  };
  let leave = (): void => undefined;
  // Resolves when a signal comes.
  const left = new Promise<void>((resolve) => (leave = resolve));
  const abort = (): void => {
    release();
    controller.abort();
    leave();
  };
  for (const name of signals) process.once(name, abort);
  return { signal: controller.signal, left, abort, release };
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

function printerOf({ io, isJson, tell }: RunOrder, onInterrupt: () => void): Printer {
  const { stdout } = io;
  const say = (text: string): void => stdout.write(`${text}\n`);
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
  const dashboard = openDashboard({
    ...{ stdout: io.process.stdout, onInterrupt, redraws: isScreen(io), color: mayColor(io) },
    ...(io.process.stdin !== undefined && { stdin: io.process.stdin }),
  });
  return {
    ...{ dashboard, view: dashboard.show, close: dashboard.close },
    steered: ({ url, token }) => say(`Steered at ${url} with the token ${token}`),
    result: (result) => say(tell(result).join('\n')),
    kept: async (platform, until) => {
      say(['', ...keptLines(platform)].join('\n'));
      await untilAborted(until);
    },
  };
}

/** Where to look at what stays up. */
function keptLines(platform: { readonly url: string; readonly profile: string } | undefined): readonly string[] {
  if (platform === undefined) return ['The network stays up until Control-C. There is no platform.'];
  const { url, profile } = platform;
  return [
    `The network stays up until Control-C, and the platform is at ${url}. Elsewhere, as its operator:`,
    ...['campaigns', 'tracebacks', 'alerts'].map(
      (noun) => `  npx --no hopback-harness ${noun} list --profile ${profile}`,
    ),
  ];
}
