import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  deadlinePolicy,
  federalHolidays,
  FIRST_HOLIDAY_YEAR,
  LAST_HOLIDAY_YEAR,
  MAX_OTHER_HOLIDAYS,
} from '../../sdk/src/traceback/deadline/deadline-policy.js';
import type { DeadlinePolicy } from '../../sdk/src/traceback/deadline/deadline-policy.js';
import {
  noticeDeadlines,
  tracebackDeadline,
  tracebackDueTime,
} from '../../sdk/src/traceback/deadline/traceback-deadline.js';

interface DeadlineCase {
  readonly name: string;
  readonly zone: string;
  readonly receivedAt: string;
  readonly policy?: Partial<DeadlinePolicy>;
  readonly statedReportDueAt?: string;
  readonly expected: object;
  readonly reason: string;
}

const vector = (file: string): string =>
  readFileSync(new URL(`../vectors/deadline/${file}.json`, import.meta.url), 'utf8');
const casesOf = (file: string): readonly DeadlineCase[] =>
  (JSON.parse(vector(file)) as { readonly cases: readonly DeadlineCase[] }).cases;
const named = (entry: DeadlineCase): readonly [string, string, DeadlineCase] => [entry.name, entry.reason, entry];

test.for(casesOf('traceback-deadlines').map(named))('%s: %s', ([, , entry]) => {
  const { zone, policy, expected } = entry;
  const deadline = tracebackDeadline(Date.parse(entry.receivedAt), { zone, policy: deadlinePolicy(policy) });
  if (deadline.status !== 'deadline') throw new Error(deadline.reason);
  const [binding, ...others] = deadline.readings;
  expect({
    deemedReceivedAt: deadline.deemedReceivedAt.local,
    dueAt: deadline.dueAt.local,
    receipt: deadline.receipt,
    ...(others.length > 0 && { otherDueAt: others.map(({ dueAt }) => dueAt.local) }),
  }).toEqual(expected);
  expect(binding?.dueAt).toEqual(deadline.dueAt);
});

test.for(casesOf('notice-deadlines').map(named))('notice %s: %s', ([, , entry]) => {
  const clocks = noticeDeadlines(Date.parse(entry.receivedAt), {
    zone: entry.zone,
    policy: deadlinePolicy(entry.policy),
    ...(entry.statedReportDueAt !== undefined && { statedReportDueAtMs: Date.parse(entry.statedReportDueAt) }),
  });
  if (clocks.status !== 'deadlines') throw new Error(clocks.reason);
  expect({
    mitigationDueAt: clocks.mitigationDueAt.local,
    reportDueAt: clocks.reportDueAt.local,
    reading: clocks.reportReadings[0]?.reading,
  }).toEqual(entry.expected);
});

test('says in which stretches the clock ran, on which days it did not, and which reading binds', () => {
  const deadline = tracebackDeadline(Date.parse('2026-11-25T13:00:00-05:00'), { zone: 'America/New_York' });
  if (deadline.status !== 'deadline') throw new Error(deadline.reason);
  expect(deadline.ran.map(({ from, to }) => [from.local, to.local])).toEqual([
    ['2026-11-25T13:00:00-05:00', '2026-11-26T00:00:00-05:00'],
    ['2026-11-27T00:00:00-05:00', '2026-11-27T13:00:00-05:00'],
  ]);
  expect(deadline.stoodStill).toEqual([{ date: '2026-11-26', because: 'federal-holiday', name: 'Thanksgiving Day' }]);
  expect(deadline.readings.map(({ answers }) => answers)).toEqual([
    { restart: 'same-time-of-day' },
    { restart: 'one-minute-past-midnight' },
  ]);
  expect(deadline.explanation).toHaveLength(4);
});

test('tells an unknown zone, a time out of range and an office that never opens apart', () => {
  const received = Date.parse('2026-02-03T12:00:00Z');
  const reasonOf = (atMs: number, zone: string, policy?: DeadlinePolicy): string => {
    const deadline = tracebackDeadline(atMs, policy === undefined ? { zone } : { zone, policy });
    return deadline.status === 'refused' ? deadline.reason : deadline.status;
  };
  expect(reasonOf(received, 'America/Springfield')).toBe('unknown-zone');
  expect(reasonOf(received * 1_000, 'America/New_York')).toBe('time-out-of-range');
  expect(reasonOf(Number.NaN, 'America/New_York')).toBe('time-out-of-range');
  const otherHolidays = Array.from({ length: 60 }, (_, day) => ({
    date: new Date(received + day * 86_400_000).toISOString().slice(0, 10),
    name: 'closed',
  }));
  expect(reasonOf(received, 'America/New_York', deadlinePolicy({ otherHolidays }))).toBe('no-business-day');
  const stated = noticeDeadlines(received, { zone: 'UTC', statedReportDueAtMs: Number.NaN });
  expect(stated.status === 'refused' && stated.reason).toBe('time-out-of-range');
});

test('a policy that is changed after it was used changes no deadline under another that said the same', () => {
  const zone = 'America/New_York';
  const agreed = { date: '2026-11-24', name: 'agreed with the requester' } as const;
  const otherHolidays: DeadlinePolicy['otherHolidays'][number][] = [agreed];
  const changed: DeadlinePolicy = { ...deadlinePolicy(), otherHolidays };
  expect(tracebackDueTime(Date.parse('2026-02-03T12:00:00Z'), { zone, policy: changed }).status).toBe('due');
  otherHolidays.push({ date: '2026-11-23', name: 'its own' });
  const other = { zone, policy: deadlinePolicy({ otherHolidays: [agreed] }) };
  expect(tracebackDueTime(Date.parse('2026-11-20T15:00:00-05:00'), other)).toMatchObject({
    dueAtMs: Date.parse('2026-11-23T15:00:00-05:00'),
  });
});

test.for([
  ['a reading that there is not', { restart: 'whenever' }],
  ['a way to count the days of a notice that there is not', { noticeReport: 'soon' }],
  ['a holiday on a day that does not exist', { otherHolidays: [{ date: '2026-02-30', name: 'none' }] }],
  ['a holiday without a name', { otherHolidays: [{ date: '2026-02-20', name: '' }] }],
  [
    'too many holidays',
    { otherHolidays: Array.from({ length: MAX_OTHER_HOLIDAYS + 1 }, () => ({ date: '2026-02-20', name: 'day' })) },
  ],
] as const)('refuses a policy with %s', ([, partial]) => {
  expect(() => deadlinePolicy(partial as unknown as Partial<DeadlinePolicy>)).toThrowError(
    expect.objectContaining({ code: 'invalid-configuration' }),
  );
});

const { years } = JSON.parse(vector('federal-holidays')) as {
  readonly years: Readonly<Record<string, readonly string[]>>;
};

test.for(Object.entries(years))('%s has its federal holidays on the published days', ([year, days]) => {
  expect(federalHolidays(Number(year)).map(({ observedOn }) => observedOn)).toEqual(days);
});

test.for([
  [2025, '2025-01-20'],
  [2013, '2013-01-21'],
  [2029, '2029-01-20'],
] as const)('%i has Inauguration Day on %s if the policy asks for it', ([year, observedOn]) => {
  const days = federalHolidays(year, { inaugurationDay: true });
  expect(days.find(({ id }) => id === 'inauguration-day')?.observedOn).toBe(observedOn);
  expect(federalHolidays(year).some(({ id }) => id === 'inauguration-day')).toBe(false);
  expect(federalHolidays(year + 1, { inaugurationDay: true }).some(({ id }) => id === 'inauguration-day')).toBe(false);
});

test.for([FIRST_HOLIDAY_YEAR - 1, LAST_HOLIDAY_YEAR + 1, 2026.5, Number.NaN])('refuses the year %d', (year) => {
  expect(() => federalHolidays(year)).toThrowError(expect.objectContaining({ code: 'invalid-argument' }));
});
