import type { SegmentLog } from '../../log/index.js';
import type { RecordVisitor } from '../../log/segment-log.js';
import type { BatchEncoding } from '../../contract/record-batch.js';
import type { Compress } from './record-chunk.js';
import type { NewPack, PackedSpool } from './packed-spool.js';
import { type ChunkPool, createChunkPool, type RecordChunk } from './record-chunk.js';
import { frameLaneHash, isFrame, READ_ATTEMPTS, READ_RETRY_MS, type SpoolReader } from './packed-spool.js';
import type { StreamClock, StreamPolicy } from './stream-policy.js';

/** Octets of a group at most: some batches for each lane, so that most of them are whole. */
const GROUP_BYTES = 8 * 1_048_576;

/** Octets that are read at once: what else there is to do goes on in between. */
const READ_BYTES = 1_048_576;

/** Compressed at once: more threads there are not, and each takes memory. */
const COMPRESSED_AT_ONCE = 4;

/** What a packer works with. */
interface BacklogPackerParts {
  readonly log: SegmentLog;
  readonly packed: PackedSpool;
  readonly reader: Pick<SpoolReader, 'spoolSequence' | 'isReadingSpool' | 'skippedThrough'>;
  /** Up to where everything is settled. */
  readonly settledThrough: () => number;
  /** Makes durable up to where everything is settled. @returns whether the disk took it */
  readonly keepSettled: () => Promise<boolean>;
  /**
   * Has what was read of the spool and is not settled read again from there, so that it is packed as well: the spool lets go of all that is.
   * @returns whether that could be done now
   */
  readonly rewind: (fromSequence: number) => boolean;
  /** Whether a record as spooled is settled already, though not all before it are. */
  readonly isSettled: (sequence: number, bytes: Uint8Array, from: number) => boolean;
  readonly policy: StreamPolicy;
  readonly encoding: BatchEncoding;
  readonly compress: Compress;
  readonly clock: StreamClock;
  /** Octets that wait in the spool from a sequence number on. */
  readonly waitingBytes: (fromSequence: number) => number;
  /** A group was packed, or could not be. */
  readonly onEnded: () => void;
  readonly onFailed: () => void;
}

/** Packs what waits in the spool while nobody takes it. It does nothing until it is told to. */
export class BacklogPacker {
  readonly #parts: BacklogPackerParts;
  readonly #groupBytes: number;
  readonly #pool: ChunkPool;
  #packing: Promise<void> | undefined;
  #notBeforeMs = 0;
  #refusedReads = 0;
  #isClosed = false;

  constructor(parts: BacklogPackerParts) {
    const { batchRecords, batchBytes, maxInFlight, packAboveBytes } = parts.policy;
    this.#parts = parts;
    this.#groupBytes = Math.min(GROUP_BYTES, packAboveBytes);
    const most = { chunks: 2 * maxInFlight, bytes: this.#groupBytes };
    this.#pool = createChunkPool({ records: batchRecords, bytes: batchBytes }, most);
  }

  /** Packs a group, unless one is being packed, too little waits, somebody reads it, or the disk has just refused. */
  run(): void {
    const { packed, reader, policy, clock, settledThrough, waitingBytes, rewind } = this.#parts;
    if (this.#isClosed || this.#packing !== undefined) return;
    if (clock.monotonicMs() < this.#notBeforeMs || reader.isReadingSpool()) return;
    const from = Math.max(settledThrough(), packed.through()) + 1;
    // What was given up is not read again.
    if (from <= reader.skippedThrough() || waitingBytes(from) < policy.packAboveBytes) return;
    const readThrough = reader.spoolSequence() - 1;
    if (readThrough < from || rewind(from)) this.#packing = this.#pack(from, readThrough);
  }

  /** Whether a stretch of the spool is being packed: who else read it would send its records twice. */
  isBusy(): boolean {
    return this.#packing !== undefined;
  }

  /** Waits for the group that is being packed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#packing;
  }

  async #pack(from: number, readThrough: number): Promise<void> {
    const { packed, clock, onFailed, onEnded } = this.#parts;
    let isDone = false;
    try {
      isDone = await (packed.pending() === undefined ? this.#packGroup(from, readThrough) : this.#settlePending(from));
    } catch {
      onFailed();
    }
    this.#packing = undefined;
    if (!isDone) this.#notBeforeMs = clock.monotonicMs() + READ_RETRY_MS;
    onEnded();
  }

  async #settlePending(from: number): Promise<boolean> {
    const { log, packed } = this.#parts;
    if (packed.pending() === from) {
      await packed.retry();
      await log.trim(from - 1);
    } else packed.abandon();
    return true;
  }

  async #visit(from: number, take: RecordVisitor, maxBytes: number): Promise<number> {
    try {
      const skipUnreadable = this.#refusedReads >= READ_ATTEMPTS;
      return await this.#parts.log.visit(from, take, { maxBytes, skipUnreadable });
    } catch (error) {
      this.#refusedReads += 1;
      throw error;
    }
  }

  /** What had been read goes into one group: of what is settled in it nobody knows the number, but that it is in none. */
  async #packGroup(first: number, readThrough: number): Promise<boolean> {
    const { log, packed, policy, keepSettled, isSettled } = this.#parts;
    const lanes = policy.maxInFlight;
    // The first group begins where all is settled: were that not noted, packs would be taken for lost that never were.
    if (!(await keepSettled())) return false;
    const group = new Collected(lanes, this.#pool);
    let last = first - 1;
    let isMore = true;
    const isEnough = (): boolean => this.#isClosed || (group.bytes >= this.#groupBytes && last >= readThrough);
    const take = (sequence: number, bytes: Uint8Array, start: number, end: number): void => {
      if (!isSettled(sequence, bytes, start)) group.add(sequence, bytes, start, end);
      last = sequence;
    };
    while (isMore && !isEnough()) {
      isMore = (await this.#visit(last + 1, take, Math.min(READ_BYTES, this.#groupBytes))) > 0;
    }
    this.#refusedReads = 0;
    if (last < first || this.#isClosed) return false;
    const packs = await packsOf(group.chunks(), lanes, this.#parts);
    for (const { chunk } of group.chunks()) this.#pool.give(chunk);
    await packed.add({ first, last, packs });
    // The spool keeps the newest group: where the end of the packs is lost it is packed again.
    await log.trim(first - 1);
    return true;
  }
}

interface LaneOfChunk {
  readonly lane: number;
  readonly chunk: RecordChunk;
}

/** Records of a group, by lane. */
class Collected {
  bytes = 0;
  readonly #lanes: RecordChunk[][];
  readonly #pool: ChunkPool;

  constructor(lanes: number, pool: ChunkPool) {
    this.#lanes = Array.from({ length: lanes }, () => []);
    this.#pool = pool;
  }

  add(sequence: number, bytes: Uint8Array, start: number, end: number): void {
    const chunks = this.#lanes[frameLaneHash(bytes, start) % this.#lanes.length] ?? [];
    const isReadable = isFrame(bytes, start, end);
    let chunk = chunks.at(-1);
    if (chunk === undefined || !isReadable || !chunk.takes(end - start)) {
      chunk = this.#pool.take(isReadable);
      chunks.push(chunk);
    }
    chunk.add(sequence, bytes, start, end);
    this.bytes += end - start;
  }

  /** Those of all lanes in turn, as they will be sent. */
  chunks(): readonly LaneOfChunk[] {
    const most = Math.max(...this.#lanes.map((chunks) => chunks.length));
    return Array.from({ length: most }, (_none, turn) =>
      this.#lanes.flatMap((chunks, lane) => chunks.slice(turn, turn + 1).map((chunk) => ({ lane, chunk }))),
    ).flat();
  }
}

type Compressing = Pick<BacklogPackerParts, 'compress' | 'encoding'>;

async function packsOf(chunks: readonly LaneOfChunk[], lanes: number, parts: Compressing): Promise<readonly NewPack[]> {
  const packs: NewPack[] = [];
  for (let first = 0; first < chunks.length; first += COMPRESSED_AT_ONCE) {
    const some = chunks.slice(first, first + COMPRESSED_AT_ONCE);
    packs.push(...(await Promise.all(some.map((chunk) => packOf(chunk, lanes, parts)))));
  }
  return packs;
}

async function packOf(
  { lane, chunk }: LaneOfChunk,
  lanes: number,
  { compress, encoding }: Compressing,
): Promise<NewPack> {
  const { count, isReadable } = chunk;
  const lines = chunk.run(0, count).lines();
  const place = { lane, lanes, count, lineBytes: lines.length };
  if (!isReadable) return { ...place, encoding: undefined, acceptedAtMs: 0, body: lines.slice() };
  return { ...place, encoding, acceptedAtMs: chunk.acceptedAtMs(0), body: await compress(lines, encoding) };
}
