import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** A program in a process of its own that waits for something which never comes. */
export interface StuckCommand extends AsyncDisposable {
  /** Waits until it opens a pipe that has no writer. @throws Error with what it said where it ends before */
  readonly waitsAtPipe: () => Promise<void>;
  /** The first line of its output, which is read no further, where it goes to a pipe. */
  readonly firstLine: () => Promise<string>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly hasEnded: () => boolean;
  readonly stderr: () => string;
}

/** Where the kernel has a thread that opens a pipe without a writer. */
const OPENING_A_PIPE = 'wait_for_partner';

/** Where the threads of a process wait in the kernel. proc_pid_wchan(5) */
async function placesOf(pid: number | undefined): Promise<readonly string[]> {
  const tasks = `/proc/${String(pid)}/task`;
  const threads = await readdir(tasks).catch(() => []);
  return Promise.all(threads.map((thread) => readFile(`${tasks}/${thread}/wchan`, 'utf8').catch(() => '')));
}

/** Starts a script of Node. */
export function startStuck(
  script: string,
  args: readonly string[],
  { stdout = 'ignore' }: { readonly stdout?: 'ignore' | 'pipe' } = {},
): StuckCommand {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { PATH: process.env['PATH'] ?? '' },
  });
  let stderr = '';
  child.stderr?.on('data', (octets: Buffer) => (stderr += octets.toString()));
  // Not 'close' of the process, which waits for whoever does not read its output.
  const ended = Promise.all([once(child, 'exit'), child.stderr && once(child.stderr, 'end')]).then(
    ([[code, signal]]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }),
  );
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const waitsAtPipe = async (): Promise<void> => {
    for (;;) {
      if (hasEnded()) throw new Error(`it ended before: ${stderr}`);
      if ((await placesOf(child.pid)).includes(OPENING_A_PIPE)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const firstLine = async (): Promise<string> => {
    let text = '';
    for await (const octets of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      text += String(octets);
      if (text.includes('\n')) break;
    }
    return text.slice(0, text.indexOf('\n'));
  };
  return {
    waitsAtPipe,
    firstLine,
    ...{ ended, hasEnded, signal: (signal) => void child.kill(signal), stderr: () => stderr },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      child.stdout?.destroy();
    },
  };
}

/** Makes a pipe with a name: whoever opens it for reading waits for a writer. */
export function makeFifo(path: string): void {
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
}
