import { readJsonNumber, readJsonString } from './json-tokens.js';
import type { JsonCursor } from './json-tokens.js';

/** A JSON value as {@link parseBoundedJson} returns it. */
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
  | { readonly status: 'malformed'; readonly reason: JsonFailure; readonly offset: number };

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

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
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
