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

/** Octets of a raw ES256 signature: r and s of P-256, 32 each. @see RFC 7518 section 3.4 */
export const ES256_SIGNATURE_OCTETS = 64;

/**
 * Longest DER encoding of a P-256 signature: a SEQUENCE header of 2 octets around two INTEGERs of 2 + 33 (32 octets and a
 * zero that keeps the number positive). Every length in it fits one octet, so that the long form is never right.
 */
export const MAX_DER_SIGNATURE_BYTES = 72;

/** Why a signature could not be converted. */
export type SignatureProblem =
  | 'length'
  | 'not-a-sequence'
  | 'not-an-integer'
  | 'integer-negative'
  | 'integer-not-minimal'
  | 'trailing-octets'
  | 'out-of-range';

/** A signature in the other encoding, or what was wrong with it. */
export type SignatureConversion =
  | { readonly status: 'converted'; readonly signature: Uint8Array }
  | { readonly status: 'malformed'; readonly reason: SignatureProblem };

/**
 * Converts an ECDSA signature over P-256 from DER, as key management services and PKCS#11 wrappers return it, to the raw form of
 * a JWS. Strict: minimal DER only, no octet behind it, r and s from 1 to the order of the curve minus 1.
 * @param der - `Ecdsa-Sig-Value`, at most {@link MAX_DER_SIGNATURE_BYTES} octets
 * @returns `converted` with 64 octets, or `malformed` with the reason; never throws, whatever the octets
 * @see RFC 3279 section 2.2.3, RFC 7518 section 3.4
 * @example
 * ```ts
 * // r and s are 1 here: no real signature, but well formed.
 * const converted = derToRawSignature(Uint8Array.of(0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01));
 * console.log(converted.status === 'converted' ? converted.signature.length : converted.reason); // 64
 * ```
 */
export function derToRawSignature(der: Uint8Array): SignatureConversion {
  if (der.length > MAX_DER_SIGNATURE_BYTES) return malformed('length');
  if (der[0] !== SEQUENCE) return malformed('not-a-sequence');
  const bodyLength = der[1];
  if (bodyLength === undefined || bodyLength >= LONG_FORM || bodyLength > der.length - 2) return malformed('length');
  if (bodyLength < der.length - 2) return malformed('trailing-octets');
  const signature = new Uint8Array(ES256_SIGNATURE_OCTETS);
  const r = readInteger(der, 2);
  if (typeof r === 'string') return malformed(r);
  const s = readInteger(der, r.end);
  if (typeof s === 'string') return malformed(s);
  if (s.end !== der.length) return malformed('trailing-octets');
  signature.set(der.subarray(r.start, r.end), SCALAR_BYTES - (r.end - r.start));
  signature.set(der.subarray(s.start, s.end), ES256_SIGNATURE_OCTETS - (s.end - s.start));
  return isInRange(signature) ? { status: 'converted', signature } : malformed('out-of-range');
}

/**
 * Converts a raw ES256 signature to DER, for those who verify with tools that want `Ecdsa-Sig-Value`.
 * @param raw - r and s, 64 octets
 * @returns `converted` with 8 to 72 octets, or `malformed` with the reason; never throws, whatever the octets
 * @see RFC 7518 section 3.4, RFC 3279 section 2.2.3
 * @example
 * ```ts
 * const pki = new TestPki();
 * const { privateKeyPem } = pki.issueServiceProvider({ spc: '1234' });
 * const signer = await createLocalSigner({ privateKeyPem });
 * console.log(rawToDerSignature(signer.sign('header.payload')).status); // converted
 * console.log(rawToDerSignature(new Uint8Array(63))); // { status: 'malformed', reason: 'length' }
 * ```
 */
export function rawToDerSignature(raw: Uint8Array): SignatureConversion {
  if (raw.length !== ES256_SIGNATURE_OCTETS) return malformed('length');
  if (!isInRange(raw)) return malformed('out-of-range');
  const r = encodeInteger(raw.subarray(0, SCALAR_BYTES));
  const s = encodeInteger(raw.subarray(SCALAR_BYTES));
  return { status: 'converted', signature: Uint8Array.of(SEQUENCE, r.length + s.length, ...r, ...s) };
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const LONG_FORM = 0x80;
const SIGN_BIT = 0x80;
const SCALAR_BYTES = 32;

/** Order of the P-256 base point. @see FIPS 186-4 appendix D.1.2.3 */
const P256_ORDER: Uint8Array = Uint8Array.from([
  0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
  0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
]);

const malformed = (reason: SignatureProblem): SignatureConversion => ({ status: 'malformed', reason });

/** Start (without a leading zero octet) and end of the INTEGER at `at`, or what is wrong with it. */
function readInteger(der: Uint8Array, at: number): { readonly start: number; readonly end: number } | SignatureProblem {
  if (der[at] !== INTEGER) return 'not-an-integer';
  const length = der[at + 1];
  const start = at + 2;
  if (length === undefined || length === 0 || length >= LONG_FORM || start + length > der.length) return 'length';
  const first = der[start] ?? 0;
  if (first >= SIGN_BIT) return 'integer-negative';
  const end = start + length;
  const padded = first === 0;
  // A zero octet in front is right only where it keeps the number positive; zero itself is no signature.
  if (padded && (length === 1 || (der[start + 1] ?? 0) < SIGN_BIT))
    return length === 1 ? 'out-of-range' : 'integer-not-minimal';
  const significant = padded ? start + 1 : start;
  return end - significant > SCALAR_BYTES ? 'out-of-range' : { start: significant, end };
}

function encodeInteger(scalar: Uint8Array): Uint8Array {
  let first = 0;
  while (scalar[first] === 0) first += 1;
  const significant = scalar.subarray(first);
  const pad = (significant[0] ?? 0) >= SIGN_BIT ? [0] : [];
  return Uint8Array.of(INTEGER, significant.length + pad.length, ...pad, ...significant);
}

/** r and s of a raw signature both from 1 to the order minus 1. @see FIPS 186-4 section 6.4 */
function isInRange(raw: Uint8Array): boolean {
  return isScalarInRange(raw, 0) && isScalarInRange(raw, SCALAR_BYTES);
}

function isScalarInRange(raw: Uint8Array, offset: number): boolean {
  let isZero = true;
  for (let at = 0; at < SCALAR_BYTES; at += 1) {
    if (raw[offset + at] !== 0) isZero = false;
  }
  if (isZero) return false;
  for (let at = 0; at < SCALAR_BYTES; at += 1) {
    const difference = (raw[offset + at] ?? 0) - (P256_ORDER[at] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
