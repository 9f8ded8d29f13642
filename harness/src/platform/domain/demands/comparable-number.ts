/** Digits of a North American number with its country code. */
const NORTH_AMERICAN_DIGITS = 11;

/**
 * The form in which numbers of demands, requests and records are compared: digits, `*` and `#`, with the country code 1 where a North American
 * number was written without it, and without the prefixes `+`, `011` and `00`. What is written in two ways is one number; what cannot be told to be
 * one stays two. Never throws.
 * @param number - in any spelling
 * @see RFC 8224 section 8.3
 */
export function comparableNumber(number: string): string {
  const digits = number.replace(/[^0-9*#]/g, '');
  if (number.trimStart().startsWith('+')) return digits;
  if (digits.startsWith('011') && digits.length > NORTH_AMERICAN_DIGITS) return digits.slice(3);
  if (/^[2-9][0-9]{9}$/.test(digits)) return `1${digits}`;
  return digits;
}
