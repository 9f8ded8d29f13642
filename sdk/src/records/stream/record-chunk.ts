import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, brotliDecompressSync, constants, gunzip, gunzipSync, gzip } from 'node:zlib';
import type { BatchEncoding, RecordBatch } from '../../contract/record-batch.js';
import { FRAME_HEADER_BYTES, frameAcceptedAtMs, isFrame } from './packed-spool.js';
import type { Pack } from './packed-spool.js';
import type { StreamClock } from './stream-policy.js';

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
type LaneChunk = RecordChunk | PackedChunk;

/** How much goes into a chunk, as into a batch. */
interface ChunkLimits {
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
export class RecordChunk {
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

  /** Whether a line of so many octets may go with those that are there. */
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

  /** How many records are given up where one is. */
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
export type ChunkPool = ReturnType<typeof createChunkPool>;

/**
 * Makes a pool.
 * @param limits - of every chunk
 * @param most - chunks that it keeps, and octets that these have in all
 */
export function createChunkPool(limits: ChunkLimits, most: { readonly chunks: number; readonly bytes: number }) {
  const spare: RecordChunk[] = [];
  let spareBytes = 0;
  return {
    take: (isReadable: boolean): RecordChunk => {
      if (!isReadable) return new RecordChunk(ALONE, isReadable);
      const chunk = spare.pop();
      spareBytes -= chunk?.capacityBytes ?? 0;
      return chunk ?? new RecordChunk(limits, isReadable);
    },
    give: (chunk: RecordChunk) => {
      if (!chunk.isReadable || spare.length >= most.chunks || spareBytes + chunk.capacityBytes > most.bytes) return;
      spareBytes += chunk.capacityBytes;
      chunk.cut(0);
      spare.push(chunk);
    },
  };
}

/** Digits of the id of a batch: 128 bits. */
const BATCH_ID_DIGITS = 32;

/** Kind of event of a batch; the platform's wire has the same, which this folder knows by type only. */
const BATCH_TYPE = 'org.hopback.call-records.1';

/**
 * Records are alike: the fastest level makes a tenth of them, the default one hardly less in four times the time. A window of 8 KiB holds
 * the records before, which is where repetitions are, and stays in the processor's nearest cache.
 */
const GZIP = { level: constants.Z_BEST_SPEED, windowBits: 13 };

/** Of brotli the fastest level that looks back at all: an eleventh, in a third of the time of gzip; the levels above take twice as long each. */
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 };

/** Part of the lines that the output is expected to take, so that zlib fills one buffer and comes back once: a power of two. */
const OUTPUT_SHIFT = 3;
/** Smallest buffer of zlib's output, its own default. */
const LEAST_OUTPUT_BYTES = 16_384;

/** Who sends, and when the batch was made. */
interface BatchOrigin {
  /** CloudEvents source: names the carrier's stream. */
  readonly source: string;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly encoding: BatchEncoding;
  readonly compress: Compress;
}

/** Compresses the lines of a batch, into memory of its own: that of the lines is written over when the batch is settled. */
export type Compress = (lines: Uint8Array, encoding: BatchEncoding) => Promise<Uint8Array>;

/**
 * Puts records together as they are sent. The same records make the same octets under the same id.
 * @param records - one at least, in order
 * @param origin - who sends
 * @returns the batch
 * @throws Error when there is no memory for it
 */
export async function makeBatch(records: RecordRun, origin: BatchOrigin): Promise<RecordBatch> {
  const { encoding } = origin;
  const { packed } = records;
  const body = packed?.encoding === encoding ? packed.body : await origin.compress(records.lines(), encoding);
  // Of the octets as they are sent: the key of a request and its body cannot come apart, and there are fewer of them.
  const id = createHash('sha256')
    .update(`${records.firstSequence}:${records.lastSequence}:`)
    .update(body)
    .digest('hex')
    .slice(0, BATCH_ID_DIGITS);
  return {
    id,
    source: origin.source,
    type: BATCH_TYPE,
    timeMs: origin.timeMs,
    count: records.count,
    encoding,
    body,
  };
}

/**
 * Compresses fast, off the main thread.
 * @param bytes - lines of a batch
 * @throws Error when there is no memory for it
 */
export function compressFast(bytes: Uint8Array, encoding: BatchEncoding): Promise<Uint8Array> {
  const chunkSize = Math.max(LEAST_OUTPUT_BYTES, bytes.length >> OUTPUT_SHIFT);
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, compressed: Uint8Array): void => {
      if (error === null) resolve(compressed);
      else reject(error);
    };
    if (encoding === 'gzip') gzip(bytes, { ...GZIP, chunkSize }, done);
    else brotliCompress(bytes, { params: BROTLI, chunkSize }, done);
  });
}

const unpackers = { gzip: promisify(gunzip), br: promisify(brotliDecompress) };

/**
 * Gives back what {@link Compress} made.
 * @param mostBytes - of the lines
 * @throws Error when it is something else, or there is no memory for it
 */
export function decompress(body: Uint8Array, encoding: BatchEncoding, mostBytes: number): Promise<Uint8Array> {
  return unpackers[encoding](body, { maxOutputLength: mostBytes });
}

/** A pack of which the encoding is known. */
export type ReadablePack = Pack & { readonly encoding: BatchEncoding };

const NEW_LINE = 0x0a;

/**
 * A pack in its lane: sent as it is. Its lines are unpacked where some of them are wanted, since the receiver will not have one of them, or not
 * as many at a time.
 */
class PackedChunk {
  readonly isFull = true;
  readonly isReadable = true;
  readonly count: number;
  queuedAtMs = 0;
  readonly #pack: ReadablePack;
  #unpacked: UnpackedLines | undefined;

  constructor(pack: ReadablePack) {
    this.#pack = pack;
    this.count = pack.count;
  }

  sequence(index: number): number {
    return this.#pack.first + index;
  }

  /** Any record of the group may be the oldest that is not settled. */
  floorSequence(): number {
    return this.#pack.groupFirst;
  }

  acceptedAtMs(): number {
    return this.#pack.acceptedAtMs;
  }

  /** Octets that it takes; those of a part are not known before it is unpacked, and are reckoned from its records. */
  bytesOf(from: number, to: number): number {
    const { body } = this.#pack;
    return Math.floor((body.length * to) / this.count) - Math.floor((body.length * from) / this.count);
  }

  /** Its records were accepted together, and are given up together. */
  givenUpWith(index: number): number {
    return this.count - index;
  }

  run(from: number, to: number): RecordRun {
    const { encoding, body } = this.#pack;
    const lines = (): Uint8Array => this.#lines().from(from, to);
    return {
      chunk: this,
      count: to - from,
      firstSequence: this.sequence(from),
      lastSequence: this.sequence(to - 1),
      isReadable: true,
      lines,
      line: (index) => this.#lines().from(from + index, from + index + 1),
      ...(to - from === this.count && { packed: { encoding, body } }),
    };
  }

  #lines(): UnpackedLines {
    const { encoding, body } = this.#pack;
    return (this.#unpacked ??= unpackedLines(encoding === 'gzip' ? gunzipSync(body) : brotliDecompressSync(body)));
  }
}

/** Lines of a pack, each with its end. */
type UnpackedLines = ReturnType<typeof unpackedLines>;

/** Parts text at its line ends: JSON has none within a line. */
export function unpackedLines(bytes: Uint8Array) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const ends = [0];
  for (let at = text.indexOf(NEW_LINE); at !== -1; at = text.indexOf(NEW_LINE, at + 1)) ends.push(at + 1);
  return {
    count: ends.length - 1,
    /** Those from `first` to before `end`. */
    from: (first: number, end: number): Uint8Array => text.subarray(ends[first] ?? 0, ends[end] ?? 0),
  };
}

/**
 * The records of some of the calls, in order, of which one batch is on its way at a time: a call has all its records in one lane, so
 * that none overtakes another, and a batch that fails holds up no other lane. It holds records and no timer.
 */
export class Lane {
  size = 0;
  sizeBytes = 0;
  readonly #pool: ChunkPool;
  readonly #clock: Pick<StreamClock, 'monotonicMs'>;
  readonly #chunks: LaneChunk[] = [];
  /** Records of the first chunk that are settled. */
  #first = 0;
  /** The first chunk was cut: what comes now goes into another, lest it change what is on its way. */
  #isClosed = false;
  /** Sizes of the parts of a refused batch, the next one last. */
  #parts: number[] = [];

  constructor(pool: ChunkPool, clock: Pick<StreamClock, 'monotonicMs'>) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** Batches that its records make, a begun one among them. */
  batches(): number {
    return this.#chunks.length;
  }

  /** Sequence number of the oldest record; Infinity where there is none. */
  headSequence(): number {
    return this.#chunks[0]?.sequence(this.#first) ?? Number.POSITIVE_INFINITY;
  }

  /** No record of it has a lower sequence number; Infinity where there is none. */
  floorSequence(): number {
    return this.#chunks[0]?.floorSequence(this.#first) ?? Number.POSITIVE_INFINITY;
  }

  /** When the oldest was accepted, milliseconds since the epoch; Infinity where nobody knows. */
  headAcceptedAtMs(): number {
    return this.#chunks[0]?.acceptedAtMs(this.#first) ?? Number.POSITIVE_INFINITY;
  }

  /** When it was read, monotonic milliseconds; Infinity where there is none. */
  headQueuedAtMs(): number {
    return this.#chunks[0]?.queuedAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes a record as spooled: what `bytes` has from `start` to before `end`, of which it keeps a copy. */
  push(sequence: number, bytes: Uint8Array, start: number, end: number): void {
    const chunk = this.#open(isFrame(bytes, start, end), end - start);
    this.sizeBytes += chunk.add(sequence, bytes, start, end);
    this.size += 1;
  }

  /** Takes records that are a batch already. */
  pushPack(pack: ReadablePack): void {
    this.#append(new PackedChunk(pack));
    this.sizeBytes += pack.body.length;
    this.size += pack.count;
  }

  /** Whether the next batch can get no larger by waiting. */
  isNextWhole(): boolean {
    return this.#parts.length > 0 || this.#chunks.length > 1 || this.#isClosed || this.#chunks[0]?.isFull === true;
  }

  /** Records at the head that make the next batch: after a split the part that is next, else as many as fit. */
  cut(): RecordRun {
    const chunk = this.#chunks[0];
    if (chunk === undefined) throw new RangeError('the lane is empty');
    this.#isClosed = true;
    return chunk.run(this.#first, Math.min(chunk.count, this.#first + (this.#parts.at(-1) ?? chunk.count)));
  }

  /** The whole batch behind the one at the head, where there is one: it will be cut as it is, unless records are dropped. */
  following(): RecordRun | undefined {
    const chunk = this.#chunks[1];
    return chunk !== undefined && (this.#chunks.length > 2 || chunk.isFull) ? chunk.run(0, chunk.count) : undefined;
  }

  /** Takes away so many records at the head, which are settled. */
  settle(count: number): void {
    this.#remove(count);
    const part = this.#parts.pop();
    if (part !== undefined && part > count) this.#parts.push(part - count);
  }

  /** The batch of so many records was refused: its halves come next, each a batch of its own. */
  split(count: number): void {
    const part = this.#parts.pop() ?? count;
    if (part > count) this.#parts.push(part - count);
    const half = Math.ceil(count / 2);
    this.#parts.push(count - half, half);
  }

  /**
   * Gives up the records up to a sequence number, and those that are packed with one of them.
   * @returns how many
   */
  dropThrough(sequence: number): number {
    const chunks = this.#chunks;
    let count = 0;
    for (let chunk = chunks[0]; chunk !== undefined && chunk.sequence(this.#first) <= sequence; chunk = chunks[0]) {
      const given = chunk.givenUpWith(this.#first);
      this.#remove(given);
      count += given;
    }
    if (count > 0) this.#parts = [];
    return count;
  }

  /**
   * Takes out all records with a higher sequence number, none of which is on its way.
   * @returns the lowest of theirs; Infinity where there is none
   */
  forgetAbove(sequence: number): number {
    const chunks = this.#chunks;
    let lowest = Number.POSITIVE_INFINITY;
    for (let chunk = chunks.at(-1); chunk instanceof RecordChunk; chunk = chunks.at(-1)) {
      const start = chunks.length === 1 ? this.#first : 0;
      const kept = chunk.countThrough(sequence, start);
      if (kept < chunk.count) {
        lowest = chunk.sequence(kept);
        // Those of the first chunk, which may stay.
        if (chunks.length === 1) this.#parts = [];
      }
      this.size -= chunk.count - kept;
      this.sizeBytes -= chunk.bytesOf(kept, chunk.count);
      chunk.cut(kept);
      if (kept > start) break;
      chunks.pop();
      this.#pool.give(chunk);
      if (chunks.length === 0) this.#first = 0;
    }
    return lowest;
  }

  #open(isReadable: boolean, bytes: number): RecordChunk {
    const last = this.#chunks.at(-1);
    const isOpen = last instanceof RecordChunk && !(this.#chunks.length === 1 && this.#isClosed);
    if (isOpen && isReadable && last.takes(bytes)) return last;
    const chunk = this.#pool.take(isReadable);
    this.#append(chunk);
    return chunk;
  }

  #append(chunk: LaneChunk): void {
    if (this.#chunks.length === 0) this.#isClosed = false;
    chunk.queuedAtMs = this.#clock.monotonicMs();
    this.#chunks.push(chunk);
  }

  #remove(count: number): void {
    for (let left = count; left > 0;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return;
      const taken = Math.min(left, chunk.count - this.#first);
      this.sizeBytes -= chunk.bytesOf(this.#first, this.#first + taken);
      this.size -= taken;
      left -= taken;
      this.#first += taken;
      if (this.#first < chunk.count) return;
      this.#chunks.shift();
      this.#first = 0;
      this.#isClosed = false;
      if (chunk instanceof RecordChunk) this.#pool.give(chunk);
    }
  }
}
