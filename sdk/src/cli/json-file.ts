import { parseBoundedJson } from '../core/json-text.js';
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
  // Some editors begin a file with a byte order mark. @see RFC 8259 section 8.1
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new HopbackError('invalid-configuration', `${shown} is no JSON${placeOf(text)}`, { cause });
  }
}

/** Where it breaks off being JSON; not what stands there, which may be a key in the wrong file. The message of the platform has the place of some faults only. */
function placeOf(text: string): string {
  const reading = parseBoundedJson(text, { maxChars: text.length, maxDepth: 64, maxEntries: text.length });
  if (reading.status === 'parsed' || reading.reason !== 'json-malformed') return '';
  const before = text.slice(0, reading.offset).split('\n');
  return ` (line ${String(before.length)}, column ${String((before.at(-1)?.length ?? 0) + 1)})`;
}
