import { expect, test } from 'vitest';
import { bestResponse } from '../../harness/src/drachtio/proxy/forwarding.js';

const best = (...statuses: readonly number[]): number | undefined => statuses[bestResponse(statuses)];

test.each([
  [[486], 486],
  [[404, 603], 603],
  [[603, 404], 603],
  [[302, 603], 603],
  [[404, 302], 302],
  [[503, 404], 404],
  [[503, 302, 404], 302],
  [[404, 401], 401],
  [[404, 407], 407],
  [[480, 415], 415],
  [[480, 420], 420],
  [[480, 484], 484],
  [[503, 401], 401],
  [[302, 401], 302],
  [[604, 606], 604],
])('of %j the best is %i', (statuses, expected) => {
  expect(best(...statuses)).toBe(expected);
});

test('of two that are as good the first is the best', () => {
  expect(bestResponse([404, 486, 480])).toBe(0);
  expect(bestResponse([404, 401, 407])).toBe(1);
  expect(bestResponse([600, 603])).toBe(0);
});
