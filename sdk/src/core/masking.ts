/**
 * A telephone number as it may be logged: the area and exchange stay readable, the line is hidden. `12155551212` becomes
 * `1215555XXXX`; other numbers keep at most six digits and never their last four. Numbers of up to three digits (911, 411) are
 * nobody's and stay. A text that is no number is hidden whole, so that nothing of a peer reaches a log as written.
 * Never throws for peer input.
 * @param tn - canonical, or with a leading `+`
 * @returns at most 34 characters of `+`, digits, `*`, `#` and `X`
 * @see ITU-T E.164 section 6.2
 * @example
 * ```ts
 * console.log(maskTelephoneNumber('12025550101')); // 1202555XXXX
 * ```
 */
export function maskTelephoneNumber(tn: string): string {
  const plus = tn.startsWith('+') ? '+' : '';
  const digits = tn.slice(plus.length, MAX_SHOWN);
  if (!isDialable(digits)) return 'X'.repeat(Math.min(tn.length, MAX_SHOWN));
  if (digits.length <= SERVICE_CODE_DIGITS) return plus + digits;
  const isNorthAmerican = digits.length === 11 && digits.startsWith('1');
  const hidden = Math.max(HIDDEN_DIGITS, digits.length - (isNorthAmerican ? 7 : 6));
  const shown = Math.max(0, digits.length - hidden);
  return plus + digits.slice(0, shown) + 'X'.repeat(digits.length - shown);
}

/** Longest mask; more than a dial string has. */
const MAX_SHOWN = 33;

/** N11 codes and the like. */
const SERVICE_CODE_DIGITS = 3;

/** The line number of a North American subscriber; ten thousand lines share what is left. */
const HIDDEN_DIGITS = 4;

function isDialable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!((code >= 0x30 && code <= 0x39) || code === 0x2a || code === 0x23)) return false;
  }
  return true;
}
