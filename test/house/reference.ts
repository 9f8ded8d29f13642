import { mkdir, rm, writeFile } from 'node:fs/promises';
import ts from 'typescript';
import { deadLinks, rawPages } from './reference-links.js';
import { ROOT, tool } from './run.js';

/** Where the examples of the reference lie while they are checked or run, one file each; each process has its own place. */
const EXAMPLES = `${ROOT}.cache/reference-examples/${process.pid}`;

/** The entries whose exports an example may name without importing them, the first one first. */
const ENTRIES = [
  { specifier: '@hopback/sdk/stir', path: `${ROOT}sdk/src/stir/index.ts` },
  { specifier: '@hopback/sdk/records', path: `${ROOT}sdk/src/records/index.ts` },
  { specifier: '@hopback/sdk/traceback', path: `${ROOT}sdk/src/traceback/index.ts` },
  { specifier: '@hopback/sdk/platform', path: `${ROOT}sdk/src/platform/index.ts` },
  { specifier: '@hopback/sdk/log', path: `${ROOT}sdk/src/log/index.ts` },
  { specifier: '@hopback/sdk/switch', path: `${ROOT}sdk/src/switch/index.ts` },
  { specifier: '@hopback/sdk/sidecar', path: `${ROOT}sdk/src/sidecar/index.ts` },
  { specifier: '@hopback/sdk/testing', path: `${ROOT}sdk/src/testing/index.ts` },
  { specifier: '@hopback/harness', path: `${ROOT}harness/src/index.ts` },
  { specifier: '@hopback/harness/conformance', path: `${ROOT}harness/src/conformance/index.ts` },
  { specifier: '@hopback/harness/drachtio', path: `${ROOT}harness/src/drachtio/index.ts` },
  { specifier: '@hopback/harness/platform', path: `${ROOT}harness/src/platform/index.ts` },
] as const;

/** One `ts` block of an `@example`, as a program of its own. */
export interface ReferenceExample {
  /** What it is an example of, and where: `parsePassport (sdk/src/stir/passport.ts:66)`. */
  readonly title: string;
  /** Absolute path of the file that it was written to. */
  readonly file: string;
  /** The block with what it names imported: the lines in front of it are one. */
  readonly text: string;
}

/**
 * Holds the reference against what a reader needs: typedoc without warnings, links that lead somewhere, every function told in
 * full, and examples that compile. That they run is for test/integration/house/reference-examples.test.ts.
 */
export async function checkReference(): Promise<readonly string[]> {
  const examples = await writeExamples(readExports());
  const errors = typeErrors(examples);
  await removeReferenceExamples();
  const warnings = await tool('typedoc', ['--logLevel', 'Warn']);
  // Of a reference that could not be written, the one before is still there.
  const links = warnings.length > 0 ? [] : await linkProblems(`${ROOT}docs/reference`);
  return [...warnings, ...links, ...exportGaps(), ...errors];
}

async function linkProblems(folder: string): Promise<readonly string[]> {
  return [
    ...(await deadLinks(folder)).map((link) => `a dead link, ${link}`),
    ...(await rawPages(folder)).map((page) => `${page} is no page: name it under projectDocuments in typedoc.json`),
  ];
}

/** What is missing from the docstrings of all functions that an entry exports, of the sdk and of the harness alike. */
export function exportGaps({ declarations }: Pick<Exports, 'declarations'> = readExports()): readonly string[] {
  return declarations.flatMap(gapsOf);
}

/** Takes the examples of all exports out of the sources and writes each of them to a file that can be run. */
export async function referenceExamples(): Promise<readonly ReferenceExample[]> {
  return writeExamples(readExports());
}

/** What the compiler says to a program under the options of the examples; empty when it compiles. */
export async function compileErrors(title: string, text: string): Promise<readonly string[]> {
  await mkdir(EXAMPLES, { recursive: true });
  const file = `${EXAMPLES}/program.ts`;
  await writeFile(file, text);
  return typeErrors([{ title, file, text }]);
}

/** Removes the files of {@link referenceExamples}. */
export async function removeReferenceExamples(): Promise<void> {
  await rm(EXAMPLES, { recursive: true, force: true });
}

/** What a program says that it prints, in order: `console.log(verdict.status); // passed`. */
export function printedBy(text: string): readonly string[] {
  return [...text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, printed]) => printed ?? '');
}

/** What is missing from the docstring of a function; empty for whatever is no function. */
export function docstringGaps(text: string): readonly string[] {
  const source = ts.createSourceFile('text.ts', text, ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((statement) => {
    const name = ts.isFunctionDeclaration(statement) ? (statement.name?.text ?? '') : '';
    return name === '' ? [] : gapsOf({ name, node: statement, entry: '' }).map((gap) => gap.replace(/^\S+ /, ''));
  });
}

interface ExportedDeclaration {
  readonly name: string;
  readonly node: ts.Node;
  /** Of the entry that names it first. */
  readonly entry: string;
}

/** Where a name is imported from, and whether there is a value behind it. */
type Names = ReadonlyMap<string, { readonly specifier: string; readonly isValue: boolean }>;

interface Exports {
  readonly declarations: readonly ExportedDeclaration[];
  /** As an example of an entry sees them: two entries may each have a function of one name, and its own comes first. */
  readonly namesIn: (entry: string) => Names;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  noPropertyAccessFromIndexSignature: true,
  skipLibCheck: true,
  noEmit: true,
  paths: Object.fromEntries([
    ...ENTRIES.map(({ specifier, path }) => [specifier, [path]] as const),
    ['@hopback/sdk/errors', [`${ROOT}sdk/src/errors.ts`]] as const,
  ]),
};

/** Of everything but the examples, by path: to read the sources takes longer than to check an example against them. */
const PARSED = new Map<string, ts.SourceFile | undefined>();

/** Reads the sources once for all programs of the process. Their options agree in all that a file is read by. */
function createHost(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const read: ts.CompilerHost['getSourceFile'] = (path, how) => host.getSourceFile(path, how);
  return {
    ...host,
    getSourceFile: (path, how) => {
      if (path.startsWith(EXAMPLES)) return read(path, how);
      if (!PARSED.has(path)) PARSED.set(path, read(path, how));
      return PARSED.get(path);
    },
  };
}

let exportsRead: Exports | undefined;

/** What the entries export: the same throughout a process, as the sources are. */
function readExports(): Exports {
  return (exportsRead ??= exportsOf());
}

function exportsOf(): Exports {
  const program = ts.createProgram(
    ENTRIES.map(({ path }) => path),
    OPTIONS,
    createHost(OPTIONS),
  );
  const checker = program.getTypeChecker();
  const declarations = new Map<ts.Node, ExportedDeclaration>();
  const names = new Map<string, Map<string, { specifier: string; isValue: boolean }>>();
  for (const { specifier, path } of ENTRIES) {
    const source = program.getSourceFile(path);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${path} exports nothing`);
    for (const exported of checker.getExportsOfModule(module)) {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
      const { name } = exported;
      const own = names.get(specifier) ?? new Map<string, { specifier: string; isValue: boolean }>();
      names.set(specifier, own.set(name, { specifier, isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0 }));
      for (const node of symbol.declarations ?? [])
        if (!declarations.has(node)) declarations.set(node, { name, node, entry: specifier });
    }
  }
  const all = new Map([...names.values()].toReversed().flatMap((own) => [...own]));
  return {
    declarations: [...declarations.values()],
    namesIn: (entry) => new Map([...all, ...(names.get(entry) ?? [])]),
  };
}

/** What a docstring says, taken apart as typedoc does it: text first, then tags. */
interface Docstring {
  readonly text: string;
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

function docstringOf(node: ts.Node): Docstring {
  const holder = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const [last] = ts
    .getJSDocCommentsAndTags(holder)
    .filter((part) => ts.isJSDoc(part))
    .slice(-1);
  const lines = (last?.getText() ?? '')
    .slice(3, -2)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  const tags: { name: string; text: string }[] = [];
  let text = '';
  let isFenced = false;
  for (const line of lines) {
    if (line.trimStart().startsWith('```')) isFenced = !isFenced;
    // A tag may also follow a sentence on its line: `One sentence. @see RFC 8224`.
    const parts = isFenced ? [line] : line.split(/(?:^|\s)(?=@[a-z]+\b)/);
    for (const part of parts) {
      const tag = isFenced ? null : /^@([a-z]+)\s*(.*)$/.exec(part);
      const open = tags.at(-1);
      if (tag !== null) tags.push({ name: tag[1] ?? '', text: tag[2] ?? '' });
      else if (open === undefined) text += `${part}\n`;
      else open.text += `\n${part}`;
    }
  }
  return { text, tags };
}

function gapsOf({ name, node }: ExportedDeclaration): readonly string[] {
  const signature = functionOf(node);
  if (signature === undefined) return [];
  const doc = docstringOf(node);
  const textsOf = (tag: string): readonly string[] =>
    doc.tags.filter((one) => one.name === tag).map(({ text }) => text);
  const everything = [doc.text, ...doc.tags.map(({ text }) => text)].join(' ').replaceAll(/\s+/g, ' ');
  const isVoid = signature.type?.kind === ts.SyntaxKind.VoidKeyword;
  const gaps = [
    ...signature.parameters
      .map((parameter) => parameter.name.getText())
      .filter((parameter) => !textsOf('param').some((text) => text.startsWith(`${parameter} - `)))
      .map((parameter) => `@param ${parameter} - what it is, its unit and its bounds`),
    ...(isVoid || textsOf('returns').some((text) => text.trim() !== '') ? [] : ['@returns']),
    ...(textsOf('throws').length > 0 || /never (?:throws|rejects)/i.test(everything)
      ? []
      : ['@throws, or the words "never throws" or "never rejects"']),
    ...(textsOf('see').some((text) => text.trim() !== '') ? [] : ['@see']),
    ...(textsOf('example').some((text) => blocksIn(text).length > 0) ? [] : ['@example with a ts block']),
  ];
  return gaps.map((gap) => `${placeOf(node)} ${name} lacks ${gap}`);
}

function functionOf(node: ts.Node): ts.SignatureDeclaration | undefined {
  if (ts.isFunctionDeclaration(node)) return node;
  if (!ts.isVariableDeclaration(node) || node.initializer === undefined) return undefined;
  return ts.isArrowFunction(node.initializer) || ts.isFunctionExpression(node.initializer)
    ? node.initializer
    : undefined;
}

function blocksIn(text: string): readonly string[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
}

function placeOf(node: ts.Node): string {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return `${source.fileName.replace(ROOT, '')}:${line + 1}`;
}

async function writeExamples({ declarations, namesIn }: Exports): Promise<readonly ReferenceExample[]> {
  await mkdir(EXAMPLES, { recursive: true });
  const examples = declarations.flatMap(({ name, node, entry }) => {
    const docstrings = [docstringOf(node), ...(membersOf(node) ?? []).map(docstringOf)];
    const blocks = docstrings.flatMap(({ tags }) =>
      tags.filter((tag) => tag.name === 'example').flatMap(({ text }) => blocksIn(text)),
    );
    return blocks.map((block, index) => ({
      title: `${name}${index === 0 ? '' : ` ${index + 1}`} (${placeOf(node)})`,
      file: `${EXAMPLES}/${entry.split('/').at(-1) ?? ''}-${name}-${index + 1}.ts`,
      text: `${importsFor(block, namesIn(entry))}\n${block}\nexport {};\n`,
    }));
  });
  await Promise.all(examples.map(async ({ file, text }) => writeFile(file, text)));
  return examples;
}

function membersOf(node: ts.Node): readonly ts.Node[] | undefined {
  return ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node) ? node.members : undefined;
}

/** Imports what the block names and does not declare itself, all on one line. */
function importsFor(block: string, names: Names): string {
  const source = ts.createSourceFile('block.ts', block, ts.ScriptTarget.Latest, true);
  const used = new Set<string>();
  const own = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) (isDeclaredBy(node) ? own : used).add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const wanted = [...used].filter((name) => names.has(name) && !own.has(name)).toSorted();
  return ENTRIES.map(({ specifier }) => {
    const imported = wanted
      .filter((name) => names.get(name)?.specifier === specifier)
      .map((name) => (names.get(name)?.isValue === true ? name : `type ${name}`));
    return imported.length === 0 ? '' : `import { ${imported.join(', ')} } from '${specifier}';`;
  }).join(' ');
}

function isDeclaredBy(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isImportSpecifier(parent) || ts.isImportClause(parent) || ts.isNamespaceImport(parent)) return true;
  if (ts.isBindingElement(parent)) return parent.name === node;
  return (
    (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isFunctionDeclaration(parent)) &&
    parent.name === node
  );
}

function typeErrors(examples: readonly ReferenceExample[]): readonly string[] {
  const options = { ...OPTIONS, rootDir: ROOT };
  const program = ts.createProgram(
    examples.map(({ file }) => file),
    options,
    createHost(options),
  );
  return examples.flatMap(({ title, file }) => {
    const source = program.getSourceFile(file);
    const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return diagnostics.map(({ start, messageText }) => {
      // Line 1 of the file is the imports; the block begins with line 2.
      const line = start === undefined ? 0 : (source?.getLineAndCharacterOfPosition(start).line ?? 0);
      return `the example of ${title}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}
