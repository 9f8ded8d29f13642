import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError } from '../errors.js';
import type { Options } from './options.js';
import { UsageError } from './usage-error.js';

// Beside its records a store directory has what commands keep: `follow/` how far files were read, `rejects/` rows that could not be,
// `spool/` what waits for the platform.

/** The directory of the store of a command that cannot do without. @throws {@link UsageError} when there is none */
export function storeDirectory(options: Options<'store'>): string {
  const directory = options.text('store');
  if (directory !== undefined) return directory;
  throw new UsageError('say which store: --store DIR, or HOPBACK_STORE');
}

/** Names that are safe on every file system as they are, also where case makes no difference. */
const SAFE_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const SHOWN_CHARS = 32;
const HASH_DIGITS = 16;

/**
 * The name of a source as part of a file name: itself where that is safe everywhere, else what is safe of it, and a hash that tells it
 * from all others.
 */
export function sourceFileName(sourceId: string): string {
  if (SAFE_NAME.test(sourceId)) return sourceId;
  const shown = sourceId.toLowerCase().replace(/[^a-z0-9_-]/g, '_');
  const hash = createHash('sha256').update(sourceId).digest('hex').slice(0, HASH_DIGITS);
  // No safe name has a tilde: the two kinds never meet.
  return `${shown.slice(0, SHOWN_CHARS)}~${hash}`;
}

/** Where the places of a source are kept. */
export function followFolder(store: string, sourceId: string): string {
  return join(store, 'follow', sourceFileName(sourceId));
}

/** Where rejected rows of all sources are. */
export function rejectsFolder(store: string): string {
  return join(store, 'rejects');
}

/** The reject file of a source. An import has its own: it may run beside a follower. */
export function rejectsFile(store: string, sourceId: string, by: 'tail' | 'import'): string {
  return join(rejectsFolder(store), `${sourceFileName(sourceId)}${by === 'import' ? '.import' : ''}.ndjson`);
}

/** A folder that this process alone uses. */
export interface FolderLock {
  /** Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Takes a folder for this process. The lock of a process that is no more counts for nothing. Two processes that find such a one within
 * the same moment may both get it: it keeps apart what operators start, not what races.
 * @throws {@link HopbackError} `storage-failed` where another process has it, or the disk refuses
 */
export async function lockFolder(folder: string, what: string): Promise<FolderLock> {
  const path = join(folder, 'lock');
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const own = `${String(process.pid)} ${await startOf(process.pid)}\n`;
    for (let attempt = 0; ; attempt += 1) {
      if (await isWritten(path, own)) break;
      const [owner, start] = ownerOf(await readFile(path, 'utf8').catch(() => ''));
      if (attempt > 1 || (owner !== 0 && (await isRunning(owner, start)))) {
        throw new HopbackError('storage-failed', `${what} is in use by another process (${String(owner)})`);
      }
      await rm(path, { force: true });
    }
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? 'no reason given';
    throw new HopbackError('storage-failed', `${folder} cannot be used (${code})`, { cause });
  }
  let closing: Promise<void> | undefined;
  return { close: () => (closing ??= rm(path, { force: true }).catch(() => undefined)) };
}

async function isWritten(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function ownerOf(text: string): readonly [number, string] {
  const [, pid = '0', start = ''] = /^(\d{1,10}) (\S{0,32})\n$/.exec(text) ?? [];
  return [Number(pid), start];
}

/** Ids of processes are used again, in a container each time by the next: one that began at another time is another. */
async function isRunning(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return (await startOf(pid)) === start;
}

/** When a process began, in ticks since the machine did; empty where the system does not say. @see proc_pid_stat(5), field 22 */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
