import { expect, test } from 'vitest';
import {
  instantNearest,
  instantNotBefore,
  isNoTime,
  rowClock,
} from '../../sdk/src/records/ingest/formats/row-times.js';
import type { RowInstant, RowTimeReading, TimeLayout } from '../../sdk/src/records/ingest/formats/row-times.js';

const us = (iso: string): number => Date.parse(iso) * 1_000;

function at(text: string, layout: TimeLayout, zone = 'America/New_York'): number | string {
  const read = rowClock({ zone }).read(text, layout);
  return read.status === 'instant' ? read.atUs : read.reason;
}

const SUMMER: readonly (readonly [TimeLayout, string, string])[] = [
  ['date-time', '2026-06-15 09:00:00', '2026-06-15T13:00:00Z'],
  ['date-time', '2026-06-15T09:00:00.25', '2026-06-15T13:00:00.250Z'],
  ['iso-8601', '2026-06-15T09:00:00', '2026-06-15T13:00:00Z'],
  ['iso-8601', '2026-06-15T09:00:00Z', '2026-06-15T09:00:00Z'],
  ['iso-8601', '2026-06-15T09:00:00.123z', '2026-06-15T09:00:00.123Z'],
  ['iso-8601', '2026-06-15T09:00:00+05:30', '2026-06-15T03:30:00Z'],
  ['iso-8601', '2026-06-15 09:00:00-0230', '2026-06-15T11:30:00Z'],
  ['iso-8601', '2026-06-15 09:00:00-02', '2026-06-15T11:00:00Z'],
  ['month-first', '06/15/2026 09:00:00.2', '2026-06-15T13:00:00.200Z'],
  ['day-first', '15/06/2026 09:00:00', '2026-06-15T13:00:00Z'],
  ['compact', '20260615090000.123', '2026-06-15T13:00:00.123Z'],
  ['compact', '20260615090000', '2026-06-15T13:00:00Z'],
  ['epoch-seconds', '1781528400', '2026-06-15T13:00:00Z'],
  ['epoch-seconds', '1781528400.5', '2026-06-15T13:00:00.500Z'],
  ['epoch-milliseconds', '1781528400123', '2026-06-15T13:00:00.123Z'],
  ['epoch-microseconds', '1781528400123000', '2026-06-15T13:00:00.123Z'],
];

test.each(SUMMER)('%s: %s is %s', (layout, text, iso) => {
  expect(at(text, layout)).toBe(us(iso));
});

test('microseconds are kept, and what is finer is left out', () => {
  expect(at('1781528400.123456', 'epoch-seconds')).toBe(1_781_528_400_123_456);
  expect(at('1781528400.123456789', 'epoch-seconds')).toBe(1_781_528_400_123_456);
});

test.each<readonly [TimeLayout, string]>([
  ['date-time', '|2026-06-15|2026-06-15 09:00|2026-06-15 09:00:00Z|2026-06-15 09:00:60|2026-06-15 24:00:00'],
  ['date-time', '2026-02-29 09:00:00|2026-13-01 09:00:00|1970-01-01 00:00:00|2026-06-15 09:00:00.'],
  ['date-time', '2026-06-15 09:00:00.1234567890|２026-06-15 09:00:00'],
  ['iso-8601', '2026-06-15T09:00:00+15:00|2026-06-15T09:00:00+01:60|2026-06-15T09:00:00+1:00'],
  ['month-first', '15/06/2026 09:00:00'],
  ['compact', '2026061509000'],
  ['epoch-seconds', '-1781528400|1.7e9|1781528400123'],
  ['epoch-milliseconds', '1781528400'],
  ['epoch-microseconds', '0'],
])('%s: rejects each of %s', (layout, texts) => {
  for (const text of texts.split('|')) expect([text, at(text, layout)]).toEqual([text, 'bad-time']);
});

test('of the hour that comes twice both instants are kept, and the declared one is meant', () => {
  const [earlier, later] = [us('2026-11-01T05:30:00Z'), us('2026-11-01T06:30:00Z')];
  const read = (repeatedHour?: 'earlier' | 'later'): RowTimeReading =>
    rowClock({ zone: 'America/New_York', ...(repeatedHour === undefined ? {} : { repeatedHour }) }).read(
      '2026-11-01 01:30:00',
      'date-time',
    );
  expect(read()).toMatchObject({ atUs: earlier, otherUs: later });
  expect(read('earlier')).toMatchObject({ atUs: earlier, otherUs: later });
  expect(read('later')).toMatchObject({ atUs: later, otherUs: earlier });
});

test('a time of the hour that is left out does not exist', () => {
  expect(at('2026-03-08 02:30:00', 'date-time')).toBe('time-does-not-exist');
  expect(at('2026-03-08 03:00:00', 'date-time')).toBe(us('2026-03-08T07:00:00Z'));
  expect(at('2026-03-08 02:30:00', 'date-time', 'utc')).toBe(us('2026-03-08T02:30:00Z'));
});

test('clocks that change at half past the hour of UTC, or by half an hour, are read right', () => {
  // Adelaide goes from +10:30 to +09:30 at 16:30 UTC.
  expect(at('2026-04-05 03:00:00', 'date-time', 'Australia/Adelaide')).toBe(us('2026-04-04T17:30:00Z'));
  const read = rowClock({ zone: 'Australia/Adelaide' }).read('2026-04-05 02:15:00', 'date-time');
  expect(read).toMatchObject({ atUs: us('2026-04-04T15:45:00Z'), otherUs: us('2026-04-04T16:45:00Z') });
  const half = rowClock({ zone: 'Australia/Lord_Howe' }).read('2026-04-05 01:45:00', 'date-time');
  expect(half).toMatchObject({ atUs: us('2026-04-04T14:45:00Z'), otherUs: us('2026-04-04T15:15:00Z') });
});

test('the basis says how a time was written, and is one object for all that are alike', () => {
  const clock = rowClock({ zone: 'America/New_York' });
  const [a, b] = [clock.read('2026-06-15 09:00:00', 'date-time'), clock.read('2026-06-16 09:00:00', 'date-time')];
  if (a.status !== 'instant' || b.status !== 'instant') throw new Error('no instant');
  expect(a.basis).toEqual({ written: 'local', zone: 'America/New_York', resolutionUs: 1_000_000 });
  expect(b.basis).toBe(a.basis);
  expect(clock.read('1781528400.25', 'epoch-seconds')).toMatchObject({
    basis: { written: 'utc', resolutionUs: 10_000 },
  });
  expect(rowClock({ zone: 'utc' }).read('2026-06-15 09:00:00', 'date-time')).toMatchObject({
    basis: { written: 'utc' },
  });
});

test('a zone that does not exist is refused', () => {
  expect(() => rowClock({ zone: 'America/Nowhere' })).toThrow(
    expect.objectContaining({ code: 'invalid-configuration' }),
  );
});

test('of two instants the one after the INVITE, or next to what the duration says, is taken', () => {
  const instant: RowInstant = {
    status: 'instant',
    atUs: 100,
    otherUs: 200,
    basis: { written: 'utc', resolutionUs: 1 },
  };
  expect([instantNotBefore(instant, 50), instantNotBefore(instant, 150), instantNotBefore(instant, 250)]).toEqual([
    100, 200, 100,
  ]);
  expect([instantNearest(instant, 120), instantNearest(instant, 190)]).toEqual([100, 200]);
});

test.each(['', '0', '0000-00-00 00:00:00', '0.000000', 'NULL', String.raw`\N`])('%j means no time', (text) => {
  expect(isNoTime(text)).toBe(true);
});

test('a time is not taken for none', () => {
  expect(isNoTime('2026-06-15 09:00:00')).toBe(false);
});
