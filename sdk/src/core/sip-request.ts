export { splitIdentityHeader } from './header-list.js';

/** One header field: the long name in lower case, and the value on one line. */
export interface SipHeaderText {
  readonly name: string;
  readonly value: string;
}

/** A SIP request as text, taken apart but not understood: no header value has been looked into. */
export interface SipRequestText {
  readonly method: string;
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
 * @param text - bytes are read as UTF-8; what is not UTF-8 becomes U+FFFD
 * @see RFC 3261 sections 7 and 25.1
 */
export function parseSipRequest(text: string | Uint8Array): SipRequestResult {
  if (text.length > MAX_REQUEST_SIZE) return malformed('request-too-large', 1);
  const lines = lineReader(typeof text === 'string' ? text : utf8(text));
  let startLine = lines.next();
  while (startLine === '') startLine = lines.next();
  if (startLine === undefined) return malformed('request-empty', lines.number());
  const start = readStartLine(startLine);
  if (typeof start === 'string') return malformed(start, lines.number());
  const headers: SipHeaderText[] = [];
  for (let line = lines.next(); line !== undefined && line !== ''; line = lines.next()) {
    const failure = addLine(headers, line);
    if (failure !== undefined) return malformed(failure, lines.number());
  }
  return { status: 'parsed', request: { ...start, headers: headers.map(finished), body: lines.rest() } };
}

/**
 * The values of all header fields of one name, in their order, as they stand in the request: lists are not split.
 * @param name - long or compact, in any case
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

function malformed(reason: SipRequestFailure, line: number): SipRequestResult {
  return { status: 'malformed', reason, line };
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

interface LineReader {
  /** The next line without its end, or undefined behind the last. */
  readonly next: () => string | undefined;
  /** Number of the line that `next` returned last, from 1. */
  readonly number: () => number;
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
      at = end + 1;
      count += 1;
      return line;
    },
    number: () => Math.max(1, count),
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

/** A header field while lines may still be added to it. */
interface OpenHeader extends SipHeaderText {
  value: string;
}

/** Adds a new field, or a folded line to the last one. */
function addLine(headers: OpenHeader[], line: string): SipRequestFailure | undefined {
  if (!isText(line)) return 'request-bad-character';
  const first = line.charCodeAt(0);
  if (first === 0x20 || first === 0x09) {
    const open = headers.at(-1);
    if (open === undefined) return 'request-bad-header';
    const more = line.trim();
    open.value = open.value === '' || more === '' ? open.value + more : `${open.value} ${more}`;
    return undefined;
  }
  if (headers.length === MAX_REQUEST_HEADERS) return 'request-too-many-headers';
  const colon = line.indexOf(':');
  const name = colon < 0 ? '' : line.slice(0, colon).trimEnd();
  if (!isToken(name)) return 'request-bad-header';
  headers.push({ name: longName(name), value: line.slice(colon + 1).trim() });
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
