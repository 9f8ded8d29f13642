import { readFile, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { scheduleInBackground } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { SidecarConfiguration } from '../config/configuration.schema.js';

/** Something that an operator may want to know; never holds a telephone number, nor anything of a key. */
export interface SidecarNotice {
  readonly level: 'info' | 'warn' | 'error';
  /** What it is about: `trust`, `signing`, `reload`, … */
  readonly part: string;
  readonly text: string;
}

/** Hears notices. */
export type OnNotice = (notice: SidecarNotice) => void;

/** What went wrong, in words. */
export const causeText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Largest of the small files that a configuration names: keys, policies, lists of numbers. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** A path as the configuration has it, from the directory of its file. */
export const pathFrom = (directory: string, path: string): string =>
  isAbsolute(path) ? path : resolve(directory, path);

/**
 * Reads a text file that a configuration names.
 * @param path - absolute
 * @throws {@link HopbackError} `storage-failed` when it cannot be read, or is larger than any such file
 */
export async function readTextFile(path: string): Promise<string> {
  const cannot = (cause: unknown): never => {
    throw new HopbackError('storage-failed', `${path} cannot be read`, { cause, retryable: true });
  };
  const found = await stat(path).catch(cannot);
  // A pipe that nobody writes to would be waited for without end, and no reload would ever come after it.
  if (!found.isFile()) throw new HopbackError('storage-failed', `${path} is no file`);
  if (found.size > MAX_FILE_BYTES) throw new HopbackError('storage-failed', `${path} is too large`);
  const bytes = await readFile(path).catch(cannot);
  if (bytes.length > MAX_FILE_BYTES) throw new HopbackError('storage-failed', `${path} is too large`);
  return bytes.toString('utf8');
}

/**
 * Reads a JSON file that a configuration names.
 * @param path - absolute
 * @throws {@link HopbackError} `storage-failed` when it cannot be read, `invalid-configuration` when it is no JSON
 */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // Not what stands there, which may be a key in the wrong file.
    throw new HopbackError('invalid-configuration', `${path} is no JSON`, { cause });
  }
}

/**
 * Reads a file with a secret in it, as the commands do: one that every user of the machine can read is none any more.
 * @param path - absolute
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `key-unusable` when it is open to everybody
 */
export async function readSecretFile(path: string): Promise<string> {
  if (await isOpenToEverybody(path))
    throw new HopbackError('key-unusable', `${path} is open to every user of this machine: chmod 600 ${path}`);
  return readTextFile(path);
}

async function isOpenToEverybody(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && process.platform !== 'win32' && (found.mode & 0o007) !== 0;
}

/** Warns of each private key that every user of the machine can read. It is used all the same: calls must not go unsigned for it. */
export async function warnOfOpenKeys(
  { listen, signing, tracebacks }: SidecarConfiguration,
  { directory, onNotice }: { readonly directory: string; readonly onNotice: OnNotice },
): Promise<void> {
  const keys = [signing, listen.calls.tls, listen.admin?.tls, tracebacks?.answerKey, tracebacks?.platform];
  for (const path of new Set(keys.flatMap((one) => (one === undefined ? [] : [pathFrom(directory, one.key)]))))
    if (await isOpenToEverybody(path))
      onNotice({
        level: 'warn',
        part: 'keys',
        text: `${path} can be read by every user of this machine. Run: chmod 600 ${path}, and replace the key if anyone else had access.`,
      });
}

/**
 * A text that differs whenever one of the files does: size, time and place on disk of each, and of what is in a directory.
 * @param paths - files and directories; one that is not there has its own mark
 */
export async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = await Promise.all(paths.map((path) => stampOfPath(path)));
  return stamps.join('\n');
}

async function stampOfPath(path: string, isWithin = false): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return `${path} -`;
  const stamp = `${path} ${String(found.mtimeMs)} ${String(found.size)} ${String(found.ino)}`;
  // One level: certificates lie in a directory, not below it.
  if (!found.isDirectory() || isWithin) return stamp;
  const names: readonly string[] = await readdir(path).catch(() => []);
  const within = await Promise.all([...names].sort().map((name) => stampOfPath(join(path, name), true)));
  return [stamp, ...within].join('\n');
}

/** Shorter would be a busy loop, whatever is asked for. */
const SHORTEST_MS = 50;
/** While nothing is looked at, how often it is asked whether that has changed. */
const ASLEEP_MS = 1_000;

/**
 * Looks at files every few seconds; a copy of another name in the place of a file, as orchestrators make them, is noticed too.
 * @param files - absolute paths; asked each time
 * @param seconds - how often; 0: not at all, until that is another number
 * @param reload - is called when one has changed; does not reject
 * @returns once the first look is done: ends it
 */
export async function watchFiles(
  files: () => readonly string[],
  seconds: () => number,
  reload: () => Promise<unknown>,
): Promise<() => void> {
  let last = await stampOf(files());
  let cancel: (() => void) | undefined;
  let isClosed = false;
  const look = async (): Promise<void> => {
    if (seconds() <= 0) return;
    const now = await stampOf(files());
    if (now === last || isClosed) return;
    // As it was when it was read: what changes meanwhile is another change, and what could not be used is not tried again until it changes.
    last = now;
    await reload();
  };
  const plan = (): void => {
    if (isClosed) return;
    const waitMs = seconds() > 0 ? Math.max(SHORTEST_MS, seconds() * 1_000) : ASLEEP_MS;
    cancel = scheduleInBackground(() => void look().finally(plan), waitMs);
  };
  plan();
  return () => {
    isClosed = true;
    cancel?.();
  };
}

/**
 * Runs work once at a time; all who ask while it runs share the one run behind it, so that a storm of signals is two runs.
 * @param work - never rejects
 */
export function oneAtATime<Result>(work: () => Promise<Result>): () => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting: Promise<Result> | undefined;
  return () => {
    if (waiting !== undefined) return waiting;
    waiting = last.then(() => {
      waiting = undefined;
      return work();
    });
    last = waiting;
    return waiting;
  };
}
