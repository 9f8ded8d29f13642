import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchOfParts, FigureLine, LeftOutLine } from '../bench/bench.js';

const MAIN = fileURLToPath(new URL('../bench/main.ts', import.meta.url));

/** Runs `npm run bench -- ARGV` to its end, without the build and with an empty standard input. */
export async function runBench(argv: readonly string[]) {
  const { lines, ...run } = await benchLines(argv);
  return {
    ...run,
    figures: lines.filter((line): line is FigureLine => !('leftOut' in (line as object))),
    leftOut: lines.filter((line): line is LeftOutLine => 'leftOut' in (line as object)),
  };
}

/** What `npm run bench -- list --json` says of the benches that measure something themselves. */
export async function listBenches(): Promise<readonly Omit<Bench, 'run'>[]> {
  const { code, stderr, lines } = await benchLines(['list', '--json']);
  if (code !== 0) throw new Error(`the benches could not be listed: ${stderr}`);
  return (lines as readonly (Bench | BenchOfParts)[]).filter((bench): bench is Bench => 'figures' in bench);
}

async function benchLines(argv: readonly string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  // Null where a signal ended it, and where none did.
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  const [stdout, stderr] = await output;
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code, signal, stderr, lines: lines.map((line) => JSON.parse(line) as unknown) };
}
