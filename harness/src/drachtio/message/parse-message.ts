import { FIELD_SIZE, HEADER, fieldIndex, fieldValue, headerIdAt, usualHeaderIdAt } from './sip-message.js';
import type { SipMessage } from './sip-message.js';

/**
 * Why no sound message can be made of some octets.
 * - `empty`: nothing but line ends, as keep-alives are (RFC 5626 section 4.4.1).
 * - `no-start-line`, `not-sip`: this is something else; nobody can be answered.
 * - `no-header-end`, `too-large`, `too-many-headers`: cut off, or beyond a limit.
 * - `bad-start-line`, `unknown-version`, `bad-header-line`, `bad-character`, `header-too-large`: the rest can be read, and the sender
 *   of a request be answered.
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
  | {
      readonly status: 'faulty';
      readonly message: SipMessage;
      readonly fault: MessageFault;
    }
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

/** For messages that the server has taken already, or has made of such: their size is bounded, and refusing them again would lose them. */
export const NO_MESSAGE_LIMITS: MessageLimits = {
  maxHeaderBytes: Number.POSITIVE_INFINITY,
  maxHeaders: Number.POSITIVE_INFINITY,
  maxMessageBytes: Number.POSITIVE_INFINITY,
};

/**
 * Finds the start line, the header fields and the body of a message. Values are not looked into: a message that passes may still
 * lack what every message needs (see `readEssentials`). Lines end in CRLF; empty lines in front are skipped. The body is what
 * stands behind the empty line: Content-Length is applied by whoever knows the transport. Never throws for peer input.
 * @param text - one character per octet (ISO 8859-1)
 * @param limits - what is read at most, octets and header fields; default {@link MESSAGE_LIMITS}
 * @returns `parsed`; `faulty` with a fault that the sender of a request can be told; or `unreadable`, with nobody to answer
 * @see RFC 3261 sections 7, 7.5 and 25.1
 * @example
 * ```ts
 * const parsed = parseMessage('SIP/2.0 607 Unwanted\r\nReason: SIP;cause=607\r\n\r\n');
 * console.log(parsed.status === 'parsed' && parsed.message.status); // 607
 * console.log(parseMessage('GET / HTTP/1.1\r\n\r\n').status); // unreadable
 * ```
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
  // Lines that are no header fields count as well: looking for their colons would cost the square of their number.
  for (let lines = 0; ; lines += 1) {
    const firstCr = text.indexOf('\r', lineStart);
    let lineEnd = endOfLine(text, firstCr);
    if (lineEnd === lineStart) break;
    // A message whose last line is cut off, or which lacks the empty line, is not whole.
    if (lineEnd < 0) return { end: -1 };
    let isClean = firstCr === lineEnd && hasNoOtherLf(text, lineStart, lineEnd);
    for (let next = text.charCodeAt(lineEnd + 2); next === 0x20 || next === 0x09; next = text.charCodeAt(lineEnd + 2)) {
      const foldStart = lineEnd + 2;
      const foldCr = text.indexOf('\r', foldStart);
      lineEnd = endOfLine(text, foldCr);
      if (lineEnd < 0) return { end: -1 };
      isClean &&= foldCr === lineEnd && hasNoOtherLf(text, foldStart, lineEnd);
    }
    if (lines === limits.maxHeaders) return { end: -1, fault: 'too-many-headers' };
    if (lineEnd - lineStart > limits.maxHeaderBytes) fault ??= 'header-too-large';
    if (!addField(text, lineStart, { fields, lineEnd })) fault ??= 'bad-header-line';
    if (!isClean) fault ??= 'bad-character';
    lineStart = lineEnd + 2;
  }
  if (fault === undefined && hasNul(text, from, lineStart)) fault = 'bad-character';
  return fault === undefined ? { end: lineStart } : { end: lineStart, fault };
}

/** Where the CRLF stands that ends a line whose first CR is known. */
function endOfLine(text: string, firstCr: number): number {
  return firstCr < 0 || text.charCodeAt(firstCr + 1) === 0x0a ? firstCr : text.indexOf('\r\n', firstCr);
}

/**
 * Whether a line has no LF within. There are readers that end a line at a CR or LF alone, and see another header field behind it:
 * neither may stand in one.
 */
function hasNoOtherLf(text: string, lineStart: number, lineEnd: number): boolean {
  return text.indexOf('\n', lineStart) === lineEnd + 1;
}

/** A NUL, at which the next reader might stop; one whose meaning a backslash takes is none. @see RFC 3261 section 25.1, quoted-pair */
function hasNul(text: string, start: number, end: number): boolean {
  for (let at = text.indexOf('\0', start); at >= 0 && at < end; at = text.indexOf('\0', at + 1)) {
    if (text.charCodeAt(at - 1) !== 0x5c) return true;
  }
  return false;
}

interface FieldPlace {
  readonly fields: number[];
  readonly lineEnd: number;
}

/** Takes one line down; false where it is no header field. */
function addField(text: string, lineStart: number, { fields, lineEnd }: FieldPlace): boolean {
  const colon = text.indexOf(':', lineStart);
  if (colon <= lineStart || colon >= lineEnd) return false;
  // Names are compared with the names that are known as they are usually written before they are looked at letter by letter.
  let id = usualHeaderIdAt(text, lineStart, colon);
  if (id === HEADER.other) {
    const nameEnd = endOfName(text, lineStart, colon);
    if (nameEnd < 0) return false;
    id = headerIdAt(text, lineStart, nameEnd);
  }
  let valueStart = colon + 1;
  while (valueStart < lineEnd && isWhite(text.charCodeAt(valueStart))) valueStart += 1;
  let valueEnd = lineEnd;
  while (valueEnd > valueStart && isWhite(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
  fields.push(id, lineStart, valueStart, valueEnd);
  return true;
}

/** Where the token in front of a colon ends: white space may stand between; -1 where there is none. @see RFC 3261 section 25.1, HCOLON */
function endOfName(text: string, lineStart: number, colon: number): number {
  let nameEnd = colon;
  while (nameEnd > lineStart && isBlank(text.charCodeAt(nameEnd - 1))) nameEnd -= 1;
  for (let at = lineStart; at < nameEnd; at += 1) if (IS_TOKEN[text.charCodeAt(at)] !== 1) return -1;
  return nameEnd > lineStart ? nameEnd : -1;
}

interface StartLine {
  readonly method: string;
  readonly requestUri: string;
  readonly status: number;
  readonly reason: string;
  readonly fault?: MessageFault;
}

function readStartLine(text: string, start: number, end: number): StartLine | undefined {
  if (!text.startsWith('SIP/', start)) return readRequestLine(text.slice(start, end));
  return readStatusLine(text, start, end) ?? faultyStatusLine(text.slice(start, end));
}

/** @see RFC 3261 section 7.2 */
function readStatusLine(text: string, start: number, end: number): StartLine | undefined {
  const isClean = text.indexOf('\r', start) === end && text.indexOf('\n', start) === end + 1;
  if (!text.startsWith('SIP/2.0 ', start) || !isClean) return undefined;
  const first = text.charCodeAt(start + 8) - 0x30;
  const second = text.charCodeAt(start + 9) - 0x30;
  const third = text.charCodeAt(start + 10) - 0x30;
  const isStatus = first >= 1 && first <= 6 && second >= 0 && second <= 9 && third >= 0 && third <= 9;
  if (!isStatus || end < start + 11) return undefined;
  // Some leave out the space in front of an empty phrase.
  if (end > start + 11 && text.charCodeAt(start + 11) !== 0x20) return undefined;
  const reason = text.slice(Math.min(start + 12, end), end);
  return {
    method: '',
    requestUri: '',
    status: first * 100 + second * 10 + third,
    reason,
  };
}

/** A response that is thrown away as one, and not answered as if it were a request: the stream goes on behind it. */
function faultyStatusLine(line: string): StartLine | undefined {
  if (!/^SIP\/\d/i.test(line)) return undefined;
  const fault = /^SIP\/(?!2\.0 )\d{1,9}\.\d{1,9} /i.test(line) ? 'unknown-version' : 'bad-start-line';
  return {
    method: '',
    requestUri: '',
    status: -1,
    reason: '',
    fault,
  };
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
  if (/^SIP\//i.test(line)) return faultyStatusLine(line);
  const fault = / SIP\/(?!2\.0)\d+\.\d+$/i.test(line) ? 'unknown-version' : 'bad-start-line';
  return {
    method,
    requestUri: line.slice(firstSpace + 1, lastSpace).trim(),
    status: 0,
    reason: '',
    fault,
  };
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

/** Why a stream cannot be read on. */
type StreamFault = 'header-section-too-large' | 'message-too-large' | 'bad-content-length' | 'unreadable-stream';

/** What came out of a stream. */
export type StreamEvent =
  | { readonly kind: 'message'; readonly parsed: Exclude<ParsedMessage, { readonly status: 'unreadable' }> }
  /** Two line ends between messages ask for one in return; however many came at once, they ask once. @see RFC 5626 section 4.4.1 */
  | { readonly kind: 'ping' }
  /**
   * Where the next message would begin is not known any more. `message` is the one whose framing is at fault, so that its sender
   * can be told before the connection is closed.
   */
  | {
      readonly kind: 'fault';
      readonly fault: StreamFault;
      readonly message?: SipMessage;
    };

/** How much of a stream is kept while a message is incomplete. */
export interface StreamLimits extends MessageLimits {
  /** Start line and header fields together, octets. */
  readonly maxHeaderSectionBytes: number;
}

/** Header section as large as a datagram; a message may be larger than one over a stream, up to 1 MiB. */
export const STREAM_LIMITS: StreamLimits = {
  ...MESSAGE_LIMITS,
  maxHeaderSectionBytes: 65_535,
  maxMessageBytes: 1_048_576,
};

/** Cuts messages out of a stream of octets. One per connection. */
export type StreamFramer = ReturnType<typeof createStreamFramer>;

/**
 * Makes a framer that finds the ends of messages by Content-Length. A message without it has no body; where it has a Content-Type
 * there is one whose end nobody knows.
 * @see RFC 3261 sections 18.3 and 18.4
 */
export function createStreamFramer(limits: StreamLimits = STREAM_LIMITS) {
  let pending = '';
  /** Up to here the end of the header section was looked for in vain. */
  let searched = 0;
  let head: { readonly parsed: MessageParsed; readonly length: number } | undefined;
  let isBroken = false;
  /** Octets of the line ends in front of the next message that have not asked for anything yet: they may come one by one. */
  let lineEnds = 0;

  const next = (): StreamEvent | undefined => {
    if (head === undefined) {
      const found = leadingLineEnds(pending);
      if (found > 0) {
        pending = pending.slice(found);
        searched = 0;
        lineEnds += found;
        if (lineEnds >= PING_BYTES) {
          lineEnds %= PING_BYTES;
          return { kind: 'ping' };
        }
      }
      if (pending === '') return undefined;
      lineEnds = 0;
      const end = pending.indexOf('\r\n\r\n', Math.max(0, searched - 3));
      if (end < 0 || end > limits.maxHeaderSectionBytes) {
        searched = pending.length;
        // Of the empty line, three octets may be here already.
        const isTooLarge = end >= 0 || pending.length > limits.maxHeaderSectionBytes + 3;
        return isTooLarge ? { kind: 'fault', fault: 'header-section-too-large' } : undefined;
      }
      const opened = openMessage(pending.slice(0, end + 4), limits);
      if ('kind' in opened) return opened;
      head = opened;
    }
    const headLength = head.parsed.message.text.length;
    if (pending.length < headLength + head.length) return undefined;
    const text = pending.slice(0, headLength + head.length);
    const { parsed } = head;
    pending = pending.slice(headLength + head.length);
    searched = 0;
    head = undefined;
    return { kind: 'message', parsed: { ...parsed, message: { ...parsed.message, text } } };
  };

  return {
    /**
     * Takes the next octets and returns what is complete now. After a fault nothing more comes. Never throws for peer input.
     * @param chunk - one character per octet
     */
    push: (chunk: string): readonly StreamEvent[] => {
      if (isBroken) return [];
      pending = pending === '' ? chunk : pending + chunk;
      const events: StreamEvent[] = [];
      for (let event = next(); event !== undefined; event = next()) {
        events.push(event);
        if (event.kind !== 'fault') continue;
        isBroken = true;
        pending = '';
        break;
      }
      return events;
    },
    /** Whether a message has begun and is not complete: a sender that stays here is slow. */
    isInMessage: () => pending !== '' || head !== undefined,
  };
}

type MessageParsed = Exclude<ParsedMessage, { readonly status: 'unreadable' }>;

interface OpenMessage {
  readonly parsed: MessageParsed;
  /** Octets of the body. */
  readonly length: number;
}

function openMessage(text: string, limits: StreamLimits): OpenMessage | StreamEvent {
  const parsed = parseMessage(text, limits);
  if (parsed.status === 'unreadable') return { kind: 'fault', fault: 'unreadable-stream' };
  const { message } = parsed;
  const length = contentLengthOf(message);
  if (length === undefined) return { kind: 'fault', fault: 'bad-content-length', message };
  if (text.length + length > limits.maxMessageBytes) return { kind: 'fault', fault: 'message-too-large', message };
  return { parsed, length };
}

/**
 * The length that a message says its body has. Two fields, a sign or a number beyond all bounds are no length.
 * @returns 0 where the message does not say and names no type of a body either
 */
function contentLengthOf(message: SipMessage): number | undefined {
  const index = fieldIndex(message, HEADER.contentLength);
  if (index < 0) return fieldIndex(message, HEADER.contentType) < 0 ? 0 : undefined;
  if (fieldIndex(message, HEADER.contentLength, index + 4) >= 0) return undefined;
  const value = fieldValue(message, index);
  return /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** Two line ends. @see RFC 5626 section 3.5.1 */
const PING_BYTES = 4;

function leadingLineEnds(text: string): number {
  let at = 0;
  while (at < text.length && (text.charCodeAt(at) === 0x0d || text.charCodeAt(at) === 0x0a)) at += 1;
  return at;
}
