import { filePieces, PIECE_BYTES } from './file-pieces.js';
import { FINGERPRINT_BYTES, fingerprintOf } from './follow-position.js';
import type { ReadPlace } from './follow-position.js';
import type { ReadableFile } from './followed-files.js';
import { GzipFault, MemberRows } from './gzip-members.js';
import type { DamagedMember } from './gzip-members.js';
import type { RowFraming } from './record-reader.js';
import { createRowSplitter, MAX_ROW_BYTES } from './row-splitter.js';
import type { SplitRow } from './row-splitter.js';

/** How content is read on. */
export interface ReadOn {
  readonly file: ReadableFile;
  readonly isGzip: boolean;
  readonly framing: RowFraming;
  readonly maxRowBytes?: number;
  /** Asked at the end of the content whether nothing more is expected: then a last line without end is a row. */
  readonly isFinal: () => Promise<boolean>;
  /** Takes rows, and the place behind the last of them. @returns whether to go on */
  readonly take: (rows: readonly SplitRow[], place: ReadPlace) => Promise<boolean>;
}

/** How reading on ended. */
export type ReadOnEnd =
  /** At the end of the content. */
  | { readonly status: 'read' }
  /** Before it, because it was told to. */
  | { readonly status: 'stopped' }
  /** What stands before the place is not what was read, or no longer there: the file was truncated, or is another one. */
  | { readonly status: 'replaced' }
  /**
   * The packed content is damaged, or not all there yet. All that could be unpacked behind the place was taken. `isOther`: the fault
   * came before the place, so that nothing says whether this is the content that was read. `damaged`: with the rows of this reading.
   */
  | {
      readonly status: 'damaged';
      readonly fault: GzipFault;
      readonly damaged: DamagedMember | undefined;
      readonly isOther: boolean;
    };

/**
 * Reads content on from a place. What stood before the place is read along and compared, in the same reading, so that no row of other
 * content is ever taken for one of this.
 * @throws what the disk or `take` throws
 */
export async function readOn(place: ReadPlace, options: ReadOn): Promise<ReadOnEnd> {
  const { file, isGzip, framing, maxRowBytes = MAX_ROW_BYTES, take } = options;
  const from = place.offset - place.tail.sizeBytes;
  const window = createWindow(from, maxRowBytes);
  const splitter = createRowSplitter({ framing, maxRowBytes, startOffset: place.offset, startLine: place.line });
  const members = new MemberRows();
  let current = place;
  let isKnown = false;
  const pieces = isGzip ? filePieces(file, { from, members }) : overlappingPieces(file, from);
  try {
    for await (const piece of pieces) {
      window.push(piece);
      let octets = piece;
      if (!isKnown) {
        if (window.endOffset() < place.offset) continue;
        if (fingerprintOf(window.octets(from, place.offset)).sha256 !== place.tail.sha256)
          return { status: 'replaced' };
        isKnown = true;
        octets = window.octets(place.offset, window.endOffset());
      }
      const rows = splitter.push(octets);
      members.add(rows);
      current = placeAfter(splitter.place(), window, current);
      if (!(await take(rows, current))) return { status: 'stopped' };
    }
  } catch (error) {
    if (!(error instanceof GzipFault)) throw error;
    const damaged = members.damagedBy(error);
    return { status: 'damaged', fault: error, damaged, isOther: !isKnown && place.offset > 0 };
  }
  if (!isKnown && window.endOffset() < place.offset) return { status: 'replaced' };
  if (await options.isFinal()) {
    const rows = splitter.end();
    await take(rows, placeAfter(splitter.place(), window, current));
  }
  return { status: 'read' };
}

/** First octets of content: {@link FINGERPRINT_BYTES}, or all where there are less; and what ended packed content before that. */
export async function firstOctets(
  file: ReadableFile,
): Promise<{ readonly octets: Uint8Array; readonly fault?: GzipFault }> {
  const first: Uint8Array[] = [];
  let sizeBytes = 0;
  let fault: GzipFault | undefined;
  try {
    for await (const piece of filePieces(file, { pieceBytes: 4 * FINGERPRINT_BYTES })) {
      first.push(Uint8Array.from(piece.subarray(0, FINGERPRINT_BYTES - sizeBytes)));
      sizeBytes += piece.length;
      if (sizeBytes >= FINGERPRINT_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof GzipFault)) throw error;
    fault = error;
  }
  return { octets: Buffer.concat(first), ...(fault && { fault }) };
}

/** Whether the content of one plain file is the beginning of that of another. */
export async function isBeginningOf(file: ReadableFile, other: ReadableFile): Promise<boolean> {
  const theirs = new Uint8Array(PIECE_BYTES);
  let at = 0;
  for await (const piece of filePieces(file)) {
    let length = 0;
    while (length < piece.length) {
      const { bytesRead } = await other.read(theirs, length, piece.length - length, at + length);
      if (bytesRead === 0) return false;
      length += bytesRead;
    }
    if (Buffer.compare(piece, theirs.subarray(0, length)) !== 0) return false;
    at += length;
  }
  return true;
}

/** Octets that are read twice, at the end of one piece and before the next: rows are longer. */
const OVERLAP_BYTES = 64;

/** Pieces of a plain file; ends where the file was truncated and written anew between two of them. */
async function* overlappingPieces(file: ReadableFile, from: number): AsyncGenerator<Uint8Array> {
  const octets = new Uint8Array(OVERLAP_BYTES + PIECE_BYTES);
  let overlap = Buffer.alloc(0);
  for (let at = from; ;) {
    const { bytesRead } = await file.read(octets, 0, octets.length, at - overlap.length);
    if (bytesRead <= overlap.length) return;
    if (!overlap.equals(octets.subarray(0, overlap.length))) return;
    const piece = octets.subarray(overlap.length, bytesRead);
    at += piece.length;
    overlap = Buffer.from(octets.subarray(Math.max(0, bytesRead - OVERLAP_BYTES), bytesRead));
    yield piece;
  }
}

/** The octets of content around the place up to which it is read. */
interface Window {
  readonly push: (piece: Uint8Array) => void;
  readonly endOffset: () => number;
  /** A copy of what is there between two offsets. */
  readonly octets: (fromOffset: number, toOffset: number) => Uint8Array;
  /** The first of all, {@link FINGERPRINT_BYTES} at most. */
  readonly first: () => Uint8Array;
  readonly startOffset: number;
}

function createWindow(startOffset: number, maxRowBytes: number): Window {
  // A row that is not complete, what is compared before it, and the piece that it came in.
  const mostBytes = maxRowBytes + FINGERPRINT_BYTES;
  let kept: Buffer = Buffer.alloc(0);
  let keptFrom = startOffset;
  let first: Buffer = Buffer.alloc(0);
  return {
    startOffset,
    push(piece) {
      if (first.length < FINGERPRINT_BYTES) {
        first = Buffer.concat([first, piece.subarray(0, FINGERPRINT_BYTES - first.length)]);
      }
      const cut = Math.max(0, kept.length - mostBytes);
      kept = Buffer.concat([kept.subarray(cut), piece]);
      keptFrom += cut;
    },
    endOffset: () => keptFrom + kept.length,
    octets: (fromOffset, toOffset) =>
      Uint8Array.from(kept.subarray(Math.max(0, fromOffset - keptFrom), Math.max(0, toOffset - keptFrom))),
    first: () => first,
  };
}

function placeAfter(
  { offset, line }: { readonly offset: number; readonly line: number },
  window: Window,
  before: ReadPlace,
): ReadPlace {
  if (offset === before.offset) return before;
  const isHeadSeen = window.startOffset === 0 && before.head.sizeBytes < FINGERPRINT_BYTES;
  return {
    offset,
    line,
    head: isHeadSeen ? fingerprintOf(window.first().subarray(0, offset)) : before.head,
    tail: fingerprintOf(window.octets(offset - FINGERPRINT_BYTES, offset)),
  };
}
