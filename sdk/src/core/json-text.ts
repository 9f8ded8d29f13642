/** A JSON text and the place in it where reading goes on, in UTF-16 units from 0. */
export interface JsonCursor {
  readonly text: string;
  at: number;
}

/**
 * Reads the string whose opening quote the cursor is at, and moves behind its closing quote. Returns undefined, with the
 * cursor near the fault, for a string that is not closed, holds a control character, an unknown escape or half a surrogate
 * pair. Never throws for peer input.
 * @see RFC 8259 section 7
 */
export function readJsonString(cursor: JsonCursor): string | undefined {
  const { text } = cursor;
  const start = cursor.at + 1;
  let seen = 0;
  for (let at = start; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      cursor.at = at + 1;
      const value = text.slice(start, at);
      return seen < FIRST_SURROGATE || isWellFormed(value) ? value : undefined;
    }
    if (code === BACKSLASH) return readEscapedString(cursor, at);
    if (code < 0x20) {
      cursor.at = at;
      return undefined;
    }
    seen |= code;
  }
  cursor.at = text.length;
  return undefined;
}

/**
 * Reads the number that the cursor is at, and moves behind it. Returns undefined for a number that is written in another
 * way than JSON allows, or that is too large for a double. Never throws for peer input.
 * @see RFC 8259 section 6
 */
export function readJsonNumber(cursor: JsonCursor): number | undefined {
  const { text } = cursor;
  const start = cursor.at;
  let at = text.charCodeAt(start) === MINUS ? start + 1 : start;
  const first = at;
  let sum = 0;
  let code = text.charCodeAt(at);
  while (code >= DIGIT_0 && code <= DIGIT_9) {
    sum = sum * 10 + (code - DIGIT_0);
    at += 1;
    code = text.charCodeAt(at);
  }
  cursor.at = at;
  if (at === first || (at > first + 1 && text.charCodeAt(first) === DIGIT_0)) return undefined;
  const isPlain = code !== 0x2e && (code | 0x20) !== 0x65;
  if (isPlain && at - first <= EXACT_DIGITS) return first === start ? sum : -sum;
  if (!isPlain) {
    const end = endOfFraction(text, at);
    if (end === undefined) return undefined;
    cursor.at = end;
  }
  const value = Number(text.slice(start, cursor.at));
  return Number.isFinite(value) ? value : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** UTF-16 units below it are characters of their own. */
const FIRST_SURROGATE = 0xd800;

/** Fifteen digits are exact in a double, and adding them up is faster than handing a slice to `Number`. */
const EXACT_DIGITS = 15;

/** The slow way for strings with escapes; `at` is that of the first backslash. */
function readEscapedString(cursor: JsonCursor, at: number): string | undefined {
  const { text } = cursor;
  let value = text.slice(cursor.at + 1, at);
  let pending = at;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      value += text.slice(pending, at);
      cursor.at = at + 1;
      return isWellFormed(value) ? value : undefined;
    }
    if (code < 0x20) break;
    if (code !== BACKSLASH) {
      at += 1;
      continue;
    }
    const letter = text.charAt(at + 1);
    const unescaped = letter === 'u' ? unicodeEscape(text, at + 2) : ESCAPES.get(letter);
    if (unescaped === undefined) break;
    value += text.slice(pending, at) + unescaped;
    at += letter === 'u' ? 6 : 2;
    pending = at;
  }
  cursor.at = Math.min(at, text.length);
  return undefined;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function unicodeEscape(text: string, at: number): string | undefined {
  let unit = 0;
  for (let index = at; index < at + 4; index += 1) {
    const digit = hexDigit(text.charCodeAt(index));
    if (digit < 0) return undefined;
    unit = unit * 16 + digit;
  }
  return String.fromCharCode(unit);
}

function hexDigit(code: number): number {
  if (code >= DIGIT_0 && code <= DIGIT_9) return code - DIGIT_0;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isWellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < FIRST_SURROGATE || code > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    at += 1;
  }
  return true;
}

/** The end of `.5`, `e+9` or both that start at `at`, or undefined where digits are missing. */
function endOfFraction(text: string, at: number): number | undefined {
  let end = at;
  if (text.charCodeAt(end) === 0x2e) {
    const digits = endOfDigits(text, end + 1);
    if (digits === end + 1) return undefined;
    end = digits;
  }
  if ((text.charCodeAt(end) | 0x20) !== 0x65) return end;
  const sign = text.charCodeAt(end + 1);
  const first = sign === 0x2b || sign === MINUS ? end + 2 : end + 1;
  const digits = endOfDigits(text, first);
  return digits === first ? undefined : digits;
}

function endOfDigits(text: string, at: number): number {
  let end = at;
  for (;;) {
    const code = text.charCodeAt(end);
    if (!(code >= DIGIT_0 && code <= DIGIT_9)) return end;
    end += 1;
  }
}

/** A JSON value as `parseBoundedJson` returns it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object: without a prototype, so that only keys of the text can be read from it. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Why a text was refused. */
export type JsonFailure =
  'json-malformed' | 'json-duplicate-key' | 'json-too-deep' | 'json-too-large' | 'json-forbidden-key';

/** How much a JSON text may ask for. */
export interface JsonLimits {
  /** Length of the text in UTF-16 units. */
  readonly maxChars: number;
  /** Arrays and objects inside each other; capped at 256. */
  readonly maxDepth: number;
  /** Array elements and object members of the whole text together. */
  readonly maxEntries: number;
}

/** What became of a text: the value, or the reason and the place (UTF-16 units from 0) where reading stopped. */
export type JsonParseResult =
  | {
      readonly status: 'parsed';
      readonly value: JsonValue;
      /**
       * No whitespace between tokens, the keys of every object in code point order, no escapes and every number in its
       * shortest form: the text is the one spelling of its value. @see RFC 8225 section 9
       */
      readonly isCanonical: boolean;
    }
  | {
      readonly status: 'malformed';
      readonly reason: JsonFailure;
      readonly offset: number;
    };

/**
 * Limits for the header and payload of a PASSporT. They come out of an Identity header of at most 8 KiB; rich call data
 * nests a jCard six deep and lists some dozens of values; the rest is headroom.
 */
export const PASSPORT_JSON_LIMITS: JsonLimits = { maxChars: 8_192, maxDepth: 16, maxEntries: 1_024 };

/**
 * Parses a JSON text strictly and in one pass. What other parsers settle silently is refused: a key given twice (compared
 * after unescaping), the key `__proto__`, half a surrogate pair, a number beyond what a double can hold.
 * Never throws for peer input.
 * @param text - JSON text, within `limits`
 * @param limits - length, depth and number of entries. Default {@link PASSPORT_JSON_LIMITS}
 * @returns `parsed` with the value, objects without a prototype; or `malformed` with reason and place
 * @see RFC 8259, RFC 7493 section 2, RFC 8225 section 9
 * @example
 * ```ts
 * const result = parseBoundedJson('{"attest":"A","attest":"C"}');
 * if (result.status === 'malformed') console.log(result.reason); // json-duplicate-key
 * ```
 */
export function parseBoundedJson(text: string, limits: JsonLimits = PASSPORT_JSON_LIMITS): JsonParseResult {
  if (text.length > limits.maxChars) return { status: 'malformed', reason: 'json-too-large', offset: limits.maxChars };
  const state: Reader = {
    text,
    at: 0,
    depthLeft: Math.min(limits.maxDepth, DEPTH_CEILING),
    entriesLeft: limits.maxEntries,
    isCanonical: true,
    failure: undefined,
  };
  skipSpace(state);
  const value = readValue(state);
  if (value !== undefined) {
    skipSpace(state);
    if (state.at === text.length) {
      return { status: 'parsed', value, isCanonical: state.isCanonical && !text.includes('\\') };
    }
  }
  return { status: 'malformed', reason: state.failure ?? 'json-malformed', offset: state.at };
}

interface Reader extends JsonCursor {
  depthLeft: number;
  entriesLeft: number;
  isCanonical: boolean;
  failure: JsonFailure | undefined;
}

/** The reader recurses once per level; this many frames fit any stack, whatever limit a caller asks for. */
const DEPTH_CEILING = 256;

const COMMA = 0x2c;
const COLON = 0x3a;
function readValue(reader: Reader): JsonValue | undefined {
  const code = reader.text.charCodeAt(reader.at);
  if (code === QUOTE) return readJsonString(reader);
  if (code === 0x7b) return readObject(reader);
  if (code === 0x5b) return readArray(reader);
  if (code === MINUS || (code >= DIGIT_0 && code <= DIGIT_9)) return readNumber(reader);
  if (code === 0x74) return readWord(reader, 'true', true);
  if (code === 0x66) return readWord(reader, 'false', false);
  if (code === 0x6e) return readWord(reader, 'null', null);
  return undefined;
}

function readNumber(reader: Reader): number | undefined {
  const start = reader.at;
  const value = readJsonNumber(reader);
  if (value !== undefined && String(value) !== reader.text.slice(start, reader.at)) reader.isCanonical = false;
  return value;
}

function readWord<T extends JsonValue>(reader: Reader, word: string, value: T): T | undefined {
  if (!reader.text.startsWith(word, reader.at)) return undefined;
  reader.at += word.length;
  return value;
}

function readObject(reader: Reader): JsonObject | undefined {
  if (!descend(reader)) return undefined;
  const { text } = reader;
  const object = Object.create(null) as Record<string, JsonValue>;
  let greatest: string | undefined;
  skipSpace(reader);
  if (text.charCodeAt(reader.at) === 0x7d) return ascend(reader, object);
  for (;;) {
    const start = reader.at;
    const key = text.charCodeAt(start) === QUOTE ? readJsonString(reader) : undefined;
    if (key === undefined) return undefined;
    if (greatest === undefined || isBefore(greatest, key)) greatest = key;
    else {
      // Keys in ascending order cannot repeat; only one that falls behind has to be looked up.
      if (key in object) return refuse(reader, 'json-duplicate-key', start);
      reader.isCanonical = false;
    }
    if (key === '__proto__') return refuse(reader, 'json-forbidden-key', start);
    skipSpace(reader);
    if (text.charCodeAt(reader.at) !== COLON) return undefined;
    reader.at += 1;
    skipSpace(reader);
    const value = readEntry(reader);
    if (value === undefined) return undefined;
    object[key] = value;
    const code = text.charCodeAt(reader.at);
    if (code === 0x7d) return ascend(reader, object);
    if (code !== COMMA) return undefined;
    reader.at += 1;
    skipSpace(reader);
  }
}

function readArray(reader: Reader): JsonValue[] | undefined {
  if (!descend(reader)) return undefined;
  const { text } = reader;
  const array: JsonValue[] = [];
  skipSpace(reader);
  if (text.charCodeAt(reader.at) === 0x5d) return ascend(reader, array);
  for (;;) {
    const value = readEntry(reader);
    if (value === undefined) return undefined;
    array.push(value);
    const code = text.charCodeAt(reader.at);
    if (code === 0x5d) return ascend(reader, array);
    if (code !== COMMA) return undefined;
    reader.at += 1;
    skipSpace(reader);
  }
}

/** One element or member value, with the space behind it. */
function readEntry(reader: Reader): JsonValue | undefined {
  if (reader.entriesLeft === 0) return refuse(reader, 'json-too-large', reader.at);
  reader.entriesLeft -= 1;
  const value = readValue(reader);
  if (value !== undefined) skipSpace(reader);
  return value;
}

function descend(reader: Reader): boolean {
  if (reader.depthLeft === 0) {
    refuse(reader, 'json-too-deep', reader.at);
    return false;
  }
  reader.depthLeft -= 1;
  reader.at += 1;
  return true;
}

function ascend<T>(reader: Reader, value: T): T {
  reader.depthLeft += 1;
  reader.at += 1;
  return value;
}

function refuse(reader: Reader, failure: JsonFailure, at: number): undefined {
  reader.failure = failure;
  reader.at = at;
  return undefined;
}

function skipSpace(reader: Reader): void {
  const { text } = reader;
  let at = reader.at;
  // Compact JSON, the rule among PASSporTs, leaves here.
  if (text.charCodeAt(at) > 0x20) return;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
    at += 1;
  }
  if (at === reader.at) return;
  reader.at = at;
  reader.isCanonical = false;
}

/** Whether `left` comes strictly before `right` in code point order: the order of keys in a PASSporT. @see RFC 8225 section 9 */
export function isBefore(left: string, right: string): boolean {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a === b) continue;
    const isPairLeft = a >= 0xd800 && a <= 0xdfff;
    const isPairRight = b >= 0xd800 && b <= 0xdfff;
    // Halves of pairs stand for code points above U+FFFF, hence above every unit that is none; in pairs, order is unit order.
    return isPairLeft === isPairRight ? a < b : isPairRight;
  }
  return left.length < right.length;
}

/** Whether a JSON value is an object (and not null or an array). */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
