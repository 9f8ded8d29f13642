import { HopbackError } from '../errors.js';
import type { CliIo } from './io.js';
import { shownText } from './shown-text.js';

/** Tokens and keys are short; a file that is larger is another one. */
const MAX_SECRET_FILE_BYTES = 65_536;

/**
 * Reads a file with a secret in it: one line of text. No message repeats anything of it.
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `key-unusable` when every user of the machine can read it, or it is
 * empty or too large
 */
export async function secretFile(path: string, io: CliIo): Promise<string> {
  const shown = shownText(path);
  const mode = await io.files.mode(path);
  if (mode !== undefined && (mode & 0o007) !== 0)
    throw new HopbackError(
      'key-unusable',
      `${shown} is open to every user of this machine (mode ${mode.toString(8)}): chmod 600 ${shown}`,
    );
  const bytes = await io.files.read(path, MAX_SECRET_FILE_BYTES);
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString('utf8').trim();
  if (text !== '') return text;
  throw new HopbackError('key-unusable', `${shown} ${bytes === undefined ? 'is too large' : 'is empty'}`);
}
