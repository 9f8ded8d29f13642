import { chmod, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../../log/log-files.js';
import { storageFailed } from '../duckdb/duckdb-module.js';

/** Longest path of a socket, octets: `sun_path` has 104 on macOS and 108 on Linux, and a 0 stands behind it. */
const MAX_SOCKET_PATH_BYTES = 103;

const SOCKET = 'store.sock';

/** Folder of a store that its socket lies in. */
export function socketFolder(directory: string): string {
  return join(directory, 'socket');
}

/** Where the socket of a store lies. */
export function socketPath(directory: string): string {
  return join(socketFolder(directory), SOCKET);
}

/**
 * Makes the folder of the socket, which only its owner enters: between the making of a socket and the setting of its mode nobody else
 * reaches it either. What a process left there that was killed is removed; the caller has the lock of the store, so that nobody listens.
 * @throws HopbackError `storage-failed`
 */
export async function makeSocketFolder(directory: string): Promise<void> {
  try {
    await makeFolder(socketFolder(directory));
    await chmod(socketFolder(directory), 0o700);
    await rm(socketPath(directory), { force: true });
  } catch (error) {
    throw storageFailed(`make the folder of its socket, ${socketFolder(directory)}`, error);
  }
}

/**
 * Works with the socket of a store by a path that a socket can have. Where its own is too long, there is a short one to the same place
 * for as long as the work takes: a link in a new folder of the system's folder for temporary files.
 * @param work - binds or connects; the path is of no use afterwards
 */
export async function withSocketPath<T>(directory: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = socketPath(directory);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return work(path);
  const folder = await mkdtemp(join(tmpdir(), 'hopback-'));
  try {
    await symlink(socketFolder(directory), join(folder, 's'));
    return await work(join(folder, 's', SOCKET));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
