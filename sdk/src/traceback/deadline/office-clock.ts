import { createNamedMemo } from '../../core/memo.js';
import { zoneClock } from '../../records/ingest/formats/row-times.js';
import type { WallTime, ZoneClock } from '../../records/ingest/formats/row-times.js';
import { businessDays, calendarDate, deadlinePolicy } from './deadline-policy.js';
import type {
  BusinessDays,
  ClosedDay,
  ComputedDeadline,
  DeadlinePolicy,
  DeadlineReadings,
  OfficeTime,
} from './deadline-policy.js';

/** A local time: the day, counted from 1970-01-01, and how far into it the clock on the wall shows. */
interface OfficeWall {
  readonly day: number;
  /** 0 to 86,399,999. */
  readonly timeOfDayMs: number;
}

/** The clock of the zone in which an office lies. */
type OfficeClock = NonNullable<ReturnType<typeof newClock>>;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** More than the IANA database has names: whoever asks for others asks for none that there are. */
const KEPT_CLOCKS = 1_024;
/** Local times of one zone: a year of openings, closings and midnights. */
const KEPT_INSTANTS = 4_096;

/** Clocks by the names that they were asked for: to make one costs more than the deadline that it is made for. */
const clockFor = createNamedMemo<OfficeClock | undefined>(KEPT_CLOCKS);

/** The clock of a zone; undefined where there is none of that name. Made once for each zone. */
function officeClock(zone: string): OfficeClock | undefined {
  // Names are told apart by their case here and not by the database of zones, so that there are more spellings than zones.
  return clockFor(zone, () => newClock(zone));
}

function newClock(zone: string) {
  const clock = zoneClock(zone);
  if (clock === undefined) return undefined;
  const { offsetMsAt } = clock;
  // A deadline is computed under many readings, most of which ask for the same few instants.
  const instants = new Map<number, number>();
  const wallAt = (atMs: number): OfficeWall => {
    const local = atMs + offsetMsAt(atMs);
    const day = Math.floor(local / DAY_MS);
    return { day, timeOfDayMs: local - day * DAY_MS };
  };
  return {
    /** IANA name. */
    zone: clock.zone,
    wallAt,
    timeAt: (atMs: number): OfficeTime => ({ atMs, local: localText(atMs, offsetMsAt(atMs)) }),
    /**
     * The instant of a local time: the first of two where clocks go back, the moment of the change where they go forward over it. Later local times
     * are never earlier instants.
     */
    instantOf: ({ day, timeOfDayMs }: OfficeWall): number => {
      const localMs = day * DAY_MS + timeOfDayMs;
      const known = instants.get(localMs);
      if (known !== undefined) return known;
      const instantMs = instantAt(localMs, clock);
      if (instants.size >= KEPT_INSTANTS) instants.clear();
      instants.set(localMs, instantMs);
      return instantMs;
    },
  };
}

function instantAt(localMs: number, clock: ZoneClock): number {
  const day = Math.floor(localMs / DAY_MS);
  const instant = clock.instantOf(wallTime(day, localMs - day * DAY_MS));
  if (instant.kind === 'one') return instant.atUs / 1_000;
  return instant.kind === 'two' ? instant.earlierUs / 1_000 : changeBefore(localMs, clock.offsetMsAt);
}

function wallTime(day: number, timeOfDayMs: number): WallTime {
  const [year = 0, month = 0, date = 0] = calendarDate(day).split('-').map(Number);
  return {
    year,
    month,
    day: date,
    hour: Math.floor(timeOfDayMs / HOUR_MS),
    minute: Math.floor(timeOfDayMs / MINUTE_MS) % 60,
    second: Math.floor(timeOfDayMs / 1_000) % 60,
    microsecond: (timeOfDayMs % 1_000) * 1_000,
  };
}

/** When clocks went forward over a local time: the first instant at which they show a later one. Offsets change on whole minutes. */
function changeBefore(localMs: number, offsetMsAt: (atMs: number) => number): number {
  let before = Math.floor((localMs - DAY_MS) / MINUTE_MS) - 24 * 60;
  let after = before + 4 * 24 * 60;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle * MINUTE_MS + offsetMsAt(middle * MINUTE_MS) > localMs) after = middle;
    else before = middle;
  }
  return after * MINUTE_MS;
}

function localText(atMs: number, offsetMs: number): string {
  const local = new Date(atMs + offsetMs).toISOString();
  const [seconds = '', fraction = ''] = local.slice(0, -1).split('.');
  const minutes = Math.abs(Math.round(offsetMs / MINUTE_MS));
  const sign = offsetMs < 0 ? '-' : '+';
  const offset = `${sign}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
  return `${seconds}${fraction === '000' ? '' : `.${fraction}`}${offset}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** The office that answers: "all times are local time for the office that is responding". 47 CFR 64.1200(n)(1) */
export interface RespondingOffice {
  /** IANA name of its zone, `America/Anchorage`; `UTC` is one. */
  readonly zone: string;
  /** From {@link deadlinePolicy}, whose default is the default here. */
  readonly policy?: DeadlinePolicy;
}

/** Why no deadline can be computed: it is for whoever keeps the office's address to put right. */
export interface DeadlineRefusal {
  readonly status: 'refused';
  readonly reason: 'unknown-zone' | 'time-out-of-range' | 'no-business-day';
  /** The same in words. */
  readonly detail: string;
}

/** Clock, calendar and policy of an office, ready for use. */
export interface OfficeCalendar {
  readonly clock: OfficeClock;
  readonly days: BusinessDays;
  readonly policy: DeadlinePolicy;
}

/** As for other times of this package: what lies outside is another unit, or a clock that was never set. */
const EARLIEST_MS = Date.UTC(1990, 0, 1);
const LATEST_MS = Date.UTC(2200, 0, 1);

/** Prepares an office for an instant in milliseconds since the epoch; says why that cannot be. */
export function officeCalendar(office: RespondingOffice, atMs: number): OfficeCalendar | DeadlineRefusal {
  if (!isOfficeTime(atMs)) return OUT_OF_RANGE;
  const clock = officeClock(office.zone);
  if (clock === undefined) return UNKNOWN_ZONE;
  const policy = office.policy ?? deadlinePolicy();
  return { clock, days: businessDays(policy), policy };
}

/** Whether deadlines are computed for an instant. */
export function isOfficeTime(atMs: number): boolean {
  return atMs >= EARLIEST_MS && atMs < LATEST_MS && Number.isInteger(atMs);
}

/** Times that are none. */
export const OUT_OF_RANGE: DeadlineRefusal = {
  status: 'refused',
  reason: 'time-out-of-range',
  detail: 'A time is not between 1990 and 2199, in whole milliseconds since the epoch.',
};

const UNKNOWN_ZONE: DeadlineRefusal = {
  status: 'refused',
  reason: 'unknown-zone',
  detail: 'The zone of the responding office is not in the IANA database.',
};

/** The calendar of an office has no end of closed days. */
export const NEVER_OPEN: DeadlineRefusal = {
  status: 'refused',
  reason: 'no-business-day',
  detail: 'The other holidays of the policy leave no business day for a month.',
};

export type ReceiptTime = ComputedDeadline['receipt'];

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
    return {
      deemedAtMs,
      dueAtMs,
      day,
      stopMs: undefined,
      restartMs: undefined,
    };
  }
  const stopMs = clock.instantOf({ day: deemed.day + 1, timeOfDayMs: 0 });
  const restarts = reading.restart === 'one-minute-past-midnight';
  const restartMs = clock.instantOf({ day, timeOfDayMs: restarts ? RESTART_MS : 0 });
  const dueAtMs = restarts ? restartMs + ALLOWED_MS - (stopMs - deemedAtMs) : sameTime;
  return {
    deemedAtMs,
    dueAtMs,
    day,
    stopMs,
    restartMs,
  };
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
