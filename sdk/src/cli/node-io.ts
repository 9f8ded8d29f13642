import { randomUUID } from 'node:crypto';
import { getServers } from 'node:dns';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { HopbackError } from '../errors.js';
import type { CliFiles, CliIo, CliOutput } from './io.js';

/** The process as commands see it. */
export function nodeIo(): CliIo {
  const { stdin, stdout, stderr, env, version } = process;
  return {
    stdin: { isTty: stdin.isTTY, read: readStdin },
    stdout: outputTo(stdout),
    stderr: outputTo(stderr),
    env,
    clock: { nowMs: Date.now },
    elapsedMs: () => performance.now(),
    randomUuid: randomUUID,
    nodeVersion: version,
    nameServers: getServers,
    files: FILES,
  };
}

/** A reader that goes away (`hopback … | head`) is its own good right: what is left is not written, and the exit code stays. */
function outputTo(stream: NodeJS.WriteStream): CliOutput {
  let isGone = false;
  stream.on('error', () => {
    isGone = true;
  });
  return {
    isTty: stream.isTTY,
    write(text) {
      if (!isGone) stream.write(text);
    },
  };
}

const readStdin = (maxBytes: number): Promise<Uint8Array | undefined> => readBounded(process.stdin, maxBytes);

/** Everything of a stream; undefined, and the rest unread, when it is more than `maxBytes`. */
async function readBounded(stream: AsyncIterable<unknown>, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const FILES: CliFiles = {
  async read(path, maxBytes) {
    const body = await readBounded(createReadStream(path), maxBytes).catch((cause: unknown) =>
      failed(`${path} cannot be read`, path, cause),
    );
    return body ?? failed(`${path} has more than ${String(maxBytes)} bytes`, path);
  },
  async write(path, text, { mode, overwrite }) {
    // "wx" refuses what is there, a link included, so that nobody's key is overwritten and none goes where a link points.
    const file = await open(path, overwrite ? 'w' : 'wx', mode).catch((cause: unknown) =>
      codeOf(cause) === 'EEXIST'
        ? failed(`${path} exists already and is not overwritten`, path)
        : failed(`${path} cannot be written`, path, cause),
    );
    try {
      await file.writeFile(text);
      await file.sync();
    } catch (cause) {
      failed(`${path} cannot be written`, path, cause);
    } finally {
      await file.close();
    }
  },
  list: (path) =>
    readdir(path).catch((cause: unknown) =>
      codeOf(cause) === 'ENOENT' ? undefined : failed(`${path} cannot be listed`, path, cause),
    ),
  mode: (path) =>
    process.platform === 'win32'
      ? Promise.resolve(undefined)
      : stat(path).then(
          (found) => found.mode & 0o777,
          () => undefined,
        ),
};

function failed(message: string, path: string, cause?: unknown): never {
  if (cause instanceof HopbackError) throw cause;
  const code = codeOf(cause);
  throw new HopbackError('storage-failed', `${message}${code === undefined ? '' : ` (${code})`}`, {
    cause,
    details: { path },
  });
}

function codeOf(cause: unknown): string | undefined {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
