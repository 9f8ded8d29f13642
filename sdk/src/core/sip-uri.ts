import { NORTH_AMERICAN_PLAN, canonicalTelephoneNumber } from './telephone-number.js';
import type { NumberingPlan, TelephoneNumberResult } from './telephone-number.js';

/**
 * Undoes percent-encoding, or returns undefined where an escape is broken or what it encodes is not UTF-8.
 * Never throws for peer input.
 * @see RFC 3261 section 19.1.2, RFC 3986 section 2.1
 */
export function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a text consists of visible ASCII other than `<`, `>` and `"`: those end a URI where it is embedded in a header, so
 * that none can be part of one. Never throws for peer input.
 */
export function isUriText(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x3c || code === 0x3e || code === 0x22) return false;
  }
  return true;
}

/** Parameters by name in lower case; `true` where a parameter has no `=`. */
export type SipParameters = ReadonlyMap<string, string | true>;

/** Why parameters could not be read. */
export type ParameterFailure = 'bad-parameter' | 'bad-escape' | 'duplicate-parameter' | 'too-many-parameters';

/** No parameters: the usual case, which then costs nothing. */
export const EMPTY_PARAMETERS: SipParameters = new Map<string, string | true>();

/** Most parameters in one place. Real URIs and headers carry fewer than ten; a bound keeps hostile ones cheap. */
export const MAX_PARAMETERS = 64;

/**
 * Reads URI parameters from `start`, where the first `;` is, to `end`. Empty ones (`;;`) are passed over. A name given twice
 * is refused, since readers differ on which one counts. Never throws for peer input.
 * @see RFC 3261 section 19.1.1
 */
export function readParameters(text: string, start: number, end: number): SipParameters | ParameterFailure {
  const parameters = new Map<string, string | true>();
  let at = start + 1;
  while (at <= end) {
    const semicolon = text.indexOf(';', at);
    const stop = semicolon < 0 || semicolon > end ? end : semicolon;
    if (stop > at) {
      const failure = addParameter(parameters, text.slice(at, stop));
      if (failure !== undefined) return failure;
    }
    at = stop + 1;
  }
  return parameters;
}

function addParameter(parameters: Map<string, string | true>, parameter: string): ParameterFailure | undefined {
  const equals = parameter.indexOf('=');
  const name = decodePercent(equals < 0 ? parameter : parameter.slice(0, equals))?.toLowerCase();
  const value = equals < 0 ? true : decodePercent(parameter.slice(equals + 1));
  if (name === undefined || value === undefined) return 'bad-escape';
  if (name === '') return 'bad-parameter';
  if (parameters.has(name)) return 'duplicate-parameter';
  if (parameters.size === MAX_PARAMETERS) return 'too-many-parameters';
  parameters.set(name, value);
  return undefined;
}

/** Why a text is not a URI that a SIP request can carry. */
export type SipUriFailure =
  | 'uri-empty'
  | 'uri-too-long'
  | 'uri-no-scheme'
  | 'uri-bad-character'
  | 'uri-bad-escape'
  | 'uri-bad-user'
  | 'uri-bad-host'
  | 'uri-bad-port'
  | 'uri-bad-parameter'
  | 'uri-duplicate-parameter'
  | 'uri-too-many-parameters';

/** The URI, or the reason why there is none. */
export type SipUriResult =
  | { readonly status: 'parsed'; readonly uri: SipUri }
  | { readonly status: 'malformed'; readonly reason: SipUriFailure };

/**
 * A URI taken apart. Nothing in it has been verified: it says what a peer wrote.
 * @see RFC 3261 section 19.1, RFC 3966, RFC 4694, RFC 4904, RFC 5031
 */
export interface SipUri {
  readonly scheme: 'sip' | 'sips' | 'tel' | 'urn' | 'other';
  /** User part of a SIP URI, or the number of a tel URI: escapes undone, without parameters and password. */
  readonly user?: string;
  /** Parameters within the user part: `tgrp`, `trunk-context`, `rn`, `npdi`, `phone-context`, … For tel URIs the same as `params`. */
  readonly userParams: SipParameters;
  /** Host in lower case, IPv6 in brackets. */
  readonly host?: string;
  /** 1 to 65535. */
  readonly port?: number;
  /** Parameters of the URI, names in lower case, escapes undone; `true` where there is no `=`. */
  readonly params: SipParameters;
  /** What stands behind `?`, as it is. */
  readonly headers?: string;
  /** What stands behind the scheme of `urn` and other URIs, as it is. */
  readonly opaque?: string;
}

/** Longest URI that is looked at. Real ones with a trunk group and routing number stay below 300 characters. */
export const MAX_URI_LENGTH = 2_048;

/**
 * Takes a SIP, SIPS or tel URI apart; other schemes are told by name only. What two readers could read differently is refused:
 * a second `@`, a parameter given twice, broken escapes, control characters. Never throws for peer input.
 * @param text - a bare URI without angle brackets
 * @see RFC 3261 section 19.1.1, RFC 3966 section 3
 */
export function parseSipUri(text: string): SipUriResult {
  if (text.length === 0) return malformed('uri-empty');
  if (text.length > MAX_URI_LENGTH) return malformed('uri-too-long');
  if (!isUriText(text)) return malformed('uri-bad-character');
  const colon = text.indexOf(':');
  if (colon <= 0) return malformed('uri-no-scheme');
  switch (schemeOf(text, colon)) {
    case 'sip':
      return parseSip(text, 'sip', colon + 1);
    case 'sips':
      return parseSip(text, 'sips', colon + 1);
    case 'tel':
      return parseTel(text, colon + 1);
    case 'urn':
      return parseOpaque(text, 'urn', colon + 1);
    case 'other':
      return parseOpaque(text, 'other', colon + 1);
    default:
      return malformed('uri-no-scheme');
  }
}

/**
 * The telephone number that a URI stands for, in canonical form. It is the number that was dialled: the routing number of a
 * ported number (`rn`, `npdi`) and trunk groups are left aside. A user part counts as a number when it looks like one, with
 * or without `user=phone`, so that leaving the parameter out hides no number. `urn:service:sos` is an emergency number.
 * Never throws for peer input.
 * @param plan - how numbers without `+` were dialled. Default {@link NORTH_AMERICAN_PLAN}
 * @see RFC 8224 section 8.3, RFC 3261 section 19.1.6, RFC 4694 section 5, RFC 5031 section 4.2
 */
export function telephoneNumberOfUri(uri: SipUri, plan: NumberingPlan = NORTH_AMERICAN_PLAN): TelephoneNumberResult {
  if (uri.scheme === 'urn') return serviceNumber(uri.opaque ?? '', plan);
  if (uri.scheme === 'other') return { kind: 'none', reason: 'not-a-number' };
  const user = uri.user ?? '';
  // Escapes are already undone: a `;` or `%` that is left was escaped, hence a character of the name and no syntax.
  if (hasSyntax(user)) return { kind: 'none', reason: 'not-a-number' };
  const context = uri.userParams.get('phone-context') ?? uri.params.get('phone-context');
  if (typeof context !== 'string') return canonicalTelephoneNumber(user, plan);
  if (hasSyntax(context)) return { kind: 'none', reason: 'not-a-number' };
  return canonicalTelephoneNumber(`${user};phone-context=${context}`, plan);
}

function hasSyntax(unescaped: string): boolean {
  return unescaped.includes(';') || unescaped.includes('%');
}

function malformed(reason: SipUriFailure): SipUriResult {
  return { status: 'malformed', reason };
}

/** The scheme before `colon`; undefined where it is not one. */
function schemeOf(text: string, colon: number): SipUri['scheme'] | undefined {
  const written = text.slice(0, colon);
  if (written === 'sip' || written === 'tel' || written === 'sips') return written;
  const scheme = written.toLowerCase();
  if (scheme === 'sip' || scheme === 'tel' || scheme === 'sips' || scheme === 'urn') return scheme;
  return isScheme(scheme) ? 'other' : undefined;
}

/** A letter, then letters, digits, `+`, `-` or `.`. @see RFC 3986 section 3.1 */
function isScheme(lower: string): boolean {
  for (let at = 0; at < lower.length; at += 1) {
    const code = lower.charCodeAt(at);
    const isLetter = code >= 0x61 && code <= 0x7a;
    const isOther = (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e;
    if (!isLetter && (at === 0 || !isOther)) return false;
  }
  return true;
}

function parseOpaque(text: string, scheme: 'urn' | 'other', start: number): SipUriResult {
  const opaque = text.slice(start);
  return { status: 'parsed', uri: { scheme, opaque, userParams: EMPTY_PARAMETERS, params: EMPTY_PARAMETERS } };
}

function parseTel(text: string, start: number): SipUriResult {
  const semicolon = text.indexOf(';', start);
  const end = semicolon < 0 ? text.length : semicolon;
  if (end === start) return malformed('uri-bad-user');
  const user = decodePercent(text.slice(start, end));
  if (user === undefined) return malformed('uri-bad-escape');
  const params = semicolon < 0 ? EMPTY_PARAMETERS : readParameters(text, semicolon, text.length);
  if (typeof params === 'string') return malformed(`uri-${params}`);
  return { status: 'parsed', uri: { scheme: 'tel', user, userParams: params, params } };
}

function parseSip(text: string, scheme: 'sip' | 'sips', start: number): SipUriResult {
  const sign = text.indexOf('@', start);
  if (sign < 0) return parseHostPart(text, start, { scheme, user: undefined, userParams: EMPTY_PARAMETERS });
  if (text.includes('@', sign + 1)) return malformed('uri-bad-user');
  // A password is allowed by the grammar and useless here; it goes no further. Its colon cannot be one of the user part.
  const colon = text.indexOf(':', start);
  const end = colon >= 0 && colon < sign ? colon : sign;
  const semicolon = text.indexOf(';', start);
  const hasParams = semicolon >= 0 && semicolon < end;
  const userEnd = hasParams ? semicolon : end;
  if (userEnd === start) return malformed('uri-bad-user');
  const user = decodePercent(text.slice(start, userEnd));
  if (user === undefined) return malformed('uri-bad-escape');
  const userParams = hasParams ? readParameters(text, semicolon, end) : EMPTY_PARAMETERS;
  if (typeof userParams === 'string') return malformed(`uri-${userParams}`);
  return parseHostPart(text, sign + 1, { scheme, user, userParams });
}

/** A URI while it is put together; spreading optional members costs more than all the rest of the work. */
type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

interface UserPart {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly userParams: SipParameters;
}

/** Host, port, parameters and headers. */
function parseHostPart(text: string, start: number, userPart: UserPart): SipUriResult {
  const hostEnd = endOfHost(text, start);
  if (hostEnd < 0) return malformed('uri-bad-host');
  let at = hostEnd;
  let port: number | undefined;
  if (text.charCodeAt(at) === COLON) {
    at = endOfDigits(text, at + 1);
    port = portOf(text.slice(hostEnd + 1, at));
    if (port === undefined) return malformed('uri-bad-port');
  }
  const question = text.indexOf('?', at);
  const end = question < 0 ? text.length : question;
  if (at < end && text.charCodeAt(at) !== SEMICOLON) return malformed('uri-bad-host');
  const params = at < end ? readParameters(text, at, end) : EMPTY_PARAMETERS;
  if (typeof params === 'string') return malformed(`uri-${params}`);
  const { scheme, user, userParams } = userPart;
  const host = text.slice(start, hostEnd).toLowerCase();
  const uri: Writable<SipUri> = { scheme, userParams, host, params };
  if (user !== undefined) uri.user = user;
  if (port !== undefined) uri.port = port;
  if (question >= 0) uri.headers = text.slice(question + 1);
  return { status: 'parsed', uri };
}

const COLON = 0x3a;
const SEMICOLON = 0x3b;

/** Where a host name, IPv4 address or bracketed IPv6 address ends; -1 where there is none. `_` is not allowed, yet used. */
function endOfHost(text: string, start: number): number {
  const isReference = text.charCodeAt(start) === 0x5b;
  let at = isReference ? start + 1 : start;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const lower = code | 0x20;
    const isDigitOrDot = (code >= 0x30 && code <= 0x39) || code === 0x2e;
    if (isReference ? isDigitOrDot || code === COLON || (lower >= 0x61 && lower <= 0x66) : isDigitOrDot) continue;
    if (isReference || !((lower >= 0x61 && lower <= 0x7a) || code === 0x2d || code === 0x5f)) break;
  }
  if (!isReference) return at === start ? -1 : at;
  return text.charCodeAt(at) === 0x5d && at > start + 1 ? at + 1 : -1;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at += 1;
  return at;
}

function portOf(digits: string): number | undefined {
  if (digits.length === 0 || digits.length > 5) return undefined;
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** `urn:service:sos` and its kinds (`sos.police`). @see RFC 5031 section 4.2 */
function serviceNumber(opaque: string, plan: NumberingPlan): TelephoneNumberResult {
  const lower = opaque.toLowerCase();
  const isSos = lower === 'service:sos' || lower.startsWith('service:sos.');
  const tn = plan.emergencyNumbers?.[0];
  return isSos && tn !== undefined ? { kind: 'emergency', tn } : { kind: 'none', reason: 'not-a-number' };
}
