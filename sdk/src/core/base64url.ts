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
  return strictBytes(text);
}

/**
 * Decodes strict base64url that holds UTF-8 text, or returns undefined where either is broken. A byte order mark is kept.
 * Never throws for peer input.
 * @see RFC 7515 section 2, RFC 3629
 */
export function decodeBase64UrlText(text: string): string | undefined {
  // The bytes are not needed afterwards: what every call decodes goes through one place that stays in the cache.
  const bytes = text.length <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(text.length);
  const length = bytes.write(text, 'base64url');
  if (bytes.toString('base64url', 0, length) !== text) return undefined;
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

/** As long as the longest Identity header that is looked at. */
const SCRATCH = Buffer.alloc(8192);

const REPLACEMENT = '\uFFFD';

/** The lenient native decoder skips what it does not know; only text that it would write itself is strict. */
function strictBytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function isUtf8Of(decoded: string, bytes: Buffer): boolean {
  return Buffer.from(decoded, 'utf8').equals(bytes);
}
