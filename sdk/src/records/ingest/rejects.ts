import { open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonLimits } from '../../core/json-text.js';
import { moveFile } from '../../core/runtime/whole-file.js';
import { readBySchema } from '../../core/schema-findings.js';
import { HopbackError } from '../../errors.js';
import { exists, makeFolder, systemCode } from '../../log/log-files.js';
import { REJECT_REASONS } from './record-reader.js';
import type { RejectReason } from './record-reader.js';

/** A row that could not be read, with all that it takes to see why and to read it again. */
export interface RejectedRow {
  /** Name of the source. */
  readonly sourceId: string;
  /** Name of the file as it was when it was read. */
  readonly file: string;
  /** Number of its first line, from 1; 0 where there are no lines. */
  readonly line: number;
  readonly reason: RejectReason;
  /** What is wrong, in the words of the format. */
  readonly field?: string;
  /** Why, for people; without numbers of people. */
  readonly detail: string;
  /** SHA-256 of all bytes of the row, lower-case hexadecimal. */
  readonly sha256: string;
  /** Its bytes, or the first of them. */
  readonly bytes: Uint8Array;
  /** How many it has. */
  readonly sizeBytes: number;
}

/** Where rows go that cannot be read. Neither member ever rejects or throws: a bad row stops nothing, and a full disk neither. */
export interface RejectSink {
  /** Takes a row; `bytes` are copied. */
  readonly reject: (row: RejectedRow) => void;
  /** Resolves when what was taken is on disk, or is given up and counted. */
  readonly flush: () => Promise<void>;
}

/** A rejected row as it is written: one line of JSON, its bytes in base64. */
export function rejectLine(row: RejectedRow): string {
  const { sourceId, file, line, reason, field, detail, sha256, sizeBytes } = row;
  const bytes = Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength).toString('base64');
  return `${JSON.stringify({
    source: sourceId,
    file,
    line,
    reason,
    field,
    detail,
    sha256,
    sizeBytes,
    bytes,
  })}\n`;
}

/**
 * Reads such a line back. Never throws.
 * @returns undefined where it is none: the last line of a file whose writer was killed
 */
export function readRejectLine(text: string): RejectedRow | undefined {
  const parsed = parseBoundedJson(text, REJECT_LINE_LIMITS);
  const read = parsed.status === 'parsed' ? readBySchema(rejectLineSchema, parsed.value) : undefined;
  if (read?.success !== true) return undefined;
  const { source, bytes, ...row } = read.data;
  return { ...row, sourceId: source, bytes: Buffer.from(bytes, 'base64') };
}

const count = z.int().min(0);

const rejectLineSchema = z.object({
  source: z.string(),
  file: z.string(),
  line: count,
  reason: z.enum(REJECT_REASONS),
  field: z.exactOptional(z.string()),
  detail: z.string(),
  sha256: z.string(),
  sizeBytes: count,
  bytes: z.string(),
});

/** A row of MAX_REJECTED_BYTES in base64, and room for the names beside it, every character of which may be escaped. */
const REJECT_LINE_LIMITS: JsonLimits = { maxChars: 262_144, maxDepth: 2, maxEntries: 16 };

/** Octets of a reject file before it is put aside: with a bad row of 300 octets in base64 some 100,000 rows. */
export const REJECT_FILE_MAX_BYTES = 67_108_864;

/** Reject files that were put aside and are kept: half a GiB in all, so that a format that changed overnight fills no disk. */
export const REJECT_FILES_KEPT = 7;

/**
 * Octets of rows that wait for the disk at most; what comes on top is counted as lost. A whole file of another format in one batch
 * goes through; a disk that does not answer fills no memory.
 */
const MAX_WAITING_REJECT_BYTES = 16_777_216;

/** Options of {@link RejectFile.open}. */
export interface RejectFileOptions {
  /** Made when missing, readable by this user only: rows hold telephone numbers. */
  readonly path: string;
  /** 4,096 or more. Default 67,108,864. */
  readonly maxBytes?: number;
  /** Default 7. */
  readonly filesKept?: number;
}

/**
 * Rejected rows in a file, one line of JSON each. Full, it becomes `PATH.1`, that one `PATH.2`, and the oldest goes. A row may stand there
 * twice after a crash: between it and its place in the source being durable the row is read again.
 * @see {@link readRejects}, which reads them back
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await using rejects = await RejectFile.open({ path: `${directory}/rejects.ndjson` });
 * rejects.reject({ sourceId: 'sbc-1', file: 'cdr.csv', line: 7, reason: 'too-few-fields', detail: '3 fields, not 16',
 *   sha256: sourceSha256('a,b,c'), bytes: new TextEncoder().encode('a,b,c'), sizeBytes: 5 });
 * await rejects.flush();
 * for await (const { line, reason } of readRejects(`${directory}/rejects.ndjson`)) console.log(line, reason); // 7 too-few-fields
 * await rm(directory, { recursive: true });
 * ```
 */
export class RejectFile implements RejectSink, AsyncDisposable {
  readonly #options: RejectFileOptions;
  #file: FileHandle | undefined;
  #sizeBytes: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #running: Promise<void> = Promise.resolve();
  readonly #counts = { written: 0, lost: 0, filesRemoved: 0 };
  #lastFailure: unknown;

  /**
   * Opens the file.
   * @param options - path of the file, octets before it is put aside, and how many of those are kept
   * @returns the file; rows that were handed in are on disk, or counted as lost, once `flush` resolves
   * @throws {@link HopbackError} `storage-failed` when it cannot be opened; later failures are counted
   */
  static async open(options: RejectFileOptions): Promise<RejectFile> {
    const { path } = options;
    const file = await openForAppending(path).catch((cause: unknown) => {
      throw new HopbackError('storage-failed', `The reject file ${path} cannot be opened (${systemCode(cause)}).`, {
        retryable: true,
        cause,
      });
    });
    return new RejectFile(options, file, (await file.stat()).size);
  }

  private constructor(options: RejectFileOptions, file: FileHandle, sizeBytes: number) {
    this.#options = { ...options };
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  reject(row: RejectedRow): void {
    const line = rejectLine(row);
    if (this.#waitingBytes + line.length > MAX_WAITING_REJECT_BYTES) {
      this.#counts.lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
  }

  flush(): Promise<void> {
    this.#running = this.#running.then(() => this.#write());
    return this.#running;
  }

  /** What became of rejected rows since the file was opened. */
  statistics(): {
    /** On disk. */
    readonly written: number;
    /** That the disk did not take: their count is all that is left. */
    readonly lost: number;
    /** Files that were removed, the oldest, to keep within bounds. */
    readonly filesRemoved: number;
    /** Why the last ones were lost. */
    readonly lastFailure?: unknown;
  } {
    return { ...this.#counts, ...(this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure }) };
  }

  /** Writes what waits. Never rejects. */
  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #write(): Promise<void> {
    const { path, maxBytes = REJECT_FILE_MAX_BYTES, filesKept = REJECT_FILES_KEPT } = this.#options;
    const lines = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (lines.length === 0) return;
    try {
      const octets = Buffer.from(lines.join(''));
      if (this.#sizeBytes > 0 && this.#sizeBytes + octets.length > maxBytes) {
        await this.#file?.close();
        this.#file = undefined;
        if (await putAside(path, filesKept)) this.#counts.filesRemoved += 1;
        this.#sizeBytes = 0;
      }
      this.#file ??= await openForAppending(path);
      await this.#file.appendFile(octets);
      await this.#file.datasync();
      this.#sizeBytes += octets.length;
      this.#counts.written += lines.length;
    } catch (error) {
      this.#counts.lost += lines.length;
      this.#lastFailure = error;
    }
  }
}

/**
 * Reads a reject file back, oldest row first, those put aside included. What a killed writer left of a last line is passed over.
 * @param path - of the file, as {@link RejectFile.open} was given it
 * @returns one row at a time; none where there is no file
 * @throws {@link HopbackError} `storage-failed` when a file that is there cannot be read
 * @see {@link RejectFile}
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const rejects = await RejectFile.open({ path: `${directory}/rejects.ndjson` });
 * rejects.reject({ sourceId: 'sbc-1', file: 'cdr.csv', line: 7, reason: 'bad-time', detail: 'month 13',
 *   sha256: sourceSha256('a,b'), bytes: new TextEncoder().encode('a,b'), sizeBytes: 3 });
 * await rejects.close();
 * for await (const { line, detail } of readRejects(`${directory}/rejects.ndjson`)) console.log(line, detail); // 7 month 13
 * await rm(directory, { recursive: true });
 * ```
 */
export async function* readRejects(path: string): AsyncGenerator<RejectedRow> {
  let asides = 0;
  while (await exists(asideName(path, asides + 1))) asides += 1;
  for (let number = asides; number >= 0; number -= 1) {
    const name = number === 0 ? path : asideName(path, number);
    const file = await open(name, 'r').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return undefined;
      throw new HopbackError('storage-failed', 'A reject file cannot be read.', {
        retryable: true,
        cause,
      });
    });
    if (file === undefined) continue;
    for await (const line of file.readLines()) {
      const row = readRejectLine(line);
      if (row !== undefined) yield row;
    }
  }
}

function asideName(path: string, number: number): string {
  return `${path}.${number}`;
}

async function openForAppending(path: string): Promise<FileHandle> {
  await makeFolder(dirname(path));
  const file = await open(path, 'a+', 0o600);
  const { size } = await file.stat();
  // A writer that was killed in the middle of a line: the next one must not be glued to it.
  if (size > 0 && (await lastOctet(file, size)) !== 0x0a) await file.appendFile('\n');
  return file;
}

async function lastOctet(file: FileHandle, sizeBytes: number): Promise<number | undefined> {
  const octet = new Uint8Array(1);
  const { bytesRead } = await file.read(octet, 0, 1, sizeBytes - 1);
  return bytesRead === 1 ? octet[0] : undefined;
}

/** @returns whether a file had to go */
async function putAside(path: string, filesKept: number): Promise<boolean> {
  const oldest = filesKept === 0 ? path : asideName(path, filesKept);
  const isRemoved = await unlink(oldest).then(
    () => true,
    () => false,
  );
  for (let number = filesKept - 1; number >= 1; number -= 1) {
    await moveFile(asideName(path, number), asideName(path, number + 1), { isSynced: false }).catch(() => undefined);
  }
  if (filesKept > 0) await moveFile(path, asideName(path, 1), { isSynced: false });
  return isRemoved;
}
