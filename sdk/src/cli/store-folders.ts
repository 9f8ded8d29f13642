import { createHash } from 'node:crypto';
import { join } from 'node:path';
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
