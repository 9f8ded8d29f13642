import { readFileSync } from 'node:fs';
import { SeededRandom } from '../../harness/src/faults/index.js';

/** A transcript of which it is known what was read out. */
export interface MadeTranscript {
  readonly id: string;
  readonly language: string;
  readonly transcript: string;
  /** Script that was read out; absent for what somebody said to one person. */
  readonly script?: number;
}

export interface CorpusOptions {
  readonly seed: number;
  readonly transcripts: number;
  /** Scripts that are read out; few are heard often and many seldom. */
  readonly scripts: number;
  /** Share of voicemails that are no script, each unlike all others. Default 0.15. */
  readonly unlikeShare?: number;
  /** Share of words that are misheard, lost or added. Default 0.02, about what two recognisers differ by on one recording. */
  readonly wordErrors?: number;
  /** Share of transcripts whose start or end is missing. Default 0.35. */
  readonly cutShare?: number;
}

type ByLanguage<Value> = Readonly<Record<string, Value>>;

/** Invented scripts, what scripts of all kinds begin and end with, and words, often ones first, of which the bodies of made scripts are drawn. */
interface ScriptParts {
  readonly scripts: ByLanguage<readonly string[]>;
  readonly openings: ByLanguage<readonly string[]>;
  readonly closings: ByLanguage<readonly string[]>;
  readonly words: ByLanguage<readonly string[]>;
  readonly digits: ByLanguage<string>;
  readonly names: readonly string[];
  readonly companies: readonly string[];
  /** What recognisers add where nobody speaks. */
  readonly tails: readonly string[];
}
const PARTS = JSON.parse(
  readFileSync(new URL('../vectors/transcripts/scripts.json', import.meta.url), 'utf8'),
) as ScriptParts;
const WRITTEN_SCRIPTS = Object.entries(PARTS.scripts).flatMap(([language, texts]) =>
  texts.map((text) => ({ language, text })),
);
const WORDS: ByLanguage<readonly string[]> = Object.fromEntries(
  Object.entries(PARTS.words).map(([language, lines]) => [language, lines.join(' ').split(' ')]),
);

/** Transcripts of made scripts through a bad line and a recogniser; the same for the same options. */
export function* makeTranscripts(options: CorpusOptions): Generator<MadeTranscript> {
  const random = new SeededRandom(options.seed, 'transcripts');
  const made = new Map<number, { language: string; text: string }>();
  for (let count = 0; count < options.transcripts; count += 1) {
    const id = `t${String(count)}`;
    if (random.next() < (options.unlikeShare ?? 0.15)) {
      const language = random.chance(0.85) ? 'en' : 'es';
      yield { id, language, transcript: spoken(random, sentences(random, language, 2 + random.int(4)), language) };
      continue;
    }
    // The square of a share of one: a tenth of the scripts is heard in a third of the calls.
    const script = Math.floor(random.next() ** 2 * options.scripts);
    let source = made.get(script);
    if (source === undefined) {
      source = makeScript(options.seed, script);
      made.set(script, source);
    }
    yield { id, language: source.language, script, transcript: heard(random, source, options) };
  }
}

/** The script of a number: first those written by hand, then made ones. */
export function makeScript(seed: number, script: number): { language: string; text: string } {
  const written = WRITTEN_SCRIPTS[script];
  if (written !== undefined) return written;
  const random = new SeededRandom(seed, `script/${String(script)}`);
  const language = random.next() < 0.8 ? 'en' : 'es';
  const opening = random.pick(PARTS.openings[language] ?? ['']);
  const closing = random.pick(PARTS.closings[language] ?? ['']);
  return { language, text: `${opening} ${sentences(random, language, 2 + random.int(5), true)} ${closing}`.trim() };
}

function sentences(random: SeededRandom, language: string, count: number, withSlots = false): string {
  const words = WORDS[language] ?? [];
  const said: string[] = [];
  for (let sentence = 0; sentence < count; sentence += 1) {
    const length = 8 + random.int(10);
    const own: string[] = [];
    for (let at = 0; at < length; at += 1) own.push(words[Math.floor(random.next() ** 1.5 * words.length)] ?? '');
    if (withSlots && random.next() < 0.4)
      own.splice(random.int(length), 0, random.pick(['{amount} dollars', '{name}', 'number {number}']));
    const text = own.join(' ');
    said.push(`${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`);
  }
  return said.join(' ');
}

function heard(random: SeededRandom, source: { language: string; text: string }, options: CorpusOptions): string {
  const said = spoken(random, source.text, source.language);
  const isUnspaced = source.language === 'zh';
  const units = isUnspaced ? Array.from(said) : said.split(' ');
  const misheard = mishear(random, units, {
    isUnspaced,
    share: options.wordErrors ?? 0.02,
    words: WORDS[source.language] ?? [],
  });
  const cut = random.next() < (options.cutShare ?? 0.35) ? cutOff(random, misheard) : misheard;
  const text = cut.join(isUnspaced ? '' : ' ');
  const doubled = random.next() < 0.05 ? `${text} ${text}` : text;
  return random.next() < 0.06 ? `${doubled} ${random.pick(PARTS.tails)}` : doubled;
}

/** Fills the places of a script, numbers now in digits and now in words. */
function spoken(random: SeededRandom, text: string, language: string): string {
  const phone = `8${random.pick(['00', '33', '44', '55', '66', '77', '88'])}555${String(1_000 + random.int(9_000))}`;
  const name = random.pick(PARTS.names);
  const company = random.pick(PARTS.companies);
  return text.replace(/\{(\w+)\}/gu, (_, slot: string) => {
    if (slot === 'name') return name;
    if (slot === 'company') return company;
    if (slot === 'amount') return String(100 + random.int(1_900));
    if (slot === 'number') return String(2 + random.int(90));
    if (slot === 'phone')
      return random.next() < 0.3 ? digitsInWords(phone, language) : phone.replace(/^(...)(...)/u, '$1-$2-');
    const key = String(1 + random.int(9));
    return random.next() < 0.4 ? digitsInWords(key, language) : key;
  });
}

/** Digits one by one as a language says them; as they are where the language has no words here. */
export function digitsInWords(digits: string, language: string): string {
  const words = PARTS.digits[language]?.split(' ');
  return words === undefined ? digits : Array.from(digits, (digit) => words[Number(digit)] ?? digit).join(' ');
}

function mishear(
  random: SeededRandom,
  units: readonly string[],
  { isUnspaced, share, words }: { isUnspaced: boolean; share: number; words: readonly string[] },
): string[] {
  const heardUnits: string[] = [];
  for (const unit of units) {
    if (random.next() >= share) heardUnits.push(unit);
    else {
      const other = isUnspaced
        ? (units[random.int(units.length)] ?? '')
        : (words[random.int(Math.max(words.length, 1))] ?? 'hm');
      const kind = random.int(3);
      if (kind === 0) heardUnits.push(other);
      else if (kind === 1) heardUnits.push(unit, other);
    }
  }
  return heardUnits;
}

/** Keeps 40 % at least: a voicemail that starts late, or one that ends early. */
function cutOff(random: SeededRandom, units: readonly string[]): string[] {
  const kept = Math.ceil(units.length * (0.4 + 0.6 * random.next()));
  return random.next() < 0.7 ? units.slice(units.length - kept) : units.slice(0, kept);
}
