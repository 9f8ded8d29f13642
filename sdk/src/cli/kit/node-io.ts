import { printableText } from '../../core/text.js';
import { randomUUID } from 'node:crypto';
import { getServers } from 'node:dns';
import { createReadStream, fstatSync, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, realpath, rm, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { schedule, scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { writeWholeFile } from '../../core/runtime/whole-file.js';
import { HopbackError } from '../../errors.js';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';

/** Everything that a command touches beside the arguments, so that tests run it in their own process. */
export type CliIo = ReturnType<typeof nodeIo>;

/** The process as commands see it. */
export function nodeIo() {
  const { stdin, stdout, stderr, env, version } = process;
  const clock: Clock = { nowMs: Date.now };
  return {
    stdin: {
      /** Somebody types: a command that was given nothing to read says so instead of waiting. */
      isTty: stdin.isTTY,
      /** Reads to the end, at most `maxBytes`. @returns undefined when there is more */
      read: (maxBytes: number) => readBounded(stdin, maxBytes),
    },
    stdout: outputTo(stdout),
    stderr: outputTo(stderr),
    env: env as ProgramIo['env'],
    clock,
    /** Milliseconds that only go forward, for measuring. */
    elapsedMs: () => performance.now(),
    randomUuid: (): string => randomUUID(),
    /** `v20.20.0`. */
    nodeVersion: version,
    /** Addresses of the machine's name servers; asks nobody. */
    nameServers: (): readonly string[] => getServers(),
    files: FILES,
    /** From here on whatever the process makes is for its user alone: there are telephone numbers in it. */
    keepPrivate: () => void process.umask(0o077),
    stopSignal: takeStopSignals,
    /** Calls the listener at each SIGHUP, which does not end the process from then on. */
    onHangUp: (listener: () => void): void => {
      process.on('SIGHUP', listener);
    },
    openLog,
    ask,
  };
}

/** Lines of the input, typed or from a pipe, for as long as somebody asks. */
let lines: { readonly reader: Interface; readonly next: AsyncIterator<string> } | undefined;

/** Asks for a line. @returns what was typed; undefined at the end of the input */
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
export function outputTo(stream: NodeJS.WriteStream): CliOutput {
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

/** Files by path, relative to the working directory. What cannot be read or written is `storage-failed`. */
const FILES = {
  /** Reads a whole file. @returns undefined when it has more than `maxBytes` */
  async read(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    try {
      return await readBounded(createReadStream(path), maxBytes);
    } catch (cause) {
      return failed('cannot be read', path, cause);
    }
  },
  /** Writes a new file, or with `overwrite` puts one in the place of another: whole, or not at all. */
  write: (path: string, text: string, { mode, overwrite }: { readonly mode: number; readonly overwrite: boolean }) =>
    overwrite ? replaceFile(path, text, mode) : newFile(path, text, mode),
  /** Names in a directory; undefined when there is no such directory. */
  list: (path: string): Promise<readonly string[] | undefined> =>
    readdir(path).catch((cause: unknown) =>
      codeOf(cause) === 'ENOENT' ? undefined : failed('cannot be listed', path, cause),
    ),
  /** Permission bits of a file; undefined where there is none, or none to ask. */
  async mode(path: string): Promise<number | undefined> {
    if (process.platform === 'win32') return undefined;
    const found = await stat(path).catch(() => undefined);
    return found && found.mode & 0o777;
  },
};

async function newFile(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeWhole(path, text, mode);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') failed('exists already and is not overwritten', path);
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

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type StopSignal = (typeof STOP_SIGNALS)[number];

/** Time that a command without `drainSeconds` has to end in, seconds: what service managers wait for at least, and people at a terminal. */
export const END_WITHIN_SECONDS = 10;
/** However short the time for draining is, files have to be closed. */
const LEAST_SECONDS = 1;
const STANDARD_ERROR = 2;
const FIRST_PROCESS = 1;

/**
 * Takes the signals that ask the process to end. The first one aborts the returned signal. The second one ends the process at once, and so
 * does the time, whatever the command still waits for.
 * @param withinSeconds - time from the first signal to the end of the process, asked for when it comes
 */
function takeStopSignals(withinSeconds: () => number = () => END_WITHIN_SECONDS): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: StopSignal): void => {
    for (const name of STOP_SIGNALS) process.off(name, stop);
    // The system ends a process at a signal that nobody takes, but for the first process of a container.
    if (process.pid === FIRST_PROCESS) for (const name of STOP_SIGNALS) process.once(name, endAtOnce);
    endWithin(Math.max(LEAST_SECONDS, withinSeconds()), signal);
    controller.abort();
  };
  for (const name of STOP_SIGNALS) process.on(name, stop);
  return controller.signal;
}

/** Where the process has not ended by itself after this time, it is ended. Keeps no process alive. */
function endWithin(seconds: number, signal: StopSignal): void {
  const end = (): void => {
    try {
      writeSync(
        STANDARD_ERROR,
        `hopback: something did not end within ${String(seconds)} s of ${signal}: ended by force\n`,
      );
    } catch {
      // Nobody reads.
    }
    endAtOnce(signal);
  };
  scheduleInBackground(end, seconds * 1_000);
}

/** Not by `process.exit`, which waits for threads that a dead disk or a pipe without a writer holds. */
function endAtOnce(signal: StopSignal): void {
  for (const name of STOP_SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
  // Only the first process of a container is still there.
  process.abort();
}

/** What is kept for a reader that does not read: beyond it lines are dropped. */
const MAX_LOG_BYTES = 1024 * 1024;
/** For what is left at the end. */
const LOG_CLOSE_MS = 1_000;
const STANDARD_OUTPUT = 1;

/**
 * Opens standard output for a log. Writing to it never waits for its reader, and neither does the end of the process: a thread that writes to a full pipe
 * would be waited for. A file or terminal is written to by a thread, since the system offers no other way.
 */
async function openLog(): Promise<CliLog> {
  const kind = fstatSync(STANDARD_OUTPUT);
  return kind.isFIFO() || kind.isSocket() ? pipeLog() : fileLog();
}

/** Log of a service. */
export type CliLog = ReturnType<typeof pipeLog>;

function pipeLog() {
  const pipe = new Socket({ fd: STANDARD_OUTPUT, readable: false, writable: true });
  pipe.on('error', () => undefined);
  let isPlanned = false;
  const flush = (): void => {
    isPlanned = false;
    pipe.uncork();
  };
  return {
    write(text: string): void {
      if (pipe.destroyed || pipe.writableLength + text.length > MAX_LOG_BYTES) return;
      // Lines of one turn go out together.
      if (!isPlanned) {
        isPlanned = true;
        pipe.cork();
        setImmediate(flush);
      }
      pipe.write(text);
    },
    /** Writes what is left, for a second at most. */
    close: () =>
      new Promise<void>((resolve) => {
        const end = (): void => {
          cancel();
          pipe.destroy();
          resolve();
        };
        const cancel = schedule(end, LOG_CLOSE_MS);
        pipe.once('error', end);
        if (isPlanned) flush();
        pipe.write('', end);
      }),
  };
}

async function fileLog(): Promise<CliLog> {
  const { destination } = await import('pino');
  const log = destination({ dest: STANDARD_OUTPUT, sync: false, maxLength: MAX_LOG_BYTES });
  log.on('error', () => undefined);
  return {
    write: (text) => void log.write(text),
    close: () =>
      new Promise((resolve) => {
        const cancel = schedule(resolve, LOG_CLOSE_MS);
        log.flush(() => {
          cancel();
          resolve();
        });
      }),
  };
}

/** Longest path or word of the command line that a message repeats. */
const MAX_SHOWN_CHARS = 200;

/** What stands in a message in place of a key. */
const NOT_SHOWN = '(key material, not shown)';

/** The first line of a private key in DER, SEC 1 or PKCS#8, as base64. */
const BASE64_DER = /^M(?:HcC|I[A-Z])[A-Za-z0-9+/_-]{56}/;

/**
 * Whether a text is, or begins like, the content of a key file rather than its name: PEM, also on one line; a private JWK; the
 * base64 of DER.
 * Variables that hold the key in place of its path are usual elsewhere, and messages end up in logs.
 */
export function isKeyMaterial(text: string): boolean {
  const start = text.trimStart();
  const isJwk = start.startsWith('{') && text.includes('"d"');
  return text.includes('-----BEGIN') || isJwk || BASE64_DER.test(start);
}

/** Whether a text has characters that no path, URL or name on a command line has for an honest reason. */
export function isUnprintable(text: string): boolean {
  return printableText(text, text.length) !== text;
}

/** A path or word of the command line for a message: printable, short, and never a key. */
export function shownText(text: string): string {
  return isKeyMaterial(text) ? NOT_SHOWN : printableText(text, MAX_SHOWN_CHARS);
}

/** A message of somebody else, such as the system, up to where it repeats a PEM text. */
export function withoutKeyMaterial(text: string): string {
  const at = text.indexOf('-----BEGIN');
  return at < 0 ? text : `${text.slice(0, at)}${NOT_SHOWN}`;
}

/** Where a command writes. */
export interface CliOutput {
  readonly isTty: boolean;
  /** Characters of a line of the terminal; absent where there is none. */
  readonly columns?: number | undefined;
  /** Never throws, also when nobody reads any more. */
  readonly write: (text: string | Uint8Array) => void;
  /**
   * Waits until what was written has gone out. A reader that hung up is no failure.
   * @throws {@link HopbackError} `storage-failed` when it could not be written, such as on a full disk
   */
  readonly flush: () => Promise<void>;
}

/** What every program has. */
export interface ProgramIo {
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Largest input of a command: an INVITE fills one UDP datagram at most, and whoever sends more has sent something else. */
export const MAX_INPUT_BYTES: number = 256 * 1024;
