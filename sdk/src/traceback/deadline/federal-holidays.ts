import { HopbackError } from '../../errors.js';
import { calendarDate, dayNumberOf, weekdayOf } from './calendar-date.js';
import type { CalendarDate } from './calendar-date.js';

/** The legal public holidays of 5 USC 6103(a), and Inauguration Day of 6103(c). */
export type FederalHolidayId =
  | 'new-years-day'
  | 'birthday-of-martin-luther-king-jr'
  | 'inauguration-day'
  | 'washingtons-birthday'
  | 'memorial-day'
  | 'juneteenth'
  | 'independence-day'
  | 'labor-day'
  | 'columbus-day'
  | 'veterans-day'
  | 'thanksgiving-day'
  | 'christmas-day';

/** A federal holiday of one year. */
export interface FederalHoliday {
  readonly id: FederalHolidayId;
  /** As the law has it. */
  readonly name: string;
  /** The date that the law names. */
  readonly date: CalendarDate;
  /**
   * The day on which it is taken: the Friday before a Saturday, the Monday after a Sunday. New Year's Day on a Saturday is taken in the year
   * before.
   */
  readonly observedOn: CalendarDate;
}

/** What may be asked for beside the holidays that hold everywhere. */
export interface FederalHolidayOptions {
  /**
   * Whether Inauguration Day counts: 20 January after each election of a president, or the Monday after a Sunday. It is a holiday in and around
   * the District of Columbia alone, so the default is false: a deadline elsewhere would come too late.
   */
  readonly inaugurationDay?: boolean;
}

/** The first year in which the holidays on Mondays were where they are now. Public Law 90-363 */
export const FIRST_HOLIDAY_YEAR = 1971;
/** As far as times of this package reach. */
export const LAST_HOLIDAY_YEAR = 2201;

/**
 * Computes the federal holidays of a year, by the rules that were law in it: Juneteenth since 2021, the birthday of Martin Luther King since
 * 1986, Veterans Day on a Monday of October until 1977.
 * @param year - {@link FIRST_HOLIDAY_YEAR} to {@link LAST_HOLIDAY_YEAR}
 * @param options - whether Inauguration Day is among them
 * @returns the holidays whose date is in that year, by date; the first of the next year may be taken on 31 December of this
 * @throws {@link HopbackError} `invalid-argument` for a year out of range
 * @see 5 USC 6103, Executive Order 11582, 47 CFR 1.4(e)(1)
 * @example
 * ```ts
 * const [newYear] = federalHolidays(2022);
 * console.log(newYear?.date, newYear?.observedOn); // 2022-01-01 2021-12-31
 * ```
 */
export function federalHolidays(year: number, options: FederalHolidayOptions = {}): readonly FederalHoliday[] {
  if (!Number.isInteger(year) || year < FIRST_HOLIDAY_YEAR || year > LAST_HOLIDAY_YEAR) {
    throw new HopbackError(
      'invalid-argument',
      `Federal holidays are known for whole years from ${FIRST_HOLIDAY_YEAR} to ${LAST_HOLIDAY_YEAR}.`,
      { details: { year: String(year) } },
    );
  }
  return HOLIDAYS.filter((rule) => year >= (rule.since ?? year) && year <= (rule.until ?? year))
    .filter(({ id }) => id !== 'inauguration-day' || (options.inaugurationDay === true && year % 4 === 1))
    .map((rule) => holidayOf(rule, year))
    .sort((one, other) => (one.date < other.date ? -1 : one.date > other.date ? 1 : 0));
}

interface HolidayRule {
  readonly id: FederalHolidayId;
  readonly name: string;
  readonly month: number;
  /** A date of the month, or the n-th (`-1`: last) of a weekday in it. */
  readonly on: { readonly day: number } | { readonly nth: number; readonly weekday: number };
  readonly since?: number;
  readonly until?: number;
}

const MONDAY = 1;
const THURSDAY = 4;

const HOLIDAYS: readonly HolidayRule[] = [
  { id: 'new-years-day', name: "New Year's Day", month: 1, on: { day: 1 } },
  {
    id: 'birthday-of-martin-luther-king-jr',
    name: 'Birthday of Martin Luther King, Jr.',
    month: 1,
    on: { nth: 3, weekday: MONDAY },
    since: 1986,
  },
  { id: 'inauguration-day', name: 'Inauguration Day', month: 1, on: { day: 20 } },
  { id: 'washingtons-birthday', name: "Washington's Birthday", month: 2, on: { nth: 3, weekday: MONDAY } },
  { id: 'memorial-day', name: 'Memorial Day', month: 5, on: { nth: -1, weekday: MONDAY } },
  {
    id: 'juneteenth',
    name: 'Juneteenth National Independence Day',
    month: 6,
    on: { day: 19 },
    since: 2021,
  },
  { id: 'independence-day', name: 'Independence Day', month: 7, on: { day: 4 } },
  { id: 'labor-day', name: 'Labor Day', month: 9, on: { nth: 1, weekday: MONDAY } },
  { id: 'columbus-day', name: 'Columbus Day', month: 10, on: { nth: 2, weekday: MONDAY } },
  { id: 'veterans-day', name: 'Veterans Day', month: 10, on: { nth: 4, weekday: MONDAY }, until: 1977 },
  { id: 'veterans-day', name: 'Veterans Day', month: 11, on: { day: 11 }, since: 1978 },
  { id: 'thanksgiving-day', name: 'Thanksgiving Day', month: 11, on: { nth: 4, weekday: THURSDAY } },
  { id: 'christmas-day', name: 'Christmas Day', month: 12, on: { day: 25 } },
];

function holidayOf({ id, name, month, on }: HolidayRule, year: number): FederalHoliday {
  const day = 'day' in on ? dayNumberOf(year, month, on.day) : nthWeekday(year, month, on);
  return { id, name, date: calendarDate(day), observedOn: calendarDate(observedDay(id, day)) };
}

function observedDay(id: FederalHolidayId, day: number): number {
  const weekday = weekdayOf(day);
  if (weekday === 0) return day + 1;
  // 5 USC 6103(b) moves the holidays of (a) from a Saturday; Inauguration Day is one of (c), which moves it from a Sunday alone.
  return weekday === 6 && id !== 'inauguration-day' ? day - 1 : day;
}

function nthWeekday(year: number, month: number, { nth, weekday }: { nth: number; weekday: number }): number {
  if (nth < 0) {
    const last = dayNumberOf(year, month + 1, 0);
    return last - ((weekdayOf(last) - weekday + 7) % 7);
  }
  const first = dayNumberOf(year, month, 1);
  return first + ((weekday - weekdayOf(first) + 7) % 7) + (nth - 1) * 7;
}
