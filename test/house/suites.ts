import { readFile } from 'node:fs/promises';
import ts from 'typescript';
import { ROOT, run } from './run.js';

/** What looks like a file of tests. */
const TEST_FILE = /\.(?:test|spec)\.[cm]?[jt]sx?$/;
/** Where tests are skipped for want of a peer, and what tests that. Nothing else may skip. */
const MAY_SKIP = /^test\/peers\.ts$|^test\/house\/fixture\//;
/** What leaves tests out of a run, or lets them fail in it. */
const LEAVING_OUT = new Set(['only', 'skip', 'skipIf', 'runIf', 'todo', 'fails']);
/** Projects whose files share processes, as test/vitest.config.ts says: a mocked module would be one for the files that follow. */
const SHARING = /^test\/(?:unit|integration|property|peers|e2e)\//;
/** What these are words of. */
const TEST_WORDS = new Set(['bench', 'describe', 'it', 'suite', 'test']);

/** Every file of tests belongs to a project of vitest, every test in it runs, and none changes modules under another. */
export async function checkSuites(): Promise<readonly string[]> {
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  if (listed.code !== 0) return [`git ls-files failed: ${listed.output}`];
  const paths = listed.output.split('\0');
  const argv = ['list', '--filesOnly', '--json', '--config', 'test/vitest.config.ts'];
  const { code, output } = await run(`${ROOT}node_modules/.bin/vitest`, argv);
  if (code !== 0) return [`vitest list failed: ${output}`];
  const files = JSON.parse(output.slice(output.indexOf('['))) as readonly { readonly file: string }[];
  const collected = new Set(files.map(({ file }) => file.replace(ROOT, '')));
  const testCode = paths.filter((path) => /^test\/.*\.ts$/.test(path) && !MAY_SKIP.test(path));
  const problems = testCode.map(async (path) => {
    const text = await readFile(`${ROOT}${path}`, 'utf8').catch(() => '');
    return [...testsLeftOut(path, text), ...modulesMocked(path, text)];
  });
  return [...uncollected(paths, collected), ...(await Promise.all(problems)).flat()];
}

/** Files of tests that no project of vitest would run. */
export function uncollected(paths: readonly string[], collected: ReadonlySet<string>): readonly string[] {
  return paths
    .filter((path) => TEST_FILE.test(path) && !collected.has(path))
    .map((path) => `${path} is in no project of test/vitest.config.ts: its tests never run`);
}

/**
 * Tests that are skipped, or that keep others from running: as `test.skip`, as `{ skip: true }`, or by the context of a test.
 * Works on the syntax alone.
 */
export function testsLeftOut(path: string, text: string): readonly string[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const word = wordOf(node);
    if (word !== undefined) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      found.push(`${path}:${line}: ${word}: every test runs, and one that waits for a peer is a testPeer`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Modules that a file mocks although it shares its process with the files that follow. Works on the syntax alone. */
export function modulesMocked(path: string, text: string): readonly string[] {
  if (!SHARING.test(path)) return [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^vi\.(?:mock|resetModules)$/.test(node.expression.getText())) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      found.push(
        `${path}:${line}: ${node.expression.getText()}: files of this project share their modules; spy on what is called`,
      );
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function wordOf(node: ts.Node): string | undefined {
  // A member: `skip` of test.skip, or of the context of a test.
  if (ts.isPropertyAccessExpression(node) && LEAVING_OUT.has(node.name.text)) {
    if (isOfPlatform(node.parent)) return undefined;
    const root = rootOf(node.expression);
    return TEST_WORDS.has(root) || isContext(root, node) ? node.name.text : undefined;
  }
  // An option, or a part of the context.
  const name = ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node) ? node.name : bound(node);
  if (name === undefined || !ts.isIdentifier(name) || !LEAVING_OUT.has(name.text)) return undefined;
  return isWithinTestCall(node) ? name.text : undefined;
}

/** What a platform cannot do is no test of it: `test.skipIf(process.platform === 'win32')`. */
function isOfPlatform(call: ts.Node): boolean {
  if (!ts.isCallExpression(call)) return false;
  return /process\.platform|existsSync\('\/dev\//.test(call.arguments[0]?.getText() ?? '');
}

function bound(node: ts.Node): ts.Node | undefined {
  return ts.isBindingElement(node) ? (node.propertyName ?? node.name) : undefined;
}

/** `test` of `test.concurrent.each`. */
function rootOf(node: ts.Expression): string {
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootOf(node.expression);
  return ts.isIdentifier(node) ? node.text : '';
}

/** Whether a name is the parameter of the body of a test. */
function isContext(name: string, within: ts.Node): boolean {
  for (let node: ts.Node = within; !ts.isSourceFile(node); node = node.parent) {
    if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node)) continue;
    const isParameter = node.parameters.some((parameter) => parameter.name.getText() === name);
    if (isParameter) return isTestCall(node.parent);
  }
  return false;
}

/** Whether the node is in an argument of a test itself, not in what its body calls. */
function isWithinTestCall(from: ts.Node): boolean {
  const argument = ts.findAncestor(from, ({ parent }) => parent === undefined || ts.isCallExpression(parent));
  return argument !== undefined && argument.parent !== undefined && isTestCall(argument.parent);
}

function isTestCall(node: ts.Node): boolean {
  return ts.isCallExpression(node) && TEST_WORDS.has(rootOf(node.expression));
}
