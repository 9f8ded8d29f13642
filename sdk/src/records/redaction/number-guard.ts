import type { CalledNumber } from '../../core/call-record.js';

/** Finds in texts what must not leave with them. */
export interface NumberGuard {
  /** Whether a text holds the number called, with or without separators, or ends like it. */
  readonly holdsCalled: (text: string) => boolean;
  /** Whether a text holds the carrier's name for its customer, in whatever case and with whatever separators. */
  readonly holdsCustomer: (text: string) => boolean;
  /** Whether a canonical number is, or holds, the number called. */
  readonly isCalled: (tn: string) => boolean;
}

/** An exchange and a line: fewer digits cannot be told from any others. */
const LEAST_DIGITS = 7;
/** Digits of a North American number without its country code, and of most others without theirs: enough to know the number by. */
const NATIONAL_DIGITS = 10;
/** A shorter name stands in every other text; it has to be the whole of it, or one of its words. */
const LEAST_NAME_CHARS = 4;

/**
 * Makes the guard for one record. Digits are compared with all other characters left out, so that no way of writing a number helps;
 * digits in an encoding, and numbers of fewer than seven digits, are not found. Never throws.
 * @param called - undefined where the number called may leave
 */
export function numberGuard(called: CalledNumber | undefined, customerId: string | undefined): NumberGuard {
  const numbers: string[] = [];
  const lines: string[] = [];
  for (const text of calledTexts(called)) {
    const digits = digitsOf(text);
    if (digits.length < LEAST_DIGITS) continue;
    numbers.push(digits.slice(-NATIONAL_DIGITS));
    // Exchange and line are the number for whoever knows the area.
    lines.push(digits.slice(-LEAST_DIGITS));
  }
  const holdsCustomer = customerId === undefined || customerId === '' ? () => false : nameGuard(customerId);
  return {
    holdsCalled: (text) => {
      if (lines.length === 0 || text.length < LEAST_DIGITS) return false;
      const digits = digitsOf(text);
      return digits.length >= LEAST_DIGITS && lines.some((line) => digits.includes(line));
    },
    holdsCustomer,
    isCalled: (tn) => numbers.some((number) => tn.includes(number)),
  };
}

/**
 * What may be the number called: as it was read, as it was translated, and the parts of what was written, which has addresses and
 * parameters and digits dialled later behind the number and prefixes before it.
 */
function calledTexts(called: CalledNumber | undefined): readonly string[] {
  if (called === undefined) return [];
  const { tn, translatedTn, asWritten } = called;
  return [tn, translatedTn, asWritten].flatMap((text) => text?.split(/[;@<>,?#*]/) ?? []);
}

/** Names are compared by letters and digits alone: `Acme Corp.` is also called acme-corp. */
function nameGuard(customerId: string): (text: string) => boolean {
  const name = withoutSigns(customerId);
  // Made of signs alone.
  if (name === '') return (text) => text.includes(customerId);
  if (name.length >= LEAST_NAME_CHARS) return (text) => withoutSigns(text).includes(name);
  // Figures of up to three digits are words of every address.
  if (/^\d+$/.test(name)) return (text) => withoutSigns(text) === name;
  return (text) => withoutSigns(text) === name || text.toLowerCase().split(SIGNS).includes(name);
}

/** What is neither letter nor digit, nor part of a letter. */
const SIGNS = /[^\p{L}\p{M}\p{N}]+/gu;

function withoutSigns(text: string): string {
  return text.toLowerCase().replaceAll(SIGNS, '');
}

function digitsOf(text: string): string {
  let digits = '';
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) digits += text[at] ?? '';
  }
  return digits;
}
