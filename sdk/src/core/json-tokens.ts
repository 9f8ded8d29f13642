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
