import { expect, test } from 'vitest';
import {
  freshUntil,
  MAX_FRESH_MS,
  MAX_RETRY_MS,
  MAX_STALE_MS,
  MIN_FRESH_MS,
  outOfDateDelayMs,
  retryDelayMs,
  revalidationDelayMs,
  servedUntil,
} from '../../sdk/src/stir/certificates/certificate-cache.js';

const NOW = Date.UTC(2026, 10, 2, 12, 0, 0);
const HOUR = 3_600_000;
const DAY = 86_400_000;
const YEAR = 365 * DAY;
const http = (ms: number): string => new Date(ms).toUTCString();

const lifetime = (headers: Record<string, string>, notAfterMs = NOW + YEAR): number =>
  freshUntil({ headers, fetchedAtMs: NOW, notAfterMs }) - NOW;

test.each<[string, Record<string, string>]>([
  ['no directive', {}],
  ['no directive but an old Last-Modified', { 'last-modified': http(NOW - 10 * YEAR) }],
  ['max-age of one hour', { 'cache-control': 'max-age=3600' }],
  ['max-age of 0', { 'cache-control': 'max-age=0' }],
  ['no-cache', { 'cache-control': 'no-cache' }],
  ['no-store', { 'cache-control': 'no-store' }],
  ['private', { 'cache-control': 'private, max-age=999999' }],
  ['an Expires in the past', { expires: http(NOW - HOUR) }],
  ['an Expires of 0', { expires: '0' }],
  ['an Expires in one hour', { expires: http(NOW + HOUR), date: http(NOW) }],
  ['nonsense', { 'cache-control': 'max-age=soon, ,=,,;', expires: 'never', date: 'x', age: '-5', vary: '*' }],
])('%s gives 24 hours', (_what, headers) => {
  expect(lifetime(headers)).toBe(MIN_FRESH_MS);
});

test.each<[string, Record<string, string>, number]>([
  ['max-age of three days', { 'cache-control': 'max-age=259200' }, 3 * DAY],
  ['s-maxage over max-age', { 'cache-control': 'max-age=60, s-maxage=259200' }, 3 * DAY],
  ['max-age over Expires', { 'cache-control': 'max-age=259200', expires: http(NOW + HOUR) }, 3 * DAY],
  ['max-age less the age that the response came with', { 'cache-control': 'max-age=259200', age: '86400' }, 2 * DAY],
  ['Expires against Date', { expires: http(NOW + 5 * DAY), date: http(NOW + 2 * DAY) }, 3 * DAY],
  ['Expires without Date, against our clock', { expires: http(NOW + 3 * DAY) }, 3 * DAY],
  ['a year', { 'cache-control': 'max-age=31536000' }, MAX_FRESH_MS],
  ['more seconds than there are', { 'cache-control': 'max-age=99999999999999999999' }, MAX_FRESH_MS],
])('%s counts as RFC 9111 says, within the bounds', (_what, headers, expected) => {
  expect(lifetime(headers)).toBe(expected);
});

test('never past notAfter of the end-entity certificate', () => {
  expect(lifetime({}, NOW + HOUR)).toBe(HOUR);
  expect(lifetime({ 'cache-control': 'max-age=604800' }, NOW + 2 * DAY)).toBe(2 * DAY);
  expect(lifetime({}, NOW - HOUR)).toBe(-HOUR);
});

test('waits after failures double from one second to ten minutes', () => {
  const waits = [1, 2, 3, 4, 5, 11, 12, 1_000].map((failures) => retryDelayMs(failures, undefined, { nowMs: NOW }));
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, MAX_RETRY_MS, MAX_RETRY_MS, MAX_RETRY_MS]);
});

test('Retry-After can lengthen the wait up to ten minutes, and nothing else', () => {
  const wait = (retryAfter: string): number => retryDelayMs(1, retryAfter, { nowMs: NOW });
  expect(wait('120')).toBe(120_000);
  expect(wait(http(NOW + 60_000))).toBe(60_000);
  expect(wait('99999999')).toBe(MAX_RETRY_MS);
  for (const nonsense of ['0', '-5', 'soon', '', '1e9', http(NOW - DAY), '9'.repeat(400)])
    expect(wait(nonsense)).toBe(1_000);
});

test('revalidations are a minute apart, failing ones up to an hour', () => {
  expect([0, 1, 2, 3, 7, 100].map(revalidationDelayMs)).toEqual([
    60_000, 60_000, 120_000, 240_000, 3_600_000, 3_600_000,
  ]);
});

test('a stale chain is served for a week longer, and one that came out of date for a day', () => {
  expect(servedUntil({ fetchedAtMs: NOW, freshUntilMs: NOW + DAY })).toBe(NOW + DAY + MAX_STALE_MS);
  expect(servedUntil({ fetchedAtMs: NOW, freshUntilMs: NOW - HOUR })).toBe(NOW - HOUR + MAX_STALE_MS);
  expect(servedUntil({ fetchedAtMs: NOW, freshUntilMs: NOW - YEAR })).toBe(NOW + DAY);
});

test('waits for a chain that is out of date double from a minute to ten minutes', () => {
  expect([1, 2, 3, 4, 5, 1_000].map(outOfDateDelayMs)).toEqual([1, 2, 4, 8, 10, 10].map((minutes) => minutes * 60_000));
});
