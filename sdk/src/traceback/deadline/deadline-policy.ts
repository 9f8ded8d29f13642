import { HopbackError } from '../../errors.js';
import { dayNumberOfDate } from './calendar-date.js';
import type { CalendarDate } from './calendar-date.js';

/**
 * Where the text of 47 CFR 64.1200(n)(1) can be read in more than one way: a question by name, and the readings of it.
 * {@link DEADLINE_QUESTIONS} says what each stands for.
 */
export interface DeadlineReadings {
  readonly beforeOpening: 'same-day' | 'next-business-day';
  readonly closingMinute: 'whole-minute' | 'on-the-stroke' | 'outside';
  readonly restart: 'same-time-of-day' | 'one-minute-past-midnight';
  readonly clockChange: 'elapsed-hours' | 'same-time-of-day';
  readonly observance: 'observed-day' | 'calendar-date';
}

/** One of the questions. */
export type DeadlineQuestion = keyof DeadlineReadings;

/** A day on which an office is closed for another reason than the federal calendar. */
export interface OtherHoliday {
  readonly date: CalendarDate;
  /** Why: `Executive Order 14129`, `Alaska Day`. */
  readonly name: string;
}

/** How deadlines are computed: for each question one reading, or `earliest`, with which all of them are compared and the earliest binds. */
export type DeadlinePolicy = {
  readonly [Question in DeadlineQuestion]: DeadlineReadings[Question] | 'earliest';
} & {
  /** The same for the 14 days of a notice, see {@link NOTICE_REPORT_QUESTION}. */
  readonly noticeReport: NoticeReportReading | 'earliest';
  /** Whether Inauguration Day is a holiday at the office: in and around the District of Columbia alone. Default false. */
  readonly inaugurationDay: boolean;
  /**
   * Days on which the clock does not run either, at most {@link MAX_OTHER_HOLIDAYS}. The rule knows federal legal holidays alone, so
   * holidays of a state and an office's own make no deadline later: name here only what the requesters have agreed to. Default none.
   */
  readonly otherHolidays: readonly OtherHoliday[];
};

/** How the 14 days of a notice can be counted. */
export type NoticeReportReading = 'to-the-hour' | 'end-of-fourteenth-day' | 'next-business-day';

/** A question, what its readings stand for, and which is taken where nothing is configured. */
export interface DeadlineQuestionText<Reading extends string = string> {
  readonly asks: string;
  readonly readings: Readonly<Record<Reading, string>>;
  readonly byDefault: Reading | 'earliest';
  /** Why that is the default. */
  readonly because: string;
}

/** The questions that the text of the rule leaves open, for people and for forms. 47 CFR 64.1200(n)(1) */
export const DEADLINE_QUESTIONS: { readonly [Q in DeadlineQuestion]: DeadlineQuestionText<DeadlineReadings[Q]> } = {
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
};

/** What the 14 days of a notice leave open. 47 CFR 64.1200(n), 47 CFR 1.4 */
export const NOTICE_REPORT_QUESTION: DeadlineQuestionText<NoticeReportReading> = {
  asks: 'When do 14 days from the receipt of a notice end?',
  readings: {
    'to-the-hour': 'At the same time of day, 14 days later.',
    'end-of-fourteenth-day': 'With the 14th day after the one of receipt. 47 CFR 1.4(b), (c)',
    'next-business-day': 'With that day, or with the next business day where it is none. 47 CFR 1.4(j)',
  },
  byDefault: 'earliest',
  because: 'A report that comes by the earliest is in time under all.',
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
  const policy: DeadlinePolicy = {
    beforeOpening: partial.beforeOpening ?? DEADLINE_QUESTIONS.beforeOpening.byDefault,
    closingMinute: partial.closingMinute ?? DEADLINE_QUESTIONS.closingMinute.byDefault,
    restart: partial.restart ?? DEADLINE_QUESTIONS.restart.byDefault,
    clockChange: partial.clockChange ?? DEADLINE_QUESTIONS.clockChange.byDefault,
    observance: partial.observance ?? DEADLINE_QUESTIONS.observance.byDefault,
    noticeReport: partial.noticeReport ?? NOTICE_REPORT_QUESTION.byDefault,
    inaugurationDay: partial.inaugurationDay ?? false,
    otherHolidays: partial.otherHolidays?.map(({ date, name }) => ({ date, name })) ?? [],
  };
  for (const [question, text] of Object.entries<DeadlineQuestionText>(DEADLINE_QUESTIONS)) {
    checkReading(question, policy[question as DeadlineQuestion], text);
  }
  checkReading('noticeReport', policy.noticeReport, NOTICE_REPORT_QUESTION);
  checkHolidays(policy.otherHolidays);
  return policy;
}

function checkReading(question: string, reading: string, { readings }: DeadlineQuestionText): void {
  if (reading === 'earliest' || Object.hasOwn(readings, reading)) return;
  throw new HopbackError(
    'invalid-configuration',
    `"${question}" of a deadline policy is one of: earliest, ${Object.keys(readings).join(', ')}.`,
    { details: { question } },
  );
}

function checkHolidays(holidays: readonly OtherHoliday[]): void {
  if (holidays.length > MAX_OTHER_HOLIDAYS) {
    throw new HopbackError(
      'invalid-configuration',
      `A deadline policy names at most ${MAX_OTHER_HOLIDAYS} other holidays.`,
      { details: { holidays: holidays.length } },
    );
  }
  const index = holidays.findIndex(
    ({ date, name }) => dayNumberOfDate(date) === undefined || name === '' || name.length > MAX_HOLIDAY_NAME,
  );
  if (index >= 0) {
    throw new HopbackError(
      'invalid-configuration',
      `Entry ${index} of otherHolidays is no date as 2026-12-24 with a name of 1 to ${MAX_HOLIDAY_NAME} characters.`,
      { details: { index } },
    );
  }
}
