import { isAscii, isUtf8 } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { RejectReason, RowFraming, SourceRow } from './record-reader.js';
import { emptyRowScan, ROW_SCANNERS } from './row-scan.js';

/**
 * Octets of one row at most. The longest that switches write, a JSON document with every channel variable, has some tens of KiB; what
 * is longer is no row, and must not fill the memory.
 */
export const MAX_ROW_BYTES = 1_048_576;

/** Octets that are kept of a row that cannot be read: enough for a person to see what it was. */
export const MAX_REJECTED_BYTES = 65_536;

/** A row of a file, with the bytes that it was read from. */
export interface FoundRow {
  readonly status: 'row';
  readonly row: SourceRow;
  /** As they were found, without the line end. Only until the next `push`: to be copied by whoever keeps them. */
  readonly bytes: Uint8Array;
  /** Octets of the file up to behind the row and its line end. */
  readonly endOffset: number;
}

/** Something in a file that is no row. */
export interface BrokenRow {
  readonly status: 'broken';
  readonly reason: RejectReason;
  readonly detail: string;
  /** Number of its first line, from 1. */
  readonly line: number;
  /** Its first octets, {@link MAX_REJECTED_BYTES} at most. */
  readonly bytes: Uint8Array;
  /** All its octets. */
  readonly sizeBytes: number;
  /** SHA-256 of all of them, lower-case hexadecimal. */
  readonly sha256: string;
  readonly endOffset: number;
}

/** What a file falls into. */
export type SplitRow = FoundRow | BrokenRow;

/** Where to begin, and how. */
export interface RowSplitterOptions {
  readonly framing: RowFraming;
  /** 1 to 268,435,456. Default {@link MAX_ROW_BYTES}. */
  readonly maxRowBytes?: number;
  /** Octets of the file before the first that is pushed. Default 0. */
  readonly startOffset?: number;
  /** Number of the line that begins there. Default 1. */
  readonly startLine?: number;
}

/** Divides a file into rows, piece by piece. It keeps one row that is not complete, and nothing else. Never throws. */
export interface RowSplitter {
  /** The rows that are complete with this piece. The piece may be written over afterwards, and `bytes` of the rows with it. */
  readonly push: (piece: Uint8Array) => readonly SplitRow[];
  /** The file ends here: what is left is its last row, line end or not. */
  readonly end: () => readonly SplitRow[];
  /** Where another splitter may take up: behind the last row that was given out. */
  readonly place: () => { readonly offset: number; readonly line: number };
}

/**
 * Makes a splitter. Understands CRLF, a byte order mark, empty lines, line ends in quoted fields, a last line without end. A row that
 * is too long, holds NUL octets, or whose quotes or brackets do not close is given out as broken, and the next is found.
 * @param options - framing, octets of a row at most, and the place to begin at: offset in octets from 0, line from 1
 * @returns the splitter; it is for one file, and never throws
 * @see RFC 4180 section 2 for `csv`, RFC 8259 for `json`
 * @example
 * ```ts
 * const splitter = createRowSplitter({ framing: 'csv' });
 * const [first] = splitter.push(new TextEncoder().encode('"a","b\nc"\r\n"d",'));
 * if (first?.status === 'row') console.log(first.row.line, JSON.stringify(first.row.text)); // 1 "\"a\",\"b\nc\""
 * console.log(splitter.place()); // { offset: 11, line: 3 }
 * ```
 */
export function createRowSplitter(options: RowSplitterOptions): RowSplitter {
  const { framing, maxRowBytes = MAX_ROW_BYTES } = options;
  const scanRow = ROW_SCANNERS[framing];
  const nextRow = framing === 'json' ? 'document' : 'line-end';
  const scan = emptyRowScan();
  let offset = options.startOffset ?? 0;
  let line = options.startLine ?? 1;
  let mayHaveMark = offset === 0;
  /** Octets from `offset` on, where no row is being passed over. */
  let kept: Uint8Array = NOTHING;
  let passing: Passing | undefined;

  const pass = (until: Passing['until'], { reason, detail }: Breakage): void => {
    passing = beginPassing({ until, reason, detail, offset, line });
  };
  const passed = (over: Passing): BrokenRow => {
    offset = over.offset + over.sizeBytes;
    line = over.line + over.lines;
    passing = undefined;
    return finishPassing(over);
  };

  /** Scans the row at a place. What comes back is wrong with it, or it is not all there yet. */
  const look = (octets: Buffer, at: number, isLast: boolean): Breakage | 'wait' | undefined => {
    scanRow(octets, at, scan);
    if (scan.status === 'broken') return { reason: scan.reason, detail: scan.detail };
    if (scan.end - scan.start > maxRowBytes) return TOO_LONG;
    if (scan.status === 'row') return undefined;
    if (!isLast) return 'wait';
    if (scan.isOpen) return framing === 'json' ? DOCUMENT_CUT_OFF : QUOTE_LEFT_OPEN;
    // A last row that lacks nothing but its line end.
    scan.next = scan.end;
    scan.lines = 0;
    return undefined;
  };

  const divide = (octets: Buffer, isLast: boolean): SplitRow[] => {
    const rows: SplitRow[] = [];
    const allAscii = isAscii(octets);
    let nextNul = octets.indexOf(0);
    let at = 0;
    while (at < octets.length) {
      if (passing !== undefined) {
        at = passOver(passing, octets, at);
        if (!passing.isOver) break;
        rows.push(passed(passing));
        continue;
      }
      if (nextNul >= 0 && nextNul < at) nextNul = octets.indexOf(0, at);
      if (nextNul === at) {
        pass('nul-ends', NUL_BETWEEN_ROWS);
        continue;
      }
      const trouble = look(octets, at, isLast);
      if (trouble === 'wait') break;
      if (trouble !== undefined) {
        pass(nextRow, trouble);
        continue;
      }
      line += scan.linesBefore;
      offset += scan.next - at;
      if (scan.end > scan.start) {
        const bytes = octets.subarray(scan.start, scan.end);
        const hasNul = nextNul >= 0 && nextNul < scan.end;
        rows.push(hasNul ? withNul(bytes, line, offset) : found(bytes, { line, offset, allAscii }));
      }
      line += scan.lines;
      at = scan.next;
    }
    kept = passing === undefined && at < octets.length ? Uint8Array.from(octets.subarray(at)) : NOTHING;
    return rows;
  };

  const push = (piece: Uint8Array): SplitRow[] => {
    let octets = kept.length === 0 ? asBuffer(piece) : Buffer.concat([kept, piece]);
    if (mayHaveMark) {
      if (octets.length < BYTE_ORDER_MARK.length) {
        kept = Uint8Array.from(octets);
        return [];
      }
      mayHaveMark = false;
      if (BYTE_ORDER_MARK.every((octet, at) => octets[at] === octet)) {
        octets = octets.subarray(BYTE_ORDER_MARK.length);
        offset += BYTE_ORDER_MARK.length;
      }
    }
    return divide(octets, false);
  };

  const end = (): SplitRow[] => {
    mayHaveMark = false;
    const rows = divide(asBuffer(kept), true);
    if (passing !== undefined) rows.push(passed(passing));
    return rows;
  };

  return { push, end, place: () => ({ offset, line }) };
}

const NOTHING = new Uint8Array(0);
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** What is wrong with a row. */
interface Breakage {
  readonly reason: RejectReason;
  readonly detail: string;
}

const TOO_LONG: Breakage = { reason: 'too-long', detail: 'longer than a row may be' };
const DOCUMENT_CUT_OFF: Breakage = { reason: 'bad-json', detail: 'the document is cut off' };
const QUOTE_LEFT_OPEN: Breakage = {
  reason: 'bad-quoting',
  detail: 'a quote is not closed before the end of the file',
};
/** What a crash leaves of rows that had not reached the disk, and a copy-and-truncate of a file that is not written at its end. */
const NUL_BETWEEN_ROWS: Breakage = { reason: 'not-text', detail: 'NUL octets where a row should begin' };

const LF = 0x0a;

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

function found(
  bytes: Buffer,
  { line, offset, allAscii }: { readonly line: number; readonly offset: number; readonly allAscii: boolean },
): FoundRow {
  // Old switches write names in one octet a character: what is no UTF-8 is read as ISO 8859-1, in which everything means something.
  const isOneByte = allAscii || isAscii(bytes) || !isUtf8(bytes);
  const text = isOneByte ? bytes.toString('latin1') : bytes.toString('utf8');
  return { status: 'row', row: { text, sha256: hash('sha256', bytes, 'hex'), line }, bytes, endOffset: offset };
}

function withNul(bytes: Buffer, line: number, endOffset: number): BrokenRow {
  return {
    status: 'broken',
    reason: 'not-text',
    detail: 'NUL octets in the row',
    line,
    bytes: bytes.subarray(0, MAX_REJECTED_BYTES),
    sizeBytes: bytes.length,
    sha256: hash('sha256', bytes, 'hex'),
    endOffset,
  };
}

/** Something that is passed over, however long it is, until the next row can begin. */
interface Passing {
  readonly until: 'line-end' | 'document' | 'nul-ends';
  readonly reason: RejectReason;
  readonly detail: string;
  readonly offset: number;
  readonly line: number;
  readonly hash: Hash;
  readonly first: Uint8Array[];
  firstBytes: number;
  sizeBytes: number;
  lines: number;
  isLineStart: boolean;
  isOver: boolean;
}

function beginPassing(start: Pick<Passing, 'until' | 'reason' | 'detail' | 'offset' | 'line'>): Passing {
  return {
    ...start,
    hash: createHash('sha256'),
    first: [],
    firstBytes: 0,
    sizeBytes: 0,
    lines: 0,
    isLineStart: false,
    isOver: false,
  };
}

/** Takes what belongs to it from a piece. @returns where the piece goes on */
function passOver(passing: Passing, octets: Buffer, from: number): number {
  let at = from;
  if (passing.until === 'nul-ends') {
    while (at < octets.length && octets[at] === 0) at += 1;
    passing.isOver = at < octets.length;
  }
  while (passing.until !== 'nul-ends' && !passing.isOver && at < octets.length) {
    if (passing.until === 'document' && passing.isLineStart && isDocumentStart(octets[at])) {
      passing.isOver = true;
      break;
    }
    const lineEnd = octets.indexOf(LF, at);
    passing.isLineStart = lineEnd >= 0;
    at = lineEnd < 0 ? octets.length : lineEnd + 1;
    if (lineEnd >= 0) passing.lines += 1;
    if (passing.until === 'line-end') passing.isOver = lineEnd >= 0;
  }
  const taken = octets.subarray(from, at);
  passing.hash.update(taken);
  passing.sizeBytes += taken.length;
  const room = MAX_REJECTED_BYTES - passing.firstBytes;
  if (room > 0 && taken.length > 0) {
    const copy = Uint8Array.from(taken.subarray(0, room));
    passing.first.push(copy);
    passing.firstBytes += copy.length;
  }
  return at;
}

function isDocumentStart(octet: number | undefined): boolean {
  return octet === 0x7b || octet === 0x5b;
}

function finishPassing({ reason, detail, line, hash: digest, first, sizeBytes, offset }: Passing): BrokenRow {
  return {
    status: 'broken',
    reason,
    detail,
    line,
    bytes: Buffer.concat(first),
    sizeBytes,
    sha256: digest.digest('hex'),
    endOffset: offset + sizeBytes,
  };
}
