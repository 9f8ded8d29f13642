import type { AppReport } from '@hopback/sdk/platform';

/**
 * Fewest digits that are taken for a telephone number: seven make a subscriber number without its area code. Amounts, dates and short codes
 * have fewer, case numbers may have more and are masked as well.
 */
export const LEAST_NUMBER_DIGITS = 7;

/** Words for digits as recognizers of speech write them. */
const DIGIT_WORDS: ReadonlyMap<string, string> = new Map([
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'].map(
    (word, digit) => [word, String(digit)] as const,
  ),
  ...(['oh', 'o'] as const).map((word) => [word, '0'] as const),
  ...['cero', 'uno', 'dos', 'tres', 'cuatro', 'cinco', 'seis', 'siete', 'ocho', 'nueve'].map(
    (word, digit) => [word, String(digit)] as const,
  ),
  ['hundred', '00'],
  ['cien', '00'],
]);

/** How often a digit is said where a word stands before it: "double five". */
const REPEATS: ReadonlyMap<string, number> = new Map([
  ['double', 2],
  ['triple', 3],
]);

/** What lies between two digits of one number, in letters and signs: "(202) 555-0123", "area code 202", "1.800". */
const BETWEEN = /^[\s().,/+*#-]{1,6}$/;

interface Token {
  readonly from: number;
  readonly to: number;
  readonly digits: string;
}

/**
 * Replaces every telephone number that is said in a text, in digits or in words, by what a function makes of its digits. Never throws;
 * takes linear time.
 * @param text - bounded by the contract
 * @param replaced - makes the replacement of the digits, which hold {@link LEAST_NUMBER_DIGITS} at least
 * @returns the text without numbers, and how many there were
 */
export function maskSpokenNumbers(
  text: string,
  replaced: (digits: string) => string,
): { readonly text: string; readonly count: number } {
  let masked = '';
  let from = 0;
  let count = 0;
  for (const { from: start, to, digits } of runsOf(text)) {
    if (digits.length < LEAST_NUMBER_DIGITS) continue;
    masked += text.slice(from, start) + replaced(digits);
    from = to;
    count += 1;
  }
  return { text: masked + text.slice(from), count };
}

/** Digits that belong together. */
function runsOf(text: string): readonly Token[] {
  const runs: Token[] = [];
  let run: Token | undefined;
  for (const token of tokensOf(text)) {
    if (run !== undefined && (run.to === token.from || BETWEEN.test(text.slice(run.to, token.from))))
      run = { from: run.from, to: token.to, digits: run.digits + token.digits };
    else {
      if (run !== undefined) runs.push(run);
      run = token;
    }
  }
  if (run !== undefined) runs.push(run);
  return runs;
}

function* tokensOf(text: string): Generator<Token> {
  let repeat = 1;
  let repeatFrom = 0;
  for (const match of text.matchAll(/\p{Nd}+|\p{L}+/gu)) {
    const [word] = match;
    const lower = word.toLowerCase();
    const times = REPEATS.get(lower);
    if (times !== undefined) {
      repeat = times;
      repeatFrom = match.index;
      continue;
    }
    const digits = /^\p{Nd}/u.test(word) ? word : DIGIT_WORDS.get(lower);
    const from = repeat > 1 ? repeatFrom : match.index;
    if (digits !== undefined) yield { from, to: match.index + word.length, digits: digits.repeat(repeat) };
    repeat = 1;
  }
}

/** Dates and times of ISO 8601, which have as many digits as a telephone number and are none. */
const DATES = /(\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?Z?)?(?!\d))/;

/**
 * A text that people wrote, as it is kept in the clear: every telephone number in it, in digits or in words, is `[number]`; dates stay. Never
 * throws.
 * @param text - bounded by the contract
 */
export function textWithoutNumbers(text: string): string {
  return text
    .split(DATES)
    .map((part, index) => (index % 2 === 1 ? part : maskSpokenNumbers(part, () => '[number]').text))
    .join('');
}

/** Digits of a North American number without its country code. */
const NATIONAL_DIGITS = 10;

/** A report without numbers, and the pseudonyms by which it is found. */
export interface MaskedReport {
  readonly calledPseudonym: string;
  readonly callingPseudonym?: string;
  /** Numbers are pseudonyms, also those in text; area code and exchange of the number called are shown. */
  readonly masked: unknown;
}

/**
 * Replaces the numbers of a report, those in text too. Never throws.
 * @param pseudonymOf - of a canonical number
 */
export function maskReport(report: AppReport, pseudonymOf: (tn: string) => string): MaskedReport {
  const { called, calling, callerName, servedBy, transcript, app } = report;
  const plain = (text: string): string => maskText(text, pseudonymOf);
  const calledPseudonym = called.shown === 'number' ? pseudonymOf(called.tn) : called.pseudonym;
  const npaNxx = called.shown === 'number' ? /^1(\d{6})\d{4}$/.exec(called.tn)?.[1] : called.npaNxx;
  const callingPseudonym = calling === undefined ? undefined : pseudonymOf(calling);
  return {
    calledPseudonym,
    ...(callingPseudonym !== undefined && { callingPseudonym }),
    masked: {
      ...report,
      app: { ...app, name: plain(app.name) },
      called: { shown: 'pseudonym', pseudonym: calledPseudonym, ...(npaNxx !== undefined && { npaNxx }) },
      ...(callingPseudonym !== undefined && { calling: callingPseudonym }),
      ...(callerName !== undefined && { callerName: plain(callerName) }),
      ...(servedBy !== undefined && { servedBy: plain(servedBy) }),
      ...(transcript !== undefined && { transcript: { ...transcript, text: plain(transcript.text) } }),
    },
  };
}

/**
 * Puts pseudonyms in the place of the numbers of a text: the same call-back number is the same one in every text. Never throws.
 * @param pseudonymOf - of a canonical number
 */
export function maskText(text: string, pseudonymOf: (tn: string) => string): string {
  return maskSpokenNumbers(text, (digits) => `[number ${pseudonymOf(canonical(digits))}]`).text;
}

function canonical(digits: string): string {
  return digits.length === NATIONAL_DIGITS ? `1${digits}` : digits;
}
