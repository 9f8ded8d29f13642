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
