import { dirname, resolve } from 'node:path';
import { parseBoundedJson } from '../../core/json-text.js';
import { HopbackError } from '../../errors.js';
import {
  MAX_CONFIGURATION_CHARS,
  problemText,
  readConfiguration,
  settingOfText,
} from '../../sidecar/config/read-configuration.js';
import type { ConfigurationProblem, Setting } from '../../sidecar/config/read-configuration.js';
import { optionSpecs, UsageError } from '../kit/command.js';
import type { OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';

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

/** Which configuration, and what stands in for parts of it. */
export const CONFIGURATION_OPTIONS = optionSpecs({
  'config <FILE> [HOPBACK_CONFIG]': 'configuration as YAML; default hopback.yaml',
  'set <PATH=VALUE...>': 'override a member of the file: --set listen.calls.port=8090',
});

/** Variable that opens an encrypted signing key: an option would show in the list of processes. */
export const passphraseOf = ({ env }: CliIo): string | undefined => env['HOPBACK_KEY_PASSPHRASE'];

/** @throws {@link UsageError} for what is no setting */
export const settingsOf = (options: OptionsOf<typeof CONFIGURATION_OPTIONS>): readonly Setting[] =>
  options.texts('set').map((text) => {
    const setting = settingOfText(text);
    if (setting === undefined) throw new UsageError(`--set ${text} is no PATH=VALUE`);
    return setting;
  });

/**
 * Reads the configuration that options name.
 * @param settings - that stand in for members; default those of `--set`
 * @throws {@link UsageError} for a setting that is none; {@link HopbackError} `storage-failed` when the file cannot be read
 */
export async function configurationOf(
  options: OptionsOf<typeof CONFIGURATION_OPTIONS>,
  io: CliIo,
  settings: readonly Setting[] = settingsOf(options),
) {
  const path = resolve(options.text('config') ?? 'hopback.yaml');
  const bytes = await io.files.read(path, MAX_CONFIGURATION_CHARS);
  if (bytes === undefined) throw new UsageError(`${path} is too large for a configuration`);
  const text = Buffer.from(bytes).toString('utf8');
  return { path, directory: dirname(path), read: readConfiguration({ text, environment: io.env, settings }) };
}

/** Problems as lines, each with its place. */
export const problemLines = (path: string, problems: readonly ConfigurationProblem[]): readonly string[] =>
  problems.map((problem) => problemText(path, problem));
