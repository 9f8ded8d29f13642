import { mkdir, realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isInUse, storageFailed } from './duckdb/duckdb-module.js';
import { openDuckDbRecordStore } from './duckdb-record-store.js';
import type { DuckDbRecordStoreOptions } from './duckdb-record-store.js';
import type { RecordStore } from './record-store.js';
import { createGuestStore, isHosted } from './shared/guest-store.js';
import { startSocketHost } from './shared/socket-host.js';
import { socketRequests } from './shared/socket-request.js';

/** A record store that several processes of one user have open. */
export interface SharedRecordStore extends RecordStore {
  /**
   * `host`: this process has the files, and the others ask it; `guest`: it asks the one that has them. Once a host is gone, its guests
   * fail with `unavailable` until another process has opened the store: a guest does not become the host.
   */
  readonly role: 'host' | 'guest';
}

/** How long whoever has the files may take to listen, or to close them, until it is taken for one that does not share them. */
const OPEN_TIMEOUT_MS = 5_000;
/** A process is at this for some tenths of a second. */
const ATTEMPT_PAUSE_MS = 50;
/** Whoever listens says so at once; one that is stopped or stuck does not. */
const HELLO_TIMEOUT_MS = 3_000;

/**
 * Opens the embedded record store for this process and all others of the same user. The first one that opens it has the files, as
 * {@link openDuckDbRecordStore} does, and serves them on a Unix domain socket in the folder; those that follow ask it over the
 * socket, and need no DuckDB. To the caller both are the same store. A socket that a killed process has left is replaced.
 *
 * Closing the host waits for what its guests have asked for. Guests that ask when it is gone, or that wait for its answer when it dies,
 * are told so by an error; none waits longer than half a minute without a sign of life.
 * @param options - folder, and what DuckDB and the holds go by where this process becomes the host
 * @returns the store; to be closed
 * @throws HopbackError `storage-failed` where the folder cannot be used, or a process has the store open that does not share it;
 * `unavailable` where the process that has it is of another release and speaks another protocol, or nobody has it and
 * `@duckdb/node-api` is not installed
 * @see {@link openDuckDbRecordStore} for the store itself
 * @example
 * ```ts
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * const directory = mkdtempSync(join(tmpdir(), 'hopback-records-'));
 * const tail = await openSharedRecordStore({ directory });
 * const find = await openSharedRecordStore({ directory });
 * await tail.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: 86_399_999_999 });
 * console.log(tail.role, find.role, (await find.coverage({ fromUs: 0, toUs: 9 })).length); // host guest 1
 * await find.close();
 * await tail.close();
 * rmSync(directory, { recursive: true });
 * ```
 */
export async function openSharedRecordStore(options: DuckDbRecordStoreOptions): Promise<SharedRecordStore> {
  const directory = await foundFolder(options.directory);
  const hello = socketRequests(directory, HELLO_TIMEOUT_MS);
  const beganMs = performance.now();
  for (;;) {
    // The socket first: most who open a store beside a running one want a single look-up, and are spared loading DuckDB.
    if (await isHosted(hello)) return shared(createGuestStore(socketRequests(directory)), 'guest');
    try {
      return await hosted(await openDuckDbRecordStore(Object.assign({}, options, { directory })), directory);
    } catch (error) {
      if (!isInUse(error) || performance.now() - beganMs >= OPEN_TIMEOUT_MS) throw error;
    }
    await delay(ATTEMPT_PAUSE_MS);
  }
}

async function foundFolder(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return await realpath(directory);
  } catch (error) {
    throw storageFailed(`make its folder ${directory}`, error);
  }
}

async function hosted(store: RecordStore, directory: string): Promise<SharedRecordStore> {
  try {
    const host = await startSocketHost({ store, directory });
    // Nobody listens any more before the files are free: whoever has them is the only one that touches the socket.
    const closed = async (): Promise<void> => host.close().finally(() => store.close());
    let closing: Promise<void> | undefined;
    return shared(store, 'host', () => (closing ??= closed()));
  } catch (error) {
    await store.close();
    throw error;
  }
}

function shared(
  store: RecordStore,
  role: SharedRecordStore['role'],
  close: () => Promise<void> = store.close,
): SharedRecordStore {
  return Object.assign({}, store, { role, close, [Symbol.asyncDispose]: close });
}
