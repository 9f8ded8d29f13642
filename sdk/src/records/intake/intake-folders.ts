import { createHash } from 'node:crypto';
import { join } from 'node:path';

// Beside its records a store directory has what is kept of its sources: `follow/` how far files were read, `rejects/` rows that could not
// be read, `spool/` what waits for the platform.

/** Names that are safe on every file system as they are, also where case makes no difference. */
const SAFE_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const SHOWN_CHARS = 32;
const HASH_DIGITS = 16;

/**
 * The name of a source as part of a file name: itself where that is safe everywhere, else what is safe of it, and a hash that tells it
 * from all others.
 * @param sourceId - name of the source, any text
 * @returns 64 characters at most, of `a` to `z`, digits, `_`, `-` and, before a hash, `~`; never throws
 * @see {@link rejectsFile}
 * @example
 * ```ts
 * console.log(sourceFileName('pbx-1')); // pbx-1
 * console.log(sourceFileName('PBX 1').slice(0, 6)); // pbx_1~
 * ```
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

/** Where records wait for the platform, unless another folder is named. */
export function spoolFolder(store: string): string {
  return join(store, 'spool');
}

/**
 * Where the rejected rows of all sources of a store are.
 * @param store - directory of the store
 * @returns its path; never throws
 * @see {@link rejectsFile}
 * @example
 * ```ts
 * console.log(rejectsFolder('/var/lib/hopback')); // /var/lib/hopback/rejects
 * ```
 */
export function rejectsFolder(store: string): string {
  return join(store, 'rejects');
}

/**
 * The reject file of a source. An import has its own: it may run beside whoever takes the source in.
 * @param store - directory of the store
 * @param sourceId - name of the source
 * @param by - `tail` for what takes a source in as it comes, `import` for a run over files
 * @returns its path, for {@link openRejectFile} and {@link readRejects}; never throws
 * @see {@link openRecordIntake}
 * @example
 * ```ts
 * console.log(rejectsFile('/var/lib/hopback', 'pbx-1', 'tail')); // /var/lib/hopback/rejects/pbx-1.ndjson
 * ```
 */
export function rejectsFile(store: string, sourceId: string, by: 'tail' | 'import'): string {
  return join(rejectsFolder(store), `${sourceFileName(sourceId)}${by === 'import' ? '.import' : ''}.ndjson`);
}
