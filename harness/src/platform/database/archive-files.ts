import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, opendir, readdir, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import type { ArchivedFile } from './backup-manifest.js';

/** Characters that are gathered before they are written. */
const WRITTEN_AT_ONCE = 1_048_576;

/** A file of an archive that is being written. */
export interface ArchiveWriter {
  readonly write: (octets: Uint8Array | string) => Promise<void>;
  /** Synced to the disk. */
  readonly end: () => Promise<ArchivedFile>;
  /** After a failure: what was written stays, and is no archive. */
  readonly abandon: () => Promise<void>;
}

/** Begins a file of an archive, readable by its owner alone. */
export async function createArchiveFile(archive: string, path: string): Promise<ArchiveWriter> {
  const place = join(archive, path);
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const file: FileHandle = await open(place, 'wx', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  const flush = async (): Promise<void> => {
    const octets = Buffer.concat(gathered);
    [gathered, gatheredBytes] = [[], 0];
    hash.update(octets);
    bytes += octets.length;
    await file.writeFile(octets);
  };
  return {
    write: async (given) => {
      const octets = typeof given === 'string' ? Buffer.from(given, 'utf8') : given;
      gathered.push(octets);
      gatheredBytes += octets.length;
      if (gatheredBytes >= WRITTEN_AT_ONCE) await flush();
    },
    end: async () => {
      await flush();
      await file.sync();
      await file.close();
      return { path, bytes, sha256: hash.digest('hex') };
    },
    abandon: () => file.close().catch(() => undefined),
  };
}

/**
 * Copies a file into an archive. One that goes on being written to is copied as far as it went.
 * @returns undefined where there is none any more
 */
export async function archivedCopy(archive: string, from: string, path: string): Promise<ArchivedFile | undefined> {
  const file = await open(from).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  await using source = file;
  const writer = await createArchiveFile(archive, path);
  try {
    for await (const chunk of source.createReadStream({ autoClose: false }))
      await writer.write(Buffer.from(chunk as Uint8Array));
    return await writer.end();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** Files below a folder, by their paths in it with `/`: neither locks nor sockets; none where there is no folder. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  const entries = await opendir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for await (const entry of entries) {
    if (!entry.isFile() || entry.name === 'lock') continue;
    found.push(relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  }
  return found.sort();
}

/** SHA-256 of a file, and its length. */
export async function digestOf(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    const octets = Buffer.from(chunk as Uint8Array);
    hash.update(octets);
    bytes += octets.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** @throws HopbackError `invalid-argument` for a folder that holds something */
export async function requireEmpty(folder: string, what: string): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (names.length > 0) {
    throw new HopbackError('invalid-argument', `${what} ${folder} is not empty`, { details: { reason: 'not-empty' } });
  }
}

const LINE_FEED = 0x0a;

/** Lines of a file, without their line feeds: these alone end a line, since text may hold the separators of Unicode. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: WRITTEN_AT_ONCE })) {
    const octets = Buffer.from(chunk as Uint8Array);
    let from = 0;
    for (let end = octets.indexOf(LINE_FEED); end !== -1; end = octets.indexOf(LINE_FEED, from)) {
      parts.push(octets.subarray(from, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      from = end + 1;
    }
    if (from < octets.length) parts.push(octets.subarray(from));
  }
  if (parts.length > 0) yield Buffer.concat(parts).toString('utf8');
}
