import { readTimeWords } from './time-words.js';
import { visibleText } from './visible-text.js';
import { ZONE_WORDS } from './zone-words.js';
import type { ZoneMeaning } from './zone-words.js';

/** Longest line that is looked through: a sentence that says in which zone times are is shorter. */
const MAX_CHARS = 320;

/** Words of a zone with what people write around it: `the local time of the called party`. */
const MOST_WORDS_BEHIND = 8;

/** What stands before the zone in such a sentence. */
const LEADING: ReadonlySet<string> = new Set([
  ...[
    'all',
    'the',
    'call',
    'calls',
    'date',
    'dates',
    'and',
    'of',
    'these',
    'this',
    'below',
    'above',
    'following',
    'that',
  ],
  ...['are', 'is', 'shown', 'given', 'stated', 'expressed', 'displayed', 'listed', 'reported', 'recorded', 'provided'],
  ...['noted', 'in', 'as', 'for', 'to', 'note', 'please', 'nb', 'here', 'request', 'report', 'table', 'message', 'use'],
]);

/** What such a sentence is about; one of these has to be there. */
const ABOUT: ReadonlySet<string> = new Set(['times', 'timestamps', 'timezone', 'timestamp']);

/** `unless otherwise noted` takes nothing back, and the second list is no zone at all. */
const TRAILING: ReadonlySet<string> = new Set(['unless', 'except', 'if', 'but', 'excluding', 'save', 'apart']);
const HARMLESS: ReadonlySet<string> = new Set([
  ...['unless', 'except', 'if', 'where', 'when', 'as', 'otherwise', 'explicitly', 'expressly', 'specifically'],
  ...['noted', 'stated', 'indicated', 'specified', 'shown', 'given', 'mentioned', 'marked', 'known', 'available'],
  ...['it', 'is', 'are', 'not', 'a', 'another', 'different', 'time', 'zone', 'timezone'],
]);
const NO_ZONE: ReadonlySet<string> = new Set(['approximate', 'approx', 'approximations', 'estimates', 'estimated']);

/**
 * The zone that running text states for all times of a request: `All times are UTC.`, `(times in Eastern)`, `The time zone is CT`. What
 * says that there is one and cannot be understood is given back too, so that nobody takes another zone in its place. Never throws for peer input.
 * @returns the words for the zone; undefined where nothing is said of one
 */
export function zoneStatement(text: string): string | undefined {
  if (text.length > MAX_CHARS || !/time/i.test(text)) return undefined;
  const sentences = text.split(/[.;!?()[\]]/);
  for (const [at, sentence] of sentences.entries()) {
    const zone = zoneOfSentence(sentence);
    if (zone === undefined) continue;
    // `Times are EDT (call 2 is PDT)`: what the line says of others is not left out.
    const beside = sentences.filter((_, other) => other !== at).join(' ');
    return namesAnother(beside, zone) ? visibleText(text) : zone;
  }
  return undefined;
}

/** Whether a zone is named that is another than this one, or in another season. */
function namesAnother(text: string, zone: string): boolean {
  const own = (readTimeWords(zone)?.zones ?? []).map(placeOf);
  if (own.length === 0) return false;
  const named = text.split(/[^A-Za-z/_]+/).filter((word) => /^(?:[A-Z]{2,5}|[A-Z][a-z]+)$/.test(word));
  return named.some((word) => {
    const meaning = Object.hasOwn(ZONE_WORDS, word.toLowerCase()) ? ZONE_WORDS[word.toLowerCase()] : undefined;
    return meaning !== undefined && meaning.kind !== 'unknown' && !own.includes(placeOf(meaning));
  });
}

/** `EDT` and `Eastern` are of one place. */
function placeOf(meaning: ZoneMeaning): string {
  if (meaning.kind === 'zone') return meaning.zone;
  return meaning.kind === 'offset' ? (meaning.of ?? meaning.offset) : JSON.stringify(meaning);
}

function zoneOfSentence(sentence: string): string | undefined {
  const words = sentence
    .trim()
    .split(/[\s:*=]+/)
    .filter((word) => word !== '');
  let at = 0;
  let isAbout = false;
  for (; at < words.length; at += 1) {
    const word = (words[at] ?? '').toLowerCase().replace(/,$/, '');
    const isZoneWord = word === 'zone' && words[at - 1]?.toLowerCase() === 'time';
    const isStartOfZone = word === 'time' && words[at + 1]?.toLowerCase() === 'zone';
    if (ABOUT.has(word) || isZoneWord) isAbout = true;
    else if (!LEADING.has(word) && !isStartOfZone) break;
  }
  const rest = words.slice(at);
  const end = rest.findIndex((word) => TRAILING.has(word.toLowerCase()));
  const stated = rest.slice(0, end < 0 ? rest.length : end);
  const zone = stated.join(' ').replace(/,$/, '');
  const tail = end < 0 ? [] : rest.slice(end);
  if (!isAbout || zone === '' || stated.length > MOST_WORDS_BEHIND || NO_ZONE.has(zone.toLowerCase())) return undefined;
  const read = readTimeWords(zone);
  // `Times: 3:41 PM` states none.
  if (read !== undefined && (read.dates.length > 0 || read.clock !== undefined)) return undefined;
  const isWhole = tail.every((word) => HARMLESS.has(word.toLowerCase().replace(/,$/, '')));
  return isWhole ? zone : [zone, ...tail].join(' ');
}
