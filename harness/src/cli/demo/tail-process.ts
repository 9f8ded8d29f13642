import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** What `hopback records tail` is started with. */
export interface TailFiles {
  /** Directory of the record store. */
  readonly store: string;
  readonly argv: readonly string[];
}

/** Writes what the command reads: the source, the token, the certificate of the platform, a key for pseudonyms. */
export async function writeTailFiles(
  directory: string,
  options: { readonly cdrPath: string; readonly url: string; readonly token: string; readonly caPem: string },
): Promise<TailFiles> {
  const source = { id: 'pbx-1', format: 'asterisk-cdr', path: options.cdrPath, time: { zone: 'utc' } };
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const store = join(directory, 'records');
  const files = {
    source: await write('pbx-1.json', JSON.stringify(source)),
    'token-file': await write('token', options.token),
    'platform-ca': await write('platform.pem', options.caPem),
    'pseudonym-key': await write('pseudonym-key', randomBytes(32).toString('hex')),
  };
  const named = Object.entries(files).flatMap(([name, path]) => [`--${name}`, path]);
  const plain = ['--platform', options.url, '--sharing', 'all-pseudonymous', '--rotation', '1', '--tenant', 'demo'];
  return { store, argv: ['records', 'tail', '--store', store, ...named, ...plain, '--json'] };
}

/** A running `hopback records tail`. */
export interface TailProcess {
  /** Resolves when it has ended, by itself or killed. */
  readonly ended: Promise<TailEnd>;
  readonly kill: (signal: 'SIGKILL' | 'SIGTERM') => void;
}

/** How it ended. */
export interface TailEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it said on standard error. */
  readonly complaint: string;
}

/** Most characters of a complaint that are kept. */
const COMPLAINT_CHARS = 2_000;

/** Starts the command of the sdk that this harness depends on, whatever is in PATH and in the environment. */
export function startTail({ argv }: TailFiles): TailProcess {
  const child = spawn(process.execPath, [hopbackCommand(), ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: withoutSettings(process.env),
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  return { ended: endOf(child), kill: (signal) => void child.kill(signal) };
}

async function endOf(child: ChildProcess): Promise<TailEnd> {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(0, COMPLAINT_CHARS);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, signal: null, complaint: error.message }));
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, complaint }));
  });
}

/** The file behind the `hopback` command, as the package names it. */
function hopbackCommand(): string {
  const manifest = createRequire(import.meta.url).resolve('@hopback/sdk/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly bin: { readonly hopback: string } };
  return join(dirname(manifest), bin.hopback);
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HOPBACK_')));
}
