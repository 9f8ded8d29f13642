import { join } from 'node:path';
import type { RepositoryStats } from '../stir/index.js';
import { HopbackError } from '../errors.js';
import type { CliIo } from './io.js';
import type { Options } from './options.js';
import { countText } from './output.js';
import { UsageError } from './usage-error.js';

/** Most bytes of one file of a cache, with room beside the largest that is written. */
const MAX_CACHE_FILE_BYTES = 65_536;

/** The cache directory of a command that cannot do without. @throws {@link UsageError} when there is none */
export function cacheDirectory(options: Options<'cache'>): string {
  const directory = options.text('cache');
  if (directory !== undefined) return directory;
  throw new UsageError('say which cache: --cache DIR, or HOPBACK_CACHE');
}

/**
 * Everything in a cache directory that is JSON, unchecked: to be counted. What is usable of it, `restore` of a repository says.
 * @throws {@link HopbackError} `storage-failed` when there is no such directory
 */
export async function cachedEnvelopes(directory: string, io: CliIo): Promise<readonly unknown[]> {
  const names = await io.files.list(directory);
  if (names === undefined) throw new HopbackError('storage-failed', `${directory} does not exist`);
  const envelopes: unknown[] = [];
  // One after the other: thousands of open files at once would be more than the machine permits.
  for (const name of names.filter((candidate) => candidate.endsWith('.json'))) {
    const body = await io.files.read(join(directory, name), MAX_CACHE_FILE_BYTES).catch(() => undefined);
    const envelope = body === undefined ? undefined : parsed(body);
    if (envelope !== undefined) envelopes.push(envelope);
  }
  return envelopes;
}

/** @throws {@link HopbackError} `storage-failed` when there is no such directory */
export async function requireDirectory(directory: string, io: CliIo): Promise<void> {
  if ((await io.files.list(directory)) === undefined)
    throw new HopbackError('storage-failed', `${directory} does not exist`);
}

/**
 * A directory that is not there yet is made with its first entry; one that cannot be one is no cache.
 * @throws {@link HopbackError} `storage-failed` when it cannot be listed, such as a file
 */
export async function requireUsable(directory: string, io: CliIo): Promise<void> {
  await io.files.list(directory);
}

/** What was fetched or imported must have reached the disk. @throws {@link HopbackError} `storage-failed` when it did not */
export function requireStored({ diskWriteFailures }: RepositoryStats): void {
  if (diskWriteFailures === 0) return;
  const failed = countText(diskWriteFailures, 'certificate chain');
  throw new HopbackError('storage-failed', `${failed} could not be written to the cache`);
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}
