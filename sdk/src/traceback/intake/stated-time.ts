import { defined } from '../../core/text.js';
import type { StatedTime } from '../../contract/traceback-exchange.js';
import { zoneClock } from '../../records/ingest/formats/row-times.js';
import type { WallTime, ZoneClock } from '../../records/ingest/formats/row-times.js';
import type { IntakeDoubt } from './intake-report.js';
import { readTimeWords, ZONE_WORDS } from './time-words.js';
import type { CalendarDate, ClockTime, TimeWords, ZoneMeaning } from './time-words.js';
import { phraseSet, visibleText } from './visible-text.js';

/** What a time may mean, and what a person has to settle about it. */
export interface TimeReading {
  /** At least one. */
  readonly readings: readonly StatedTime[];
  readonly doubts: readonly IntakeDoubt[];
}

/** What is known beside the text. */
interface TimeKnowledge {
  readonly asWritten: string;
  /** In which times without a zone are written: IANA name or `UTC`. */
  readonly zone?: string | undefined;
  /** When the request came: calls are not asked about before they were made. */
  readonly receivedAtMs: number;
  readonly clocks: ZoneClocks;
  /** Whether other times of the same writer show that the hours are counted to 24. */
  readonly countsTo24?: boolean;
}

/** Clocks by the name of their zone: making one takes as long as reading ten requests. */
export type ZoneClocks = (zone: string) => ZoneClock | undefined;

/** Zones of one input at most whose clocks are kept; there are 600. */
const MOST_CLOCKS = 1_024;

/** Makes clocks, each once. */
export function zoneClocks(): ZoneClocks {
  const made = new Map<string, ZoneClock | undefined>();
  return (zone) => {
    if (!made.has(zone) && made.size < MOST_CLOCKS) made.set(zone, zoneClock(zone));
    return made.get(zone);
  };
}

/** How much later than the request a call may lie by clocks that are wrong and zones that are not known: a day and two hours. */
const FUTURE_TOLERANCE_MS = 26 * 3_600_000;

/** Five years and a day, the longest that carriers keep what belongs to a traceback. */
const LONGEST_KEPT_MS = 1_827 * 86_400_000;

/**
 * Puts a stated time together of what was read in one or more texts. Never throws for peer input.
 * @returns undefined where no day was stated
 */
export function statedTime(words: readonly TimeWords[], known: TimeKnowledge): TimeReading | undefined {
  const days = distinctDates(words.map(({ dates: read }) => read).filter((read) => read.length > 0));
  const weekdays = words.flatMap(({ weekday }) => weekday ?? []);
  const onWeekday = days.filter((date) => weekdays.every((weekday) => weekdayOf(date) === weekday));
  const dates = onWeekday.length > 0 ? onWeekday : days;
  const [clock, ...otherClocks] = distinct(words.flatMap(({ clock: read }) => (read === undefined ? [] : [read])));
  if (dates.length === 0) return undefined;
  const doubts: IntakeDoubt[] = onWeekday.length > 0 ? [] : [doubtOf('weekday-contradicts', known, days.map(dayText))];
  const zones = distinct(words.flatMap(({ zones: read }) => read));
  const readings: StatedTime[] = [];
  const clocks = halvesOf(clock, words, known);
  for (const [date, time] of dates.flatMap((one) => clocks.map((other) => [one, other] as const))) {
    const wall = wallOf(date, time);
    const zoned = zonesOf(zones, wall, known);
    for (const doubt of zoned.doubts) if (!doubts.some(({ kind }) => kind === doubt.kind)) doubts.push(doubt);
    for (const zone of zoned.zones) readings.push(readingOf({ date, clock: time, zone }, known.asWritten));
  }
  if (clocks.length > 1) doubts.push(doubtOf('half-of-day', known, clocks.map(clockText)));
  if (otherClocks.length > 0) doubts.push(doubtOf('fields-contradict', known, [clock, ...otherClocks].map(clockText)));
  const isOrderOpen = words.some(({ dates: read }) => read.length > 1);
  return withoutFuture({ readings, doubts }, isOrderOpen, known);
}

/** The time in both halves of the day, where nothing says in which. Who writes in UTC counts to 24. */
function halvesOf(
  clock: ClockTime | undefined,
  words: readonly TimeWords[],
  known: TimeKnowledge,
): readonly (ClockTime | undefined)[] {
  if (clock === undefined || known.countsTo24 === true) return [clock];
  const saying = words.filter((one) => isSame(one.clock, clock));
  const isUtc = words.some(({ zones }) => zones.some((zone) => zone.kind === 'zone' && zone.zone === 'UTC'));
  if (isUtc || !saying.every(({ isHalfOpen }) => isHalfOpen === true)) return [clock];
  return [clock, { ...clock, hour: clock.hour + 12 }];
}

/**
 * The instant that a stated time means, where it means one.
 * @returns milliseconds since the epoch; undefined where the zone is not stated, or the time comes twice or never
 */
export function instantOfStated({ local, zone }: StatedTime, clocks: ZoneClocks): number | undefined {
  if (zone === undefined) return undefined;
  const wallMs = Date.parse(`${local}Z`);
  const offset = offsetMinutes(zone);
  if (offset !== undefined) return wallMs - offset * MINUTE_MS;
  const wall = clocks(zone)?.instantOf(wallOfMs(wallMs));
  return wall?.kind === 'one' ? Math.floor(wall.atUs / 1_000) : undefined;
}

/** `2026-10-23T19:41:00Z`, with a fraction where there is one. */
export function instantText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

const MINUTE_MS = 60_000;

/** Two ways to read one date stay two; the same day stated twice is one, also where one of the two could be read both ways. */
function distinctDates(read: readonly (readonly CalendarDate[])[]): readonly CalendarDate[] {
  const all = distinct(read.flat());
  const everywhere = all.filter((date) => read.every((one) => one.some((other) => isSame(date, other))));
  return everywhere.length > 0 ? everywhere : all;
}

/** 0 for Sunday. */
function weekdayOf({ year, month, day }: CalendarDate): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay();
}

function dayText({ year, month, day }: CalendarDate): string {
  return [String(year).padStart(4, '0'), two(month), two(day)].join('-');
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return values.filter((value, at) => values.findIndex((other) => isSame(value, other)) === at);
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function wallOf({ year, month, day }: CalendarDate, clock: ClockTime | undefined): WallTime {
  const { hour = 0, minute = 0, second = 0 } = clock ?? {};
  return {
    year,
    month,
    day,
    hour,
    minute,
    second,
    microsecond: 0,
  };
}

function wallOfMs(ms: number): WallTime {
  const at = new Date(ms);
  const date = { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() };
  return {
    ...date,
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    microsecond: 0,
  };
}

interface ZonesRead {
  /** `undefined` where none is known. */
  readonly zones: readonly (string | undefined)[];
  readonly doubts: readonly IntakeDoubt[];
}

function zonesOf(stated: readonly ZoneMeaning[], wall: WallTime, known: TimeKnowledge): ZonesRead {
  const named = stated.filter(({ kind }) => kind !== 'unknown');
  if (named.length === 0) {
    const { zone } = known;
    if (zone === undefined) return { zones: [undefined], doubts: [doubtOf('zone-absent', known, [])] };
    const read = existing(zone, wall, known);
    // `local time` is somebody's, and need not be that of the reader.
    return stated.length === 0 ? read : { ...read, doubts: [...read.doubts, doubtOf('zone-ambiguous', known, [zone])] };
  }
  const [one, other] = named;
  if (one === undefined || (other !== undefined && named.length > 2)) return contradicting(named, known);
  if (other === undefined) return meaningOf(one, wall, known);
  const agreed = agreeing(one, other, wall, known.clocks);
  return agreed === undefined ? contradicting(named, known) : meaningOf(agreed, wall, known);
}

function meaningOf(meaning: ZoneMeaning, wall: WallTime, known: TimeKnowledge): ZonesRead {
  if (meaning.kind === 'zone') return existing(meaning.zone, wall, known);
  if (meaning.kind === 'unknown') return { zones: [undefined], doubts: [doubtOf('zone-absent', known, [])] };
  if (meaning.kind === 'ambiguous') {
    return { zones: meaning.offsets, doubts: [doubtOf('zone-ambiguous', known, meaning.offsets)] };
  }
  const { offset, of } = meaning;
  if (of === undefined || offsetsIn(of, wall, known.clocks).includes(offset)) return { zones: [offset], doubts: [] };
  return { zones: [offset, of], doubts: [doubtOf('zone-out-of-season', known, [offset, of])] };
}

function existing(zone: string, wall: WallTime, known: TimeKnowledge): ZonesRead {
  const isLeftOut = known.clocks(zone)?.instantOf(wall).kind === 'none';
  return { zones: [zone], doubts: isLeftOut ? [doubtOf('time-does-not-exist', known, [])] : [] };
}

/** `-0400 (EDT)`, `EDT (Eastern)`, and `(UTC-05:00) Eastern Time`, which Windows writes all the year: one zone, said twice. */
function agreeing(one: ZoneMeaning, other: ZoneMeaning, wall: WallTime, clocks: ZoneClocks): ZoneMeaning | undefined {
  const offset = one.kind === 'offset' ? one : other.kind === 'offset' ? other : undefined;
  const rest = offset === one ? other : one;
  if (offset === undefined) return undefined;
  if (rest.kind === 'offset')
    return rest.offset === offset.offset ? { kind: 'offset', offset: offset.offset } : undefined;
  if (rest.kind === 'ambiguous') return rest.offsets.includes(offset.offset) ? offset : undefined;
  if (rest.kind !== 'zone') return undefined;
  if (offsetsIn(rest.zone, wall, clocks).includes(offset.offset)) return { kind: 'offset', offset: offset.offset };
  const isStandard =
    offset.of === undefined && offsetsIn(rest.zone, { ...wall, month: 1, day: 15 }, clocks).includes(offset.offset);
  return isStandard ? rest : undefined;
}

function contradicting(stated: readonly ZoneMeaning[], known: TimeKnowledge): ZonesRead {
  const zones = stated.flatMap((meaning) =>
    meaning.kind === 'zone' ? [meaning.zone] : meaning.kind === 'offset' ? [meaning.offset] : [],
  );
  return { zones: zones.length === 0 ? [undefined] : zones, doubts: [doubtOf('zone-contradicts', known, zones)] };
}

/** Offsets from UTC that a local time of a zone may have: two in the hour that comes twice. */
function offsetsIn(zone: string, wall: WallTime, clocks: ZoneClocks): readonly string[] {
  const instant = clocks(zone)?.instantOf(wall);
  if (instant === undefined || instant.kind === 'none') return [];
  const atUs = instant.kind === 'one' ? [instant.atUs] : [instant.earlierUs, instant.laterUs];
  const wallMs = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  return atUs.map((us) => offsetText(Math.round((wallMs - us / 1_000) / MINUTE_MS)));
}

function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const [hours, rest] = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, '0'));
  return `${minutes < 0 ? '-' : '+'}${hours ?? ''}:${rest ?? ''}`;
}

/** Minutes east of UTC of `UTC` and of `-04:00`; undefined for a name. */
function offsetMinutes(zone: string): number | undefined {
  if (zone === 'UTC') return 0;
  const found = /^([+-])(\d{2}):(\d{2})$/.exec(zone);
  if (found === null) return undefined;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return found[1] === '-' ? -minutes : minutes;
}

interface ReadTime {
  date: CalendarDate;
  clock: ClockTime | undefined;
  zone: string | undefined;
}

function readingOf({ date, clock, zone }: ReadTime, asWritten: string): StatedTime {
  const precision: StatedTime['precision'] = clock?.precision ?? 'day';
  return defined({ asWritten, local: `${dayText(date)}T${clockText(clock)}`, zone, precision });
}

function clockText(clock: ClockTime | undefined): string {
  if (clock === undefined) return '00:00';
  const { hour, minute, second, fraction, precision } = clock;
  const toMinute = `${two(hour)}:${two(minute)}`;
  if (precision === 'hour' || precision === 'minute') return toMinute;
  return `${toMinute}:${two(second)}${fraction === '' ? '' : `.${fraction}`}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function doubtOf(kind: IntakeDoubt['kind'], { asWritten }: TimeKnowledge, readings: readonly string[]): IntakeDoubt {
  return { kind, field: 'at', asWritten, readings };
}

/**
 * Of a date that can be read in several ways a reading that lies behind the request is none: nobody asks about calls of next month. Neither
 * is one of many years ago, where there is a newer one.
 */
function withoutFuture({ readings, doubts }: TimeReading, isOrderOpen: boolean, known: TimeKnowledge): TimeReading {
  const past = readings.filter((reading) => !isFuture(reading, known));
  const recent = isOrderOpen ? past.filter((reading) => !isLongAgo(reading, known)) : past;
  const kept = recent.length > 0 ? recent : past.length > 0 ? past : readings;
  const more: IntakeDoubt[] = [];
  if (past.length === 0) more.push(doubtOf('time-in-the-future', known, []));
  const days = distinct(kept.map(({ local }) => local.slice(0, 10)));
  if (isOrderOpen && days.length > 1) more.push(doubtOf('day-or-month', known, days));
  return { readings: kept, doubts: [...doubts, ...more] };
}

/** Whether nobody has records of it. Of what came at no known time everything is. */
function isLongAgo({ local }: StatedTime, { receivedAtMs }: TimeKnowledge): boolean {
  return Date.parse(`${local}Z`) < receivedAtMs - LONGEST_KEPT_MS;
}

function isFuture(reading: StatedTime, { receivedAtMs, clocks }: TimeKnowledge): boolean {
  // Without a zone it may be anywhere: 14 hours before UTC at the earliest.
  const atMs = instantOfStated(reading, clocks) ?? Date.parse(`${reading.local}Z`) - 14 * 60 * MINUTE_MS;
  return atMs > receivedAtMs + FUTURE_TOLERANCE_MS;
}

/** Longest line that is looked through: a sentence that says in which zone times are is shorter. */
const MAX_CHARS = 320;

/** Words of a zone with what people write around it: `the local time of the called party`. */
const MOST_WORDS_BEHIND = 8;

/** What stands before the zone in such a sentence. */
const LEADING: ReadonlySet<string> = phraseSet(
  `all, the, call, calls, date, dates, and, of, these, this, below, above, following, that, are, is, shown,
   given, stated, expressed, displayed, listed, reported, recorded, provided, noted, in, as, for, to, note,
   please, nb, here, request, report, table, message, use`,
);

/** What such a sentence is about; one of these has to be there. */
const ABOUT: ReadonlySet<string> = phraseSet(`times, timestamps, timezone, timestamp`);

/** `unless otherwise noted` takes nothing back, and the second list is no zone at all. */
const TRAILING: ReadonlySet<string> = phraseSet(`unless, except, if, but, excluding, save, apart`);
const HARMLESS: ReadonlySet<string> = phraseSet(
  `unless, except, if, where, when, as, otherwise, explicitly, expressly, specifically, noted, stated, indicated,
   specified, shown, given, mentioned, marked, known, available, it, is, are, not, a, another, different, time,
   zone, timezone`,
);
const NO_ZONE: ReadonlySet<string> = phraseSet(`approximate, approx, approximations, estimates, estimated`);

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
