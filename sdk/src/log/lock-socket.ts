import { open } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/**
 * Answers at a socket in a folder until it is closed, or the process ends, however it ends: the kernel sees to that across containers too.
 * @returns undefined where the disk takes no socket
 */
export async function answerAt(folder: string, name: string): Promise<Server | undefined> {
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
export function answersAt(folder: string, name: string): Promise<'answers' | 'refused' | 'unknown'> {
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
