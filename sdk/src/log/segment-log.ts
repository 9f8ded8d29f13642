import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { MACHINE_CLOCK } from '../core/runtime/clock.js';
import type { Clock } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';
import { NODE_LOG_FILES, asked, logErrorOf } from './log-files.js';
import type { LogFiles } from './log-files.js';
import { recoverSegments, settleDoubt } from './log-recovery.js';
import type { Doubt, Recovered } from './log-recovery.js';
import { createSegmentCatalogue, readRecords, visitRecords } from './segment-catalogue.js';
import type { ReadRequest, ReadSource, Segment, SegmentCatalogue } from './segment-catalogue.js';
import { FRAME_HEADER_BYTES, LONGEST_RECORD_BYTES, markOf } from './segment-format.js';
import { GroupCommit, createPendingRecords, removed, SegmentWriter } from './segment-writer.js';
import type { PendingRecords } from './segment-writer.js';

/** How a log is opened. */
export interface SegmentLogOptions {
  /** Where the segments lie; made when it is not there. One log a directory, one process a log. */
  readonly directory: string;
  /** A segment that has reached so many bytes is followed by a new one, 4 KiB to 1 GiB. Default 67,108,864. */
  readonly segmentBytes?: number;
  /** Longest record taken, 1 B to 16 MiB. Default 1,048,576. */
  readonly maxRecordBytes?: number;
  /** Bytes that may be appended and not durable yet, headers of records included. Default 67,108,864. */
  readonly maxPendingBytes?: number;
  /**
   * Sequence numbers at or below are not given again, whatever is left of the files: who has acknowledged records of this log elsewhere
   * hands in the highest of them. Default 0.
   */
  readonly afterSequence?: number;
  /** The file system. Default Node's. */
  readonly files?: LogFiles;
  /** Tells when an error happened. Default that of the machine. */
  readonly clock?: Clock;
  /** Runs `callback` once, `delayMs` from now, unless the returned function is called before. Default Node's timers. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
}

/** What became of a record that was handed in. Accepted is not yet durable: that is `durableSequence`. */
export type Appended =
  | { readonly accepted: true; readonly sequence: number }
  | {
      readonly accepted: false;
      /**
       * - `full`: `maxPendingBytes` are waiting for the disk; later there is room again.
       * - `too-large`: longer than `maxRecordBytes`; never will be taken.
       * - `closed`: {@link SegmentLog.close} was called.
       * - `failed`: there is no memory for it.
       */
      readonly reason: 'full' | 'too-large' | 'closed' | 'failed';
    };

/** A record as it was appended. */
export interface LogRecord {
  /** 1 for the first of a log; each next one greater than the one before. A number that is missing was lost. */
  readonly sequence: number;
  /** The bytes. They share memory with those of the other records of the same read: keep a copy of what is kept for long. */
  readonly payload: Uint8Array;
}

/** A log as it stands. */
export interface SegmentLogState {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly durableSequence: number;
  readonly segments: number;
  /** On disk, bytes. */
  readonly sizeBytes: number;
  /** Appended and not durable. */
  readonly pendingRecords: number;
  readonly pendingBytes: number;
  /** Whether the last attempt to write was refused by the disk; it is tried again by itself. */
  readonly isFailing: boolean;
  /** Attempts that the disk refused since the log was opened. */
  readonly failures: number;
  readonly lastError?: {
    /** As the system calls it: `ENOSPC`, `EIO`, … */
    readonly code: string;
    readonly operation: 'create' | 'write' | 'sync' | 'sync-directory' | 'remove' | 'read';
    /** Milliseconds since the epoch. */
    readonly atMs: number;
  };
  /**
   * What could not be found again of what had been written. Counted since the log was opened, each loss once, when a reader comes across
   * it; what the newest segment lacks is counted by opening.
   */
  readonly lost: {
    /** Records that were durable, by the numbers around them, and are gone. */
    readonly records: number;
    /** Records that were being written when the log ended, and are gone: a crash between write and sync, of which none was acknowledged. */
    readonly recordsInDoubt: number;
    /** Bytes that are no records: cut or damaged ones. */
    readonly damagedBytes: number;
    /** Those of them that the disk would not give and that were stepped over. */
    readonly unreadableBytes: number;
  };
  /** Calls of `onDurable` listeners that threw. */
  readonly listenerFailures: number;
}

/** Large enough that rolling costs nothing, small enough that trimming frees room soon and a restart reads the newest in a blink. */
export const SEGMENT_BYTES: number = 64 * 2 ** 20;
/** A call record with all its evidence is a few kilobytes. */
export const RECORD_BYTES: number = 2 ** 20;
/** About a second of a fast disk; what a dying process can lose of unacknowledged records. */
export const PENDING_BYTES: number = 64 * 2 ** 20;
/** One batch to send. */
export const READ_BYTES: number = 2 ** 20;
/** As `READ_BYTES`, for short records. */
export const READ_RECORDS = 10_000;

/** A segment of fewer bytes is not worth a file. */
const LEAST_SEGMENT_BYTES = 4_096;
/** What a reader of a segment may have to look through. */
const LARGEST_SEGMENT_BYTES = 2 ** 30;
/** Records that wait lie in chunks of so many bytes, and segments end between chunks: four to a segment at least. */
const LARGEST_CHUNK_BYTES = 256 * 1_024;
/** Written and synced at once at most: a disk gains nothing by more, and while it works the room of what it has done is filled again. */
const GROUP_BYTES = 8 * 2 ** 20;

/** How much is read at once. */
type ReadOptions = NonNullable<Parameters<SegmentLog['read']>[1]>;

/** Is shown records. */
export type RecordVisitor = Parameters<SegmentLog['visit']>[1];

/**
 * An append-only log of records, numbered, checksummed and durable by groups.
 * @see {@link ValueJournal} for the latest value of each key
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const log = await SegmentLog.open({ directory });
 * console.log(log.append('{"callId":"a84b4c76e66710@192.0.2.1"}')); // { accepted: true, sequence: 1 }
 * console.log(await log.flush()); // 1
 * const [record] = await log.read(1);
 * console.log(record?.sequence, record?.payload.length); // 1 37
 * await log.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export class SegmentLog implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #catalogue: SegmentCatalogue;
  readonly #mark = markOf(randomBytes(4));
  readonly #pending: PendingRecords;
  readonly #writer: SegmentWriter;
  readonly #commits: GroupCommit;
  readonly #listeners = new Set<(durableSequence: number) => void>();
  readonly #recordsInDoubt: number;
  #lastSequence: number;
  #durableSequence: number;
  /** What was visited last was read into it. */
  #window: Buffer | undefined;
  /** Until it is settled. */
  #doubt: Doubt | undefined;
  #failures = 0;
  #lastError: SegmentLogState['lastError'];
  #listenerFailures = 0;
  #closing: Promise<void> | undefined;

  /**
   * Opens a log, whatever state its files are in: what is damaged is left out and counted, what a crash left in doubt is made durable anew.
   * Segments before the newest are looked at when they are read.
   * @param options - where, and how large
   * @returns the log; its records are durable up to `durableSequence`, unless the disk refuses to make those in doubt so: then it is tried
   * again as `state` says
   * @throws {@link HopbackError} `invalid-argument` for a limit out of its bounds; `storage-failed` when the directory cannot be made or
   * listed, or a later release wrote it
   */
  static async open(options: SegmentLogOptions): Promise<SegmentLog> {
    const settings = settingsOf(options);
    const { directory, files } = settings;
    const catalogue = createSegmentCatalogue();
    const log = new SegmentLog(settings, catalogue, await recoverSegments({ directory, files, catalogue }));
    // Refused, it is tried again by itself.
    if (log.#doubt !== undefined) await log.#commits.reached(log.#lastSequence).catch(() => undefined);
    return log;
  }

  private constructor(settings: Settings, catalogue: SegmentCatalogue, recovered: Recovered) {
    const { directory, files, segmentBytes, schedule } = settings;
    const { ordinal, doubt, missingInDoubt } = recovered;
    this.#settings = settings;
    this.#catalogue = catalogue;
    this.#pending = createPendingRecords(this.#mark, Math.min(LARGEST_CHUNK_BYTES, Math.floor(segmentBytes / 4)));
    this.#writer = new SegmentWriter({
      directory,
      files,
      catalogue,
      mark: this.#mark,
      segmentBytes,
      ordinal,
    });
    this.#commits = new GroupCommit({
      hasWork: () => this.#doubt !== undefined || this.#pending.count > 0,
      commit: () => this.#commit(),
      durableSequence: () => this.#durableSequence,
      onRefused: (error) => {
        this.#failures += 1;
        this.#noteError(error);
      },
      schedule,
    });
    this.#recordsInDoubt = missingInDoubt;
    this.#lastSequence = Math.max(recovered.lastSequence, settings.afterSequence);
    this.#durableSequence = doubt === undefined ? this.#lastSequence : doubt.first - 1;
    this.#doubt = doubt === undefined ? undefined : { ...doubt, next: this.#lastSequence + 1 };
  }

  /** Everything up to it has been synced to the disk: acknowledged means at or below it. */
  get durableSequence(): number {
    return this.#durableSequence;
  }

  /** Of the record appended last; the one before the next when there is none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Of the oldest record that is kept; `lastSequence + 1` when there is none. */
  get firstSequence(): number {
    const next = this.#lastSequence + 1;
    return Math.min(this.#catalogue.segments[0]?.first ?? next, next);
  }

  /**
   * Takes a record. Synchronous, in bounded time, never waits for the disk, never throws; the bytes are copied.
   * @param payload - 0 bytes to `maxRecordBytes`; text becomes UTF-8
   */
  append(payload: Uint8Array | string): Appended {
    if (this.#closing !== undefined) return REFUSED.closed;
    const { maxRecordBytes, maxPendingBytes } = this.#settings;
    try {
      const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
      if (payloadBytes > maxRecordBytes) return REFUSED['too-large'];
      if (this.#pending.bytes + FRAME_HEADER_BYTES + payloadBytes > maxPendingBytes) return REFUSED.full;
      const sequence = this.#lastSequence + 1;
      this.#pending.add(payload, payloadBytes, sequence);
      this.#lastSequence = sequence;
      this.#commits.wake();
      return { accepted: true, sequence };
    } catch {
      return REFUSED.failed;
    }
  }

  /**
   * Waits until what has been appended so far is durable.
   * @returns `durableSequence` then
   * @throws {@link HopbackError} `storage-failed` (retryable) when the disk refuses the attempt, or the next one when the last was refused.
   * Nothing pending is acknowledged then; it is kept and tried again. `closed` when the log is closed before.
   */
  async flush(): Promise<number> {
    this.#requireOpen();
    await this.#commits.reached(this.#lastSequence);
    return this.#durableSequence;
  }

  /**
   * Calls back whenever `durableSequence` has advanced.
   * @returns ends it
   */
  onDurable(listener: (durableSequence: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Reads durable records in order.
   * @param fromSequence - the first wanted; where it is gone, the next that is there
   * @returns empty when there is none (yet)
   * @throws {@link HopbackError} `storage-failed` (retryable) when the disk does not give them; `closed`
   */
  read(
    fromSequence: number,
    options: {
      /** Bytes of payload at most; the first record is given even when it is longer. Default 1,048,576. */
      readonly maxBytes?: number;
      /** Records at most. Default 10,000. */
      readonly maxRecords?: number;
      /**
       * Whether blocks that the disk does not give are stepped over and their records counted as lost. Default false: the read is refused,
       * and may succeed later.
       */
      readonly skipUnreadable?: boolean;
    } = {},
  ): Promise<readonly LogRecord[]> {
    return this.#reading(fromSequence, options, readRecords);
  }

  /**
   * Shows durable records in order, without an object for each: for who takes hundreds of thousands a second.
   * @param fromSequence - the first wanted; where it is gone, the next that is there
   * @param visit - is shown each record: its payload is what `bytes` has from offset `start` to before `end`. Does not throw; the bytes are
   * written over when it has returned
   * @returns how many were shown
   * @throws {@link HopbackError} `storage-failed` (retryable) when the disk does not give the next one; `closed`
   */
  visit(
    fromSequence: number,
    visit: (sequence: number, bytes: Uint8Array, start: number, end: number) => void,
    options: NonNullable<Parameters<SegmentLog['read']>[1]> = {},
  ): Promise<number> {
    return this.#reading(fromSequence, options, async (source, request) => {
      // Into the same memory as before, unless another reader has it: pages that are new cost more than what is read into them.
      let window = this.#window;
      this.#window = undefined;
      const windowOf = (bytes: number): Buffer => {
        if (window === undefined || window.length < bytes) window = Buffer.allocUnsafeSlow(bytes);
        return window.subarray(0, bytes);
      };
      try {
        return await visitRecords(source, { ...request, visit, windowOf });
      } finally {
        this.#window = window;
      }
    });
  }

  /**
   * Removes segments all of whose records are at or below, oldest first; the newest stays, unless the disk is full and its room is needed.
   * @throws {@link HopbackError} `storage-failed` (retryable) when the disk refuses; `closed`
   */
  async trim(throughSequence: number): Promise<void> {
    this.#requireOpen();
    try {
      await this.#commits.between(() => this.#trimThrough(throughSequence));
    } catch (error) {
      this.#noteError(error);
      throw error;
    }
    if (this.#commits.isFailing) this.#commits.retryNow();
  }

  /** Never throws. */
  state(): SegmentLogState {
    const { records, damagedBytes, unreadableBytes } = this.#catalogue.losses();
    return {
      firstSequence: this.firstSequence,
      lastSequence: this.#lastSequence,
      durableSequence: this.#durableSequence,
      segments: this.#catalogue.segments.length,
      sizeBytes: this.#catalogue.sizeBytes,
      pendingRecords: this.#pending.count,
      pendingBytes: this.#pending.bytes,
      isFailing: this.#commits.isFailing,
      failures: this.#failures,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      lost: { records, recordsInDoubt: this.#recordsInDoubt, damagedBytes, unreadableBytes },
      listenerFailures: this.#listenerFailures,
    };
  }

  /**
   * Takes no more records, makes one attempt to write what is pending, and closes the files. May be called again.
   * @throws {@link HopbackError} `storage-failed` when what was pending could not be written: it is lost
   */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new HopbackError('closed', 'the log is closed');
  }

  async #commit(): Promise<void> {
    const doubt = this.#doubt;
    if (doubt !== undefined) {
      const { directory, files } = this.#settings;
      const refusal = await settleDoubt(doubt, {
        directory,
        files,
        catalogue: this.#catalogue,
        writer: this.#writer,
        mark: this.#mark,
      });
      if (refusal !== undefined) this.#noteError(refusal);
      this.#doubt = undefined;
      this.#advance(doubt.next - 1);
      return;
    }
    const group = this.#pending.group(Math.min(GROUP_BYTES, this.#writer.room()));
    if (group === undefined) return;
    await this.#writer.write(group);
    this.#pending.release(group);
    this.#advance(group.last);
  }

  #advance(durableSequence: number): void {
    if (durableSequence <= this.#durableSequence) return;
    this.#durableSequence = durableSequence;
    for (const listener of this.#listeners) {
      try {
        listener(durableSequence);
      } catch {
        // A mistake of the listener's is no reason to stop writing.
        this.#listenerFailures += 1;
      }
    }
  }

  #noteError(error: unknown): void {
    this.#lastError = logErrorOf(error, this.#settings.clock);
  }

  /** Reads by either way, the limits checked. */
  async #reading<Result>(
    fromSequence: number,
    { maxBytes = READ_BYTES, maxRecords = READ_RECORDS, skipUnreadable = false }: ReadOptions,
    read: (source: ReadSource, request: ReadRequest) => Promise<Result>,
  ): Promise<Result> {
    this.#requireOpen();
    inBounds('maxBytes', maxBytes, [1, Number.MAX_SAFE_INTEGER]);
    inBounds('maxRecords', maxRecords, [1, Number.MAX_SAFE_INTEGER]);
    inBounds('fromSequence', fromSequence, [0, Number.MAX_SAFE_INTEGER]);
    const { directory, files } = this.#settings;
    const source = { directory, files, catalogue: this.#catalogue, durableSequence: this.#durableSequence };
    try {
      return await read(source, { fromSequence, maxBytes, maxRecords, skipUnreadable });
    } catch (error) {
      this.#noteError(error);
      throw error;
    }
  }

  /** Oldest first, so that a crash leaves no hole. */
  async #trimThrough(through: number): Promise<void> {
    const catalogue = this.#catalogue;
    const durableSequence = this.#durableSequence;
    const reach = Math.min(through, durableSequence);
    for (const segment of [...catalogue.segments]) {
      const last = catalogue.lastOf(segment);
      if (last === undefined || last > reach) break;
      await this.#remove(segment);
    }
    // The room of the newest is what the disk lacks.
    const mayEmpty = this.#commits.isFailing && this.#doubt === undefined;
    const newest = catalogue.newest();
    if (!mayEmpty || newest === undefined || newest.sizeBytes === 0 || durableSequence > reach) return;
    if (catalogue.segments.length > 1) return;
    // Its name keeps the sequence number; an empty file needs no block of a full disk.
    await this.#writer.succeed(durableSequence + 1);
    await this.#remove(newest);
  }

  async #remove(segment: Segment): Promise<void> {
    const { directory, files } = this.#settings;
    await asked('remove', () => removed(files, join(directory, segment.fileName)));
    this.#catalogue.remove(segment);
  }

  async #finish(): Promise<void> {
    await this.#commits.end();
    const records = this.#pending.count;
    const isWhole = records === 0 && this.#doubt === undefined;
    await this.#writer.close(isWhole ? this.#lastSequence + 1 : undefined);
    if (isWhole) return;
    const details = { records, code: this.#lastError?.code ?? 'EUNKNOWN' };
    throw new HopbackError('storage-failed', `${records} records could not be written before the log was closed`, {
      details,
    });
  }
}

const REFUSED = {
  full: { accepted: false, reason: 'full' },
  'too-large': { accepted: false, reason: 'too-large' },
  closed: { accepted: false, reason: 'closed' },
  failed: { accepted: false, reason: 'failed' },
} as const satisfies Record<string, Appended>;

type Settings = ReturnType<typeof settingsOf>;

function settingsOf(options: SegmentLogOptions) {
  const { segmentBytes = SEGMENT_BYTES, maxRecordBytes = RECORD_BYTES, maxPendingBytes = PENDING_BYTES } = options;
  const { directory, afterSequence = 0, files = NODE_LOG_FILES } = options;
  const { clock = MACHINE_CLOCK, schedule = MACHINE_CLOCK.schedule } = options;
  inBounds('segmentBytes', segmentBytes, [LEAST_SEGMENT_BYTES, LARGEST_SEGMENT_BYTES]);
  inBounds('maxRecordBytes', maxRecordBytes, [1, LONGEST_RECORD_BYTES]);
  inBounds('maxPendingBytes', maxPendingBytes, [maxRecordBytes + FRAME_HEADER_BYTES, Number.MAX_SAFE_INTEGER]);
  inBounds('afterSequence', afterSequence, [0, Number.MAX_SAFE_INTEGER]);
  return {
    directory,
    segmentBytes,
    maxRecordBytes,
    maxPendingBytes,
    afterSequence,
    files,
    clock,
    schedule,
  };
}

function inBounds(name: string, value: number, [least, most]: readonly [least: number, most: number]): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new HopbackError('invalid-argument', `${name} must be an integer from ${least} to ${most}, not ${value}`);
}
