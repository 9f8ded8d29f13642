import type { Options } from './options.js';
import { UsageError } from './usage-error.js';

export { rejectsFile, rejectsFolder, sourceFileName } from '../records/index.js';

/** The directory of the store of a command that cannot do without. @throws {@link UsageError} when there is none */
export function storeDirectory(options: Options<'store'>): string {
  const directory = options.text('store');
  if (directory !== undefined) return directory;
  throw new UsageError('say which store: --store DIR, or HOPBACK_STORE');
}
