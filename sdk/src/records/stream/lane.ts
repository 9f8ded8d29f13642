import { PackedChunk, type ReadablePack } from './packed-chunk.js';
import { RecordChunk, type ChunkPool, type LaneChunk, type RecordRun } from './record-chunk.js';
import { isFrame } from './spool-frame.js';
import type { StreamClock } from './stream-clock.js';

/**
 * The records of some of the calls, in order, of which one batch is on its way at a time: a call has all its records in one lane, so
 * that none overtakes another, and a batch that fails holds up no other lane.
 */
export interface Lane {
  readonly size: () => number;
  readonly sizeBytes: () => number;
  /** Batches that its records make, a begun one among them. */
  readonly batches: () => number;
  /** Sequence number of the oldest record; Infinity where there is none. */
  readonly headSequence: () => number;
  /** No record of it has a lower sequence number; Infinity where there is none. */
  readonly floorSequence: () => number;
  /** When the oldest was accepted, milliseconds since the epoch; Infinity where nobody knows. */
  readonly headAcceptedAtMs: () => number;
  /** When it was read, monotonic milliseconds; Infinity where there is none. */
  readonly headQueuedAtMs: () => number;
  /** Takes a record as spooled: what `bytes` has from `start` to before `end`, of which it keeps a copy. */
  readonly push: (sequence: number, bytes: Uint8Array, start: number, end: number) => void;
  /** Takes records that are a batch already. */
  readonly pushPack: (pack: ReadablePack) => void;
  /** Whether the next batch can get no larger by waiting. */
  readonly isNextWhole: () => boolean;
  /** Records at the head that make the next batch: after a split the part that is next, else as many as fit. */
  readonly cut: () => RecordRun;
  /** The whole batch behind the one at the head, where there is one: it will be cut as it is, unless records are dropped. */
  readonly following: () => RecordRun | undefined;
  /** Takes away so many records at the head, which are settled. */
  readonly settle: (count: number) => void;
  /** The batch of so many records was refused: its halves come next, each a batch of its own. */
  readonly split: (count: number) => void;
  /**
   * Gives up the records up to a sequence number, and those that are packed with one of them.
   * @returns how many
   */
  readonly dropThrough: (sequence: number) => number;
  /**
   * Takes out all records with a higher sequence number, none of which is on its way.
   * @returns the lowest of theirs; Infinity where there is none
   */
  readonly forgetAbove: (sequence: number) => number;
}

/** Makes an empty lane; it holds records and no timer. */
export function createLane(pool: ChunkPool, clock: Pick<StreamClock, 'monotonicMs'>): Lane {
  const chunks: LaneChunk[] = [];
  /** Records of the first chunk that are settled. */
  let first = 0;
  let size = 0;
  let sizeBytes = 0;
  /** The first chunk was cut: what comes now goes into another, lest it change what is on its way. */
  let isClosed = false;
  /** Sizes of the parts of a refused batch, the next one last. */
  let parts: number[] = [];

  const open = (isReadable: boolean, bytes: number): RecordChunk => {
    const last = chunks.at(-1);
    const isOpen = last instanceof RecordChunk && !(chunks.length === 1 && isClosed);
    if (isOpen && isReadable && last.takes(bytes)) return last;
    const chunk = pool.take(isReadable);
    append(chunk);
    return chunk;
  };
  const append = (chunk: LaneChunk): void => {
    if (chunks.length === 0) isClosed = false;
    chunk.queuedAtMs = clock.monotonicMs();
    chunks.push(chunk);
  };
  const remove = (count: number): void => {
    for (let left = count; left > 0;) {
      const chunk = chunks[0];
      if (chunk === undefined) return;
      const taken = Math.min(left, chunk.count - first);
      sizeBytes -= chunk.bytesOf(first, first + taken);
      size -= taken;
      left -= taken;
      first += taken;
      if (first < chunk.count) return;
      chunks.shift();
      first = 0;
      isClosed = false;
      if (chunk instanceof RecordChunk) pool.give(chunk);
    }
  };

  return {
    size: () => size,
    sizeBytes: () => sizeBytes,
    batches: () => chunks.length,
    headSequence: () => chunks[0]?.sequence(first) ?? Number.POSITIVE_INFINITY,
    floorSequence: () => chunks[0]?.floorSequence(first) ?? Number.POSITIVE_INFINITY,
    headAcceptedAtMs: () => chunks[0]?.acceptedAtMs(first) ?? Number.POSITIVE_INFINITY,
    headQueuedAtMs: () => chunks[0]?.queuedAtMs ?? Number.POSITIVE_INFINITY,
    push: (sequence, bytes, start, end) => {
      const chunk = open(isFrame(bytes, start, end), end - start);
      sizeBytes += chunk.add(sequence, bytes, start, end);
      size += 1;
    },
    pushPack: (pack) => {
      append(new PackedChunk(pack));
      sizeBytes += pack.body.length;
      size += pack.count;
    },
    isNextWhole: () => parts.length > 0 || chunks.length > 1 || isClosed || chunks[0]?.isFull === true,
    cut: () => {
      const chunk = chunks[0];
      if (chunk === undefined) throw new RangeError('the lane is empty');
      isClosed = true;
      return chunk.run(first, Math.min(chunk.count, first + (parts.at(-1) ?? chunk.count)));
    },
    following: () => {
      const chunk = chunks[1];
      return chunk !== undefined && (chunks.length > 2 || chunk.isFull) ? chunk.run(0, chunk.count) : undefined;
    },
    settle: (count) => {
      remove(count);
      const part = parts.pop();
      if (part !== undefined && part > count) parts.push(part - count);
    },
    split: (count) => {
      const part = parts.pop() ?? count;
      if (part > count) parts.push(part - count);
      const half = Math.ceil(count / 2);
      parts.push(count - half, half);
    },
    dropThrough: (sequence) => {
      let count = 0;
      for (let chunk = chunks[0]; chunk !== undefined && chunk.sequence(first) <= sequence; chunk = chunks[0]) {
        const given = chunk.givenUpWith(first);
        remove(given);
        count += given;
      }
      if (count > 0) parts = [];
      return count;
    },
    forgetAbove: (sequence) => {
      let lowest = Number.POSITIVE_INFINITY;
      for (let chunk = chunks.at(-1); chunk instanceof RecordChunk; chunk = chunks.at(-1)) {
        const start = chunks.length === 1 ? first : 0;
        const kept = chunk.countThrough(sequence, start);
        if (kept < chunk.count) {
          lowest = chunk.sequence(kept);
          // Those of the first chunk, which may stay.
          if (chunks.length === 1) parts = [];
        }
        size -= chunk.count - kept;
        sizeBytes -= chunk.bytesOf(kept, chunk.count);
        chunk.cut(kept);
        if (kept > start) break;
        chunks.pop();
        pool.give(chunk);
        if (chunks.length === 0) first = 0;
      }
      return lowest;
    },
  };
}
