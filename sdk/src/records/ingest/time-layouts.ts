import type { WallTime } from './written-time.js';

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
export type WrittenTime =
  | { readonly kind: 'epoch'; readonly atUs: number; readonly decimals: number }
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
  'date-time': (text) => yearFirst(text, false),
  'iso-8601': (text) => yearFirst(text, true),
  'month-first': (text) => slashed(text, 0, 3),
  'day-first': (text) => slashed(text, 3, 0),
  compact,
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

const DOT = 0x2e;
const COLON = 0x3a;
const DASH = 0x2d;
const PLUS = 0x2b;
const SLASH = 0x2f;
const SPACE = 0x20;

/** `2026-11-25 15:04:05.123456+01:00` */
function yearFirst(text: string, allowsOffset: boolean): WrittenTime | undefined {
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH || !isDateEnd(text.charCodeAt(10))) return undefined;
  const clock = timeOfDay(text, 11);
  if (clock === undefined) return undefined;
  const wall = wallTime(pair(text, 0) * 100 + pair(text, 2), pair(text, 5), pair(text, 8), clock);
  if (wall === undefined) return undefined;
  if (clock.end === text.length) return { kind: 'wall', wall, decimals: clock.decimals };
  const offsetMinutes = allowsOffset ? offsetAt(text, clock.end) : undefined;
  return offsetMinutes === undefined ? undefined : { kind: 'wall', wall, offsetMinutes, decimals: clock.decimals };
}

/** `11/25/2026 15:04:05.2`, with the places of month and day given. */
function slashed(text: string, monthAt: number, dayAt: number): WrittenTime | undefined {
  if (text.charCodeAt(2) !== SLASH || text.charCodeAt(5) !== SLASH || !isDateEnd(text.charCodeAt(10))) return undefined;
  const clock = timeOfDay(text, 11);
  if (clock?.end !== text.length) return undefined;
  const wall = wallTime(pair(text, 6) * 100 + pair(text, 8), pair(text, monthAt), pair(text, dayAt), clock);
  return wall === undefined ? undefined : { kind: 'wall', wall, decimals: clock.decimals };
}

/** `20261125150405.123` */
function compact(text: string): WrittenTime | undefined {
  const fraction = decimalsAt(text, 14);
  if (fraction?.end !== text.length) return undefined;
  const clock: TimeOfDay = {
    hour: pair(text, 8),
    minute: pair(text, 10),
    second: pair(text, 12),
    ...fraction,
  };
  const wall = wallTime(pair(text, 0) * 100 + pair(text, 2), pair(text, 4), pair(text, 6), clock);
  return wall === undefined ? undefined : { kind: 'wall', wall, decimals: clock.decimals };
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

interface TimeOfDay extends Fraction {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** `15:04:05.123` */
function timeOfDay(text: string, at: number): TimeOfDay | undefined {
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return undefined;
  const fraction = decimalsAt(text, at + 8);
  if (fraction === undefined) return undefined;
  const { microsecond, decimals, end } = fraction;
  return { hour: pair(text, at), minute: pair(text, at + 3), second: pair(text, at + 6), microsecond, decimals, end };
}

const NO_DECIMALS = (end: number): Fraction => ({ microsecond: 0, decimals: 0, end });

/** Decimals that begin with a dot at a place; none where there is no dot. */
function decimalsAt(text: string, at: number): Fraction | undefined {
  if (text.charCodeAt(at) !== DOT) return NO_DECIMALS(at);
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
  const sign = text.charCodeAt(at);
  if (sign !== PLUS && sign !== DASH) return undefined;
  const hasColon = text.charCodeAt(at + 3) === COLON;
  const minutesAt = hasColon ? at + 4 : at + 3;
  const hasMinutes = text.length === minutesAt + 2;
  if (!hasMinutes && (hasColon || text.length !== at + 3)) return undefined;
  const minutes = hasMinutes ? pair(text, minutesAt) : 0;
  const offset = pair(text, at + 1) * 60 + minutes;
  // No place on Earth is further than 14 hours from UTC.
  if (!(offset <= 14 * 60) || minutes > 59) return undefined;
  return sign === DASH ? -offset : offset;
}

/** Nothing where any part is not digits: NaN goes through all sums. */
function wallTime(year: number, month: number, day: number, clock: TimeOfDay): WallTime | undefined {
  const { hour, minute, second, microsecond } = clock;
  if (Number.isNaN(year + month + day + hour + minute + second)) return undefined;
  return { year, month, day, hour, minute, second, microsecond };
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

function isDateEnd(code: number): boolean {
  return code === SPACE || code === 0x54 || code === 0x74;
}
