import { HopbackError } from '../errors.js';
import { openSharedRecordStore } from '../records/index.js';
import type { SharedRecordStore } from '../records/index.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { shownText } from './shown-text.js';
import { storeDirectory } from './store-folders.js';

/** Names of {@link STORE_OPTIONS}. */
export type StoreOption = 'store';

/** Options of every command that works on a record store. */
export const STORE_OPTIONS: OptionSpecs<StoreOption> = {
  store: {
    value: 'DIR',
    env: 'HOPBACK_STORE',
    text: 'folder of the record store; where another process of the same user has it open, that process is asked',
  },
};

/** Note of every command that looks into a store. */
export const STORE_NOTE: string =
  'The store may be open in another process of the same user at the same time, such as hopback records tail: then it is asked over a ' +
  'socket in the folder.';

/** What DuckDB may take beside a look-up, MB: it needs no more. */
const LOOK_UP_MEMORY_MB = 256;

/** File that every store has. */
const STATE_FILE = 'state.duckdb';

/**
 * Opens the store that is named, or makes it where there is none yet: for commands that put records into it.
 * @throws {@link UsageError} when none is named; {@link HopbackError} as `openSharedRecordStore`
 */
export async function openStore(options: Options<StoreOption>, io: CliIo): Promise<SharedRecordStore> {
  io.keepPrivate();
  return openSharedRecordStore({ directory: storeDirectory(options), clock: io.clock });
}

/**
 * Opens the store that is named and has to be there: a folder that was mistyped is not answered with "not found".
 * @throws {@link UsageError} when none is named; {@link HopbackError} `storage-failed` when there is no store
 */
export async function openExistingStore(options: Options<StoreOption>, io: CliIo): Promise<SharedRecordStore> {
  const directory = storeDirectory(options);
  const names = await io.files.list(directory);
  if (names?.includes(STATE_FILE) !== true)
    throw new HopbackError('storage-failed', `${shownText(directory)} is no record store`);
  io.keepPrivate();
  return openSharedRecordStore({ directory, clock: io.clock, memoryLimitMb: LOOK_UP_MEMORY_MB });
}
