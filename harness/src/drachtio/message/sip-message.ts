import { HEADER, headerId, type HeaderId } from './header-names.js';

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
