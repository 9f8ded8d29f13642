import type { Clock } from '../core/runtime/clock.js';
import { parsedJson } from '../core/text.js';
import { HopbackError, isHopbackError } from '../errors.js';
import { NODE_LOG_FILES, storageFailure, systemCode, withFile } from './log-files.js';
import type { LogFiles } from './log-files.js';
import { SEGMENT_HEADER_BYTES, scanSegment } from './segment-format.js';
import { segmentsOf } from './log-recovery.js';
import { SegmentLog } from './segment-log.js';
import type { SegmentLogState } from './segment-log.js';

/** How a journal is opened. */
export interface ValueJournalOptions {
  /** Where its log lies; made when it is not there. One journal a directory, one process a journal. */
  readonly directory: string;
  /** Keys at most, 1 to 1,000,000. Default 10,000. */
  readonly maxKeys?: number;
  /** Longest value, UTF-8 bytes, 1 B to 1 MiB. Default 16,384. */
  readonly maxValueBytes?: number;
  /** The file system. Default Node's. */
  readonly files?: LogFiles;
  /** Tells when an error happened. Default that of the machine. */
  readonly clock?: Clock;
  /** Runs `callback` once, `delayMs` from now, unless the returned function is called before. Default Node's timers. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
}

/** One for each followed file, trunk, peer or stream of a large carrier. */
export const JOURNAL_KEYS = 10_000;
/** A path, with what identifies the file behind it. */
export const JOURNAL_KEY_BYTES = 1_024;
/** An offset with its fingerprint, a token; not a document. */
export const JOURNAL_VALUE_BYTES: number = 16 * 1_024;

const MOST_KEYS = 1_000_000;
const MOST_VALUE_BYTES = 2 ** 20;
/** Small segments, so that what is out of date can be removed soon. */
const JOURNAL_SEGMENT_BYTES = 2 ** 20;
/** Key and value as JSON: each character takes six at most, as `\u0000`. */
const JSON_GROWTH = 6;
/** The oldest live values are written anew while what is on disk has twice the size of all of them and so many bytes beyond. */
const GARBAGE_BYTES: number = 4 * JOURNAL_SEGMENT_BYTES;
/**
 * They are written anew in pieces of so many bytes, the segments before them removed after each: whoever sets a value meanwhile waits for one
 * piece, which takes a slow disk little longer than the sync itself, and a process that is killed again and again gets on with it in each of
 * its lives.
 */
const PIECE_BYTES: number = 128 * 1_024;
/** Where values are set faster than the live ones are written anew, setting waits from so many times that limit on: the disk is finite. */
const OUTRUN_FACTOR = 2;
/** Of a value on disk beside key and value, about: header of the frame, quotes. */
const ENTRY_OVERHEAD_BYTES = 32;

/**
 * Small values by key, of which the latest is durable: how far a file was read, tokens, positions of streams.
 * @see {@link SegmentLog}, on which it lies
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const journal = await ValueJournal.open({ directory });
 * await journal.set('cdr.csv', '{"offset":4096}');
 * console.log(journal.get('cdr.csv')); // {"offset":4096}
 * await journal.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export class ValueJournal implements AsyncDisposable {
  readonly #log: SegmentLog;
  readonly #maxKeys: number;
  readonly #maxValueBytes: number;
  /** By when they were written, the oldest first. */
  readonly #values = new Map<string, LiveValue>();
  /** What the live values take on disk, about. */
  #liveBytes = 0;
  /** Until the live values are written anew, or that has failed. */
  #compacting: Promise<void> | undefined;
  #isClosing = false;

  /**
   * Opens a journal and reads it. Where its files were damaged, a key may have the value that it had before, or none: what stands on it
   * has to bear that, as reading a file again from an earlier offset does when records have ids.
   * @param options - where, and how large
   * @returns the journal
   * @throws {@link HopbackError} `invalid-argument` for a limit out of its bounds; `storage-failed` when the directory cannot be made,
   * listed or read
   */
  static async open(options: ValueJournalOptions): Promise<ValueJournal> {
    const { maxKeys = JOURNAL_KEYS, maxValueBytes = JOURNAL_VALUE_BYTES, ...rest } = options;
    inBounds('maxKeys', maxKeys, MOST_KEYS);
    inBounds('maxValueBytes', maxValueBytes, MOST_VALUE_BYTES);
    const log = await SegmentLog.open({
      ...rest,
      segmentBytes: JOURNAL_SEGMENT_BYTES,
      maxRecordBytes: JSON_GROWTH * (JOURNAL_KEY_BYTES + maxValueBytes) + ENTRY_OVERHEAD_BYTES,
    });
    const journal = new ValueJournal(log, maxKeys, maxValueBytes);
    try {
      await journal.#readAll();
    } catch (error) {
      await log.close().catch(() => undefined);
      throw error;
    }
    return journal;
  }

  private constructor(log: SegmentLog, maxKeys: number, maxValueBytes: number) {
    this.#log = log;
    this.#maxKeys = maxKeys;
    this.#maxValueBytes = maxValueBytes;
  }

  /** The value set last, durable or about to be. Never throws. */
  get(key: string): string | undefined {
    return this.#values.get(key)?.value;
  }

  /**
   * Resolves once the value is durable. Values of a key are kept in the order of the calls.
   * @param key - 1 to 1,024 bytes of UTF-8
   * @param value - undefined removes the key
   * @throws {@link HopbackError} `invalid-argument` when the key or value is too long or there are too many keys; `storage-failed`
   * (retryable) when the disk refuses: `get` gives the value, and it becomes durable when the disk takes it later; `closed`
   */
  async set(key: string, value: string | undefined): Promise<void> {
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = value === undefined ? 0 : Buffer.byteLength(value);
    if (keyBytes < 1 || keyBytes > JOURNAL_KEY_BYTES || valueBytes > this.#maxValueBytes) {
      const text = `a key has 1 to ${JOURNAL_KEY_BYTES} bytes and a value ${this.#maxValueBytes} at most, not ${keyBytes} and ${valueBytes}`;
      throw new HopbackError('invalid-argument', text);
    }
    const isNew = !this.#values.has(key);
    if (value !== undefined && isNew && this.#values.size >= this.#maxKeys) {
      throw new HopbackError('invalid-argument', `the journal has its ${this.#maxKeys} keys already`);
    }
    if (value === undefined && isNew) {
      // It may have been removed just now, and not be so on disk.
      await this.#log.flush();
      return;
    }
    const sequence = this.#write(key, value);
    this.#remember(key, value === undefined ? undefined : { value, sequence });
    await this.#log.flush();
    if (this.#isDue()) this.#compacting ??= this.#compact();
    if (this.#isDue(OUTRUN_FACTOR)) await this.#compacting;
  }

  /** All keys with their values, in no order. Never throws. */
  entries(): readonly (readonly [key: string, value: string])[] {
    return [...this.#values].map(([key, { value }]) => [key, value]);
  }

  /** Bytes on disk and failures, as of {@link SegmentLog.state}. Never throws. */
  state(): SegmentLogState {
    return this.#log.state();
  }

  /**
   * Makes one attempt to write what is not durable yet, and closes. May be called again.
   * @throws {@link HopbackError} `storage-failed` when what was not durable could not be written
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#compacting;
    await this.#log.close();
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #readAll(): Promise<void> {
    let next = this.#log.firstSequence;
    for (;;) {
      const records = await this.#log.read(next);
      const last = records.at(-1);
      if (last === undefined) return;
      for (const { payload, sequence } of records) {
        const [key, value] = journalEntryOf(payload);
        if (key !== undefined) this.#remember(key, value === undefined ? undefined : { value, sequence });
      }
      next = last.sequence + 1;
    }
  }

  #remember(key: string, live: LiveValue | undefined): void {
    const before = this.#values.get(key);
    if (before !== undefined) this.#liveBytes -= entryBytes(key, before.value);
    // Taken out first, so that it comes behind all that are older.
    this.#values.delete(key);
    if (live === undefined) return;
    this.#values.set(key, live);
    this.#liveBytes += entryBytes(key, live.value);
  }

  #write(key: string, value: string | undefined): number {
    const appended = this.#log.append(JSON.stringify(value === undefined ? [key] : [key, value]));
    if (appended.accepted) return appended.sequence;
    if (appended.reason === 'closed') throw new HopbackError('closed', 'the journal is closed');
    const details = { reason: appended.reason };
    throw new HopbackError('storage-failed', `the journal takes no value: ${appended.reason}`, {
      retryable: true,
      details,
    });
  }

  #isDue(times = 1): boolean {
    return this.#log.state().sizeBytes > times * (2 * this.#liveBytes + GARBAGE_BYTES);
  }

  /** Makes room, piece by piece. A refusal is no matter of whoever sets a value: it comes again. */
  async #compact(): Promise<void> {
    try {
      while (this.#isDue() && !this.#isClosing) await this.#writeOldestAnew();
    } catch {
      // The values are durable where they were, and the segments still there.
    } finally {
      this.#compacting = undefined;
    }
  }

  /** Writes the oldest live values anew, and removes the segments that hold nothing else. What removed a key goes with what it removed. */
  async #writeOldestAnew(): Promise<void> {
    const newest = this.#log.lastSequence;
    let written = 0;
    for (const [key, { value, sequence }] of this.#values) {
      if (written >= PIECE_BYTES || sequence > newest) break;
      this.#remember(key, { value, sequence: this.#write(key, value) });
      written += entryBytes(key, value);
    }
    // As it is now: what is set while the disk is waited for has its value before on the disk, and keeps it until its own is there.
    const [oldest] = this.#values.values();
    await this.#log.flush();
    await this.#log.trim((oldest?.sequence ?? newest + 1) - 1);
  }
}

function inBounds(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new HopbackError('invalid-argument', `${name} must be an integer from 1 to ${most}, not ${value}`);
}

/** The latest value of a key, and where it lies. */
interface LiveValue {
  readonly value: string;
  readonly sequence: number;
}

/** Key and value of a record of a journal; no key where nobody here wrote it. */
function journalEntryOf(payload: Uint8Array): readonly [key: string | undefined, value: string | undefined] {
  const entry = parsedJson(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'));
  const [key, value] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
  return [typeof key === 'string' ? key : undefined, typeof value === 'string' ? value : undefined];
}

function entryBytes(key: string, value: string): number {
  return key.length + value.length + ENTRY_OVERHEAD_BYTES;
}

/** Read at once. */
const WINDOW_BYTES = 2 ** 20;
/** While it is read the journal may be written anew; each attempt sees the files of a moment. */
const MOST_ATTEMPTS = 5;

/**
 * Reads the values of a journal without opening it: nothing is written, locked or repaired, so that another process may have it open
 * meanwhile. What that process has set last may be in it or not.
 * @param directory - of the journal
 * @param options - `files`: the file system. Default Node's
 * @returns all keys with their values, in no order; empty where there is no journal
 * @throws {@link HopbackError} `storage-failed` (retryable) when the disk does not give them, or the journal is written anew faster than it
 * can be read
 * @see {@link ValueJournal}
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const journal = await ValueJournal.open({ directory });
 * await journal.set('cdr.csv', '{"offset":4096}');
 * console.log((await readValueJournal(directory)).get('cdr.csv')); // {"offset":4096}
 * await journal.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function readValueJournal(
  directory: string,
  options: { readonly files?: LogFiles } = {},
): Promise<ReadonlyMap<string, string>> {
  const { files = NODE_LOG_FILES } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readOnce(directory, files);
    } catch (error) {
      // A segment that was listed and is gone: its values stand in a newer one.
      if (isHopbackError(error)) throw error;
      if (systemCode(error) !== 'ENOENT' || attempt === MOST_ATTEMPTS) throw storageFailure('read', error);
    }
  }
}

async function readOnce(directory: string, files: LogFiles): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const listed = await files.list(directory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const segments = await segmentsOf(listed, { directory, files });
  for (const [index, segment] of segments.entries()) {
    // What a segment has at or above the first of a later one is void.
    const end = Math.min(...segments.slice(index + 1).map(({ name }) => name.first));
    await withFile(files, segment.path, (file) =>
      scanSegment(file, {
        mark: segment.name.mark,
        from: SEGMENT_HEADER_BYTES,
        to: segment.sizeBytes,
        windowBytes: WINDOW_BYTES,
        skipUnreadable: false,
        visit: (frame) => {
          if (frame.kind !== 'record' || frame.sequence >= end) return true;
          const [key, value] = journalEntryOf(frame.bytes.subarray(frame.start, frame.end));
          if (key === undefined) return true;
          if (value === undefined) values.delete(key);
          else values.set(key, value);
          return true;
        },
        damaged: () => undefined,
      }),
    );
  }
  return values;
}
