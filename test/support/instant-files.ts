import type { FollowedFile, FollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';
import { nodeFollowedFiles } from '../../sdk/src/records/ingest/readable-files.js';

/**
 * The file system of this machine, in which something happens before each call.
 * @param happens - may change files, and may throw: then the process that looked is dead
 */
export function filesWith(happens: () => void): FollowedFiles {
  const opened = (file: FollowedFile): FollowedFile => ({
    read: async (octets, offset, length, position) => {
      happens();
      return file.read(octets, offset, length, position);
    },
    facts: async () => {
      happens();
      return file.facts();
    },
    close: file.close,
  });
  return {
    names: async (directory) => {
      happens();
      return nodeFollowedFiles.names(directory);
    },
    facts: async (path) => {
      happens();
      return nodeFollowedFiles.facts(path);
    },
    open: async (path) => {
      happens();
      const file = await nodeFollowedFiles.open(path);
      return file === undefined ? undefined : opened(file);
    },
  };
}
