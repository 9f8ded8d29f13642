import type { JsonObject } from '../../core/json-text.js';
import type { Attestation } from '../../core/telephone-number.js';
import { closeClaims, malformedClaim, openClaims, readDest, readIat, readParty, shortJson } from './passport-type.js';
import type { ClaimReader, PassportType, CanonicalReading } from './passport-type.js';

/**
 * The SHAKEN PASSporT: an originating provider attests to a calling number.
 * @see RFC 8588
 */
export const shaken: PassportType = {
  ppt: 'shaken',
  role: 'caller',
  compactForm: false,
  section: 'RFC 8588',
  readCanonical: readCanonicalShaken,
  readClaims(payload) {
    const reader = openClaims(payload, REQUIRED);
    const claims = {
      iatSeconds: readIat(reader),
      orig: readParty(reader, 'orig'),
      dest: readDest(reader),
      attestation: readAttest(reader),
      origId: readOrigId(reader),
    };
    return closeClaims(reader, claims);
  },
};

/** What a SHAKEN PASSporT says. @see RFC 8588 */
export interface ShakenClaims {
  /** How well the signing provider knows the caller. */
  readonly attestation: Attestation;
  /** The calling number in canonical form: country code and number, digits alone. */
  readonly origTn: string;
  /** The called numbers in canonical form; may be empty where `destUri` is not. */
  readonly destTn: readonly string[];
  /** Called parties that are no numbers. */
  readonly destUri?: readonly string[];
  /** Whole seconds since the epoch. */
  readonly iatSeconds: number;
  /** Opaque, a UUID as a rule: finds the call, or the customer, again in a traceback. */
  readonly origId: string;
}

/**
 * Payload of a SHAKEN PASSporT, members in the order they are signed. Writes what it is told and checks nothing of it: the
 * authentication service does, before it signs. Never throws.
 * @see RFC 8588 section 6
 */
export function shakenPayload(claims: ShakenClaims): JsonObject {
  const dest: JsonObject = {
    ...(claims.destTn.length === 0 ? undefined : { tn: claims.destTn }),
    ...(claims.destUri === undefined ? undefined : { uri: claims.destUri }),
  };
  return {
    attest: claims.attestation,
    dest,
    iat: claims.iatSeconds,
    orig: { tn: claims.origTn },
    origid: claims.origId,
  };
}

const REQUIRED = ['attest', 'dest', 'iat', 'orig', 'origid'] as const;

/** An origid is meant to be a UUID (36 characters); it is opaque, so anything bounded and not empty is taken. */
const MAX_ORIGID_CHARS = 128;

/** The whole value must be one letter: a verifier that looks at the first letter only takes "Denied" for a D-something. */
function readAttest(reader: ClaimReader): Attestation {
  const attest = reader.payload['attest'];
  if (attest === 'A' || attest === 'B' || attest === 'C') return attest;
  if (attest !== undefined) {
    const problem = { claim: 'attest', expected: '"A", "B" or "C"', actual: shortJson(attest) };
    reader.problems.push({ reason: 'attest-invalid', ...problem });
  }
  return 'C';
}

function readOrigId(reader: ClaimReader): string {
  const origid = reader.payload['origid'];
  if (typeof origid === 'string' && origid !== '' && origid.length <= MAX_ORIGID_CHARS) return origid;
  if (origid !== undefined) {
    reader.problems.push(malformedClaim('origid', `1 to ${String(MAX_ORIGID_CHARS)} characters`, origid));
  }
  return '';
}

/**
 * Reads a SHAKEN payload that is spelled exactly as RFC 8588 and RFC 8225 section 9 have it: five claims in order, one called
 * number, no white space, no escapes. Being that spelling, it has no key twice and every claim in its shape, so that neither
 * the JSON parser nor the claim reader has to look again. Whatever deviates in one character is left to them; a property test
 * holds the two together.
 * @returns claims and payload, or undefined to say: parse it properly
 */
export function readCanonicalShaken(text: string): CanonicalReading | undefined {
  const attestation = text.charAt(ATTEST.length);
  if ((attestation !== 'A' && attestation !== 'B' && attestation !== 'C') || !text.startsWith(ATTEST)) return undefined;
  const destFrom = ATTEST.length + 1 + DEST.length;
  const destEnd = text.startsWith(DEST, ATTEST.length + 1) ? endOfDigits(text, destFrom, MAX_NUMBER_DIGITS) : -1;
  if (destEnd < 0 || !text.startsWith(IAT, destEnd)) return undefined;
  const iatFrom = destEnd + IAT.length;
  const iatEnd = text.charCodeAt(iatFrom) === ZERO ? -1 : endOfDigits(text, iatFrom, MAX_IAT_DIGITS);
  if (iatEnd < 0 || !text.startsWith(ORIG, iatEnd)) return undefined;
  const origFrom = iatEnd + ORIG.length;
  const origEnd = endOfDigits(text, origFrom, MAX_NUMBER_DIGITS);
  if (origEnd < 0 || !text.startsWith(ORIGID, origEnd)) return undefined;
  const origIdFrom = origEnd + ORIGID.length;
  const origIdEnd = endOfOrigId(text, origIdFrom);
  if (origIdEnd < 0 || !text.startsWith(END, origIdEnd) || origIdEnd + END.length !== text.length) return undefined;
  const dest = text.slice(destFrom, destEnd);
  const orig = text.slice(origFrom, origEnd);
  const origId = text.slice(origIdFrom, origIdEnd);
  const iatSeconds = numberAt(text, iatFrom, iatEnd);
  const payload: JsonObject = {
    attest: attestation,
    dest: { tn: [dest] },
    iat: iatSeconds,
    orig: { tn: orig },
    origid: origId,
  };
  const claims = {
    iatSeconds,
    orig: { kind: 'tn', value: orig },
    dest: [{ kind: 'tn', value: dest }],
    attestation,
    origId,
  } as const;
  return { payload, claims };
}

const ATTEST = '{"attest":"';
const DEST = '","dest":{"tn":["';
const IAT = '"]},"iat":';
const ORIG = ',"orig":{"tn":"';
const ORIGID = '"},"origid":"';
const END = '"}';

const ZERO = 0x30;
const MAX_NUMBER_DIGITS = 15;
/** Exact as a number, and good for some hundred thousand years. */
const MAX_IAT_DIGITS = 13;

function endOfDigits(text: string, from: number, max: number): number {
  let at = from;
  while (text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= 0x39) at += 1;
  return at === from || at - from > max ? -1 : at;
}

function numberAt(text: string, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at += 1) value = value * 10 + text.charCodeAt(at) - ZERO;
  return value;
}

/** Letters, digits and hyphens: every UUID, and nothing that JSON would escape. */
function endOfOrigId(text: string, from: number): number {
  for (let at = from; at - from <= MAX_ORIGID_CHARS; at += 1) {
    const code = text.charCodeAt(at);
    const isPlain =
      (code >= 0x30 && code <= 0x39) ||
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x41 && code <= 0x5a) ||
      code === 0x2d;
    if (!isPlain) return at === from ? -1 : at;
  }
  return -1;
}
