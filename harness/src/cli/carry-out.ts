import { once } from 'node:events';
import { isHopbackError } from '@hopback/sdk/errors';
import { EXIT, printLines } from '@hopback/sdk/internal/cli';
import type { ExitCode } from '@hopback/sdk/internal/cli';
import { openDashboard, runPlan, ControlServer } from '../runner/index.js';
import type { LoadedPlan, RunOptions, RunResult, RunView } from '../runner/index.js';
import { isScreen, mayColor, signalled } from './harness-io.js';
import type { HarnessIo } from './harness-io.js';
import type { RunSettings } from './run-settings.js';

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
      control = await ControlServer.start({ ...settings.control, ...(token !== undefined && { token }) });
      printer.steered(control);
    }
    const options: RunOptions = {
      ...settings.run,
      folder: out,
      command: order.command,
      signal: leaving.signal,
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

type PlatformPlace = { readonly url: string; readonly profile: string } | undefined;

/** Prints the course of a run: a dashboard and lines, or lines of JSON. */
function printerOf({ io, isJson, tell }: RunOrder, onInterrupt: () => void) {
  const print = (event: object, ...lines: readonly string[]): void =>
    io.stdout.write(`${isJson ? JSON.stringify(event) : lines.join('\n')}\n`);
  const dashboard = isJson
    ? undefined
    : openDashboard({
        stdout: io.process.stdout,
        onInterrupt,
        redraws: isScreen(io),
        color: mayColor(io),
        ...(io.process.stdin !== undefined && { stdin: io.process.stdin }),
      });
  return {
    dashboard,
    view: (view: RunView) => (dashboard === undefined ? print({ event: 'view', view }) : dashboard.show(view)),
    steered: ({ url, token }: ControlServer) =>
      print({ event: 'control', url, token }, `Steered at ${url} with the token ${token}`),
    result: (result: RunResult) =>
      print({ event: 'result', folder: result.folder, summary: result.summary }, ...tell(result)),
    /** Resolves when the run is to end. */
    kept: async (platform: PlatformPlace, signal: AbortSignal) => {
      print({ event: 'kept', platform }, '', ...keptLines(platform));
      // A listener alone keeps no process up; the network does.
      if (!signal.aborted) await once(signal, 'abort');
    },
    close: () => dashboard?.close(),
  };
}

/** Where to look at what stays up. */
function keptLines(platform: PlatformPlace): readonly string[] {
  if (platform === undefined) return ['The network stays up until Control-C. There is no platform.'];
  const { url, profile } = platform;
  return [
    `The network stays up until Control-C, and the platform is at ${url}. Elsewhere, as its operator:`,
    ...['campaigns', 'tracebacks', 'alerts'].map(
      (noun) => `  npx --no hopback-harness ${noun} list --profile ${profile}`,
    ),
  ];
}
