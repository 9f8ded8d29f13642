import { readdir, readFile } from 'node:fs/promises';
import { ROOT, run } from './run.js';

// `npm run surface`: prints everything that a user can see, a line each: commands, options, routes, bodies, events, configuration, formats,
// scenarios, conformance cases, metrics and public names. Run it before and after a rebuild, and compare.

const PROGRAMS = [
  { name: 'hopback', path: 'sdk/bin/hopback.js' },
  { name: 'hopback-harness', path: 'harness/bin/hopback-harness.js' },
];
/** Two spaces, the words of a command, and two spaces or more before what it does. */
const COMMAND_LINE = /^ {2}([a-z][a-z0-9-]*(?: [a-z][a-z0-9-]*)*) {2,}\S/gm;
const OPTION = /(?<![\w-])--?[a-z][a-z0-9-]*/g;

const lines = [
  ...(await Promise.all(PROGRAMS.map(({ name, path }) => commandLines(name, path)))).flat(),
  ...(await routes()),
  ...(await events()),
  ...members('configuration', JSON.parse(await programOutput('sdk/bin/hopback.js', ['config', 'schema']))),
  ...members('scenario file', JSON.parse(await text('docs/scenario.schema.json'))),
  ...members('run summary', JSON.parse(await text('docs/run-summary.schema.json'))),
  ...matches('scenario', await programOutput('harness/bin/hopback-harness.js', ['list']), /^(\S+)$/gm),
  ...matches('conformance case', await text('docs/conformance-matrix.md'), /\b(V-\d+|S-\d+)\b/g),
  ...(await metrics()),
  ...(await publicNames()),
];
process.stdout.write(`${[...new Set(lines)].toSorted().join('\n')}\n`);

function matches(kind: string, from: string, pattern: RegExp): readonly string[] {
  return [...from.matchAll(pattern)].map(([, name]) => `${kind} ${name}`);
}

async function text(path: string): Promise<string> {
  return readFile(`${ROOT}${path}`, 'utf8');
}

async function programOutput(path: string, argv: readonly string[]): Promise<string> {
  return (await run(process.execPath, [`${ROOT}${path}`, ...argv])).output;
}

/** Every command of a program with its options: from the help of the program, of its groups, and of each command. */
async function commandLines(program: string, path: string): Promise<readonly string[]> {
  const found: string[] = [];
  const waiting: (readonly string[])[] = [[]];
  const seen = new Set<string>();
  for (let words = waiting.shift(); words !== undefined; words = waiting.shift()) {
    const command = [program, ...words].join(' ');
    if (seen.has(command)) continue;
    seen.add(command);
    const help = await programOutput(path, [...words, '--help']);
    found.push(`command ${command}`);
    for (const option of new Set(help.match(OPTION))) found.push(`option ${command} ${option}`);
    if (words.length > 1) continue;
    for (const [, name = ''] of help.matchAll(COMMAND_LINE)) {
      const next = name.split(' ');
      waiting.push(next.length === 1 || words[0] === 'api' ? [...(words[0] === 'api' ? [] : words), ...next] : next);
    }
  }
  return found;
}

/** Operations and the members of their bodies. */
async function routes(): Promise<readonly string[]> {
  const { paths, components } = JSON.parse(await text('docs/contract/openapi.json')) as Document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `route ${method} ${path}`),
  );
  return [
    ...operations,
    ...Object.entries(components.schemas).flatMap(([name, schema]) => members(`body ${name}`, schema)),
  ];
}

async function events(): Promise<readonly string[]> {
  const { components } = JSON.parse(await text('docs/contract/asyncapi.json')) as Document;
  return Object.keys(components.messages).map((name) => `event ${name}`);
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly messages: Readonly<Record<string, unknown>>;
  };
}

/** Every member and every value of a JSON Schema, by its path. */
function members(path: string, schema: unknown): readonly string[] {
  if (Array.isArray(schema)) return schema.flatMap((each) => members(path, each));
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([word, value]) => {
    if (word === 'properties' || word === '$defs' || word === 'definitions') {
      return Object.entries(value as object).flatMap(([name, inner]) => [
        `${path}.${name}`,
        ...members(`${path}.${name}`, inner),
      ]);
    }
    if (word === 'enum' || word === 'const') return [value].flat().map((each) => `${path} = ${String(each)}`);
    return members(path, value);
  });
}

/** Names of metrics in the compiled code. */
async function metrics(): Promise<readonly string[]> {
  const { output } = await run('grep', [
    '-rhoE',
    '--include=*.js',
    '\\bhopback_[a-z0-9_]+',
    'sdk/dist',
    'harness/dist',
  ]);
  return output
    .split('\n')
    .filter((name) => name !== '')
    .map((name) => `metric ${name}`);
}

/** Names that the entries of the packages export. */
async function publicNames(): Promise<readonly string[]> {
  const reports = await readdir(`${ROOT}docs/api-reports`);
  const found = reports.map(async (report) => {
    const names = (await text(`docs/api-reports/${report}`)).matchAll(
      /^export (?:declare |abstract )*(?:class|const|function|interface|type|let) (\w+)/gm,
    );
    return [...names].map(([, name]) => `name ${report.replace('.api.md', '')} ${name}`);
  });
  return (await Promise.all(found)).flat();
}
