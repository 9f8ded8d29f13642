import { readPastedText } from '@hopback/sdk/traceback';
import type { IntakeOptions, StatedTime } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';

const RECEIVED_AT_MS = Date.UTC(2026, 9, 24);

interface Read {
  readonly at: readonly string[];
  readonly doubts: readonly string[];
}

/** What a time means, as the time of a call. */
function read(time: string, options: Partial<IntakeOptions> = {}): Read {
  const text = `Called: 2025550101\nDate/Time: ${time}`;
  const [request] = readPastedText(text, { receivedAtMs: RECEIVED_AT_MS, ...options }).requests;
  const readings =
    request?.status === 'clear' ? [request.request] : request?.status === 'doubtful' ? request.readings : [];
  const shown = ({ local, zone, precision }: StatedTime): string => `${local} ${zone ?? '-'} ${precision}`;
  return {
    at: readings.map(({ call }) => shown(call.at)),
    doubts: request === undefined || request.status === 'clear' ? [] : request.doubts.map(({ kind }) => kind),
  };
}

test.each([
  ['10/23/2026 3:41 PM EDT', '2026-10-23T15:41 -04:00 minute'],
  ['10/23/2026 3:41PM EDT', '2026-10-23T15:41 -04:00 minute'],
  ['10/23/26 03:41 pm ET', '2026-10-23T15:41 America/New_York minute'],
  ['10-23-2026 15:41 UTC', '2026-10-23T15:41 UTC minute'],
  ['23.10.2026 15:41 UTC', '2026-10-23T15:41 UTC minute'],
  ['2026-10-23 15:41:07 -0400', '2026-10-23T15:41:07 -04:00 second'],
  ['2026-10-23T15:41:07.123Z', '2026-10-23T15:41:07.123 UTC millisecond'],
  ['2026-10-23T15:41:07.123456789+05:30', '2026-10-23T15:41:07.123456 +05:30 microsecond'],
  ['2026-10-23 15:41 −04:00', '2026-10-23T15:41 -04:00 minute'],
  ['20261023T154107Z', '2026-10-23T15:41:07 UTC second'],
  ['2026/10/23, 15:41 (UTC)', '2026-10-23T15:41 UTC minute'],
  ['23 Oct 2026 15:41 UTC', '2026-10-23T15:41 UTC minute'],
  ['23-Oct-26 15:41 UTC', '2026-10-23T15:41 UTC minute'],
  ['23rd of October, 2026 at 15:41 UTC', '2026-10-23T15:41 UTC minute'],
  ['October 23, 2026 3:41 p.m. Pacific Time', '2026-10-23T15:41 America/Los_Angeles minute'],
  ['Fri, 23 Oct 2026 15:41:07 GMT', '2026-10-23T15:41:07 UTC second'],
  ['Friday October 23 2026 at approximately 3 PM Central', '2026-10-23T15:00 America/Chicago hour'],
  ['2026-10-23 1541 hrs UTC', '2026-10-23T15:41 UTC minute'],
  ['1541Z 23 Oct 2026', '2026-10-23T15:41 UTC minute'],
  ['3:41 PM EDT on 10/23/2026', '2026-10-23T15:41 -04:00 minute'],
  ['10/23/2026 12:05 AM MDT', '2026-10-23T00:05 -06:00 minute'],
  ['10/23/2026 12:05 PM MDT', '2026-10-23T12:05 -06:00 minute'],
  ['10/23/2026 15:41 PM UTC', '2026-10-23T15:41 UTC minute'],
  ['10/23/2026 3:41 PM America/Phoenix', '2026-10-23T15:41 America/Phoenix minute'],
  ['10/23/2026 3:41 PM asia/kolkata', '2026-10-23T15:41 asia/kolkata minute'],
  ['10/23/2026 3:41 PM US/Eastern', '2026-10-23T15:41 America/New_York minute'],
  ['10/23/2026 3:41 PM UTC-4', '2026-10-23T15:41 -04:00 minute'],
  ['10/23/2026 3:41 PM GMT+01:00', '2026-10-23T15:41 +01:00 minute'],
  ['10/23/2026 3:41 PM +0000', '2026-10-23T15:41 UTC minute'],
  ['10/23/2026 3:41 PM -0400 (EDT)', '2026-10-23T15:41 -04:00 minute'],
  ['10/23/2026 3:41 PM (UTC-05:00) Eastern Time (US & Canada)', '2026-10-23T15:41 America/New_York minute'],
  ['02/23/2026 3:41 PM EST', '2026-02-23T15:41 -05:00 minute'],
  ['07/23/2026 3:41 PM AKDT', '2026-07-23T15:41 -08:00 minute'],
  ['07/23/2026 3:41 PM HST', '2026-07-23T15:41 Pacific/Honolulu minute'],
  ['07/23/2026 3:41 PM Eastern Daylight Time', '2026-07-23T15:41 -04:00 minute'],
  ['2026-10-23 UTC', '2026-10-23T00:00 UTC day'],
  // Who writes the year first, a second, `hrs` or UTC counts to 24.
  ['2026-10-23 3:41 EDT', '2026-10-23T03:41 -04:00 minute'],
  ['10/23/2026 3:41:07 EDT', '2026-10-23T03:41:07 -04:00 second'],
  ['10/23/2026 03:41 EDT', '2026-10-23T03:41 -04:00 minute'],
  ['10/23/2026 0:41 EDT', '2026-10-23T00:41 -04:00 minute'],
  ['10/23/2026 3:41 hrs EDT', '2026-10-23T03:41 -04:00 minute'],
  ['10/23/2026 3:41 UTC', '2026-10-23T03:41 UTC minute'],
  ['3/3/2026 15:41 UTC', '2026-03-03T15:41 UTC minute'],
  // Of the two days one lies behind the request.
  ['11/10/2026 15:41 UTC', '2026-10-11T15:41 UTC minute'],
])('%s is one time', (text, expected) => {
  expect(read(text)).toEqual({ at: [expected], doubts: [] });
});

test.each([
  ['10/23/2026 3:41 PM', ['zone-absent'], 1],
  ['10/23/2026 3:41 PM local time', ['zone-absent'], 1],
  ['2/10/2026 15:41 UTC', ['day-or-month'], 2],
  ['10/23/2026 3:41 EDT', ['half-of-day'], 2],
  ['3:41 Eastern, October 23, 2026', ['half-of-day'], 2],
  ['2/10/2026 3:41', ['zone-absent', 'half-of-day', 'day-or-month'], 4],
  ['2/10/2026 15:41 IST', ['zone-ambiguous', 'day-or-month'], 6],
  ['07/23/2026 3:41 PM CST', ['zone-out-of-season'], 2],
  ['02/23/2026 3:41 PM CDT', ['zone-out-of-season'], 2],
  ['07/23/2026 3:41 PM MST', ['zone-out-of-season'], 2],
  ['10/23/2026 3:41 PM BST', ['zone-ambiguous'], 2],
  ['10/23/2026 3:41 PM AST', ['zone-ambiguous'], 2],
  ['10/23/2026 3:41 PM EDT PDT', ['zone-contradicts'], 2],
  ['10/23/2026 3:41 PM -0400 PDT', ['zone-contradicts'], 2],
  ['2026-03-08 2:30 AM Eastern', ['time-does-not-exist'], 1],
  ['2027-10-23 15:41 UTC', ['time-in-the-future'], 1],
])('%s is for a person: %j', (text, doubts, readings) => {
  const { at, doubts: found } = read(text);
  expect({ found, readings: at.length }).toEqual({ found: doubts, readings });
});

test.each([
  'yesterday',
  '10/23 3:41 PM EDT',
  '10/23/2026 3:41 PM - 3:55 PM EDT',
  '13/13/2026 15:41 UTC',
  '31 Jun 2026 15:41 UTC',
  '2026-10-23 25:41 UTC',
  '2026-10-23 15:61 UTC',
  '10/23/2026 15:41 AM UTC',
  '10/23/2026 15:41 Nowhere/Town',
  '10/23-2026 15:41 UTC',
  '10/23/2026 10/24/2026 15:41 UTC',
  '2026-10-23 15:41 XYZ',
  '1792770067',
  '46318.6535',
  '2025550142',
  '',
])('%j is no time, and nothing is made of it', (text) => {
  expect(read(text).at).toEqual([]);
});

test('a time in the hour that comes twice keeps its zone, and whoever looks for the call knows both instants', () => {
  const receivedAtMs = Date.UTC(2026, 10, 2);
  expect(read('2026-11-01 1:30 AM Eastern', { receivedAtMs })).toEqual({
    at: ['2026-11-01T01:30 America/New_York minute'],
    doubts: [],
  });
  expect(read('2026-11-01 1:30 AM EST', { receivedAtMs }).at).toEqual(['2026-11-01T01:30 -05:00 minute']);
  expect(read('2026-11-01 1:30 AM EDT', { receivedAtMs }).at).toEqual(['2026-11-01T01:30 -04:00 minute']);
});

test('what the reader declares settles zone and order, and does not bend a date that has another', () => {
  expect(read('2/10/2026 15:41', { zone: 'America/New_York', dateOrder: 'month-first' })).toEqual({
    at: ['2026-02-10T15:41 America/New_York minute'],
    doubts: [],
  });
  expect(read('2/10/2026 15:41 UTC', { dateOrder: 'day-first' }).at).toEqual(['2026-10-02T15:41 UTC minute']);
  expect(read('23/10/2026 15:41 UTC', { dateOrder: 'month-first' }).at).toEqual([]);
  expect(read('10/23/2026 15:41 UTC', { zone: 'America/New_York' }).at).toEqual(['2026-10-23T15:41 UTC minute']);
});

test('a zone that does not exist is a mistake of the caller', () => {
  expect(() => read('10/23/2026 15:41', { zone: 'Nowhere/Town' })).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  );
  expect(() => read('x', { receivedAtMs: Number.NaN })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
