import { readFile } from 'node:fs/promises';
import { run, ROOT } from './run.js';

interface Rule {
  readonly pattern: RegExp;
  readonly message: string;
  /** Where the rule holds; everywhere when absent. */
  readonly only?: RegExp;
}

// Character classes of one letter keep these patterns from matching their own text.
const RULES: readonly Rule[] = [
  { pattern: /(?<![\w.~-])\/(?:[h]ome|[U]sers|[r]oot|[w]ork)\/[\w.-]+/, message: 'a path of one machine' },
  { pattern: /[A-Z]:\\[U]sers\\/, message: 'a path of one machine' },
  {
    pattern: /[r]egistry\.(?:npmjs|yarnpkg|npmmirror)\.|[d]eb\.debian\.org|[v]erdaccio|[a]rtifactory/,
    message: 'the host of a package registry',
  },
  {
    pattern: /-----BEGIN (?:EC |RSA )?[P]RIVATE KEY-----(?:\\n|\s*$)/,
    message: 'a private key',
    only: /^(sdk|harness|docs|examples)\//,
  },
  {
    pattern: /\b(?:[T]ODO|[F]IXME|[X]XX)\b/,
    message: 'a note to finish later: finish it, or write an issue',
    only: /^(sdk|harness|test|examples)\/.*\.ts$/,
  },
];
const BINARY = /\.(?:png|jpe?g|gif|ico|woff2?|pcap|der|wav|gz|tgz)$/;

/** Reads every file that git has or would take, and finds what would tie the repository to one machine. */
export async function checkTrackedText(): Promise<readonly string[]> {
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  if (listed.code !== 0) return [`git ls-files failed: ${listed.output}`];
  const paths = listed.output.split('\0').filter((path) => path !== '' && !BINARY.test(path));
  const problems = await Promise.all(paths.map(async (path) => textProblems(path, await textOf(path))));
  return problems.flat();
}

/** What is wrong with the text of one file. */
export function textProblems(path: string, text: string): readonly string[] {
  if (path === 'package-lock.json') return lockfileProblems(text);
  const rules = RULES.filter(({ only }) => only === undefined || only.test(path));
  return text.split('\n').flatMap((line, index) => {
    const broken = rules.filter(({ pattern }) => pattern.test(line));
    return broken.map(({ pattern, message }) => `${path}:${index + 1}: ${message}: ${pattern.exec(line)?.[0]}`);
  });
}

/** A lockfile that names no host installs from whatever registry its reader uses. */
function lockfileProblems(text: string): readonly string[] {
  const { packages } = JSON.parse(text) as {
    readonly packages: Readonly<Record<string, { readonly resolved?: string }>>;
  };
  return Object.entries(packages)
    .filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:/.test(resolved))
    .map(([name, { resolved }]) => `package-lock.json: ${name} is pinned to a place: ${resolved}`);
}

/** A file deleted from the work tree but not from the index has no text. */
async function textOf(path: string): Promise<string> {
  return readFile(`${ROOT}${path}`, 'utf8').catch(() => '');
}
