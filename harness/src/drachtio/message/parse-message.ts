import { HEADER, headerIdAt } from './header-names.js';
import { FIELD_SIZE, type SipMessage } from './sip-message.js';

/**
 * Why no sound message can be made of some octets.
 * - `empty`: nothing but line ends, as keep-alives are. @see RFC 5626 section 4.4.1
 * - `no-start-line`, `not-sip`: this is something else; nobody can be answered.
 * - `no-header-end`, `too-large`, `too-many-headers`: cut off, or beyond a limit.
 * - `bad-start-line`, `unknown-version`, `bad-header-line`, `bad-character`, `header-too-large`: the rest can be read, and the sender be answered.
 */
export type MessageFault =
  | 'empty'
  | 'no-start-line'
  | 'not-sip'
  | 'no-header-end'
  | 'too-large'
  | 'too-many-headers'
  | 'bad-start-line'
  | 'unknown-version'
  | 'bad-header-line'
  | 'bad-character'
  | 'header-too-large';

/** A message; or one with a fault that its sender can be told; or nothing that could be answered. */
export type ParsedMessage =
  | { readonly status: 'parsed'; readonly message: SipMessage }
  | { readonly status: 'faulty'; readonly message: SipMessage; readonly fault: MessageFault }
  | { readonly status: 'unreadable'; readonly fault: MessageFault };

/** What is read at most. */
export interface MessageLimits {
  /** A header field with its name and folded lines, octets. drachtio refuses more than 8 kB. */
  readonly maxHeaderBytes: number;
  /** Header fields of one message. */
  readonly maxHeaders: number;
  /** A whole message, octets. */
  readonly maxMessageBytes: number;
}

/**
 * 8 KiB a header field, as drachtio-server; 256 fields, more than ten proxies with their Via and Record-Route leave; 64 KiB a
 * message, as much as a datagram carries.
 */
export const MESSAGE_LIMITS: MessageLimits = { maxHeaderBytes: 8_192, maxHeaders: 256, maxMessageBytes: 65_535 };

/**
 * Finds the start line, the header fields and the body of a message. Values are not looked into: a message that passes may still
 * lack what every message needs (see `readEssentials`). Lines end in CRLF; empty lines in front are skipped. The body is what
 * stands behind the empty line: Content-Length is applied by whoever knows the transport. Never throws for peer input.
 * @param text - one character per octet
 * @see RFC 3261 sections 7, 7.5 and 25.1
 */
export function parseMessage(text: string, limits: MessageLimits = MESSAGE_LIMITS): ParsedMessage {
  const start = startOf(text);
  if (start === text.length) return unreadable('empty');
  if (text.length - start > limits.maxMessageBytes) return unreadable('too-large');
  const startLineEnd = text.indexOf('\r\n', start);
  if (startLineEnd < 0) return unreadable('no-start-line');
  const fields: number[] = [];
  const read = readFields(text, startLineEnd + 2, { fields, limits });
  if (read.end < 0) return unreadable(read.fault ?? 'no-header-end');
  const startLine = readStartLine(text, start, startLineEnd);
  if (startLine === undefined) return unreadable('not-sip');
  const message: SipMessage = {
    text: start === 0 ? text : text.slice(start),
    method: startLine.method,
    requestUri: startLine.requestUri,
    status: startLine.status,
    reason: startLine.reason,
    fields: start === 0 ? fields : moved(fields, start),
    headersEnd: read.end - start,
    bodyStart: Math.min(read.end + 2, text.length) - start,
  };
  const fault = startLine.fault ?? read.fault;
  return fault === undefined ? { status: 'parsed', message } : { status: 'faulty', message, fault };
}

/** The same message with a body of so many octets: a datagram may carry more behind it. @see RFC 3261 section 18.3 */
export function withBodyLength(message: SipMessage, length: number): SipMessage {
  const end = message.bodyStart + length;
  return end === message.text.length ? message : { ...message, text: message.text.slice(0, end) };
}

function unreadable(fault: MessageFault): ParsedMessage {
  return { status: 'unreadable', fault };
}

function startOf(text: string): number {
  let at = 0;
  while (at < text.length && (text.charCodeAt(at) === 0x0d || text.charCodeAt(at) === 0x0a)) at += 1;
  return at;
}

interface FieldsRead {
  /** Where the empty line begins, -1 when there is none. */
  readonly end: number;
  readonly fault?: MessageFault;
}

interface FieldsTarget {
  readonly fields: number[];
  readonly limits: MessageLimits;
}

function readFields(text: string, from: number, { fields, limits }: FieldsTarget): FieldsRead {
  let fault: MessageFault | undefined;
  let lineStart = from;
  for (;;) {
    let lineEnd = text.indexOf('\r\n', lineStart);
    if (lineEnd === lineStart) break;
    // A message whose last line is cut off, or which lacks the empty line, is not whole.
    if (lineEnd < 0) return { end: -1 };
    for (let next = text.charCodeAt(lineEnd + 2); next === 0x20 || next === 0x09; next = text.charCodeAt(lineEnd + 2)) {
      const end = text.indexOf('\r\n', lineEnd + 2);
      if (end < 0) return { end: -1 };
      lineEnd = end;
    }
    if (fields.length === limits.maxHeaders * FIELD_SIZE) return { end: -1, fault: 'too-many-headers' };
    if (lineEnd - lineStart > limits.maxHeaderBytes) fault ??= 'header-too-large';
    const found = addField(text, lineStart, { fields, lineEnd });
    if (found !== undefined) fault ??= found;
    lineStart = lineEnd + 2;
  }
  return fault === undefined ? { end: lineStart } : { end: lineStart, fault };
}

interface FieldPlace {
  readonly fields: number[];
  readonly lineEnd: number;
}

function addField(text: string, lineStart: number, { fields, lineEnd }: FieldPlace): MessageFault | undefined {
  let at = lineStart;
  while (at < lineEnd && IS_TOKEN[text.charCodeAt(at)] === 1) at += 1;
  const nameEnd = at;
  while (at < lineEnd && isBlank(text.charCodeAt(at))) at += 1;
  if (nameEnd === lineStart || text.charCodeAt(at) !== 0x3a || at >= lineEnd) return 'bad-header-line';
  let valueStart = at + 1;
  while (valueStart < lineEnd && isWhite(text.charCodeAt(valueStart))) valueStart += 1;
  let valueEnd = lineEnd;
  while (valueEnd > valueStart && isWhite(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
  const id = headerIdAt(text, lineStart, nameEnd);
  fields.push(id, lineStart, valueStart, valueEnd);
  // What routes a message must not hold a NUL or a lone line end, on which the next reader might see another header field.
  return id !== HEADER.other && hasControl(text, valueStart, valueEnd) ? 'bad-character' : undefined;
}

/** Controls, but for tabs, folds, and what a backslash takes the meaning from. @see RFC 3261 section 25.1, quoted-pair */
function hasControl(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x20 || code === 0x09) continue;
    if (text.charCodeAt(at - 1) === 0x5c && code !== 0x0d && code !== 0x0a) continue;
    const isFold = code === 0x0d && text.charCodeAt(at + 1) === 0x0a;
    if (!isFold) return true;
    at += 1;
  }
  return false;
}

interface StartLine {
  readonly method: string;
  readonly requestUri: string;
  readonly status: number;
  readonly reason: string;
  readonly fault?: MessageFault;
}

function readStartLine(text: string, start: number, end: number): StartLine | undefined {
  return text.startsWith('SIP/', start) ? readStatusLine(text, start, end) : readRequestLine(text.slice(start, end));
}

/** @see RFC 3261 section 7.2 */
function readStatusLine(text: string, start: number, end: number): StartLine | undefined {
  if (!text.startsWith('SIP/2.0 ', start)) return undefined;
  const first = text.charCodeAt(start + 8) - 0x30;
  const second = text.charCodeAt(start + 9) - 0x30;
  const third = text.charCodeAt(start + 10) - 0x30;
  const isStatus = first >= 1 && first <= 6 && second >= 0 && second <= 9 && third >= 0 && third <= 9;
  if (!isStatus || end < start + 11) return undefined;
  // Some leave out the space in front of an empty phrase.
  if (end > start + 11 && text.charCodeAt(start + 11) !== 0x20) return undefined;
  const reason = text.slice(Math.min(start + 12, end), end);
  return { method: '', requestUri: '', status: first * 100 + second * 10 + third, reason };
}

/** @see RFC 3261 section 7.1: single spaces, a token, a URI without white space, the version */
function readRequestLine(line: string): StartLine | undefined {
  const firstSpace = line.indexOf(' ');
  let methodEnd = 0;
  while (methodEnd < line.length && IS_TOKEN[line.charCodeAt(methodEnd)] === 1) methodEnd += 1;
  if (methodEnd === 0 || firstSpace < 0) return undefined;
  const lastSpace = line.lastIndexOf(' ');
  const isPlain = methodEnd === firstSpace && line.endsWith(' SIP/2.0') && isUriText(line, firstSpace + 1, lastSpace);
  const method = line.slice(0, methodEnd);
  if (isPlain) return { method, requestUri: line.slice(firstSpace + 1, lastSpace), status: 0, reason: '' };
  if (!/\bSIP\/\d/i.test(line)) return undefined;
  const fault = / SIP\/(?!2\.0)\d+\.\d+$/i.test(line) ? 'unknown-version' : 'bad-start-line';
  return { method, requestUri: line.slice(firstSpace + 1, lastSpace).trim(), status: 0, reason: '', fault };
}

/** A URI of a request line: something, without white space, controls, and the angle brackets of a name-addr. */
function isUriText(line: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const code = line.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f || code === 0x3c || code === 0x3e || code === 0x22) return false;
  }
  return end > start;
}

function moved(fields: readonly number[], by: number): readonly number[] {
  return fields.map((value, index) => (index % FIELD_SIZE === 0 ? value : value - by));
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isWhite(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

/** @see RFC 3261 section 25.1, token */
const IS_TOKEN: Uint8Array = tokenTable();

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  const marks = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~";
  for (let at = 0; at < marks.length; at += 1) table[marks.charCodeAt(at)] = 1;
  return table;
}
