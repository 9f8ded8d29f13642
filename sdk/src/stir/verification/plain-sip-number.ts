/**
 * Reads the number out of the one spelling that nearly all carrier traffic uses, `sip:+12155551212@host[;user=phone]`,
 * bare or in angle brackets with a tag behind, without taking the rest apart. Whatever deviates in one character is left to the
 * full parsers, which give the same number for what is read here (a property test holds the two together).
 * @param text - a URI or a From or To value
 * @returns the digits, or undefined to say: parse it properly
 */
export function plainSipNumber(text: string): string | undefined {
  const isAngled = text.charCodeAt(0) === OPEN;
  const start = isAngled ? 1 : 0;
  if (!text.startsWith('sip:+', start)) return undefined;
  const digitsFrom = start + 5;
  let at = digitsFrom;
  while (isDigit(text.charCodeAt(at))) at += 1;
  const length = at - digitsFrom;
  if (length < MIN_DIGITS || length > MAX_DIGITS || text.charCodeAt(digitsFrom) === ZERO) return undefined;
  if (text.charCodeAt(at) !== AT) return undefined;
  const hostEnd = endOfPlainHost(text, at + 1);
  if (hostEnd < 0) return undefined;
  at = text.startsWith(USER_PHONE, hostEnd) ? hostEnd + USER_PHONE.length : hostEnd;
  if (isAngled ? !isTail(text, at) : at !== text.length) return undefined;
  return text.slice(digitsFrom, digitsFrom + length);
}

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
