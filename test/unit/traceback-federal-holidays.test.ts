import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  federalHolidays,
  FIRST_HOLIDAY_YEAR,
  LAST_HOLIDAY_YEAR,
} from '../../sdk/src/traceback/deadline/deadline-policy.js';

const { years } = JSON.parse(
  readFileSync(new URL('../vectors/deadline/federal-holidays.json', import.meta.url), 'utf8'),
) as { readonly years: Readonly<Record<string, readonly string[]>> };

test.for(Object.entries(years))('takes the federal holidays of %s on the days that are published', ([year, days]) => {
  expect(federalHolidays(Number(year)).map(({ observedOn }) => observedOn)).toEqual(days);
});

test('has Juneteenth since 2021, the birthday of Martin Luther King since 1986, Veterans Day in November since 1978', () => {
  const has = (year: number, id: string): string | undefined =>
    federalHolidays(year).find((day) => day.id === id)?.date;
  expect([has(2020, 'juneteenth'), has(2021, 'juneteenth')]).toEqual([undefined, '2021-06-19']);
  expect([has(1985, 'birthday-of-martin-luther-king-jr'), has(1986, 'birthday-of-martin-luther-king-jr')]).toEqual([
    undefined,
    '1986-01-20',
  ]);
  expect([has(1977, 'veterans-day'), has(1978, 'veterans-day')]).toEqual(['1977-10-24', '1978-11-11']);
});

test.for([
  [2025, '2025-01-20'],
  [2013, '2013-01-21'],
  [2029, '2029-01-20'],
] as const)('takes Inauguration Day of %i on %s, where it is asked for', ([year, observedOn]) => {
  const days = federalHolidays(year, { inaugurationDay: true });
  expect(days.find(({ id }) => id === 'inauguration-day')?.observedOn).toBe(observedOn);
  expect(federalHolidays(year).some(({ id }) => id === 'inauguration-day')).toBe(false);
  expect(federalHolidays(year + 1, { inaugurationDay: true }).some(({ id }) => id === 'inauguration-day')).toBe(false);
});

test.for([FIRST_HOLIDAY_YEAR - 1, LAST_HOLIDAY_YEAR + 1, 2026.5, Number.NaN])('refuses the year %d', (year) => {
  expect(() => federalHolidays(year)).toThrowError(expect.objectContaining({ code: 'invalid-argument' }));
});
