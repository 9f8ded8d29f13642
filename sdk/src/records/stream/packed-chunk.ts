import { Buffer } from 'node:buffer';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { BatchEncoding } from '../../platform/wire/record-batch.js';
import type { Pack } from './pack.js';
import type { LaneChunk, RecordRun } from './record-chunk.js';

/** A pack of which the encoding is known. */
export type ReadablePack = Pack & { readonly encoding: BatchEncoding };

const NEW_LINE = 0x0a;

/**
 * A pack in its lane: sent as it is. Its lines are unpacked where some of them are wanted, since the receiver will not have one of them, or not
 * as many at a time.
 */
export class PackedChunk implements LaneChunk {
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

  takes(): boolean {
    return false;
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
export interface UnpackedLines {
  readonly count: number;
  /** Those from `first` to before `end`. */
  readonly from: (first: number, end: number) => Uint8Array;
}

/** Parts text at its line ends: JSON has none within a line. */
export function unpackedLines(bytes: Uint8Array): UnpackedLines {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const ends = [0];
  for (let at = text.indexOf(NEW_LINE); at !== -1; at = text.indexOf(NEW_LINE, at + 1)) ends.push(at + 1);
  return { count: ends.length - 1, from: (first, end) => text.subarray(ends[first] ?? 0, ends[end] ?? 0) };
}
