import { chmod, mkdir, open, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { isHopbackError } from '@hopback/sdk/errors';
import type { ReferencePlatform } from '../../platform/reference/reference-platform.js';

/** Folder of the socket within that of the platform: its owner alone enters it, and so gives orders. */
const FOLDER = 'orders';
const NAME = 'socket';
/** Characters of an order: two paths. */
const MAX_ORDER_CHARS = 16_384;
/** A socket has a path of 107 octets at most, and folders have longer ones: Linux takes it from an open folder. unix(7) */
const PATH_OCTETS = 100;

/** A line of JSON, of an order or of what is said to it. */
type OrderLine = Readonly<Record<string, unknown>>;

/** Carries an order out; what it says on the way goes to whoever gave it, and what it gives back is the last line. Never rejects. */
type CarryOut = (order: OrderLine, say: (line: OrderLine) => void) => Promise<OrderLine>;

/**
 * Takes orders of commands on this machine, by a socket in the folder of the platform. Whoever may enter that may read all of it, so
 * that nobody is asked who he is.
 * @param directory - of a platform that this process has open
 * @throws the error of the disk where it takes no socket
 */
export async function takeOrders(
  directory: string,
  carryOut: CarryOut,
): Promise<{ readonly close: () => Promise<void> }> {
  const folder = join(directory, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  // Of one that was killed: the folders of the platform are locked, and nobody else is here.
  await rm(join(folder, NAME), { force: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    void answered(socket, carryOut);
  });
  await atPath(folder, (path) => {
    return new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  });
  server.on('error', () => undefined);
  return {
    close: async () => {
      const ended = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await ended;
      await rm(join(folder, NAME), { force: true });
    },
  };
}

async function answered(socket: Socket, carryOut: CarryOut): Promise<void> {
  const say = (line: OrderLine): void => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(line)}\n`);
  };
  const order = await orderOf(socket);
  const last = order === undefined ? { failed: 'it is no order' } : await carryOut(order, say);
  say(last);
  socket.end();
}

async function orderOf(socket: Socket): Promise<OrderLine | undefined> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes('\n') || text.length > MAX_ORDER_CHARS) break;
  }
  return readLine(text.slice(0, Math.max(0, text.indexOf('\n'))));
}

function readLine(text: string): OrderLine | undefined {
  try {
    const given: unknown = JSON.parse(text);
    return typeof given === 'object' && given !== null ? (given as OrderLine) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Gives an order to the platform that has a folder open.
 * @param onLine - what is said on the way
 * @returns the last line; `nobody` where no platform runs there; undefined where it ended before it said its last
 */
export async function giveOrder(
  directory: string,
  { order, onLine }: { readonly order: OrderLine; readonly onLine: (line: OrderLine) => void },
): Promise<OrderLine | 'nobody' | undefined> {
  const socket = await atPath(join(directory, FOLDER), connected).catch(() => undefined);
  if (socket === undefined) return 'nobody';
  socket.on('error', () => socket.destroy());
  socket.write(`${JSON.stringify(order)}\n`);
  let last: OrderLine | undefined;
  for await (const text of createInterface({ input: socket })) {
    const line = readLine(text);
    if (last !== undefined) onLine(last);
    last = line;
  }
  return last !== undefined && ('done' in last || 'failed' in last) ? last : undefined;
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

async function atPath<Value>(folder: string, use: (path: string) => Promise<Value>): Promise<Value> {
  const path = join(folder, NAME);
  if (Buffer.byteLength(path) <= PATH_OCTETS || process.platform !== 'linux') return use(path);
  const opened = await open(folder, 'r');
  try {
    return await use(`/proc/self/fd/${String(opened.fd)}/${NAME}`);
  } finally {
    await opened.close();
  }
}

/** An archive as it was written, in figures. */
export interface ArchiveFigures {
  readonly createdAt: string;
  readonly tables: number;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
}

/** What an archive comes to. */
export function archiveFigures(manifest: Awaited<ReturnType<ReferencePlatform['backup']>>): ArchiveFigures {
  const { createdAt, tables, files } = manifest;
  return {
    createdAt,
    tables: tables.length,
    files: files.length,
    rows: tables.reduce((total, { rows }) => total + rows, 0),
    bytes: [...tables, ...files].reduce((total, { bytes }) => total + bytes, 0),
  };
}

/** Carries out what commands of this machine ask of a platform that runs: one backup at a time, and looks through its audit. */
export function platformOrders(platform: Pick<ReferencePlatform, 'backup' | 'verifyAudit'>): CarryOut {
  let isBusy = false;
  const backUp = async (archive: string, say: (line: OrderLine) => void): Promise<OrderLine> => {
    if (isBusy) return { failed: 'another backup is being written' };
    isBusy = true;
    try {
      return { done: archiveFigures(await platform.backup(archive, (progress) => say({ progress }))) };
    } finally {
      isBusy = false;
    }
  };
  return async (order, say) => {
    const { backup, verifyAudit } = order;
    try {
      if (typeof backup === 'string' && isAbsolute(backup)) return await backUp(backup, say);
      if (isListOfText(verifyAudit)) return { done: await platform.verifyAudit(verifyAudit) };
      return { failed: 'it is no order' };
    } catch (error) {
      if (!isHopbackError(error)) return { failed: `it failed: ${String(error)}` };
      return { failed: error.message, code: error.code };
    }
  };
}

const isListOfText = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
