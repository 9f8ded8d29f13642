import { watch } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';

/** What tells one state of a file from another. */
export interface FileFacts {
  /** Device and inode: the same file under whatever name, until it is deleted and the inode is given to another. */
  readonly key: string;
  readonly sizeBytes: number;
  /** When its content was changed last: milliseconds since the epoch, and in full as digits of nanoseconds. */
  readonly mtimeMs: number;
  readonly mtimeNs: string;
  readonly kind: 'file' | 'directory' | 'other';
}

/** Something that is read from any place. */
export interface ReadableFile {
  readonly read: (
    octets: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ readonly bytesRead: number }>;
}

/** A file that is open, and stays readable when it is renamed or deleted. */
export interface FollowedFile extends ReadableFile {
  readonly facts: () => Promise<FileFacts>;
  readonly close: () => Promise<void>;
}

/** What following asks of a file system; tests have one in which things happen between any two of these calls. */
export interface FollowedFiles {
  /** Names in a directory; none where there is no directory. */
  readonly names: (directory: string) => Promise<readonly string[]>;
  /** Undefined where there is no such file, or it may not be looked at. */
  readonly facts: (path: string) => Promise<FileFacts | undefined>;
  readonly open: (path: string) => Promise<FollowedFile | undefined>;
  /** Calls when something may have changed in a directory, or never: a hint that saves waiting and cannot be relied on. */
  readonly watch?: (directory: string, changed: () => void) => () => void;
}

/** The file system of this machine. */
export const nodeFollowedFiles: FollowedFiles = {
  names: (directory) => readdir(directory).catch(absent([])),
  facts: (path) => stat(path, { bigint: true }).then(factsOf).catch(absent(undefined)),
  open: async (path) => {
    const file = await open(path, 'r').catch(absent(undefined));
    return file === undefined
      ? undefined
      : {
          read: (octets, offset, length, position) => file.read(octets, offset, length, position),
          facts: async () => factsOf(await file.stat({ bigint: true })),
          close: () => file.close(),
        };
  },
  watch: watchDirectory,
};

function factsOf(stats: BigIntStats): FileFacts {
  return {
    key: `${stats.dev}:${stats.ino}`,
    sizeBytes: Number(stats.size),
    mtimeMs: Number(stats.mtimeNs / 1_000_000n),
    mtimeNs: String(stats.mtimeNs),
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
  };
}

/** Between a listing and a look a rotation takes files away; what may not be read today may tomorrow. */
const ABSENT_CODES: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESTALE', 'ELOOP']);

function absent<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (ABSENT_CODES.has(error.code)) return value;
    throw error;
  };
}

function watchDirectory(directory: string, changed: () => void): () => void {
  try {
    const watcher = watch(directory, { persistent: false }, changed);
    // No inotify on this file system, or no more watches for this user: the timer does it alone.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}
