/**
 * Reads the number out of the spelling that nearly all carrier traffic uses, `sip:+12155551212@host[:port][;user=phone]`, bare or
 * in angle brackets with a display name in front and a tag behind, without taking the rest apart. Whatever deviates in one
 * character is left to the full parsers, which give the same number for what is read here (a property test holds the two
 * together).
 * @param text - a URI or a From, To or P-Asserted-Identity value
 * @returns the digits, or undefined to say: parse it properly
 */
export function plainSipNumber(text: string): string | undefined {
  const open = text.charCodeAt(0) === QUOTE ? endOfDisplayName(text) : 0;
  const isAngled = text.charCodeAt(open) === OPEN;
  if (open > 0 && !isAngled) return undefined;
  const start = isAngled ? open + 1 : 0;
  if (!text.startsWith('sip:+', start)) return undefined;
  const digitsFrom = start + 5;
  const digitsEnd = endOfDigits(text, digitsFrom);
  const length = digitsEnd - digitsFrom;
  if (length < MIN_DIGITS || length > MAX_DIGITS || text.charCodeAt(digitsFrom) === ZERO) return undefined;
  if (text.charCodeAt(digitsEnd) !== AT) return undefined;
  const hostEnd = endOfPlainHost(text, digitsEnd + 1);
  const portEnd = hostEnd < 0 ? -1 : endOfPlainPort(text, hostEnd);
  if (portEnd < 0) return undefined;
  const at = text.startsWith(USER_PHONE, portEnd) ? portEnd + USER_PHONE.length : portEnd;
  if (isAngled ? !isTail(text, at) : at !== text.length) return undefined;
  return text.slice(digitsFrom, digitsEnd);
}

const QUOTE = 0x22;
const OPEN = 0x3c;
const CLOSE = 0x3e;
const AT = 0x40;
const ZERO = 0x30;
const USER_PHONE = ';user=phone';
const TAG = ';tag=';
/** Shorter ones may be emergency or service numbers, which the full reader tells apart. */
const MIN_DIGITS = 8;
const MAX_DIGITS = 15;
/** Far below every bound of the full parsers. */
const MAX_HOST_CHARS = 128;
const MAX_TAG_CHARS = 128;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLetter = (code: number): boolean => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);

/** Where the angle bracket stands after a quoted name of plain characters; -1 for any other beginning. */
function endOfDisplayName(text: string): number {
  const close = text.indexOf('"', 1);
  if (close < 0 || close > MAX_NAME_CHARS) return -1;
  for (let at = 1; at < close; at += 1) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code > TILDE || code === BACKSLASH) return -1;
  }
  return text.charCodeAt(close + 1) === SPACE ? close + 2 : close + 1;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

/** Behind a port of up to four digits, or where there is none; -1 for what only the full parser may judge. */
function endOfPlainPort(text: string, from: number): number {
  if (text.charCodeAt(from) !== COLON) return from;
  const end = endOfDigits(text, from + 1);
  return end === from + 1 || end > from + MAX_PORT_DIGITS + 1 || text.charCodeAt(from + 1) === ZERO ? -1 : end;
}

const SPACE = 0x20;
const TILDE = 0x7e;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const MAX_NAME_CHARS = 64;
const MAX_PORT_DIGITS = 4;

/** Labels of letters and digits with single dots between; -1 for anything else. */
function endOfPlainHost(text: string, from: number): number {
  let at = from;
  let labelFrom = from;
  for (; at - from <= MAX_HOST_CHARS; at += 1) {
    const code = text.charCodeAt(at);
    if (isDigit(code) || isLetter(code)) continue;
    if (at === labelFrom) return -1;
    if (code !== DOT) return at;
    labelFrom = at + 1;
  }
  return -1;
}

const DOT = 0x2e;

/** `>` and nothing, or `>;tag=` and a token of letters, digits, dots and hyphens. */
function isTail(text: string, from: number): boolean {
  if (text.charCodeAt(from) !== CLOSE) return false;
  if (from + 1 === text.length) return true;
  const tagFrom = from + 1 + TAG.length;
  if (!text.startsWith(TAG, from + 1) || tagFrom === text.length || text.length - tagFrom > MAX_TAG_CHARS) return false;
  for (let at = tagFrom; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isDigit(code) && !isLetter(code) && code !== DOT && code !== HYPHEN) return false;
  }
  return true;
}

const HYPHEN = 0x2d;
