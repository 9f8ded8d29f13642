export { splitIdentityHeader } from './header-list.js';

/** One header field: the long name in lower case, and the value on one line. */
export interface SipHeaderText {
  /** Long form in lower case: `identity` also where `y` stood. */
  readonly name: string;
  /** As received, folded lines joined with one space; a list is not split. */
  readonly value: string;
}

/** A SIP request as text, taken apart but not understood: no header value has been looked into. */
export interface SipRequestText {
  /** As written: `INVITE`. */
  readonly method: string;
  /** As written, not looked into. */
  readonly requestUri: string;
  /** `SIP/2.0`. */
  readonly version: string;
  /** In the order of the request; compact names are written out. */
  readonly headers: readonly SipHeaderText[];
  /** Everything behind the empty line. Content-Length is not applied, since pasted text has other line ends than it counted. */
  readonly body: string;
}

/** Why a text is not a SIP request. */
export type SipRequestFailure =
  | 'request-empty'
  | 'request-too-large'
  | 'request-bad-start-line'
  | 'request-is-a-response'
  | 'request-bad-header'
  | 'request-bad-character'
  | 'request-too-many-headers';

/** The request, or why there is none and in which line, from 1. */
export type SipRequestResult =
  | { readonly status: 'parsed'; readonly request: SipRequestText }
  | { readonly status: 'malformed'; readonly reason: SipRequestFailure; readonly line: number };

/** Largest request that is read, in bytes or UTF-16 units: as much as one UDP datagram can carry. */
export const MAX_REQUEST_SIZE = 65_536;

/** Most header fields. Requests that crossed ten proxies stay below a hundred. */
export const MAX_REQUEST_HEADERS = 256;

/**
 * Reads a SIP request as it is found in files, logs and REST bodies: lines may end in CRLF or LF, folded header fields are
 * joined with one space, empty lines may come first and the one behind the headers may be missing.
 * Never throws for peer input.
 * @param text - at most 65,536 bytes or characters; bytes are read as UTF-8, and what is not UTF-8 becomes U+FFFD
 * @returns `parsed` with the request; or `malformed` with the reason and the line, from 1
 * @see RFC 3261 sections 7 and 25.1
 * @example
 * ```ts
 * const parsed = parseSipRequest(sampleInvite());
 * if (parsed.status === 'parsed') console.log(parsed.request.method); // INVITE
 * ```
 */
export function parseSipRequest(text: string | Uint8Array): SipRequestResult {
  if (text.length > MAX_REQUEST_SIZE) return malformed('request-too-large', 1);
  const read = readRequest(typeof text === 'string' ? text : utf8(text));
  if (read.status === 'malformed') return read;
  return { status: 'parsed', request: { ...read.start, headers: read.headers.map(finished), body: read.body } };
}

/** Where the header fields of a request stand in its text, as offsets in UTF-16 units. */
export interface SipHeaderLayout {
  /** In the order of the request, each from its first character to behind its last line end; folded lines go with their field. */
  readonly headers: readonly { readonly name: string; readonly start: number; readonly end: number }[];
  /** Behind the last header field, or behind the request line: where the empty line begins, or the text ends. */
  readonly end: number;
}

/**
 * Finds the header fields of a request, for those who write into it. By the same reading as {@link parseSipRequest}, so that
 * what one takes for a header field the other does too.
 * @returns undefined when the text is no request; never throws for peer input
 * @internal
 */
export function sipHeaderLayout(text: string): SipHeaderLayout | undefined {
  const read = text.length > MAX_REQUEST_SIZE ? undefined : readRequest(text);
  if (read?.status !== 'read') return undefined;
  const { headers, headersEnd } = read;
  return { headers: headers.map(({ name, start, end }) => ({ name, start, end })), end: headersEnd };
}

/**
 * The values of all header fields of one name, in their order, as they stand in the request: lists are not split.
 * Never throws for peer input.
 * @param request - as read by {@link parseSipRequest}
 * @param name - long or compact, in any case
 * @returns the values, untrusted text; empty where the request has no such field
 * @see RFC 3261 section 7.3
 * @example
 * ```ts
 * const parsed = parseSipRequest(sampleInvite());
 * if (parsed.status === 'parsed') console.log(headerValues(parsed.request, 'CSeq')[0]); // 314159 INVITE
 * ```
 */
export function headerValues(request: SipRequestText, name: string): readonly string[] {
  const wanted = longName(name);
  return request.headers.filter((header) => header.name === wanted).map((header) => header.value);
}

/**
 * Compact forms of header field names.
 * @see IANA "Session Initiation Protocol (SIP) Parameters", Header Fields
 */
const COMPACT_NAMES: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

interface Malformed {
  readonly status: 'malformed';
  readonly reason: SipRequestFailure;
  readonly line: number;
}

function malformed(reason: SipRequestFailure, line: number): Malformed {
  return { status: 'malformed', reason, line };
}

interface ReadRequest {
  readonly status: 'read';
  readonly start: StartLine;
  readonly headers: readonly OpenHeader[];
  readonly headersEnd: number;
  readonly body: string;
}

function readRequest(text: string): ReadRequest | Malformed {
  const lines = lineReader(text);
  let startLine = lines.next();
  while (startLine === '') startLine = lines.next();
  if (startLine === undefined) return malformed('request-empty', lines.number());
  const start = readStartLine(startLine);
  if (typeof start === 'string') return malformed(start, lines.number());
  const headers: OpenHeader[] = [];
  let headersEnd = lines.offset();
  for (let line = lines.next(); line !== undefined && line !== ''; line = lines.next()) {
    const end = lines.offset();
    const failure = addLine(headers, { text: line, start: headersEnd, end });
    if (failure !== undefined) return malformed(failure, lines.number());
    headersEnd = end;
  }
  return { status: 'read', start, headers, headersEnd, body: lines.rest() };
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

interface LineReader {
  /** The next line without its end, or undefined behind the last. */
  readonly next: () => string | undefined;
  /** Number of the line that `next` returned last, from 1. */
  readonly number: () => number;
  /** Where the line that `next` returns next begins: behind the line end of the last. */
  readonly offset: () => number;
  /** All that was not read yet. */
  readonly rest: () => string;
}

function lineReader(text: string): LineReader {
  let at = 0;
  let count = 0;
  return {
    next: () => {
      if (at >= text.length) return undefined;
      const feed = text.indexOf('\n', at);
      const end = feed < 0 ? text.length : feed;
      const line = text.slice(at, end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end);
      at = feed < 0 ? end : end + 1;
      count += 1;
      return line;
    },
    number: () => Math.max(1, count),
    offset: () => at,
    rest: () => text.slice(at),
  };
}

type StartLine = Pick<SipRequestText, 'method' | 'requestUri' | 'version'>;

function readStartLine(line: string): StartLine | SipRequestFailure {
  if (line.startsWith('SIP/')) return 'request-is-a-response';
  if (!isText(line)) return 'request-bad-character';
  const [method, requestUri, version, ...more] = line.trimEnd().split(' ');
  if (method === undefined || requestUri === undefined || version === undefined) return 'request-bad-start-line';
  const isRequest = isToken(method) && requestUri !== '' && version.toUpperCase() === 'SIP/2.0';
  return isRequest && more.length === 0 ? { method, requestUri, version: 'SIP/2.0' } : 'request-bad-start-line';
}

/** A header field while lines may still be added to it, and where it stands. */
interface OpenHeader extends SipHeaderText {
  value: string;
  readonly start: number;
  end: number;
}

/** A line without its end, where it begins, and where the next one does. */
interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Adds a new field, or a folded line to the last one. */
function addLine(headers: OpenHeader[], { text: line, start, end }: Line): SipRequestFailure | undefined {
  if (!isText(line)) return 'request-bad-character';
  const first = line.charCodeAt(0);
  if (first === 0x20 || first === 0x09) {
    const open = headers.at(-1);
    if (open === undefined) return 'request-bad-header';
    const more = line.trim();
    open.value = open.value === '' || more === '' ? open.value + more : `${open.value} ${more}`;
    open.end = end;
    return undefined;
  }
  if (headers.length === MAX_REQUEST_HEADERS) return 'request-too-many-headers';
  const colon = line.indexOf(':');
  const name = colon < 0 ? '' : line.slice(0, colon).trimEnd();
  if (!isToken(name)) return 'request-bad-header';
  headers.push({ name: longName(name), value: line.slice(colon + 1).trim(), start, end });
  return undefined;
}

function finished(header: OpenHeader): SipHeaderText {
  return { name: header.name, value: header.value };
}

function longName(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT_NAMES.get(lower) ?? lower;
}

/** No control characters but the tab; among them the carriage return that is no part of a line end. */
function isText(line: string): boolean {
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}

/** @see RFC 3261 section 25.1, token */
function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const lower = code | 0x20;
    const isAlphanumeric = (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x7a);
    if (!isAlphanumeric && !TOKEN_MARKS.includes(text.charAt(at))) return false;
  }
  return text.length > 0;
}

const TOKEN_MARKS = "-.!%*_+`'~";
