/** Numbers of the header fields that the server itself looks at; 0 stands for every other one. */
export const HEADER = {
  other: 0,
  via: 1,
  from: 2,
  to: 3,
  callId: 4,
  cseq: 5,
  contact: 6,
  recordRoute: 7,
  route: 8,
  maxForwards: 9,
  contentLength: 10,
  contentType: 11,
  require: 12,
  supported: 13,
  proxyRequire: 14,
  rseq: 15,
  rack: 16,
  event: 17,
  expires: 18,
  subscriptionState: 19,
  identity: 20,
  reason: 21,
  path: 22,
  retryAfter: 23,
  pAssertedIdentity: 24,
  date: 25,
  userAgent: 26,
  allow: 27,
} as const;

/** One of the numbers of {@link HEADER}. */
export type HeaderId = (typeof HEADER)[keyof typeof HEADER];

/** How each known header field is written, by its number. @see RFC 3261 section 20 */
const WRITTEN: readonly string[] = [
  '',
  'Via',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Contact',
  'Record-Route',
  'Route',
  'Max-Forwards',
  'Content-Length',
  'Content-Type',
  'Require',
  'Supported',
  'Proxy-Require',
  'RSeq',
  'RAck',
  'Event',
  'Expires',
  'Subscription-State',
  'Identity',
  'Reason',
  'Path',
  'Retry-After',
  'P-Asserted-Identity',
  'Date',
  'User-Agent',
  'Allow',
];

/** Compact forms of the fields above. @see RFC 3261 section 7.3.3, IANA SIP Parameters */
const COMPACT: ReadonlyMap<string, HeaderId> = new Map<string, HeaderId>([
  ['v', HEADER.via],
  ['f', HEADER.from],
  ['t', HEADER.to],
  ['i', HEADER.callId],
  ['m', HEADER.contact],
  ['l', HEADER.contentLength],
  ['c', HEADER.contentType],
  ['k', HEADER.supported],
  ['o', HEADER.event],
  ['y', HEADER.identity],
]);

const BY_NAME: ReadonlyMap<string, HeaderId> = new Map<string, HeaderId>([
  ...WRITTEN.slice(1).map((name, index) => [name.toLowerCase(), (index + 1) as HeaderId] as const),
  ...COMPACT,
]);

const KEYS = 4_096;

/**
 * Known names under a key of two characters and the length. Names differ in it, so that one comparison decides; the
 * comparison itself keeps made-up names with the same key apart.
 */
const BY_KEY: readonly (HeaderId | undefined)[] = tableOfKeys();

/** The number of a header field by its name, long or compact, in any case. Never throws. */
export function headerId(name: string): HeaderId {
  return BY_NAME.get(name.toLowerCase()) ?? HEADER.other;
}

/** How a known header field is written; empty for {@link HEADER}.other. */
export function headerName(id: HeaderId): string {
  return WRITTEN[id] ?? '';
}

/** As {@link headerIdAt}, for a name that is written as RFC 3261 writes it; 0 for one that is not, known or not. Never throws. */
export function usualHeaderIdAt(text: string, start: number, end: number): HeaderId {
  const id = BY_KEY[keyOf(text.charCodeAt(start), text.charCodeAt(end - 1), end - start)];
  if (id === undefined) return HEADER.other;
  const name = WRITTEN[id] ?? '';
  return name.length === end - start && text.startsWith(name, start) ? id : HEADER.other;
}

/**
 * The number of the header field whose name stands at `start` to `end` in a text, without making a string of it.
 * Never throws.
 */
export function headerIdAt(text: string, start: number, end: number): HeaderId {
  const length = end - start;
  if (length === 1) return COMPACT.get(text.charAt(start).toLowerCase()) ?? HEADER.other;
  const id = BY_KEY[keyOf(text.charCodeAt(start), text.charCodeAt(end - 1), length)];
  if (id === undefined) return HEADER.other;
  const name = WRITTEN[id] ?? '';
  if (name.length !== length) return HEADER.other;
  for (let at = 0; at < length; at += 1) {
    const difference = name.charCodeAt(at) ^ text.charCodeAt(start + at);
    // Letters may differ in their case bit; nothing else may differ.
    if (difference !== 0 && (difference !== 0x20 || !isLetter(name.charCodeAt(at)))) return HEADER.other;
  }
  return id;
}

/**
 * How a header field that an application names is written on the wire: known names as the RFC writes them, others with each
 * word capitalised, and what begins with `X-` as it came.
 */
export function writtenName(name: string): string {
  // Compact names are an application's own choice: `y` stays `y`.
  if (name.length === 1) return name;
  const known = headerId(name);
  if (known !== HEADER.other) return headerName(known);
  if (/^x-/i.test(name)) return name;
  return name.replace(/(^|-)[a-z]/g, (initial) => initial.toUpperCase());
}

function keyOf(first: number, last: number, length: number): number {
  return ((first & 0x1f) * 37 + (last & 0x1f) * 5 + length * 211) % KEYS;
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function tableOfKeys(): readonly (HeaderId | undefined)[] {
  const table: (HeaderId | undefined)[] = Array.from({ length: KEYS });
  for (const [index, name] of WRITTEN.entries()) {
    if (name === '') continue;
    const key = keyOf(name.charCodeAt(0), name.charCodeAt(name.length - 1), name.length);
    if (table[key] !== undefined) throw new Error(`${name} and ${WRITTEN[table[key]]} have the same key`);
    table[key] = index as HeaderId;
  }
  return table;
}

/**
 * A SIP message as it came: its text with one character per octet (ISO 8859-1, so that every octet survives), and where its
 * header fields stand in it. Nothing has been rewritten, and no value has been looked into.
 * @see RFC 3261 section 7
 */
export interface SipMessage {
  /** The whole message, start line to body, one character per octet. */
  readonly text: string;
  /** The request's method as written; empty for a response. */
  readonly method: string;
  /** The Request-URI as written; empty for a response. */
  readonly requestUri: string;
  /** 100 to 699; 0 for a request; -1 for a faulty response whose code cannot be read. */
  readonly status: number;
  /** The reason phrase as written; empty for a request. */
  readonly reason: string;
  /** Four numbers a header field: which it is, where its line begins, where its value begins, where the value ends. */
  readonly fields: readonly number[];
  /** Where the empty line behind the header fields begins. */
  readonly headersEnd: number;
  /** Where the body begins; the length of `text` where there is none. */
  readonly bodyStart: number;
}

/** Numbers per header field in {@link SipMessage.fields}. */
export const FIELD_SIZE = 4;

/** Whether the message is a request. */
export function isRequest(message: SipMessage): boolean {
  return message.status === 0;
}

/** Index of the first header field with this number in {@link SipMessage.fields}, or -1. */
export function fieldIndex(message: SipMessage, id: HeaderId, from = 0): number {
  const { fields } = message;
  for (let at = from; at < fields.length; at += FIELD_SIZE) if (fields[at] === id) return at;
  return -1;
}

/** The value of the field at an index as written: folded lines are kept, outer white space is not. */
export function fieldValue(message: SipMessage, index: number): string {
  return message.text.slice(message.fields[index + 2], message.fields[index + 3]);
}

/**
 * The whole line of the field at an index as written, with its name and without the line end behind it. The next field need not
 * begin there: of a faulty message, lines that are none have been left out.
 */
export function fieldLine({ text, fields, headersEnd }: SipMessage, index: number): string {
  const valueEnd = fields[index + 3] ?? 0;
  const next = fields[index + FIELD_SIZE + 1] ?? headersEnd;
  return text.slice(fields[index + 1], next === valueEnd + 2 ? valueEnd : endOfField(text, valueEnd));
}

/** Where the line of a field ends whose value ends at `valueEnd`: white space behind the value may be folded. */
function endOfField(text: string, valueEnd: number): number {
  let lineEnd = text.indexOf('\r\n', valueEnd);
  while (text.charCodeAt(lineEnd + 2) === 0x20 || text.charCodeAt(lineEnd + 2) === 0x09) {
    lineEnd = text.indexOf('\r\n', lineEnd + 2);
  }
  return lineEnd;
}

/** The name of the field at an index as written. */
export function fieldName(message: SipMessage, index: number): string {
  const start = message.fields[index + 1] ?? 0;
  const colon = message.text.indexOf(':', start);
  return message.text.slice(start, colon).trimEnd();
}

/** The value of the first header field with this number, or undefined. */
export function headerValue(message: SipMessage, id: HeaderId): string | undefined {
  const index = fieldIndex(message, id);
  return index < 0 ? undefined : fieldValue(message, index);
}

/** The values of all header fields with this number, in their order; lists are not split. */
export function headerValues(message: SipMessage, id: HeaderId): readonly string[] {
  const values: string[] = [];
  for (let index = fieldIndex(message, id); index >= 0; index = fieldIndex(message, id, index + FIELD_SIZE)) {
    values.push(fieldValue(message, index));
  }
  return values;
}

/** The lines of all header fields with this number, each with its line end; empty where there is none. */
export function headerLines(message: SipMessage, id: HeaderId): string {
  let lines = '';
  for (let index = fieldIndex(message, id); index >= 0; index = fieldIndex(message, id, index + FIELD_SIZE)) {
    lines += `${fieldLine(message, index)}\r\n`;
  }
  return lines;
}

/**
 * The values of all header fields of a name, in their order and as written; lists are not split. Never throws for peer input.
 * @param message - of {@link parseMessage}
 * @param name - in any case, long or compact form; it may be unknown to the server
 * @returns one text per header field; empty where there is none
 * @see RFC 3261 sections 7.3.1 and 7.3.3
 * @example
 * ```ts
 * const parsed = parseMessage('SIP/2.0 200 OK\r\nX-Carrier: 1234\r\ni: 1@a.example\r\n\r\n');
 * if (parsed.status === 'parsed') console.log(...valuesByName(parsed.message, 'Call-ID')); // 1@a.example
 * ```
 */
export function valuesByName(message: SipMessage, name: string): readonly string[] {
  const id = headerId(name);
  if (id !== HEADER.other) return headerValues(message, id);
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (let index = 0; index < message.fields.length; index += FIELD_SIZE) {
    if (message.fields[index] === HEADER.other && fieldName(message, index).toLowerCase() === wanted) {
      values.push(fieldValue(message, index));
    }
  }
  return values;
}

/**
 * The body as it came. Never throws for peer input.
 * @param message - of {@link parseMessage}
 * @returns one character per octet; empty where there is none
 * @see RFC 3261 section 7.4
 * @example
 * ```ts
 * const parsed = parseMessage('SIP/2.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello');
 * if (parsed.status === 'parsed') console.log(bodyOf(parsed.message)); // hello
 * ```
 */
export function bodyOf(message: SipMessage): string {
  return message.text.slice(message.bodyStart);
}

/**
 * Whether a list header such as Require names an option tag, in any of its fields.
 * @param option - lower case
 * @see RFC 3261 section 19.2
 */
export function namesOption(message: SipMessage, id: HeaderId, option: string): boolean {
  for (let index = fieldIndex(message, id); index >= 0; index = fieldIndex(message, id, index + FIELD_SIZE)) {
    const value = fieldValue(message, index);
    if (value === option) return true;
    const tags = value.toLowerCase();
    if (tags.includes(option) && tags.split(',').some((tag) => tag.trim() === option)) return true;
  }
  return false;
}

/** A header value on one line: what was folded is joined with one space. @see RFC 3261 section 7.3.1 */
export function unfolded(value: string): string {
  return value.includes('\r\n') ? value.replace(/\r\n[ \t]+/g, ' ') : value;
}

/** The parts of a From, To, Contact, Route or Refer-To value that routing and dialogs need; all as written. */
interface Address {
  /** The URI without angle brackets. */
  readonly uri: string;
  /** Header parameters, from their first semicolon; empty where there are none. */
  readonly params: string;
}

/**
 * Takes one name-addr or addr-spec apart. Quoted display names may hold anything, angle brackets and semicolons included.
 * Never throws for peer input.
 * @returns undefined where a quote or an angle bracket is never closed, or where there is no URI
 * @see RFC 3261 section 20.10 and 25.1, name-addr
 */
export function addressOf(value: string): Address | undefined {
  const afterName = value.charCodeAt(0) === QUOTE ? endOfQuoted(value, 0) : 0;
  if (afterName < 0) return undefined;
  const open = value.indexOf('<', afterName);
  if (open < 0) return bareAddress(value, afterName);
  // A quote that opens behind the first character is no display name, and one that is not closed hides what follows.
  const quote = value.indexOf('"', afterName);
  if (quote >= 0 && quote < open) return undefined;
  const close = value.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = value.slice(open + 1, close).trim();
  return uri === '' ? undefined : { uri, params: paramsFrom(value, close + 1) };
}

/**
 * The value of a header parameter. Never throws for peer input.
 * @param params - as {@link Address.params}
 * @param name - lower case
 * @returns undefined where there is none; empty for a parameter without a value
 */
export function parameterOf(params: string, name: string): string | undefined {
  for (let at = params.indexOf(';'); at >= 0 && at < params.length;) {
    const end = endOfParameter(params, at + 1);
    const nameEnd = endOfParameterName(params, at, end);
    const found = nameEnd - at > name.length ? params.slice(at + 1, nameEnd).trim() : '';
    if (found.length === name.length && found.toLowerCase() === name) {
      return params.slice(nameEnd + 1, end).trim();
    }
    at = end;
  }
  return undefined;
}

/**
 * The tag of a From or To value. Never throws for peer input.
 * @returns empty where there is none; undefined where the value cannot be read
 */
export function tagOf(value: string): string | undefined {
  // Nearly every value is <uri>;tag=x or name <uri>;tag=x, with nothing that could be mistaken for the parameter.
  const open = value.indexOf('<');
  const close = open < 0 ? -1 : value.indexOf('>', open);
  if (close > 0 && value.startsWith(';tag=', close + 1) && value.indexOf(';', close + 2) < 0 && !value.includes('"')) {
    const first = value.charCodeAt(open + 1);
    if (first > 0x3e && first < 0x7f) return value.slice(close + 6).trim();
  }
  const address = addressOf(value);
  return address === undefined ? undefined : (parameterOf(address.params, 'tag') ?? '');
}

/** Splits a header value at the commas between its values, not at those in quotes or angle brackets. Never throws. */
export function listValues(value: string): readonly string[] {
  if (!value.includes(',')) return value === '' ? [] : [value];
  const values: string[] = [];
  let start = 0;
  let at = 0;
  let inAngle = false;
  while (at < value.length) {
    const code = value.charCodeAt(at);
    if (code === QUOTE && !inAngle) {
      const end = endOfQuoted(value, at);
      if (end < 0) break;
      at = end;
      continue;
    }
    if (code === 0x3c) inAngle = true;
    else if (code === 0x3e) inAngle = false;
    else if (code === 0x2c && !inAngle) {
      addNonEmpty(values, value.slice(start, at));
      start = at + 1;
    }
    at += 1;
  }
  addNonEmpty(values, value.slice(start));
  return values;
}

/** Where a quoted string that opens at `open` has ended: behind its closing quote, or -1. @see RFC 3261 section 25.1 */
export function endOfQuoted(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === 0x5c) at += 1;
  }
  return -1;
}

const QUOTE = 0x22;

/**
 * Where the name of a parameter has ended: at its equals sign, or with the parameter. Looked for no further than there: a search
 * through the whole text for each of its parameters would cost the square of their number.
 */
export function endOfParameterName(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== 0x3d) at += 1;
  return at;
}

function addNonEmpty(values: string[], raw: string): void {
  const value = raw.trim();
  if (value !== '') values.push(value);
}

function bareAddress(value: string, from: number): Address | undefined {
  if (value.includes('"', from)) return undefined;
  const semicolon = value.indexOf(';', from);
  const uri = value.slice(from, semicolon < 0 ? value.length : semicolon).trim();
  return uri === '' ? undefined : { uri, params: semicolon < 0 ? '' : value.slice(semicolon) };
}

function paramsFrom(value: string, from: number): string {
  const semicolon = value.indexOf(';', from);
  return semicolon < 0 ? '' : value.slice(semicolon);
}

function endOfParameter(params: string, from: number): number {
  for (let at = from; at < params.length; at += 1) {
    const code = params.charCodeAt(at);
    if (code === 0x3b) return at;
    if (code === QUOTE) {
      const end = endOfQuoted(params, at);
      if (end < 0) return params.length;
      at = end - 1;
    }
  }
  return params.length;
}
