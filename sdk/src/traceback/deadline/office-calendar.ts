import { businessDays } from './business-days.js';
import type { BusinessDays } from './business-days.js';
import { deadlinePolicy } from './deadline-policy.js';
import type { DeadlinePolicy } from './deadline-policy.js';
import { officeClock } from './office-clock.js';
import type { OfficeClock } from './office-clock.js';

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
  detail: 'The zone of the responding office is none of the IANA database.',
};

/** The calendar of an office has no end of closed days. */
export const NEVER_OPEN: DeadlineRefusal = {
  status: 'refused',
  reason: 'no-business-day',
  detail: 'The other holidays of the policy leave no business day for a month.',
};
