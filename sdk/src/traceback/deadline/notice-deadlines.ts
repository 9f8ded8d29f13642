import { NOTICE_REPORT_QUESTION } from './deadline-policy.js';
import type { NoticeReportReading } from './deadline-policy.js';
import { isOfficeTime, NEVER_OPEN, officeCalendar, OUT_OF_RANGE } from './office-calendar.js';
import type { DeadlineRefusal, OfficeCalendar, RespondingOffice } from './office-calendar.js';
import type { OfficeTime } from './office-clock.js';

/** The office that answers a notice, and what the notice itself says. */
export interface NoticeOffice extends RespondingOffice {
  /** Until when the report is due in the words of the notice, milliseconds since the epoch: where it says so, that holds. */
  readonly statedReportDueAtMs?: number;
}

/** The two clocks of an FCC notice of suspected illegal traffic. */
export interface ComputedNoticeDeadlines {
  readonly status: 'deadlines';
  readonly zone: string;
  readonly receivedAt: OfficeTime;
  /** Until when the traffic is mitigated: 48 hours as they pass, weekends and holidays included. */
  readonly mitigationDueAt: OfficeTime;
  /** Until when the investigation is reported. */
  readonly reportDueAt: OfficeTime;
  /** How the 14 days were counted, the earliest first: that one binds. `stated` is the only one where the notice names a date. */
  readonly reportReadings: readonly { readonly reading: NoticeReportReading | 'stated'; readonly dueAt: OfficeTime }[];
}

/** When a notice has to be acted upon, or why that cannot be said. */
export type NoticeDeadlines = ComputedNoticeDeadlines | DeadlineRefusal;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** "effectively mitigate such traffic within 48 hours". 47 CFR 64.1200(k)(4) */
const MITIGATION_MS = 48 * HOUR_MS;
/** A notice gives "no fewer than 14 days". 47 CFR 64.1200(n) */
const REPORT_DAYS = 14;

/**
 * Computes when an FCC notice of suspected illegal traffic has to be acted upon: mitigated within 48 hours, reported on within 14 days. Neither
 * clock waits for business hours.
 * @param receivedAtMs - when the notice came, whole milliseconds since the epoch, 1990 to 2199
 * @param office - whose local time counts, the policy, and the date that the notice states for the report
 * @returns both deadlines and how the days were counted; `refused` for a zone that there is not, a time out of range, or an office that its
 * policy never opens; never throws
 * @see 47 CFR 64.1200(k)(4), 47 CFR 64.1200(n), 47 CFR 1.4
 * @example
 * ```ts
 * const clocks = noticeDeadlines(Date.parse('2026-12-18T16:00:00-06:00'), { zone: 'America/Chicago' });
 * if (clocks.status === 'deadlines') console.log(clocks.mitigationDueAt.local); // 2026-12-20T16:00:00-06:00
 * ```
 */
export function noticeDeadlines(receivedAtMs: number, office: NoticeOffice): NoticeDeadlines {
  const calendar = officeCalendar(office, receivedAtMs);
  if ('status' in calendar) return calendar;
  const { clock } = calendar;
  if (office.statedReportDueAtMs !== undefined && !isOfficeTime(office.statedReportDueAtMs)) return OUT_OF_RANGE;
  const counted = reportReadings(receivedAtMs, calendar, office.statedReportDueAtMs);
  const [binding] = counted;
  if (binding === undefined) return NEVER_OPEN;
  return {
    status: 'deadlines',
    zone: clock.zone,
    receivedAt: clock.timeAt(receivedAtMs),
    mitigationDueAt: clock.timeAt(receivedAtMs + MITIGATION_MS),
    reportDueAt: binding.dueAt,
    reportReadings: counted,
  };
}

function reportReadings(
  receivedAtMs: number,
  calendar: OfficeCalendar,
  statedMs: number | undefined,
): ComputedNoticeDeadlines['reportReadings'] {
  const { clock, policy } = calendar;
  if (statedMs !== undefined) return [{ reading: 'stated', dueAt: clock.timeAt(statedMs) }];
  const asked =
    policy.noticeReport === 'earliest'
      ? (Object.keys(NOTICE_REPORT_QUESTION.readings) as NoticeReportReading[])
      : [policy.noticeReport];
  return asked
    .flatMap((reading) => {
      const dueAtMs = reportDue(receivedAtMs, calendar, reading);
      return dueAtMs === undefined ? [] : [{ reading, dueAt: clock.timeAt(dueAtMs) }];
    })
    .sort((one, other) => one.dueAt.atMs - other.dueAt.atMs);
}

function reportDue(
  receivedAtMs: number,
  { clock, days, policy }: OfficeCalendar,
  reading: NoticeReportReading,
): number | undefined {
  const { day, timeOfDayMs } = clock.wallAt(receivedAtMs);
  const last = day + REPORT_DAYS;
  const endOf = (which: number): number => clock.instantOf({ day: which, timeOfDayMs: DAY_MS - 1 });
  if (reading === 'to-the-hour') return clock.instantOf({ day: last, timeOfDayMs });
  if (reading === 'end-of-fourteenth-day') return endOf(last);
  // Of the two the calendar's own date makes for the earlier end, where it is left to be compared.
  const observance = policy.observance === 'observed-day' ? 'observed-day' : 'calendar-date';
  const business = days.closedOn(last, observance) === undefined ? last : days.nextAfter(last, observance);
  return business === undefined ? undefined : endOf(business);
}
