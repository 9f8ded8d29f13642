import { HopbackError } from '../errors.js';
import type { CliIo } from './io.js';
import { shownText } from './shown-text.js';

/** A column map has some KB; a table of providers may have some hundred. */
const MAX_JSON_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Reads a configuration out of a JSON file.
 * @throws {@link HopbackError} `storage-failed` when it cannot be read; `invalid-configuration` when it is too large or no JSON
 */
export async function jsonFile(path: string, io: CliIo): Promise<unknown> {
  const bytes = await io.files.read(path, MAX_JSON_FILE_BYTES);
  const shown = shownText(path);
  if (bytes === undefined)
    throw new HopbackError('invalid-configuration', `${shown} has more than ${String(MAX_JSON_FILE_BYTES)} bytes`);
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown;
  } catch (cause) {
    throw new HopbackError('invalid-configuration', `${shown} is no JSON${positionOf(cause)}`, { cause });
  }
}

/** Where it breaks off being JSON; not what stands there, which may be a key in the wrong file. */
function positionOf(cause: unknown): string {
  const [, position] = (cause instanceof Error ? /position (\d{1,9})/.exec(cause.message) : null) ?? [];
  return position === undefined ? '' : ` (at character ${position})`;
}
