import { randomUUID } from 'node:crypto';
import { getServers } from 'node:dns';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, realpath, rm, stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { writeWholeFile } from '../core/runtime/whole-file.js';
import { HopbackError } from '../errors.js';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { CliFiles, CliIo, CliOutput } from './io.js';
import { openLog } from './open-log.js';
import { shownText } from './shown-text.js';
import { takeStopSignals } from './stop-signal.js';

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
    keepPrivate: () => void process.umask(0o077),
    stopSignal: takeStopSignals,
    onHangUp: (listener) => void process.on('SIGHUP', listener),
    openLog,
    ask,
  };
}

/** Lines of the input, typed or from a pipe, for as long as somebody asks. */
let lines: { readonly reader: Interface; readonly next: AsyncIterator<string> } | undefined;

async function ask(question: string): Promise<string | undefined> {
  if (lines === undefined) {
    const reader = createInterface({ input: process.stdin });
    lines = { reader, next: reader[Symbol.asyncIterator]() };
  }
  process.stdout.write(question);
  const line = await lines.next.next();
  return line.done === true ? undefined : line.value;
}

/** What a stream says when its reader has hung up; on Windows `EOF`. */
const HANG_UPS: readonly (string | undefined)[] = ['EPIPE', 'ECONNRESET', 'EOF'];

/**
 * A reader that goes away (`hopback … | head`) is its own good right: what is left is not written, and the exit code stays. Anything
 * else, such as a full disk, means that the answer is not where it was asked for.
 */
function outputTo(stream: NodeJS.WriteStream): CliOutput {
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure ??= error;
  });
  return {
    isTty: stream.isTTY,
    get columns() {
      // Absent, whatever its type says, where it is no terminal.
      return stream.columns as number | undefined;
    },
    write(text) {
      if (failure === undefined) stream.write(text);
    },
    async flush() {
      // Errors are reported behind the callback of the write that they belong to.
      await new Promise<void>((resolve) => stream.write('', () => setImmediate(resolve)));
      const code = codeOf(failure);
      if (failure === undefined || HANG_UPS.includes(code)) return;
      throw new HopbackError('storage-failed', `the output could not be written (${code ?? failure.message})`, {
        cause: failure,
      });
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
    try {
      return await readBounded(createReadStream(path), maxBytes);
    } catch (cause) {
      return failed('cannot be read', path, cause);
    }
  },
  write: (path, text, { mode, overwrite }) => (overwrite ? replaceFile(path, text, mode) : newFile(path, text, mode)),
  list: (path) =>
    readdir(path).catch((cause: unknown) =>
      codeOf(cause) === 'ENOENT' ? undefined : failed('cannot be listed', path, cause),
    ),
  mode: (path) =>
    process.platform === 'win32'
      ? Promise.resolve(undefined)
      : stat(path).then(
          (found) => found.mode & 0o777,
          () => undefined,
        ),
};

async function newFile(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeWhole(path, text, mode);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') failed('exists already and is not overwritten', path);
    failed('cannot be written', path, cause);
  }
}

/** Through a file beside it, so that a full disk or a power cut leaves what was there. Devices and pipes are written to as they are. */
async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    const isFile = await stat(target).then(
      (found) => found.isFile(),
      () => true,
    );
    if (!isFile) return await writeThrough(await open(target, 'w'), text);
    await writeWholeFile(target, text, { mode });
  } catch (cause) {
    failed('cannot be written', path, cause);
  }
}

/** What could not be written whole is taken away again: half a key is none, and would stand in the way of the next attempt. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  // "wx" refuses what is there, a link included, so that nobody's key is overwritten and none goes where a link points.
  const file = await open(path, 'wx', mode);
  try {
    await writeThrough(file, text);
  } catch (cause) {
    await rm(path, { force: true });
    throw cause;
  }
}

async function writeThrough(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    // Neither a terminal nor a pipe has a disk behind it.
    await file.sync().catch((cause: unknown) => {
      if (codeOf(cause) !== 'EINVAL') throw cause;
    });
  } finally {
    await file.close();
  }
}

function failed(what: string, path: string, cause?: unknown): never {
  const code = codeOf(cause);
  const shown = shownText(path);
  throw new HopbackError('storage-failed', `${shown} ${what}${code === undefined ? '' : ` (${code})`}`, {
    cause,
    details: { path: shown },
  });
}

function codeOf(cause: unknown): string | undefined {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
