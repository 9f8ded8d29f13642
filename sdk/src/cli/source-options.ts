import { createSourceHepReader, createSourceReader, readSourceConfiguration } from '../records/index.js';
import type { FileSourceConfiguration, SourceConfiguration } from '../records/index.js';
import { HopbackError, isHopbackError } from '../errors.js';
import { jsonFile } from './json-file.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

export type SourceOption = 'source' | 'id' | 'format' | 'zone' | 'keep-raw';

/** Whose rows they are, and how they are to be read. */
export const SOURCE_OPTIONS: OptionSpecs<SourceOption> = {
  source: {
    value: 'FILE',
    text: 'JSON file that declares the source: id, format, time zone, and what its format needs',
  },
  id: { value: 'ID', text: 'without a file: name of the switch, part of every record id' },
  format: {
    value: 'FORMAT',
    choices: [
      'asterisk-cdr',
      'asterisk-cel',
      'freeswitch-csv',
      'freeswitch-json',
      'oracle-sbc',
      'ribbon-act',
      'broadworks',
      'hopback',
    ],
    text: 'without a file: format of the rows; columns, kamailio-acc and hep need a file',
  },
  zone: { value: 'ZONE', text: 'without a file: utc, or the IANA name of the time zone the switch writes in' },
  'keep-raw': { text: 'keep the bytes of the rows with the records' },
};

/**
 * The one source of a command.
 * @throws {@link UsageError} when none is named; {@link HopbackError} `invalid-configuration` when it cannot be
 */
export async function sourceOf(options: Options<SourceOption>, io: CliIo): Promise<SourceConfiguration> {
  const file = options.text('source');
  const [id, format, zone] = (['id', 'format', 'zone'] as const).map((name) => options.text(name));
  if (file !== undefined && (id ?? format ?? zone) !== undefined)
    throw new UsageError('--source declares all of it: leave out --id, --format and --zone');
  if (file === undefined && (id === undefined || format === undefined || zone === undefined))
    throw new UsageError('say whose rows they are: --source FILE, or --id, --format and --zone');
  const read =
    file === undefined
      ? checkedSource(readSourceConfiguration({ id, format, time: { zone } }), 'the source')
      : await sourceFile(file, io);
  return options.isOn('keep-raw') ? { ...read, keepRaw: true } : read;
}

/** As {@link sourceOf}, of a command that reads files. */
export async function fileSourceOf(options: Options<SourceOption>, io: CliIo): Promise<FileSourceConfiguration> {
  const source = await sourceOf(options, io);
  if (source.format !== 'hep') return source;
  throw new UsageError(
    `the source ${source.id} is captured signalling, which comes over the network and is in no file`,
    ['hopback records tail listens for it'],
  );
}

/** Sources by the files that declare them. @throws {@link UsageError} when two have the same id */
export async function sourceFiles(paths: readonly string[], io: CliIo): Promise<readonly SourceConfiguration[]> {
  const sources: SourceConfiguration[] = [];
  for (const path of paths) {
    const source = await sourceFile(path, io);
    if (sources.some(({ id }) => id === source.id)) throw new UsageError(`two sources have the id ${source.id}`);
    sources.push(source);
  }
  return sources;
}

async function sourceFile(path: string, io: CliIo): Promise<SourceConfiguration> {
  const at = shownText(path);
  return checkedSource(readSourceConfiguration(await jsonFile(path, io), { at }), at);
}

/** Zone, columns and layout are looked at by the readers: before anything is opened. */
function checkedSource(source: SourceConfiguration, at: string): SourceConfiguration {
  try {
    if (source.format === 'hep') createSourceHepReader(source);
    else createSourceReader(source);
    return source;
  } catch (cause) {
    if (!isHopbackError(cause)) throw cause;
    throw new HopbackError(cause.code, `${at}: ${cause.message}`, { cause, details: cause.details });
  }
}
