export type { ClosedDay } from './business-days.js';
export type { CalendarDate } from './calendar-date.js';
export type { ReceiptTime } from './clock-run.js';
export { DEADLINE_QUESTIONS, deadlinePolicy, MAX_OTHER_HOLIDAYS, NOTICE_REPORT_QUESTION } from './deadline-policy.js';
export type {
  DeadlinePolicy,
  DeadlineQuestion,
  DeadlineQuestionText,
  DeadlineReadings,
  NoticeReportReading,
  OtherHoliday,
} from './deadline-policy.js';
export { federalHolidays, FIRST_HOLIDAY_YEAR, LAST_HOLIDAY_YEAR } from './federal-holidays.js';
export type { FederalHoliday, FederalHolidayId, FederalHolidayOptions } from './federal-holidays.js';
export { noticeDeadlines } from './notice-deadlines.js';
export type { ComputedNoticeDeadlines, NoticeDeadlines, NoticeOffice } from './notice-deadlines.js';
export type { DeadlineRefusal, RespondingOffice } from './office-calendar.js';
export type { OfficeTime } from './office-clock.js';
export { tracebackDeadline } from './traceback-deadline.js';
export type { ComputedDeadline, DeadlineReading, TracebackDeadline } from './traceback-deadline.js';
