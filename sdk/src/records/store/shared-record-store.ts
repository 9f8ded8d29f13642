import { realpath } from 'node:fs/promises';
import { wait } from '../../core/runtime/clock.js';
import { isHopbackError } from '../../errors.js';
import { makeFolder } from '../../log/log-files.js';
import { isInUse, storageFailed } from './duckdb/duckdb-module.js';
import { openDuckDbRecordStore } from './duckdb-record-store.js';
import type { DuckDbRecordStoreOptions } from './duckdb-record-store.js';
import type { RecordStore } from './record-store.js';
import { createGuestStore, isHosted } from './shared/guest-store.js';
import { isWithoutAnswer, socketRequests, startSocketHost } from './shared/socket-host.js';

/**
 * How long whoever has the files may take to listen, or to close them, until it is taken for one that does not share them: on a busy
 * machine twenty look-ups at once are some seconds of work before the first of them answers.
 */
const OPEN_TIMEOUT_MS = 15_000;
/** Hosts that a request may lose: look-ups that come together open and close the store one after the other. */
const MAX_HOSTS = 10;
/** A process is at this for some tenths of a second. */
const ATTEMPT_PAUSE_MS = 50;
/** Whoever listens says so at once; one that is stopped or stuck does not. */
const HELLO_TIMEOUT_MS = 3_000;

/**
 * The embedded record store for this process and all others of the same user. The first one that opens it has the files, as
 * {@link openDuckDbRecordStore} does, and serves them on a Unix domain socket in the folder; those that follow ask it over the
 * socket, and need no DuckDB. To the caller both are the same store. A socket that a killed process has left is replaced.
 *
 * Closing the host waits for what its guests have asked for. The first guest that asks when it is gone takes its place. One that waits for
 * an answer when the host dies asks the next one where it only reads; of what changes the store it is told by `storage-failed` that it may be
 * done or not; none waits longer than half a
 * minute without a sign of life. Records of an `insert` whose host closed half way count as repeated where they were taken.
 * @see {@link openDuckDbRecordStore} for the store itself
 * @example
 * ```ts
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * const directory = mkdtempSync(join(tmpdir(), 'hopback-records-'));
 * const tail = await SharedRecordStore.open({ directory });
 * const find = await SharedRecordStore.open({ directory });
 * await tail.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: 86_399_999_999 });
 * console.log(tail.role, find.role, (await find.coverage({ fromUs: 0, toUs: 9 })).length); // host guest 1
 * await find.close();
 * await tail.close();
 * rmSync(directory, { recursive: true });
 * ```
 */
export class SharedRecordStore implements RecordStore {
  #member: Membership;
  /** Finds out anew what this process is when the host is gone. */
  readonly #join: () => Promise<Membership>;
  #joining: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Opens the store.
   * @param options - folder, and what DuckDB and the holds go by where this process becomes the host
   * @returns the store; to be closed
   * @throws HopbackError `storage-failed` where the folder cannot be used, or a process has the store open that does not share it;
   * `unavailable` where the process that has it is of another release and speaks another protocol, or nobody has it and
   * `@duckdb/node-api` is not installed
   */
  static async open(options: DuckDbRecordStoreOptions): Promise<SharedRecordStore> {
    const directory = await foundFolder(options.directory);
    const join = (): Promise<Membership> => joined(Object.assign({}, options, { directory }));
    return new SharedRecordStore(await join(), join);
  }

  private constructor(first: Membership, join: () => Promise<Membership>) {
    this.#member = first;
    this.#join = join;
  }

  /**
   * `host`: this process has the files, and the others ask it; `guest`: it asks the one that has them. A guest that finds its host gone
   * opens the files itself, and is the host from then on, unless another was faster.
   */
  get role(): 'host' | 'guest' {
    return this.#member.role;
  }

  readonly insert: RecordStore['insert'] = (records) => this.#change((store) => store.insert(records));
  readonly find: RecordStore['find'] = (query) => this.#read((store) => store.find(query));
  readonly page: RecordStore['page'] = (query) => this.#read((store) => store.page(query));
  readonly cover: RecordStore['cover'] = (interval) => this.#change((store) => store.cover(interval));
  readonly uncover: RecordStore['uncover'] = (interval) => this.#change((store) => store.uncover(interval));
  readonly scope: RecordStore['scope'] = () => this.#read((store) => store.scope());
  readonly coverage: RecordStore['coverage'] = (window) => this.#read((store) => store.coverage(window));
  readonly expire: RecordStore['expire'] = (beforeUs) => this.#change((store) => store.expire(beforeUs));
  readonly hold: RecordStore['hold'] = (order) => this.#change((store) => store.hold(order));
  readonly release: RecordStore['release'] = (holdId, reason, by) =>
    this.#change((store) => store.release(holdId, reason, by));
  readonly holds: RecordStore['holds'] = () => this.#read((store) => store.holds());
  readonly holdAudit: RecordStore['holdAudit'] = () => this.#read((store) => store.holdAudit());
  readonly statistics: RecordStore['statistics'] = () => this.#read((store) => store.statistics());
  readonly close = (): Promise<void> => (this.#closing ??= this.#close());
  readonly [Symbol.asyncDispose] = this.close;

  async #close(): Promise<void> {
    await this.#joining?.catch(() => undefined);
    await this.#member.close();
  }

  /** What changes the store is asked again where it was surely not done. */
  #change<T>(work: (store: RecordStore) => Promise<T>): Promise<T> {
    return this.#useAgain(work, isWithoutHost);
  }

  /** What reads it, also where its host has died over it. */
  #read<T>(work: (store: RecordStore) => Promise<T>): Promise<T> {
    return this.#useAgain(
      work,
      (error, used) => isWithoutHost(error, used) || (used.role === 'guest' && isWithoutAnswer(error)),
    );
  }

  async #useAgain<T>(
    work: (store: RecordStore) => Promise<T>,
    isMissed: (error: unknown, used: Membership) => boolean,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      const used = this.#member;
      try {
        return await work(used.store);
      } catch (error) {
        if (this.#closing !== undefined || attempt === MAX_HOSTS || !isMissed(error, used)) throw error;
        if (this.#member === used) await this.#rejoin();
      }
    }
  }

  #rejoin(): Promise<void> {
    return (this.#joining ??= this.#join()
      .then((joinedAgain) => {
        this.#member = joinedAgain;
      })
      .finally(() => (this.#joining = undefined)));
  }
}

/** What this process is to the store at the moment. */
interface Membership {
  readonly role: 'host' | 'guest';
  readonly store: RecordStore;
  readonly close: () => Promise<void>;
}

async function joined(options: DuckDbRecordStoreOptions): Promise<Membership> {
  const hello = socketRequests(options.directory, HELLO_TIMEOUT_MS);
  const beganMs = performance.now();
  for (;;) {
    // The socket first: most who open a store beside a running one want a single look-up, and are spared loading DuckDB.
    if (await isHosted(hello)) {
      const store = createGuestStore(socketRequests(options.directory));
      return { role: 'guest', store, close: store.close };
    }
    try {
      return await hosted(await openDuckDbRecordStore(options), options.directory);
    } catch (error) {
      if (!isInUse(error) || performance.now() - beganMs >= OPEN_TIMEOUT_MS) throw error;
    }
    await wait(ATTEMPT_PAUSE_MS);
  }
}

/** Whether a request was not carried out for want of a host: nothing of it is done, and it may be made again. */
function isWithoutHost(error: unknown, { role }: Membership): boolean {
  return role === 'guest' && isHopbackError(error) && error.code === 'unavailable' && error.retryable;
}

async function foundFolder(directory: string): Promise<string> {
  try {
    await makeFolder(directory);
    return await realpath(directory);
  } catch (error) {
    throw storageFailed(`make its folder ${directory}`, error);
  }
}

async function hosted(store: RecordStore, directory: string): Promise<Membership> {
  try {
    const host = await startSocketHost({ store, directory });
    const close = async (): Promise<void> => {
      // Nobody listens any more before the files are free: whoever has them is the only one that touches the socket.
      await host.close();
      await store.close();
    };
    return { role: 'host', store, close };
  } catch (error) {
    await store.close();
    throw error;
  }
}
