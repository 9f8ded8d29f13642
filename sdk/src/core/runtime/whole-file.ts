import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** How a file is put in its place. */
export interface WholeFileOptions {
  /** Permissions, from which the umask takes; default 0o600, so that only the owner reads it. */
  readonly mode?: number;
  /** Fail with `EEXIST` where there is a file already; default: replace it. */
  readonly isNew?: boolean;
}

/**
 * Writes a file whole and on the disk, or not at all: under a temporary name beside it (the name, a UUID, `.tmp`), synced, renamed, and the folder
 * synced. Neither a reader nor a crash nor a loss of power meets half of it.
 * @throws node's own error when the disk refuses; nothing is left behind then
 */
export async function writeWholeFile(
  path: string,
  content: string | Uint8Array,
  { mode = 0o600, isNew = false }: WholeFileOptions = {},
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    // "wx" refuses what is already there, a planted link included.
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await (isNew ? link(temporary, path) : rename(temporary, path));
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

/**
 * Gives a file another name in the same file system.
 * @param options - `isSynced`: have that survive a loss of power (default). Otherwise the file may have its old name after one
 * @throws node's own error; where that is of the sync, the file has its new name already
 */
export async function moveFile(
  from: string,
  to: string,
  { isSynced = true }: { readonly isSynced?: boolean } = {},
): Promise<void> {
  await rename(from, to);
  if (isSynced) await syncFolder(dirname(to));
}

/** Makes what was created, renamed or removed in a folder survive a loss of power. @throws node's own error */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Whether the last line of a file has no end: a kill or a full disk has cut it off. */
export async function endsWithinLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(new Uint8Array(1), 0, 1, size - 1);
  return buffer[0] !== LINE_END;
}

const LINE_END = 0x0a;
