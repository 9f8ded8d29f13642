import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { guideBlocks, type GuideBlock } from './guide-blocks.js';
import { ROOT, run } from './run.js';

/** Documents whose commands readers follow. */
export async function guidePaths(): Promise<readonly string[]> {
  const { output } = await run('git', ['ls-files', '*.md', '**/*.md']);
  return output.split('\n').filter((path) => path.endsWith('.md') && !/^(?:CHANGELOG|docs\/api-reports)/.test(path));
}

/** For a command that hangs, not for a slow one. */
const PATIENCE_MS = 240_000;

/** What became of the blocks of a guide. */
export interface FollowedGuide {
  readonly ran: number;
  readonly skipped: number;
  /** Where a block did not do as it says, with what it printed. */
  readonly problems: readonly string[];
}

/**
 * Does what a guide says, block by block, in an empty folder in which packed packages are installed.
 * @param modules - node_modules with the packages
 */
export async function followGuide(path: string, modules: string): Promise<FollowedGuide> {
  const { blocks, problems } = guideBlocks(path, await readFile(`${ROOT}${path}`, 'utf8'));
  const found = [...problems];
  const directory = await mkdtemp(join(tmpdir(), 'hopback-guide-'));
  const started: ChildProcess[] = [];
  let ran = 0;
  let said = '';
  try {
    await symlink(modules, join(directory, 'node_modules'));
    await writeFile(join(directory, 'package.json'), '{ "name": "reader", "private": true, "type": "module" }\n');
    for (const block of blocks) {
      const { use, text, line } = block;
      if (use.kind === 'skip') continue;
      if (use.kind === 'printed') {
        if (!said.includes(text)) found.push(`${path}:${String(line)}: the commands above printed\n${said}`);
      } else if (use.kind === 'file') await writeFile(join(directory, use.name), `${text}\n`);
      else {
        ran += 1;
        const outcome = await carryOut(block, { directory, modules, started });
        said = outcome.said;
        const { problem } = outcome;
        if (problem !== undefined) found.push(`${path}:${String(line)}: ${problem}`);
      }
    }
  } finally {
    for (const child of started) end(child, 'SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
  return { ran, skipped: blocks.filter(({ use }) => use.kind === 'skip').length, problems: found };
}

interface Place {
  readonly directory: string;
  readonly modules: string;
  readonly started: ChildProcess[];
}

/** @returns what it said, and what is wrong unless the block did as it says */
async function carryOut(
  { text, use }: GuideBlock,
  { directory, modules, started }: Place,
): Promise<{ readonly said: string; readonly problem?: string }> {
  const child = spawn('bash', ['-eu', '-o', 'pipefail', '-c', withoutInstalling(text)], {
    ...{ cwd: directory, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...plainEnvironment(), PATH: [join(modules, '.bin'), process.env['PATH']].join(delimiter) },
  });
  started.push(child);
  let said = '';
  let hear = (): void => undefined;
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      hear();
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const timer = setTimeout(() => end(child, 'SIGKILL'), PATIENCE_MS);
  try {
    if (use.kind === 'background') {
      const { until } = use;
      const isUp = new Promise<boolean>((resolve) => (hear = () => said.includes(until) && resolve(true)));
      if (await Promise.race([isUp, ended.then(() => false)])) return { said };
      return { said, problem: `it ended before it printed "${until}":\n${said}` };
    }
    const code = await ended;
    const exits = use.kind === 'run' ? use.exits : [0];
    return code !== null && exits.includes(code)
      ? { said }
      : { said, problem: `exit code ${String(code)}, not ${exits.join(' or ')}:\n${said}` };
  } finally {
    clearTimeout(timer);
  }
}

/** The packages are installed already, as they would be published. */
const withoutInstalling = (text: string): string =>
  text.replaceAll(/(?:^|&& )npm (?:init|install)\b[^&\n]*/gm, (found) =>
    found.startsWith('&&') ? '&& true ' : 'true ',
  );

/** Nothing that is set for the checker, or for this machine, is set for the reader. */
const plainEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:HOPBACK|npm|NODE|VITEST)/i.test(name)));

/** To the command, and to all that it has started. */
function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}
