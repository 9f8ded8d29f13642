import { spawn } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runHarness } from '../../harness/src/cli/program.js';

const MAIN = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));

export async function harnessCommand(
  argv: readonly string[],
  { stdin = '', env = {} }: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly exitCode: number; readonly out: string; readonly err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const printed = { out: '', err: '' };
  out.on('data', (bytes: Buffer) => (printed.out += bytes.toString()));
  err.on('data', (bytes: Buffer) => (printed.err += bytes.toString()));
  const input = Readable.from([Buffer.from(stdin)]);
  const io = { stdout: out, stderr: err, stdin: input, env, once: () => undefined, off: () => undefined };
  return { exitCode: await runHarness(argv, io as never), ...printed };
}

/** Restores an archive of a platform into a folder, with the keys of the folder that it was made of. */
export const restoreCommand = (archive: string, folders: { readonly of: string; readonly into: string }) =>
  harnessCommand([
    ...['platform', 'restore', archive, '--directory', folders.into],
    ...['--keys', join(folders.of, 'keys'), '--json'],
  ]);

/** A line of `hopback-harness platform --json`. */
export interface PlatformEvent {
  readonly event: string;
  readonly url?: string;
  readonly line?: string;
}

/** Starts `hopback-harness platform --json` with options, at a free port where they state none. */
export function startPlatformCommand(options: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const port = options.includes('--port') ? [] : ['--port', '0'];
  const child = spawn(process.execPath, [MAIN, 'platform', '--json', ...port, ...options], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const events: PlatformEvent[] = [];
  const waiting = new Set<() => void>();
  let errors = '';
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    events.push(JSON.parse(line) as PlatformEvent);
    for (const look of waiting) look();
  });
  const ended = new Promise<{ readonly code: number | null; readonly signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    ended,
    pid: child.pid ?? 0,
    errors: () => errors,
    kill: (signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL') => void child.kill(signal),
    /** The first line, of those that came and those that will, that fits. @throws Error where the process ends before */
    until: (fits: (event: PlatformEvent) => boolean): Promise<PlatformEvent> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then(({ code }) => reject(new Error(`it ended with ${code}: ${errors}`)));
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
