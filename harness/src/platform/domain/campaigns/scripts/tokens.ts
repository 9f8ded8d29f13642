import { inventedAt, withoutSounds, withoutUnspacedInventions } from './artefacts.js';
import { guessLanguage, primaryLanguage } from './language.js';
import { CHARS_PER_TOKEN } from './limits.js';
import { HAN_DIGITS, numberWordsOf, type NumberWords } from './number-words.js';

/** What numbers are in a tokenised transcript: all the same, since campaigns vary them, or their digits, since a recording does not. */
export type NumberReading = 'any-number' | 'digits';

export interface TokenOptions {
  readonly language?: string;
  readonly numbers: NumberReading;
  readonly maxTokens: number;
}

export interface Tokens {
  /** Words in lower case without marks; pairs of characters where a language has no spaces; `#` for a number. */
  readonly tokens: readonly string[];
  /** Different words there are, a word of a language without spaces being taken for two characters; without numbers. */
  readonly words: number;
  readonly language: string;
  /** True where something was said and all of it was what recognisers invent. */
  readonly isOnlyNoise: boolean;
}

export const ANY_NUMBER = '#';

const ASCII_ONLY = /^[\u0000-\u007f]*$/u;
const MARKS = /[\u0300-\u036f]+/gu;
const WORD = /[\p{L}\p{M}\p{N}'’]+/gu;
const NUMBER = /^\p{Nd}+$/u;
const SAID = /[\p{L}\p{N}♪♫♬♩]/u;
const APOSTROPHES = /['’]+/gu;
/** Han, kana, Thai, Lao, Burmese and Khmer are written without spaces. */
const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]/u;
const UNSPACED_RUNS =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[^\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+/gu;
/** A digit in Han characters behind a verb of keys and dialling is a number; elsewhere 一 is mostly part of a word. */
const HAN_KEY = /(?<=[按打拨撥押])[零一二三四五六七八九]/gu;
/** Longest phrase whose immediate repetition is taken for a recogniser that is caught in a loop. */
const LONGEST_LOOP = 12;

/** A transcript as the words that are compared; linear in what is read of it, and never throws for any string. */
export function tokenise(transcript: string, options: TokenOptions): Tokens {
  const text = withoutUnspacedInventions(
    withoutSounds(plain(transcript.slice(0, options.maxTokens * CHARS_PER_TOKEN))),
  );
  const found = text.match(WORD) ?? [];
  const words = found.map((word) => (word.includes("'") || word.includes('’') ? word.replace(APOSTROPHES, '') : word));
  const language = primaryLanguage(options.language) ?? guessLanguage(text, words);
  const reader = createReader(numberWordsOf(language), options);
  for (let at = 0; at < words.length && reader.tokens.length < options.maxTokens;) {
    const invented = inventedAt(words, at);
    if (invented > 0) at += invented;
    else reader.read(words[at++] ?? '');
  }
  const { tokens } = reader;
  return {
    tokens,
    words: distinctWords(tokens),
    language,
    isOnlyNoise: tokens.length === 0 && SAID.test(transcript.slice(0, options.maxTokens)),
  };
}

/** Lower case, compatibility forms made one, Latin letters without marks. */
export function plain(text: string): string {
  if (ASCII_ONLY.test(text)) return text.toLowerCase();
  return text.normalize('NFKD').replace(MARKS, '').normalize('NFKC').toLowerCase();
}

interface Reader {
  readonly tokens: string[];
  read(word: string): void;
}

function createReader(numbers: NumberWords, options: TokenOptions): Reader {
  const tokens: string[] = [];
  const isAny = options.numbers === 'any-number';
  let isInNumber = false;
  function pushNumber(digits: string): void {
    if (isAny) {
      if (!isInNumber) push(ANY_NUMBER);
    } else if (isInNumber) tokens[tokens.length - 1] += digits;
    else push(digits);
    isInNumber = true;
  }
  function push(token: string): void {
    tokens.push(token);
    dropLoop(tokens);
  }
  function pushWord(word: string): void {
    isInNumber = false;
    push(word);
  }
  function readUnspaced(run: string): void {
    const keyed = run.replace(HAN_KEY, (digit) => ` ${HAN_DIGITS.get(digit) ?? ''} `);
    for (const part of keyed.split(' ')) {
      if (/^\d+$/u.test(part)) pushNumber(part);
      else if (part.length === 1) pushWord(part);
      else for (let at = 0; at + 1 < part.length; at += 1) pushWord(part.slice(at, at + 2));
    }
  }
  function read(word: string): void {
    if (word === '') return;
    if (mayBeUnspaced(word) && UNSPACED.test(word)) {
      for (const run of word.match(UNSPACED_RUNS) ?? []) {
        if (UNSPACED.test(run)) readUnspaced(run);
        else read(run);
      }
      return;
    }
    if (hasNumber(word)) return pushNumber(isAny ? ANY_NUMBER : word);
    const value = numbers.units.get(word) ?? numbers.tens.get(word);
    if (value !== undefined) pushNumber(String(value));
    else if (isInNumber && (numbers.hundreds.has(word) || numbers.thousands.has(word))) return;
    else pushWord(word);
  }
  return { tokens, read };
}

function distinctWords(tokens: readonly string[]): number {
  let words = 0;
  for (const token of new Set(tokens)) {
    if (mayBeUnspaced(token) && UNSPACED.test(token)) words += 0.5;
    else if (token !== ANY_NUMBER && !(hasNumber(token) && NUMBER.test(token))) words += 1;
  }
  return words;
}

/** What every word of Latin letters is not is told without a regular expression, which most of the time went to. */
function mayBeUnspaced(word: string): boolean {
  for (let at = 0; at < word.length; at += 1) if (word.charCodeAt(at) >= FIRST_UNSPACED) return true;
  return false;
}

/** Thai is the first. */
const FIRST_UNSPACED = 0x0e00;

function hasNumber(word: string): boolean {
  for (let at = 0; at < word.length; at += 1) {
    const code = word.charCodeAt(at);
    if (code > 0x7f) return ANY_DIGIT.test(word);
    if (code >= 0x30 && code <= 0x39) return true;
  }
  return false;
}

const ANY_DIGIT = /\p{N}/u;

/** Takes the last phrase away where it says again what stands right before it. */
function dropLoop(tokens: string[]): void {
  const length = tokens.length;
  const last = tokens[length - 1];
  for (let size = 1; size <= LONGEST_LOOP && size * 2 <= length; size += 1) {
    if (tokens[length - 1 - size] !== last) continue;
    let at = 1;
    while (at < size && tokens[length - 1 - at] === tokens[length - 1 - at - size]) at += 1;
    if (at < size) continue;
    tokens.length = length - size;
    return;
  }
}
