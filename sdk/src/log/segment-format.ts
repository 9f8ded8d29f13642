import { crc32 } from 'node:zlib';
import type { LogFile } from './log-files.js';

/*
 * A log is a directory of segments. All numbers are unsigned and little-endian.
 *
 * Name of a segment: ORDINAL-FIRST-MARK.segment, where ORDINAL (10 decimal digits) counts the segments ever made, FIRST (16 decimal
 * digits) is the sequence number from which it has the records, and MARK (8 hexadecimal digits) stands before each of its frames. That a
 * segment is there under its name says that every record below its FIRST is durable in segments before it; what those have at or above
 * its FIRST is void. A segment that is made with records in it is therefore written under another name (….partial) and renamed.
 *
 * Segment: header, frames.
 *
 *   header, 32 bytes    0 "HopbkLog"   8 version (u32, 1)   12 mark (u32)   16 FIRST (u64)   24 ORDINAL (u32)   28 CRC-32 of 0 to 27
 *   frame, 20 bytes +   0 mark (u32)   4 checksum (u32)   8 length of the payload (u31) and kind (1 bit, the highest)
 *                       12 sequence number (u64)   20 payload
 *
 * The checksum is CRC-32 (ISO 3309, as zlib has it), begun with the mark as its value, over everything from offset 8 to the end of the
 * payload. Kind 0 is a record. Kind 1 is the header of a group: its sequence number is that of the first record of the group, its payload
 * (8 bytes, u64) that of the last. A group is what was written and synced at once, and it is written only after everything below its
 * first record has been synced: the last group header of a segment says from where on its records are in doubt after a crash, and up to
 * where there have been records. A group header whose last is the one before its first has no records: it says that everything below
 * is durable, and which number is the next. One stands at the end of a log that was closed, and after what was in doubt.
 *
 * Sequence numbers rise. Where one is missing between frames that are neighbours in the file, no record with it was ever durable; where
 * there are other bytes between them, it was lost.
 *
 * The header of a segment repeats what its name says, for people and for whoever renames files; nothing is lost with it. The mark is
 * drawn at random whenever a log is opened, so that no payload, whoever made it, holds what looks like a frame: a reader who has lost its
 * way looks for the next mark and is sure. It also tells frames from what other files left in the blocks of the disk.
 */

/** Before the first frame of a segment. */
export const SEGMENT_HEADER_BYTES = 32;
/** Before each payload. */
export const FRAME_HEADER_BYTES = 20;
/** A group header in full. */
export const GROUP_FRAME_BYTES = 28;
/** Longest record of the format: what a damaged length can have a reader look at in vain. */
export const LONGEST_RECORD_BYTES: number = 16 * 2 ** 20;

const MAGIC = Buffer.from('HopbkLog', 'latin1');
/** Of the layout of segments. A later release that writes another one is not read by this one. */
export const SEGMENT_VERSION = 1;
const GROUP_BIT = 0x8000_0000;
const GROUP_PAYLOAD_BYTES = 8;
/** The checksum is over what begins here. */
const CHECKED_FROM = 8;
const TWO_POW_32 = 2 ** 32;

/** What the name of a segment says. */
export interface SegmentName {
  readonly ordinal: number;
  /** Records from this sequence number on. */
  readonly first: number;
  /** Stands before each frame, u32. */
  readonly mark: number;
}

const NAME = /^(\d{10})-(\d{16})-([0-9a-f]{8})\.segment$/;
/** Ends the name of a segment that is not whole yet. */
export const PARTIAL_SUFFIX = '.partial';

/** The name of a segment's file. */
export function segmentFileName({ ordinal, first, mark }: SegmentName): string {
  const digits = (value: number, count: number): string => String(value).padStart(count, '0');
  return `${digits(ordinal, 10)}-${digits(first, 16)}-${mark.toString(16).padStart(8, '0')}.segment`;
}

/** Reads the name of a file; undefined when it is none of a segment. Never throws. */
export function parseSegmentFileName(name: string): SegmentName | undefined {
  const parts = NAME.exec(name);
  if (parts === null) return undefined;
  const [ordinal, first, mark] = [Number(parts[1]), Number(parts[2]), Number.parseInt(parts[3] ?? '', 16)];
  return Number.isSafeInteger(first) && first > 0 && mark > 0 ? { ordinal, first, mark } : undefined;
}

/** A random mark from four random bytes: none of its bytes is 0, since files are full of zeros after a crash. */
export function markOf(random: Uint8Array): number {
  return [0, 1, 2, 3].reduce((mark, index) => mark * 256 + (random[index] || 0xa5), 0);
}

/** The header of a segment. */
export function encodeSegmentHeader({ ordinal, first, mark }: SegmentName): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.set(MAGIC, 0);
  bytes.writeUInt32LE(SEGMENT_VERSION, 8);
  bytes.writeUInt32LE(mark, 12);
  writeSequence(bytes, 16, first);
  bytes.writeUInt32LE(ordinal % TWO_POW_32, 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  return bytes;
}

/** The version that the header of a segment states; undefined where it is cut off or damaged, which loses nothing. Never throws. */
export function statedVersion(header: Buffer): number | undefined {
  if (header.length < SEGMENT_HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return crc32(header.subarray(0, 28)) === header.readUInt32LE(28) ? header.readUInt32LE(8) : undefined;
}

/** A group header: records from `first` to `last` follow. */
export function encodeGroup(mark: number, first: number, last: number): Buffer {
  const bytes = Buffer.allocUnsafe(GROUP_FRAME_BYTES);
  writeSequence(bytes, FRAME_HEADER_BYTES, last);
  sealFrame(bytes, { offset: 0, mark, sequence: first, lengthWord: GROUP_PAYLOAD_BYTES + GROUP_BIT });
  return bytes;
}

/** A record in the making. */
export interface FrameSeal {
  /** Where the frame begins. */
  readonly offset: number;
  readonly mark: number;
  readonly sequence: number;
  /** Length of the payload; for a group header with the highest bit set. */
  readonly lengthWord: number;
}

/** Writes the header of a frame whose payload is in its place already. */
export function sealFrame(bytes: Buffer, { offset, mark, sequence, lengthWord }: FrameSeal): void {
  bytes.writeUInt32LE(mark, offset);
  bytes.writeUInt32LE(lengthWord, offset + CHECKED_FROM);
  writeSequence(bytes, offset + 12, sequence);
  const end = offset + FRAME_HEADER_BYTES + (lengthWord % GROUP_BIT);
  bytes.writeUInt32LE(crc32(bytes.subarray(offset + CHECKED_FROM, end), mark), offset + 4);
}

/** What is at a place of a segment. */
export type FrameRead =
  /** Offsets of the frame, its payload and what follows, in the bytes that were looked at. */
  | {
      readonly kind: 'record';
      readonly offset: number;
      readonly sequence: number;
      readonly payload: number;
      readonly end: number;
    }
  | {
      readonly kind: 'group';
      readonly offset: number;
      readonly first: number;
      readonly last: number;
      readonly end: number;
    }
  /** Here may begin a frame of so many bytes; there are fewer. */
  | {
      readonly kind: 'cut';
      readonly offset: number;
      readonly sizeBytes: number;
    }
  /** No frame begins in these bytes. */
  | { readonly kind: 'none' };

/**
 * Finds the first good frame at or behind an offset. Never throws, whatever the bytes are; time is linear in their number unless
 * somebody knows the mark.
 * @param bytes - of a segment, from anywhere to anywhere
 */
export function nextFrame(bytes: Buffer, from: number, mark: number): FrameRead {
  let offset = from;
  while (offset + 4 <= bytes.length) {
    if (bytes.readUInt32LE(offset) === mark) {
      const frame = frameAt(bytes, offset, mark);
      if (frame !== undefined) return frame;
      offset += 1;
    } else {
      const found = bytes.indexOf(markBytes(mark), offset);
      if (found === -1) break;
      offset = found;
    }
  }
  // The last three bytes may be the beginning of a mark.
  const rest = Math.max(from, bytes.length - 3);
  return rest < bytes.length ? { kind: 'cut', offset: rest, sizeBytes: FRAME_HEADER_BYTES } : { kind: 'none' };
}

function frameAt(bytes: Buffer, offset: number, mark: number): FrameRead | undefined {
  const payload = offset + FRAME_HEADER_BYTES;
  if (payload > bytes.length) return { kind: 'cut', offset, sizeBytes: FRAME_HEADER_BYTES };
  const lengthWord = bytes.readUInt32LE(offset + CHECKED_FROM);
  const isGroup = lengthWord >= GROUP_BIT;
  const length = lengthWord % GROUP_BIT;
  if (isGroup ? length !== GROUP_PAYLOAD_BYTES : length > LONGEST_RECORD_BYTES) return undefined;
  const end = payload + length;
  if (end > bytes.length) return { kind: 'cut', offset, sizeBytes: FRAME_HEADER_BYTES + length };
  if (bytes.readUInt32LE(offset + 4) !== crc32(bytes.subarray(offset + CHECKED_FROM, end), mark)) return undefined;
  const sequence = readSequence(bytes, offset + 12);
  if (isGroup)
    return {
      kind: 'group',
      offset,
      first: sequence,
      last: readSequence(bytes, payload),
      end,
    };
  return {
    kind: 'record',
    offset,
    sequence,
    payload,
    end,
  };
}

function markBytes(mark: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(mark, 0);
  return bytes;
}

function writeSequence(bytes: Buffer, offset: number, sequence: number): void {
  bytes.writeUInt32LE(sequence % TWO_POW_32, offset);
  bytes.writeUInt32LE(Math.floor(sequence / TWO_POW_32), offset + 4);
}

function readSequence(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4) * TWO_POW_32 + bytes.readUInt32LE(offset);
}

/** What a disk cannot give is looked at in blocks of so many bytes: that of a file system's page. */
const BLOCK_BYTES = 4_096;

/** A frame that was found. */
export type ScannedFrame =
  | {
      readonly kind: 'record';
      readonly offset: number;
      readonly endOffset: number;
      readonly sequence: number;
      /** The window that it lies in, and where in it its payload begins and ends. */
      readonly bytes: Buffer;
      readonly start: number;
      readonly end: number;
    }
  | {
      readonly kind: 'group';
      readonly offset: number;
      readonly endOffset: number;
      readonly first: number;
      readonly last: number;
    };

/** How a segment is read. */
export interface SegmentScan {
  readonly mark: number;
  /** Offset to begin at: of a frame, or of anything. */
  readonly from: number;
  /** Offset behind the last byte to look at. */
  readonly to: number;
  /** Bytes read at once. */
  readonly windowBytes: number;
  /** Gives a window's memory, of so many bytes; the window before is done with. Default: each window has its own. */
  readonly windowOf?: (bytes: number) => Buffer;
  /** Whether blocks that the disk does not give count as damaged; else the error is thrown. */
  readonly skipUnreadable: boolean;
  /** Is shown each frame in order; the scan ends when it returns false: that frame is not taken. */
  readonly visit: (frame: ScannedFrame) => boolean;
  /** Is told of bytes that are no frames, before the frame behind them, and of blocks that could not be read. */
  readonly damaged: (offset: number, bytes: number, isUnreadable: boolean) => void;
}

/**
 * Shows the frames of a segment, whatever is between them.
 * @returns the offset behind the last frame taken
 * @throws the error of the system when a window cannot be read and `skipUnreadable` is false
 */
export async function scanSegment(file: LogFile, scan: SegmentScan): Promise<number> {
  let offset = scan.from;
  /** Behind the last good frame. */
  let good = scan.from;
  let windowBytes = scan.windowBytes;
  while (offset < scan.to) {
    const wantedBytes = Math.min(windowBytes, scan.to - offset);
    const window = await readWindow(file, offset, wantedBytes, scan);
    // Fewer than wanted: somebody has cut the file.
    const isLast = offset + wantedBytes >= scan.to || window.length < wantedBytes;
    const end = scanWindow({
      window,
      offset,
      good,
      isLast,
      scan,
    });
    good = end.good;
    if (end.isEnded) return good;
    if (isLast) break;
    windowBytes = Math.max(scan.windowBytes, end.neededBytes);
    offset = end.offset;
  }
  if (good < scan.to) scan.damaged(good, scan.to - good, false);
  return good;
}

interface WindowScan {
  readonly window: Buffer;
  /** Of the window in the file. */
  readonly offset: number;
  readonly good: number;
  readonly isLast: boolean;
  readonly scan: SegmentScan;
}

interface WindowEnd {
  readonly good: number;
  /** Where to go on. */
  readonly offset: number;
  readonly neededBytes: number;
  readonly isEnded: boolean;
}

function scanWindow({ window, offset, good: goodBefore, isLast, scan }: WindowScan): WindowEnd {
  let good = goodBefore;
  let at = 0;
  for (;;) {
    const frame = nextFrame(window, at, scan.mark);
    if (frame.kind === 'none') return { good, offset: offset + window.length, neededBytes: 0, isEnded: false };
    if (frame.kind === 'cut') {
      if (!isLast) return { good, offset: offset + frame.offset, neededBytes: frame.sizeBytes, isEnded: false };
      // Its length may be what was damaged: good frames may follow.
      at = frame.offset + 1;
      continue;
    }
    const frameOffset = offset + frame.offset;
    if (frameOffset > good) scan.damaged(good, frameOffset - good, false);
    const endOffset = offset + frame.end;
    const isTaken = scan.visit(
      frame.kind === 'group'
        ? {
            kind: 'group',
            offset: frameOffset,
            endOffset,
            first: frame.first,
            last: frame.last,
          }
        : {
            kind: 'record',
            offset: frameOffset,
            endOffset,
            sequence: frame.sequence,
            bytes: window,
            start: frame.payload,
            end: frame.end,
          },
    );
    if (!isTaken) return { good, offset: frameOffset, neededBytes: 0, isEnded: true };
    good = endOffset;
    at = frame.end;
  }
}

async function readWindow(file: LogFile, offset: number, bytes: number, scan: SegmentScan): Promise<Buffer> {
  const buffer = scan.windowOf?.(bytes) ?? Buffer.allocUnsafeSlow(bytes);
  try {
    return buffer.subarray(0, await readFully(file, buffer, offset));
  } catch (error) {
    if (!scan.skipUnreadable) throw error;
    await readByBlocks(file, buffer, offset, scan);
    return buffer;
  }
}

/** Reads until the buffer is full or the file ends. */
async function readFully(file: LogFile, buffer: Buffer, offset: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const read = await file.read(buffer.subarray(filled), offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** What cannot be read is zero, which no mark contains. */
async function readByBlocks(file: LogFile, buffer: Buffer, offset: number, scan: SegmentScan): Promise<void> {
  let at = 0;
  while (at < buffer.length) {
    const blockEnd = Math.min(buffer.length, at + BLOCK_BYTES - ((offset + at) % BLOCK_BYTES));
    const block = buffer.subarray(at, blockEnd);
    block.fill(0);
    try {
      await readFully(file, block, offset + at);
    } catch {
      block.fill(0);
      scan.damaged(offset + at, block.length, true);
    }
    at = blockEnd;
  }
}
