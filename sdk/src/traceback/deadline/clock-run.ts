import type { ClosedDay } from './business-days.js';
import type { DeadlineReadings } from './deadline-policy.js';
import type { OfficeCalendar } from './office-calendar.js';
import type { OfficeWall } from './office-clock.js';

/** Where in the week of its office a request came. */
export type ReceiptTime =
  /** It is received when it came. */
  | 'within-business-hours'
  /** The rest are deemed received at 8:00 of a business day. */
  | 'before-opening'
  | 'after-closing'
  | ClosedDay['because'];

/** How the clock ran under one reading of the rule. Times are milliseconds since the epoch. */
export interface ClockRun {
  readonly deemedAtMs: number;
  readonly receipt: ReceiptTime;
  readonly dueAtMs: number;
  /** Stretches in which it ran, one after the other. */
  readonly ran: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** Days between them, on which it did not. */
  readonly stoodStill: readonly ClosedDay[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** "8:00 a.m. to 5:30 p.m. on a business day". 47 CFR 64.1200(n)(1) */
const OPENING_MS = 8 * HOUR_MS;
const CLOSING_MS = 17 * HOUR_MS + 30 * MINUTE_MS;
/** "within 24 hours". 47 CFR 64.1200(n)(1) */
const ALLOWED_MS = 24 * HOUR_MS;
/** "restarts at 12:01 a.m." 47 CFR 64.1200(n)(1) */
const RESTART_MS = MINUTE_MS;

/** Runs the clock of a request under one reading of the rule; undefined where the office never opens. */
export function clockRun(
  receivedAtMs: number,
  calendar: OfficeCalendar,
  reading: DeadlineReadings,
): ClockRun | undefined {
  const office = { calendar, reading };
  const receipt = receiptOf(calendar.clock.wallAt(receivedAtMs), office);
  if (receipt === undefined) return undefined;
  const { deemed, time } = receipt;
  const deemedAtMs = deemedTime(receipt, receivedAtMs, calendar);
  const course = courseFrom(deemed, deemedAtMs, office);
  return course === undefined ? undefined : { deemedAtMs, receipt: time, ...stretchesOf(course, receipt, office) };
}

/** When the clock has run out under one reading, without how it ran: of two dozen readings of a deadline nobody asks that. */
export function clockEnd(receivedAtMs: number, wall: OfficeWall, office: ReadOffice): number | undefined {
  const receipt = receiptOf(wall, office);
  if (receipt === undefined) return undefined;
  return courseFrom(receipt.deemed, deemedTime(receipt, receivedAtMs, office.calendar), office)?.dueAtMs;
}

/** An office, and a reading of the rule. */
interface ReadOffice {
  readonly calendar: OfficeCalendar;
  readonly reading: DeadlineReadings;
}

interface Receipt {
  readonly deemed: OfficeWall;
  readonly time: ReceiptTime;
}

function deemedTime({ deemed, time }: Receipt, receivedAtMs: number, { clock }: OfficeCalendar): number {
  return time === 'within-business-hours' ? receivedAtMs : clock.instantOf(deemed);
}

function receiptOf(wall: OfficeWall, office: ReadOffice): Receipt | undefined {
  const { reading } = office;
  const closed = office.calendar.days.closedOn(wall.day, reading.observance);
  if (closed !== undefined) return nextOpening(wall, closed.because, office);
  if (wall.timeOfDayMs < OPENING_MS) {
    if (reading.beforeOpening === 'same-day') return openingOf(wall.day, 'before-opening');
    return nextOpening(wall, 'before-opening', office);
  }
  return isOpenUntil(reading.closingMinute, wall.timeOfDayMs)
    ? { deemed: wall, time: 'within-business-hours' }
    : nextOpening(wall, 'after-closing', office);
}

function nextOpening({ day }: OfficeWall, time: ReceiptTime, { calendar, reading }: ReadOffice): Receipt | undefined {
  const next = calendar.days.nextAfter(day, reading.observance);
  return next === undefined ? undefined : openingOf(next, time);
}

function openingOf(day: number, time: ReceiptTime): Receipt {
  return { deemed: { day, timeOfDayMs: OPENING_MS }, time };
}

function isOpenUntil(closing: DeadlineReadings['closingMinute'], timeOfDayMs: number): boolean {
  if (closing === 'whole-minute') return timeOfDayMs < CLOSING_MS + MINUTE_MS;
  return closing === 'on-the-stroke' ? timeOfDayMs <= CLOSING_MS : timeOfDayMs < CLOSING_MS;
}

/** How the clock runs from when a request is deemed received. */
interface Course {
  readonly deemedAtMs: number;
  readonly dueAtMs: number;
  /** Business day on which it runs out, or on which it goes on. */
  readonly day: number;
  /** Between which it stands still, where it does. */
  readonly stopMs: number | undefined;
  readonly restartMs: number | undefined;
}

/** The day on which a request is received is a business day, so that the clock stands still once at most: from the midnight after. */
function courseFrom(
  deemed: OfficeWall,
  deemedAtMs: number,
  { calendar: { clock, days }, reading }: ReadOffice,
): Course | undefined {
  const day = days.nextAfter(deemed.day, reading.observance);
  if (day === undefined) return undefined;
  const sameTime = clock.instantOf({ day, timeOfDayMs: deemed.timeOfDayMs });
  if (day === deemed.day + 1) {
    const dueAtMs = reading.clockChange === 'elapsed-hours' ? deemedAtMs + ALLOWED_MS : sameTime;
    return { deemedAtMs, dueAtMs, day, stopMs: undefined, restartMs: undefined };
  }
  const stopMs = clock.instantOf({ day: deemed.day + 1, timeOfDayMs: 0 });
  const restarts = reading.restart === 'one-minute-past-midnight';
  const restartMs = clock.instantOf({ day, timeOfDayMs: restarts ? RESTART_MS : 0 });
  const dueAtMs = restarts ? restartMs + ALLOWED_MS - (stopMs - deemedAtMs) : sameTime;
  return { deemedAtMs, dueAtMs, day, stopMs, restartMs };
}

/** In which stretches it ran, and on which days it did not. */
function stretchesOf(
  { deemedAtMs, dueAtMs, day, stopMs, restartMs }: Course,
  { deemed }: Receipt,
  { calendar: { days }, reading }: ReadOffice,
): Pick<ClockRun, 'dueAtMs' | 'ran' | 'stoodStill'> {
  if (stopMs === undefined || restartMs === undefined)
    return { dueAtMs, ran: [{ fromMs: deemedAtMs, toMs: dueAtMs }], stoodStill: [] };
  const stoodStill: ClosedDay[] = [];
  for (let closed = deemed.day + 1; closed < day; closed += 1) {
    const why = days.closedOn(closed, reading.observance);
    if (why !== undefined) stoodStill.push(why);
  }
  return {
    dueAtMs,
    ran: [
      { fromMs: deemedAtMs, toMs: stopMs },
      { fromMs: restartMs, toMs: dueAtMs },
    ],
    stoodStill,
  };
}
