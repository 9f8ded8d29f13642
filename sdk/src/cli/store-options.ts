import { openDuckDbRecordStore } from '../records/index.js';
import type { RecordStore } from '../records/index.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { UsageError } from './usage-error.js';

export type StoreOption = 'store';

/** Where the records are. */
export const STORE_OPTIONS: OptionSpecs<StoreOption> = {
  store: { value: 'DIR', env: 'HOPBACK_STORE', text: 'directory of the record store; made when it is not there' },
};

/** The directory of the store of a command that cannot do without. @throws {@link UsageError} when there is none */
export function storeDirectory(options: Options<StoreOption>): string {
  const directory = options.text('store');
  if (directory !== undefined) return directory;
  throw new UsageError('say which store: --store DIR, or HOPBACK_STORE');
}

/**
 * Opens the store.
 * @throws {@link UsageError} when none is named; {@link HopbackError} as {@link openDuckDbRecordStore}
 */
export async function openStore(options: Options<StoreOption>, io: CliIo): Promise<RecordStore> {
  return openDuckDbRecordStore({ directory: storeDirectory(options), clock: io.clock });
}
