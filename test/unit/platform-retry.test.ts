import { expect, test } from 'vitest';
import { fullJitterMs } from '../../sdk/src/core/runtime/deadline.js';
import { bearerToken, MAX_RETRY_AFTER_MS, retryAfterMs, retryClassOf } from '../../sdk/src/platform/retry.js';

const NOW_MS = Date.UTC(2026, 10, 2, 12, 0, 0);

test.each([
  ['done', [200, 202, 204, 207]],
  ['retry', [408, 425, 429, 500, 502, 503, 504, 507, 520, 599]],
  ['refused', [400, 402, 409, 411, 412, 414, 418, 422, 423, 451]],
  ['too-large', [413]],
  ['unauthorized', [401, 403, 407]],
  ['misdirected', [301, 302, 303, 307, 308, 404, 405, 406, 410, 415, 421, 426, 501]],
] as const)('%s is what these statuses ask for: %j', (kind, statuses) => {
  for (const status of statuses) expect([status, retryClassOf(status)]).toEqual([status, kind]);
});

test('no 5xx counts as a fault of the request', () => {
  for (let status = 500; status < 600; status += 1) expect(['retry', 'misdirected']).toContain(retryClassOf(status));
});

test.each([
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7_000],
  ['999999', MAX_RETRY_AFTER_MS],
  ['Mon, 02 Nov 2026 12:01:30 GMT', 90_000],
  ['Mon, 02 Nov 2026 11:00:00 GMT', 0],
  ['Mon, 02 Nov 2099 12:00:00 GMT', MAX_RETRY_AFTER_MS],
  ['Monday, 02-Nov-26 12:00:30 GMT', 30_000],
  ['soon', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['', undefined],
  [undefined, undefined],
  [null, undefined],
])('reads Retry-After %j as %j ms', (value, expected) => {
  expect(retryAfterMs(value, NOW_MS)).toBe(expected);
});

test('waits up to a bound that doubles with every failure and ends at the cap', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 100].map((failures) =>
    fullJitterMs(failures, { baseMs: 1_000, capMs: 10_000 }, () => 0.9999),
  );
  expect(bounds).toEqual([999, 1_999, 3_999, 7_999, 9_999, 9_999, 9_999]);
  expect(fullJitterMs(5, { baseMs: 1_000, capMs: 10_000 }, () => 0)).toBe(0);
});

test('authorizes with a bearer token, and rejects an invalid one without repeating it', () => {
  const request = { method: 'POST', url: 'https://itg.example/' };
  expect(bearerToken('abc.DEF-1_2~3+4/5==').fields(request, AbortSignal.abort())).toEqual({
    authorization: 'Bearer abc.DEF-1_2~3+4/5==',
  });
  for (const token of ['', 'two words', 'line\r\nfeed', 'x'.repeat(8_000)]) {
    expect(() => bearerToken(token)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    if (token !== '') expect(() => bearerToken(token)).not.toThrow(token);
  }
});
