import { FRAME_HEADER_BYTES, sealFrame } from './segment-format.js';

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
export interface PendingRecords {
  /** Frames, bytes. */
  readonly bytes: number;
  readonly count: number;
  /**
   * Takes a record.
   * @param payloadBytes - its length in UTF-8 where it is text
   * @throws RangeError when there is no memory
   */
  readonly add: (payload: Uint8Array | string, payloadBytes: number, sequence: number) => void;
  /** The oldest records of about so many bytes at most, and at least one; undefined when there is none. They stay. */
  readonly group: (maxBytes: number) => PendingGroup | undefined;
  /** Forgets a group that has become durable, the oldest. */
  readonly release: (group: PendingGroup) => void;
}

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
export function createPendingRecords(mark: number, chunkBytes: number = CHUNK_BYTES): PendingRecords {
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
    get bytes() {
      return bytes;
    },
    get count() {
      return count;
    },
    add: (payload, payloadBytes, sequence) => {
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
    group: (maxBytes) => {
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
    release: (group) => {
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
