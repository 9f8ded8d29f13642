import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** How `hopback serve` is started. */
export interface SidecarStart {
  readonly configurationPath: string;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  /** Arguments of node. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its log is read no further once it is ready. */
  readonly stallsLog?: boolean;
}

/** A line of its log. */
export type LogLine = Readonly<Record<string, unknown>>;

const MAIN = fileURLToPath(new URL('../../sdk/dist/cli/main.js', import.meta.url));

/** Starts a sidecar in a process of its own, as it is installed, and waits until it is ready. @throws Error with its log when it ends before */
export async function startSidecarProcess(start: SidecarStart) {
  const { configurationPath, args = [], nodeArgs = [], env = {}, stallsLog = false } = start;
  const child = spawn(process.execPath, [...nodeArgs, MAIN, 'serve', '--config', configurationPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  const ended = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const log: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (text) => {
    const line = JSON.parse(text) as LogLine;
    log.push(line);
    for (const hear of waiting) hear(line);
  });
  /** The next line from now on that fits. */
  const said = (isIt: (line: LogLine) => boolean): Promise<LogLine> =>
    new Promise((resolve) => {
      const hear = (line: LogLine): void => {
        if (!isIt(line)) return;
        waiting.delete(hear);
        resolve(line);
      };
      waiting.add(hear);
    });
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
    lines.close();
    child.stdout.destroy();
  };
  const ready = await Promise.race([said(({ msg }) => msg === 'ready'), ended.then(() => undefined)]);
  if (ready === undefined || child.pid === undefined) {
    throw new Error(`the sidecar ended before it was ready: ${JSON.stringify(log)}`);
  }
  if (stallsLog) lines.pause();
  const port = typeof ready['port'] === 'number' ? ready['port'] : Number(new URL(String(ready['calls'])).port);
  /** Processes that answer, as of the start. */
  const workers = (ready['workers'] as readonly number[] | undefined) ?? [child.pid];
  return {
    ...{ pid: child.pid, port, workers, log, said, ended, [Symbol.asyncDispose]: kill },
    /** The first line since the start that fits. */
    heard: async (isIt: (line: LogLine) => boolean): Promise<LogLine> => log.find(isIt) ?? (await said(isIt)),
    signal: (signal: NodeJS.Signals): void => void child.kill(signal),
    /** Counts by name and labels, as `/metrics` has them. */
    counts: (name: string): Promise<Readonly<Record<string, number>>> => countsOf(port, name),
  };
}

export type SidecarProcess = Awaited<ReturnType<typeof startSidecarProcess>>;

async function countsOf(port: number, name: string): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Connection: 'close' } });
  const found = (await answer.text()).split('\n').flatMap((line) => {
    const [, labels = '', value] = /^[^{ ]+(\{[^}]*\})? (\S+)$/.exec(line) ?? [];
    return value !== undefined && line.startsWith(name) && /^[{ ]/.test(line.slice(name.length))
      ? [[labels, Number(value)] as const]
      : [];
  });
  return Object.fromEntries(found);
}
