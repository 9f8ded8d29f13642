import { endOfQuoted } from '../../core/header-list.js';
import { parseNameAddr, splitHeaderList } from '../../core/name-addr.js';
import { decodePercent } from '../../core/percent-encoding.js';
import { parseSipUri, telephoneNumberOfUri } from '../../core/sip-uri.js';
import type { Verstat } from '../../core/terms.js';

/**
 * Tells the callee's network what a verdict came to: writes `verstat` into a From or P-Asserted-Identity value. It is a parameter
 * of telephone numbers, so that it goes into the user part of a SIP URI, in front of the `@`, and `user=phone` behind the host says
 * that this is one; in a tel URI it stands behind the number.
 *
 * Every `verstat` that was there before is taken out, wherever and however it was written: a caller may have brought one along. A
 * URI without a number (`sip:alice@…`, an anonymous one) gets none. Never throws for peer input.
 * @param value - of a From or P-Asserted-Identity header, or a bare URI; a list of several values is taken
 * @param verstat - of a call verdict
 * @returns the value to send on; undefined when it cannot be read, and is then not to be sent on at all, since nobody can say
 * whether a `verstat` is hidden in it
 * @see 3GPP TS 24.229 section 7.2A.20, RFC 3261 section 19.1.6
 * @example
 * ```ts
 * const value = withVerstat('"Desk" <sip:+12025550101@a.example>;tag=1', 'TN-Validation-Passed');
 * console.log(value); // "Desk" <sip:+12025550101;verstat=TN-Validation-Passed@a.example;user=phone>;tag=1
 * ```
 */
export function withVerstat(value: string, verstat: Verstat): string | undefined {
  const values = splitHeaderList(value).map((one) => withVerstatInOne(one, verstat));
  return values.length === 0 || values.includes(undefined) ? undefined : values.join(', ');
}

function withVerstatInOne(value: string, verstat: Verstat): string | undefined {
  const address = parseNameAddr(value);
  if (address.status === 'malformed') return undefined;
  const uri = uriWithVerstat(address.uri, verstat);
  if (uri === undefined) return undefined;
  const open = openingBracket(value);
  const behind = open < 0 ? value.indexOf(';') : value.indexOf('>', open) + 1;
  const params = open < 0 && behind < 0 ? '' : withoutVerstat(value.slice(behind));
  // Without brackets the parameters of a URI would be those of the header.
  return `${open < 0 ? '' : value.slice(0, open)}<${uri}>${params}`;
}

/** Where the URI begins that {@link parseNameAddr} found; -1 when it stands without brackets. */
function openingBracket(value: string): number {
  const text = value.trimStart();
  const from = value.length - text.length;
  const nameEnd = text.startsWith('"') ? (endOfQuoted(value, from) ?? from) : from;
  const open = value.indexOf('<', nameEnd);
  const semicolon = value.indexOf(';', nameEnd);
  return semicolon >= 0 && semicolon < open ? -1 : open;
}

function uriWithVerstat(text: string, verstat: Verstat): string | undefined {
  const sign = text.indexOf('@');
  const question = text.indexOf('?', sign + 1);
  const end = question < 0 ? text.length : question;
  // A password ends the user part, and no reader has a use for one.
  const userEnd = sign < 0 ? -1 : endOfUser(text, sign);
  const user = sign < 0 ? '' : withoutVerstat(text.slice(0, userEnd));
  const host = withoutVerstat(text.slice(Math.max(userEnd, 0), end));
  const headers = text.slice(end);
  const read = parseSipUri(`${user}${host}${headers}`);
  if (read.status === 'malformed') return undefined;
  const { uri } = read;
  const parameter = `;verstat=${verstat}`;
  if (uri.scheme === 'tel') return `${user}${host}${parameter}${headers}`;
  if ((uri.scheme !== 'sip' && uri.scheme !== 'sips') || sign < 0 || telephoneNumberOfUri(uri).kind === 'none') {
    return `${user}${host}${headers}`;
  }
  return `${user}${parameter}${host}${uri.params.has('user') ? '' : ';user=phone'}${headers}`;
}

function endOfUser(text: string, sign: number): number {
  const colon = text.indexOf(':', text.indexOf(':') + 1);
  return colon >= 0 && colon < sign ? colon : sign;
}

/** Takes every parameter of the name out of a text of parameters; a quoted string has none in it. */
function withoutVerstat(text: string): string {
  const parts = partsOf(text);
  return parts.filter((part, index) => index === 0 || !isVerstat(part)).join(';');
}

function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfQuoted(text, at) ?? text.length;
    else if (code === SEMICOLON) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
    at += 1;
  }
  return [...parts, text.slice(start)];
}

/** Names are compared as every reader compares them: escapes undone, in any case. @see RFC 3261 section 19.1.4 */
function isVerstat(parameter: string): boolean {
  const equals = parameter.indexOf('=');
  const name = equals < 0 ? parameter : parameter.slice(0, equals);
  return decodePercent(name.trim())?.toLowerCase() === 'verstat';
}

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
