import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEADLINE_QUESTIONS,
  FIRST_HOLIDAY_YEAR,
  LAST_HOLIDAY_YEAR,
  deadlinePolicy,
  federalHolidays,
} from '../../sdk/src/traceback/deadline/deadline-policy.js';
import type { ComputedDeadline, DeadlinePolicy } from '../../sdk/src/traceback/deadline/deadline-policy.js';
import { noticeDeadlines, tracebackDeadline } from '../../sdk/src/traceback/deadline/traceback-deadline.js';

import { forAll } from '../support/for-all.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Offices of the United States, and two more whose clocks are changed in the middle of a week, or by half an hour. */
const US_ZONES = [
  ...['America/New_York', 'America/Los_Angeles', 'America/Anchorage'],
  ...['Pacific/Honolulu', 'America/Puerto_Rico', 'Pacific/Guam'],
];
const zone = fc.constantFrom(...US_ZONES);
const anyZone = fc.constantFrom(...US_ZONES, 'Africa/Cairo', 'Australia/Lord_Howe', 'America/Havana', 'UTC');
const receivedMs = fc.integer({ min: Date.UTC(2021, 0, 1), max: Date.UTC(2035, 0, 1) });
const policy = fc
  .record({
    beforeOpening: fc.constantFrom('earliest', ...Object.keys(DEADLINE_QUESTIONS.beforeOpening.readings)),
    closingMinute: fc.constantFrom('earliest', ...Object.keys(DEADLINE_QUESTIONS.closingMinute.readings)),
    restart: fc.constantFrom('earliest', ...Object.keys(DEADLINE_QUESTIONS.restart.readings)),
    clockChange: fc.constantFrom('earliest', ...Object.keys(DEADLINE_QUESTIONS.clockChange.readings)),
    observance: fc.constantFrom('earliest', ...Object.keys(DEADLINE_QUESTIONS.observance.readings)),
    inaugurationDay: fc.boolean(),
  })
  .map((partial) => deadlinePolicy(partial as Partial<DeadlinePolicy>));

function computed(atMs: number, office: Parameters<typeof tracebackDeadline>[1]): ComputedDeadline {
  const deadline = tracebackDeadline(atMs, office);
  if (deadline.status !== 'deadline') throw new Error(deadline.reason);
  return deadline;
}

/** The holidays as a wall calendar would have them marked: every day of a year is looked at by itself. */
function markedDays(year: number): Set<string> {
  const marked = new Set<string>();
  for (let atMs = Date.UTC(year, 0, 1); atMs < Date.UTC(year + 1, 0, 1); atMs += DAY_MS) {
    const day = new Date(atMs);
    const [month, date, weekday] = [day.getUTCMonth() + 1, day.getUTCDate(), day.getUTCDay()];
    const isMonday = weekday === 1;
    const fixed = ['1/1', '7/4', '12/25', ...(year >= 1978 ? ['11/11'] : []), ...(year >= 2021 ? ['6/19'] : [])];
    const isHoliday =
      fixed.includes(`${month}/${date}`) ||
      (isMonday && month === 1 && date >= 15 && date <= 21 && year >= 1986) ||
      (isMonday && month === 2 && date >= 15 && date <= 21) ||
      (isMonday && month === 5 && date >= 25) ||
      (isMonday && month === 9 && date <= 7) ||
      (isMonday && month === 10 && date >= 8 && date <= 14) ||
      (isMonday && month === 10 && date >= 22 && date <= 28 && year < 1978) ||
      (weekday === 4 && month === 11 && date >= 22 && date <= 28);
    if (!isHoliday) continue;
    const moved = weekday === 6 ? -1 : weekday === 0 ? 1 : 0;
    marked.add(new Date(atMs + moved * DAY_MS).toISOString().slice(0, 10));
  }
  return marked;
}

test('takes every holiday of every year on the day that a wall calendar marks', () => {
  for (let year = FIRST_HOLIDAY_YEAR; year <= LAST_HOLIDAY_YEAR; year += 1) {
    expect(new Set(federalHolidays(year).map(({ observedOn }) => observedOn))).toEqual(markedDays(year));
  }
});

/** Walks a wall clock minute by minute: what a person with a calendar and a watch would do. */
function walked(receivedAtMs: number, officeZone: string): { readonly deemedMs: number; readonly dueMs: number } {
  const wall = new Intl.DateTimeFormat('sv-SE', { timeZone: officeZone, dateStyle: 'short', timeStyle: 'short' });
  const holidays = new Set<string>();
  const year = new Date(receivedAtMs).getUTCFullYear();
  for (const near of [year - 1, year, year + 1, year + 2]) for (const day of markedDays(near)) holidays.add(day);
  const isBusinessDay = (date: string): boolean =>
    ![0, 6].includes(new Date(`${date}T12:00:00Z`).getUTCDay()) && !holidays.has(date);
  const at = (atMs: number): readonly [string, string] => wall.format(atMs).split(' ') as [string, string];
  let deemedMs = receivedAtMs;
  for (; ; deemedMs += MINUTE_MS) {
    const [date, time] = at(deemedMs);
    if (isBusinessDay(date) && time >= '08:00' && time <= '17:30') break;
  }
  let dueMs = deemedMs;
  for (let left = 24 * 60; left > 0; dueMs += MINUTE_MS) if (isBusinessDay(at(dueMs)[0])) left -= 1;
  // The clock may have run out with the last minute before a closed day, and stands there.
  return { deemedMs, dueMs };
}

test('agrees with a walk along a wall clock, minute by minute', () => {
  forAll([receivedMs, zone], 300, (atMs, officeZone) => {
    const receivedAtMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
    const deadline = computed(receivedAtMs, { zone: officeZone });
    expect({ deemedMs: deadline.deemedReceivedAt.atMs, dueMs: deadline.dueAt.atMs }).toEqual(
      walked(receivedAtMs, officeZone),
    );
  });
});

test('is due after 24 hours of running clock, never before, less a clock change on a business day outside the US', () => {
  forAll([receivedMs, anyZone, policy], 3_000, (atMs, officeZone, chosen) => {
    const { receivedAt, deemedReceivedAt, dueAt, ran } = computed(atMs, { zone: officeZone, policy: chosen });
    const ranMs = ran.reduce((sum, { from, to }) => sum + to.atMs - from.atMs, 0);
    expect(receivedAt.atMs).toBeLessThanOrEqual(deemedReceivedAt.atMs);
    expect(ran[0]?.from).toEqual(deemedReceivedAt);
    expect(ran.at(-1)?.to).toEqual(dueAt);
    if (US_ZONES.includes(officeZone)) expect(ranMs).toBe(DAY_MS);
    expect(dueAt.atMs - deemedReceivedAt.atMs).toBeGreaterThanOrEqual(23 * 60 * MINUTE_MS);
  });
});

test('a later request is never due earlier', () => {
  forAll(
    [receivedMs, fc.integer({ min: 0, max: 5 * DAY_MS }), anyZone, policy],
    3_000,
    (atMs, laterMs, officeZone, chosen) => {
      // The only reading by which a request of 9:00 is due a day before one of 6:00: what speaks against it.
      fc.pre(chosen.beforeOpening !== 'next-business-day');
      const office = { zone: officeZone, policy: chosen };
      expect(computed(atMs + laterMs, office).dueAt.atMs).toBeGreaterThanOrEqual(computed(atMs, office).dueAt.atMs);
    },
  );
});

test('the earliest of all readings binds: no policy has it due before', () => {
  const strictest = deadlinePolicy({ observance: 'earliest' });
  forAll([receivedMs, anyZone, policy], 1_000, (atMs, officeZone, chosen) => {
    fc.pre(!chosen.inaugurationDay);
    const deadline = computed(atMs, { zone: officeZone, policy: chosen });
    expect(deadline.dueAt.atMs).toBe(Math.min(...deadline.readings.map(({ dueAt }) => dueAt.atMs)));
    expect(computed(atMs, { zone: officeZone, policy: strictest }).dueAt.atMs).toBeLessThanOrEqual(deadline.dueAt.atMs);
  });
});

test('answers any number and any zone, and every local time names its instant', () => {
  forAll(
    [fc.oneof(receivedMs, fc.double(), fc.integer()), fc.oneof(anyZone, fc.string({ maxLength: 40 }))],
    2_000,
    (atMs, anyName) => {
      const deadline = tracebackDeadline(atMs, { zone: anyName });
      const notice = noticeDeadlines(atMs, { zone: anyName });
      expect(deadline.status === 'refused').toBe(notice.status === 'refused');
      if (deadline.status !== 'deadline' || notice.status !== 'deadlines') return;
      for (const { atMs: instant, local } of [deadline.receivedAt, deadline.dueAt, notice.reportDueAt]) {
        expect(Date.parse(local)).toBe(instant);
      }
      expect(notice.mitigationDueAt.atMs - atMs).toBe(2 * DAY_MS);
    },
  );
});
