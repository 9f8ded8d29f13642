import { readFile } from 'node:fs/promises';
import { check } from 'recheck';
import ts from 'typescript';
import { impurities } from './purity.js';
import { ROOT } from './run.js';

interface LintOverride {
  readonly files: string[];
  readonly excludeFiles?: string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

/** Holds every pure file to purity.ts. Which files are pure is said once, in .oxlintrc.json. */
export async function checkPurity(): Promise<readonly string[]> {
  const problems = (await pureFiles()).map(async (path) => {
    const found = impurities(path, await readFile(`${ROOT}${path}`, 'utf8'));
    return found.map(({ line, message }) => `${path}:${line}: ${message}`);
  });
  return (await Promise.all(problems)).flat();
}

/** Asks recheck about every regular expression of the packages: none may take more than linear time. */
export async function checkRegularExpressions(): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const path of sourceFiles(['sdk/src', 'harness/src'])) {
    const text = await readFile(`${ROOT}${path}`, 'utf8');
    for (const { line, pattern, flags } of regularExpressions(path, text)) {
      if (pattern === undefined) {
        problems.push(`${path}:${line}: a regular expression made at run time cannot be checked: write a literal`);
        continue;
      }
      const diagnostics = await check(pattern, flags, COUNTED_IN_STEPS);
      if (diagnostics.status === 'safe') continue;
      const found = diagnostics.status === 'vulnerable' ? diagnostics.complexity.summary : 'of unknown complexity';
      problems.push(`${path}:${line}: /${pattern}/${flags} is ${found}`);
    }
  }
  return problems;
}

/**
 * How long matching takes is counted in steps alone. By the clock, which recheck looks at as well unless it is told not to, a safe
 * expression is vulnerable, or of unknown complexity, on a machine that has other things to do.
 */
const COUNTED_IN_STEPS = { timeout: null, attackTimeout: null, incubationTimeout: null, seedingTimeout: null };

interface FoundExpression {
  readonly line: number;
  /** Undefined when it is put together at run time. */
  readonly pattern: string | undefined;
  readonly flags: string;
}

/** The regular expressions of a file: literals, and what is handed to RegExp or to a string that makes one of it. */
export function regularExpressions(path: string, text: string): readonly FoundExpression[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: FoundExpression[] = [];
  const visit = (node: ts.Node): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      found.push({ line, pattern: node.text.slice(1, end), flags: node.text.slice(end + 1) });
    } else if (isRegExpAsValue(node)) {
      found.push({ line, pattern: undefined, flags: '' });
    } else if (isMatching(node) && node.arguments[0] !== undefined && ts.isStringLiteralLike(node.arguments[0])) {
      found.push({ line, pattern: node.arguments[0].text, flags: '' });
    } else if (
      (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
      node.expression.getText(source) === 'RegExp'
    ) {
      const [pattern, flags] = node.arguments ?? [];
      const literal = pattern !== undefined && ts.isStringLiteralLike(pattern) ? pattern.text : undefined;
      found.push({
        line,
        pattern: literal,
        flags: flags !== undefined && ts.isStringLiteralLike(flags) ? flags.text : '',
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `text.match('a+')` makes a regular expression of the string. */
function isMatching(node: ts.Node): node is ts.CallExpression {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    /^(?:match|matchAll|search)$/.test(node.expression.name.text)
  );
}

/** RegExp under another name could make any expression, unseen. */
function isRegExpAsValue(node: ts.Node): boolean {
  if (!ts.isIdentifier(node) || node.text !== 'RegExp') return false;
  const { parent } = node;
  if (ts.isTypeReferenceNode(parent)) return false;
  if (ts.isBinaryExpression(parent)) return parent.operatorToken.kind !== ts.SyntaxKind.InstanceOfKeyword;
  return !((ts.isNewExpression(parent) || ts.isCallExpression(parent)) && parent.expression === node);
}

async function pureFiles(): Promise<readonly string[]> {
  const { config, error } = ts.readConfigFile(`${ROOT}.oxlintrc.json`, (path) => ts.sys.readFile(path));
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
  const { overrides } = config as { readonly overrides: readonly LintOverride[] };
  const pure = overrides.find(({ rules }) =>
    JSON.stringify(rules['eslint/no-restricted-properties'] ?? []).includes('"random"'),
  );
  if (pure === undefined) throw new Error('.oxlintrc.json names no pure files: no override forbids Math.random');
  const paths = relative(ts.sys.readDirectory(ROOT, ['.ts', '.tsx'], pure.excludeFiles, pure.files));
  // A glob that TypeScript reads otherwise than oxlint does would pass everything: `folder/**/*`, never `folder/**`.
  if (!paths.includes('sdk/src/core/base64url.ts'))
    throw new Error('the globs of pure files in .oxlintrc.json find nothing');
  return paths;
}

function sourceFiles(folders: readonly string[]): readonly string[] {
  return relative(folders.flatMap((folder) => ts.sys.readDirectory(`${ROOT}${folder}`, ['.ts', '.tsx'])));
}

function relative(paths: readonly string[]): readonly string[] {
  return paths.map((path) => path.slice(ROOT.length));
}
