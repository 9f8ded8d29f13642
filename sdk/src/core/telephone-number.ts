/** How numbers are dialled in one country, as far as it takes to make them global. */
export interface NumberingPlan {
  /** E.164 country code without `+`. */
  readonly countryCode: string;
  /** Digits dialled before a national number, `0` in many countries; tried in the order given. */
  readonly nationalPrefixes?: readonly string[];
  /** Digits dialled before a country code: `011` or `00`. */
  readonly internationalPrefixes?: readonly string[];
  /** Digits of a national number without prefix and country code, where all have the same length. */
  readonly nationalLength?: number;
  /** Digits that a national number can start with. Default all. */
  readonly nationalFirstDigits?: string;
  /** Numbers that reach an emergency call centre as dialled. The first also stands for `urn:service:sos`. */
  readonly emergencyNumbers?: readonly string[];
  /** Up to how many digits a number has a meaning only as dialled: short codes, N11. Default 6. */
  readonly shortNumberDigits?: number;
}

/**
 * The North American Numbering Plan: ten digits behind country code 1. `00` is not dialled there but is what gateways
 * leave before foreign numbers; no number of the plan starts with 0, so that taking it off confuses nothing.
 */
export const NORTH_AMERICAN_PLAN: NumberingPlan = {
  countryCode: '1',
  nationalPrefixes: ['1'],
  internationalPrefixes: ['011', '00'],
  nationalLength: 10,
  nationalFirstDigits: '23456789',
  emergencyNumbers: ['911', '112'],
  shortNumberDigits: 6,
};

/**
 * What a text means as a telephone number:
 * - `number`: country code and number where it could be made global, else the digits as they came;
 * - `emergency`: an emergency number of the plan;
 * - `short`: means something only inside one network: short codes, N11, 988, and dial strings with `*` or `#`;
 * - `none`: no telephone number at all.
 *
 * `tn` is in canonical form: digits, `*` and `#` only, no leading `+`. @see RFC 8224 section 8.3
 */
export type TelephoneNumberResult =
  | { readonly kind: 'number'; readonly tn: string }
  | { readonly kind: 'emergency' | 'short'; readonly tn: string }
  | { readonly kind: 'none'; readonly reason: 'empty' | 'not-a-number' | 'too-long' };

/** Digits of a global number at most, country code included. @see ITU-T E.164 section 6 */
const MAX_E164_DIGITS = 15;

/** Longest dial string with `*` or `#`: a service code, a full number and room for a code behind it. */
const MAX_DIAL_STRING = 32;

/**
 * Brings a telephone number into the canonical form that PASSporTs carry: `+1 (215) 555-1212`, `2155551212` and
 * `011 44 20 7946 0000` become `12155551212`, `12155551212` and `442079460000`. Reads what stands in the user part of a SIP
 * URI or behind `tel:`: visual separators, percent-encoding and `;phone-context=` included.
 *
 * Different numbers never become the same: what is not understood is refused or left as it is, not guessed at. The result is
 * not meant to be canonicalised again: a foreign number of ten digits would be taken for a national one.
 * Never throws for peer input.
 * @param text - at most 128 characters are looked at, longer is `too-long`
 * @param plan - how numbers without `+` were dialled. Default {@link NORTH_AMERICAN_PLAN}
 * @returns what the text means, and the number in canonical form unless it means none
 * @see RFC 8224 section 8.3, RFC 3966 section 5
 * @example
 * ```ts
 * const read = canonicalTelephoneNumber('+1 (202) 555-0101');
 * if (read.kind === 'number') console.log(read.tn); // 12025550101
 * ```
 */
export function canonicalTelephoneNumber(
  text: string,
  plan: NumberingPlan = NORTH_AMERICAN_PLAN,
): TelephoneNumberResult {
  const length = text.length;
  if (length === 0) return EMPTY;
  if (length > MAX_TEXT) return TOO_LONG;
  const first = text.charCodeAt(0) === PLUS ? 1 : 0;
  let at = first;
  while (at < length) {
    const code = text.charCodeAt(at);
    if (code < DIGIT_0 || code > DIGIT_9) return canonicalOfSpelled(text, plan);
    at += 1;
  }
  return first === 1 ? globalNumber(text.slice(1), plan) : dialledNumber(text, plan);
}

/**
 * Whether a text has the form of a canonical number as a PASSporT must carry it: 1 to 32 characters of
 * `0-9`, `*` and `#`, and not more than 15 when they are all digits.
 * @see RFC 8224 section 8.3, RFC 8225 section 5.2.1
 */
export function isCanonicalTelephoneNumber(text: string): boolean {
  if (text.length === 0 || text.length > MAX_DIAL_STRING) return false;
  let hasKeys = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === STAR || code === HASH) hasKeys = true;
    else if (code < DIGIT_0 || code > DIGIT_9) return false;
  }
  return hasKeys || text.length <= MAX_E164_DIGITS;
}

const EMPTY: TelephoneNumberResult = Object.freeze({ kind: 'none', reason: 'empty' });
const NOT_A_NUMBER: TelephoneNumberResult = Object.freeze({ kind: 'none', reason: 'not-a-number' });
const TOO_LONG: TelephoneNumberResult = Object.freeze({ kind: 'none', reason: 'too-long' });

/** A number of 15 digits, every one percent-encoded and set apart, with a phone-context, is shorter. */
const MAX_TEXT = 128;

/** The shortest numbers of small countries have seven digits with their country code. */
const MIN_GLOBAL_DIGITS = 7;

const DEFAULT_SHORT_DIGITS = 6;
const MAX_COUNTRY_CODE_DIGITS = 3;

const PHONE_CONTEXT = 'phone-context=';

const PLUS = 0x2b;
const STAR = 0x2a;
const HASH = 0x23;
const PERCENT = 0x25;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** Digits that were written behind a `+`: they start with a country code, none of which starts with 0. */
function globalNumber(digits: string, plan: NumberingPlan): TelephoneNumberResult {
  // No number can be written "+911", so that whoever writes it means the emergency number and must get through.
  if (plan.emergencyNumbers?.includes(digits) === true) return { kind: 'emergency', tn: digits };
  if (digits.length > MAX_E164_DIGITS) return TOO_LONG;
  if (digits.length < MIN_GLOBAL_DIGITS || digits.charCodeAt(0) === DIGIT_0) return NOT_A_NUMBER;
  return { kind: 'number', tn: digits };
}

/** Digits without `+`, as somebody dialled them under the plan. */
function dialledNumber(digits: string, plan: NumberingPlan): TelephoneNumberResult {
  if (digits.length <= (plan.shortNumberDigits ?? DEFAULT_SHORT_DIGITS)) {
    return { kind: plan.emergencyNumbers?.includes(digits) === true ? 'emergency' : 'short', tn: digits };
  }
  for (const prefix of plan.internationalPrefixes ?? []) {
    const rest = digits.length - prefix.length;
    if (rest < MIN_GLOBAL_DIGITS || rest > MAX_E164_DIGITS || !digits.startsWith(prefix)) continue;
    if (digits.charCodeAt(prefix.length) !== DIGIT_0) return { kind: 'number', tn: digits.slice(prefix.length) };
  }
  if (digits.length > MAX_E164_DIGITS) return TOO_LONG;
  return { kind: 'number', tn: nationalNumber(digits, plan) ?? digits };
}

/** Country code and national number, or undefined where the digits are not a national number of the plan. */
function nationalNumber(digits: string, plan: NumberingPlan): string | undefined {
  if (plan.nationalLength === digits.length && startsNational(digits, 0, plan)) return plan.countryCode + digits;
  for (const prefix of plan.nationalPrefixes ?? []) {
    if (!digits.startsWith(prefix)) continue;
    const rest = digits.length - prefix.length;
    if (plan.nationalLength !== undefined && rest !== plan.nationalLength) continue;
    if (rest === 0 || !startsNational(digits, prefix.length, plan)) continue;
    if (rest + plan.countryCode.length > MAX_E164_DIGITS) continue;
    return prefix === plan.countryCode ? digits : plan.countryCode + digits.slice(prefix.length);
  }
  return undefined;
}

function startsNational(digits: string, at: number, plan: NumberingPlan): boolean {
  return plan.nationalFirstDigits === undefined || plan.nationalFirstDigits.includes(digits.charAt(at));
}

/** The way for everything but plain digits: separators, escapes, `*`, `#` and parameters. */
function canonicalOfSpelled(text: string, plan: NumberingPlan): TelephoneNumberResult {
  const semicolon = text.indexOf(';');
  const spelled = readKeys(text, semicolon < 0 ? text.length : semicolon);
  if (spelled === undefined) return NOT_A_NUMBER;
  const { keys, hasPlus, hasServiceKeys } = spelled;
  if (keys === '') return hasPlus ? NOT_A_NUMBER : EMPTY;
  if (hasServiceKeys) {
    if (hasPlus) return NOT_A_NUMBER;
    return keys.length > MAX_DIAL_STRING ? TOO_LONG : { kind: 'short', tn: keys };
  }
  if (hasPlus) return globalNumber(keys, plan);
  const [written, ...others] = semicolon < 0 ? [] : phoneContexts(text, semicolon);
  if (written === undefined) return dialledNumber(keys, plan);
  const context = readKeys(written, written.length);
  if (others.length > 0 || (context === undefined && !isDomain(written))) return NOT_A_NUMBER;
  // A domain name as context means a private plan of that domain; its numbers read as dialled there, that is, here.
  return context?.hasPlus === true ? localNumber(keys, context, plan) : dialledNumber(keys, plan);
}

/** What a spelled number consists of when separators are dropped and escapes are undone. */
interface Keys {
  readonly keys: string;
  readonly hasPlus: boolean;
  readonly hasServiceKeys: boolean;
}

/** Reads up to `end`; undefined where there is anything that no dial pad or visual separator stands for. */
function readKeys(text: string, end: number): Keys | undefined {
  let keys = '';
  let hasPlus = false;
  let hasServiceKeys = false;
  for (let at = 0; at < end; at += 1) {
    let code = text.charCodeAt(at);
    if (code === PERCENT) {
      code = at + 2 < end ? escapedCode(text, at) : -1;
      at += 2;
    }
    if (code >= DIGIT_0 && code <= DIGIT_9) keys += String.fromCharCode(code);
    else if (code === STAR || code === HASH) {
      keys += String.fromCharCode(code);
      hasServiceKeys = true;
    } else if (code === PLUS) {
      if (hasPlus || keys !== '') return undefined;
      hasPlus = true;
    } else if (!isVisualSeparator(code)) return undefined;
  }
  return { keys, hasPlus, hasServiceKeys };
}

/** The character that `%` and two hexadecimal digits stand for, or -1. */
function escapedCode(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at + 1));
  const low = hexDigit(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= DIGIT_0 && code <= DIGIT_9) return code - DIGIT_0;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** `-`, `.`, `(`, `)` of RFC 3966, and the space that people write. */
function isVisualSeparator(code: number): boolean {
  return code === 0x2d || code === 0x2e || code === 0x28 || code === 0x29 || code === 0x20;
}

/** Every value given for `phone-context` in the parameters that start at `semicolon`. */
function phoneContexts(text: string, semicolon: number): string[] {
  const contexts: string[] = [];
  for (const parameter of text.slice(semicolon + 1).split(';')) {
    if (parameter.slice(0, PHONE_CONTEXT.length).toLowerCase() !== PHONE_CONTEXT) continue;
    contexts.push(parameter.slice(PHONE_CONTEXT.length));
  }
  return contexts;
}

/** Letters, digits, `-` and `.`. @see RFC 3966 section 3, domainname */
function isDomain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const lower = code | 0x20;
    const isLetter = lower >= 0x61 && lower <= 0x7a;
    if (!isLetter && (code < DIGIT_0 || code > DIGIT_9) && code !== 0x2d && code !== 0x2e) return false;
  }
  return true;
}

/**
 * A number that is local to a global prefix. The prefix names where the number is valid and need not be its beginning
 * (`863-1234` in `+1-914-555`), so that the two are joined only where the result cannot be anything else.
 */
function localNumber(digits: string, context: Keys, plan: NumberingPlan): TelephoneNumberResult {
  const isShort = digits.length <= (plan.shortNumberDigits ?? DEFAULT_SHORT_DIGITS);
  const joined = context.keys + digits;
  if (context.hasServiceKeys || context.keys === '') return NOT_A_NUMBER;
  if (!context.keys.startsWith(plan.countryCode)) {
    if (isShort) return { kind: 'short', tn: digits };
    // How numbers are dialled in that country is not known here; with a prefix before it, a number is not taken apart.
    const isJoinable = context.keys.length <= MAX_COUNTRY_CODE_DIGITS && digits.charCodeAt(0) !== DIGIT_0;
    return isJoinable && !digits.startsWith(context.keys) ? globalNumber(joined, plan) : NOT_A_NUMBER;
  }
  if (isShort) return dialledNumber(digits, plan);
  const nationalStart = plan.countryCode.length;
  if (plan.nationalLength === joined.length - nationalStart && startsNational(joined, nationalStart, plan)) {
    return { kind: 'number', tn: joined };
  }
  return dialledNumber(digits, plan);
}

/**
 * Attestation level of a SHAKEN PASSporT: A full, B partial, C gateway.
 * @see RFC 8588 section 4
 */
export type Attestation = 'A' | 'B' | 'C';

/**
 * The `verstat` value that a verification service reports for a call.
 * @see 3GPP TS 24.229 section 7.2A.20, ATIS-1000082
 */
export type Verstat = 'TN-Validation-Passed' | 'TN-Validation-Failed' | 'No-TN-Validation';

/** A telephone number in canonical form: digits, `*` and `#` only, no leading `+`. @see RFC 8224 section 8.3 */
export type CanonicalTn = string;

/** Service Provider Code: an OCN or similar, 1 to 15 characters of `0-9A-Z`. @see RFC 8226 section 9 */
export type Spc = string;
