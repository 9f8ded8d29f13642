import type { NumberWords } from './number-words.js';
import { HAN_DIGITS, numberWordsOf } from './number-words.js';
import { CHARS_PER_TOKEN } from './types.js';

/** Short words that are frequent in one of these languages and no words of the others; without marks on letters. */
const MARKERS: Readonly<Record<string, readonly string[]>> = {
  en: ['the', 'you', 'your', 'is', 'this', 'to', 'of', 'and', 'for', 'with', 'have', 'please'],
  es: ['el', 'los', 'las', 'usted', 'su', 'para', 'con', 'una', 'es', 'esta', 'por', 'y', 'del', 'oprima', 'presione'],
  fr: ['le', 'les', 'des', 'vous', 'votre', 'est', 'pour', 'avec', 'une', 'et', 'dans', 'appuyez', 'du'],
  pt: ['voce', 'seu', 'sua', 'nao', 'uma', 'em', 'um', 'os', 'ao', 'com', 'pressione', 'da', 'do'],
  vi: ['cua', 'ban', 'la', 'va', 'khong', 'cho', 'duoc', 'voi', 'vui', 'long', 'phim', 'cac', 'toi'],
};

const languagesOf: ReadonlyMap<string, readonly string[]> = languagesByWord();

/** Words at the start that are looked at to tell the language. */
const WORDS_LOOKED_AT = 80;

/** The language of a BCP 47 tag as its primary subtag, `undefined` where it is none. */
export function primaryLanguage(tag: string | undefined): string | undefined {
  const primary = /^[A-Za-z]{2,3}(?=$|-|_)/u.exec(tag ?? '')?.[0].toLowerCase();
  return primary === undefined || primary === 'und' ? undefined : primary;
}

/**
 * Language of a text, from the letters it is written in and from short words; `und` where neither says anything.
 * @param text in lower case without marks on letters
 * @param words its words, in order
 */
function guessLanguage(text: string, words: readonly string[]): string {
  if (/[\u3040-\u30ff]/u.test(text)) return 'ja';
  if (/[\u3400-\u9fff]/u.test(text)) return 'zh';
  if (/[\uac00-\ud7af]/u.test(text)) return 'ko';
  const counts = new Map<string, number>();
  for (const word of words.slice(0, WORDS_LOOKED_AT))
    for (const language of languagesOf.get(word) ?? []) counts.set(language, (counts.get(language) ?? 0) + 1);
  let best = 'und';
  for (const [language, count] of counts) if (count > (counts.get(best) ?? 0)) best = language;
  return best;
}

function languagesByWord(): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  for (const [language, words] of Object.entries(MARKERS))
    for (const word of words) map.set(word, [...(map.get(word) ?? []), language]);
  return map;
}

/**
 * What speech recognisers write where nobody speaks. They were trained on subtitles, so silence and music at the end of a recording come out
 * as the words of subtitlers, in the language they take it for.
 */
const INVENTED: readonly string[] = [
  'thank you for watching',
  'thanks for watching',
  'thank you so much for watching',
  'please subscribe to my channel',
  'please like and subscribe',
  'dont forget to like and subscribe',
  'see you in the next video',
  'ill see you in the next video',
  'subtitles by the amara org community',
  'subtitles by the amaraorg community',
  'transcription by castingwords',
  'transcribed by https otter ai',
  'gracias por ver el video',
  'gracias por ver',
  'suscribete al canal',
  'suscribete',
  'subtitulos realizados por la comunidad de amara org',
  'subtitulos por la comunidad de amara org',
  'sous titres realises par la communaute damara org',
  'sous titrage societe radio canada',
  'merci davoir regarde cette video',
  'legendas pela comunidade amara org',
  'obrigado por assistir',
  'untertitel der amara org community',
  'untertitel im auftrag des zdf',
  'vielen dank furs zuschauen',
  'sottotitoli creati dalla comunita amara org',
  'grazie per aver guardato il video',
  'продолжение следует',
  'субтитры сделал dimatorzok',
  'cam on cac ban da theo doi',
  'hay subscribe cho kenh',
  'hen gap lai cac ban trong nhung video tiep theo',
];

const INVENTED_UNSPACED: readonly string[] = [
  '请不吝点赞订阅转发打赏支持明镜与点点栏目',
  '請不吝點贊訂閱轉發打賞支持明鏡與點點欄目',
  '字幕由amaraorg社区提供',
  '字幕由amaraorg社區提供',
  '谢谢观看',
  '謝謝觀看',
  '谢谢大家观看',
  'ご視聴ありがとうございました',
  'チャンネル登録お願いします',
  'mbc뉴스',
  '시청해주셔서감사합니다',
];

/** Longest name of a sound in brackets, such as `[upbeat music playing]`; more is speech that somebody bracketed. */
const BRACKETED = /\[[^[\]]{0,40}\]|\([^()]{0,40}\)|\*[^*]{0,40}\*|<[^<>]{0,40}>|[♪♫♬♩]/gu;
const SOUND =
  /music|sound|noise|silence|blank|inaudible|applause|laugh|beep|ring|tone|static|click|phone|dial|cough|sigh|breath|unintelligible|foreign|speaking|musica|ruido|silencio|risas|aplausos|timbre|音楽|音乐|音樂|掌声|掌聲|笑|♪|음악/u;

/** Takes away names of sounds in brackets and signs of music; other brackets stay. @param text normalised to lower case */
function withoutSounds(text: string): string {
  return text.replace(BRACKETED, (found) => (found.length === 1 || SOUND.test(found) ? ' ' : found));
}

const inventedByFirst = byFirst(INVENTED.map((phrase) => phrase.split(' ')));

/** Length in tokens of an invented phrase that begins at a place, 0 where none does. */
function inventedAt(tokens: readonly string[], at: number): number {
  for (const phrase of inventedByFirst.get(tokens[at] ?? '') ?? [])
    if (phrase.every((word, index) => tokens[at + index] === word)) return phrase.length;
  return 0;
}

/** Takes away invented phrases of languages without spaces, whatever signs stand in them. @param text normalised to lower case */
function withoutUnspacedInventions(text: string): string {
  if (!BEYOND_LATIN.test(text)) return text;
  const places: number[] = [];
  let letters = '';
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (SIGNS.includes(sign)) continue;
    letters += sign;
    places.push(at);
  }
  let rest = text;
  for (const phrase of INVENTED_UNSPACED)
    for (let from = letters.indexOf(phrase); from >= 0; from = letters.indexOf(phrase, from + phrase.length)) {
      const [start = 0, end = 0] = [places[from], places[from + phrase.length - 1]];
      // Blanks of the same length, so that the places of the others stay.
      rest = `${rest.slice(0, start)}${' '.repeat(end + 1 - start)}${rest.slice(end + 1)}`;
    }
  return rest;
}

const BEYOND_LATIN = /[\u1000-\uffff]/u;
/** Signs that recognisers write between the words of such a phrase, and spaces. */
const SIGNS = ' \t\n.,、。·';

function byFirst(phrases: readonly (readonly string[])[]): ReadonlyMap<string, readonly (readonly string[])[]> {
  const map = new Map<string, (readonly string[])[]>();
  for (const phrase of phrases.toSorted((a, b) => b.length - a.length)) {
    const [first = ''] = phrase;
    map.set(first, [...(map.get(first) ?? []), phrase]);
  }
  return map;
}

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

function createReader(numbers: NumberWords, options: TokenOptions) {
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
