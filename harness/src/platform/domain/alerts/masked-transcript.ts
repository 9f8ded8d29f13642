/** Words in which digits are said. */
const DIGIT_WORDS = new Set([
  ...['zero', 'oh', 'o', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'],
  ...['eleven', 'twelve', 'hundred', 'double', 'triple', 'area', 'code', 'twenty', 'thirty', 'forty', 'fifty'],
  ...[
    'sixty',
    'seventy',
    'eighty',
    'ninety',
    'cero',
    'uno',
    'dos',
    'tres',
    'cuatro',
    'cinco',
    'seis',
    'siete',
    'ocho',
    'nueve',
  ],
]);
/** Digits from which on a row of them is a number of somebody: a local number has seven. */
const MIN_DIGITS = 7;

/**
 * A transcript without telephone and account numbers, written or said: before there is legal process nobody is told a number, and a
 * transcript may hold that of whoever was called.
 * @param transcript - as one call had it
 * @returns the text, each row of at least seven digits replaced by `[number]`; time is linear in its length
 */
export function maskedTranscript(transcript: string): string {
  const masked: string[] = [];
  let row: string[] = [];
  let digits = 0;
  const endRow = (): void => {
    if (digits >= MIN_DIGITS) masked.push('[number]');
    else masked.push(...row);
    row = [];
    digits = 0;
  };
  for (const word of transcript.split(/\s+/)) {
    const count = digitsOf(word);
    if (count > 0) {
      row.push(word);
      digits += count;
    } else {
      endRow();
      masked.push(word);
    }
  }
  endRow();
  return masked.join(' ').trim();
}

/** Digits that a word stands for; 0 where it is something else. */
function digitsOf(word: string): number {
  const plain = word.toLowerCase().replace(/[^a-z0-9]/g, '');
  const written = plain.replace(/[^0-9]/g, '').length;
  if (written > 0) return written;
  // Hyphens join digits that are said: `eight-hundred`.
  const parts = word
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((part) => part !== '');
  return parts.length > 0 && parts.every((part) => DIGIT_WORDS.has(part)) ? parts.length : 0;
}
