import { endOfQuoted, unquoted } from './header-list.js';
import type { SipUri } from './sip-uri.js';
import { EMPTY_PARAMETERS, MAX_PARAMETERS } from './uri-parameters.js';
import type { SipParameters } from './uri-parameters.js';

export { splitHeaderList } from './header-list.js';

/** Why a header value is not a name and address. */
export type NameAddrFailure =
  | 'address-empty'
  | 'address-too-long'
  | 'address-unclosed-quote'
  | 'address-unclosed-angle'
  | 'address-bad-character'
  | 'address-bad-parameter'
  | 'address-duplicate-parameter'
  | 'address-too-many-parameters';

/**
 * One value of From, To, Contact or P-Asserted-Identity taken apart, or the reason why it cannot be. The URI is raw text that
 * nobody has looked into yet, the display name what the peer wrote.
 */
export type NameAddrResult =
  | {
      readonly status: 'parsed';
      readonly displayName?: string;
      readonly uri: string;
      /** Parameters behind the address, such as `tag`; names in lower case, `true` where there is no value. */
      readonly params: SipParameters;
    }
  | { readonly status: 'malformed'; readonly reason: NameAddrFailure };

/** Longest value that is looked at: a URI of 2,048 characters, a long display name and parameters fit well. */
export const MAX_NAME_ADDR_LENGTH = 8_192;

/**
 * Takes one name-addr (`"Operator" <sip:+12155551212@example.net>;tag=1`) or addr-spec (`sip:…;tag=1`) apart. In the second
 * form everything from the first `;` on belongs to the header, not to the URI. Never throws for peer input.
 * @param headerValue - one value, unfolded; a list goes through {@link splitHeaderList} first
 * @see RFC 3261 sections 20.10, 20.20 and 25.1, RFC 3325 section 9.1
 */
export function parseNameAddr(headerValue: string): NameAddrResult {
  if (headerValue.length > MAX_NAME_ADDR_LENGTH) return malformed('address-too-long');
  const start = skipSpace(headerValue, 0);
  if (start === headerValue.length) return malformed('address-empty');
  if (headerValue.charCodeAt(start) === QUOTE) {
    const close = endOfQuoted(headerValue, start);
    if (close === undefined) return malformed('address-unclosed-quote');
    const open = skipSpace(headerValue, close + 1);
    if (headerValue.charCodeAt(open) !== OPEN) return malformed('address-bad-character');
    return parseAngled(headerValue, open, unquoted(headerValue, start, close));
  }
  const open = headerValue.indexOf('<', start);
  const semicolon = headerValue.indexOf(';', start);
  // A "<" behind the first ";" is one of a parameter of an address without angle brackets.
  if (open < 0 || (semicolon >= 0 && semicolon < open)) return parseBare(headerValue, start, semicolon);
  const name = headerValue.slice(start, open).trimEnd();
  return name.includes('"') ? malformed('address-bad-character') : parseAngled(headerValue, open, name);
}

/**
 * Whether a URI is one that stands for a caller who is not named: `anonymous@anonymous.invalid`, any user at
 * `anonymous.invalid` or `unknown.invalid`, and the user names that switches put there. Never throws for peer input.
 * @see RFC 3323 section 4.1.1.3, 3GPP TS 23.003 sections 13.6 and 13.7
 */
export function isAnonymousUri(uri: SipUri): boolean {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return false;
  if (uri.host === 'anonymous.invalid' || uri.host === 'unknown.invalid') return true;
  const { user } = uri;
  if (user === undefined || user.length > LONGEST_ANONYMOUS_USER || startsLikeNumber(user)) return false;
  return ANONYMOUS_USERS.has(user.toLowerCase());
}

const QUOTE = 0x22;
const OPEN = 0x3c;
const SEMICOLON = 0x3b;

const ANONYMOUS_USERS: ReadonlySet<string> = new Set(['anonymous', 'restricted', 'unavailable', 'unknown', 'private']);
const LONGEST_ANONYMOUS_USER = 'unavailable'.length;

function startsLikeNumber(user: string): boolean {
  return user.charCodeAt(0) < 0x40;
}

function malformed(reason: NameAddrFailure): NameAddrResult {
  return { status: 'malformed', reason };
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** Space and tab, and the line ends of a value that was not unfolded. */
function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

function parseAngled(text: string, open: number, displayName: string): NameAddrResult {
  const close = text.indexOf('>', open + 1);
  if (close < 0) return malformed('address-unclosed-angle');
  const uri = text.slice(open + 1, close).trim();
  if (uri === '') return malformed('address-empty');
  const params = readHeaderParameters(text, skipSpace(text, close + 1));
  if (typeof params === 'string') return malformed(`address-${params}`);
  return displayName === '' ? { status: 'parsed', uri, params } : { status: 'parsed', displayName, uri, params };
}

function parseBare(text: string, start: number, semicolon: number): NameAddrResult {
  const uri = text.slice(start, semicolon < 0 ? text.length : semicolon).trimEnd();
  if (uri === '') return malformed('address-empty');
  // Nothing but the list separator may follow, and a URI with a comma, space or "?" must stand in angle brackets.
  if (hasNoBareCharacter(uri)) return malformed('address-bad-character');
  const params = readHeaderParameters(text, semicolon < 0 ? text.length : semicolon);
  return typeof params === 'string' ? malformed(`address-${params}`) : { status: 'parsed', uri, params };
}

function hasNoBareCharacter(uri: string): boolean {
  for (let at = 0; at < uri.length; at += 1) {
    const code = uri.charCodeAt(at);
    if (isSpace(code) || code === 0x2c || code === 0x3f || code === QUOTE || code === 0x3e) return true;
  }
  return false;
}

type ParameterFailure = 'bad-character' | 'bad-parameter' | 'duplicate-parameter' | 'too-many-parameters';

/** Header parameters: `;name`, `;name=token`, `;name="quoted"`, with space allowed around the signs. */
function readHeaderParameters(text: string, start: number): SipParameters | ParameterFailure {
  if (start === text.length) return EMPTY_PARAMETERS;
  const params = new Map<string, string | true>();
  let at = start;
  while (at < text.length) {
    if (text.charCodeAt(at) !== SEMICOLON) return 'bad-character';
    const from = skipSpace(text, at + 1);
    const valueAt = endOfName(text, from);
    const name = text.slice(from, valueAt).trimEnd().toLowerCase();
    const value =
      text.charCodeAt(valueAt) === EQUALS ? readParameterValue(text, skipSpace(text, valueAt + 1)) : undefined;
    if (value === 'bad-parameter') return value;
    at = skipSpace(text, value?.end ?? valueAt);
    if (name === '' && value === undefined) continue;
    if (name === '') return 'bad-parameter';
    if (params.has(name)) return 'duplicate-parameter';
    if (params.size === MAX_PARAMETERS) return 'too-many-parameters';
    params.set(name, value?.value ?? true);
  }
  return params;
}

const EQUALS = 0x3d;

function endOfName(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== SEMICOLON && text.charCodeAt(at) !== EQUALS) at += 1;
  return at;
}

function readParameterValue(text: string, start: number): { value: string; end: number } | 'bad-parameter' {
  if (text.charCodeAt(start) === QUOTE) {
    const close = endOfQuoted(text, start);
    return close === undefined ? 'bad-parameter' : { value: unquoted(text, start, close), end: close + 1 };
  }
  const semicolon = text.indexOf(';', start);
  const end = semicolon < 0 ? text.length : semicolon;
  return { value: text.slice(start, end).trimEnd(), end };
}
