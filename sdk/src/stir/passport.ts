import type { Draft } from '../core/text.js';
import { decodeBase64Url, decodeBase64UrlText, encodeBase64Url, isBase64Url } from '../core/base64url.js';
import { isBefore, isJsonObject, parseBoundedJson } from '../core/json-text.js';
import type { JsonFailure, JsonObject, JsonValue } from '../core/json-text.js';
import type { PassportClaims, PassportType } from './passport-types/passport-type.js';
import { base } from './passport-types/passport-type.js';
import { div } from './passport-types/div.js';
import { shaken } from './passport-types/shaken.js';

/**
 * A PASSporT taken apart. Syntax only: neither signature nor claims have been checked.
 * @see RFC 8225
 */
export interface ParsedPassport {
  /** `compact`: the token was `..signature`, and header and payload are what the request says. @see RFC 8225 section 7 */
  readonly form: 'full' | 'compact';
  /** What the signature is over: `header.payload` in base64url. Rebuilt from the request for the compact form. */
  readonly signingInput: string;
  /** The JOSE header, as the signer wrote it. */
  readonly header: PassportHeader;
  /** The claims as JSON, whatever they are; a {@link PassportType} reads them. */
  readonly payload: JsonObject;
  /** Header and payload are spelled as RFC 8225 section 9 has it: keys in order, no white space, no escapes. */
  readonly isCanonical: boolean;
  /** Raw signature octets: (r, s) of 32 octets each when well-formed. */
  readonly signature: Uint8Array;
  /** The claims, where the payload was in the exact spelling of its type and they came with it. */
  readonly claims?: PassportClaims;
}

/** What helps {@link parsePassport} to be quick. Neither changes what comes out. */
export interface PassportParseOptions {
  /** Where decoded header segments are remembered. */
  readonly headerCache?: PassportHeaderCache | undefined;
  /** Reads payload text in the exact spelling of a type. */
  readonly readCanonical?: PassportType['readCanonical'] | undefined;
}

/** Why a token could not be taken apart; each has its meaning in {@link FAILURE_REASONS}. */
export type PassportSyntaxReason = 'identity-header-malformed' | 'base64url-invalid' | JsonFailure;

/** Result of {@link parsePassport}. */
export type PassportResult =
  | { readonly status: 'parsed'; readonly passport: ParsedPassport }
  | {
      readonly status: 'malformed';
      readonly reason: PassportSyntaxReason;
      readonly detail: string;
    };

/**
 * Takes a full-form PASSporT apart: three strict base64url segments, header and payload each one JSON object within
 * bounds and without duplicate keys.
 * @see RFC 8225 section 6, RFC 7515 section 2
 */
export function parsePassport(token: string, options: PassportParseOptions = {}): PassportResult {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first <= 0 || second < 0 || token.indexOf('.', second + 1) >= 0) {
    return malformed('identity-header-malformed', 'a PASSporT has three segments with a dot between');
  }
  const header = readHeader(token.slice(0, first), options.headerCache);
  if (header.status === 'malformed') return header;
  const payload = readPayload(token.slice(first + 1, second), options.readCanonical);
  if (payload.status === 'malformed') return payload;
  const signature = decodeBase64Url(token.slice(second + 1));
  if (signature === undefined) return malformed('base64url-invalid', 'signature segment');
  const passport: Draft<ParsedPassport> = {
    form: 'full',
    signingInput: token.slice(0, second),
    header: header.value,
    payload: payload.value,
    isCanonical: payload.isCanonical && header.value.isCanonical,
    signature,
  };
  if (payload.claims !== undefined) passport.claims = payload.claims;
  return { status: 'parsed', passport };
}

/**
 * Tells whether a token is in compact form: the payload segment, and usually the header segment, left out. A question of dots
 * alone: neither is the signature looked at, nor whether the type may be in compact form. Never throws for peer input.
 * @returns false also for what is no PASSporT in any form
 * @see RFC 8225 section 7
 */
export function isCompactForm(token: string): boolean {
  const first = token.indexOf('.');
  return first >= 0 && token.charCodeAt(first + 1) === DOT && token.indexOf('.', first + 2) < 0;
}

/** What a compact-form PASSporT is rebuilt from: the claims as the request states them. @see RFC 8224 section 4.1 */
export interface CompactClaims {
  /** URL of the info parameter, without its angle brackets. */
  readonly x5u: string;
  /** The ppt parameter, for a type without claims of its own. */
  readonly ppt?: string;
  /** The Date header: whole seconds since the epoch. */
  readonly iatSeconds: number;
  /** The caller in canonical form: `{ tn: '12025550101' }`, or `{ uri: … }` for one without a number. */
  readonly orig: JsonObject;
  /** The called parties in canonical form: `{ tn: ['12025550199'] }`, `{ uri: […] }` or both. */
  readonly dest: JsonObject;
}

/**
 * Rebuilds the full form of a compact PASSporT from the request that carried it. What comes out is what the request says, not what
 * anybody signed, until the signature over `signingInput` has been checked. {@link compactIdentityHeader} is the way there.
 * @see RFC 8225 section 7, RFC 8224 section 4.1
 */
export function rebuildCompactPassport(token: string, claims: CompactClaims): PassportResult {
  const signature = decodeBase64Url(token.slice(token.lastIndexOf('.') + 1));
  if (signature === undefined) return malformed('base64url-invalid', 'signature segment');
  const header: JsonObject = {
    alg: 'ES256',
    ...(claims.ppt === undefined ? undefined : { ppt: claims.ppt }),
    typ: 'passport',
    x5u: claims.x5u,
  };
  const payload: JsonObject = { dest: claims.dest, iat: claims.iatSeconds, orig: claims.orig };
  const passport = { form: 'compact', header: passportHeader(header, true), payload, isCanonical: true } as const;
  return { status: 'parsed', passport: { ...passport, signingInput: canonicalText(header, payload), signature } };
}

/**
 * What the signature would be over, had header and claims been spelled as RFC 8225 section 9 has it: the same for equal
 * PASSporTs, however they were spelled.
 */
export function canonicalSigningInput(passport: ParsedPassport): string {
  return passport.isCanonical ? passport.signingInput : canonicalText(passport.header.members, passport.payload);
}

const canonicalText = (header: JsonObject, payload: JsonObject): string =>
  `${encodeBase64Url(canonicalJson(header))}.${encodeBase64Url(canonicalJson(payload))}`;

/**
 * Writes a value as JSON the way a PASSporT is signed: keys in code point order at every level, no white space.
 * Never throws for a value that came out of a JSON parser of bounded depth, such as `parseBoundedJson`.
 * @see RFC 8225 section 9
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .toSorted(byCodePoint)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}

type SegmentResult =
  | {
      readonly status: 'parsed';
      readonly value: JsonObject;
      readonly isCanonical: boolean;
    }
  | {
      readonly status: 'malformed';
      readonly reason: PassportSyntaxReason;
      readonly detail: string;
    };

type PayloadResult = SegmentResult & { readonly claims?: PassportClaims };

function readHeader(
  segment: string,
  cache: PassportHeaderCache | undefined,
): { readonly status: 'parsed'; readonly value: PassportHeader } | Extract<SegmentResult, { status: 'malformed' }> {
  const known = cache?.get(segment);
  if (known !== undefined) return { status: 'parsed', value: known };
  const read = readSegment(segment, 'header');
  if (read.status === 'malformed') return read;
  const value = passportHeader(read.value, read.isCanonical);
  cache?.set(segment, value);
  return { status: 'parsed', value };
}

function readPayload(segment: string, readCanonical: PassportType['readCanonical']): PayloadResult {
  const text = decodeBase64UrlText(segment);
  const known = text === undefined ? undefined : readCanonical?.(text);
  if (text === undefined || known === undefined) return readSegment(segment, 'payload', text);
  return { status: 'parsed', value: known.payload, isCanonical: true, claims: known.claims };
}

function readSegment(
  segment: string,
  which: 'header' | 'payload',
  text: string | undefined = decodeBase64UrlText(segment),
): SegmentResult {
  if (text === undefined) {
    return isBase64Url(segment)
      ? malformed('json-malformed', `${which} is not UTF-8`)
      : malformed('base64url-invalid', `${which} segment`);
  }
  const json = parseBoundedJson(text);
  if (json.status === 'malformed') return malformed(json.reason, `${which}, at character ${String(json.offset)}`);
  if (!isJsonObject(json.value)) return malformed('json-malformed', `${which} is not a JSON object`);
  return { status: 'parsed', value: json.value, isCanonical: json.isCanonical };
}

const malformed = (
  reason: PassportSyntaxReason,
  detail: string,
): {
  readonly status: 'malformed';
  readonly reason: PassportSyntaxReason;
  readonly detail: string;
} => ({
  status: 'malformed',
  reason,
  detail,
});

const isArray = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

const byCodePoint = (a: string, b: string): number => (a === b ? 0 : isBefore(a, b) ? -1 : 1);

const DOT = 0x2e;

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
  return {
    alg,
    ppt,
    typ,
    x5u,
    crit,
    b64,
    members,
    isCanonical,
    isUsual,
  };
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

/** The PASSporT types that are verified by default: shaken, div, and the PASSporT without `ppt`. */
export const PASSPORT_TYPES: readonly PassportType[] = [shaken, div, base];

/** Types by ppt; a later one of the same ppt replaces an earlier one. */
export function passportTypeRegistry(types: readonly PassportType[]): ReadonlyMap<string | undefined, PassportType> {
  return new Map(types.map((type) => [type.ppt, type]));
}
