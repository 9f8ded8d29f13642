export {
  DEADLINE_QUESTIONS,
  FIRST_HOLIDAY_YEAR,
  LAST_HOLIDAY_YEAR,
  MAX_OTHER_HOLIDAYS,
  NOTICE_REPORT_QUESTION,
  deadlinePolicy,
  federalHolidays,
} from './deadline-policy.js';
export type {
  CalendarDate,
  ClosedDay,
  DeadlinePolicy,
  DeadlineQuestion,
  DeadlineQuestionText,
  DeadlineReadings,
  FederalHoliday,
  FederalHolidayId,
  FederalHolidayOptions,
  NoticeReportReading,
  OtherHoliday,
} from './deadline-policy.js';
export type { DeadlineRefusal, OfficeTime, ReceiptTime, RespondingOffice } from './office-clock.js';
export { noticeDeadlines, tracebackDeadline } from './traceback-deadline.js';
export type {
  ComputedDeadline,
  ComputedNoticeDeadlines,
  DeadlineReading,
  NoticeDeadlines,
  NoticeOffice,
  TracebackDeadline,
} from './traceback-deadline.js';
