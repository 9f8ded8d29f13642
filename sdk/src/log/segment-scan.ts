import type { LogFile } from './log-files.js';
import { nextFrame } from './segment-format.js';

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
    const end = scanWindow({ window, offset, good, isLast, scan });
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
        ? { kind: 'group', offset: frameOffset, endOffset, first: frame.first, last: frame.last }
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
