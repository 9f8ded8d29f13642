import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diffRuns, diffText, oneLine, readRunSummary } from '../../report/index.js';
import type { RunSummary } from '../../report/index.js';
import { readShippedScenario, shippedScenarios } from '../../scenario/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { FIRST_SCENARIO } from './first-scenario.js';
import { DIFF_USAGE, INIT_USAGE, LIST_USAGE } from './usage.js';

const OPTIONS = { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } } as const;

/** Runs `hopback-harness diff`. @returns the exit code: 1 when the later run is worse */
export async function runDiff(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, OPTIONS);
  if (asked.status === 'not-understood') return misunderstood(io, { command: 'diff', why: asked.why, usage: DIFF_USAGE });
  if (asked.values.help) return said(io, DIFF_USAGE);
  const [before, after, more] = asked.positionals;
  if (before === undefined || after === undefined || more !== undefined) {
    return misunderstood(io, { command: 'diff', why: 'two folders of runs, the earlier first', usage: DIFF_USAGE });
  }
  const [one, other] = [await summaryIn(before), await summaryIn(after)];
  for (const read of [one, other]) {
    if (typeof read !== 'string') continue;
    io.stderr.write(`hopback-harness diff: ${read}\n`);
    return EXIT.environment;
  }
  const diff = diffRuns(one as RunSummary, other as RunSummary);
  io.stdout.write(asked.values.json ? `${JSON.stringify(diff)}\n` : `${diffText(diff).map(oneLine).join('\n')}\n`);
  return diff.isWorse ? EXIT.failed : EXIT.ok;
}

async function summaryIn(folder: string): Promise<RunSummary | string> {
  const path = join(folder, 'summary.json');
  try {
    const read = readRunSummary(await readFile(path, 'utf8'));
    return read.status === 'read' ? read.summary : `${path}: ${read.why}`;
  } catch (error) {
    return `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`;
  }
}

/** Runs `hopback-harness list`. @returns the exit code */
export async function runList(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, OPTIONS);
  const why = asked.status === 'not-understood' ? asked.why : asked.positionals.length > 0 ? 'list takes no operands' : undefined;
  if (asked.status === 'not-understood' || why !== undefined) {
    return misunderstood(io, { command: 'list', why: why ?? '', usage: LIST_USAGE });
  }
  if (asked.values.help) return said(io, LIST_USAGE);
  const scenarios = await Promise.all(shippedScenarios().map((name) => readShippedScenario(name)));
  if (asked.values.json) {
    return said(io, `${JSON.stringify(scenarios.map(({ name, why: reason }) => ({ name, why: reason })))}\n`);
  }
  const lines = scenarios.map(({ name, why: reason }) => `${name}\n${wrapped(oneLine(reason), 100)}\n`);
  return said(io, `${lines.join('\n')}\nhopback-harness run NAME carries one out.\n`);
}

function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = '   ';
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > width) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

/** Runs `hopback-harness init`. @returns the exit code */
export async function runInit(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, { help: OPTIONS.help });
  if (asked.status === 'not-understood') return misunderstood(io, { command: 'init', why: asked.why, usage: INIT_USAGE });
  if (asked.values.help) return said(io, INIT_USAGE);
  const [file = 'scenario.yaml', more] = asked.positionals;
  if (more !== undefined) return misunderstood(io, { command: 'init', why: `${more}: one file at a time`, usage: INIT_USAGE });
  try {
    await writeFile(file, FIRST_SCENARIO, { flag: 'wx' });
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const what = code === 'EEXIST' ? 'is there already' : `cannot be written (${code})`;
    io.stderr.write(`hopback-harness init: ${file} ${what}\n`);
    return EXIT.environment;
  }
  return said(io, `Wrote ${file}. Carry it out: hopback-harness run ${file}\n`);
}

function said(io: HarnessProcess, text: string): number {
  io.stdout.write(text);
  return EXIT.ok;
}

function misunderstood(
  io: HarnessProcess,
  { command, why, usage }: { readonly command: string; readonly why: string; readonly usage: string },
): number {
  io.stderr.write(`hopback-harness ${command}: ${why}\n\n${usage}`);
  return EXIT.usage;
}
