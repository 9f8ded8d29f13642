import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { peer } from '../../peers.js';
import { headerValues, openSipDatagrams, optionsText, type SipDatagrams } from '../sip-datagrams.js';
import type { TemporaryDirectory } from '../temporary-directory.js';

/** One of the configurations beside this file, and what it is given. */
export interface KamailioLaunch {
  readonly configuration: 'proxy.cfg' | 'acc.cfg' | 'conformance.cfg';
  /** `-A NAME=VALUE`, text values in their quotes. */
  readonly definitions: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

/** A Kamailio that has answered OPTIONS. */
export interface RunningProcess {
  /** UDP, on 127.0.0.1. */
  readonly port: number;
  readonly processId: number;
  /** What it has written to its log up to now. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Kamailio starts in well under a second on an idle machine. */
const START_TIMEOUT_MS = 20_000;
const PROBE_INTERVAL_MS = 50;
/** The port is chosen before Kamailio binds it, so another process may take it in between. */
const START_ATTEMPTS = 3;
/** Kamailio ends within a few milliseconds of SIGTERM; one that does not is killed. */
const STOP_TIMEOUT_MS = 5_000;

/**
 * Starts Kamailio in the foreground on a free port and waits for its first answer.
 * @throws Error with Kamailio's own log when it does not come up
 */
export async function startKamailioProcess(
  launch: KamailioLaunch,
  surroundings: Surroundings,
): Promise<RunningProcess> {
  let log = '';
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt += 1) {
    const port = await freePort();
    const started = start(launch, { port, directory: surroundings.directory });
    if (
      started.processId !== undefined &&
      (await answersOptions(started, { port, datagrams: surroundings.datagrams }))
    ) {
      const { processId, log: written, stop } = started;
      return { port, processId, log: written, stop };
    }
    await started.stop();
    log = started.log();
  }
  throw new Error(`Kamailio did not start:\n${log}`);
}

/** Where Kamailio's files go, and the socket that asks it whether it is there. */
interface Surroundings {
  readonly directory: TemporaryDirectory;
  readonly datagrams: SipDatagrams;
}

interface StartedProcess {
  readonly processId: number | undefined;
  readonly hasExited: () => boolean;
  readonly log: () => string;
  /** Ends it, if it still runs, and all of its group; what it wrote is in the log then. */
  readonly stop: () => Promise<void>;
}

function start(
  launch: KamailioLaunch,
  { port, directory }: { readonly port: number; readonly directory: TemporaryDirectory },
): StartedProcess {
  const configuration = fileURLToPath(new URL(launch.configuration, import.meta.url));
  const child = spawn(
    peer('kamailio').path,
    [
      // In the foreground, errors to stderr, 32 MiB shared and 8 MiB private memory instead of what a carrier needs.
      ...['-DD', '-E', '-m', '32', '-M', '8'],
      // Its sockets and working directory beside its keys, not under /run.
      ...['-Y', directory.path, '-w', directory.path],
      ...['-f', configuration, '-l', `udp:127.0.0.1:${port}`],
      ...Object.entries(launch.definitions).flatMap(([name, value]) => ['-A', `${name}=${value}`]),
    ],
    // A process group of its own, so that its workers can be ended with it.
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...launch.environment } },
  );
  let log = '';
  child.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()));
  child.on('error', (error) => (log += error.message));
  const endWithUs = (): void => endGroup(child, 'SIGKILL');
  process.once('exit', endWithUs);
  // The log is whole only when all of its processes have let go of it, which is after the first of them has ended.
  const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const hasExited = (): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const stop = async (): Promise<void> => {
    if (!hasExited()) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const timer = setTimeout(() => endGroup(child, 'SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    }
    endGroup(child, 'SIGKILL');
    await closed;
    process.removeListener('exit', endWithUs);
  };
  return { processId: child.pid, hasExited, log: () => log, stop };
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is gone, which is what was wanted.
  }
}

async function answersOptions(
  started: StartedProcess,
  { port, datagrams }: { readonly port: number; readonly datagrams: SipDatagrams },
): Promise<boolean> {
  const attempts = START_TIMEOUT_MS / PROBE_INTERVAL_MS;
  for (let attempt = 0; attempt < attempts && !started.hasExited(); attempt += 1) {
    const probe = optionsText();
    const answer = datagrams.next(headerValues(probe, 'Call-ID')[0] ?? '', PROBE_INTERVAL_MS);
    datagrams.send(probe, port);
    if ((await answer) !== undefined) return !started.hasExited();
  }
  return false;
}

async function freePort(): Promise<number> {
  await using datagrams = await openSipDatagrams();
  return datagrams.port;
}
