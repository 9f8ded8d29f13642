import type { RejectReason, RowFraming } from './record-reader.js';

/** Where a row ends, or why that cannot be told. One object is written over for every row: there are millions of them. */
export interface RowScan {
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
export type RowScanner = (octets: Uint8Array, from: number, scan: RowScan) => void;

/**
 * Line ends in one quoted row at most. Callers' names and user fields hold one or two; what goes on longer is a quote that was never
 * closed, and rows behind it would be taken for its content.
 */
export const MAX_QUOTED_LINE_ENDS = 32;

/** Objects and arrays inside each other in a document; FreeSWITCH's go five deep. */
export const MAX_DOCUMENT_DEPTH = 128;

/** A scan to be written over. */
export function emptyRowScan(): RowScan {
  return {
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
}

/** How the rows of each framing are told apart. */
export const ROW_SCANNERS: Readonly<Record<RowFraming, RowScanner>> = {
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
