import type { BatchEncoding } from '../../platform/wire/record-batch.js';
import { frameAcceptedAtMs, FRAME_HEADER_BYTES } from './spool-frame.js';

/** Records that go in one batch, in order, their lines one behind the other as they are sent. */
export interface RecordRun {
  /** Of which it is a part. */
  readonly chunk: LaneChunk;
  readonly count: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Whether this release can read them; where it cannot, the run is of one record, and its line is the frame as spooled. */
  readonly isReadable: boolean;
  /** All lines; until the records are settled. */
  readonly lines: () => Uint8Array;
  /** One of them, by its place in the run. */
  readonly line: (index: number) => Uint8Array;
  /** The lines as they were packed; absent where they are not, or the run is a part of them. */
  readonly packed?: { readonly encoding: BatchEncoding; readonly body: Uint8Array };
}

/** Records of a lane that go in one batch, unless the receiver wants fewer. */
export interface LaneChunk {
  readonly count: number;
  /** Whether this release can read them; where it cannot, the chunk has one record. */
  readonly isReadable: boolean;
  /** Whether it holds what a batch may hold. */
  readonly isFull: boolean;
  /** When its first record was read, monotonic milliseconds. */
  queuedAtMs: number;
  /** Whether a line of so many octets may go with those that are there. */
  readonly takes: (bytes: number) => boolean;
  readonly sequence: (index: number) => number;
  /** No record from that place on has a lower sequence number. */
  readonly floorSequence: (index: number) => number;
  readonly acceptedAtMs: (index: number) => number;
  /** Octets of the records from `from` to before `to`. */
  readonly bytesOf: (from: number, to: number) => number;
  /** How many records are given up where that one is. */
  readonly givenUpWith: (index: number) => number;
  readonly run: (from: number, to: number) => RecordRun;
}

/** How much goes into a chunk, as into a batch. */
export interface ChunkLimits {
  readonly records: number;
  /** Octets; one record alone may have more. */
  readonly bytes: number;
}

/** First size of a chunk's memory at most, which doubles as it fills: a stream of few records has small ones, and so has one of small batches. */
const FIRST_BYTES = 4_096;

/**
 * Records of a lane up to the size of a batch. Lines are copied into it as they are read, next to each other: a batch is then a piece of
 * this memory, nothing is made for a single record, and the collector has nothing to move.
 */
export class RecordChunk implements LaneChunk {
  readonly isReadable: boolean;
  count = 0;
  queuedAtMs = 0;
  readonly #limits: ChunkLimits;
  readonly #sequences: Float64Array;
  readonly #acceptedAtMs: Float64Array;
  readonly #ends: Uint32Array;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(limits: ChunkLimits, isReadable: boolean) {
    this.isReadable = isReadable;
    this.#limits = limits;
    this.#sequences = new Float64Array(limits.records);
    this.#acceptedAtMs = new Float64Array(limits.records);
    this.#ends = new Uint32Array(limits.records);
  }

  takes(bytes: number): boolean {
    if (this.count === 0) return true;
    return this.isReadable && this.count < this.#limits.records && this.#end(this.count) + bytes <= this.#limits.bytes;
  }

  get isFull(): boolean {
    return this.count >= this.#limits.records || !this.takes(1);
  }

  /**
   * Adds a record as spooled: what `bytes` has from `start` to before `end`.
   * @returns octets of its line
   */
  add(sequence: number, bytes: Uint8Array, start: number, end: number): number {
    const { count } = this;
    const from = this.isReadable ? start + FRAME_HEADER_BYTES : start;
    const used = this.#end(count);
    const needed = used + end - from;
    if (needed > this.#bytes.length) this.#grow(needed);
    this.#bytes.set(bytes.subarray(from, end), used);
    this.#sequences[count] = sequence;
    this.#acceptedAtMs[count] = this.isReadable ? frameAcceptedAtMs(bytes, start) : Number.POSITIVE_INFINITY;
    this.#ends[count] = needed;
    this.count = count + 1;
    return end - from;
  }

  sequence(index: number): number {
    return this.#sequences[index] ?? Number.POSITIVE_INFINITY;
  }

  floorSequence(index: number): number {
    return this.sequence(index);
  }

  acceptedAtMs(index: number): number {
    return this.#acceptedAtMs[index] ?? Number.POSITIVE_INFINITY;
  }

  givenUpWith(): number {
    return 1;
  }

  /** Octets of memory that it has for lines. */
  get capacityBytes(): number {
    return this.#bytes.length;
  }

  bytesOf(from: number, to: number): number {
    return this.#end(to) - this.#end(from);
  }

  run(from: number, to: number): RecordRun {
    return {
      chunk: this,
      count: to - from,
      firstSequence: this.sequence(from),
      lastSequence: this.sequence(to - 1),
      isReadable: this.isReadable,
      lines: () => this.#bytes.subarray(this.#end(from), this.#end(to)),
      line: (index) => this.#bytes.subarray(this.#end(from + index), this.#end(from + index + 1)),
    };
  }

  /** How many there are up to a sequence number, those before `from` among them. */
  countThrough(sequence: number, from: number): number {
    let { count } = this;
    while (count > from && this.sequence(count - 1) > sequence) count -= 1;
    return count;
  }

  /** Takes out the records from that place on. */
  cut(count: number): void {
    this.count = count;
  }

  /** Where the line before that place ends. */
  #end(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] ?? 0);
  }

  /** What was handed out stays as it is, in the memory from before. */
  #grow(needed: number): void {
    const wanted = Math.max(2 * this.#bytes.length, Math.min(FIRST_BYTES, needed * this.#limits.records));
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(wanted, this.#limits.bytes)));
    bytes.set(this.#bytes.subarray(0, this.#end(this.count)));
    this.#bytes = bytes;
  }
}

/** Of what cannot be read. */
const ALONE: ChunkLimits = { records: 1, bytes: 0 };

/** Chunks that were settled, to be filled again: memory that is new costs more than what is copied into it. */
export interface ChunkPool {
  readonly take: (isReadable: boolean) => RecordChunk;
  readonly give: (chunk: RecordChunk) => void;
}

/**
 * Makes a pool.
 * @param limits - of every chunk
 * @param most - chunks that it keeps, and octets that these have in all
 */
export function createChunkPool(
  limits: ChunkLimits,
  most: { readonly chunks: number; readonly bytes: number },
): ChunkPool {
  const spare: RecordChunk[] = [];
  let spareBytes = 0;
  return {
    take: (isReadable) => {
      if (!isReadable) return new RecordChunk(ALONE, isReadable);
      const chunk = spare.pop();
      spareBytes -= chunk?.capacityBytes ?? 0;
      return chunk ?? new RecordChunk(limits, isReadable);
    },
    give: (chunk) => {
      if (!chunk.isReadable || spare.length >= most.chunks || spareBytes + chunk.capacityBytes > most.bytes) return;
      spareBytes += chunk.capacityBytes;
      chunk.cut(0);
      spare.push(chunk);
    },
  };
}
