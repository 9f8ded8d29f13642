import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';
import { ROOT, run } from './run.js';

// How large the code is. size.json holds the bar of each figure and the lowest value it ever had: no figure may rise more than 1 %
// above that.

const SCRIPT = /\.(?:ts|tsx|mjs|js)$/;
const SHEET = /\.(?:css|html)$/;
const DATA = /\.(?:json|ya?ml)$/;
const CHARACTERS_PER_LINE = 120;
const SMALL_FILE_LINES = 40;
const LONG_FUNCTION_LINES = 80;
const GRANTED = 1.01;
const RATCHET = 'test/house/size.json';
const API_REPORTS = 'docs/api-reports';

type Bars = Readonly<Record<string, { readonly bar: number; readonly lowest: number }>>;

/** Prints the figures, and answers with those that rose. Those that fell are written to size.json. */
export async function checkSize(): Promise<readonly string[]> {
  const bars = JSON.parse(await readFile(`${ROOT}${RATCHET}`, 'utf8')) as Bars;
  const figures = await sizeFigures(ROOT);
  const problems: string[] = [];
  const lowered: Record<string, { bar: number; lowest: number }> = {};
  for (const [name, value] of figures) {
    const { bar, lowest } = bars[name] ?? { bar: value, lowest: value };
    const isMet = value <= bar ? 'met' : 'missed';
    process.stdout.write(
      `       ${name.padEnd(34)} ${show(value)}  bar ${show(bar)} ${isMet.padEnd(6)}  lowest ${show(lowest)}\n`,
    );
    if (value > lowest * GRANTED)
      problems.push(`${name} is ${value}, more than 1 % above ${lowest}, the lowest so far`);
    lowered[name] = { bar, lowest: Math.min(lowest, value) };
  }
  if (process.env['CI'] === undefined) await writeFile(`${ROOT}${RATCHET}`, `${JSON.stringify(lowered, null, 2)}\n`);
  return problems;
}

function show(value: number): string {
  return String(value).padStart(7);
}

/** Every figure of the code below a folder, with a slash at its end, by name. */
export async function sizeFigures(root: string): Promise<ReadonlyMap<string, number>> {
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const files = new Map<string, Measured>();
  for (const path of listed.output.split('\0')) {
    if (!/^(?:sdk\/src|harness\/src|test)\//.test(path) || !existsSync(root + path)) continue;
    if (SCRIPT.test(path) || SHEET.test(path) || DATA.test(path))
      files.set(path, measure(path, await readFile(root + path, 'utf8')));
  }
  const within = (folder: string): readonly (readonly [string, Measured])[] =>
    [...files].filter(([path]) => path.startsWith(folder));
  const scripts = (folder: string): readonly (readonly [string, Measured])[] =>
    within(folder).filter(([path]) => SCRIPT.test(path));
  const lines = (found: readonly (readonly [string, Measured])[]): number =>
    found.reduce((sum, [, file]) => sum + file.lines, 0);
  const source = [...scripts('sdk/src/'), ...scripts('harness/src/')];
  const graph = importGraph(new Map(source));
  const tokens = source.reduce((sum, [, file]) => sum + file.tokens, 0);
  const tests = within('test/').filter(([path]) => SCRIPT.test(path));
  return new Map([
    ['code lines of sdk', lines(within('sdk/src/'))],
    ['code lines of harness', lines(within('harness/src/'))],
    ['files of sdk', scripts('sdk/src/').length],
    ['files of harness', scripts('harness/src/').length],
    ['files of the largest folder', largestFolder(source.map(([path]) => path))],
    ['files under 40 code lines', source.filter(([, file]) => file.lines < SMALL_FILE_LINES).length],
    [
      'functions over 80 lines',
      source.flatMap(([, file]) => file.functions).filter((length) => length > LONG_FUNCTION_LINES).length,
    ],
    ['import circles', circles(graph).length],
    [
      'reach of verification-service',
      reach(graph, 'sdk/src/stir/verification/verification-service.ts', { types: true }),
    ],
    ['files that ./stir loads', reach(graph, 'sdk/src/stir/index.ts', { types: false })],
    ['files that ./testing loads', reach(graph, 'sdk/src/testing/index.ts', { types: false })],
    ['tokens in ten code lines', Math.round((100 * tokens) / lines(source)) / 10],
    ['code lines of tests', lines(tests)],
    ['public names of sdk', await publicNames(`${root}${API_REPORTS}`)],
  ]);
}

/** Distinct names that the reports of the sdk's entries list. The checks of these reports hold them against the entries. */
async function publicNames(folder: string): Promise<number> {
  const reports = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('sdk.'));
  const texts = await Promise.all(reports.map(async (name) => readFile(`${folder}/${name}`, 'utf8')));
  const pattern = /^export (?:declare |abstract )*(?:class|const|function|interface|type|let) (\w+)/gm;
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name]) => name))).size;
}

interface Import {
  readonly specifier: string;
  readonly isType: boolean;
}

interface Measured {
  /** Lines with at least one token; of data, one for 120 characters. */
  readonly lines: number;
  readonly tokens: number;
  /** Length of each function in lines. */
  readonly functions: readonly number[];
  readonly imports: readonly Import[];
}

function measure(path: string, text: string): Measured {
  const none = { tokens: 0, functions: [], imports: [] };
  if (DATA.test(path)) return { ...none, lines: Math.ceil(text.length / CHARACTERS_PER_LINE) };
  if (SHEET.test(path)) {
    const bare = text.replaceAll(/<!--[^]*?-->|\/\*[^]*?\*\//g, '');
    return { ...none, lines: bare.split('\n').filter((line) => line.trim() !== '').length };
  }
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lines = new Set<number>();
  const functions: number[] = [];
  const imports: Import[] = [];
  let tokens = 0;
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const [first, last] = [lineAt(node.getStart(source)), lineAt(node.end)];
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) functions.push(last - first + 1);
    const found = importOf(node);
    if (found !== undefined) imports.push(found);
    const children = node.getChildren(source);
    if (children.length === 0 && node.end > node.getStart(source)) {
      tokens += 1;
      for (let line = first; line <= last; line += 1) lines.add(line);
    }
    for (const child of children) visit(child);
  };
  visit(source);
  return { lines: lines.size, tokens, functions, imports };
}

function importOf(node: ts.Node): Import | undefined {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return {
      specifier: node.moduleSpecifier.text,
      isType: node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword,
    };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
    return { specifier: node.moduleSpecifier.text, isType: node.isTypeOnly };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    return argument !== undefined && ts.isStringLiteral(argument)
      ? { specifier: argument.text, isType: false }
      : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal)) {
    return { specifier: node.argument.literal.text, isType: true };
  }
  return undefined;
}

interface Edge {
  readonly to: string;
  readonly isType: boolean;
}
type Graph = ReadonlyMap<string, readonly Edge[]>;

function importGraph(files: ReadonlyMap<string, Measured>): Graph {
  const target = (from: string, specifier: string): string | undefined => {
    if (!specifier.startsWith('.')) return undefined;
    const path = join(dirname(from), specifier);
    return [path, path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx')].find((each) => files.has(each));
  };
  return new Map(
    [...files].map(([path, { imports }]) => [
      path,
      imports.flatMap(({ specifier, isType }) => {
        const to = target(path, specifier);
        return to === undefined ? [] : [{ to, isType }];
      }),
    ]),
  );
}

function largestFolder(paths: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return Math.max(...counts.values());
}

/** Number of files that a file reaches, itself included. */
function reach(graph: Graph, from: string, { types }: { readonly types: boolean }): number {
  const reached = new Set([from]);
  for (const path of reached) {
    for (const { to, isType } of graph.get(path) ?? []) if (types || !isType) reached.add(to);
  }
  return reached.size;
}

/** Groups of files that reach each other (Tarjan, without recursion of its own: graphs of this size nest some hundred deep). */
function circles(graph: Graph): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const found: string[][] = [];
  const visit = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path) ?? 0);
    stack.push(path);
    onStack.add(path);
    for (const { to } of graph.get(path) ?? []) {
      if (!index.has(to)) visit(to);
      if (onStack.has(to)) low.set(path, Math.min(low.get(path) ?? 0, low.get(to) ?? 0));
    }
    if (low.get(path) !== index.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    for (const each of group) onStack.delete(each);
    if (group.length > 1) found.push(group);
  };
  for (const path of graph.keys()) if (!index.has(path)) visit(path);
  return found;
}
