/**
 * Tells whether a text is base64url exactly as an encoder writes it: the alphabet `A-Z a-z 0-9 - _` only, no padding, no
 * whitespace, no impossible length and no set bits behind the last byte. The empty text is the encoding of no bytes.
 * Never throws for peer input.
 * @see RFC 7515 section 2, RFC 4648 sections 3.5 and 5
 */
export function isBase64Url(text: string): boolean {
  return decodeBase64Url(text) !== undefined;
}

/**
 * Decodes strict base64url, or returns undefined where {@link isBase64Url} says no; so that one sequence of bytes has one
 * spelling only. Never throws for peer input.
 * @param text - of any length; memory used is three quarters of it
 * @see RFC 7515 section 2
 */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  return decodeInto(bytes, text) === 'broken' ? undefined : bytes;
}

/**
 * Decodes strict base64url that holds UTF-8 text, or returns undefined where either is broken. A byte order mark is kept.
 * Never throws for peer input.
 * @see RFC 7515 section 2, RFC 3629
 */
export function decodeBase64UrlText(text: string): string | undefined {
  const length = Math.floor((text.length * 3) / 4);
  // The bytes are not needed afterwards: what every call decodes goes through one place that stays in the cache.
  const bytes = length <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(length);
  const kind = decodeInto(bytes, text);
  if (kind === 'broken') return undefined;
  if (kind === 'ascii') return bytes.toString('latin1', 0, length);
  const decoded = bytes.toString('utf8', 0, length);
  // Broken UTF-8 always decodes to U+FFFD; only a text that has one must be asked whether it was written there.
  return decoded.includes(REPLACEMENT) && !isUtf8Of(decoded, bytes.subarray(0, length)) ? undefined : decoded;
}

/**
 * Encodes bytes, or the UTF-8 of a text, as base64url without padding.
 * @see RFC 7515 section 2
 */
export function encodeBase64Url(bytes: Uint8Array | string): string {
  if (typeof bytes === 'string') return Buffer.from(bytes, 'utf8').toString('base64url');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** As long as the payload of the longest Identity header that is looked at. */
const SCRATCH = Buffer.alloc(8192);

const REPLACEMENT = '\uFFFD';

function isUtf8Of(decoded: string, bytes: Buffer): boolean {
  return Buffer.from(decoded, 'utf8').equals(bytes);
}

/** Six bits for each character of the alphabet, in order of its code; a negative number for all others. @see RFC 4648 section 5 */
const VALUES = new Int8Array(128).fill(-1);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
for (let value = 0; value < ALPHABET.length; value += 1) VALUES[ALPHABET.charCodeAt(value)] = value;

/**
 * Decodes in one pass and says what came out. Node's own decoder skips what it does not know, so that the bytes would have to be
 * encoded again to see whether it did, and beside a signature check three calls into it cost more than this loop. What is wrong
 * makes a number negative, which is looked at once, in the end.
 */
function decodeInto(bytes: Uint8Array, text: string): 'ascii' | 'bytes' | 'broken' {
  const rest = text.length % 4;
  const whole = text.length - rest;
  let seen = 0;
  let at = 0;
  for (let from = 0; from < whole; from += 4) {
    const bits =
      (valueOf(text.charCodeAt(from)) << 18) |
      (valueOf(text.charCodeAt(from + 1)) << 12) |
      (valueOf(text.charCodeAt(from + 2)) << 6) |
      valueOf(text.charCodeAt(from + 3));
    seen |= bits;
    bytes[at] = bits >> 16;
    bytes[at + 1] = bits >> 8;
    bytes[at + 2] = bits;
    at += 3;
  }
  if (rest > 0) {
    const bits = tailBits(text, whole);
    seen |= bits;
    bytes[at] = bits >> 16;
    if (rest === 3) bytes[at + 1] = bits >> 8;
  }
  if (seen < 0) return 'broken';
  return (seen & HIGH_BITS) === 0 ? 'ascii' : 'bytes';
}

/** The last one or two octets, in the upper ones of three; negative for what no encoder writes. */
function tailBits(text: string, from: number): number {
  const upper = (valueOf(text.charCodeAt(from)) << 18) | (valueOf(text.charCodeAt(from + 1)) << 12);
  const isPair = text.length - from === 2;
  const bits = isPair ? upper : upper | (valueOf(text.charCodeAt(from + 2)) << 6);
  return (bits & (isPair ? 0xffff : 0xff)) === 0 ? bits : -1;
}

/** Behind the end of a text there is NaN, which has no value either. */
const valueOf = (code: number): number => VALUES[code] ?? -1;

/** The top bits of three octets. */
const HIGH_BITS = 0x808080;
