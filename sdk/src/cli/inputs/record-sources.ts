import { RecordFormat } from '../../contract/call-record.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import { createSourceReader, SharedRecordStore, readSourceConfiguration } from '../../records/index.js';
import { createSourceHepReader } from '../../records/ingest/source-configuration.js';
import type { FileSourceConfiguration, SourceConfiguration } from '../../records/index.js';
import { optionSpecs, UsageError } from '../kit/command.js';
import type { OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { jsonFile } from './key-files.js';

/** Whose rows they are, and how they are to be read. */
export const ROWS_OPTIONS = optionSpecs({
  'source <FILE>':
    'JSON file that declares the source: id, format, time zone, and the members that its format requires',
  'id <ID>': 'without a file: name of the switch, part of every record id',
  'format <FORMAT>': {
    choices: RecordFormat.exclude(['columns', 'kamailio-acc', 'hep']).options,
    text: 'without a file: format of the rows; columns, kamailio-acc and hep need a file',
  },
  'zone <ZONE>': 'without a file: utc, or the IANA name of the time zone the switch writes in',
});

/** The same, of commands that store them. */
export const SOURCE_OPTIONS = optionSpecs({
  ...ROWS_OPTIONS,
  'keep-raw': 'keep the bytes of the rows with the records',
});

/**
 * The one source of a command.
 * @throws {@link UsageError} when none is named; {@link HopbackError} `invalid-configuration` when it cannot be
 */
async function sourceOf(options: OptionsOf<typeof ROWS_OPTIONS>, io: CliIo): Promise<SourceConfiguration> {
  const file = options.text('source');
  const [id, format, zone] = (['id', 'format', 'zone'] as const).map((name) => options.text(name));
  if (file !== undefined && (id ?? format ?? zone) !== undefined)
    throw new UsageError('--source declares all of it: leave out --id, --format and --zone');
  if (file === undefined && (id === undefined || format === undefined || zone === undefined))
    throw new UsageError('say whose rows they are: --source FILE, or --id, --format and --zone');
  return file === undefined
    ? checkedSource(readSourceConfiguration({ id, format, time: { zone } }), 'the source')
    : sourceFile(file, io);
}

/** As {@link sourceOf}, of a command that reads files. */
export async function fileSourceOf(
  options: OptionsOf<typeof ROWS_OPTIONS>,
  io: CliIo,
): Promise<FileSourceConfiguration> {
  const source = await sourceOf(options, io);
  if (source.format !== 'hep') return source;
  throw new UsageError(
    `the source ${source.id} is captured signalling, which comes over the network, not from a file`,
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

/** The directory of the store of a command that cannot do without. @throws {@link UsageError} when there is none */
export function storeDirectory(options: OptionsOf<typeof STORE_OPTIONS>): string {
  return options.needed('store', 'say which store: --store DIR, or HOPBACK_STORE');
}

/** Options of every command that works on a record store. */
export const STORE_OPTIONS = optionSpecs({
  'store <DIR> [HOPBACK_STORE]':
    'folder of the record store; if another process of the same user has it open, that process answers',
});

/** Note of every command that looks into a store. */
export const STORE_NOTE: string =
  'Another process of the same user, such as hopback records tail, may have the store open: that process then ' +
  'answers, over a socket in the folder.';

/** What DuckDB may take beside a look-up, MB: it needs no more. */
const LOOK_UP_MEMORY_MB = 256;

/** File that every store has. */
const STATE_FILE = 'state.duckdb';

/**
 * Opens the store that is named, or makes it where there is none yet: for commands that put records into it.
 * @throws {@link UsageError} when none is named; {@link HopbackError} as `SharedRecordStore.open`
 */
export async function openStore(options: OptionsOf<typeof STORE_OPTIONS>, io: CliIo): Promise<SharedRecordStore> {
  io.keepPrivate();
  return SharedRecordStore.open({ directory: storeDirectory(options), clock: io.clock });
}

/**
 * Opens the store that is named and has to be there: a folder that was mistyped is not answered with "not found".
 * @throws {@link UsageError} when none is named; {@link HopbackError} `storage-failed` when there is no store
 */
export async function openExistingStore(
  options: OptionsOf<typeof STORE_OPTIONS>,
  io: CliIo,
): Promise<SharedRecordStore> {
  const directory = storeDirectory(options);
  const names = await io.files.list(directory);
  if (names?.includes(STATE_FILE) !== true)
    throw new HopbackError('storage-failed', `${shownText(directory)} is no record store`);
  io.keepPrivate();
  return SharedRecordStore.open({ directory, clock: io.clock, memoryLimitMb: LOOK_UP_MEMORY_MB });
}
