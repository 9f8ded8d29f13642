import { isAscii, isUtf8 } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { RejectReason, RowFraming, SourceRow } from './record-reader.js';

/** Where a row ends, or why that cannot be told. One object is written over for every row: there are millions of them. */
interface RowScan {
  status: 'row' | 'incomplete' | 'broken';
  /** First octet of the row: behind the white space before a document. */
  start: number;
  /** First octet behind the row, without its line end; of an incomplete row, behind what was looked at. */
  end: number;
  /** First octet behind its line end. */
  next: number;
  /** Line ends from where the scan began up to `start`, and inside the row with the one behind it. */
  linesBefore: number;
  lines: number;
  /** An incomplete row is inside quotes or a document: the end of the file does not end it. */
  isOpen: boolean;
  reason: RejectReason;
  detail: string;
}

/** Looks for the end of the row that starts at `from`. Never throws. */
type RowScanner = (octets: Uint8Array, from: number, scan: RowScan) => void;

/**
 * Line ends in one quoted row at most. Callers' names and user fields hold one or two; what goes on longer is a quote that was never
 * closed, and rows behind it would be taken for its content.
 */
const MAX_QUOTED_LINE_ENDS = 32;

/** Objects and arrays inside each other in a document; FreeSWITCH's go five deep. */
const MAX_DOCUMENT_DEPTH = 128;

/** How the rows of each framing are told apart. */
const ROW_SCANNERS: Readonly<Record<RowFraming, RowScanner>> = {
  lines: scanLine,
  csv: scanCsvRow,
  json: scanDocument,
};

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const BAR = 0x7c;
const CLOSE_OBJECT = 0x7d;

function begin(scan: RowScan, from: number): void {
  scan.status = 'incomplete';
  scan.start = from;
  scan.linesBefore = 0;
  scan.lines = 1;
  scan.isOpen = false;
}

function endAtLine(octets: Uint8Array, lineEnd: number, scan: RowScan): void {
  scan.status = 'row';
  scan.end = lineEnd > scan.start && octets[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
  scan.next = lineEnd + 1;
}

function breakOff(scan: RowScan, reason: RejectReason, detail: string): void {
  scan.status = 'broken';
  scan.reason = reason;
  scan.detail = detail;
}

function scanLine(octets: Uint8Array, from: number, scan: RowScan): void {
  begin(scan, from);
  const lineEnd = octets.indexOf(LF, from);
  if (lineEnd < 0) scan.end = octets.length;
  else endAtLine(octets, lineEnd, scan);
}

/** Where the scan stands in a comma-separated row. */
const FIELD_START = 0;
const UNQUOTED = 1;
const QUOTED = 2;
const BEHIND_QUOTE = 3;

/**
 * RFC 4180, and what switches make of it: a quote in the middle of a quoted field that is not doubled belongs to the field, as long as
 * the row is on its first line. On a later one it is the quote of another row, and the first was never closed.
 */
function scanCsvRow(octets: Uint8Array, from: number, scan: RowScan): void {
  begin(scan, from);
  let state = FIELD_START;
  const { length } = octets;
  for (let at = from; at < length; at += 1) {
    const octet = octets[at];
    if (state === QUOTED) {
      if (octet === QUOTE) state = BEHIND_QUOTE;
      else if (octet === LF && (scan.lines += 1) > MAX_QUOTED_LINE_ENDS) {
        breakOff(scan, 'bad-quoting', 'a quote is not closed within the lines that a row may have');
        return;
      }
    } else if (octet === LF) {
      endAtLine(octets, at, scan);
      return;
    } else if (state === UNQUOTED) {
      if (octet === COMMA) state = FIELD_START;
    } else if (state === FIELD_START) {
      if (octet === QUOTE) state = QUOTED;
      else if (octet !== COMMA && octet !== SPACE) state = UNQUOTED;
    } else if (octet === QUOTE) state = QUOTED;
    else if (isSeparator(octet)) state = FIELD_START;
    else if (octet !== CR && octet !== SPACE) {
      if (scan.lines > 1) {
        breakOff(scan, 'bad-quoting', 'a quote is not closed on the line on which it opens');
        return;
      }
      state = QUOTED;
    }
  }
  scan.end = length;
  scan.isOpen = state === QUOTED;
}

/** Declared column maps may have other separators than the comma; behind a closing quote they cannot be anything else. */
function isSeparator(octet: number | undefined): boolean {
  return octet === COMMA || octet === SEMICOLON || octet === TAB || octet === BAR;
}

/**
 * One top-level object or array. Only as much of the grammar as tells that a document was cut off and another begins: a line end in a
 * string, an object where none can be.
 * @see RFC 8259
 */
function scanDocument(octets: Uint8Array, from: number, scan: RowScan): void {
  begin(scan, from);
  const start = skipWhitespace(octets, from, scan);
  scan.start = start;
  scan.end = octets.length;
  if (start === octets.length) return;
  scan.isOpen = true;
  const containers: number[] = [];
  let last = 0;
  for (let at = start; at < octets.length; at += 1) {
    const octet = octets[at];
    if (octet === undefined || octet === SPACE || octet === TAB || octet === CR) continue;
    if (octet === LF) {
      scan.lines += 1;
      continue;
    }
    if (octet === QUOTE && containers.length > 0) {
      at = stringEnd(octets, at + 1, scan);
      if (at < 0 || scan.status === 'broken') return;
    } else if (octet === OPEN_OBJECT || octet === OPEN_ARRAY) {
      if (!canOpen(last, containers)) return breakOff(scan, 'bad-json', 'the document is cut off');
      if (containers.push(octet) > MAX_DOCUMENT_DEPTH) return breakOff(scan, 'bad-json', 'nested too deep');
    } else if (octet === CLOSE_OBJECT || octet === CLOSE_ARRAY) {
      if (containers.pop() !== (octet === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_ARRAY)) {
        return breakOff(scan, 'bad-json', 'a bracket closes what is not open');
      }
      if (containers.length === 0) return endDocument(octets, at + 1, scan);
    } else if (containers.length === 0) return breakOff(scan, 'bad-json', 'neither an object nor an array');
    last = octet;
  }
}

function skipWhitespace(octets: Uint8Array, from: number, scan: RowScan): number {
  for (let at = from; at < octets.length; at += 1) {
    const octet = octets[at];
    if (octet === LF) scan.linesBefore += 1;
    else if (octet !== SPACE && octet !== TAB && octet !== CR) return at;
  }
  return octets.length;
}

function canOpen(last: number, containers: readonly number[]): boolean {
  if (containers.length === 0) return true;
  if (last === COLON || last === OPEN_ARRAY) return true;
  return last === COMMA && containers.at(-1) === OPEN_ARRAY;
}

/** Place of the closing quote; negative where the octets end first. */
function stringEnd(octets: Uint8Array, from: number, scan: RowScan): number {
  for (let at = from; at < octets.length; at += 1) {
    const octet = octets[at];
    if (octet === QUOTE) return at;
    if (octet === BACKSLASH && octets[at + 1] !== LF) at += 1;
    else if (octet === LF) {
      breakOff(scan, 'bad-json', 'a string is not closed on its line');
      return at;
    }
  }
  return -1;
}

function endDocument(octets: Uint8Array, end: number, scan: RowScan): void {
  scan.status = 'row';
  scan.end = end;
  // The line end behind a document goes with it, so that line numbers agree with those of an editor.
  const lineEnd = octets[end] === CR ? end + 1 : end;
  const isLineEnd = octets[lineEnd] === LF;
  scan.next = isLineEnd ? lineEnd + 1 : end;
  if (!isLineEnd) scan.lines -= 1;
}

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
  /** 1 to 268,435,456. Default 1,048,576. */
  readonly maxRowBytes?: number;
  /** Octets of the file before the first that is pushed. Default 0. */
  readonly startOffset?: number;
  /** Number of the line that begins there. Default 1. */
  readonly startLine?: number;
}

/**
 * Makes a splitter. Understands CRLF, a byte order mark, empty lines, line ends in quoted fields, a last line without end. A row that
 * is too long, holds NUL octets, or whose quotes or brackets do not close is given out as broken, and the next is found.
 * @param options - framing, octets of a row at most, and the place to begin at: offset in octets from 0, line from 1
 * @returns the splitter; it is for one file, and never throws
 * @see RFC 4180 section 2 for `csv`, RFC 8259 for `json`
 */
export function createRowSplitter(options: RowSplitterOptions): RowSplitter {
  return new RowSplitter(options);
}

/** Divides a file into rows, piece by piece. It keeps one row that is not complete, and nothing else. Never throws. */
export class RowSplitter {
  readonly #framing: RowFraming;
  readonly #maxRowBytes: number;
  readonly #scanRow: RowScanner;
  /** Written over for every row. */
  readonly #scan: RowScan = {
    status: 'incomplete',
    start: 0,
    end: 0,
    next: 0,
    linesBefore: 0,
    lines: 0,
    isOpen: false,
    reason: 'bad-quoting',
    detail: '',
  };
  #offset: number;
  #line: number;
  #mayHaveMark: boolean;
  /** Octets from `#offset` on that are no row yet; empty while a broken row is skipped. */
  #kept: Uint8Array = NOTHING;
  #passing: Passing | undefined;

  constructor({ framing, maxRowBytes = MAX_ROW_BYTES, startOffset = 0, startLine = 1 }: RowSplitterOptions) {
    this.#framing = framing;
    this.#maxRowBytes = maxRowBytes;
    this.#scanRow = ROW_SCANNERS[framing];
    this.#offset = startOffset;
    this.#line = startLine;
    this.#mayHaveMark = startOffset === 0;
  }

  /** The rows that are complete with this piece. The piece may be written over afterwards, and `bytes` of the rows with it. */
  readonly push = (piece: Uint8Array): SplitRow[] => {
    let octets = this.#kept.length === 0 ? asBuffer(piece) : Buffer.concat([this.#kept, piece]);
    if (this.#mayHaveMark) {
      if (octets.length < BYTE_ORDER_MARK.length) {
        this.#kept = Uint8Array.from(octets);
        return [];
      }
      this.#mayHaveMark = false;
      if (BYTE_ORDER_MARK.every((octet, at) => octets[at] === octet)) {
        octets = octets.subarray(BYTE_ORDER_MARK.length);
        this.#offset += BYTE_ORDER_MARK.length;
      }
    }
    return this.#divide(octets, false);
  };

  /** The file ends here: what is left is its last row, line end or not. */
  readonly end = (): SplitRow[] => {
    this.#mayHaveMark = false;
    const rows = this.#divide(asBuffer(this.#kept), true);
    if (this.#passing !== undefined) rows.push(this.#passed(this.#passing));
    return rows;
  };

  /** Where another splitter may take up: behind the last row that was given out. */
  readonly place = () => ({ offset: this.#offset, line: this.#line });

  #divide(octets: Buffer, isLast: boolean): SplitRow[] {
    const scan = this.#scan;
    const rows: SplitRow[] = [];
    const allAscii = isAscii(octets);
    let nextNul = octets.indexOf(0);
    let at = 0;
    while (at < octets.length) {
      if (this.#passing !== undefined) {
        at = passOver(this.#passing, octets, at);
        if (!this.#passing.isOver) break;
        rows.push(this.#passed(this.#passing));
        continue;
      }
      if (nextNul >= 0 && nextNul < at) nextNul = octets.indexOf(0, at);
      if (nextNul === at) {
        this.#pass('nul-ends', NUL_BETWEEN_ROWS);
        continue;
      }
      const trouble = this.#scanAt(octets, at, isLast);
      if (trouble === 'wait') break;
      if (trouble !== undefined) {
        this.#pass(this.#framing === 'json' ? 'document' : 'line-end', trouble);
        continue;
      }
      this.#line += scan.linesBefore;
      this.#offset += scan.next - at;
      if (scan.end > scan.start) {
        const bytes = octets.subarray(scan.start, scan.end);
        const hasNul = nextNul >= 0 && nextNul < scan.end;
        const place = { line: this.#line, offset: this.#offset, allAscii };
        rows.push(hasNul ? withNul(bytes, place.line, place.offset) : found(bytes, place));
      }
      this.#line += scan.lines;
      at = scan.next;
    }
    this.#kept = this.#passing === undefined && at < octets.length ? Uint8Array.from(octets.subarray(at)) : NOTHING;
    return rows;
  }

  /** Scans the row at a place. What comes back is wrong with it, or it is not all there yet. */
  #scanAt(octets: Buffer, at: number, isLast: boolean): Breakage | 'wait' | undefined {
    const scan = this.#scan;
    this.#scanRow(octets, at, scan);
    if (scan.status === 'broken') return { reason: scan.reason, detail: scan.detail };
    if (scan.end - scan.start > this.#maxRowBytes) return TOO_LONG;
    if (scan.status === 'row') return undefined;
    if (!isLast) return 'wait';
    if (scan.isOpen) return this.#framing === 'json' ? DOCUMENT_CUT_OFF : QUOTE_LEFT_OPEN;
    // A last row that lacks nothing but its line end.
    scan.next = scan.end;
    scan.lines = 0;
    return undefined;
  }

  #pass(until: Passing['until'], { reason, detail }: Breakage): void {
    this.#passing = beginPassing({
      until,
      reason,
      detail,
      offset: this.#offset,
      line: this.#line,
    });
  }

  #passed(over: Passing): BrokenRow {
    this.#offset = over.offset + over.sizeBytes;
    this.#line = over.line + over.lines;
    this.#passing = undefined;
    return finishPassing(over);
  }
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

function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

interface FoundPlace {
  readonly line: number;
  readonly offset: number;
  readonly allAscii: boolean;
}

function found(bytes: Buffer, { line, offset, allAscii }: FoundPlace): FoundRow {
  // Old switches write names in one octet a character: what is no UTF-8 is read as ISO 8859-1, in which everything means something.
  const isOneByte = allAscii || isAscii(bytes) || !isUtf8(bytes);
  const text = isOneByte ? bytes.toString('latin1') : bytes.toString('utf8');
  return {
    status: 'row',
    row: { text, sha256: hash('sha256', bytes, 'hex'), line },
    bytes,
    endOffset: offset,
  };
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
