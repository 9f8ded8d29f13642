import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readRunSummary } from '../../harness/src/report/index.js';
import type { RunSummary } from '../../harness/src/report/index.js';
import { ROOT } from '../house/run.js';

const PROGRAM = join(ROOT, 'harness/dist/cli/main.js');

/** A demo that was run as a program of its own. */
export interface DemoRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: RunSummary;
  /** Tracebacks that the platform told of when the demo was over and the platform still up. */
  readonly listed: readonly { readonly outcome?: string; readonly state: string }[];
}

/** Runs `demo --keep` into a folder, asks its platform for the tracebacks when all is told, and ends it as Control-C does. */
export async function runDemoProgram(folder: string): Promise<DemoRun> {
  const child = spawn(process.execPath, [PROGRAM, 'demo', '--keep', '--out', folder], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stderr.on('data', (bytes: Buffer) => (printed.stderr += bytes.toString()));
  const profile = new Promise<string | undefined>((resolve) => {
    child.stdout.on('data', (bytes: Buffer) => {
      printed.stdout += bytes.toString();
      const [, path] = /tracebacks list --profile (\S+)\n/.exec(printed.stdout) ?? [];
      if (path !== undefined) resolve(path);
    });
    void ended.then(() => resolve(undefined));
  });
  try {
    const path = await profile;
    const listed = path === undefined ? [] : await tracebacksOf(path);
    child.kill('SIGINT');
    const status = await ended;
    const read = readRunSummary(await readFile(join(folder, 'summary.json'), 'utf8'));
    if (read.status !== 'read') throw new Error(`the demo left no summary: ${printed.stdout}${printed.stderr}`);
    return { ...printed, status, summary: read.summary, listed };
  } finally {
    child.kill('SIGKILL');
  }
}

async function tracebacksOf(profile: string): Promise<DemoRun['listed']> {
  const argv = [PROGRAM, 'tracebacks', 'list', '--profile', profile, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: {} });
  return JSON.parse(stdout) as DemoRun['listed'];
}
