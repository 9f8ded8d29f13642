import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { writeWholeFile } from '@hopback/sdk/internal';

/**
 * Reads a file that its owner alone may read.
 * @returns undefined where there is none
 * @throws HopbackError `key-unusable` where others may read it; `storage-failed`
 */
export async function readSecretFile(path: string): Promise<Buffer | undefined> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0)
      throw new HopbackError('key-unusable', `others may read ${path}: make it 0600, and think of who did`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new HopbackError('storage-failed', `${path} cannot be read`, { cause });
  }
}

/**
 * Writes such a file: whole and on the disk, or not at all.
 * @param how - `new` writes none where there is one
 * @returns false where there is one already, and it was to be new
 * @throws HopbackError `storage-failed`
 */
export async function writeSecretFile(
  path: string,
  content: string | Uint8Array,
  how: 'new' | 'replace',
): Promise<boolean> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWholeFile(path, content, { isNew: how === 'new' });
    return true;
  } catch (cause) {
    if (how === 'new' && (cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new HopbackError('storage-failed', `${path} cannot be written`, { cause });
  }
}

/**
 * A secret of a file; where there is none one is made, by one of several processes that begin at once.
 * @throws HopbackError as {@link readSecretFile}, {@link writeSecretFile}
 */
export async function keptSecret(path: string, make: () => string | Uint8Array): Promise<Buffer> {
  const there = await readSecretFile(path);
  if (there !== undefined) return there;
  const content = make();
  // Of two that make one at once, one wins, and the other reads what that wrote.
  if (await writeSecretFile(path, content, 'new')) return Buffer.from(content);
  const won = await readSecretFile(path);
  if (won === undefined) throw new HopbackError('storage-failed', `${path} is gone again`);
  return won;
}
