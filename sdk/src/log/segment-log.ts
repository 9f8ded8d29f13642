import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { MACHINE_CLOCK } from '../core/runtime/clock.js';
import type { Clock } from '../core/runtime/clock.js';
import { HopbackError } from '../errors.js';
import { NODE_LOG_FILES, asked, logErrorOf } from './log-files.js';
import type { LogFiles, LogOperation } from './log-files.js';
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

/** Is shown a record: its payload is what `bytes` has from offset `start` to before offset `end`. */
export type RecordVisitor = (sequence: number, bytes: Uint8Array, start: number, end: number) => void;

/** How much is read at once. */
export type ReadOptions = NonNullable<Parameters<SegmentLog['read']>[1]>;

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
  readonly read: (
    fromSequence: number,
    options?: {
      /** Bytes of payload at most; the first record is given even when it is longer. Default `READ_BYTES`. */
      readonly maxBytes?: number;
      /** Records at most. Default 10,000. */
      readonly maxRecords?: number;
      /**
       * Whether blocks that the disk does not give are stepped over and their records counted as lost. Default false: the read is refused,
       * and may succeed later.
       */
      readonly skipUnreadable?: boolean;
    },
  ) => Promise<readonly LogRecord[]>;
  /**
   * Shows durable records in order, without an object for each: for who takes hundreds of thousands a second.
   * @param fromSequence - the first wanted; where it is gone, the next that is there
   * @param visit - does not throw; the bytes it is shown are written over when it has returned
   * @returns how many were shown
   * @throws HopbackError `storage-failed` (retryable) when the disk does not give the next one; `closed`
   */
  readonly visit: (
    fromSequence: number,
    visit: RecordVisitor,
    options?: NonNullable<Parameters<SegmentLog['read']>[1]>,
  ) => Promise<number>;
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
/** As `READ_BYTES`, for short records. */
export const READ_RECORDS = 10_000;

/** What is trimmed. */
export interface TrimSource {
  readonly catalogue: SegmentCatalogue;
  readonly writer: SegmentWriter;
  readonly settings: { readonly directory: string; readonly files: LogFiles };
  readonly durableSequence: number;
  /** Whether the newest segment may go too: its room is what the disk lacks. */
  readonly mayEmpty: boolean;
}

/**
 * Removes the segments that have nothing above a sequence number, oldest first, so that a crash leaves no hole.
 * @throws HopbackError `storage-failed` (retryable) when the disk refuses
 */
export async function trimSegments(source: TrimSource, through: number): Promise<void> {
  const { catalogue, writer, durableSequence, mayEmpty } = source;
  const reach = Math.min(through, durableSequence);
  for (const segment of [...catalogue.segments]) {
    const last = catalogue.lastOf(segment);
    if (last === undefined || last > reach) break;
    await remove(source, segment);
  }
  const newest = catalogue.newest();
  if (!mayEmpty || newest === undefined || newest.sizeBytes === 0 || durableSequence > reach) return;
  if (catalogue.segments.length > 1) return;
  // Its name keeps the sequence number; an empty file needs no block of a full disk.
  await writer.succeed(durableSequence + 1);
  await remove(source, newest);
}

async function remove({ catalogue, settings }: TrimSource, segment: Segment): Promise<void> {
  await asked('remove', () => removed(settings.files, join(settings.directory, segment.fileName)));
  catalogue.remove(segment);
}

/** A segment of fewer bytes is not worth a file. */
const LEAST_SEGMENT_BYTES = 4_096;
/** What a reader of a segment may have to look through. */
const LARGEST_SEGMENT_BYTES = 2 ** 30;
/** Records that wait lie in chunks of so many bytes, and segments end between chunks: four to a segment at least. */
const LARGEST_CHUNK_BYTES = 256 * 1_024;
/** Written and synced at once at most: a disk gains nothing by more, and while it works the room of what it has done is filled again. */
const GROUP_BYTES = 8 * 2 ** 20;

/**
 * Opens a log, whatever state its files are in: what is damaged is left out and counted, what a crash left in doubt is made durable anew.
 * Segments before the newest are looked at when they are read.
 * @param options - where, and how large
 * @returns the log; its records are durable up to `durableSequence`, unless the disk refuses to make those in doubt so: then it is tried
 * again as `state` says
 * @throws HopbackError `invalid-argument` for a limit out of its bounds; `storage-failed` when the directory cannot be made or listed
 * @see {@link openValueJournal} for the latest value of each key
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const log = await openSegmentLog({ directory });
 * console.log(log.append('{"callId":"a84b4c76e66710@192.0.2.1"}')); // { accepted: true, sequence: 1 }
 * console.log(await log.flush()); // 1
 * const [record] = await log.read(1);
 * console.log(record?.sequence, record?.payload.length); // 1 37
 * await log.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openSegmentLog(options: SegmentLogOptions): Promise<SegmentLog> {
  const settings = settingsOf(options);
  const { directory, files } = settings;
  const catalogue = createSegmentCatalogue();
  const recovered = await recoverSegments({ directory, files, catalogue });
  const core = createCore(settings, catalogue, recovered);
  // Refused, it is tried again by itself.
  if (core.doubt !== undefined) await core.commits.reached(core.lastSequence).catch(() => undefined);
  return logOf(core);
}

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

/** What the functions of a log share. */
interface LogCore {
  readonly settings: Settings;
  readonly catalogue: SegmentCatalogue;
  readonly pending: PendingRecords;
  readonly writer: SegmentWriter;
  readonly commits: GroupCommit;
  readonly listeners: Set<(durableSequence: number) => void>;
  readonly recordsInDoubt: number;
  lastSequence: number;
  durableSequence: number;
  /** What was visited last was read into it. */
  window: Buffer | undefined;
  /** Until it is settled. */
  doubt: Doubt | undefined;
  failures: number;
  lastError: LogError | undefined;
  listenerFailures: number;
  closing: Promise<void> | undefined;
}

function createCore(settings: Settings, catalogue: SegmentCatalogue, recovered: Recovered): LogCore {
  const { directory, files, segmentBytes, schedule } = settings;
  const mark = markOf(randomBytes(4));
  const { ordinal, doubt } = recovered;
  const lastSequence = Math.max(recovered.lastSequence, settings.afterSequence);
  const core: LogCore = {
    settings,
    catalogue,
    pending: createPendingRecords(mark, Math.min(LARGEST_CHUNK_BYTES, Math.floor(segmentBytes / 4))),
    writer: new SegmentWriter({
      directory,
      files,
      catalogue,
      mark,
      segmentBytes,
      ordinal,
    }),
    commits: new GroupCommit({
      hasWork: () => core.doubt !== undefined || core.pending.count > 0,
      commit: () => commit(core, mark),
      durableSequence: () => core.durableSequence,
      onRefused: (error) => {
        core.failures += 1;
        noteError(core, error);
      },
      schedule,
    }),
    listeners: new Set(),
    recordsInDoubt: recovered.missingInDoubt,
    lastSequence,
    durableSequence: doubt === undefined ? lastSequence : doubt.first - 1,
    window: undefined,
    doubt: doubt === undefined ? undefined : { ...doubt, next: lastSequence + 1 },
    failures: 0,
    lastError: undefined,
    listenerFailures: 0,
    closing: undefined,
  };
  return core;
}

function logOf(core: LogCore): SegmentLog {
  return {
    append: (payload) => append(core, payload),
    get durableSequence() {
      return core.durableSequence;
    },
    get lastSequence() {
      return core.lastSequence;
    },
    get firstSequence() {
      return firstSequence(core);
    },
    flush: async () => {
      if (core.closing !== undefined) throw closedError();
      await core.commits.reached(core.lastSequence);
      return core.durableSequence;
    },
    onDurable: (listener) => {
      core.listeners.add(listener);
      return () => void core.listeners.delete(listener);
    },
    read: (fromSequence, options) => reading(core, fromSequence, options, readRecords),
    visit: (fromSequence, visit, options) =>
      reading(core, fromSequence, options, (source, request) => visited(core, source, { ...request, visit })),
    trim: (throughSequence) => trim(core, throughSequence),
    state: () => stateOf(core),
    close: () => close(core),
    [Symbol.asyncDispose]: () => close(core),
  };
}

function append(core: LogCore, payload: Uint8Array | string): Appended {
  if (core.closing !== undefined) return REFUSED.closed;
  const { pending, settings } = core;
  try {
    const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
    if (payloadBytes > settings.maxRecordBytes) return REFUSED['too-large'];
    if (pending.bytes + FRAME_HEADER_BYTES + payloadBytes > settings.maxPendingBytes) return REFUSED.full;
    const sequence = core.lastSequence + 1;
    pending.add(payload, payloadBytes, sequence);
    core.lastSequence = sequence;
    core.commits.wake();
    return { accepted: true, sequence };
  } catch {
    return REFUSED.failed;
  }
}

const REFUSED = {
  full: { accepted: false, reason: 'full' },
  'too-large': { accepted: false, reason: 'too-large' },
  closed: { accepted: false, reason: 'closed' },
  failed: { accepted: false, reason: 'failed' },
} as const satisfies Record<string, Appended>;

async function commit(core: LogCore, mark: number): Promise<void> {
  const { settings, catalogue, writer, pending } = core;
  if (core.doubt !== undefined) {
    const { directory, files } = settings;
    const { doubt } = core;
    const refusal = await settleDoubt(doubt, {
      directory,
      files,
      catalogue,
      writer,
      mark,
    });
    if (refusal !== undefined) noteError(core, refusal);
    core.doubt = undefined;
    advance(core, doubt.next - 1);
    return;
  }
  const group = pending.group(Math.min(GROUP_BYTES, writer.room()));
  if (group === undefined) return;
  await writer.write(group);
  pending.release(group);
  advance(core, group.last);
}

function advance(core: LogCore, durableSequence: number): void {
  if (durableSequence <= core.durableSequence) return;
  core.durableSequence = durableSequence;
  for (const listener of core.listeners) {
    try {
      listener(durableSequence);
    } catch {
      // A mistake of the listener's is no reason to stop writing.
      core.listenerFailures += 1;
    }
  }
}

function noteError(core: LogCore, error: unknown): void {
  core.lastError = logErrorOf(error, core.settings.clock);
}

function firstSequence({ catalogue, lastSequence }: LogCore): number {
  return Math.min(catalogue.segments[0]?.first ?? lastSequence + 1, lastSequence + 1);
}

/** Reads by either way, the limits checked. */
async function reading<Result>(
  core: LogCore,
  from: number,
  options: ReadOptions = {},
  read: (source: ReadSource, request: ReadRequest) => Promise<Result>,
): Promise<Result> {
  if (core.closing !== undefined) throw closedError();
  const { maxBytes = READ_BYTES, maxRecords = READ_RECORDS, skipUnreadable = false } = options;
  inBounds('maxBytes', maxBytes, [1, Number.MAX_SAFE_INTEGER]);
  inBounds('maxRecords', maxRecords, [1, Number.MAX_SAFE_INTEGER]);
  inBounds('fromSequence', from, [0, Number.MAX_SAFE_INTEGER]);
  const { directory, files } = core.settings;
  const { catalogue, durableSequence } = core;
  try {
    const request = { fromSequence: from, maxBytes, maxRecords, skipUnreadable };
    return await read({ directory, files, catalogue, durableSequence }, request);
  } catch (error) {
    noteError(core, error);
    throw error;
  }
}

/** Reads into the same memory as before, unless another reader has it: pages that are new cost more than what is read into them. */
async function visited(
  core: LogCore,
  source: ReadSource,
  request: ReadRequest & { readonly visit: RecordVisitor },
): Promise<number> {
  let { window } = core;
  core.window = undefined;
  const windowOf = (bytes: number): Buffer => {
    if (window === undefined || window.length < bytes) window = Buffer.allocUnsafeSlow(bytes);
    return window.subarray(0, bytes);
  };
  try {
    return await visitRecords(source, { ...request, windowOf });
  } finally {
    core.window = window;
  }
}

async function trim(core: LogCore, through: number): Promise<void> {
  if (core.closing !== undefined) throw closedError();
  const { catalogue, commits, writer, settings } = core;
  try {
    await commits.between(async () => {
      const { durableSequence, doubt } = core;
      const mayEmpty = commits.isFailing && doubt === undefined;
      await trimSegments(
        {
          catalogue,
          writer,
          settings,
          durableSequence,
          mayEmpty,
        },
        through,
      );
    });
  } catch (error) {
    noteError(core, error);
    throw error;
  }
  if (commits.isFailing) commits.retryNow();
}

function stateOf(core: LogCore): SegmentLogState {
  const { catalogue, pending, commits, lastError } = core;
  const { records, damagedBytes, unreadableBytes } = catalogue.losses();
  return {
    firstSequence: firstSequence(core),
    lastSequence: core.lastSequence,
    durableSequence: core.durableSequence,
    segments: catalogue.segments.length,
    sizeBytes: catalogue.sizeBytes,
    pendingRecords: pending.count,
    pendingBytes: pending.bytes,
    isFailing: commits.isFailing,
    failures: core.failures,
    ...(lastError === undefined ? {} : { lastError }),
    lost: { records, recordsInDoubt: core.recordsInDoubt, damagedBytes, unreadableBytes },
    listenerFailures: core.listenerFailures,
  };
}

function close(core: LogCore): Promise<void> {
  core.closing ??= finish(core);
  return core.closing;
}

async function finish(core: LogCore): Promise<void> {
  const { commits, writer, pending } = core;
  await commits.end();
  const isWhole = pending.count === 0 && core.doubt === undefined;
  await writer.close(isWhole ? core.lastSequence + 1 : undefined);
  if (isWhole) return;
  const details = { records: pending.count, code: core.lastError?.code ?? 'EUNKNOWN' };
  throw new HopbackError('storage-failed', `${pending.count} records could not be written before the log was closed`, {
    details,
  });
}

function closedError(): HopbackError {
  return new HopbackError('closed', 'the log is closed');
}
