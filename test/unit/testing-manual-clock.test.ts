import { ManualClock, createScriptedLookup, TEST_NOW_MS } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';

test('a manual clock stands still until it is moved', () => {
  const clock = new ManualClock();
  expect(clock.nowMs()).toBe(TEST_NOW_MS);
  clock.advance(61_000);
  expect(clock.nowMs()).toBe(TEST_NOW_MS + 61_000);
  clock.set(5);
  expect(clock.nowMs()).toBe(5);
});

test('timers fire in the order of their due times, each at its own instant', () => {
  const clock = new ManualClock(0);
  const fired: [string, number][] = [];
  clock.schedule(() => fired.push(['late', clock.nowMs()]), 20);
  clock.schedule(() => fired.push(['early', clock.nowMs()]), 10);
  clock.schedule(() => fired.push(['early too', clock.nowMs()]), 10);
  clock.advance(19);
  expect(fired).toEqual([
    ['early', 10],
    ['early too', 10],
  ]);
  clock.advance(1);
  expect(fired.at(-1)).toEqual(['late', 20]);
  expect(clock.pendingTimers()).toBe(0);
});

test('a timer set by a timer fires in the same move when it falls due', () => {
  const clock = new ManualClock(0);
  const fired: number[] = [];
  const tick = (): void => {
    fired.push(clock.nowMs());
    clock.schedule(tick, 10);
  };
  clock.schedule(tick, 10);
  clock.advance(35);
  expect(fired).toEqual([10, 20, 30]);
  expect(clock.pendingTimers()).toBe(1);
});

test('a cancelled timer does not fire', () => {
  const clock = new ManualClock(0);
  let fired = 0;
  const cancel = clock.schedule(() => (fired += 1), 10);
  cancel();
  clock.advance(100);
  expect([fired, clock.pendingTimers()]).toEqual([0, 0]);
});

test('setting the clock back fires nothing and keeps what waits', () => {
  const clock = new ManualClock(1000);
  let firedAt = 0;
  clock.schedule(() => (firedAt = clock.nowMs()), 10);
  clock.set(0);
  expect(firedAt).toBe(0);
  clock.set(1010);
  expect(firedAt).toBe(1010);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('a clock cannot be moved by %s', (ms) => {
  expect(() => new ManualClock().advance(ms)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('a scripted lookup gives one answer after the other and repeats the last', async () => {
  const lookup = createScriptedLookup({ 'rebinding.example': [['203.0.113.7'], ['127.0.0.1', '::1']] });
  const ask = (hostname: string, options: object): Promise<unknown> =>
    new Promise((resolve) => {
      lookup(hostname, options, (error, address, family) => resolve(error?.code ?? [address, family]));
    });
  expect(await ask('rebinding.example', {})).toEqual(['203.0.113.7', 4]);
  const both = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ];
  expect(await ask('rebinding.example', { all: true })).toEqual([both, undefined]);
  expect(await ask('rebinding.example', {})).toEqual(['127.0.0.1', 4]);
  expect(await ask('other.example', {})).toBe('ENOTFOUND');
  expect(await ask('constructor', {})).toBe('ENOTFOUND');
  expect(lookup.queries('rebinding.example')).toBe(3);
});
