import type { JsonObject, JsonValue } from '../core/json-text.js';

/**
 * The JOSE header of a PASSporT: the members that are looked at, whatever they are, and all of them as they came. Nothing of
 * it is checked or trusted. @see RFC 8225 section 4
 */
export interface PassportHeader {
  /** Signature algorithm; verification takes `ES256` alone. */
  readonly alg: JsonValue | undefined;
  /** PASSporT type, such as `shaken` or `div`. */
  readonly ppt: JsonValue | undefined;
  /** `passport` in a PASSporT. */
  readonly typ: JsonValue | undefined;
  /** URL of the certificate. */
  readonly x5u: JsonValue | undefined;
  /** Extensions that must be understood. @see RFC 7515 section 4.1.11 */
  readonly crit: JsonValue | undefined;
  /** Whether the payload is encoded. @see RFC 7797 */
  readonly b64: JsonValue | undefined;
  /** All members, those above included. */
  readonly members: JsonObject;
  /** Whether the segment was the one spelling of its members. @see RFC 8225 section 9 */
  readonly isCanonical: boolean;
  /** Whether it is what every signer writes: ES256, passport, a ppt and an x5u that are text, and no extension to understand. */
  readonly isUsual: boolean;
}

/** Remembers decoded header segments: one signer writes the same header on every call. Bounded by its owner. */
export interface PassportHeaderCache {
  /** The header of a segment seen before. */
  readonly get: (segment: string) => PassportHeader | undefined;
  /** Keeps the header of a segment. */
  readonly set: (segment: string, header: PassportHeader) => void;
}

/** Picks the members that are looked at. */
export function passportHeader(members: JsonObject, isCanonical: boolean): PassportHeader {
  const { alg, ppt, typ, x5u, crit, b64 } = members;
  const isPassport = alg === 'ES256' && typ === 'passport' && typeof ppt === 'string' && typeof x5u === 'string';
  const isUsual = isPassport && crit === undefined && b64 === undefined;
  return { alg, ppt, typ, x5u, crit, b64, members, isCanonical, isUsual };
}

/**
 * Makes a header cache. When it is full it is emptied: a few thousand signers never fill it, and whoever sends made-up headers
 * to fill it costs the others one decoding each.
 */
export function createHeaderCache(): PassportHeaderCache {
  const headers = new Map<string, PassportHeader>();
  let chars = 0;
  return {
    get: (segment) => headers.get(segment),
    set(segment, header) {
      if (segment.length > MAX_SEGMENT_CHARS || !isPlain(header.members)) return;
      if (headers.size >= MAX_HEADERS || chars + segment.length > MAX_CHARS) {
        headers.clear();
        chars = 0;
      }
      // A copy: a slice would keep the whole message alive that it was cut from.
      headers.set(Buffer.from(segment, 'latin1').toString('latin1'), header);
      chars += segment.length;
    },
  };
}

/** A few short texts and nothing nested, as every real signer writes it; anything else is not worth remembering. */
function isPlain(members: JsonObject): boolean {
  const values = Object.values(members);
  return values.length <= MAX_MEMBERS && values.every((value) => typeof value === 'string');
}

const MAX_MEMBERS = 8;
const MAX_SEGMENT_CHARS = 1024;
const MAX_HEADERS = 10_000;
const MAX_CHARS = 8_000_000;
