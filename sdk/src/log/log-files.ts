import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat as statFile,
  statfs,
  truncate,
  unlink,
} from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { timeOf } from '../core/runtime/clock.js';
import { membersOf, parsedJson } from '../core/text.js';
import type { Clock } from '../core/runtime/clock.js';
import { HopbackError, isHopbackError } from '../errors.js';

/** A file of the log, open. Every call rejects with the error of the system, `code` included. */
export type LogFile = Awaited<ReturnType<LogFiles['create']>>;

/**
 * What the log asks of the file system. The default is Node's; tests hand in one that fails, forgets what was not synced, or counts.
 * Every call rejects with the error of the system, `code` included.
 */
export interface LogFiles {
  /** Makes the directory and those above it, and syncs the one it is in; nothing happens where it is there already. */
  readonly makeDirectory: (directory: string) => Promise<void>;
  /** The regular files of the directory, in any order. */
  readonly list: (directory: string) => Promise<
    readonly {
      /** Without the directory. */
      readonly name: string;
      readonly sizeBytes: number;
    }[]
  >;
  /** Makes a file that is not there yet, open for appending. */
  readonly create: (path: string) => Promise<{
    /**
     * Appends the bytes of all buffers, in order: `writev` at the end of the file.
     * @returns how many bytes were taken, which may be fewer than given
     */
    readonly append: (buffers: readonly Uint8Array[]) => Promise<number>;
    /** Resolves once all that was appended is on the medium: `fdatasync`. */
    readonly datasync: () => Promise<void>;
    /**
     * Fills the buffer from a place in the file.
     * @param position - offset in the file, bytes
     * @returns how many bytes there were; 0 at the end of the file
     */
    readonly read: (buffer: Uint8Array, position: number) => Promise<number>;
    readonly close: () => Promise<void>;
  }>;
  /** Opens a file for reading (and `datasync`, which a reader may call too). */
  readonly open: (path: string) => Promise<Awaited<ReturnType<LogFiles['create']>>>;
  /** Moves a file over another name, in one step. */
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly unlink: (path: string) => Promise<void>;
  /** Cuts a file to so many bytes. */
  readonly truncate: (path: string, sizeBytes: number) => Promise<void>;
  /** Resolves once the names in the directory are on the medium: `fsync` of the directory. */
  readonly syncDirectory: (directory: string) => Promise<void>;
}

/** The code of a system error, `EUNKNOWN` for anything else. Never throws. */
export function systemCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

/** A refusal of the disk as it is thrown: `storage-failed`, retryable, with `operation` and the system's `code` as details. */
export function storageFailure(operation: LogOperation, cause: unknown): HopbackError {
  const code = systemCode(cause);
  return new HopbackError('storage-failed', `the disk refuses to ${PHRASES[operation]}: ${code}`, {
    retryable: true,
    cause,
    details: { operation, code },
  });
}

const PHRASES = {
  create: 'make a segment of the log',
  write: 'write to the log',
  sync: 'sync the log',
  'sync-directory': 'sync the directory of the log',
  remove: 'remove a segment of the log',
  read: 'read from the log',
};

/** What the disk was asked. */
export type LogOperation = keyof typeof PHRASES;

/**
 * Does what may be refused.
 * @throws HopbackError `storage-failed` when it is
 */
export async function asked<Value>(operation: LogOperation, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask();
  } catch (error) {
    throw storageFailure(operation, error);
  }
}

/** A refusal as the state of a log tells it. Never throws. */
export function logErrorOf(
  error: unknown,
  clock: Clock,
): {
  readonly code: string;
  readonly operation: LogOperation;
  readonly atMs: number;
} {
  const { operation, code } = isHopbackError(error) ? error.details : {};
  return {
    code: typeof code === 'string' ? code : systemCode(error),
    operation: OPERATIONS.find((name) => name === operation) ?? 'write',
    atMs: timeOf(clock) ?? 0,
  };
}

const OPERATIONS = Object.keys(PHRASES) as LogOperation[];

/** Others have no business with call records. */
const FOLDER_MODE = 0o700;

/**
 * Makes a folder for its owner alone, and the folders above it. One that is there stays as it is.
 *
 * In place of `mkdir` with `recursive`, which tries for ever where a file system answers ENOENT below a folder that is there, as /proc does
 * (nodejs/node#28015).
 * @returns the first folder that was made; undefined where all were there
 * @throws the system's refusal, with its `code`
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await madeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
    const first = await makeFolder(parent);
    return (await madeOne(path)) === undefined ? first : (first ?? path);
  }
}

/** Whether something is under a path that can be looked at. */
export const exists = (path: string): Promise<boolean> =>
  statFile(path).then(
    () => true,
    () => false,
  );

async function madeOne(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
    return path;
  } catch (error) {
    const found = systemCode(error) === 'ENOENT' ? undefined : await statFile(path).catch(() => undefined);
    if (found?.isDirectory() === true) return undefined;
    throw error;
  }
}

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
    return Promise.all(files.map(async (name) => ({ name, sizeBytes: (await statFile(join(directory, name))).size })));
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

/** Opens a file, and closes it whatever happens. */
export async function withFile<Value>(
  files: LogFiles,
  path: string,
  use: (file: LogFile) => Promise<Value>,
): Promise<Value> {
  const file = await files.open(path);
  try {
    return await use(file);
  } finally {
    await file.close().catch(() => undefined);
  }
}

/**
 * Answers at a socket in a folder until it is closed, or the process ends, however it ends: the kernel sees to that across containers too.
 * @returns undefined where the disk takes no socket
 */
async function answerAt(folder: string, name: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.on('error', () => undefined);
  // Nobody keeps a process alive by its lock.
  server.unref();
  const isListening = await reachable(folder, name, (path) => {
    return new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen({ path, exclusive: true }, () => resolve(true));
    });
  });
  return isListening ? server : undefined;
}

/** Whether somebody answers at a socket of a folder. Never rejects. */
function answersAt(folder: string, name: string): Promise<'answers' | 'refused' | 'unknown'> {
  return reachable(folder, name, (path) => {
    return new Promise<'answers' | 'refused' | 'unknown'>((resolve) => {
      const socket = connect({ path });
      socket.once('connect', () => {
        socket.destroy();
        resolve('answers');
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'unknown');
      });
    });
  }).catch(() => 'unknown');
}

/** A socket has a path of 107 octets at most, and folders have longer ones: Linux takes it from an open folder. unix(7) */
const PATH_OCTETS = 100;

async function reachable<Value>(folder: string, name: string, use: (path: string) => Promise<Value>): Promise<Value> {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= PATH_OCTETS || process.platform !== 'linux') return use(path);
  const directory = await open(folder, 'r');
  try {
    return await use(`/proc/self/fd/${String(directory.fd)}/${name}`);
  } finally {
    await directory.close();
  }
}

/** Who has a folder: what stands in the file `lock`, as one line of JSON. */
export interface LockHolder {
  /** In its own namespace. */
  readonly pid: number;
  /** When the process began, in ticks since the machine did; empty where the system does not say. proc_pid_stat(5), field 22 */
  readonly start: string;
  /** Of the running kernel, anew at each start of the machine; empty where the system does not say. random(4) */
  readonly bootId: string;
  /** `pid:[4026531836]`: in which ids of processes mean something; empty where the system does not say. pid_namespaces(7) */
  readonly pidNamespace: string;
  readonly host: string;
  /** Random, 16 hex digits: two locks are never the same. */
  readonly nonce: string;
  /** Name of a socket in the folder at which the holder answers; empty where the disk takes none. */
  readonly socket: string;
}

/** What can be found out about a holder. */
export type HolderSenses = ReturnType<typeof sensesOf>;

/**
 * Whether the holder of a lock is there.
 *
 * - Of the own machine and namespace: its id and the time at which it began say so.
 * - Of the own machine and another namespace, as in another container: its socket does, which the kernel closes whatever the end was.
 * - Of another start of a machine: on a disk that two kernels cannot have mounted, that machine has been restarted, or its disk was moved.
 *   On any other it may be another machine, and nothing is known.
 *
 * What is not known is `unknown`: a folder with two writers is worse than one with none.
 */
export async function holderState(holder: LockHolder, senses: HolderSenses): Promise<'running' | 'gone' | 'unknown'> {
  const { self } = senses;
  if (holder.bootId !== self.bootId) return (await senses.isOnLocalDisk()) ? 'gone' : 'unknown';
  if (holder.bootId === '' && holder.host !== self.host) return 'unknown';
  if (holder.pidNamespace === self.pidNamespace) {
    return (await senses.isRunning(holder.pid, holder.start)) ? 'running' : 'gone';
  }
  const answer = holder.socket === '' ? 'unknown' : await senses.answersAt(holder.socket);
  if (answer === 'unknown') return 'unknown';
  return answer === 'answers' ? 'running' : 'gone';
}

/** Octets of a lock at most: names of hosts have 253. */
const LOCK_CHARS = 2_048;

/** Reads a lock; undefined for what is none. Never throws. */
export function readHolder(text: string): LockHolder | undefined {
  if (text.length > LOCK_CHARS || !text.endsWith('\n')) return undefined;
  const { pid, start, bootId, pidNamespace, host, nonce, socket } = membersOf(parsedJson(text));
  const isPid = typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0;
  if (!isPid || !areTexts([start, bootId, pidNamespace, host, nonce, socket])) return undefined;
  const holder = {
    pid,
    start,
    bootId,
    pidNamespace,
    host,
    nonce,
    socket,
  } as LockHolder;
  if (!NONCE.test(holder.nonce)) return undefined;
  // No path: a name in the folder.
  return { ...holder, socket: holder.socket === socketName(holder.nonce) ? holder.socket : '' };
}

const NONCE = /^[0-9a-f]{16}$/;

/** Name of the socket of a holder. */
function socketName(nonce: string): string {
  return `lock-${nonce}.socket`;
}

function areTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

/**
 * A folder that this process alone uses.
 * @see proc_pid_stat(5), field 22, by which a process is told from a later one with the same id; pid_namespaces(7)
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const lock = await FolderLock.take(directory, 'the journal');
 * const second = await FolderLock.take(directory, 'the journal').catch((error: unknown) => error);
 * console.log(isHopbackError(second) && second.details['reason']); // folder-in-use
 * await lock.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export class FolderLock {
  /** Lets the folder go. May be called again. Never rejects. */
  readonly close: () => Promise<void>;

  /**
   * Takes a folder for this process, by a file `lock` in it, across containers and machines that share it. The lock of a process that is
   * known to be no more counts for nothing: one of this machine, in this container or another, or one from before the machine was
   * restarted. Of which nothing can be known, it counts, and the message says which file to remove by hand.
   * @param folder - made where it is not there
   * @param what - how a message names it: `the spool`
   * @returns the lock; closing it lets the folder go
   * @throws {@link HopbackError} `storage-failed` where another process has it, with `reason` `folder-in-use` in its details, or
   * `folder-holder-unknown` where nothing can be known of the one that has it, and the path of the file as `lock`; or where the disk refuses
   */
  static async take(folder: string, what: string): Promise<FolderLock> {
    const nonce = randomBytes(8).toString('hex');
    const place: LockPlace = { folder, path: join(folder, 'lock'), nonce, socket: join(folder, socketName(nonce)) };
    try {
      await makeFolder(folder);
      const server = await answerAt(folder, socketName(nonce)).catch(() => undefined);
      const leave = async (): Promise<void> => {
        server?.close();
        await rm(place.socket, { force: true }).catch(() => undefined);
      };
      const self = await ownHolder(nonce, server === undefined ? '' : socketName(nonce));
      const own = `${JSON.stringify(self)}\n`;
      try {
        await take(place, { own, self, what });
      } catch (error) {
        await leave();
        throw error;
      }
      let closing: Promise<void> | undefined;
      return new FolderLock(() => (closing ??= letGo(place.path, own).then(leave)));
    } catch (cause) {
      if (cause instanceof HopbackError) throw cause;
      const code = (cause as NodeJS.ErrnoException).code ?? 'no reason given';
      throw new HopbackError('storage-failed', `${folder} cannot be used (${code})`, { cause });
    }
  }

  private constructor(close: () => Promise<void>) {
    this.close = close;
  }
}

interface LockPlace {
  readonly folder: string;
  readonly path: string;
  readonly nonce: string;
  readonly socket: string;
}

/** How often a lock of one that is gone is taken away, which others may be doing too. */
const ATTEMPTS = 3;

interface Taking {
  /** What the lock has to hold. */
  readonly own: string;
  readonly self: LockHolder;
}

async function take(place: LockPlace, { what, ...taking }: Taking & { readonly what: string }): Promise<void> {
  const { own, self } = taking;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (await isWritten(place, own)) return;
    const text = await readFile(place.path, 'utf8').catch(unlessMissing);
    // Let go in between.
    if (text === undefined) continue;
    const holder = readHolder(text);
    if (holder === undefined) throw inUse(place, { what, holder, isKnown: false });
    const state = await holderState(holder, sensesOf(place.folder, self));
    if (state !== 'gone') throw inUse(place, { what, holder, isKnown: state === 'running' });
    await takeAway(place, { ...taking, text, holder });
  }
  throw inUse(place, { what, holder: undefined, isKnown: true });
}

interface LockInUse {
  readonly what: string;
  readonly holder: LockHolder | undefined;
  readonly isKnown: boolean;
}

function inUse({ path: lock }: LockPlace, { what, holder, isKnown }: LockInUse): HopbackError {
  const who = holder === undefined ? 'another process' : `another process (${String(holder.pid)})`;
  const message = isKnown
    ? `${what} is in use by ${who}`
    : `${what} is in use by ${who} of another container or machine${holder === undefined ? '' : ` (host ${holder.host})`}, which cannot be looked at from here; ` +
      `once it is known to have ended, remove the file ${lock}`;
  return new HopbackError('storage-failed', message, {
    details: { reason: isKnown ? 'folder-in-use' : 'folder-holder-unknown', lock },
  });
}

/** Whole, or not at all: nobody reads half a lock. */
async function isWritten({ path, nonce }: LockPlace, own: string): Promise<boolean> {
  const partial = `${path}-${nonce}.new`;
  try {
    await written(partial, own);
    await link(partial, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'EEXIST') return false;
    if (!WITHOUT_LINKS.includes(code)) throw error;
    return await written(path, own).then(
      () => true,
      (refusal: NodeJS.ErrnoException) => {
        if (refusal.code === 'EEXIST') return false;
        throw refusal;
      },
    );
  } finally {
    await rm(partial, { force: true });
  }
}

/** What disks say on which a file has one name. */
const WITHOUT_LINKS: readonly string[] = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

async function written(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Removes the lock of one that is gone. Of those who want to, one at a time may, by a file that names the lock: so that nobody removes what
 * another has put in its place meanwhile.
 */
async function takeAway(
  place: LockPlace,
  taking: Taking & { readonly text: string; readonly holder: LockHolder },
): Promise<void> {
  const { folder, path } = place;
  const { own, self, text, holder } = taking;
  const marker = join(folder, `lock-${holder.nonce}.gone`);
  if (!(await isWritten({ ...place, path: marker }, own))) {
    const other = readHolder(await readFile(marker, 'utf8').catch(() => ''));
    // One that was killed in the middle of it.
    const isLeft = other !== undefined && (await holderState(other, sensesOf(folder, self))) === 'gone';
    if (isLeft) await rm(marker, { force: true });
    return;
  }
  try {
    if ((await readFile(path, 'utf8').catch(unlessMissing)) !== text) return;
    await rm(path, { force: true });
    if (holder.socket !== '') await rm(join(folder, holder.socket), { force: true });
  } finally {
    await rm(marker, { force: true });
  }
}

/** Removes a lock, if it is still this one. Never rejects. */
async function letGo(path: string, own: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text === own) await rm(path, { force: true }).catch(() => undefined);
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}

async function ownHolder(nonce: string, socket: string): Promise<LockHolder> {
  return {
    pid: process.pid,
    start: (await isProcOurs()) ? ((await processState(process.pid))?.start ?? '') : '',
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim(),
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    host: hostname(),
    nonce,
    socket,
  };
}

function sensesOf(folder: string, self: LockHolder) {
  return {
    /** The process that checks the lock. */
    self,
    /** Whether a process of the own namespace is there, and began then. */
    isRunning,
    /** Whether somebody answers at a socket of the folder: `unknown` where it is not there or may not be asked. */
    answersAt: (socket: string): Promise<'answers' | 'refused' | 'unknown'> => answersAt(folder, socket),
    /** Whether the folder is on a disk that one running kernel at most has mounted, as ext4, and not NFS. */
    isOnLocalDisk: async (): Promise<boolean> => LOCAL_DISKS.has((await statfs(folder)).type),
  };
}

/** ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs, ramfs, overlayfs: what one kernel at a time has mounted. statfs(2) */
const LOCAL_DISKS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994, 0x858458f6, 0x794c7630,
]);

/**
 * Ids of processes are used again, in a container each time by the next: one that began at another time is another. One whose beginning is
 * hidden from us may be the same. A zombie has let go of everything.
 */
async function isRunning(pid: number, start: string): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (start === '' || !(await isProcOurs())) return true;
  const found = await processState(pid);
  if (found === undefined) return true;
  return found.start === start && found.state !== 'Z' && found.state !== 'X';
}

/** Whether `/proc` tells of the namespace that the ids of this process are of. */
async function isProcOurs(): Promise<boolean> {
  return (await readlink('/proc/self').catch(() => '')) === String(process.pid);
}

/** @see proc_pid_stat(5), fields 3 and 22 */
async function processState(pid: number): Promise<{ readonly state: string; readonly start: string } | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '');
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const start = fields[18] ?? '';
  return start === '' ? undefined : { state, start };
}
