import { createMemo, createNamedMemo } from '../../core/memo.js';
import { HopbackError } from '../../errors.js';

const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a date that exists; members beyond their ranges count on, as day 0 is the last of the month before. */
function dayNumberOf(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/** The date of a day, counted from 1970-01-01: `2026-07-04`. RFC 3339 section 5.6 */
export function calendarDate(dayNumber: number): string {
  return new Date(dayNumber * DAY_MS).toISOString().slice(0, 10);
}

/** The day of a date, counted from 1970-01-01; undefined where it is not written so, or there is no such day. */
function dayNumberOfDate(date: string): number | undefined {
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

/**
 * The questions that the text of 47 CFR 64.1200(n)(1) leaves open, for people and for forms: what its readings stand for, and which is taken where
 * nothing is configured, and why. `earliest`: all of them are compared, and the earliest deadline binds.
 */
export const DEADLINE_QUESTIONS = {
  beforeOpening: {
    asks: 'When is a request deemed received that comes on a business day before 8:00?',
    readings: {
      'same-day': 'At 8:00 of that day, the next time at which business begins.',
      'next-business-day': 'At 8:00 of the business day after, as the words "next business day" can be taken.',
    },
    byDefault: 'earliest',
    because:
      'By the later reading a request of 9:00 is due a day before one that came at 6:00; and an answer by the earlier is in time under both.',
  },
  closingMinute: {
    asks: 'Does a request that comes at 17:30 come within business hours?',
    readings: {
      'whole-minute': 'Until 17:30:59: an e-mail whose time says 17:30 came at 17:30.',
      'on-the-stroke': 'At 17:30:00 and not a moment later.',
      outside: 'No: business hours end when 17:30 begins.',
    },
    byDefault: 'earliest',
    because:
      'Received within business hours is due at the same time of the next day, and not at 8:00 of the day after that.',
  },
  restart: {
    asks: 'When does a clock end that stood still over a weekend or holiday?',
    readings: {
      'same-time-of-day':
        "At the time of day at which it began: the rule's own example is Friday 15:00, due Monday 15:00.",
      'one-minute-past-midnight':
        'When the rest of the 24 hours has run, counted from 12:01 a.m. of the next business day: Monday 15:01.',
    },
    byDefault: 'earliest',
    because: 'The example is a minute earlier than the words in front of it.',
  },
  clockChange: {
    asks: 'What are 24 hours between which the clocks of the zone were changed?',
    readings: {
      'elapsed-hours': '24 hours as they pass.',
      'same-time-of-day': 'Until the same time of the next day, 23 or 25 hours later.',
    },
    byDefault: 'earliest',
    because: 'It arises only where clocks change on a business day, which they do in no zone of the United States.',
  },
  observance: {
    asks: 'Is the day a federal legal holiday on which a holiday is taken that falls on a Saturday or Sunday?',
    readings: {
      'observed-day':
        "Yes: the Friday before, or the Monday after, as the Commission's own rules take it. 47 CFR 1.4(e)(1)",
      'calendar-date': 'No: only the date that 5 USC 6103(a) names.',
    },
    byDefault: 'observed-day',
    because: 'The Commission wrote both rules, and says in 47 CFR 1.4(e)(1) which days it means.',
  },
  noticeReport: {
    asks: 'When do 14 days from the receipt of a notice end? 47 CFR 64.1200(n), 47 CFR 1.4',
    readings: {
      'to-the-hour': 'At the same time of day, 14 days later.',
      'end-of-fourteenth-day': 'With the 14th day after the one of receipt. 47 CFR 1.4(b), (c)',
      'next-business-day': 'With that day, or with the next business day if it is not one. 47 CFR 1.4(j)',
    },
    byDefault: 'earliest',
    because: 'A report that comes by the earliest is in time under all.',
  },
} as const;

/** How deadlines are computed: for each question one reading, or `earliest`, with which all of them are compared and the earliest binds. */
export type DeadlinePolicy = {
  readonly [Question in keyof typeof DEADLINE_QUESTIONS]:
    'earliest' | keyof (typeof DEADLINE_QUESTIONS)[Question]['readings'];
} & {
  /** Whether Inauguration Day is a holiday at the office: in and around the District of Columbia alone. Default false. */
  readonly inaugurationDay: boolean;
  /**
   * Days on which the clock does not run either, at most 1,000, with a name of 1 to 120 characters: `Executive Order 14129`, `Alaska Day`. The
   * rule knows federal legal holidays alone, so holidays of a state and an office's own make no deadline later: name here only what the
   * requesters have agreed to. Default none.
   */
  readonly otherHolidays: readonly { readonly date: string; readonly name: string }[];
};

/** A holiday a week for ten years and to spare; what comes with more of them is no list of holidays. */
export const MAX_OTHER_HOLIDAYS = 1_000;
/** Of its name, in characters: it is repeated in explanations. */
const MAX_HOLIDAY_NAME = 120;

/**
 * Makes the policy by which deadlines are computed, and checks it.
 * @param partial - what differs from the default: compare all readings but `observance`, no other holidays
 * @returns the whole policy
 * @throws {@link HopbackError} `invalid-configuration` for a reading that there is not, a date that does not exist, or too many holidays
 * @see 47 CFR 64.1200(n)(1), and {@link DEADLINE_QUESTIONS} for the reason of each default
 * @example
 * ```ts
 * const policy = deadlinePolicy({ otherHolidays: [{ date: '2026-12-24', name: 'agreed with the requester' }] });
 * console.log(policy.restart, policy.observance); // earliest observed-day
 * ```
 */
export function deadlinePolicy(partial: Partial<DeadlinePolicy> = {}): DeadlinePolicy {
  checkHolidays(partial.otherHolidays ?? []);
  return {
    beforeOpening: readingIn(partial, 'beforeOpening'),
    closingMinute: readingIn(partial, 'closingMinute'),
    restart: readingIn(partial, 'restart'),
    clockChange: readingIn(partial, 'clockChange'),
    observance: readingIn(partial, 'observance'),
    noticeReport: readingIn(partial, 'noticeReport'),
    inaugurationDay: partial.inaugurationDay ?? false,
    otherHolidays: partial.otherHolidays?.map(({ date, name }) => ({ date, name })) ?? [],
  };
}

function readingIn<Question extends keyof DeadlineReadings>(
  partial: Partial<DeadlinePolicy>,
  question: Question,
): DeadlinePolicy[Question] {
  const { readings, byDefault } = DEADLINE_QUESTIONS[question];
  const reading = (partial[question] ?? byDefault) as DeadlinePolicy[Question];
  if (reading === 'earliest' || Object.hasOwn(readings, reading)) return reading;
  const text = `"${question}" of a deadline policy is one of: earliest, ${Object.keys(readings).join(', ')}.`;
  throw new HopbackError('invalid-configuration', text, { details: { question } });
}

function checkHolidays(holidays: DeadlinePolicy['otherHolidays']): void {
  if (holidays.length > MAX_OTHER_HOLIDAYS) {
    const text = `A deadline policy names at most ${MAX_OTHER_HOLIDAYS} other holidays.`;
    throw new HopbackError('invalid-configuration', text, { details: { holidays: holidays.length } });
  }
  const index = holidays.findIndex(
    ({ date, name }) => dayNumberOfDate(date) === undefined || name === '' || name.length > MAX_HOLIDAY_NAME,
  );
  if (index >= 0) {
    const text = `Entry ${index} of otherHolidays is no date as 2026-12-24 with a name of 1 to ${MAX_HOLIDAY_NAME} characters.`;
    throw new HopbackError('invalid-configuration', text, { details: { index } });
  }
}

/** The first year in which the holidays on Mondays were where they are now. Public Law 90-363 */
export const FIRST_HOLIDAY_YEAR = 1971;
/** As far as times of this package reach. */
export const LAST_HOLIDAY_YEAR = 2201;

/**
 * Computes the federal holidays of a year, by the rules that were law in it: Juneteenth since 2021, the birthday of Martin Luther King since
 * 1986, Veterans Day on a Monday of October until 1977.
 * @param year - 1971 to 2201
 * @param options - whether Inauguration Day is among them: a holiday in and around the District of Columbia alone, elsewhere a deadline would come
 * too late
 * @returns the holidays whose date is in that year, by date; the first of the next year may be taken on 31 December of this
 * @throws {@link HopbackError} `invalid-argument` for a year out of range
 * @see 5 USC 6103, Executive Order 11582, 47 CFR 1.4(e)(1)
 */
export function federalHolidays(year: number, options: { readonly inaugurationDay?: boolean } = {}) {
  if (!Number.isInteger(year) || year < FIRST_HOLIDAY_YEAR || year > LAST_HOLIDAY_YEAR) {
    const text = `Federal holidays are known for whole years from ${FIRST_HOLIDAY_YEAR} to ${LAST_HOLIDAY_YEAR}.`;
    throw new HopbackError('invalid-argument', text, { details: { year: String(year) } });
  }
  return HOLIDAYS.filter((rule) => year >= (rule.since ?? year) && year <= (rule.until ?? year))
    .filter(({ id }) => id !== 'inauguration-day' || (options.inaugurationDay === true && year % 4 === 1))
    .map((rule) => holidayOf(rule, year))
    .sort((one, other) => (one.date < other.date ? -1 : one.date > other.date ? 1 : 0));
}

interface HolidayRule {
  readonly id: string;
  /** As the law has it. */
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
  {
    id: 'veterans-day',
    name: 'Veterans Day',
    month: 10,
    on: { nth: 4, weekday: MONDAY },
    until: 1977,
  },
  {
    id: 'veterans-day',
    name: 'Veterans Day',
    month: 11,
    on: { day: 11 },
    since: 1978,
  },
  { id: 'thanksgiving-day', name: 'Thanksgiving Day', month: 11, on: { nth: 4, weekday: THURSDAY } },
  { id: 'christmas-day', name: 'Christmas Day', month: 12, on: { day: 25 } },
];

/**
 * A holiday of one year: the date that the law names, and the day on which it is taken, the Friday before a Saturday and the Monday after a Sunday. New
 * Year's Day on a Saturday is taken in the year before.
 */
function holidayOf({ id, name, month, on }: HolidayRule, year: number) {
  const day = 'day' in on ? dayNumberOf(year, month, on.day) : nthWeekday(year, month, on);
  return { id, name, date: calendarDate(day), observedOn: calendarDate(observedDay(id, day)) };
}

function observedDay(id: string, day: number): number {
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

/** A deadline that says how it came about. */
export interface ComputedDeadline {
  readonly status: 'deadline';
  /** IANA name of the office's zone. */
  readonly zone: string;
  /** When the request came: the instant, and what the clock on the wall of the responding office shows at it. */
  readonly receivedAt: {
    /** Milliseconds since the epoch. */
    readonly atMs: number;
    /** `2026-11-27T15:00:00-05:00`, with a fraction where there is one. RFC 3339 section 5.6 */
    readonly local: string;
  };
  /** When the request counts as received: the clock starts then. */
  readonly deemedReceivedAt: ComputedDeadline['receivedAt'];
  /** Why it is that time: within business hours it is when the request came, else 8:00 of a business day. */
  readonly receipt:
    'within-business-hours' | 'before-opening' | 'after-closing' | ComputedDeadline['stoodStill'][number]['because'];
  readonly dueAt: ComputedDeadline['receivedAt'];
  /** Stretches in which the clock ran, one after the other. */
  readonly ran: readonly {
    readonly from: ComputedDeadline['receivedAt'];
    readonly to: ComputedDeadline['receivedAt'];
  }[];
  /** Days between them on which it did not. */
  readonly stoodStill: readonly {
    readonly date: string;
    readonly because: 'weekend' | 'federal-holiday' | 'other-holiday';
    /** Of the holiday. */
    readonly name?: string;
  }[];
  /** All readings that were compared, the earliest first: that one binds. */
  readonly readings: readonly {
    /** How the questions are answered that make a difference to this request. Empty where none does. */
    readonly answers: {
      readonly [Question in keyof typeof DEADLINE_QUESTIONS]?: keyof (typeof DEADLINE_QUESTIONS)[Question]['readings'];
    };
    readonly deemedReceivedAt: ComputedDeadline['receivedAt'];
    readonly dueAt: ComputedDeadline['receivedAt'];
  }[];
  /** All of that in sentences, for people and for evidence. */
  readonly explanation: readonly string[];
}

export type OfficeTime = ComputedDeadline['receivedAt'];
export type ClosedDay = ComputedDeadline['stoodStill'][number];
/** For each question of {@link DEADLINE_QUESTIONS} one reading. */
export type DeadlineReadings = Required<ComputedDeadline['readings'][number]['answers']>;

/** Which days are business days, under each way to take observed holidays. */
export type BusinessDays = ReturnType<typeof newCalendar>;

type Observance = DeadlineReadings['observance'];

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

function newCalendar({ inaugurationDay, otherHolidays }: CalendarPolicy) {
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
  return {
    /** Undefined for a business day. Days are counted from 1970-01-01. */
    closedOn,
    /** The first business day after a day; undefined where `MAX_CLOSED_DAYS` in a row are none. */
    nextAfter,
  };
}
