import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { figureLine, machine } from './bench.js';
import type { Bench, BenchContext, BenchOfParts, Figure, FigureLine } from './bench.js';

const USAGE = `npm run bench -- NAME [--json] [--full] [--figure NAME …] [--drachtio HOST:PORT [--secret WORD]] [--recordings FILE]

NAME is a bench, \`list\` (names every bench with its figures) or \`all\`.
One line of JSON per figure goes to stdout; --json leaves out the table and the progress on stderr.
--full measures longer, for nights. --figure has a bench that can measure its figures apart measure these only. --drachtio has the bench sip measure another drachtio server, by its control port: the
figures that need ours are left out. --recordings has the bench transcripts measure a CSV file of labelled transcripts beside those it makes. Exit code: 0 all bars hold, 1 one does not or a bench failed, 2 usage.
`;

const folder = new URL('./', import.meta.url);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      figure: { type: 'string', multiple: true, default: [] },
      drachtio: { type: 'string' },
      secret: { type: 'string', default: 'cymru' },
      recordings: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [name] = positionals;
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.slice(0, -'.bench.ts'.length))
    .toSorted();
  if (name === 'list') return list(names);
  if (name === 'all') return all(await wholeBenches(names), flagsBeside(name));
  if (name === undefined || !names.includes(name)) {
    process.stderr.write(`${USAGE}\nBenches: ${names.join(', ')}\n`);
    return 2;
  }
  const bench = await load(name);
  if ('parts' in bench) return all(bench.parts, flagsBeside(name));
  const { drachtio, secret, json, full, figure: figures, recordings } = values;
  return one(bench, {
    json,
    full,
    figures,
    drachtio: drachtio === undefined ? undefined : controlOf(drachtio, secret),
    recordings,
  });
}

async function list(names: readonly string[]): Promise<number> {
  for (const bench of await Promise.all(names.map((name) => load(name)))) {
    process.stdout.write(`${bench.name}: ${bench.description}\n`);
    for (const line of 'parts' in bench ? bench.parts : bench.figures) process.stdout.write(`  ${line}\n`);
  }
  return 0;
}

/** Those that measure something themselves. */
async function wholeBenches(names: readonly string[]): Promise<readonly string[]> {
  const benches = await Promise.all(names.map((name) => load(name)));
  return benches.filter((bench) => !('parts' in bench)).map(({ name }) => name);
}

/** What stands on the command line beside the name. */
function flagsBeside(name: string): readonly string[] {
  const given = process.argv.slice(2);
  return given.filter((_argument, at) => at !== given.indexOf(name));
}

/** Each bench in its own process: what one leaves in the heap or teaches the compiler is no other's figure. */
async function all(names: readonly string[], flags: readonly string[]): Promise<number> {
  let failed = 0;
  for (const name of names) {
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), name, ...flags], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) failed += 1;
  }
  return failed === 0 ? 0 : 1;
}

interface OneOptions {
  readonly json: boolean;
  readonly full: boolean;
  /** All where it is empty. */
  readonly figures: readonly string[];
  readonly drachtio: BenchContext['drachtio'] | undefined;
  readonly recordings: string | undefined;
}

function controlOf(text: string, secret: string): NonNullable<BenchContext['drachtio']> {
  const [host = '', port = ''] = text.split(':');
  if (host === '' || !/^\d{1,5}$/.test(port)) throw new Error(`--drachtio wants HOST:PORT, not ${text}`);
  return { host, port: Number(port), secret };
}

async function one(bench: Bench, options: OneOptions): Promise<number> {
  const say = (line: string): void => void (options.json || process.stderr.write(`${line}\n`));
  say(`${bench.name}: ${bench.description}\n${machine()}`);
  const lines: FigureLine[] = [];
  const started = performance.now();
  const { full, figures, drachtio, recordings } = options;
  const wants = (figure: string): boolean => figures.length === 0 || figures.includes(figure);
  const context = {
    full,
    wants,
    progress: (line: string) => say(`  ${line}`),
    ...(drachtio === undefined ? {} : { drachtio }),
    ...(recordings === undefined ? {} : { recordings }),
  };
  for await (const figure of figuresOf(bench, context)) {
    const line = figureLine(bench.name, figure);
    process.stdout.write(`${JSON.stringify(line)}\n`);
    lines.push(line);
  }
  const isPartial = drachtio !== undefined || figures.length > 0;
  const missing = bench.figures.filter((figure) => !isPartial && !lines.some((line) => line.figure === figure));
  const undeclared = lines.filter((line) => !bench.figures.includes(line.figure));
  for (const line of lines) say(row(line));
  for (const figure of missing) process.stderr.write(`${bench.name}: declares ${figure} but did not measure it\n`);
  for (const { figure } of undeclared) process.stderr.write(`${bench.name}: measured ${figure} without declaring it\n`);
  say(`${bench.name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return missing.length + undeclared.length === 0 && lines.every((line) => line.holds !== false) ? 0 : 1;
}

async function* figuresOf(bench: Bench, context: Parameters<Bench['run']>[0]): AsyncGenerator<Figure> {
  const result = bench.run(context);
  yield* result instanceof Promise ? await result : result;
}

async function load(name: string): Promise<Bench | BenchOfParts> {
  const module = (await import(new URL(`${name}.bench.ts`, folder).href)) as { readonly bench?: Bench | BenchOfParts };
  if (module.bench?.name !== name)
    throw new Error(`test/bench/${name}.bench.ts must export bench with the name ${name}`);
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
