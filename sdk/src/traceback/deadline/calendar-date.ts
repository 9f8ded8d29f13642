/** A day of the calendar, `2026-07-04`. RFC 3339 section 5.6 */
export type CalendarDate = string;

const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a date that exists; members beyond their ranges count on, as day 0 is the last of the month before. */
export function dayNumberOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/** The date of a day, counted from 1970-01-01. */
export function calendarDate(dayNumber: number): CalendarDate {
  return new Date(dayNumber * DAY_MS).toISOString().slice(0, 10);
}

/** The day of a date, counted from 1970-01-01; undefined where it is not written so, or there is no such day. */
export function dayNumberOfDate(date: CalendarDate): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
  const atMs = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(atMs)) return undefined;
  const dayNumber = atMs / DAY_MS;
  // Date.parse takes 30 February for 2 March in some engines.
  return calendarDate(dayNumber) === date ? dayNumber : undefined;
}

/** 0 for Sunday, 6 for Saturday. 1970-01-01 was a Thursday. */
export function weekdayOf(dayNumber: number): number {
  return (((dayNumber + 4) % 7) + 7) % 7;
}
