import type { StatedCell } from './intake-report.js';

/** What a word for a time zone means. */
export type ZoneMeaning =
  /** A zone whose clocks are put forward and back: an IANA name, or `UTC`. */
  | { readonly kind: 'zone'; readonly zone: string }
  /** An offset from UTC that always holds, `-05:00`; `of` is the zone in which it holds for a part of the year. */
  | {
      readonly kind: 'offset';
      readonly offset: string;
      readonly of?: string;
    }
  /** Several: people of several countries use it for their own. */
  | { readonly kind: 'ambiguous'; readonly offsets: readonly string[] }
  /** `local time`, and nobody says whose. */
  | { readonly kind: 'unknown' };

/**
 * What people write for a zone, in small letters. The American abbreviations mean what RFC 5322 section 4.3 says; which abbreviations are used in
 * several countries is from the list of the IANA time zone database.
 */
export const ZONE_WORDS: Readonly<Record<string, ZoneMeaning>> = {
  ...zoneSpellings(['utc', 'gmt', 'z', 'zulu', 'ut', 'coordinated universal time', 'greenwich mean time'], utc()),
  ...american('America/New_York', 'e', 'eastern', 5),
  ...american('America/Chicago', 'c', 'central', 6),
  ...american('America/Denver', 'm', 'mountain', 7),
  ...american('America/Los_Angeles', 'p', 'pacific', 8),
  ...american('America/Anchorage', 'ak', 'alaska', 9),
  ...zoneSpellings(['hst', 'hawaii', 'hawaii time', 'hawaii standard time', 'hawaiian standard time'], {
    kind: 'zone',
    zone: 'Pacific/Honolulu',
  }),
  ...zoneSpellings(['atlantic', 'atlantic time'], { kind: 'zone', zone: 'America/Halifax' }),
  adt: { kind: 'offset', offset: '-03:00', of: 'America/Halifax' },
  arizona: { kind: 'zone', zone: 'America/Phoenix' },
  'arizona time': { kind: 'zone', zone: 'America/Phoenix' },
  cet: { kind: 'offset', offset: '+01:00', of: 'Europe/Berlin' },
  cest: { kind: 'offset', offset: '+02:00', of: 'Europe/Berlin' },
  eet: { kind: 'offset', offset: '+02:00', of: 'Europe/Helsinki' },
  eest: { kind: 'offset', offset: '+03:00', of: 'Europe/Helsinki' },
  jst: { kind: 'offset', offset: '+09:00' },
  kst: { kind: 'offset', offset: '+09:00' },
  hkt: { kind: 'offset', offset: '+08:00' },
  sgt: { kind: 'offset', offset: '+08:00' },
  pkt: { kind: 'offset', offset: '+05:00' },
  ist: { kind: 'ambiguous', offsets: ['+05:30', '+02:00', '+01:00'] },
  bst: { kind: 'ambiguous', offsets: ['+01:00', '+06:00'] },
  ast: { kind: 'ambiguous', offsets: ['-04:00', '+03:00'] },
  sst: { kind: 'ambiguous', offsets: ['-11:00', '+08:00'] },
  gst: { kind: 'ambiguous', offsets: ['+04:00', '-02:00'] },
  ect: { kind: 'ambiguous', offsets: ['-05:00', '-04:00'] },
  amt: { kind: 'ambiguous', offsets: ['-04:00', '+04:00'] },
  wst: { kind: 'ambiguous', offsets: ['+08:00', '+13:00'] },
  ...zoneSpellings(['local', 'local time', 'lt'], { kind: 'unknown' }),
};

function utc(): ZoneMeaning {
  return { kind: 'zone', zone: 'UTC' };
}

function zoneSpellings(spellings: readonly string[], meaning: ZoneMeaning): Readonly<Record<string, ZoneMeaning>> {
  return Object.fromEntries(spellings.map((spelling) => [spelling, meaning]));
}

/** `ET`, `EST`, `EDT`, `Eastern`, `Eastern Time`, `Eastern Standard Time`, `US/Eastern` and the rest of them. */
function american(zone: string, letter: string, name: string, standard: number): Readonly<Record<string, ZoneMeaning>> {
  const west = (hours: number): ZoneMeaning => ({ kind: 'offset', offset: `-0${String(hours)}:00`, of: zone });
  return {
    ...zoneSpellings([`${letter}t`, name, `${name} time`, `us ${name}`, `us/${name}`], { kind: 'zone', zone }),
    ...zoneSpellings([`${letter}st`, `${name} standard time`, `${name} standard`], west(standard)),
    ...zoneSpellings(
      [`${letter}dt`, `${name} daylight time`, `${name} daylight`, `${name} daylight savings time`],
      west(standard - 1),
    ),
  };
}

/** Which number of a date such as `10/11/2026` is the month. */
export type DateOrder = 'month-first' | 'day-first';

/** A day of the calendar. */
export interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** A time of day as far as it was written. */
export interface ClockTime {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Digits behind the second as they were written, six at most. */
  readonly fraction: string;
  readonly precision: 'hour' | 'minute' | 'second' | 'millisecond' | 'microsecond';
}

/** What a text says of a time: a date, a time of day, zones, or some of them. */
export interface TimeWords {
  /** None, one, or two where the order of day and month is open. */
  readonly dates: readonly CalendarDate[];
  readonly clock?: ClockTime;
  /** Whether the half of the day is open: `3:41` is written by who counts to 12 and by who counts to 24. */
  readonly isHalfOpen?: true;
  /** As often as they were written: `-0400 (EDT)` has two. */
  readonly zones: readonly ZoneMeaning[];
  /** The day of the week that stands with it, 0 for Sunday. */
  readonly weekday?: number;
}

/** Longest text of a time: weekday, date, time, zone by offset and in full words have 80. */
const MAX_TIME_CHARS = 128;

/**
 * Reads a time as people write it: `10/23/2026 3:41 PM EDT`, `2026-10-23 15:41:07 -0400`, `23 Oct 2026 15:41 UTC`,
 * `Friday, October 23rd, 2026 at 3:41 p.m. Eastern`. Each part may be there once, in any order, and nothing else may be there: of two
 * times, or of a word that is not known, nothing is read. Never throws for peer input.
 * @param dateOrder - of dates in figures; undefined where it is not known
 * @returns undefined where it is no time
 */
export function readTimeWords(text: string, dateOrder?: DateOrder): TimeWords | undefined {
  if (text.length > MAX_TIME_CHARS) return undefined;
  const written = text.normalize('NFKC').replace(DASHES, '-');
  const state: State = {
    dates: [],
    clock: undefined,
    isHalfOpen: false,
    zones: [],
    weekday: undefined,
    dateOrder,
  };
  let at = 0;
  while (at < written.length) {
    const taken = takePiece(written.slice(at), state);
    if (taken <= 0) return undefined;
    at += taken;
  }
  const { dates, clock, zones, weekday } = state;
  if (dates.length === 0 && clock === undefined && zones.length === 0) return undefined;
  return {
    dates,
    zones,
    ...(clock === undefined ? {} : { clock }),
    ...(weekday === undefined ? {} : { weekday }),
    ...(state.isHalfOpen && !YEAR_FIRST.test(written) ? { isHalfOpen: true } : {}),
  };
}

/** Whether a day is in the calendar, and in years in which there were telephones with Caller ID. */
function isCalendarDate({ year, month, day }: CalendarDate): boolean {
  if (year < 1990 || year > 2200 || month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

interface State {
  dates: readonly CalendarDate[];
  clock: ClockTime | undefined;
  isHalfOpen: boolean;
  zones: readonly ZoneMeaning[];
  weekday: number | undefined;
  readonly dateOrder: DateOrder | undefined;
}

/** Hyphens, dashes and the minus sign. */
const DASHES = /[\u2010-\u2015\u2212]/g;

/** Characters that a piece takes, 0 where it is none of what stands there. */
function takePiece(rest: string, state: State): number {
  const lower = rest.toLowerCase();
  return (
    takeFiller(lower) ||
    takeWeekday(lower, state) ||
    takeDate(lower, state) ||
    takeClock(lower, state) ||
    takeOffset(lower, state) ||
    takeZone(rest, state)
  );
}

/** What stands between the parts, and words that say nothing that could be looked for. */
function takeFiller(lower: string): number {
  const between = /^[\s,;()@~|.[\]]/.exec(lower) ?? /^-(?![\d])/.exec(lower);
  if (between !== null) return 1;
  if (/^t\d/.test(lower)) return 1;
  return FILLERS.find((filler) => isWordAt(lower, filler))?.length ?? 0;
}

function isWordAt(lower: string, word: string): boolean {
  return lower.startsWith(word) && !/^[a-z]/.test(lower.slice(word.length));
}

/** `Friday`, `Fri.`: says which of two dates is meant, or that something is wrong with the one that there is. */
function takeWeekday(lower: string, state: State): number {
  for (const [weekday, names] of WEEKDAYS.entries()) {
    const name = names.find((one) => isWordAt(lower, one));
    if (name === undefined) continue;
    // Two different days of the week are no time.
    if (state.weekday !== undefined && state.weekday !== weekday) return 0;
    state.weekday = weekday;
    return name.length;
  }
  return 0;
}

/** Longer spellings first. */
const WEEKDAYS: readonly (readonly string[])[] = [
  ['sunday', 'sun'],
  ['monday', 'mon'],
  ['tuesday', 'tues', 'tue'],
  ['wednesday', 'weds', 'wed'],
  ['thursday', 'thurs', 'thur', 'thu'],
  ['friday', 'fri'],
  ['saturday', 'sat'],
];

const FILLERS: readonly string[] = [
  ...['at', 'on', 'the', 'and', 'approximately', 'approximate', 'approx', 'about', 'around', 'circa', 'ca'],
  ...['hours', 'hour', 'hrs', 'hr', 'h', 'us & canada', 'us and canada'],
];

function takeDate(lower: string, state: State): number {
  const read = yearFirst(lower) ?? inFigures(lower, state.dateOrder) ?? withMonthName(lower);
  if (read === undefined) return 0;
  // A second date is none of what belongs to one time.
  if (state.dates.length > 0 || read.dates.length === 0) return 0;
  state.dates = read.dates;
  return read.length;
}

interface DateRead {
  readonly dates: readonly CalendarDate[];
  readonly length: number;
}

/** `2026-10-23`, `2026/10/23`, `20261023`. */
function yearFirst(lower: string): DateRead | undefined {
  const divided = /^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})(?!\d)/.exec(lower);
  const found = divided ?? /^(\d{4})(\d{2})(\d{2})(?!\d)/.exec(lower);
  if (found === null) return undefined;
  const [all, year, ...more] = found;
  if (divided !== null && more[0] !== more[2]) return undefined;
  const [month, day] = divided === null ? more : [more[1], more[3]];
  return checked([{ year: Number(year), month: Number(month), day: Number(day) }], all.length);
}

/**
 * `10/23/2026`, `23.10.26`: which is the month is open where neither can be the day alone, and of two figures each also which is the year:
 * switches write `26-10-23`.
 */
function inFigures(lower: string, dateOrder: DateOrder | undefined): DateRead | undefined {
  const found = /^(\d{1,2})([-/.])(\d{1,2})([-/.])(\d{4}|\d{2})(?![\d:])/.exec(lower);
  if (found === null || found[2] !== found[4]) return undefined;
  const [one, other] = [Number(found[1]), Number(found[3])];
  const last = found[5] ?? '';
  const year = fullYear(last);
  const orders: readonly DateOrder[] = dateOrder === undefined ? ['month-first', 'day-first'] : [dateOrder];
  const dates = orders.map((order): CalendarDate =>
    order === 'month-first' ? { year, month: one, day: other } : { year, month: other, day: one },
  );
  // Nobody writes the year first with dots.
  const isYearOpen = dateOrder === undefined && found[2] !== '.' && last.length === 2 && (found[1] ?? '').length === 2;
  const byYear = isYearOpen ? [{ year: fullYear(found[1] ?? ''), month: other, day: Number(last) }] : [];
  return checked([...(one === other ? dates.slice(0, 1) : dates), ...byYear], found[0].length);
}

/** `23 Oct 2026`, `23-Oct-26`, `October 23rd, 2026`, `2026 Oct 23`. */
function withMonthName(lower: string): DateRead | undefined {
  const dayFirst = /^(\d{1,2})(?:st|nd|rd|th)?[ -]{0,2}(?:of )?([a-z]{3,9})\.?[ ,-]{0,2}(\d{4}|\d{2})(?![\d:])/.exec(
    lower,
  );
  if (dayFirst !== null) return named(dayFirst, { year: 3, month: 2, day: 1 });
  const monthFirst = /^([a-z]{3,9})\.?[ -]{0,2}(\d{1,2})(?:st|nd|rd|th)?[ ,-]{1,2}(\d{4})(?![\d:])/.exec(lower);
  if (monthFirst !== null) return named(monthFirst, { year: 3, month: 1, day: 2 });
  const yearly = /^(\d{4})[ -]([a-z]{3,9})[ -](\d{1,2})(?!\d)/.exec(lower);
  return yearly === null ? undefined : named(yearly, { year: 1, month: 2, day: 3 });
}

const MONTHS: readonly string[] = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];

function named(
  found: RegExpExecArray,
  places: {
    readonly year: number;
    readonly month: number;
    readonly day: number;
  },
): DateRead | undefined {
  const word = found[places.month] ?? '';
  const month = MONTHS.findIndex((name) => name.startsWith(word) || (word === 'sept' && name === 'september')) + 1;
  if (month === 0) return undefined;
  return checked(
    [{ year: fullYear(found[places.year] ?? ''), month, day: Number(found[places.day]) }],
    found[0].length,
  );
}

function checked(dates: readonly CalendarDate[], length: number): DateRead {
  return { dates: dates.filter(isCalendarDate), length };
}

/** Two figures are of this century: calls of the last one are in nobody's records. */
function fullYear(figures: string): number {
  return figures.length === 2 ? 2_000 + Number(figures) : Number(figures);
}

/** One figure for the hour, no second, and neither half of the day nor `hrs` behind it. */
const HALF_OPEN = /^[1-9]:\d{2}(?![\d:])(?!\s?(?:[ap]\.?m?(?![a-z])|h(?:rs?|ours?)?(?![a-z])))/;

/** Who writes the year first counts to 24. */
const YEAR_FIRST = /(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)/;

/**
 * Whether the writer of some times counts to 24: one of them says so by its hour, and none has a half of the day. Never throws for peer input.
 */
export function countsTo24(texts: readonly string[]): boolean {
  let isSaid = false;
  for (const text of texts) {
    const found = /(?<![\d:])(\d{1,2}):\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:\s?([ap])\.?m?\.?(?![a-z]))?/i.exec(
      text.slice(0, MAX_TIME_CHARS),
    );
    if (found?.[2] !== undefined) return false;
    if (found !== null && (Number(found[1]) > 12 || (found[1] ?? '').startsWith('0'))) isSaid = true;
  }
  return isSaid;
}

function takeClock(lower: string, state: State): number {
  const read = withColons(lower) ?? hourAlone(lower) ?? withoutColons(lower);
  if (read === undefined || state.clock !== undefined) return 0;
  state.clock = read.clock;
  state.isHalfOpen = HALF_OPEN.test(lower);
  return read.length;
}

interface ClockRead {
  readonly clock: ClockTime;
  readonly length: number;
}

/** `3:41 PM`, `15:41:07.123`. */
function withColons(lower: string): ClockRead | undefined {
  const found = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?![\d:])(?:\s?([ap])\.?(?:m\.?)?(?![a-z]))?/.exec(
    lower,
  );
  if (found === null) return undefined;
  const [all, hour, minute, second, fraction, half] = found;
  return clockOf(
    {
      hour: Number(hour),
      minute,
      second,
      fraction,
      half,
    },
    all.length,
  );
}

/** `3 PM`. */
function hourAlone(lower: string): ClockRead | undefined {
  const found = /^(\d{1,2})\s?([ap])\.?m\.?(?![a-z])/.exec(lower);
  return found === null ? undefined : clockOf({ hour: Number(found[1]), half: found[2] }, found[0].length);
}

/** `1541 hrs`, `1541Z`, `154107` behind the `T` of ISO 8601. */
function withoutColons(lower: string): ClockRead | undefined {
  const long = /^(\d{2})(\d{2})(\d{2})(?:[.,](\d{1,9}))?(?!\d)/.exec(lower);
  if (long !== null) {
    return clockOf({ hour: Number(long[1]), minute: long[2], second: long[3], fraction: long[4] }, long[0].length);
  }
  const short = /^(\d{2})(\d{2})(?= ?(?:h|hrs|hours|z|utc|gmt)(?![a-z]))/.exec(lower);
  return short === null ? undefined : clockOf({ hour: Number(short[1]), minute: short[2] }, short[0].length);
}

interface ClockFigures {
  readonly hour: number;
  readonly minute?: string | undefined;
  readonly second?: string | undefined;
  readonly fraction?: string | undefined;
  /** `a` or `p`. */
  readonly half?: string | undefined;
}

function clockOf(figures: ClockFigures, length: number): ClockRead | undefined {
  const hour = fullHour(figures.hour, figures.half);
  const [minute, second] = [Number(figures.minute ?? 0), Number(figures.second ?? 0)];
  if (hour === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = (figures.fraction ?? '').slice(0, MICROSECOND_DIGITS);
  return {
    clock: {
      hour,
      minute,
      second,
      fraction,
      precision: precisionOf(figures, fraction),
    },
    length,
  };
}

const MICROSECOND_DIGITS = 6;
const MILLISECOND_DIGITS = 3;

function precisionOf({ minute, second }: ClockFigures, fraction: string): ClockTime['precision'] {
  if (fraction.length > MILLISECOND_DIGITS) return 'microsecond';
  if (fraction !== '') return 'millisecond';
  if (second !== undefined) return 'second';
  return minute === undefined ? 'hour' : 'minute';
}

/** `12 AM` is midnight; `15:41 PM` says the same twice; `15:41 AM` is nothing, and neither is `00:30 PM`, by which either half may be meant. */
function fullHour(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour;
  if (half === 'p' && hour === 0) return undefined;
  if (half === 'a') return hour > 12 ? undefined : hour % 12;
  return hour < 12 ? hour + 12 : hour;
}

/** `-0400`, `+01:00` behind a time of day; `UTC-4`, `GMT+01:00` anywhere. */
function takeOffset(lower: string, state: State): number {
  const universal = /^(?:utc|gmt) ?([+-])(\d{1,2})(?::?(\d{2}))?(?![\d:])/.exec(lower);
  const found = universal ?? (state.clock === undefined ? null : /^([+-])(\d{2})(?::?(\d{2}))?(?![\d:])/.exec(lower));
  if (found === null) return 0;
  const [all, sign, hours = '', minutes = '00'] = found;
  // No place on Earth is further than 14 hours from UTC.
  if (Number(hours) * 60 + Number(minutes) > 14 * 60 || Number(minutes) > 59) return 0;
  const isUtc = Number(hours) === 0 && Number(minutes) === 0;
  const offset = `${sign ?? '+'}${hours.padStart(2, '0')}:${minutes}`;
  return addZone(state, isUtc ? { kind: 'zone', zone: 'UTC' } : { kind: 'offset', offset }, all.length);
}

function takeZone(rest: string, state: State): number {
  const area = /^[A-Za-z]{2,20}(?:\/[A-Za-z_]{2,30}){1,2}(?:[+-]\d{1,2})?/.exec(rest)?.[0];
  if (area !== undefined) {
    const known = ZONE_WORDS[area.toLowerCase()];
    const zone = known ?? zoneNamed(area);
    return zone === undefined ? 0 : addZone(state, zone, area.length);
  }
  const run = /^[a-z]{1,15}(?: [a-z]{1,15}){0,3}/.exec(rest.toLowerCase())?.[0] ?? '';
  for (let words = run.split(' '); words.length > 0; words = words.slice(0, -1)) {
    const text = words.join(' ');
    if (Object.hasOwn(ZONE_WORDS, text)) return addZone(state, ZONE_WORDS[text] as ZoneMeaning, text.length);
  }
  return 0;
}

/** More than two are no time any more: `(UTC-05:00) Eastern Time` has two. */
const MOST_ZONES = 2;

function addZone(state: State, zone: ZoneMeaning, length: number): number {
  if (state.zones.length === MOST_ZONES) return 0;
  state.zones = [...state.zones, zone];
  return length;
}

/** A zone of the IANA database, under the name that was written where the engine has an older one for it. */
function zoneNamed(name: string): ZoneMeaning | undefined {
  try {
    const resolved = new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
    return { kind: 'zone', zone: resolved.toLowerCase() === name.toLowerCase() ? resolved : name };
  } catch {
    return undefined;
  }
}

/** `PM` in a field or a column of its own. */
export function isHalfOfDay(text: string): boolean {
  return /^[ap]\.?\s?m\.?$/i.test(text.trim());
}

/**
 * Puts the half of the day that stands in a field of its own behind the time that it belongs to: `3:41` and `PM`. Never throws for peer input.
 * @returns the cells with that one changed; undefined where there is not exactly one that it could belong to
 */
export function withHalfOfDay(cells: readonly StatedCell[], half: string): readonly StatedCell[] | undefined {
  const clocks = cells.filter(({ field, text }) => (field === 'at' || field === 'timeOfDay') && isClock(text));
  const [clock, ...others] = clocks;
  if (clock === undefined || others.length > 0) return undefined;
  return cells.map((cell) => (cell === clock ? { ...cell, text: withHalf(cell.text, half.trim()) } : cell));
}

function isClock(text: string): boolean {
  return readTimeWords(text)?.clock !== undefined;
}

/** Right behind the figures: what follows them may be a zone. */
function withHalf(text: string, half: string): string {
  const figures = /\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?/.exec(text);
  if (figures === null) return `${text} ${half}`;
  const end = figures.index + figures[0].length;
  return `${text.slice(0, end)} ${half}${text.slice(end)}`;
}
