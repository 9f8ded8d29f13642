import { HopbackError } from '../../errors.js';
import { readTextFile } from '../services/files.js';

/**
 * Reads a JSON file that a configuration names.
 * @param path - absolute
 * @throws {@link HopbackError} `storage-failed` when it cannot be read, `invalid-configuration` when it is no JSON
 */
export async function readJsonFile(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    // Not what stands there, which may be a key in the wrong file.
    throw new HopbackError('invalid-configuration', `${path} is no JSON`, { cause });
  }
}
