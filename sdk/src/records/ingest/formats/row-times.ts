import type { TimeBasis } from '../../../contract/call-record.js';
import { HopbackError } from '../../../errors.js';
import type { RowReading, SourceDescription } from '../record-reader.js';

/** A date and time of day as written, without a zone. */
export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 to 999,999. */
  readonly microsecond: number;
}

/** Which instants a local time may be. */
export type LocalInstant =
  | { readonly kind: 'one'; readonly atUs: number }
  /** It comes twice, when clocks go back. */
  | {
      readonly kind: 'two';
      readonly earlierUs: number;
      readonly laterUs: number;
    }
  /** It is left out, when clocks go forward. */
  | { readonly kind: 'none' };

/** Turns local times of one zone into instants, and instants into local times. */
export interface ZoneClock {
  readonly zone: string;
  readonly instantOf: (wall: WallTime) => LocalInstant;
  /** Offset from UTC that is in force at an instant, both in milliseconds; east positive. */
  readonly offsetMsAt: (atMs: number) => number;
}

const HOUR_MS = 3_600_000;
/** Clocks change at a whole local hour (in St. John's since 2012), and offsets are whole quarters: no quarter of an hour has two offsets. */
const QUARTER_MS = 900_000;
/** Rows come in time order: the offset of the quarters of an hour around now is all that is asked for. */
const KEPT_QUARTERS = 4_096;

/**
 * Makes the clock of a zone.
 * @param zone - `utc`, or an IANA name such as `America/New_York`
 * @returns undefined where there is no such zone
 */
export function zoneClock(zone: string): ZoneClock | undefined {
  if (zone.toLowerCase() === 'utc') {
    return { zone: 'UTC', instantOf: (wall) => ({ kind: 'one', atUs: asUtcUs(wall) }), offsetMsAt: () => 0 };
  }
  const format = formatOf(zone);
  if (format === undefined) return undefined;
  const quarters = new Map<number, number>();
  const offsetAt = (atMs: number): number => {
    const quarter = Math.floor(atMs / QUARTER_MS);
    let offset = quarters.get(quarter);
    if (offset === undefined) {
      if (quarters.size >= KEPT_QUARTERS) quarters.clear();
      offset = offsetOf(format, quarter * QUARTER_MS);
      quarters.set(quarter, offset);
    }
    return offset;
  };
  return {
    zone: format.resolvedOptions().timeZone,
    offsetMsAt: offsetAt,
    instantOf: (wall) => {
      const wallUs = asUtcUs(wall);
      const wallMs = Math.floor(wallUs / 1_000);
      // No zone is further than a day from UTC: the two offsets in force around the time are all that it can have.
      const before = offsetAt(wallMs - DAY_MS);
      const after = offsetAt(wallMs + DAY_MS);
      const earlier = wallUs - Math.max(before, after) * 1_000;
      const later = wallUs - Math.min(before, after) * 1_000;
      if (earlier === later) return { kind: 'one', atUs: earlier };
      const fits = (atUs: number): boolean => atUs + offsetAt(Math.floor(atUs / 1_000)) * 1_000 === wallUs;
      const [fitsEarlier, fitsLater] = [fits(earlier), fits(later)];
      if (fitsEarlier && fitsLater) return { kind: 'two', earlierUs: earlier, laterUs: later };
      if (fitsEarlier || fitsLater) return { kind: 'one', atUs: fitsEarlier ? earlier : later };
      return { kind: 'none' };
    },
  };
}

const DAY_MS = 24 * HOUR_MS;

/** Microseconds since the epoch of a time that is UTC. */
export function asUtcUs({ year, month, day, hour, minute, second, microsecond }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1_000 + microsecond;
}

/** Whether all members are in their ranges, and the day exists. */
export function isWallTime({ year, month, day, hour, minute, second, microsecond }: WallTime): boolean {
  if (year < 1990 || year > 2200 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59) return false;
  if (second > 59 || microsecond > 999_999) return false;
  // Every month has 28 days; only behind them the calendar has to be asked.
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}

/** Offset from UTC that is in force at an instant, milliseconds, east positive. */
function offsetOf(format: Intl.DateTimeFormat, atMs: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1_000) * 1_000;
}

/**
 * How a switch writes a time:
 * - `date-time`: `2026-11-25 15:04:05`, the `%Y-%m-%d %T` of C, also with `T` between and up to nine decimals;
 * - `iso-8601`: the same with `Z` or an offset such as `+01:00` or `-0500` behind it; local where neither is there;
 * - `month-first`: `11/25/2026 15:04:05.2`; `day-first`: `25/11/2026 15:04:05`;
 * - `compact`: `20261125150405.123`;
 * - `epoch-seconds`, with up to nine decimals; `epoch-milliseconds`; `epoch-microseconds`: UTC, whatever zone is declared.
 */
export type TimeLayout =
  | 'date-time'
  | 'iso-8601'
  | 'month-first'
  | 'day-first'
  | 'compact'
  | 'epoch-seconds'
  | 'epoch-milliseconds'
  | 'epoch-microseconds';

/** A time as its text says it; not yet whether such a day exists. `decimals`: 0 to 6 digits behind the second were written. */
type WrittenTime =
  | {
      readonly kind: 'epoch';
      readonly atUs: number;
      readonly decimals: number;
    }
  | {
      readonly kind: 'wall';
      readonly wall: WallTime;
      /** Minutes east of UTC, where the text says so. */
      readonly offsetMinutes?: number;
      readonly decimals: number;
    };

/**
 * Reads a time in a layout. Never throws.
 * @returns undefined where the text is not in that layout
 * @see ISO 8601, RFC 3339
 */
export function readWrittenTime(text: string, layout: TimeLayout): WrittenTime | undefined {
  return text.length > MAX_TIME_CHARS ? undefined : LAYOUTS[layout](text);
}

const LAYOUTS: Readonly<Record<TimeLayout, (text: string) => WrittenTime | undefined>> = {
  'date-time': wallReader('YYYY-MM-DD hh:mm:ss'),
  'iso-8601': wallReader('YYYY-MM-DD hh:mm:ss', { allowsOffset: true }),
  'month-first': wallReader('MM/DD/YYYY hh:mm:ss'),
  'day-first': wallReader('DD/MM/YYYY hh:mm:ss'),
  compact: wallReader('YYYYMMDDhhmmss'),
  'epoch-seconds': epochSeconds,
  'epoch-milliseconds': (text) => epochUnits(text, 1_000),
  'epoch-microseconds': (text) => epochUnits(text, 1),
};

/** Every {@link TimeLayout}. */
export const TIME_LAYOUTS: readonly TimeLayout[] = Object.keys(LAYOUTS) as TimeLayout[];

/** A date, a time with nine decimals and an offset have 35. */
const MAX_TIME_CHARS = 40;
/** A second is written with nanoseconds by some; what is finer than a microsecond is left out. */
const MAX_DECIMALS = 9;
const COUNTED_DECIMALS = 6;
/** Whole seconds of 2200 have ten digits; eleven are read, so that the range is what refuses them. */
const MAX_SECOND_DIGITS = 11;

const SPACE = 0x20;
const DOT = 0x2e;
const SMALL_T = 0x74;
/** What sets a small letter apart from its capital. */
const LOWER_CASE = 0x20;

/**
 * Makes the reader of a date and a time of day, behind which decimals may stand, and an offset where that is allowed.
 * @param template - where the parts stand; for its space there may be a `T`
 */
function wallReader(template: string, { allowsOffset = false } = {}): (text: string) => WrittenTime | undefined {
  const [yearAt = 0, monthAt = 0, dayAt = 0, hourAt = 0, minuteAt = 0, secondAt = 0] = 'YMDhms'
    .split('')
    .map((part) => template.indexOf(part));
  const marks = template
    .split('')
    .flatMap((mark, place) => (/\w/.test(mark) ? [] : [{ code: mark.charCodeAt(0), place }]));
  return (text) => {
    for (const { code, place } of marks) {
      const found = text.charCodeAt(place);
      if (found !== code && !(code === SPACE && (found | LOWER_CASE) === SMALL_T)) return undefined;
    }
    const fraction = decimalsAt(text, template.length);
    if (fraction === undefined) return undefined;
    const { microsecond, decimals, end } = fraction;
    const year = pair(text, yearAt) * 100 + pair(text, yearAt + 2);
    const month = pair(text, monthAt);
    const day = pair(text, dayAt);
    const hour = pair(text, hourAt);
    const minute = pair(text, minuteAt);
    const second = pair(text, secondAt);
    // Where any part is not digits: NaN goes through all sums.
    if (Number.isNaN(year + month + day + hour + minute + second)) return undefined;
    const wall = {
      year,
      month,
      day,
      hour,
      minute,
      second,
      microsecond,
    };
    if (end === text.length) return { kind: 'wall', wall, decimals };
    const offsetMinutes = allowsOffset ? offsetAt(text, end) : undefined;
    return offsetMinutes === undefined
      ? undefined
      : {
          kind: 'wall',
          wall,
          offsetMinutes,
          decimals,
        };
  };
}

function epochSeconds(text: string): WrittenTime | undefined {
  const dot = text.indexOf('.');
  const end = dot < 0 ? text.length : dot;
  const seconds = end > MAX_SECOND_DIGITS ? undefined : digits(text, 0, end);
  const fraction = decimalsAt(text, end);
  if (seconds === undefined || fraction?.end !== text.length) return undefined;
  return { kind: 'epoch', atUs: seconds * 1_000_000 + fraction.microsecond, decimals: fraction.decimals };
}

/** Whole milliseconds or microseconds, `unitUs` each. */
function epochUnits(text: string, unitUs: 1 | 1_000): WrittenTime | undefined {
  const decimals = unitUs === 1 ? 6 : 3;
  const units = text.length > MAX_SECOND_DIGITS + decimals ? undefined : digits(text, 0, text.length);
  return units === undefined ? undefined : { kind: 'epoch', atUs: units * unitUs, decimals };
}

interface Fraction {
  readonly microsecond: number;
  readonly decimals: number;
  /** Where reading stopped. */
  readonly end: number;
}

/** Decimals that begin with a dot at a place; none where there is no dot. */
function decimalsAt(text: string, at: number): Fraction | undefined {
  if (text.charCodeAt(at) !== DOT) return { microsecond: 0, decimals: 0, end: at };
  let end = at + 1;
  let microsecond = 0;
  let decimals = 0;
  for (; end < text.length; end += 1) {
    const digit = text.charCodeAt(end) - 0x30;
    if (!(digit >= 0 && digit <= 9)) break;
    if (decimals === COUNTED_DECIMALS) continue;
    microsecond = microsecond * 10 + digit;
    decimals += 1;
  }
  if (end === at + 1 || end - at - 1 > MAX_DECIMALS) return undefined;
  return { microsecond: microsecond * 10 ** (COUNTED_DECIMALS - decimals), decimals, end };
}

/** `Z`, `+01:00`, `-0500` or `+01` up to the end of the text, minutes east. */
function offsetAt(text: string, at: number): number | undefined {
  if (text.length === at + 1) return text.charAt(at).toUpperCase() === 'Z' ? 0 : undefined;
  const sign = text[at];
  if (sign !== '+' && sign !== '-') return undefined;
  const hasColon = text[at + 3] === ':';
  const minutesAt = hasColon ? at + 4 : at + 3;
  const hasMinutes = text.length === minutesAt + 2;
  if (!hasMinutes && (hasColon || text.length !== at + 3)) return undefined;
  const minutes = hasMinutes ? pair(text, minutesAt) : 0;
  const offset = pair(text, at + 1) * 60 + minutes;
  // No place on Earth is further than 14 hours from UTC.
  if (!(offset <= 14 * 60) || minutes > 59) return undefined;
  return sign === '-' ? -offset : offset;
}

/** Two digits as a number, NaN where they are none. */
function pair(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function digits(text: string, from: number, to: number): number | undefined {
  if (from === to) return undefined;
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** An instant that a row names. */
export interface RowInstant {
  /** Tells it from a {@link RowTimeFault}. */
  readonly status: 'instant';
  /** Microseconds since the epoch, UTC. */
  readonly atUs: number;
  /** The other instant that the text may mean: it lies in the hour that comes twice. */
  readonly otherUs?: number;
  /** How it was written. One object for all times of a source that are written alike. */
  readonly basis: TimeBasis;
}

/** What is wrong with a time. */
export interface RowTimeFault {
  /** Tells it from a {@link RowInstant}. */
  readonly status: 'rejected';
  /** `time-does-not-exist`: the clocks of the zone leave it out when they go forward. */
  readonly reason: 'bad-time' | 'time-does-not-exist';
  /** The same in words, without what was written. */
  readonly detail: string;
}

/** What a text says about time. */
export type RowTimeReading = RowInstant | RowTimeFault;

/** Reads the times of one source. */
export interface RowClock {
  /** IANA name of the zone in which local times are read; `UTC` where that is declared. */
  readonly zone: string;
  /** Reads one time. Never throws. */
  readonly read: (text: string, layout: TimeLayout) => RowTimeReading;
}

/** 1990 to 2200, as for times written by day and hour: what lies outside is another unit or a clock that was never set. */
const EARLIEST_US = Date.UTC(1990, 0, 1) * 1_000;
const LATEST_US = Date.UTC(2201, 0, 1) * 1_000;

const MINUTE_US = 60_000_000;
/** Decimals of a second that count; a step of the clock for each. */
const RESOLUTIONS_US = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] as const;

/**
 * Makes the clock of a source: it reads the times that a switch, or a person, writes in one zone.
 * @param time - `zone`, `utc` or an IANA name; `repeatedHour`, which instant of a local time that comes twice is meant: the earlier one
 * where it is not said
 * @returns a clock whose `read` never throws
 * @throws {@link HopbackError} `invalid-configuration` where there is no such zone
 * @see {@link TimeLayout} for how times may be written
 */
export function rowClock(time: SourceDescription['time']): RowClock {
  const { zone, repeatedHour = 'earlier' } = time;
  const clock = zoneClock(zone);
  if (clock === undefined) {
    throw new HopbackError(
      'invalid-configuration',
      `There is no time zone "${zone}". Name one of the IANA database, or utc.`,
    );
  }
  const utcBases = RESOLUTIONS_US.map((resolutionUs): TimeBasis => ({ written: 'utc', resolutionUs }));
  const localBases =
    clock.zone === 'UTC'
      ? utcBases
      : RESOLUTIONS_US.map((resolutionUs): TimeBasis => ({ written: 'local', zone: clock.zone, resolutionUs }));
  const read = (text: string, layout: TimeLayout): RowTimeReading => {
    const written = readWrittenTime(text, layout);
    if (written === undefined) return NOT_A_TIME;
    const utcBasis = utcBases[written.decimals] as TimeBasis;
    if (written.kind === 'epoch') return instantIn(written.atUs, utcBasis);
    if (!isWallTime(written.wall)) return NOT_A_TIME;
    if (written.offsetMinutes !== undefined) {
      return instantIn(asUtcUs(written.wall) - written.offsetMinutes * MINUTE_US, utcBasis);
    }
    const basis = localBases[written.decimals] as TimeBasis;
    const local = clock.instantOf(written.wall);
    if (local.kind === 'one') return { status: 'instant', atUs: local.atUs, basis };
    if (local.kind === 'none') return LEFT_OUT;
    return repeatedHour === 'earlier'
      ? {
          status: 'instant',
          atUs: local.earlierUs,
          otherUs: local.laterUs,
          basis,
        }
      : {
          status: 'instant',
          atUs: local.laterUs,
          otherUs: local.earlierUs,
          basis,
        };
  };
  return { zone: clock.zone, read };
}

/**
 * Of a time that comes twice, the instant that is not before another of the same call: who answers or hangs up does so after the
 * INVITE. Where both are, or neither is, the instant that the source is declared to mean.
 * @param notBeforeUs - microseconds since the epoch
 */
export function instantNotBefore(instant: RowInstant, notBeforeUs: number): number {
  const { atUs, otherUs } = instant;
  return otherUs !== undefined && atUs < notBeforeUs && otherUs >= notBeforeUs ? otherUs : atUs;
}

/**
 * Of a time that comes twice, the instant that is closer to where another account of the source puts it, such as the start of a call
 * and its duration.
 * @param expectedUs - microseconds since the epoch
 */
export function instantNearest({ atUs, otherUs }: RowInstant, expectedUs: number): number {
  return otherUs !== undefined && Math.abs(otherUs - expectedUs) < Math.abs(atUs - expectedUs) ? otherUs : atUs;
}

/**
 * Whether a switch wrote that something never happened: nothing, `0`, or the zero date of a database.
 */
export function isNoTime(text: string): boolean {
  return text === '' || NO_TIME.test(text);
}

/** Zeros with what stands between the parts of a time, and the dash of some exports. */
const NO_TIME = /^(?:[0 :./T-]{1,32}|null|\\N)$/i;

const NOT_A_TIME: RowTimeFault = Object.freeze({
  status: 'rejected',
  reason: 'bad-time',
  detail: 'not a time in the layout of the source, or none between 1990 and 2200',
});

const LEFT_OUT: RowTimeFault = Object.freeze({
  status: 'rejected',
  reason: 'time-does-not-exist',
  detail:
    'the clocks of the zone left this time out when they went forward: the zone declared is not the one of the switch',
});

function instantIn(atUs: number, basis: TimeBasis): RowTimeReading {
  return atUs >= EARLIEST_US && atUs < LATEST_US ? { status: 'instant', atUs, basis } : NOT_A_TIME;
}

/**
 * Reads a local time beside which its offset from UTC is written, in a source whose zone is declared: the offset decides which of two
 * instants is meant in the hour that comes twice. Never throws.
 * @param written - `2026-11-01 01:30:00`
 * @param offset - `-05:00`
 * @returns the instant, or that the offset is none that the declared zone has at that time
 */
export function instantAt(written: string, offset: string, clock: RowClock): RowTimeReading {
  const exact = clock.read(`${written}${offset}`, 'iso-8601');
  const local = clock.read(written, 'date-time');
  if (exact.status === 'rejected') return exact;
  if (local.status === 'rejected') return local;
  // Without a zone of its own to hold against, what is written is all that there is.
  if (clock.zone === 'UTC') return exact;
  if (exact.atUs !== local.atUs && exact.atUs !== local.otherUs) return CONTRADICTS;
  return { status: 'instant', atUs: exact.atUs, basis: local.basis };
}

const CONTRADICTS: RowTimeReading = Object.freeze({
  status: 'rejected',
  reason: 'bad-time',
  detail: 'the declared zone does not have the written offset at that time',
});

/** Times of one call are cut off or rounded to seconds, each by itself: that far apart two of them still agree. */
export const ROUNDING_US = 1_000_000;

/**
 * What is wrong with the order of a leg's times: a clock that was set back, columns that were taken for each other, milliseconds taken for
 * seconds. Never throws.
 * @returns undefined where each comes behind the one before it, or in the same second
 */
export function disorderOf({
  invite: { atUs: beganAtUs },
  answeredAtUs,
  endedAtUs,
}: {
  readonly invite: Pick<RowInstant, 'atUs'>;
  readonly answeredAtUs?: number | undefined;
  readonly endedAtUs?: number | undefined;
}): string | undefined {
  if (answeredAtUs !== undefined && answeredAtUs < beganAtUs - ROUNDING_US)
    return 'the call was answered before it began';
  if (endedAtUs === undefined) return undefined;
  if (endedAtUs < beganAtUs - ROUNDING_US) return 'the call ended before it began';
  if (answeredAtUs !== undefined && endedAtUs < answeredAtUs - ROUNDING_US)
    return 'the call ended before it was answered';
  return undefined;
}

/**
 * Of a start in the hour that comes twice, the instant that is not behind what followed it: an answer, an end. Where both or neither may
 * be meant, the start as it is. Never throws.
 */
export function startNotAfter(start: RowInstant, followed: readonly (RowInstant | undefined)[]): RowInstant {
  return onlyFit(start, (atUs) =>
    followed.every((later) => later === undefined || latestOf(later) >= atUs - ROUNDING_US),
  );
}

/**
 * Of a start in the hour that comes twice, the instant from which the duration leads to the end. Where both or neither does, the start
 * as it is. Never throws.
 * @param durationUs - from start to end, microseconds
 */
export function startByDuration(start: RowInstant, end: RowInstant, durationUs: number): RowInstant {
  return onlyFit(start, (atUs) => leadsTo(end, atUs + durationUs));
}

/** Whether a time is, in either meaning, where another account of the call puts it. */
export function leadsTo({ atUs, otherUs = atUs }: RowInstant, expectedUs: number): boolean {
  return Math.abs(atUs - expectedUs) <= ROUNDING_US || Math.abs(otherUs - expectedUs) <= ROUNDING_US;
}

function latestOf({ atUs, otherUs = atUs }: RowInstant): number {
  return Math.max(atUs, otherUs);
}

function onlyFit(start: RowInstant, fits: (atUs: number) => boolean): RowInstant {
  const { atUs, otherUs, basis } = start;
  if (otherUs === undefined || fits(atUs) === fits(otherUs)) return start;
  return { status: 'instant', atUs: fits(atUs) ? atUs : otherUs, basis };
}

/** The times of a call as a row has them; a member that is undefined is in no column. */
export interface WrittenCallTimes {
  readonly layout: TimeLayout;
  readonly start: string;
  readonly answer: string | undefined;
  readonly end: string | undefined;
  /** Whole seconds from start to end, by which a time that comes twice is told. */
  readonly durationSeconds?: string | undefined;
  /** Whole seconds from answer to end. */
  readonly answeredSeconds?: string | undefined;
}

/** The times of a call as instants, microseconds since the epoch. */
export interface CallTimes {
  readonly status: 'times';
  readonly invite: RowInstant;
  readonly answeredAtUs: number | undefined;
  readonly endedAtUs: number | undefined;
}

/** The reading of a row one of whose times cannot be read. */
export type RejectedTime = Extract<RowReading, { readonly status: 'rejected' }>;

/** @param field - the name that the format has for the time */
export function rejectedTime({ reason, detail }: RowTimeFault, field: string): RejectedTime {
  return {
    status: 'rejected',
    reason,
    field,
    detail,
  };
}

/**
 * Reads the times of a call. What is empty or a zero date never happened, save for the start. In the hour that comes twice the end is
 * where the duration puts it, and the answer where the time talked puts it; the start keeps both instants unless the other times or the
 * duration of the row leave only one. Never throws.
 * @param names - the names that the format has for the times
 * @param refine - what else the row says about the start, where that may be either of two instants
 */
export function callTimes(
  written: WrittenCallTimes,
  clock: RowClock,
  names: Readonly<Record<'start' | 'answer' | 'end', string>>,
  refine?: (start: RowInstant) => RowInstant,
): CallTimes | RejectedTime {
  const { layout } = written;
  const read = clock.read(written.start, layout);
  if (read.status === 'rejected') return rejectedTime(read, names.start);
  const answer = optional(written.answer, layout, clock);
  if (answer?.status === 'rejected') return rejectedTime(answer, names.answer);
  const end = optional(written.end, layout, clock);
  if (end?.status === 'rejected') return rejectedTime(end, names.end);
  const start = read.otherUs === undefined ? read : startOf(refine?.(read) ?? read, written, [answer, end]);
  const endedAtUs =
    end === undefined ? undefined : instantNearest(end, start.atUs + secondsUs(written.durationSeconds));
  if (answer === undefined)
    return {
      status: 'times',
      invite: start,
      answeredAtUs: undefined,
      endedAtUs,
    };
  const answeredFromUs = endedAtUs === undefined ? start.atUs : endedAtUs - secondsUs(written.answeredSeconds);
  return {
    status: 'times',
    invite: start,
    answeredAtUs: instantNearest(answer, answeredFromUs),
    endedAtUs,
  };
}

/** The start by all that the row says about it. */
function startOf(
  read: RowInstant,
  { durationSeconds }: WrittenCallTimes,
  [answer, end]: readonly [RowInstant | undefined, RowInstant | undefined],
): RowInstant {
  const ordered = startNotAfter(read, [answer, end]);
  const durationUs = secondsUs(durationSeconds);
  return end === undefined || durationUs === 0 ? ordered : startByDuration(ordered, end, durationUs);
}

function optional(text: string | undefined, layout: TimeLayout, clock: RowClock): RowTimeReading | undefined {
  return text === undefined || isNoTime(text) ? undefined : clock.read(text, layout);
}

/** 0 where it is no number of seconds. */
function secondsUs(text: string | undefined): number {
  const seconds = Number(text);
  return seconds > 0 && seconds < MAX_DURATION_SECONDS ? seconds * 1_000_000 : 0;
}

/** Ten days: calls that nobody hung up. */
const MAX_DURATION_SECONDS = 864_000;
