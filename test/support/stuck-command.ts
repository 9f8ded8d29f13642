import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** Where the kernel has a thread that opens a pipe without a writer. */
const OPENING_A_PIPE = 'wait_for_partner';

/** Where the threads of a process wait in the kernel. proc_pid_wchan(5) */
async function placesOf(pid: number | undefined): Promise<readonly string[]> {
  const tasks = `/proc/${String(pid)}/task`;
  const threads = await readdir(tasks).catch(() => []);
  return Promise.all(threads.map((thread) => readFile(`${tasks}/${thread}/wchan`, 'utf8').catch(() => '')));
}

/** Starts a script of Node that will wait for something which never comes. */
export function startStuck(
  script: string,
  args: readonly string[],
  { stdout = 'ignore' }: { readonly stdout?: 'ignore' | 'pipe' } = {},
) {
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
  /** Waits until it opens a pipe that has no writer. @throws Error with its output where it ends before */
  const waitsAtPipe = async (): Promise<void> => {
    for (;;) {
      if (hasEnded()) throw new Error(`it ended before: ${stderr}`);
      if ((await placesOf(child.pid)).includes(OPENING_A_PIPE)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  /** The first line of its output, which is read no further. */
  const firstLine = async (): Promise<string> => {
    let text = '';
    for await (const octets of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
      text += String(octets);
      if (text.includes('\n')) break;
    }
    return text.slice(0, text.indexOf('\n'));
  };
  /** Sends a signal, and another one again and again until the program has ended. */
  const signalTwice = async (first: NodeJS.Signals, second: NodeJS.Signals): Promise<void> => {
    child.kill(first);
    // Until the first has been handled, a second one is merged into it.
    for (let turn = 0; turn < 600 && !hasEnded(); turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      child.kill(second);
    }
  };
  return {
    ...{ waitsAtPipe, firstLine, signalTwice, ended, stderr: (): string => stderr },
    signal: (signal: NodeJS.Signals): void => void child.kill(signal),
    async [Symbol.asyncDispose](): Promise<void> {
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
