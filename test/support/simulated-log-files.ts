import { basename, dirname } from 'node:path';
import type { LogFiles } from '../../sdk/src/log/index.js';
import type { LogFile } from '../../sdk/src/log/log-files.js';

/** What is asked of the simulated disk. */
export type SimulatedOperation = keyof LogFiles | keyof LogFile;

/**
 * What is left after a crash:
 * - `process`: the process was killed; what it wrote stays in the memory of the system.
 * - `power`: only what was synced.
 * - `names`: as `power`, but names reached the disk without a sync: files are there, with nothing, or zeros, where their data was.
 * - `torn`: as `names`, and of what was not synced a part.
 */
export type Crash = 'process' | 'power' | 'names' | 'torn';

/** Every kind of crash behind each of so many operations, with parts of what was not synced where a part is left. */
export function* everyCrash(operations: number): Generator<{ after: number; crash: Crash; fraction: number }> {
  for (let after = 0; after <= operations; after += 1) {
    for (const crash of ['process', 'power', 'names'] as const) yield { after, crash, fraction: 1 };
    for (const fraction of [0.1, 0.5, 0.9, 1]) yield { after, crash: 'torn', fraction };
  }
}

/** Refuses an operation with the code of an error, or takes a part of an append (`short`), or lets it be. */
export type Fault = (operation: SimulatedOperation, path: string) => string | undefined;

interface Inode {
  bytes: Buffer;
  /** On the medium. */
  durable: Buffer;
  /** Where a refused sync has dropped pages: they read well, and are never written to the medium. */
  dropped: (readonly [from: number, to: number])[];
}

/** A directory in memory that tells the memory of the system from the medium. */
export interface SimulatedLogFiles extends LogFiles {
  /** How many operations have been done. */
  readonly operations: () => number;
  /** From now on every operation fails after so many more. */
  readonly killAfter: (operations: number) => void;
  readonly setFault: (fault: Fault | undefined) => void;
  /** The directory as the next process finds it. The one before has to have been killed. */
  readonly afterCrash: (crash: Crash, fraction?: number) => SimulatedLogFiles;
  /** Contents by name, to look at or to damage: what is returned is what is there. */
  readonly contents: () => ReadonlyMap<string, Buffer>;
  readonly replaceContent: (name: string, bytes: Buffer) => void;
}

/** An empty one. */
export function createSimulatedLogFiles(): SimulatedLogFiles {
  return simulated(new Map(), new Map());
}

function simulated(names: Map<string, Inode>, namesOnMedium: ReadonlyMap<string, Inode>): SimulatedLogFiles {
  let durableNames = namesOnMedium;
  let operations = 0;
  let killedAt = Number.POSITIVE_INFINITY;
  let fault: Fault | undefined;

  /** Whether the operation is to be done in part only. */
  const begin = async (operation: SimulatedOperation, path: string): Promise<string | undefined> => {
    await Promise.resolve();
    if (operations >= killedAt) throw refusal('EKILLED');
    operations += 1;
    const found = fault?.(operation, path);
    if (found !== undefined && found !== 'short') throw refusal(found);
    return found;
  };
  const inodeOf = (path: string): Inode => {
    const inode = names.get(basename(path));
    if (inode === undefined) throw refusal('ENOENT');
    return inode;
  };
  const fileOf = (path: string, inode: Inode): LogFile => ({
    append: async (buffers) => {
      const isShort = (await begin('append', path)) === 'short';
      const given = Buffer.concat(buffers);
      const taken = isShort ? given.subarray(0, Math.ceil(given.length / 2)) : given;
      inode.bytes = Buffer.concat([inode.bytes, taken]);
      return taken.length;
    },
    datasync: async () => {
      try {
        await begin('datasync', path);
      } catch (error) {
        if (operations < killedAt) inode.dropped.push([inode.durable.length, inode.bytes.length]);
        throw error;
      }
      inode.durable = Buffer.from(inode.bytes);
      for (const [from, to] of inode.dropped) inode.durable.fill(0, from, Math.min(to, inode.durable.length));
    },
    read: async (buffer, position) => {
      await begin('read', path);
      return inode.bytes.copy(buffer, 0, position, position + buffer.length);
    },
    close: () => Promise.resolve(),
  });

  return {
    makeDirectory: async (directory) => void (await begin('makeDirectory', directory)),
    list: async (directory) => {
      await begin('list', directory);
      return [...names].map(([name, { bytes }]) => ({ name, sizeBytes: bytes.length }));
    },
    create: async (path) => {
      await begin('create', path);
      if (names.has(basename(path))) throw refusal('EEXIST');
      const inode: Inode = { bytes: Buffer.alloc(0), durable: Buffer.alloc(0), dropped: [] };
      names.set(basename(path), inode);
      return fileOf(path, inode);
    },
    open: async (path) => {
      await begin('open', path);
      return fileOf(path, inodeOf(path));
    },
    rename: async (from, to) => {
      await begin('rename', from);
      if (dirname(from) !== dirname(to)) throw refusal('EXDEV');
      const inode = inodeOf(from);
      names.delete(basename(from));
      names.set(basename(to), inode);
    },
    unlink: async (path) => {
      await begin('unlink', path);
      inodeOf(path);
      names.delete(basename(path));
    },
    truncate: async (path, sizeBytes) => {
      await begin('truncate', path);
      const inode = inodeOf(path);
      inode.bytes = inode.bytes.subarray(0, sizeBytes);
      inode.dropped = inode.dropped.filter(([from]) => from < sizeBytes);
    },
    syncDirectory: async (directory) => {
      await begin('syncDirectory', directory);
      durableNames = new Map(names);
    },
    operations: () => operations,
    killAfter: (more) => {
      killedAt = operations + more;
    },
    setFault: (next) => {
      fault = next;
    },
    afterCrash: (crash, fraction = 0.5) => {
      if (crash === 'process') return simulated(new Map(names), durableNames);
      const left = new Map<string, Inode>();
      for (const [name, inode] of crash === 'power' ? durableNames : names) {
        const bytes = contentAfter(crash, inode, fraction);
        left.set(name, { bytes, durable: bytes, dropped: [] });
      }
      return simulated(left, new Map(left));
    },
    contents: () => new Map([...names].map(([name, { bytes }]) => [name, bytes])),
    replaceContent: (name, bytes) => {
      const inode = inodeOf(name);
      inode.bytes = bytes;
      inode.durable = bytes;
    },
  };
}

function contentAfter(crash: Exclude<Crash, 'process'>, { bytes, durable }: Inode, fraction: number): Buffer {
  if (crash === 'power') return Buffer.from(durable);
  const unsynced = Math.max(0, bytes.length - durable.length);
  // The length may reach the disk before the data: zeros.
  if (crash === 'names') return Buffer.concat([durable, Buffer.alloc(Math.floor(unsynced * fraction))]);
  return Buffer.concat([durable, bytes.subarray(durable.length, durable.length + Math.floor(unsynced * fraction))]);
}

function refusal(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
