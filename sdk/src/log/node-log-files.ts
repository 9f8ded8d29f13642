import { constants } from 'node:fs';
import { open, readdir, rename, stat, truncate, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from './make-folder.js';
import type { LogFile, LogFiles } from './log-files.js';

/** Others have no business with call records. */
const FILE_MODE = 0o600;

/** The files of this machine. */
export const NODE_LOG_FILES: LogFiles = {
  makeDirectory: async (directory) => {
    const made = await makeFolder(directory);
    if (made !== undefined) await syncUpwards(directory, dirname(made));
  },
  list: async (directory) => {
    const entries = await readdir(directory, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    return Promise.all(files.map(async (name) => ({ name, sizeBytes: (await stat(join(directory, name))).size })));
  },
  create: async (path) => {
    const { O_CREAT, O_EXCL, O_APPEND, O_RDWR } = constants;
    return logFile(await open(path, O_CREAT | O_EXCL | O_APPEND | O_RDWR, FILE_MODE));
  },
  // For fdatasync of what another process wrote a descriptor that may only read will do.
  open: async (path) => logFile(await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)),
  rename,
  unlink,
  truncate,
  syncDirectory,
};

function logFile(handle: FileHandle): LogFile {
  return {
    // Without a position: write and writev at the end of a file that was opened for appending.
    append: async (buffers) => (await handle.writev(buffers)).bytesWritten,
    datasync: () => handle.datasync(),
    read: async (buffer, position) => (await handle.read(buffer, 0, buffer.byteLength, position)).bytesRead,
    close: () => handle.close(),
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The names of directories made just now, from the lowest up to the one that was there. */
async function syncUpwards(directory: string, upTo: string): Promise<void> {
  for (let above = dirname(directory); above.length >= upTo.length; above = dirname(above)) {
    await syncDirectory(above);
    if (above === dirname(above)) return;
  }
}
