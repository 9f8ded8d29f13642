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
  const receipt = receiptOf(calendar.clock.wallAt(receivedAtMs), calendar, reading);
  if (receipt === undefined) return undefined;
  const { deemed, time } = receipt;
  const deemedAtMs = time === 'within-business-hours' ? receivedAtMs : calendar.clock.instantOf(deemed);
  const run = runFrom(deemed, deemedAtMs, { calendar, reading });
  return run === undefined ? undefined : { deemedAtMs, receipt: time, ...run };
}

function receiptOf(
  wall: OfficeWall,
  { days }: OfficeCalendar,
  reading: DeadlineReadings,
): { readonly deemed: OfficeWall; readonly time: ReceiptTime } | undefined {
  const opening = (day: number | undefined, time: ReceiptTime) =>
    day === undefined ? undefined : { deemed: { day, timeOfDayMs: OPENING_MS }, time };
  const next = (time: ReceiptTime) => opening(days.nextAfter(wall.day, reading.observance), time);

  const closed = days.closedOn(wall.day, reading.observance);
  if (closed !== undefined) return next(closed.because);
  if (wall.timeOfDayMs < OPENING_MS) {
    return reading.beforeOpening === 'same-day' ? opening(wall.day, 'before-opening') : next('before-opening');
  }
  return isOpenUntil(reading.closingMinute, wall.timeOfDayMs)
    ? { deemed: wall, time: 'within-business-hours' }
    : next('after-closing');
}

function isOpenUntil(closing: DeadlineReadings['closingMinute'], timeOfDayMs: number): boolean {
  if (closing === 'whole-minute') return timeOfDayMs < CLOSING_MS + MINUTE_MS;
  return closing === 'on-the-stroke' ? timeOfDayMs <= CLOSING_MS : timeOfDayMs < CLOSING_MS;
}

/** The day on which a request is received is a business day, so that the clock stands still once at most: from the midnight after. */
function runFrom(
  deemed: OfficeWall,
  deemedAtMs: number,
  { calendar: { clock, days }, reading }: { readonly calendar: OfficeCalendar; readonly reading: DeadlineReadings },
): Pick<ClockRun, 'dueAtMs' | 'ran' | 'stoodStill'> | undefined {
  const day = days.nextAfter(deemed.day, reading.observance);
  if (day === undefined) return undefined;
  const sameTime = clock.instantOf({ day, timeOfDayMs: deemed.timeOfDayMs });
  if (day === deemed.day + 1) {
    const dueAtMs = reading.clockChange === 'elapsed-hours' ? deemedAtMs + ALLOWED_MS : sameTime;
    return { dueAtMs, ran: [{ fromMs: deemedAtMs, toMs: dueAtMs }], stoodStill: [] };
  }
  const stopMs = clock.instantOf({ day: deemed.day + 1, timeOfDayMs: 0 });
  const restarts = reading.restart === 'one-minute-past-midnight';
  const restartMs = clock.instantOf({ day, timeOfDayMs: restarts ? RESTART_MS : 0 });
  const dueAtMs = restarts ? restartMs + ALLOWED_MS - (stopMs - deemedAtMs) : sameTime;
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
