import type { VerdictEvidence } from '../../core/verdict-evidence.js';
import { endOfQuoted, parseNameAddr, splitHeaderList } from '../../core/sip-request.js';
import { decodePercent, parseSipUri, telephoneNumberOfUri } from '../../core/sip-uri.js';
import type { SipUri } from '../../core/sip-uri.js';
import type { Attestation, Spc, Verstat } from '../../core/telephone-number.js';
import type { PassportClaims } from '../passport-types/passport-type.js';
import type { FailureMeaning, FailureReason, StepException, VerificationFailure } from './step.js';

declare const verified: unique symbol;

/**
 * A PASSporT that passed every step: its claims may be believed as far as its signer is. Only the verification service makes
 * one, so a function that takes it needs no checks of its own.
 * @see RFC 8225 section 5
 */
export interface VerifiedPassport extends PassportClaims {
  /** A brand for the compiler; nothing is there at run time. */
  readonly [verified]: true;
  /** PASSporT type; undefined for the one without extension. */
  readonly ppt: string | undefined;
  /** Who signed: the SPC that the certificate speaks for if it has exactly one, the end-entity certificate, and where it was published. */
  readonly signer: {
    readonly spc?: Spc;
    readonly certificateSha256: string;
    readonly subject: string;
    readonly x5u: string;
  };
}

/**
 * What was found of one Identity header. `index` is its position in the request, from 0; `notes` are deviations that policy lets
 * pass.
 */
export type VerificationOutcome =
  | {
      readonly status: 'passed';
      readonly index: number;
      readonly passport: VerifiedPassport;
      readonly notes: readonly StepException[];
    }
  | {
      /** `failed`: found wrong. `indeterminate`: could not be checked; neither good nor bad. */
      readonly status: 'failed' | 'indeterminate';
      readonly index: number;
      readonly ppt: string | undefined;
      /** At least one; the first is the one that decides the SIP response. */
      readonly failures: readonly VerificationFailure[];
      readonly notes: readonly StepException[];
    }
  | {
      /** A PASSporT type that is not verified here, left alone. */
      readonly status: 'ignored';
      readonly index: number;
      readonly ppt: string | undefined;
    };

/**
 * What a call gets: one answer for the whole request, and everything it rests on.
 *
 * `status`, `verstat`, `attestation`, `origId` and `signer` may be trusted: the last three are there only when a PASSporT passed
 * every step under a certificate of the trust list. `outcomes`, `reasons` and `evidence` also tell of what did not pass; values
 * of tokens in them are what a stranger wrote.
 * @see RFC 8224 section 6.2, ATIS-1000074 section 5.3
 */
export interface CallVerdict {
  /**
   * `passed`: a PASSporT speaks for this caller and all of its steps passed. `failed`: something was found wrong.
   * `indeterminate`: nobody can tell, since there is no Identity, or something could not be checked; neither good nor bad.
   */
  readonly status: 'passed' | 'failed' | 'indeterminate';
  /**
   * What to tell the callee's network; {@link withVerstat} writes it. `TN-Validation-Failed` only where the signature or the
   * certificate was found bad; all else that is not passed is `No-TN-Validation`.
   */
  readonly verstat: Verstat;
  /** How well the signer says to know the caller. Only when passed, and only of a shaken PASSporT. */
  readonly attestation?: Attestation;
  /** Finds the call again at its signer, for a traceback. Only when passed, and only of a shaken PASSporT. */
  readonly origId?: string;
  /** Who vouches for the caller. Only when passed. */
  readonly signer?: VerifiedPassport['signer'];
  /** The final response for a policy that refuses such calls; absent when there is nothing to refuse for. */
  readonly sipResponse?: NonNullable<FailureMeaning['sip']>;
  /**
   * Values of Reason header fields, for a policy that lets the call go on: they go into the provisional or final response, towards
   * the caller. Empty when there is nothing to reproach the caller with; several need RFC 9366. @see RFC 9410
   */
  readonly reasonHeaders: readonly string[];
  /** All reasons of all headers, those of the header that decided first. Empty when everything passed. */
  readonly reasons: readonly FailureReason[];
  /** One outcome per Identity header, in the order of the request. */
  readonly outcomes: readonly VerificationOutcome[];
  /**
   * Plain JSON to keep with the call record: what was checked, against which values and under which certificate. Holds telephone
   * numbers in full. {@link explainEvidence} reads it months later.
   */
  readonly evidence: VerdictEvidence;
}

/** What a Reason header says, and how it names the PASSporT it is about. */
export interface ReasonHeaderOptions {
  /** The response that would have refused the call. */
  readonly response: NonNullable<FailureMeaning['sip']>;
  /** The PASSporT as it stood in the Identity header. */
  readonly token?: string;
  /** The whole token; its signature alone behind two dots; or nothing of it. */
  readonly ppi: 'full' | 'compact' | 'none';
}

/**
 * Writes the value of a Reason header field for one Identity header that did not verify. Several in one response can be too much for
 * UDP: the `reasonHeaders` of a {@link CallVerdict} are kept to 4,096 characters in all, by leaving ppi out of those beyond.
 * @returns `STIR;cause=436;text="Bad Identity Info";ppi="…"`; ppi is left out when the token is not one that may be repeated:
 * longer than 4,096 characters, or of others than base64url has. Never throws for peer input
 * @see RFC 9410 sections 4 and 5
 */
export function formatReasonHeader(options: ReasonHeaderOptions): string {
  const { response, token, ppi } = options;
  const reason = `STIR;cause=${String(response.status)};text="${response.reasonPhrase}"`;
  if (token === undefined || ppi === 'none' || token.length > MAX_PPI_CHARS || !isToken(token)) return reason;
  const shown = ppi === 'full' ? token : `..${token.slice(token.lastIndexOf('.') + 1)}`;
  return `${reason};ppi="${shown}"`;
}

/**
 * Most characters of all Reason header values of one response. A response that exceeds the path MTU goes over UDP in fragments, and is
 * lost as a whole with any of them: 4 KiB are three, name every one of six usual PASSporTs, and stay far from the 65,507 octets
 * where a datagram ends, whatever Via and Record-Route the response repeats. Without ppi 16 values take less than 800.
 * @see RFC 3261 section 18.1.1
 */
export const MAX_REASON_CHARS = 4096;

/**
 * Writes the Reason header values of one response: one for each Identity header that did not verify, in order. Together they have at
 * most {@link MAX_REASON_CHARS} characters: a ppi that would go beyond is left out, the cause never is, so that whoever calls cannot
 * make the response too long to arrive.
 * @see RFC 9410 section 5
 */
export function formatReasonHeaders(reasons: readonly ReasonHeaderOptions[]): readonly string[] {
  const causes = reasons.map((reason) => formatReasonHeader({ ...reason, ppi: 'none' }));
  let chars = causes.reduce((sum, cause) => sum + cause.length, 0);
  return reasons.map((reason, index) => {
    const cause = causes[index] ?? '';
    const value = formatReasonHeader(reason);
    const more = value.length - cause.length;
    if (chars + more > MAX_REASON_CHARS) return cause;
    chars += more;
    return value;
  });
}

/** A longer token would push a response over what UDP carries; the peer has it anyway. */
const MAX_PPI_CHARS = 4096;

/** Only what base64url and its dots consist of goes back out: a quote or a line break in it would forge header fields. */
function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const isSafe =
      (code >= 0x30 && code <= 0x39) || // 0-9
      (code >= 0x41 && code <= 0x5a) || // A-Z
      (code >= 0x61 && code <= 0x7a) || // a-z
      code === 0x2d || // -
      code === 0x2e || // .
      code === 0x5f; // _
    if (!isSafe) return false;
  }
  return text !== '';
}

/**
 * Tells the callee's network what a verdict came to: writes `verstat` into a From or P-Asserted-Identity value. It is a parameter
 * of telephone numbers, so that it goes into the user part of a SIP URI, in front of the `@`, and `user=phone` behind the host says
 * that this is one; in a tel URI it stands behind the number.
 *
 * A parameter `verstat` that was there before is taken out, in any case and with escapes: a caller may have brought one along.
 * Nothing else changes: scheme, number, host and port stay as they were. A URI without a number (`sip:alice@…`, an anonymous one)
 * gets none. Without a verdict the parameter is only taken out, and a value without the word stays as it is. A folded value becomes one
 * line. Never throws for peer input.
 * @param value - of a From or P-Asserted-Identity header, or a bare URI; a list of up to 64 values is taken
 * @param verstat - of a call verdict; absent where none is to be told
 * @returns the value to send on; undefined where nothing is to be sent on: the value cannot be read (a parameter given twice, a second
 * `@`, a line break that does not fold: with it, a caller could add header fields of its own), or the word `verstat` would be left in it beside the parameter that was written. It is looked for in the whole text, display
 * name, password and headers too, in any case and percent-encoded once or many times: a receiver that only searches for the word
 * would take it for ours
 * @see 3GPP TS 24.229 section 7.2A.20, RFC 3261 section 19.1.6
 * @example
 * ```ts
 * const value = withVerstat('"Desk" <sip:+12025550101@a.example>;tag=1', 'TN-Validation-Passed');
 * console.log(value); // "Desk" <sip:+12025550101;verstat=TN-Validation-Passed@a.example;user=phone>;tag=1
 * ```
 */
export function withVerstat(value: string, verstat?: Verstat): string | undefined {
  const line = unfolded(value);
  return line === undefined ? undefined : withVerstatInLine(line, verstat);
}

/** The value on one line; undefined where a line break or a NUL would still be in it. @see RFC 3261 section 7.3.1 */
function unfolded(value: string): string | undefined {
  const line = value.replace(/\r\n[ \t]/g, ' ');
  return /[\r\n\0]/.test(line) ? undefined : line;
}

function withVerstatInLine(value: string, verstat: Verstat | undefined): string | undefined {
  if (verstat === undefined && verstatsIn(value) === 0) return value;
  const values = splitHeaderList(value).map((one) => withVerstatInOne(one, verstat));
  if (values.length === 0 || values.includes(undefined)) return undefined;
  const text = values.join(', ');
  // A `<` that lost its `>` with a `verstat` may hide the comma behind it.
  return splitHeaderList(text).length === values.length ? text : undefined;
}

function withVerstatInOne(value: string, verstat: Verstat | undefined): string | undefined {
  const before = readAddress(value);
  if (before === undefined) return undefined;
  const parameter = verstat !== undefined && before.takesVerstat ? `;verstat=${verstat}` : '';
  const uri = uriWithParameter(before, parameter);
  const open = openingBracket(value);
  const behind = open < 0 ? value.indexOf(';') : value.indexOf('>', open) + 1;
  const params = open < 0 && behind < 0 ? '' : withoutVerstat(value.slice(behind)).trimEnd();
  // Without brackets the parameters of a URI would be those of the header.
  const text = `${open < 0 ? '' : value.slice(0, open)}<${uri}>${params}`;
  const after = readAddress(text);
  if (after === undefined || !isSameAddress(before.uri, after.uri)) return undefined;
  return verstatsIn(text) === (parameter === '' ? 0 : 1) ? text : undefined;
}

interface Address {
  /** The URI as it is written. */
  readonly text: string;
  readonly uri: SipUri;
  readonly takesVerstat: boolean;
}

function readAddress(value: string): Address | undefined {
  // The last value of a list that is too long still holds all the others, and a comma may come free where a `verstat` is taken out.
  const [only, ...others] = splitHeaderList(value);
  if (only !== value.trim() || others.length > 0) return undefined;
  const address = parseNameAddr(value);
  if (address.status === 'malformed') return undefined;
  const text = address.uri;
  const read = parseSipUri(text);
  if (read.status === 'malformed') return undefined;
  const { uri } = read;
  if (!isSip(uri)) return { text, uri, takesVerstat: uri.scheme === 'tel' };
  // `sip:12025550101;x=1@a.example` without brackets: the host is behind the semicolon for one reader, the number is it for another.
  if (uri.user === undefined && openingBracket(value) < 0 && value.includes('@')) return undefined;
  return { text, uri, takesVerstat: uri.user !== undefined && telephoneNumberOfUri(uri).kind !== 'none' };
}

function isSip({ scheme }: SipUri): boolean {
  return scheme === 'sip' || scheme === 'sips';
}

function isSameAddress(before: SipUri, after: SipUri): boolean {
  const { scheme, user, host, port, opaque } = before;
  if (scheme !== after.scheme || user !== after.user || host !== after.host || port !== after.port) return false;
  return opaque === after.opaque && numberOf(before) === numberOf(after);
}

/** The number with its `phone-context`, which the user part alone does not tell. */
function numberOf(uri: SipUri): string | undefined {
  const number = telephoneNumberOfUri(uri);
  return number.kind === 'none' ? undefined : number.tn;
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

function uriWithParameter({ text, uri }: Address, parameter: string): string {
  if (uri.scheme === 'tel') return `${withoutVerstat(text)}${parameter}`;
  // Other schemes have no parameters that we know of.
  if (!isSip(uri)) return text;
  const sign = text.indexOf('@');
  const question = text.indexOf('?', sign + 1);
  const end = question < 0 ? text.length : question;
  const headers = text.slice(end);
  if (sign < 0) return `${withoutVerstat(text.slice(0, end))}${headers}`;
  // A password ends the user part. It has no parameters: a `;` in it is a character like any other.
  const userEnd = endOfUser(text, sign);
  const user = withoutVerstat(text.slice(0, userEnd));
  const password = text.slice(userEnd, sign);
  const host = withoutVerstat(text.slice(sign, end));
  const isPhone = parameter === '' || uri.params.has('user') ? '' : ';user=phone';
  return `${user}${parameter}${password}${host}${isPhone}${headers}`;
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

/** How often the word stands in a text, all escapes undone. */
function verstatsIn(text: string): number {
  return unescaped(text).toLowerCase().split('verstat').length - 1;
}

/**
 * Undoes escapes until none is left (`%2576` is `%76`, then `v`), broken ones beside them or not. From the end to the start, so that
 * what an escape stands for is there when the `%` before it is read: each character is looked at once, however deep they are nested.
 */
function unescaped(text: string): string {
  if (!text.includes('%')) return text;
  const reversed: string[] = [];
  for (let at = text.length - 1; at >= 0; at -= 1) {
    let character = text.charAt(at);
    while (character === '%') {
      const code = hexDigit(reversed.at(-1)) * 16 + hexDigit(reversed.at(-2));
      if (Number.isNaN(code)) break;
      reversed.length -= 2;
      character = String.fromCharCode(code);
    }
    reversed.push(character);
  }
  return reversed.reverse().join('');
}

const hexDigit = (character = ''): number => Number.parseInt(character, 16);

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
