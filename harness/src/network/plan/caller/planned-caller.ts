import type { SeededRandom } from '../../../faults/index.js';
import type { ScenarioCalled, ScenarioCaller, ScenarioCsv } from '../../../scenario/index.js';
import { ROBOCALL_SCRIPTS } from '../../../scenario/index.js';
import type { PlannedCall, PlannedDiversion } from '../plan.js';
import { calledNumbers, callingNumbers, csvRows } from './caller-numbers.js';

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
interface CampaignScript {
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
function spokenScript(caller: ScenarioCaller, ofCampaign: SeededRandom, random: SeededRandom): SpeakScript | undefined {
  if (caller.kind !== 'robocaller' || caller.script === '') return undefined;
  const words = campaignWords(caller, ofCampaign);
  return (given) => overTheLine(random, filled(words, given, random));
}

function campaignWords({ script, callBack }: ScenarioCaller, random: SeededRandom): CampaignScript {
  const drawn = random.pick(Object.keys(ROBOCALL_SCRIPTS));
  const company = random.pick(COMPANIES);
  const key = String(1 + random.int(9));
  const names = [random.pick(NAMES), random.pick(NAMES), random.pick(NAMES)];
  // 800-555-0100 to 0199 are nobody's: they are kept for stories.
  const made = [random.int(100), random.int(100)].map((last) => `1800555${String(100 + last).padStart(4, '0')}`);
  const name = script ?? drawn;
  const known = Object.hasOwn(ROBOCALL_SCRIPTS, name) ? ROBOCALL_SCRIPTS[name] : undefined;
  const text = known?.text ?? name;
  return {
    language: known?.language ?? 'en',
    text,
    company,
    key,
    names,
    callBack: callBack ?? made,
  };
}

function filled(words: CampaignScript, given: Readonly<Record<string, string>>, random: SeededRandom): string {
  const { language, company, key, names } = words;
  const own: Record<string, string> = {
    company,
    key,
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

/** A call without its place among all of them. */
export type CallerCall = Omit<PlannedCall, 'index'>;

/** A way, and the numbers that a call is for at its end. */
export interface PlannedPath {
  readonly way: readonly string[];
  readonly diversions: readonly PlannedDiversion[];
  readonly end: ScenarioCalled;
}

/** What a caller has to know of the network. */
export interface CallerPlace {
  /** Entries of called numbers by id. */
  readonly entries: ReadonlyMap<string, ScenarioCalled>;
  readonly findWay: (
    call: Pick<PlannedCall, 'atMs' | 'caller' | 'calling' | 'called'>,
    to: ScenarioCalled,
    random: SeededRandom,
  ) => PlannedPath;
  /** Random numbers of the whole plan: the caller takes streams of its own. */
  readonly random: SeededRandom;
}

/** Makes the next call of a caller; absent where it makes none at that time. */
export type NextCall = (atMs: number, phase: string) => CallerCall | undefined;

/**
 * Calls of one caller. Each choice has random numbers of its own, so that a change of one leaves the others as they were.
 * @param caller - with `durationSeconds`, which {@link scaleScenario} puts in
 */
export function plannedCaller(caller: ScenarioCaller, { entries, findWay, random: all }: CallerPlace): NextCall {
  const { id, kind, durationSeconds = { from: 0, to: 0 }, csv } = caller;
  const campaign = kind === 'robocaller' ? (caller.campaign ?? id) : undefined;
  const stream = (choice: string): SeededRandom => all.fork(`caller/${id}/${choice}`);
  const show = callingNumbers(caller.numbers, stream('calling'));
  const dialled = calledNumbers(
    caller.calls.flatMap((entry) => entries.get(entry) ?? []),
    caller.order,
    stream('called'),
  );
  const rows = csv === undefined ? undefined : csvRows(csv, stream('csv'));
  const speak = spokenScript(caller, all.fork(`campaign/${campaign ?? ''}`), stream('words'));
  const [ways, answers, lengths, apps] = [stream('way'), stream('answers'), stream('duration'), stream('app')];
  const isTime = timeOfDay(caller.daily, stream('daily'));
  const agents = freeAgents(caller.agents);
  return (atMs, phase) => {
    // Drawn for every call, made or not, so that what one decides moves nothing of the next.
    const [answer, length, report] = [answers.next(), lengths.next(), apps.next()];
    if (!isTime(atMs) || !agents.isOneFree(atMs)) return undefined;
    const line = rows?.next(atMs);
    const drawn = dialled.next();
    const called = (csv?.called === undefined ? undefined : line?.row[csv.called]) ?? drawn.called;
    const to = (called === drawn.called ? undefined : dialled.entryOf(called)) ?? drawn.destination;
    const calling = (csv?.calling === undefined ? undefined : line?.row[csv.calling]) ?? show(called);
    const { way, diversions, end } = findWay({ atMs, caller: id, calling, called }, to, ways);
    const wantsReport = kind === 'robocaller' && report < (end.app?.reports ?? 0);
    const isRejected = wantsReport && end.app?.rejects === true;
    const isAnswered = !isRejected && answer < (end.answers ?? 1);
    const isReported = wantsReport && (isRejected || isAnswered);
    const { from, to: most } = durationSeconds;
    const durationMs = isAnswered ? Math.round((from + length * (most - from)) * 1_000) : 0;
    line?.isUsedUntil(atMs + durationMs);
    agents.isBusyUntil(atMs + durationMs);
    const isHeard = isAnswered || isReported;
    const transcript = isHeard ? speak?.(wordsOf(csv, line?.row ?? [])) : undefined;
    return {
      atMs,
      phase,
      caller: id,
      calling,
      called,
      destination: to.id,
      way,
      isAnswered,
      durationMs,
      isReported,
      isRejected,
      ...(campaign === undefined ? {} : { campaign }),
      ...(diversions.length === 0 ? {} : { diversions }),
      ...(transcript === undefined ? {} : { transcript }),
    };
  };
}

const wordsOf = (csv: ScenarioCsv | undefined, row: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(csv?.words ?? {}).map(([word, field]) => [word, row[field] ?? '']));

/** How many of the calls of the busiest hour each hour of a working day has, from midnight on. */
const HOURS = [
  0.05, 0.03, 0.02, 0.02, 0.03, 0.08, 0.2, 0.4, 0.7, 0.9, 1, 1, 0.95, 0.95, 1, 1, 0.95, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2,
  0.1,
];

function timeOfDay(day: ScenarioCaller['daily'], random: SeededRandom): (atMs: number) => boolean {
  if (day === undefined) return () => true;
  const { startHour, hoursPerSecond = 1 / 3_600 } = day;
  return (atMs) => {
    const hour = startHour + (atMs / 1_000) * hoursPerSecond;
    const before = HOURS[Math.floor(hour) % 24] ?? 0;
    const after = HOURS[Math.floor(hour + 1) % 24] ?? 0;
    return random.next() < before + (after - before) * (hour % 1);
  };
}

interface Agents {
  readonly isOneFree: (atMs: number) => boolean;
  readonly isBusyUntil: (endMs: number) => void;
}

function freeAgents(count: number | undefined): Agents {
  if (count === undefined) return { isOneFree: () => true, isBusyUntil: () => undefined };
  let busy: number[] = [];
  return {
    isOneFree: (atMs) => {
      busy = busy.filter((endMs) => endMs > atMs);
      return busy.length < count;
    },
    isBusyUntil: (endMs) => void busy.push(endMs),
  };
}
