import { constants } from 'node:fs';
import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../core/runtime/clock.js';
import { attempt, valueWithin } from '../../core/runtime/deadline.js';
import { writeWholeFile } from '../../core/runtime/whole-file.js';
import { errorText } from './bounded-fetch.js';
import { readEnvelope, sha256Hex } from './certificate-cache.js';
import type { CachedChainEnvelope } from './repository.js';
import { siteOfUrl } from './site-shares.js';

/** What a cache file held. */
export type CacheFileRead =
  | { readonly status: 'read'; readonly text: string }
  | { readonly status: 'missing' }
  /** Longer than what is ever written. */
  | { readonly status: 'too-long'; readonly sizeBytes: number }
  | { readonly status: 'unreadable'; readonly detail: string };

const NO_ANSWER = 'the disk does not answer';

/** Reads a cache file as UTF-8. Follows no link, waits for no pipe, and for the disk no longer than `timeoutMs`. Never rejects. */
export function readCacheFile(
  path: string,
  { maxBytes, timeoutMs }: { readonly maxBytes: number; readonly timeoutMs: number },
): Promise<CacheFileRead> {
  const late = { status: 'unreadable', detail: NO_ANSWER } as const;
  return valueWithin(readBounded(path, maxBytes), { timeoutMs, late });
}

/** Writes a cache file whole and to the disk. Never rejects. @returns why it was not written; undefined when it was */
export function writeCacheFile(path: string, text: string, timeoutMs: number): Promise<string | undefined> {
  const written = writeWholeFile(path, text).then(() => undefined, errorText);
  return valueWithin(written, { timeoutMs, late: NO_ANSWER });
}

async function readBounded(path: string, maxBytes: number): Promise<CacheFileRead> {
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

/**
 * Most files in a cache directory; at about 5 KB each some 40 MB. A tenth goes when there are more: the oldest of the sites with
 * the most, so that a flood from one site leaves the files of the others.
 */
const MAX_DISK_CACHE_FILES = 8_192;

/** Most bytes of one file: an envelope with the longest body, URL and validators. Longer ones are not read. */
const MAX_DISK_CACHE_FILE_BYTES = 65_536;

/** Longest wait for the disk in a lookup, milliseconds: a hanging network file system is then as good as a missing file. */
const DISK_READ_TIMEOUT_MS = 250;

/** Writes that wait for the disk; further ones are dropped and counted, since every file can be fetched again. */
const MAX_PENDING_DISK_WRITES = 256;

/** Longest wait for pending writes, milliseconds: what is lost can be fetched again. */
const DISK_SETTLE_TIMEOUT_MS = 2_000;

/** Age of a temporary file that its writer has left behind, milliseconds. */
const ABANDONED_AFTER_MS = 3_600_000;

/** How a disk cache has fared that did nothing. */
export const NO_DISK_COUNTS = {
  diskLoads: 0,
  diskCorrupted: 0,
  diskReadFailures: 0,
  diskWrites: 0,
  diskWriteFailures: 0,
};

/**
 * Makes the disk side of a certificate repository: a directory, made when missing, for this user only, that several processes may share.
 * A reader or a crash meets a whole file or none; damaged files are ignored and counted.
 */
export function createDiskCache({
  directory,
  clock,
  maxFiles = MAX_DISK_CACHE_FILES,
}: {
  readonly directory: string;
  readonly clock: Clock;
  readonly maxFiles?: number;
}) {
  const counts = { ...NO_DISK_COUNTS };
  let names: Set<string> | undefined;
  let pending = 0;
  let tail: Promise<void> = Promise.resolve();

  /** The envelope of a file, if the file is the one of its URL. */
  const read = async (name: string): Promise<CachedChainEnvelope | undefined> => {
    const limits = { maxBytes: MAX_DISK_CACHE_FILE_BYTES, timeoutMs: DISK_READ_TIMEOUT_MS };
    const file = await readCacheFile(join(directory, name), limits);
    if (file.status === 'missing') return undefined;
    if (file.status === 'unreadable') {
      counts.diskReadFailures += 1;
      return undefined;
    }
    const envelope = file.status === 'read' ? attempt(() => readEnvelope(JSON.parse(file.text))) : undefined;
    const isOfName = envelope !== undefined && fileNameOf(envelope.url) === name;
    counts[isOfName ? 'diskLoads' : 'diskCorrupted'] += 1;
    return isOfName ? envelope : undefined;
  };

  const write = async (envelope: CachedChainEnvelope): Promise<void> => {
    const name = fileNameOf(envelope.url);
    try {
      names ??= await openDirectory(directory, clock.nowMs());
      await writeWholeFile(join(directory, name), JSON.stringify(envelope));
      names.add(name);
      counts.diskWrites += 1;
      if (names.size > maxFiles) await makeRoom(directory, names, maxFiles);
    } catch {
      counts.diskWriteFailures += 1;
      // Look at the directory anew next time: it may have been removed.
      names = undefined;
    }
  };

  return {
    load: (url: string): Promise<CachedChainEnvelope | undefined> => read(fileNameOf(url)),
    /** Every file of the cache, one at a time; `undefined` for one that is not usable. */
    loadAll: async function* (): AsyncGenerator<CachedChainEnvelope | undefined> {
      const found = await readdir(directory).catch(() => []);
      for (const name of found.filter((candidate) => FILE_NAME.test(candidate)).sort()) yield await read(name);
    },
    /** Writes in the background. */
    store: (envelope: CachedChainEnvelope): void => {
      if (pending >= MAX_PENDING_DISK_WRITES) {
        counts.diskWriteFailures += 1;
        return;
      }
      pending += 1;
      tail = tail.then(() => write(envelope)).finally(() => (pending -= 1));
    },
    /** Counts since it was made. */
    counts: counts as Readonly<typeof counts>,
    /** Resolves when what was to be written is written, or after {@link DISK_SETTLE_TIMEOUT_MS}. */
    settled: (): Promise<void> => valueWithin(tail, { timeoutMs: DISK_SETTLE_TIMEOUT_MS, late: undefined }),
  };
}

/** Name of the file of a URL. Begins with a digest of its site, by which files are shared out without being opened. */
export function fileNameOf(url: string): string {
  return `${sha256Hex(siteOfUrl(url)).slice(0, SITE_DIGEST_LENGTH)}-${sha256Hex(url)}.json`;
}

/** Hexadecimal digits that tell sites apart; two that fall together only share a part. */
const SITE_DIGEST_LENGTH = 16;

const FILE_NAME = /^[0-9a-f]{16}-[0-9a-f]{64}\.json$/;
const TEMPORARY_NAME = /^[0-9a-f]{16}-[0-9a-f]{64}\.json\.[0-9a-f-]{36}\.tmp$/;

/** Makes the directory, clears what crashed writers left, and lists the files of the cache. */
async function openDirectory(directory: string, nowMs: number): Promise<Set<string>> {
  await makeDirectory(directory);
  const names = new Set<string>();
  for (const name of await readdir(directory)) {
    if (FILE_NAME.test(name)) names.add(name);
    else if (TEMPORARY_NAME.test(name)) await removeAbandoned(join(directory, name), nowMs);
  }
  return names;
}

/**
 * Makes a directory and those above it. Not by the `recursive` option, which never returns where a parent exists and yet
 * takes no child (below /proc). That something is there already shows when it is listed.
 */
async function makeDirectory(path: string): Promise<void> {
  const make = (): Promise<unknown> => mkdir(path, { mode: 0o700 });
  const code = await make().then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  if (code !== 'ENOENT' || dirname(path) === path) return;
  await makeDirectory(dirname(path));
  await make();
}

async function removeAbandoned(path: string, nowMs: number): Promise<void> {
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
  if (nowMs - mtimeMs > ABANDONED_AFTER_MS) await unlink(path).catch(() => undefined);
}

interface AgedFile {
  readonly name: string;
  readonly mtimeMs: number;
}

/** Removes files until a tenth of the room is free, so that this is not done at every write. */
async function makeRoom(directory: string, names: Set<string>, maxFiles: number): Promise<void> {
  const files: AgedFile[] = [];
  for (const name of names) {
    const { mtimeMs } = await stat(join(directory, name)).catch(() => ({ mtimeMs: 0 }));
    files.push({ name, mtimeMs });
  }
  for (const { name } of inOrderOfRemoval(files).slice(0, names.size - Math.floor(maxFiles * 0.9))) {
    await unlink(join(directory, name)).catch(() => undefined);
    names.delete(name);
  }
}

/** The file with the most newer ones of its own site first; of several, the oldest. */
function inOrderOfRemoval(files: readonly AgedFile[]): readonly AgedFile[] {
  const newerOfSite = new Map<string, number>();
  const ranked = files
    .toSorted((left, right) => right.mtimeMs - left.mtimeMs)
    .map((file) => {
      const site = file.name.slice(0, SITE_DIGEST_LENGTH);
      const newer = newerOfSite.get(site) ?? 0;
      newerOfSite.set(site, newer + 1);
      return { file, newer };
    });
  return ranked
    .toSorted((left, right) => right.newer - left.newer || left.file.mtimeMs - right.file.mtimeMs)
    .map(({ file }) => file);
}
