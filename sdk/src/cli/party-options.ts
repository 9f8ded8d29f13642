import { isCanonicalTelephoneNumber } from '../core/telephone-number.js';
import { canonicalTelephoneNumber, readSipDate } from '../stir/index.js';
import type { PassportParty } from '../stir/index.js';
import { UsageError } from './usage-error.js';

/**
 * Reads a party as an operator types it: a telephone number or a SIP URI.
 * @param name - of the option, for the message
 * @throws {@link UsageError} when it is neither, or digits that {@link telephoneNumberOption} refuses; the message does not repeat it
 */
export function partyOption(name: string, text: string): PassportParty {
  if (/^(?:sips?|tel):/i.test(text)) return { kind: 'uri', value: text };
  const tn = telephoneNumberOf(name, text);
  if (tn !== undefined) return { kind: 'tn', value: tn };
  throw new UsageError(`--${name} is neither a telephone number nor a SIP URI`);
}

/**
 * Reads a telephone number by the rule of the authentication service: digits alone have their country code, and those that somebody
 * may have dialled as a national number are refused. A foreign number has ten digits as well, and one of the two would be taken for
 * the other.
 * @param name - of the option, for the message
 * @returns the number in canonical form
 * @throws {@link UsageError} when it is no telephone number, or more than one; the message does not repeat it
 * @see RFC 8224 section 8.3
 */
export function telephoneNumberOption(name: string, text: string): string {
  const tn = telephoneNumberOf(name, text);
  if (tn !== undefined) return tn;
  throw new UsageError(`--${name} must be a telephone number`);
}

/**
 * Checks a telephone number that is to be signed.
 * @param name - of the option, for the message
 * @returns it as typed: the authentication service reads it by the same rule, and what it has read already it would not read as such
 * @throws {@link UsageError} as {@link telephoneNumberOption}
 */
export function numberToSignOption(name: string, text: string): string {
  telephoneNumberOption(name, text);
  return text;
}

function telephoneNumberOf(name: string, text: string): string | undefined {
  const number = canonicalTelephoneNumber(text);
  if (number.kind === 'none') return undefined;
  if (!isCanonicalTelephoneNumber(text) || number.tn === text) return number.tn;
  throw new UsageError(`--${name} can be read as a national number and as an international one`, [
    'Write it with + and its country code, or with its country code and nothing else: +12025550101 or 12025550101.',
  ]);
}

/**
 * Reads an instant: ISO 8601 with its offset, seconds since the epoch, or a SIP date.
 * @param name - of the option, for the message
 * @returns milliseconds since the epoch
 * @throws {@link UsageError} when it is none of these, or of a day that no calendar has
 */
export function instantOption(name: string, text: string): number {
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000;
  const sipSeconds = readSipDate(text);
  if (sipSeconds !== undefined) return sipSeconds * 1000;
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = isIso && isDay(text.slice(0, ISO_DAY_CHARS)) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  throw new UsageError(`--${name} is no time`, [
    '2026-11-02T12:00:00Z, seconds since 1970, or "Mon, 02 Nov 2026 12:00:00 GMT"',
  ]);
}

/** `2026-11-02` */
const ISO_DAY_CHARS = 10;

/** Date.parse takes the 30th of February for the 2nd of March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text);
}
