import { createMemo, createNamedMemo } from '../../core/memo.js';
import { calendarDate, weekdayOf } from './calendar-date.js';
import type { CalendarDate } from './calendar-date.js';
import type { DeadlinePolicy, DeadlineReadings } from './deadline-policy.js';
import { federalHolidays } from './federal-holidays.js';

/** A day on which the clock does not run, and why. */
export interface ClosedDay {
  readonly date: CalendarDate;
  readonly because: 'weekend' | 'federal-holiday' | 'other-holiday';
  /** Of the holiday. */
  readonly name?: string;
}

/** Which days are business days, under each way to take observed holidays. */
export interface BusinessDays {
  /** Undefined for a business day. Days are counted from 1970-01-01. */
  readonly closedOn: (day: number, observance: Observance) => ClosedDay | undefined;
  /** The first business day after a day; undefined where {@link MAX_CLOSED_DAYS} in a row are none. */
  readonly nextAfter: (day: number, observance: Observance) => number | undefined;
}

/** Of {@link DeadlineReadings}. */
export type Observance = DeadlineReadings['observance'];

/** No run of weekends and holidays comes near a month: who configures one has closed the office, and there is no deadline to compute. */
const MAX_CLOSED_DAYS = 31;

/** What of a policy the calendar depends on. */
type CalendarPolicy = Pick<DeadlinePolicy, 'inaugurationDay' | 'otherHolidays'>;

/** Days of one calendar that are remembered, both observances counted: some years. */
const KEPT_DAYS = 4_096;

/** Policies that say different things, of which calendars are remembered. */
const KEPT_CALENDARS = 100;

/** Calendars of policies that are still in use. */
const calendarFor = createMemo<BusinessDays>();
/** By what policies say: every traceback that is stored has its own copy of one. */
const calendarNamed = createNamedMemo<BusinessDays>(KEPT_CALENDARS);

/** The calendar of an office. Made once for each policy, and days are looked up once each. */
export function businessDays(policy: CalendarPolicy): BusinessDays {
  return calendarFor(policy, () =>
    calendarNamed(JSON.stringify([policy.inaugurationDay, policy.otherHolidays]), () => newCalendar(policy)),
  );
}

function newCalendar({ inaugurationDay, otherHolidays }: CalendarPolicy): BusinessDays {
  // Of its own: the calendar is that of all policies that say the same, and whose this one is may change it.
  const others = otherHolidays.map(({ date, name }) => ({ date, name }));
  const years = new Map<number, readonly ClosedDay[]>();
  const seen = new Map<number, ClosedDay | undefined>();
  const holidaysOf = (year: number, observance: Observance): readonly ClosedDay[] => {
    const key = observance === 'observed-day' ? year : -year;
    const known = years.get(key);
    if (known !== undefined) return known;
    const days = federalHolidays(year, { inaugurationDay }).map(({ name, date, observedOn }): ClosedDay =>
      observance === 'calendar-date' || observedOn === date
        ? { date, because: 'federal-holiday', name }
        : { date: observedOn, because: 'federal-holiday', name: `${name} (observed)` },
    );
    years.set(key, days);
    return days;
  };
  const lookUp = (day: number, observance: Observance): ClosedDay | undefined => {
    const date = calendarDate(day);
    const weekday = weekdayOf(day);
    if (weekday === 0 || weekday === 6) return { date, because: 'weekend' };
    const year = Number(date.slice(0, 4));
    // New Year's Day may be taken in the year before.
    const candidates = date.endsWith('-12-31')
      ? [...holidaysOf(year, observance), ...holidaysOf(year + 1, observance)]
      : holidaysOf(year, observance);
    const holiday = candidates.find((candidate) => candidate.date === date);
    if (holiday !== undefined) return holiday;
    const other = others.find((candidate) => candidate.date === date);
    return other === undefined ? undefined : { date, because: 'other-holiday', name: other.name };
  };
  const closedOn = (day: number, observance: Observance): ClosedDay | undefined => {
    const key = observance === 'observed-day' ? day : -1 - day;
    if (!seen.has(key)) {
      if (seen.size >= KEPT_DAYS) seen.clear();
      seen.set(key, lookUp(day, observance));
    }
    return seen.get(key);
  };
  const nextAfter = (day: number, observance: Observance): number | undefined => {
    for (let next = day + 1; next <= day + MAX_CLOSED_DAYS; next += 1) {
      if (closedOn(next, observance) === undefined) return next;
    }
    return undefined;
  };
  return { closedOn, nextAfter };
}
