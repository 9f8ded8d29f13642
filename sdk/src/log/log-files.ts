import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, stat, truncate, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { timeOf } from '../core/runtime/clock.js';
import type { Clock } from '../core/runtime/clock.js';
import { HopbackError, isHopbackError } from '../errors.js';

/** A file of the log, open. Every call rejects with the error of the system, `code` included. */
export interface LogFile {
  /**
   * Appends the bytes of all buffers, in order: `writev` at the end of the file.
   * @returns how many bytes were taken, which may be fewer than given
   */
  readonly append: (buffers: readonly Uint8Array[]) => Promise<number>;
  /** Resolves once all that was appended is on the medium: `fdatasync`. */
  readonly datasync: () => Promise<void>;
  /**
   * Fills the buffer from a place in the file.
   * @param position - offset in the file, bytes
   * @returns how many bytes there were; 0 at the end of the file
   */
  readonly read: (buffer: Uint8Array, position: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** A file in the directory of the log. */
export interface ListedFile {
  /** Without the directory. */
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * What the log asks of the file system. The default is Node's; tests hand in one that fails, forgets what was not synced, or counts.
 * Every call rejects with the error of the system, `code` included.
 */
export interface LogFiles {
  /** Makes the directory and those above it, and syncs the one it is in; nothing happens where it is there already. */
  readonly makeDirectory: (directory: string) => Promise<void>;
  /** The regular files of the directory, in any order. */
  readonly list: (directory: string) => Promise<readonly ListedFile[]>;
  /** Makes a file that is not there yet, open for appending. */
  readonly create: (path: string) => Promise<LogFile>;
  /** Opens a file for reading (and `datasync`, which a reader may call too). */
  readonly open: (path: string) => Promise<LogFile>;
  /** Moves a file over another name, in one step. */
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly unlink: (path: string) => Promise<void>;
  /** Cuts a file to so many bytes. */
  readonly truncate: (path: string, sizeBytes: number) => Promise<void>;
  /** Resolves once the names in the directory are on the medium: `fsync` of the directory. */
  readonly syncDirectory: (directory: string) => Promise<void>;
}

/** What the disk was asked. */
export type LogOperation = 'create' | 'write' | 'sync' | 'sync-directory' | 'remove' | 'read';

/** The code of a system error, `EUNKNOWN` for anything else. Never throws. */
export function systemCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

/** A refusal of the disk as it is thrown: `storage-failed`, retryable, with `operation` and the system's `code` as details. */
export function storageFailure(operation: LogOperation, cause: unknown): HopbackError {
  const code = systemCode(cause);
  return new HopbackError('storage-failed', `the disk refuses to ${PHRASES[operation]}: ${code}`, {
    retryable: true,
    cause,
    details: { operation, code },
  });
}

const PHRASES: Readonly<Record<LogOperation, string>> = {
  create: 'make a segment of the log',
  write: 'write to the log',
  sync: 'sync the log',
  'sync-directory': 'sync the directory of the log',
  remove: 'remove a segment of the log',
  read: 'read from the log',
};

/**
 * Does what may be refused.
 * @throws HopbackError `storage-failed` when it is
 */
export async function asked<Value>(operation: LogOperation, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    throw storageFailure(operation, error);
  }
}

/** A refusal as the state of a log tells it. Never throws. */
export function logErrorOf(
  error: unknown,
  clock: Clock,
): { readonly code: string; readonly operation: LogOperation; readonly atMs: number } {
  const { operation, code } = isHopbackError(error) ? error.details : {};
  return {
    code: typeof code === 'string' ? code : systemCode(error),
    operation: OPERATIONS.find((name) => name === operation) ?? 'write',
    atMs: timeOf(clock) ?? 0,
  };
}

const OPERATIONS = Object.keys(PHRASES) as LogOperation[];

/** Others have no business with call records. */
const FOLDER_MODE = 0o700;

/**
 * Makes a folder for its owner alone, and the folders above it. One that is there stays as it is.
 *
 * In place of `mkdir` with `recursive`, which tries for ever where a file system answers ENOENT below a folder that is there, as /proc does
 * (nodejs/node#28015).
 * @returns the first folder that was made; undefined where all were there
 * @throws the system's refusal, with its `code`
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await madeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
    const first = await makeFolder(parent);
    return (await madeOne(path)) === undefined ? first : (first ?? path);
  }
}

async function madeOne(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
    return path;
  } catch (error) {
    const found = systemCode(error) === 'ENOENT' ? undefined : await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return undefined;
    throw error;
  }
}

/** Others have no business with call records. */
const FILE_MODE = 0o600;

/** The files of this machine. */
export const NODE_LOG_FILES: LogFiles = {
  makeDirectory: async (directory) => {
    const made = await makeFolder(directory);
    if (made !== undefined) await syncUpwards(directory, dirname(made));
  },
  list: async (directory) => {
    const entries = await readdir(directory, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    return Promise.all(files.map(async (name) => ({ name, sizeBytes: (await stat(join(directory, name))).size })));
  },
  create: async (path) => {
    const { O_CREAT, O_EXCL, O_APPEND, O_RDWR } = constants;
    return logFile(await open(path, O_CREAT | O_EXCL | O_APPEND | O_RDWR, FILE_MODE));
  },
  // For fdatasync of what another process wrote a descriptor that may only read will do.
  open: async (path) => logFile(await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)),
  rename,
  unlink,
  truncate,
  syncDirectory,
};

function logFile(handle: FileHandle): LogFile {
  return {
    // Without a position: write and writev at the end of a file that was opened for appending.
    append: async (buffers) => (await handle.writev(buffers)).bytesWritten,
    datasync: () => handle.datasync(),
    read: async (buffer, position) => (await handle.read(buffer, 0, buffer.byteLength, position)).bytesRead,
    close: () => handle.close(),
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The names of directories made just now, from the lowest up to the one that was there. */
async function syncUpwards(directory: string, upTo: string): Promise<void> {
  for (let above = dirname(directory); above.length >= upTo.length; above = dirname(above)) {
    await syncDirectory(above);
    if (above === dirname(above)) return;
  }
}

/** Opens a file, and closes it whatever happens. */
export async function withFile<Value>(
  files: LogFiles,
  path: string,
  use: (file: LogFile) => Promise<Value>,
): Promise<Value> {
  const file = await files.open(path);
  try {
    return await use(file);
  } finally {
    await file.close().catch(() => undefined);
  }
}
