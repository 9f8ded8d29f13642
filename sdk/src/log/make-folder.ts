import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './storage-failure.js';

/** Others have no business with call records. */
const FOLDER_MODE = 0o700;

/**
 * Makes a folder for its owner alone, and the folders above it. One that is there stays as it is.
 *
 * In place of `mkdir` with `recursive`, which tries for ever where a file system answers ENOENT below a folder that is there, as /proc does
 * (nodejs/node#28015).
 * @returns the first folder that was made; undefined where all were there
 * @throws the system's refusal, with its `code`
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await made(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
    const first = await makeFolder(parent);
    return (await made(path)) === undefined ? first : (first ?? path);
  }
}

async function made(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
    return path;
  } catch (error) {
    const found = systemCode(error) === 'ENOENT' ? undefined : await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return undefined;
    throw error;
  }
}
