import type { SeededRandom } from '../../../faults/index.js';
import { ROBOCALL_SCRIPTS } from '../../../scenario/index.js';
import type { ScenarioCaller } from '../../../scenario/index.js';

/** What was heard of a call, as a recogniser writes it down. @param words - of the CSV file, by name */
export type SpeakScript = (words: Readonly<Record<string, string>>) => string;

const NAMES = 'Amy Bruce Carmen Daniel Eva Frank Grace Hector Irene Jason Karen Luis Mary Nathan Olivia Paul'.split(
  ' ',
);
const COMPANIES = ['Lakeside Power', 'Blue Ridge Energy', 'Harbor Light', 'Prairie Gas', 'Golden Bay Resorts'];
const DAYS: Readonly<Record<string, readonly string[]>> = {
  en: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'tomorrow'],
  es: ['lunes', 'martes', 'miercoles', 'jueves', 'viernes', 'manana'],
};
/** What a recogniser takes words for that it did not understand. */
const MISHEARD =
  'the a to and of you is that in it for on are with as this have from or one had by but not what all were we when your can said there'.split(
    ' ',
  );
/** What recognisers write where nobody speaks. */
const TAILS = ['[Music]', 'Thank you for watching!', 'you', '♪', 'Bye. Bye.'];
const DIGITS: Readonly<Record<string, readonly string[]>> = {
  en: 'zero one two three four five six seven eight nine'.split(' '),
  es: 'cero uno dos tres cuatro cinco seis siete ocho nueve'.split(' '),
};

/** Parts of the words that a recogniser gets wrong, and of the recordings whose beginning or end is not there: a little less than two recognisers differ by. */
const WORD_ERRORS = 0.015;
const CUT = 0.25;
const TAILED = 0.05;

/** Who a campaign pretends to be is the same in all its calls; names, amounts and cases vary. */
interface CampaignWords {
  readonly language: string;
  readonly text: string;
  readonly company: string;
  readonly key: string;
  readonly names: readonly string[];
  readonly callBack: readonly string[];
}

/**
 * What a robocaller says.
 * @param caller - a robocaller
 * @param ofCampaign - random numbers of the campaign, the same for all its callers
 * @param random - of the caller, for nothing else
 * @returns absent for one that says nothing
 */
export function spokenScript(
  caller: ScenarioCaller,
  ofCampaign: SeededRandom,
  random: SeededRandom,
): SpeakScript | undefined {
  if (caller.kind !== 'robocaller' || caller.script === '') return undefined;
  const words = campaignWords(caller, ofCampaign);
  return (given) => overTheLine(random, filled(words, given, random));
}

function campaignWords({ script, callBack }: ScenarioCaller, random: SeededRandom): CampaignWords {
  const drawn = random.pick(Object.keys(ROBOCALL_SCRIPTS));
  const company = random.pick(COMPANIES);
  const key = String(1 + random.int(9));
  const names = [random.pick(NAMES), random.pick(NAMES), random.pick(NAMES)];
  // 800-555-0100 to 0199 are nobody's: they are kept for stories.
  const made = [random.int(100), random.int(100)].map((last) => `1800555${String(100 + last).padStart(4, '0')}`);
  const name = script ?? drawn;
  const known = Object.hasOwn(ROBOCALL_SCRIPTS, name) ? ROBOCALL_SCRIPTS[name] : undefined;
  const text = known?.text ?? name;
  return { language: known?.language ?? 'en', text, company, key, names, callBack: callBack ?? made };
}

function filled(words: CampaignWords, given: Readonly<Record<string, string>>, random: SeededRandom): string {
  const { language, company, key, names } = words;
  const own: Record<string, string> = {
    ...{ company, key },
    name: random.pick(names),
    amount: String(100 + random.int(1_900)),
    number: String(10 + random.int(90)),
    day: random.pick(DAYS[language] ?? DAYS['en'] ?? ['']),
    callBack: said(random.pick(words.callBack), language, random),
    ...given,
  };
  return words.text.replace(/\{([^{}]{0,64})\}/gu, (all, word: string) =>
    Object.hasOwn(own, word) ? (own[word] ?? all) : all,
  );
}

/** A number as people say it: in groups, or digit by digit. */
function said(number: string, language: string, random: SeededRandom): string {
  const national = number.length === 11 && number.startsWith('1') ? number.slice(1) : number;
  const words = DIGITS[language] ?? DIGITS['en'] ?? [];
  if (random.next() < 0.3) return Array.from(national, (digit) => words[Number(digit)] ?? digit).join(' ');
  return national.length === 10 ? national.replace(/^(...)(...)/u, '$1-$2-') : number;
}

/** A recording through a bad line and a recogniser: words are lost, added or taken for others, its beginning or its end may lack. */
function overTheLine(random: SeededRandom, text: string): string {
  const heard: string[] = [];
  // One draw for each error, not for each word: how many words are understood before it.
  let understood = Math.floor(random.exponential(1 / WORD_ERRORS));
  for (const word of text.split(' ')) {
    // What is called back is said slowly: nobody gets it wrong.
    if (understood > 0 || /\d/u.test(word)) {
      heard.push(word);
      understood -= 1;
      continue;
    }
    if (random.next() < 0.7) heard.push(random.pick(MISHEARD));
    understood = Math.floor(random.exponential(1 / WORD_ERRORS));
  }
  if (random.next() < CUT) {
    const kept = Math.ceil(heard.length * (0.5 + 0.5 * random.next()));
    if (random.next() < 0.7) heard.splice(0, heard.length - kept);
    else heard.length = kept;
  }
  if (random.next() < TAILED) heard.push(random.pick(TAILS));
  return heard.join(' ');
}
