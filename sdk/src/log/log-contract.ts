import type { Clock } from '../core/runtime/clock.js';
import type { LogFiles } from './log-files.js';
import type { LogOperation } from './storage-failure.js';

/** How a log is opened. */
export interface SegmentLogOptions {
  /** Where the segments lie; made when it is not there. One log a directory, one process a log. */
  readonly directory: string;
  /** A segment that has reached so many bytes is followed by a new one, 4 KiB to 1 GiB. Default {@link SEGMENT_BYTES}. */
  readonly segmentBytes?: number;
  /** Longest record taken, 1 B to 16 MiB. Default {@link RECORD_BYTES}. */
  readonly maxRecordBytes?: number;
  /** Bytes that may be appended and not durable yet, headers of records included. Default {@link PENDING_BYTES}. */
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

/** Is shown a record: its payload is what `bytes` has from offset `start` to before offset `end`. */
export type RecordVisitor = (sequence: number, bytes: Uint8Array, start: number, end: number) => void;

/** How much is read at once. */
export interface ReadOptions {
  /** Bytes of payload at most; the first record is given even when it is longer. Default {@link READ_BYTES}. */
  readonly maxBytes?: number;
  /** Records at most. Default {@link READ_RECORDS}. */
  readonly maxRecords?: number;
  /**
   * Whether blocks that the disk does not give are stepped over and their records counted as lost. Default false: the read is refused,
   * and may succeed later.
   */
  readonly skipUnreadable?: boolean;
}

/**
 * What could not be found again of what had been written. Counted since the log was opened, each loss once, when a reader comes across
 * it; what the newest segment lacks is counted by opening.
 */
export interface LogLosses {
  /** Records that were durable, by the numbers around them, and are gone. */
  readonly records: number;
  /** Records that were being written when the log ended, and are gone: a crash between write and sync, of which none was acknowledged. */
  readonly recordsInDoubt: number;
  /** Bytes that are no records: cut or damaged ones. */
  readonly damagedBytes: number;
  /** Those of them that the disk would not give and that were stepped over. */
  readonly unreadableBytes: number;
}

/** The disk refused. */
export interface LogError {
  /** As the system calls it: `ENOSPC`, `EIO`, … */
  readonly code: string;
  readonly operation: LogOperation;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
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
  readonly lastError?: LogError;
  readonly lost: LogLosses;
  /** Calls of `onDurable` listeners that threw. */
  readonly listenerFailures: number;
}

/**
 * An append-only log of records, numbered, checksummed and durable by groups.
 */
export interface SegmentLog extends AsyncDisposable {
  /**
   * Takes a record. Synchronous, in bounded time, never waits for the disk, never throws; the bytes are copied.
   * @param payload - 0 bytes to `maxRecordBytes`; text becomes UTF-8
   */
  readonly append: (payload: Uint8Array | string) => Appended;
  /** Everything up to it has been synced to the disk: acknowledged means at or below it. */
  readonly durableSequence: number;
  /** Of the record appended last; the one before the next when there is none. */
  readonly lastSequence: number;
  /** Of the oldest record that is kept; `lastSequence + 1` when there is none. */
  readonly firstSequence: number;
  /**
   * Waits until what has been appended so far is durable.
   * @returns `durableSequence` then
   * @throws HopbackError `storage-failed` (retryable) when the disk refuses the attempt, or the next one when the last was refused.
   * Nothing pending is acknowledged then; it is kept and tried again. `closed` when the log is closed before.
   */
  readonly flush: () => Promise<number>;
  /**
   * Calls back whenever `durableSequence` has advanced.
   * @returns ends it
   */
  readonly onDurable: (listener: (durableSequence: number) => void) => () => void;
  /**
   * Reads durable records in order.
   * @param fromSequence - the first wanted; where it is gone, the next that is there
   * @returns empty when there is none (yet)
   * @throws HopbackError `storage-failed` (retryable) when the disk does not give them; `closed`
   */
  readonly read: (fromSequence: number, options?: ReadOptions) => Promise<readonly LogRecord[]>;
  /**
   * Shows durable records in order, without an object for each: for who takes hundreds of thousands a second.
   * @param fromSequence - the first wanted; where it is gone, the next that is there
   * @param visit - does not throw; the bytes it is shown are written over when it has returned
   * @returns how many were shown
   * @throws HopbackError `storage-failed` (retryable) when the disk does not give the next one; `closed`
   */
  readonly visit: (fromSequence: number, visit: RecordVisitor, options?: ReadOptions) => Promise<number>;
  /**
   * Removes segments all of whose records are at or below; the newest stays, unless the disk is full and its room is needed.
   * @throws HopbackError `storage-failed` (retryable) when the disk refuses; `closed`
   */
  readonly trim: (throughSequence: number) => Promise<void>;
  /** Never throws. */
  readonly state: () => SegmentLogState;
  /**
   * Takes no more records, makes one attempt to write what is pending, and closes the files. May be called again.
   * @throws HopbackError `storage-failed` when what was pending could not be written: it is lost
   */
  readonly close: () => Promise<void>;
}

/** Large enough that rolling costs nothing, small enough that trimming frees room soon and a restart reads the newest in a blink. */
export const SEGMENT_BYTES: number = 64 * 2 ** 20;
/** A call record with all its evidence is a few kilobytes. */
export const RECORD_BYTES: number = 2 ** 20;
/** About a second of a fast disk; what a dying process can lose of unacknowledged records. */
export const PENDING_BYTES: number = 64 * 2 ** 20;
/** One batch to send. */
export const READ_BYTES: number = 2 ** 20;
/** As {@link READ_BYTES}, for short records. */
export const READ_RECORDS = 10_000;
