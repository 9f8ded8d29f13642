import type { JsonObject } from '../../core/json-text.js';
import { headerValues, isAnonymousUri, parseNameAddr, splitHeaderList } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../../core/sip-uri.js';
import type { SipUri } from '../../core/sip-uri.js';
import { canonicalTelephoneNumber, isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import type { NumberingPlan } from '../../core/telephone-number.js';
import { parseIdentityHeader } from '../identity-header.js';
import type { PassportClaims, PassportParty } from '../passport-types/passport-type.js';
import { PASSPORT_TYPES, parsePassport } from '../passport.js';

/**
 * Reads the number out of the spelling that nearly all carrier traffic uses, `sip:+12155551212@host[:port][;user=phone]`, bare or
 * in angle brackets with a display name in front and a tag behind, without taking the rest apart. Whatever deviates in one
 * character is left to the full parsers, which give the same number for what is read here (a property test holds the two
 * together).
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

/**
 * Reads a SIP Date, such as `Sat, 13 Nov 2010 23:29:00 GMT`. The day of the week is not held against the date. Never throws for
 * peer input.
 * @see RFC 3261 section 20.17
 */
export function readSipDate(text: string): number | undefined {
  const date = text.length === SIP_DATE_CHARS ? text : text.trim();
  // Every part has its place: read by column.
  if (date.length !== SIP_DATE_CHARS || !date.endsWith(' GMT') || !hasSeparators(date)) return undefined;
  const day = digits(date, 5, 2);
  const month = monthAt(date, 8);
  const year = digits(date, 12, 4);
  const hours = digits(date, 17, 2);
  const minutes = digits(date, 20, 2);
  const seconds = digits(date, 23, 2);
  // Second 60 is a leap second, which no clock here counts. Comparisons with NaN are false.
  if (!(hours < 24 && minutes < 60 && seconds < 60 && year >= 0)) return undefined;
  if (month < 0 || !(day >= 1 && day <= daysOf(month, year))) return undefined;
  return Date.UTC(year, month, day, hours, minutes, seconds) / 1000;
}

/** 0 for `Jan`; -1 for what is no month. */
const monthAt = (text: string, at: number): number => MONTHS.indexOf(threeLetters(text, at));

const threeLetters = (text: string, at: number): number =>
  (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2);

const SIP_DATE_CHARS = 29;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'].map((name) =>
  threeLetters(name, 0),
);

const hasSeparators = (text: string): boolean =>
  text.startsWith(', ', 3) &&
  text.charCodeAt(7) === SPACE &&
  text.charCodeAt(11) === SPACE &&
  text.charCodeAt(16) === SPACE &&
  text.charCodeAt(19) === COLON &&
  text.charCodeAt(22) === COLON;

function daysOf(month: number, year: number): number {
  if (month !== 1) return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index += 1) {
    const digit = text.charCodeAt(index) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes the value of a Date header for an instant: what {@link readSipDate} reads. Never throws. @see RFC 3261 section 20.17 */
export function formatSipDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toUTCString();
}

/**
 * What a verification service needs of a SIP request: header field values as received, without the header names.
 * Where numbers are known from elsewhere (a REST body), `orig` and `dest` say so and win over the headers.
 *
 * Needed for a verdict other than indeterminate: `identity`; a caller, by `from`, `pAssertedIdentity` or `orig`; a called party,
 * by `to`, `requestUri` or `dest`. Give all that the request has: what is left out is not compared. Nothing here need be valid.
 * @see RFC 8224 section 6.2
 */
export interface VerificationRequest {
  /** The Identity header values; one string may hold several, comma-separated. Empty, or left out, where the request has none. */
  readonly identity?: string | readonly string[] | undefined;
  /** Value of the From header, with or without display name, brackets and tag. */
  readonly from?: string;
  /** Values of P-Asserted-Identity; where it is there it names the caller, unless policy says otherwise. */
  readonly pAssertedIdentity?: string | readonly string[];
  /** Value of the To header. */
  readonly to?: string;
  /** The Request-URI, bare. Without it a call that was retargeted to another number is not noticed. */
  readonly requestUri?: string;
  /** Value of the Date header. A missing Date is no failure. */
  readonly date?: string;
  /** The caller, when known otherwise than from headers. */
  readonly orig?: PassportParty;
  /** The called party, when known otherwise than from headers. */
  readonly dest?: readonly PassportParty[];
  /** The Date in seconds since the epoch, when known otherwise than from the header. */
  readonly dateSeconds?: number;
}

/** The parties of a request in canonical form, ready to be compared with claims. */
export interface RequestParties {
  /** The caller; undefined where the request names none, or an anonymous one. */
  readonly orig: PassportParty | undefined;
  /** What `orig` was read from. */
  readonly origSource: 'p-asserted-identity' | 'from' | 'given' | undefined;
  /** The called parties; empty where the request names none. */
  readonly dest: readonly PassportParty[];
  /** What `dest` was read from. */
  readonly destSource: 'to' | 'request-uri' | 'given' | undefined;
  /** Where the request is headed now. */
  readonly target: PassportParty | undefined;
  /** Whether the Request-URI is none, or begins like a number and is none: where it leads, only the next switch knows. */
  readonly isTargetUnreadable: boolean;
  /** The Date, seconds since the epoch; undefined where there is none or it cannot be read. */
  readonly dateSeconds: number | undefined;
}

/** How parties are read from a request. */
export interface PartyOptions {
  /** Which header names the caller, first one with a number wins. */
  readonly originatingIdentity: readonly ('p-asserted-identity' | 'from')[];
  /** Which part of the request names the called party of a shaken PASSporT. */
  readonly destination: 'to' | 'request-uri';
  /** How numbers without `+` were dialled. */
  readonly numberingPlan: NumberingPlan;
  /**
   * Of asserted numbers that differ, that of a tel URI counts, else the first. For those who state to the next switch which number
   * counted, as a signer does. Default false: numbers that differ leave a doubt, and the request names no caller.
   */
  readonly prefersTel?: boolean;
}

/**
 * Reads caller, called party and target of a request in canonical form: what claims are compared with, and what a signer puts
 * into them. Nothing of it is verified. Never throws for peer input: what cannot be read is left out.
 * @see RFC 8224 sections 8.1, 8.3 and 8.5
 */
export function readParties(request: VerificationRequest, options: PartyOptions): RequestParties {
  const requestUri = textOf(request.requestUri);
  const date = textOf(request.date);
  const target = requestUri === undefined ? undefined : partyOfUri(requestUri, options.numberingPlan);
  const dest = readDestination(request, target, options);
  const orig = readOrigin(request, options);
  return {
    orig: orig?.party,
    origSource: orig?.source,
    dest: dest.parties,
    destSource: dest.source,
    target,
    isTargetUnreadable: target?.kind !== 'tn' && requestUri !== undefined && isUnreadable(requestUri),
    dateSeconds: request.dateSeconds ?? (date === undefined ? undefined : readSipDate(date)),
  };
}

/**
 * Brings a party, as a REST body or a telephone book states it, into canonical form: a number to country code and digits, a URI
 * to scheme, user and host. A URI that has a number becomes that number. Never throws for peer input.
 * @see RFC 8224 sections 8.3 and 8.5
 */
export function canonicalParty(party: PassportParty, plan: NumberingPlan): PassportParty | undefined {
  if (party.kind === 'uri') return partyOfUri(party.value, plan);
  const number = canonicalTelephoneNumber(party.value, plan);
  if (number.kind === 'none') return undefined;
  return number.tn === party.value ? party : { kind: 'tn', value: number.tn };
}

/**
 * As {@link canonicalParty}, for a party as a PASSporT states it: digits alone are canonical already. Read under a numbering
 * plan, +49 30 123456 would become a number of New Jersey.
 * @see RFC 8224 section 8.3
 */
export function claimedParty(party: PassportParty, plan: NumberingPlan): PassportParty | undefined {
  return party.kind === 'tn' && isCanonicalTelephoneNumber(party.value) ? party : canonicalParty(party, plan);
}

/** Whether a party as claimed is the party of the request (already canonical). */
export function isSameParty(claimed: PassportParty, actual: PassportParty, plan: NumberingPlan): boolean {
  if (claimed.kind === actual.kind && claimed.value === actual.value) return true;
  const canonical = claimedParty(claimed, plan);
  return canonical !== undefined && canonical.kind === actual.kind && canonical.value === actual.value;
}

/** The dest claim that names these parties. @see RFC 8225 section 5.2.1 */
export function destClaim(dest: readonly PassportParty[]): JsonObject {
  const tn = dest.filter((party) => party.kind === 'tn').map((party) => party.value);
  const uri = dest.filter((party) => party.kind === 'uri').map((party) => party.value);
  return { ...(tn.length === 0 ? undefined : { tn }), ...(uri.length === 0 ? undefined : { uri }) };
}

const textOf = (value: string | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

interface FoundOrigin {
  readonly party: PassportParty;
  readonly source: 'p-asserted-identity' | 'from' | 'given';
}

function readDestination(
  request: VerificationRequest,
  target: PassportParty | undefined,
  options: PartyOptions,
): { readonly parties: readonly PassportParty[]; readonly source: RequestParties['destSource'] } {
  if (request.dest !== undefined) {
    const parties = request.dest.map((party) => claimedParty(party, options.numberingPlan));
    return { parties: parties.filter((party) => party !== undefined), source: 'given' };
  }
  if (options.destination === 'request-uri' && target !== undefined)
    return { parties: [target], source: 'request-uri' };
  const to = request.to === undefined ? undefined : partyOfNameAddr(request.to, options.numberingPlan);
  if (to !== undefined) return { parties: [to], source: 'to' };
  return target === undefined ? { parties: [], source: undefined } : { parties: [target], source: 'request-uri' };
}

/**
 * A number from the first source that has one; failing that, the first URI that is not anonymous. Nobody where an asserted identity
 * is there and cannot be read without doubt: a switch that reads on may show a number that was never compared.
 */
function readOrigin(request: VerificationRequest, options: PartyOptions): FoundOrigin | undefined {
  const plan = options.numberingPlan;
  if (request.orig !== undefined) {
    const party = claimedParty(request.orig, plan);
    return party === undefined ? undefined : { party, source: 'given' };
  }
  let uri: FoundOrigin | undefined;
  for (const source of options.originatingIdentity) {
    const party =
      source === 'from' ? partyOfNameAddr(request.from, plan) : assertedParty(request.pAssertedIdentity, options);
    if (party === DOUBTFUL) return undefined;
    if (party?.kind === 'tn') return { party, source };
    if (party !== undefined) uri ??= { party, source };
  }
  return uri;
}

/** An identity that two readers may read differently. */
const DOUBTFUL: unique symbol = Symbol('doubtful');

/**
 * Of several asserted identities: the number before a SIP URI without one. Two numbers that differ, whatever their schemes, and a value
 * that cannot be read leave a doubt: the next switch may show the other number. @see RFC 3325 section 9.1
 */
function assertedParty(
  values: string | readonly string[] | undefined,
  { numberingPlan: plan, prefersTel = false }: PartyOptions,
): PassportParty | typeof DOUBTFUL | undefined {
  if (typeof values !== 'string' && !Array.isArray(values)) return undefined;
  const entries = assertedEntries(values);
  const plain = entries.length === 1 && entries[0] !== undefined ? plainSipNumber(entries[0]) : undefined;
  if (plain !== undefined) return { kind: 'tn', value: plain };
  const found: {
    tel?: PassportParty;
    sip?: PassportParty;
    uri?: PassportParty;
  } = {};
  for (const entry of entries) {
    const uri = uriOfNameAddr(entry);
    const party = uri === undefined ? undefined : partyOf(uri, plan);
    if (uri === undefined || (party?.kind !== 'tn' && isLikeNumber(uri))) return DOUBTFUL;
    if (party === undefined) continue;
    const kind = party.kind === 'uri' ? 'uri' : uri.scheme === 'tel' ? 'tel' : 'sip';
    const compared = prefersTel ? found[kind] : (found.tel ?? found.sip);
    if (kind !== 'uri' && compared !== undefined && compared.value !== party.value) return DOUBTFUL;
    found[kind] ??= party;
  }
  return found.tel ?? found.sip ?? found.uri;
}

/** A URI that claims to have a number, or has so many digits that a switch may make one of them. */
function isLikeNumber(uri: SipUri): boolean {
  if (isAnonymousUri(uri) || uri.user === undefined) return uri.scheme === 'tel';
  if (uri.scheme === 'tel' || uri.params.get('user') === 'phone' || uri.user.trimStart().startsWith('+')) return true;
  return isDigit(uri.user.charCodeAt(0)) && uri.user.replace(/\D/g, '').length >= LIKE_NUMBER_DIGITS;
}

/** As many as a local number has; a PBX has shorter extensions, which name nobody outside it. */
const LIKE_NUMBER_DIGITS = 7;

/** One value each; what is no text is as good as unreadable. */
function assertedEntries(values: string | readonly string[]): readonly string[] {
  if (typeof values === 'string') return splitHeaderList(values);
  return values.flatMap((value) => (typeof value === 'string' ? splitHeaderList(value) : [UNREADABLE]));
}

const UNREADABLE = '<';

/** Of one value: where the field has two, nobody knows which one the next switch reads. */
function partyOfNameAddr(value: string | undefined, plan: NumberingPlan): PassportParty | undefined {
  const plain = value === undefined ? undefined : plainNumberOf(value);
  if (plain !== undefined) return { kind: 'tn', value: plain };
  const uri = value === undefined ? undefined : uriOfNameAddr(value);
  return uri === undefined ? undefined : partyOf(uri, plan);
}

/** Requests also come from JavaScript: what is no text has no number. */
const plainNumberOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? plainSipNumber(value) : undefined;

function uriOfNameAddr(value: string): SipUri | undefined {
  if (typeof value !== 'string' || (value.includes(',') && splitHeaderList(value).length > 1)) return undefined;
  const nameAddr = parseNameAddr(value);
  if (nameAddr.status === 'malformed') return undefined;
  const uri = parseSipUri(nameAddr.uri);
  return uri.status === 'malformed' ? undefined : uri.uri;
}

function partyOfUri(text: string, plan: NumberingPlan): PassportParty | undefined {
  const plain = text.startsWith('s') ? plainSipNumber(text) : undefined;
  if (plain !== undefined) return { kind: 'tn', value: plain };
  const uri = parseSipUri(text);
  return uri.status === 'malformed' ? undefined : partyOf(uri.uri, plan);
}

/** For a URI in which no number could be read. */
function isUnreadable(text: string): boolean {
  const uri = parseSipUri(text);
  return uri.status === 'malformed' || uri.uri.user?.startsWith('+') === true;
}

/** Number if the URI has one, else the URI without parameters, scheme and host in lower case. @see RFC 8224 section 8.5 */
function partyOf(uri: SipUri, plan: NumberingPlan): PassportParty | undefined {
  const number = telephoneNumberOfUri(uri, plan);
  if (number.kind !== 'none') return { kind: 'tn', value: number.tn };
  if (isAnonymousUri(uri) || (uri.scheme !== 'sip' && uri.scheme !== 'sips') || uri.host === undefined)
    return undefined;
  const user = uri.user === undefined ? '' : `${uri.user}@`;
  return { kind: 'uri', value: `${uri.scheme}:${user}${uri.host.toLowerCase()}` };
}

/**
 * Caller and called party by the word of the first token that names them. Nothing of it is known to be true: only for looking at
 * everything else that a token can be wrong about, where the call that it belongs to is not at hand.
 * @see RFC 8225 section 5.2.1
 */
export function claimedParties(
  identity: string | readonly string[],
): Partial<Pick<VerificationRequest, 'orig' | 'dest'>> {
  for (const value of typeof identity === 'string' ? [identity] : identity) {
    const claims = claimsOf(value);
    if (claims !== undefined) return { orig: claims.orig, dest: claims.dest };
  }
  return {};
}

function claimsOf(value: string): PassportClaims | undefined {
  const header = parseIdentityHeader(value);
  if (header.status === 'malformed') return undefined;
  const parsed = parsePassport(header.identityHeader.token);
  if (parsed.status === 'malformed') return undefined;
  const type = PASSPORT_TYPES.find(({ ppt }) => ppt === parsed.passport.header.ppt);
  const claims = type?.role === 'caller' ? type.readClaims(parsed.passport.payload) : undefined;
  return claims?.status === 'read' ? claims.claims : undefined;
}

/**
 * Picks out of a SIP request what a verification service needs. A From or To that is there twice is handed
 * on as the list that nobody can read; of Date the first counts. Never throws for peer input.
 * @param request - as read by {@link parseSipRequest}
 * @returns the header values, untrusted text; members that the request lacks are absent
 * @see RFC 8224 section 6.2
 * @example
 * ```ts
 * const parsed = parseSipRequest(sampleInvite({ origTn: '12025550101' }));
 * if (parsed.status === 'malformed') throw new Error(parsed.reason);
 * const request = verificationRequestOf(parsed.request);
 * console.log(request.from?.includes('12025550101')); // true
 * ```
 */
export function verificationRequestOf(
  request: SipRequestText,
): VerificationRequest & { readonly identity: readonly string[] } {
  const from = onlyValue(headerValues(request, 'from'));
  const to = onlyValue(headerValues(request, 'to'));
  const [date] = headerValues(request, 'date');
  return {
    identity: headerValues(request, 'identity'),
    pAssertedIdentity: headerValues(request, 'p-asserted-identity'),
    requestUri: request.requestUri,
    ...(from === undefined ? undefined : { from }),
    ...(to === undefined ? undefined : { to }),
    ...(date === undefined ? undefined : { date }),
  };
}

/** One value per request is what the protocol allows; which of two a switch goes by is anybody's guess. @see RFC 3261 section 7.3.1 */
function onlyValue(values: readonly string[]): string | undefined {
  return values.length > 1 ? values.join(', ') : values[0];
}
