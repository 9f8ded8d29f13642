import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { run, ROOT } from './run.js';

interface Rule {
  readonly pattern: RegExp;
  readonly message: string;
  /** Where the rule holds; everywhere when absent. */
  readonly only?: RegExp;
}

// Character classes of one letter keep these patterns from matching their own text.
const RULES: readonly Rule[] = [
  { pattern: /(?<![\w.~-])\/(?:[h]ome|[U]sers|[r]oot)\/[\w.-]+/, message: 'a path of one machine' },
  { pattern: /(?<![\w.~/-])\/(?:[w]ork|[o]pt|[t]mp|[s]rv|[m]nt)(?![\w.-])/, message: 'a path of one machine' },
  { pattern: /(?<![\w./-])[s]hared\/[\w-]|[.]library\b/, message: 'a place that only one workshop has' },
  { pattern: /[A-Z]:\\[U]sers\\/, message: 'a path of one machine' },
  {
    pattern: /[r]egistry\.(?:npmjs|yarnpkg|npmmirror)\.|[d]eb\.debian\.org|[v]erdaccio|[a]rtifactory/,
    message: 'the host of a package registry',
  },
  {
    pattern: /\b[n]px (?!--no )(?:-\S+ )*@?hopback/,
    message: 'a command that npx would load from the public registry: write npx --no',
  },
  // npx reads `--no hopback` as an option with its value, and options up to the next word as its own.
  { pattern: /\b[n]px --no hopback\S* -/, message: 'an option that npx takes for its own: put a word before it' },
  { pattern: /^\s*[r]egistry\s*=/, message: 'the registry of one machine' },
  // The armour alone is code that looks for it; with a line of base64 behind it, in the text or on the next line, it is a key.
  {
    pattern: /-----BEGIN (?:EC |RSA |ENCRYPTED )?[P]RIVATE KEY-----(?:\\n[A-Za-z0-9+/]{3}|\s*$)/,
    message: 'a private key',
  },
  {
    pattern: /\b(?:[T]ODO|[F]IXME|[X]XX|[H]ACK)\b|(?:\/\/|\*|<!--|#)\s*(?:[t]odo|[f]ixme|[h]ack)\b/,
    message: 'a note to finish later: finish it, or write an issue',
  },
];
const BINARY = /\.(?:png|jpe?g|gif|ico|woff2?|pcap|der|wav|gz|tgz)$/;

/** Reads every file that git has or would take, and finds what would tie the repository to one machine. */
export async function checkTrackedText(): Promise<readonly string[]> {
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  if (listed.code !== 0) return [`git ls-files failed: ${listed.output}`];
  const known = new Set(listed.output.split('\0').filter((path) => path !== ''));
  const paths = [...known].filter((path) => !BINARY.test(path));
  const texts = await Promise.all(paths.map(async (path) => [path, await textOf(path)] as const));
  return texts.flatMap(([path, text]) => [...textProblems(path, text), ...brokenLinks(path, text, known)]);
}

/**
 * Links of a Markdown file to files that are not there.
 * @param known - every file of the repository; a folder is known by what lies in it
 */
export function brokenLinks(path: string, text: string, known: ReadonlySet<string>): readonly string[] {
  if (!path.endsWith('.md')) return [];
  const folders = new Set([...known].flatMap((file) => foldersOf(file)));
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '');
  return links
    .filter((link) => !/^(?:[a-z]+:|#)/.test(link))
    .map((link) => [link, posix.join(posix.dirname(path), link.replace(/#.*$/, '')).replace(/\/$/, '')] as const)
    .filter(([, target]) => !known.has(target) && !folders.has(target))
    .map(([link]) => `${path}: a link that leads nowhere: ${link}`);
}

function foldersOf(file: string): readonly string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
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
