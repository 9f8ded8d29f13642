import { basename, dirname } from 'node:path';
import type { LogFiles } from '../../sdk/src/log/index.js';

/**
 * Several folders on one simulated disk, which knows one: the name of the folder stands before that of the file. A sync of one folder makes
 * the names of all durable.
 */
export function simulatedFolders(files: LogFiles): LogFiles {
  const flat = (path: string): string => prefixOf(dirname(path)) + basename(path);
  return {
    makeDirectory: (directory) => files.makeDirectory(directory),
    list: async (directory) => {
      const prefix = prefixOf(directory);
      const all = await files.list(directory);
      return all.flatMap(({ name, sizeBytes }) =>
        name.startsWith(prefix) ? [{ name: name.slice(prefix.length), sizeBytes }] : [],
      );
    },
    create: (path) => files.create(flat(path)),
    open: (path) => files.open(flat(path)),
    rename: (from, to) => files.rename(flat(from), flat(to)),
    unlink: (path) => files.unlink(flat(path)),
    truncate: (path, sizeBytes) => files.truncate(flat(path), sizeBytes),
    syncDirectory: (directory) => files.syncDirectory(directory),
  };
}

/** No name of a file has such a character. */
const prefixOf = (directory: string): string => `${directory.replaceAll('/', '|')}|`;
