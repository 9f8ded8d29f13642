import { EMPTY_PARAMETERS, MAX_PARAMETERS } from './sip-uri.js';
import type { SipParameters, SipUri } from './sip-uri.js';

/** Most values taken from one header field: more than any route, identity or contact list of a real call. */
export const MAX_LIST_VALUES = 64;

/**
 * Splits a header field value at the commas between its values: not at those in quoted strings or between `<` and `>`.
 * Values are trimmed, empty ones dropped. From {@link MAX_LIST_VALUES} on the rest stays together as the last value, so
 * that nothing vanishes unseen. Never throws for peer input.
 * @see RFC 3261 sections 7.3.1 and 20
 */
export function splitHeaderList(headerValue: string): readonly string[] {
  if (!headerValue.includes(',')) {
    const only = headerValue.trim();
    return only === '' ? [] : [only];
  }
  return splitAtCommas(headerValue);
}

/**
 * Splits what stands in one Identity header field into Identity values: several may be written in one field, and SIP stacks
 * join repeated fields with a comma. Tokens hold no comma, but `info=<…>` may. A `<` or a quote that is never closed
 * shields nothing, so that a broken value does not swallow a sound one behind it. Never throws for peer input.
 * @see RFC 8224 section 9, RFC 3261 section 7.3.1
 */
export function splitIdentityHeader(value: string): readonly string[] {
  return splitHeaderList(value);
}

const QUOTE = 0x22;
const OPEN = 0x3c;

function splitAtCommas(text: string): string[] {
  const values: string[] = [];
  const comma = finder(text, ',');
  const open = finder(text, '<');
  const quote = finder(text, '"');
  let start = 0;
  let at = 0;
  let hasQuotes = true;
  while (values.length < MAX_LIST_VALUES - 1) {
    const atComma = comma(at);
    if (atComma === text.length) break;
    const atOpen = open(at);
    const atQuote = hasQuotes ? quote(at) : text.length;
    if (atComma < atOpen && atComma < atQuote) {
      addValue(values, text.slice(start, atComma));
      start = atComma + 1;
      at = start;
    } else if (atOpen < atQuote) {
      at = endOfAngle(text, atOpen) + 1;
    } else {
      const end = endOfQuoted(text, atQuote);
      // Where one quote has no partner, looking for one at every later quote would take quadratic time.
      if (end === undefined) hasQuotes = false;
      at = (end ?? atQuote) + 1;
    }
  }
  addValue(values, text.slice(start));
  return values;
}

/**
 * Finds the next `mark` at or behind a place that only moves forward, text.length when there is none. The last find is
 * kept until it is passed, so that all searches together read the text once.
 */
function finder(text: string, mark: string): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found < from) {
      const next = text.indexOf(mark, from);
      found = next < 0 ? text.length : next;
    }
    return found;
  };
}

function addValue(values: string[], raw: string): void {
  const value = raw.trim();
  if (value !== '') values.push(value);
}

/** The place of the `>` that closes the `<` at `open`; `open` itself where another `<` or the end comes before. */
function endOfAngle(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3e) return at;
    if (code === OPEN) return open;
  }
  return open;
}

/**
 * The place of the quote that closes the one at `open`, or undefined.
 * @see RFC 3261 section 25.1, quoted-string
 */
export function endOfQuoted(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === 0x5c) at += 1;
  }
  return undefined;
}

/** What a quoted string says: the text between `open` and `close`, its escapes undone. @see RFC 3261 section 25.1 */
export function unquoted(text: string, open: number, close: number): string {
  const inner = text.slice(open + 1, close);
  if (!inner.includes('\\')) return inner;
  let value = '';
  for (let at = 0; at < inner.length; at += 1) {
    if (inner.charCodeAt(at) === 0x5c) at += 1;
    value += inner.charAt(at);
  }
  return value;
}

/** Why a header value is not a name and address. */
export type NameAddrFailure =
  | 'address-empty'
  | 'address-too-long'
  | 'address-unclosed-quote'
  | 'address-unclosed-angle'
  | 'address-bad-character'
  | 'address-bad-parameter'
  | 'address-duplicate-parameter'
  | 'address-too-many-parameters';

/**
 * One value of From, To, Contact or P-Asserted-Identity taken apart, or the reason why it cannot be. The URI is raw text that
 * nobody has looked into yet, the display name what the peer wrote.
 */
export type NameAddrResult =
  | {
      readonly status: 'parsed';
      readonly displayName?: string;
      readonly uri: string;
      /** Parameters behind the address, such as `tag`; names in lower case, `true` where there is no value. */
      readonly params: SipParameters;
    }
  | { readonly status: 'malformed'; readonly reason: NameAddrFailure };

/** Longest value that is looked at: a URI of 2,048 characters, a long display name and parameters fit well. */
export const MAX_NAME_ADDR_LENGTH = 8_192;

/**
 * Takes one name-addr (`"Operator" <sip:+12155551212@example.net>;tag=1`) or addr-spec (`sip:…;tag=1`) apart. In the second
 * form everything from the first `;` on belongs to the header, not to the URI. Never throws for peer input.
 * @param headerValue - one value, unfolded; a list goes through {@link splitHeaderList} first
 * @see RFC 3261 sections 20.10, 20.20 and 25.1, RFC 3325 section 9.1
 */
export function parseNameAddr(headerValue: string): NameAddrResult {
  if (headerValue.length > MAX_NAME_ADDR_LENGTH) return malformed('address-too-long');
  const start = skipSpace(headerValue, 0);
  if (start === headerValue.length) return malformed('address-empty');
  if (headerValue.charCodeAt(start) === QUOTE) {
    const close = endOfQuoted(headerValue, start);
    if (close === undefined) return malformed('address-unclosed-quote');
    const open = skipSpace(headerValue, close + 1);
    if (headerValue.charCodeAt(open) !== OPEN) return malformed('address-bad-character');
    return parseAngled(headerValue, open, unquoted(headerValue, start, close));
  }
  const open = headerValue.indexOf('<', start);
  const semicolon = headerValue.indexOf(';', start);
  // A "<" behind the first ";" is one of a parameter of an address without angle brackets.
  if (open < 0 || (semicolon >= 0 && semicolon < open)) return parseBare(headerValue, start, semicolon);
  const name = headerValue.slice(start, open).trimEnd();
  return name.includes('"') ? malformed('address-bad-character') : parseAngled(headerValue, open, name);
}

/**
 * Whether a URI is one that stands for a caller who is not named: `anonymous@anonymous.invalid`, any user at
 * `anonymous.invalid` or `unknown.invalid`, and the user names that switches put there. Never throws for peer input.
 * @see RFC 3323 section 4.1.1.3, 3GPP TS 23.003 sections 13.6 and 13.7
 */
export function isAnonymousUri(uri: SipUri): boolean {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return false;
  if (uri.host === 'anonymous.invalid' || uri.host === 'unknown.invalid') return true;
  const { user } = uri;
  if (user === undefined || user.length > LONGEST_ANONYMOUS_USER || startsLikeNumber(user)) return false;
  return ANONYMOUS_USERS.has(user.toLowerCase());
}

const SEMICOLON = 0x3b;

const ANONYMOUS_USERS: ReadonlySet<string> = new Set(['anonymous', 'restricted', 'unavailable', 'unknown', 'private']);
const LONGEST_ANONYMOUS_USER = 'unavailable'.length;

function startsLikeNumber(user: string): boolean {
  return user.charCodeAt(0) < 0x40;
}

function malformed(reason: NameAddrFailure): NameAddrResult {
  return { status: 'malformed', reason };
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** Space and tab, and the line ends of a value that was not unfolded. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

function parseAngled(text: string, open: number, displayName: string): NameAddrResult {
  const close = text.indexOf('>', open + 1);
  if (close < 0) return malformed('address-unclosed-angle');
  const uri = text.slice(open + 1, close).trim();
  if (uri === '') return malformed('address-empty');
  const params = readHeaderParameters(text, skipSpace(text, close + 1));
  if (typeof params === 'string') return malformed(`address-${params}`);
  return displayName === '' ? { status: 'parsed', uri, params } : { status: 'parsed', displayName, uri, params };
}

function parseBare(text: string, start: number, semicolon: number): NameAddrResult {
  const uri = text.slice(start, semicolon < 0 ? text.length : semicolon).trimEnd();
  if (uri === '') return malformed('address-empty');
  // Nothing but the list separator may follow, and a URI with a comma, space or "?" must stand in angle brackets.
  if (hasNoBareCharacter(uri)) return malformed('address-bad-character');
  const params = readHeaderParameters(text, semicolon < 0 ? text.length : semicolon);
  return typeof params === 'string' ? malformed(`address-${params}`) : { status: 'parsed', uri, params };
}

function hasNoBareCharacter(uri: string): boolean {
  for (let at = 0; at < uri.length; at += 1) {
    const code = uri.charCodeAt(at);
    if (isSpace(code) || code === 0x2c || code === 0x3f || code === QUOTE || code === 0x3e) return true;
  }
  return false;
}

type ParameterFailure = 'bad-character' | 'bad-parameter' | 'duplicate-parameter' | 'too-many-parameters';

/** Header parameters: `;name`, `;name=token`, `;name="quoted"`, with space allowed around the signs. */
function readHeaderParameters(text: string, start: number): SipParameters | ParameterFailure {
  if (start === text.length) return EMPTY_PARAMETERS;
  const params = new Map<string, string | true>();
  let at = start;
  while (at < text.length) {
    if (text.charCodeAt(at) !== SEMICOLON) return 'bad-character';
    const from = skipSpace(text, at + 1);
    const valueAt = endOfName(text, from);
    const name = text.slice(from, valueAt).trimEnd().toLowerCase();
    const value =
      text.charCodeAt(valueAt) === EQUALS ? readParameterValue(text, skipSpace(text, valueAt + 1)) : undefined;
    if (value === 'bad-parameter') return value;
    at = skipSpace(text, value?.end ?? valueAt);
    if (name === '' && value === undefined) continue;
    if (name === '') return 'bad-parameter';
    if (params.has(name)) return 'duplicate-parameter';
    if (params.size === MAX_PARAMETERS) return 'too-many-parameters';
    params.set(name, value?.value ?? true);
  }
  return params;
}

const EQUALS = 0x3d;

function endOfName(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== SEMICOLON && text.charCodeAt(at) !== EQUALS) at += 1;
  return at;
}

function readParameterValue(text: string, start: number): { value: string; end: number } | 'bad-parameter' {
  if (text.charCodeAt(start) === QUOTE) {
    const close = endOfQuoted(text, start);
    return close === undefined ? 'bad-parameter' : { value: unquoted(text, start, close), end: close + 1 };
  }
  const semicolon = text.indexOf(';', start);
  const end = semicolon < 0 ? text.length : semicolon;
  return { value: text.slice(start, end).trimEnd(), end };
}

/** One header field: the long name in lower case, and the value on one line. */
export type SipHeaderText = SipRequestText['headers'][number];

/** A SIP request as text, taken apart but not understood: no header value has been looked into. */
export interface SipRequestText {
  /** As written: `INVITE`. */
  readonly method: string;
  /** As written, not looked into. */
  readonly requestUri: string;
  /** `SIP/2.0`. */
  readonly version: string;
  /** In the order of the request; compact names are written out. */
  readonly headers: readonly {
    /** Long form in lower case: `identity` also where `y` stood. */
    readonly name: string;
    /** As received, folded lines joined with one space; a list is not split. */
    readonly value: string;
  }[];
  /** Everything behind the empty line. Content-Length is not applied, since pasted text has other line ends than it counted. */
  readonly body: string;
}

/** Why a text is not a SIP request. */
export type SipRequestFailure = Extract<SipRequestResult, { readonly status: 'malformed' }>['reason'];

/** The request, or why there is none and in which line, from 1. */
export type SipRequestResult =
  | { readonly status: 'parsed'; readonly request: SipRequestText }
  | {
      readonly status: 'malformed';
      readonly reason:
        | 'request-empty'
        | 'request-too-large'
        | 'request-bad-start-line'
        | 'request-is-a-response'
        | 'request-bad-header'
        | 'request-bad-character'
        | 'request-too-many-headers';
      readonly line: number;
    };

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
  if (text.length > MAX_REQUEST_SIZE) return malformedAt('request-too-large', 1);
  const read = readRequest(typeof text === 'string' ? text : utf8(text));
  if (read.status === 'malformed') return read;
  return { status: 'parsed', request: { ...read.start, headers: read.headers.map(finished), body: read.body } };
}

/** Where the header fields of a request stand in its text, as offsets in UTF-16 units. */
export interface SipHeaderLayout {
  /** In the order of the request, each from its first character to behind its last line end; folded lines go with their field. */
  readonly headers: readonly {
    readonly name: string;
    readonly start: number;
    readonly end: number;
  }[];
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

function malformedAt(reason: SipRequestFailure, line: number): Malformed {
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
  if (startLine === undefined) return malformedAt('request-empty', lines.number());
  const start = readStartLine(startLine);
  if (typeof start === 'string') return malformedAt(start, lines.number());
  const headers: OpenHeader[] = [];
  let headersEnd = lines.offset();
  for (let line = lines.next(); line !== undefined && line !== ''; line = lines.next()) {
    const end = lines.offset();
    const failure = addLine(headers, { text: line, start: headersEnd, end });
    if (failure !== undefined) return malformedAt(failure, lines.number());
    headersEnd = end;
  }
  return {
    status: 'read',
    start,
    headers,
    headersEnd,
    body: lines.rest(),
  };
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function lineReader(text: string) {
  let at = 0;
  let count = 0;
  return {
    /** The next line without its end, or undefined behind the last. */
    next: (): string | undefined => {
      if (at >= text.length) return undefined;
      const feed = text.indexOf('\n', at);
      const end = feed < 0 ? text.length : feed;
      const line = text.slice(at, end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end);
      at = feed < 0 ? end : end + 1;
      count += 1;
      return line;
    },
    /** Number of the line that `next` returned last, from 1. */
    number: () => Math.max(1, count),
    /** Where the line that `next` returns next begins: behind the line end of the last. */
    offset: () => at,
    /** All that was not read yet. */
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
