import { join } from 'node:path';
import { asked, systemCode } from './log-files.js';
import type { LogFile, LogFiles } from './log-files.js';
import type { Segment, SegmentCatalogue } from './segment-catalogue.js';
import {
  FRAME_HEADER_BYTES,
  GROUP_FRAME_BYTES,
  PARTIAL_SUFFIX,
  SEGMENT_HEADER_BYTES,
  encodeGroup,
  encodeSegmentHeader,
  sealFrame,
  segmentFileName,
} from './segment-format.js';
import type { SegmentName } from './segment-format.js';

/** Records lie in chunks of so many bytes until they are durable: few enough to hand to one `writev`, and none is made in vain. */
const CHUNK_BYTES = 256 * 1_024;
/** Chunks kept for reuse, 16 MiB: new memory costs the call path a page fault every 4 KiB. */
const SPARE_CHUNKS = 64;

/** Some of the records that wait, in order. */
export interface PendingGroup {
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  readonly parts: readonly PendingPart[];
}

/** Neighbouring frames. */
export interface PendingPart {
  readonly first: number;
  readonly last: number;
  /** Frames, ready for the file. */
  readonly frames: Buffer;
}

/** Records that are not durable yet: already in the form that they have in the file, so that a second attempt writes the same bytes. */
export type PendingRecords = ReturnType<typeof createPendingRecords>;

interface Chunk {
  readonly buffer: Buffer;
  /** The frames that wait are from `start` to `end`. */
  start: number;
  end: number;
  first: number;
  last: number;
  count: number;
}

/**
 * @param mark - of the segments that the records will be written to
 * @param chunkBytes - default 256 KiB; segments end between chunks
 */
export function createPendingRecords(mark: number, chunkBytes: number = CHUNK_BYTES) {
  const chunks: Chunk[] = [];
  const spare: Buffer[] = [];
  let bytes = 0;
  let count = 0;

  const chunkFor = (frameBytes: number): Chunk => {
    const current = chunks.at(-1);
    if (current !== undefined && current.buffer.length - current.end >= frameBytes) return current;
    // Too small, and nothing waits in it.
    if (current?.count === 0) retire(current);
    const buffer =
      frameBytes > chunkBytes
        ? Buffer.allocUnsafeSlow(frameBytes)
        : (spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes));
    const chunk: Chunk = { buffer, start: 0, end: 0, first: 0, last: 0, count: 0 };
    chunks.push(chunk);
    return chunk;
  };

  const retire = (chunk: Chunk): void => {
    chunks.splice(chunks.indexOf(chunk), 1);
    if (chunk.buffer.length === chunkBytes && spare.length < SPARE_CHUNKS) spare.push(chunk.buffer);
  };

  return {
    get bytes(): number {
      return bytes;
    },
    get count(): number {
      return count;
    },
    /** Adds a record. `payloadBytes` counts UTF-8. @throws RangeError without memory */
    add: (payload: Uint8Array | string, payloadBytes: number, sequence: number) => {
      const frameBytes = FRAME_HEADER_BYTES + payloadBytes;
      const chunk = chunkFor(frameBytes);
      const { buffer, end } = chunk;
      if (typeof payload === 'string') buffer.write(payload, end + FRAME_HEADER_BYTES, 'utf8');
      else buffer.set(payload, end + FRAME_HEADER_BYTES);
      sealFrame(buffer, { offset: end, mark, sequence, lengthWord: payloadBytes });
      if (chunk.count === 0) chunk.first = sequence;
      chunk.last = sequence;
      chunk.end = end + frameBytes;
      chunk.count += 1;
      bytes += frameBytes;
      count += 1;
    },
    /** The oldest records of about so many bytes at most, and at least one; undefined when there is none. They stay. */
    group: (maxBytes: number): PendingGroup | undefined => {
      const parts: PendingPart[] = [];
      let taken = 0;
      for (const { buffer, start, end, first, last } of chunks) {
        if (end === start) continue;
        if (taken > 0 && taken + end - start > maxBytes) break;
        parts.push({ first, last, frames: buffer.subarray(start, end) });
        taken += end - start;
      }
      const [oldest] = parts;
      const newest = parts.at(-1);
      if (oldest === undefined || newest === undefined) return undefined;
      return { first: oldest.first, last: newest.last, bytes: taken, parts };
    },
    /** Forgets a group that has become durable, the oldest. */
    release: (group: PendingGroup) => {
      bytes -= group.bytes;
      for (const part of group.parts) {
        const chunk = chunks[0];
        if (chunk === undefined) return;
        // Sequence numbers of pending records have no gaps.
        const released = part.last - part.first + 1;
        count -= released;
        chunk.count -= released;
        chunk.start += part.frames.length;
        chunk.first = part.last + 1;
        if (chunk.start === chunk.end) retire(chunk);
      }
    },
  };
}

/** First wait after the disk refused, doubled with each refusal after it. A full disk is mostly full for longer than this. */
const RETRY_FIRST_MS = 50;
/** Longest: what a `flush` waits for at most, beside the disk, and how soon after there is room again the log goes on. */
const RETRY_MOST_MS = 2_000;

/** What is committed, and by whose timers. */
interface GroupCommitOptions {
  /** Whether there is something to write. */
  readonly hasWork: () => boolean;
  /**
   * Makes a group durable.
   * @throws HopbackError `storage-failed`
   */
  readonly commit: () => Promise<void>;
  /** How far records are durable. */
  readonly durableSequence: () => number;
  /** A commit was refused. Does not throw. */
  readonly onRefused: (error: unknown) => void;
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs commits one after the other, each for all that has come in during the one before. After a refusal it waits 50 ms, then twice as
 * long each time, at most 2 s.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  /** In order of their sequence numbers. */
  #waiters: Waiter[] = [];
  #isAwake = false;
  #isFailing = false;
  #isEnded = false;
  #retryMs = RETRY_FIRST_MS;
  #cancelRetry: (() => void) | undefined;
  #lane: Promise<unknown> = Promise.resolve();

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Whether the last commit was refused. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** There is work: begins with the next turn of the event loop, so that what this turn brings is one group. Cheap when it is running. */
  wake(): void {
    if (this.#isAwake || this.#isEnded || this.#cancelRetry !== undefined) return;
    this.#isAwake = true;
    setImmediate(() => void this.#run(false));
  }

  /** As `wake`, without waiting for the time of the next attempt: there is reason to believe that it succeeds. */
  retryNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    if (this.#options.hasWork()) this.wake();
  }

  /** Resolves when records are durable so far; rejects when a commit is refused before, with its error. */
  reached(sequence: number): Promise<void> {
    if (sequence <= this.#options.durableSequence()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ sequence, resolve, reject });
      this.wake();
    });
  }

  /** Does something between two commits. */
  between<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#lane.then(work);
    this.#lane = done.catch(() => undefined);
    return done;
  }

  /** Makes no attempt any more, after a last one where there is work. Never rejects. */
  async end(): Promise<void> {
    this.#isEnded = true;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    // One that is running goes first: it may be refused, or leave some behind.
    await this.between(() => Promise.resolve());
    await this.#run(true);
  }

  async #run(isLast: boolean): Promise<void> {
    const goesOn = (): boolean => this.#options.hasWork() && (isLast || !this.#isEnded);
    try {
      while (goesOn()) {
        await this.between(this.#options.commit);
        this.#succeeded();
      }
    } catch (error) {
      this.#refused(error);
    } finally {
      this.#isAwake = false;
    }
  }

  #succeeded(): void {
    this.#isFailing = false;
    this.#retryMs = RETRY_FIRST_MS;
    const durable = this.#options.durableSequence();
    const behind = this.#waiters.findIndex(({ sequence }) => sequence > durable);
    const done = this.#waiters.splice(0, behind === -1 ? this.#waiters.length : behind);
    for (const { resolve } of done) resolve();
  }

  #refused(error: unknown): void {
    this.#isFailing = true;
    this.#options.onRefused(error);
    const failed = this.#waiters;
    this.#waiters = [];
    for (const { reject } of failed) reject(error);
    if (this.#isEnded) return;
    this.#cancelRetry = this.#options.schedule(() => {
      this.#cancelRetry = undefined;
      this.wake();
    }, this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MOST_MS);
  }
}

/** What a writer stands on. */
interface SegmentWriterOptions {
  readonly directory: string;
  readonly files: LogFiles;
  readonly catalogue: SegmentCatalogue;
  /** Stands before each frame that is written. */
  readonly mark: number;
  readonly segmentBytes: number;
  /** Highest that a segment has had. */
  readonly ordinal: number;
}

interface ActiveSegment {
  readonly segment: Segment;
  readonly file: LogFile;
  /** Its name in the directory, or its header, has not been synced. */
  isNew: boolean;
}

/**
 * Writes groups of records to disk, one call at a time. The first group begins a new segment. What was refused is never tried again in the same
 * file: after a failed sync the system may have dropped what was written and call the next sync a success.
 */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #ordinal: number;
  #active: ActiveSegment | undefined;
  /** What could not be removed after the last attempt: at most one such file is there at a time. */
  #leftOver: string | undefined;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#ordinal = options.ordinal;
  }

  /** How many bytes may be added to the segment before a new one is due. */
  room(): number {
    const { segmentBytes } = this.#options;
    const used = this.#active?.segment.sizeBytes ?? 0;
    return used < segmentBytes ? segmentBytes - used : segmentBytes;
  }

  /**
   * Writes a group and syncs it.
   * @throws HopbackError `storage-failed`: then nothing of it counts, and the next attempt goes to a new segment
   */
  async write(group: PendingGroup): Promise<void> {
    const { directory, files, catalogue, mark, segmentBytes } = this.#options;
    if (this.#active !== undefined && this.#active.segment.sizeBytes >= segmentBytes) await this.#end();
    this.#active ??= await this.#begin(group.first);
    const writing = this.#active;
    const { segment, file, isNew } = writing;
    const head = [encodeGroup(mark, group.first, group.last)];
    if (isNew) head.unshift(encodeSegmentHeader(segment));
    const buffers = [...head, ...group.parts.map(({ frames }) => frames)];
    try {
      await asked('write', () => appendAll(file, buffers));
      await asked('sync', () => file.datasync());
      if (isNew) await asked('sync-directory', () => files.syncDirectory(directory));
    } catch (error) {
      await this.#abandon(writing);
      throw error;
    }
    noteWritten(catalogue, segment, group);
    if (!isNew) return;
    writing.isNew = false;
    await this.#dropSuperseded();
  }

  /**
   * Makes the newest segment one that holds these records, durable before it is there, so that what segments before it have from `first`
   * on is void.
   * @throws HopbackError `storage-failed`: then all is as before
   */
  async replace(first: number, next: number, records: PendingGroup | undefined): Promise<void> {
    const { directory, files, catalogue, mark } = this.#options;
    await this.#clear();
    const name = this.#nameFrom(first);
    const path = this.#pathOf(segmentFileName(name));
    const partial = `${path}${PARTIAL_SUFFIX}`;
    const file = await asked('create', () => files.create(partial));
    const frames = records?.parts.map((part) => part.frames) ?? [];
    const head = [encodeSegmentHeader(name)];
    if (records !== undefined) head.push(encodeGroup(mark, records.first, records.last));
    const buffers = [...head, ...frames, encodeGroup(mark, next, next - 1)];
    try {
      await asked('write', () => appendAll(file, buffers));
      await asked('sync', () => file.datasync());
      await asked('create', () => files.rename(partial, path));
      await asked('sync-directory', () => files.syncDirectory(directory));
    } catch (error) {
      await file.close().catch(() => undefined);
      for (const left of [partial, path]) await this.#remove(left);
      throw error;
    }
    const sizeBytes = buffers.reduce((total, { length }) => total + length, 0);
    this.#active = { segment: catalogue.add(name, sizeBytes), file, isNew: false };
    await this.#dropSuperseded();
  }

  /**
   * Makes an empty segment the newest, so that the one before it can be removed.
   * @throws HopbackError `storage-failed`
   */
  async succeed(first: number): Promise<void> {
    const { directory, files } = this.#options;
    await this.#end();
    const { file } = await this.#begin(first);
    await file.close().catch(() => undefined);
    await asked('sync-directory', () => files.syncDirectory(directory));
  }

  /**
   * Closes the file, and marks its end where all of the log is durable, if the disk lets it. Never rejects.
   * @param next - the sequence number after the last; undefined when something is pending still
   */
  async close(next: number | undefined): Promise<void> {
    if (this.#active !== undefined && next !== undefined) {
      const { file } = this.#active;
      // Nothing but the time of the next opening depends on it.
      await appendAll(file, [encodeGroup(this.#options.mark, next, next - 1)])
        .then(() => file.datasync())
        .catch(() => undefined);
    }
    await this.#end();
  }

  async #begin(first: number): Promise<ActiveSegment> {
    const { files, catalogue } = this.#options;
    await this.#clear();
    const name = this.#nameFrom(first);
    const file = await asked('create', () => files.create(this.#pathOf(segmentFileName(name))));
    return { segment: catalogue.add(name, 0), file, isNew: true };
  }

  async #end(): Promise<void> {
    const ended = this.#active;
    this.#active = undefined;
    await ended?.file.close().catch(() => undefined);
  }

  /** Takes back what was written and is not to be believed, as far as the disk lets us. */
  async #abandon({ segment }: ActiveSegment): Promise<void> {
    const { files, catalogue } = this.#options;
    await this.#end();
    const path = this.#pathOf(segment.fileName);
    if (segment.sizeBytes > 0) {
      await files.truncate(path, segment.sizeBytes).catch(() => undefined);
      return;
    }
    catalogue.remove(segment);
    await this.#remove(path);
  }

  async #dropSuperseded(): Promise<void> {
    const { files, catalogue } = this.#options;
    for (const segment of catalogue.superseded()) {
      catalogue.remove(segment);
      await removed(files, this.#pathOf(segment.fileName)).catch(() => undefined);
    }
  }

  async #remove(path: string): Promise<void> {
    await removed(this.#options.files, path).catch(() => (this.#leftOver = path));
  }

  async #clear(): Promise<void> {
    const path = this.#leftOver;
    if (path === undefined) return;
    await asked('remove', () => removed(this.#options.files, path));
    this.#leftOver = undefined;
  }

  #nameFrom(first: number): SegmentName {
    this.#ordinal += 1;
    return { ordinal: this.#ordinal, first, mark: this.#options.mark };
  }

  #pathOf(fileName: string): string {
    return join(this.#options.directory, fileName);
  }
}

function noteWritten(catalogue: SegmentCatalogue, segment: Segment, group: PendingGroup): void {
  let offset = (segment.sizeBytes === 0 ? SEGMENT_HEADER_BYTES : segment.sizeBytes) + GROUP_FRAME_BYTES;
  for (const { first, frames } of group.parts) {
    catalogue.learn(segment, { sequence: first, offset });
    offset += frames.length;
  }
  segment.sizeBytes = offset;
}

/** A disk may take a part and refuse the rest only when it is asked again. */
async function appendAll(file: LogFile, buffers: readonly Uint8Array[]): Promise<void> {
  let rest = buffers;
  while (rest.length > 0) {
    let taken = await file.append(rest);
    if (taken <= 0) throw Object.assign(new Error('the file takes nothing'), { code: 'ENOSPC' });
    let whole = 0;
    for (; whole < rest.length && taken >= (rest[whole]?.length ?? 0); whole += 1) taken -= rest[whole]?.length ?? 0;
    const [cut, ...behind] = rest.slice(whole);
    rest = cut === undefined ? [] : [cut.subarray(taken), ...behind];
  }
}

/** Removes a file that may be gone already. */
export async function removed(files: LogFiles, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
