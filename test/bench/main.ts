import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { figureLine, machine, QUICK_LIMIT_SECONDS } from './bench.js';
import type { Bench, BenchContext, BenchOfParts, Figure, FigureLine, LeftOutLine } from './bench.js';

const USAGE = `npm run bench -- NAME [--json] [--quick | --full] [--figure NAME …] [--drachtio HOST:PORT [--secret WORD]] [--recordings FILE]

NAME is a bench, \`list\` (names every bench with its figures) or \`all\`.
One line of JSON per figure goes to stdout; --json leaves out the table and the progress on stderr.
--quick takes the fewest rounds and the smallest counts, and prints a line of JSON with "leftOut" for each figure that takes too long: \`all --quick\` ends
within ${QUICK_LIMIT_SECONDS / 60} minutes on a quiet machine with two processors. --full measures longer, for nights.
--figure has a bench that can measure its figures apart measure these only. --drachtio has the bench sip measure another drachtio server, by its control port: the
figures that need ours are left out. --recordings has the bench transcripts measure a CSV file of labelled transcripts beside those it makes.
--folder DIRECTORY runs the benches of another directory. Exit code: 0 all bars hold, 1 one does not or a bench failed, 2 usage.
`;

type Options = ReturnType<typeof readArguments>['values'];

/** What runs, for a message if the process ends before it has finished; undefined once all is done. */
let unfinished: string | undefined = 'bench';

// With an await that never settles the event loop runs empty, and Node ends the process with code 13 and no message.
process.on('exit', (code) => {
  if (unfinished === undefined) return;
  const why = code === 0 ? 'it awaits something that never settles' : `exit code ${code}`;
  process.stderr.write(`${unfinished}: the process ended before the bench finished: ${why}\n`);
  process.exitCode = 1;
});

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    `${unfinished}: failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
}
unfinished = undefined;

/** What stands on the command line; throws for what it does not know. */
function readArguments() {
  return parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      figure: { type: 'string', multiple: true, default: [] },
      drachtio: { type: 'string' },
      secret: { type: 'string', default: 'cymru' },
      recordings: { type: 'string' },
      folder: { type: 'string', default: fileURLToPath(new URL('.', import.meta.url)) },
    },
    allowPositionals: true,
  });
}

function usage(message: string): number {
  process.stderr.write(`${USAGE}\n${message}\n`);
  return 2;
}

async function main(): Promise<number> {
  let given: ReturnType<typeof readArguments>;
  try {
    given = readArguments();
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = given;
  const [name] = positionals;
  if (values.quick && values.full) return usage('--quick and --full contradict each other.');
  const names = readdirSync(values.folder)
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.slice(0, -'.bench.ts'.length))
    .toSorted();
  const wanted = name === 'list' || name === 'all' ? names : names.filter((one) => one === name);
  if (name === undefined || wanted.length === 0) return usage(`Benches: ${names.join(', ')}`);
  unfinished = name;
  const benches = await Promise.all(wanted.map((one) => load(one, values.folder)));
  if (name === 'list') return list(benches, values.json);
  if (name === 'all') return all(benches.filter(isWhole), { name, quick: values.quick });
  const [bench] = benches;
  if (bench === undefined) throw new Error(`there is no bench ${name}`);
  if (isWhole(bench)) return one(bench, values);
  const parts = await Promise.all(bench.parts.map((part) => load(part, values.folder)));
  return all(parts.filter(isWhole), { name, quick: values.quick });
}

/** Whether it measures something itself. */
function isWhole(bench: Bench | BenchOfParts): bench is Bench {
  return !('parts' in bench);
}

function list(benches: readonly (Bench | BenchOfParts)[], isJson: boolean): number {
  for (const bench of benches) {
    if (isJson) {
      process.stdout.write(`${JSON.stringify(bench)}\n`);
      continue;
    }
    process.stdout.write(`${bench.name}: ${bench.description}\n`);
    for (const line of isWhole(bench) ? bench.figures : bench.parts) process.stdout.write(`  ${line}\n`);
  }
  return 0;
}

interface AllOptions {
  /** As given on the command line: `all`, or a bench of parts. */
  readonly name: string;
  readonly quick: boolean;
}

/** Each bench in its own process: what one leaves in the heap or teaches the compiler is no other's figure. */
async function all(benches: readonly Bench[], { name, quick }: AllOptions): Promise<number> {
  const given = process.argv.slice(2);
  const flags = given.filter((_argument, at) => at !== given.indexOf(name));
  const began = performance.now();
  const failed: string[] = [];
  for (const bench of benches) {
    const usedSeconds = Math.ceil((performance.now() - began) / 1_000);
    if (quick && usedSeconds + bench.quick.seconds > QUICK_LIMIT_SECONDS) {
      const why = `no time left: ${usedSeconds} of ${QUICK_LIMIT_SECONDS} s are used, and ${bench.name} takes about ${bench.quick.seconds} s`;
      for (const figure of bench.figures) leaveOut({ bench: bench.name, figure, leftOut: why });
      continue;
    }
    const argv = [...process.execArgv, fileURLToPath(import.meta.url), bench.name, ...flags];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit'] });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    if (code !== 0) failed.push(`${bench.name} (${signal ?? `exit code ${code}`})`);
  }
  if (failed.length > 0)
    process.stderr.write(`${name}: ${failed.length} of ${benches.length} failed: ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

function leaveOut(line: LeftOutLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function controlOf(text: string, secret: string): NonNullable<BenchContext['drachtio']> {
  const [host = '', port = ''] = text.split(':');
  if (host === '' || !/^\d{1,5}$/.test(port)) throw new Error(`--drachtio wants HOST:PORT, not ${text}`);
  return { host, port: Number(port), secret };
}

async function one(bench: Bench, options: Options): Promise<number> {
  const { json, full, quick, figure: figures, drachtio, secret, recordings } = options;
  const say = (line: string): void => void (json || process.stderr.write(`${line}\n`));
  say(`${bench.name}: ${bench.description}\n${machine()}`);
  const lines: FigureLine[] = [];
  const started = performance.now();
  const isAsked = (figure: string): boolean => figures.length === 0 || figures.includes(figure);
  const leftOut = Object.entries(quick ? (bench.quick.leftOut ?? {}) : {}).filter(([figure]) => isAsked(figure));
  const measured = bench.figures.filter((figure) => !leftOut.some(([name]) => name === figure));
  const context: BenchContext = {
    full,
    quick,
    wants: (figure) => isAsked(figure) && measured.includes(figure),
    progress: (line) => say(`  ${line}`),
    ...(drachtio === undefined ? {} : { drachtio: controlOf(drachtio, secret) }),
    ...(recordings === undefined ? {} : { recordings }),
  };
  for await (const figure of figuresOf(bench, context)) {
    const line = figureLine(bench.name, figure);
    process.stdout.write(`${JSON.stringify(line)}\n`);
    lines.push(line);
  }
  const isPartial = drachtio !== undefined || figures.length > 0;
  const missing = measured.filter((figure) => !isPartial && !lines.some((line) => line.figure === figure));
  const undeclared = lines.filter((line) => !measured.includes(line.figure));
  for (const line of lines) say(row(line));
  for (const [figure, why] of leftOut) {
    leaveOut({ bench: bench.name, figure, leftOut: why });
    say(`  ${figure}: left out: ${why}`);
  }
  for (const figure of missing) process.stderr.write(`${bench.name}: declares ${figure} but did not measure it\n`);
  for (const { figure } of undeclared) process.stderr.write(`${bench.name}: measured ${figure} without declaring it\n`);
  say(`${bench.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return missing.length + undeclared.length === 0 && lines.every((line) => line.holds !== false) ? 0 : 1;
}

async function* figuresOf(bench: Bench, context: Parameters<Bench['run']>[0]): AsyncGenerator<Figure> {
  const result = bench.run(context);
  yield* result instanceof Promise ? await result : result;
}

async function load(name: string, folder: string): Promise<Bench | BenchOfParts> {
  const file = resolve(folder, `${name}.bench.ts`);
  const module = (await import(pathToFileURL(file).href)) as { readonly bench?: Bench | BenchOfParts };
  if (module.bench?.name !== name) throw new Error(`${file} must export bench with the name ${name}`);
  return module.bench;
}

function row(line: FigureLine): string {
  const mark = { true: 'holds', false: 'MISSED', null: line.bar === null ? '' : 'not compared' }[`${line.holds}`];
  const against =
    line.baseline === null ? '' : ` | ${line.baseline} ${number(line.baselineValue)} | ratio ${number(line.ratio)}`;
  const bar = line.bar === null ? '' : ` | ${line.bar} ${mark}`;
  return `  ${line.figure}: ${number(line.value)} ${line.unit}${against}${bar}${line.note === undefined ? '' : ` | ${line.note}`}`;
}

function number(value: number | null): string {
  return value === null ? 'absent' : value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}
