import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The top of the repository, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url));

/** How a program ended, and everything it said. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Where a program runs, and with which environment instead of ours. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a program to its end without a terminal. Never rejects for the program's own failure. */
export async function run(command: string, argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { cwd = ROOT, env = process.env } = options;
  const child = spawn(command, argv, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: Buffer.concat(chunks).toString('utf8') };
}

/** Runs a program of node_modules/.bin; an empty list when it succeeded, else what it said. */
export async function tool(name: string, argv: readonly string[]): Promise<readonly string[]> {
  const { code, output } = await run(`${ROOT}node_modules/.bin/${name}`, argv);
  return code === 0 ? [] : [`${name} ${argv.join(' ')} (exit code ${code})\n${output.trimEnd()}`];
}
