import { plain, primaryLanguage } from './tokens.js';
import { HAN_DIGITS, NUMBERED_LANGUAGES, numberWordsOf, type NumberWords } from './number-words.js';
import type { CallBackNumber } from './types.js';

/** Numbers told of one transcript: a script has one or two, a list of more is a directory. */
const MAX_NUMBERS = 8;
/** UTF-16 units that are read: an hour of talk would hold its number in the first ten minutes. */
const MAX_CHARS = 20_000;
/** Digits a country code and a number have at most (E.164). */
const MAX_DIGITS = 15;

/** Number words from which a text is taken to be in the language named: fewer are words of another that are spelled alike. */
const LEAST_SPOKEN = 3;

/** Words, runs of digits and Han digits, with a leading plus where one stands. */
const PIECE = /\+?\p{Nd}+|[零〇一幺二两兩三四五六七八九]|(?:(?![零〇一幺二两兩三四五六七八九])[\p{L}\p{M}])+/gu;
/** What may stand between two groups of one number. */
const BETWEEN = /^[\s\-–—‑.,、，。()/·…]{0,6}$/u;
/** Letters that recognisers write where `1-800` and seven letters are said. */
const VANITY =
  /(?<![\p{L}\p{N}])(?:\+?1[-. ]?)?\(?(8(?:00|33|44|55|66|77|88))\)?[-. ]([A-Z]{2,9}(?:[-. ][A-Z0-9]{1,7})?)(?![\p{L}\p{N}])/gu;
const KEYS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const KEY_DIGITS = '22233344455566677778889999';

/** A group of digits as said in one breath. */
interface Group {
  readonly digits: string;
  readonly isSpoken: boolean;
  /** True where a plus stands before it. */
  readonly isPlus: boolean;
  readonly start: number;
  readonly end: number;
}

/**
 * Telephone numbers in a transcript, as digits, as words ("three one five, two three two…") or as both, however they are grouped: those a
 * listener is asked to call, and all others that are said. North American numbers of 10 digits, or 11 with a 1 before them, have to have a
 * possible area code and exchange; of other countries only those with a plus or an international prefix are taken. Amounts, order numbers
 * and numbers with a digit too many or too few are none. Linear in the text, and never throws for any string.
 *
 * @param transcript as a recogniser wrote it
 * @param language BCP 47; told from the text where it lacks or has no number words
 * @returns distinct numbers in the order in which they are first said, at most 8
 * @example
 * console.log(callBackNumbers('Call us at 1-800, 555, oh one nine nine.', 'en')[0]?.number); // +18005550199
 */
export function callBackNumbers(transcript: string, language?: string): readonly CallBackNumber[] {
  const text = transcript.slice(0, MAX_CHARS);
  const found = new Map<string, CallBackNumber>();
  const streams = streamsOf(text, groupsOf(text, wordsFor(text, language)));
  const all = [...streams.flatMap((stream) => numbersIn(stream)), ...vanityNumbers(text)];
  for (const number of all.toSorted((a, b) => a.start - b.start)) {
    if (!found.has(number.number)) found.set(number.number, number);
    if (found.size === MAX_NUMBERS) break;
  }
  return [...found.values()];
}

/** Number words of the language that is named; where none of them is in the text those of the language that has most there, since recognisers name languages wrongly. */
function wordsFor(text: string, language: string | undefined): NumberWords {
  const words = plain(text).match(/\p{L}+/gu) ?? [];
  const countIn = (numbers: NumberWords): number =>
    words.filter((word) => numbers.units.has(word) || numbers.tens.has(word)).length;
  const given = numberWordsOf(primaryLanguage(language) ?? '');
  if (countIn(given) >= LEAST_SPOKEN) return given;
  let best = given;
  let most = 0;
  for (const numbers of NUMBERED_LANGUAGES.map((name) => numberWordsOf(name))) {
    const count = countIn(numbers);
    if (count > most) [best, most] = [numbers, count];
  }
  return best;
}

/** What the word before was: a number that the next word may complete, as `twenty` does `one` and, in Spanish, `quinientos` does `cincuenta`. */
type Open = 'none' | 'tens' | 'hundreds';

/** Digits and number words of a text, in order; a word that is none stands between as a group without digits. */
function groupsOf(text: string, words: NumberWords): Group[] {
  const groups: Group[] = [];
  let repeat = 1;
  // Set by the two functions below, which narrowing does not follow.
  let open = 'none' as Open;
  const push = (group: Group, next: Open): void => {
    groups.push(group);
    repeat = 1;
    open = next;
  };
  const complete = (digits: string, end: number, next: Open): void => {
    const last = groups.pop();
    if (last !== undefined) groups.push({ ...last, digits, end, isSpoken: true });
    open = next;
  };
  for (const match of text.matchAll(PIECE)) {
    const [piece] = match;
    const place = { start: match.index, end: match.index + piece.length };
    if (/\p{Nd}/u.test(piece)) {
      const digits = asciiDigits(piece);
      const repeated = digits.length === 1 ? digits.repeat(repeat) : digits;
      push({ ...place, digits: repeated, isSpoken: false, isPlus: piece.startsWith('+') }, 'none');
      continue;
    }
    const word = plain(piece);
    const last = groups.at(-1)?.digits ?? '';
    const value = valueOf(word, words, last);
    if (words.repeats.has(word)) repeat = words.repeats.get(word) ?? 1;
    else if (value === undefined) {
      if (words.hundreds.has(word) && last.length === 1) complete(`${last}00`, place.end, 'none');
      else if (!(open !== 'none' && word === words.and) && !isSkipped(word))
        push({ ...place, digits: '', isSpoken: false, isPlus: false }, 'none');
    } else if (open === 'tens' && value > 0 && value < 10)
      complete(`${last.slice(0, -1)}${String(value)}`, place.end, 'none');
    else if (open === 'hundreds' && value >= 10 && value < 100)
      complete(`${last.slice(0, -2)}${String(value)}`, place.end, words.tens.has(word) ? 'tens' : 'none');
    else {
      const next = words.tens.has(word) ? 'tens' : value >= 100 ? 'hundreds' : 'none';
      push({ ...place, digits: String(value).repeat(repeat), isSpoken: true, isPlus: false }, next);
    }
  }
  return groups;
}

function valueOf(word: string, words: NumberWords, last: string): number | undefined {
  const value = HAN_DIGITS.get(word) ?? words.units.get(word) ?? words.tens.get(word);
  return value ?? (isLetterO(word, last, words) ? 0 : undefined);
}

/** The letter O is said for nought, but only within a number. */
function isLetterO(word: string, last: string, words: NumberWords): boolean {
  return word === 'o' && words.units.has('oh') && last !== '';
}

/** Words within a number that are no digits of it. */
function isSkipped(word: string): boolean {
  return word === 'dash' || word === 'hyphen' || word === 'guion' || word === 'um' || word === 'uh';
}

function asciiDigits(piece: string): string {
  let digits = '';
  for (const char of piece.normalize('NFKC')) if (char >= '0' && char <= '9') digits += char;
  return digits;
}

/** Groups that follow each other with nothing between but signs. */
function streamsOf(text: string, groups: readonly Group[]): Group[][] {
  const streams: Group[][] = [];
  let stream: Group[] = [];
  for (const group of groups) {
    const last = stream.at(-1);
    const follows =
      last !== undefined && !group.isPlus && BETWEEN.test(withoutFillers(text.slice(last.end, group.start)));
    if (group.digits !== '' && (last === undefined || follows)) stream.push(group);
    else {
      if (stream.length > 0) streams.push(stream);
      stream = group.digits === '' ? [] : [group];
    }
  }
  if (stream.length > 0) streams.push(stream);
  return streams;
}

/** What lies between two groups without the words that may stand there; a long gap is returned as it is. */
function withoutFillers(gap: string): string {
  return gap.length > 24 ? gap : gap.replace(/dash|hyphen|gui[oó]n|double|triple|doble|um|uh/giu, '');
}

/** Numbers of a stream, from the left: groups are put together until they are a number, and what cannot begin one is left. */
function numbersIn(stream: readonly Group[]): CallBackNumber[] {
  const found: CallBackNumber[] = [];
  for (let from = 0; from < stream.length;) {
    const until = numberFrom(stream, from);
    if (until === undefined) from += 1;
    else {
      const groups = stream.slice(from, until.next);
      const spoken = groups.filter((group) => group.isSpoken).length;
      const form = spoken === 0 ? 'digits' : spoken === groups.length ? 'spoken' : 'mixed';
      found.push({ number: until.number, form, start: groups[0]?.start ?? 0, end: groups.at(-1)?.end ?? 0 });
      from = until.next;
    }
  }
  return found;
}

function numberFrom(stream: readonly Group[], from: number): { number: string; next: number } | undefined {
  let digits = '';
  let best: { number: string; next: number } | undefined;
  const isPlus = stream[from]?.isPlus ?? false;
  for (let at = from; at < stream.length && digits.length < MAX_DIGITS; at += 1) {
    digits += stream[at]?.digits ?? '';
    const number = canonical(digits, isPlus);
    if (number === undefined) continue;
    // North American numbers have one length, and what comes behind is the next; others are as long as they go.
    if (number.startsWith('+1')) return { number, next: at + 1 };
    best = { number, next: at + 1 };
  }
  return best;
}

/** Area code and exchange of the North American plan: neither begins with 0 or 1, area codes have no 9 in the middle and are no N11. */
const NORTH_AMERICAN = /^1?([2-9](?!11)[0-8]\d[2-9]\d{6})$/u;

function canonical(digits: string, isPlus: boolean): string | undefined {
  if (isPlus && !digits.startsWith('1')) return /^[2-9]\d{7,14}$/u.test(digits) ? `+${digits}` : undefined;
  const national = NORTH_AMERICAN.exec(digits)?.[1];
  if (national !== undefined) return `+1${national}`;
  const international = /^011([2-9]\d{7,12})$/u.exec(digits)?.[1];
  return international === undefined ? undefined : `+${international}`;
}

function vanityNumbers(text: string): CallBackNumber[] {
  const found: CallBackNumber[] = [];
  for (const match of text.matchAll(VANITY)) {
    const [whole, area = '', word = ''] = match;
    const digits = Array.from(word.replace(/[-. ]/gu, ''), (sign) => KEY_DIGITS[KEYS.indexOf(sign)] ?? sign).join('');
    // Letters behind the seventh are said and not dialled.
    const number = digits.length >= 7 ? canonical(`${area}${digits.slice(0, 7)}`, false) : undefined;
    if (number !== undefined)
      found.push({ number, form: 'mixed', start: match.index, end: match.index + whole.length });
  }
  return found;
}
