import { DETAILS } from './details.js';
import { ANY_NUMBER, tokenise } from './tokens.js';
import { TOPICS, type Topic } from './topics.js';
import type { ScriptClass, ScriptName } from './types.js';

/** Transcripts of a script that are read for its name, and words of each: a name is told in the first minute. */
const MAX_TRANSCRIPTS = 8;
const MAX_TOKENS = 250;
const MAX_KEYWORDS = 8;
const MAX_PART = 23;
/** Words shorter than which say little; the fall-back names a script by longer ones. */
const LEAST_LETTERS = 5;

/** Words that most scripts have, and calls of all kinds. They name nothing. */
const GENERAL: ReadonlySet<string> = new Set(
  `about account after again before being call called calling calls contact could customer department first following from have hello here
  immediately information inform into just know listen message minutes number office other over please press queue reach received regarding
  representative right service services should speak stay still thank that their them then there these this those through today under very
  want were what when where which will with without would your yours gracias llamada llamar marque numero oprima para presione usted nuestro
  nuestra mensaje favor sobre desde donde buenos buenas votre vous pour avec appel`.split(/\s+/u),
);

/** What a topic was found by. */
interface Found {
  readonly topic: Topic;
  readonly score: number;
  readonly words: readonly string[];
}

/**
 * A name for a script in the style of the Industry Traceback Group, topic and detail, and the kind of fraud it is taken for. Topics come
 * from a table of words in English, Spanish and Chinese; where none fits the script is named by its own most distinctive words and its class
 * is `unknown`. A class is a guess from words and no finding. Never throws for any strings.
 *
 * @param transcripts of one script, at most 8 of which are read
 * @example
 * console.log(nameOfScript(['Your social security number has been suspended, press one']).name); // SSA-Suspended
 */
export function nameOfScript(transcripts: readonly string[]): ScriptName {
  const read = transcripts
    .slice(0, MAX_TRANSCRIPTS)
    .map((transcript) => tokenise(transcript, { numbers: 'any-number', maxTokens: MAX_TOKENS }));
  const texts = read.map(({ tokens }) => ` ${joined(tokens)} `);
  const best = bestTopic(texts);
  const detail = detailOf(texts, best?.topic.class ?? 'unknown');
  const own = distinctiveWords(read.map(({ tokens }) => tokens));
  if (best === undefined) {
    const [first = 'Unnamed', second] = own;
    return named({
      topic: titled(first),
      detail: detail?.detail ?? titled(second ?? 'Unclassified'),
      class: 'unknown',
      keywords: own.slice(0, 2),
    });
  }
  const other = own.find((word) => !best.words.some((known) => word.includes(known.split(' ')[0] ?? known)));
  const keywords = [...new Set([...best.words, ...(detail === undefined ? [] : [detail.word])])];
  return named({
    topic: best.topic.topic,
    detail: detail?.detail ?? titled(other ?? 'General'),
    class: best.topic.class,
    keywords,
  });
}

function named({ topic, detail, class: kind, keywords }: Omit<ScriptName, 'name'>): ScriptName {
  return { name: `${topic}-${detail}`, topic, detail, class: kind, keywords: keywords.slice(0, MAX_KEYWORDS) };
}

/** Pairs of characters overlap by one: put together they are the text again. */
function joined(tokens: readonly string[]): string {
  let text = '';
  let last = '';
  for (const token of tokens) {
    const isOverlapping = token.length === 2 && token > '\u0e00' && last.length === 2 && last[1] === token[0];
    text += isOverlapping ? token.slice(1) : ` ${token}`;
    last = token;
  }
  return text.trim();
}

const ENDINGS = [' ', 's ', 'd ', 'ed ', 'es ', 'ing '];

function has(text: string, word: string): boolean {
  // Languages without spaces have no beginnings and ends of words to look for.
  if (word > '\u0e00') return text.includes(word);
  if (word.endsWith('*')) return text.includes(` ${word.slice(0, -1)}`);
  return text.includes(` ${word}`) && ENDINGS.some((ending) => text.includes(` ${word}${ending}`));
}

function bestTopic(texts: readonly string[]): Found | undefined {
  let best: Found | undefined;
  for (const topic of TOPICS) {
    let score = 0;
    const words: string[] = [];
    for (const marked of topic.words) {
      const isDeciding = marked.startsWith('!') || marked > '\u0e00';
      const word = marked.startsWith('!') ? marked.slice(1) : marked;
      const share = texts.filter((text) => has(text, word)).length / Math.max(texts.length, 1);
      // Heard in a third of the wordings at least: one transcript may be another's.
      if (share < 1 / 3) continue;
      score += (isDeciding ? 2.5 : 1) * share;
      words.push(word);
    }
    if (score >= 1.5 && score > (best?.score ?? 0)) best = { topic, score, words };
  }
  return best;
}

function detailOf(texts: readonly string[], of: ScriptClass): { detail: string; word: string } | undefined {
  for (const { detail, words, classes } of DETAILS) {
    if (classes?.includes(of) === false) continue;
    const word = words.find((stem) => texts.filter((text) => has(text, stem)).length * 3 > texts.length);
    if (word !== undefined) return { detail, word };
  }
  return undefined;
}

/** Longer words that most of the wordings have, those said most often first. */
function distinctiveWords(read: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>();
  for (const tokens of read)
    for (const token of tokens) {
      const isTelling = token > '\u0e00' || (token.length >= LEAST_LETTERS && !GENERAL.has(token));
      if (token !== ANY_NUMBER && isTelling) counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  return [...counts]
    .toSorted((a, b) => b[1] - a[1] || b[0].length - a[0].length || (a[0] < b[0] ? -1 : 1))
    .map(([word]) => word);
}

/** A word as a part of a name: letters and digits only. */
function titled(word: string): string {
  const letters = Array.from(word.replace(/[^\p{L}\p{N}]/gu, ''))
    .slice(0, MAX_PART)
    .join('');
  return letters === '' ? 'Unclassified' : `${letters.slice(0, 1).toUpperCase()}${letters.slice(1)}`;
}
