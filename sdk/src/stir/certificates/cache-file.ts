import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorText } from './bounded-connection.js';

/** What a cache file held. */
export type CacheFileRead =
  | { readonly status: 'read'; readonly text: string }
  | { readonly status: 'missing' }
  /** Longer than what is ever written. */
  | { readonly status: 'too-long'; readonly sizeBytes: number }
  | { readonly status: 'unreadable'; readonly detail: string };

/**
 * Reads a cache file as UTF-8. Follows no link and waits for no pipe. Never rejects.
 * @param path - of the file
 * @param maxBytes - longest file that is read
 */
export async function readCacheFile(path: string, maxBytes: number): Promise<CacheFileRead> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { size } = await file.stat();
      if (size > maxBytes) return { status: 'too-long', sizeBytes: size };
      // Bounded by what was there when it was looked at, should somebody go on writing.
      const buffer = Buffer.alloc(size);
      const { bytesRead } = await file.read(buffer, 0, size, 0);
      return { status: 'read', text: buffer.toString('utf8', 0, bytesRead) };
    } finally {
      await file.close();
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? { status: 'missing' }
      : { status: 'unreadable', detail: errorText(error) };
  }
}
