import { expect, test } from 'vitest';
import { addressBucket, createRateLimiter } from '../../harness/src/platform/http/exchange.js';

test('lets a burst through, then as many as the rate, and says when the next one may come', () => {
  const limiter = createRateLimiter({ perSecond: 2, burst: 3 });
  expect([1, 2, 3, 4].map(() => limiter.take('one', 0))).toEqual([0, 0, 0, 1]);
  expect(limiter.take('one', 500)).toBe(0);
  expect(limiter.take('one', 500)).toBeGreaterThan(0);
  expect(limiter.take('other', 500)).toBe(0);
});

test('a clock that goes back gives nothing', () => {
  const limiter = createRateLimiter({ perSecond: 1, burst: 1 });
  expect(limiter.take('one', 10_000)).toBe(0);
  expect(limiter.take('one', 0)).toBeGreaterThan(0);
  expect(limiter.take('one', 10_500)).toBeGreaterThan(0);
  expect(limiter.take('one', 11_000)).toBe(0);
});

test('keeps as many buckets as it may, and throws away those used longest ago', () => {
  const limiter = createRateLimiter({ perSecond: 1, burst: 1 }, 2);
  for (const name of ['a', 'b', 'a', 'c']) limiter.take(name, 0);
  expect(limiter.size()).toBe(2);
  expect(limiter.take('a', 0)).toBeGreaterThan(0);
  expect(limiter.take('b', 0)).toBe(0);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0db8::5%eth0', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('counts %s as %s', (address, bucket) => {
  expect(addressBucket(address)).toBe(bucket);
});
