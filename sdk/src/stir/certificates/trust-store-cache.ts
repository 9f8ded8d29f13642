import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, unlink, writeFile } from 'node:fs/promises';
import { errorText } from './bounded-connection.js';
import { TRUST_STORE_RECORD_MAX_CHARS } from './trust-store-record.js';

/** Longest wait for the disk, milliseconds: a hanging network file system is then as good as none. */
export const TRUST_STORE_DISK_TIMEOUT_MS = 2_000;

/** What a cache file held. */
export type CacheFileRead =
  | { readonly status: 'read'; readonly text: string }
  | { readonly status: 'missing' }
  | { readonly status: 'unreadable'; readonly detail: string };

/** What came of writing it. */
export type CacheFileWrite =
  { readonly status: 'written' } | { readonly status: 'not-written'; readonly detail: string };

/** Reads a cache file. Follows no link and waits for no pipe. Never rejects. */
export function readCacheFile(path: string): Promise<CacheFileRead> {
  const failed = (error: unknown): CacheFileRead =>
    (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? { status: 'missing' }
      : { status: 'unreadable', detail: errorText(error) };
  return withinTime(readBounded(path).catch(failed), { status: 'unreadable', detail: 'the disk does not answer' });
}

/**
 * Writes a cache file under a temporary name beside it and renames it, so that a reader or a crash meets a whole file or none. Never
 * rejects.
 */
export function writeCacheFile(path: string, text: string): Promise<CacheFileWrite> {
  if (text.length > TRUST_STORE_RECORD_MAX_CHARS)
    return Promise.resolve({ status: 'not-written', detail: `${text.length} characters are more than are read back` });
  return withinTime(writeWhole(path, text), { status: 'not-written', detail: 'the disk does not answer' });
}

async function readBounded(path: string): Promise<CacheFileRead> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    if (size > TRUST_STORE_RECORD_MAX_CHARS) return { status: 'unreadable', detail: `${size} bytes` };
    // Bounded by what was there when it was looked at, should somebody go on writing.
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await file.read(buffer, 0, size, 0);
    return { status: 'read', text: buffer.toString('utf8', 0, bytesRead) };
  } finally {
    await file.close();
  }
}

async function writeWhole(path: string, text: string): Promise<CacheFileWrite> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    // "wx" refuses what is already there, a planted link included.
    await writeFile(temporary, text, { flag: 'wx', mode: 0o600 });
    await rename(temporary, path);
    return { status: 'written' };
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    return { status: 'not-written', detail: errorText(error) };
  }
}

function withinTime<Value>(promise: Promise<Value>, late: Value): Promise<Value> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(late), TRUST_STORE_DISK_TIMEOUT_MS);
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
