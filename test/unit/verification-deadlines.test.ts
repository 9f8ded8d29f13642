import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDeadlines } from '../../sdk/src/stir/verification/verification-service.js';

let startedMs = 0;

beforeEach(() => {
  vi.useFakeTimers();
  startedMs = performance.now();
});

afterEach(() => {
  vi.useRealTimers();
});

const timers = (): number => vi.getTimerCount();

test('each call that waits is told when its own time is over, in the order of arrival, by one timer', () => {
  const over: string[] = [];
  const deadlines = createDeadlines(500);
  for (const name of ['a', 'b', 'c']) {
    deadlines.open(() => over.push(`${name} at ${String(performance.now() - startedMs)}`));
    vi.advanceTimersByTime(100);
  }
  expect(timers()).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(over).toEqual(['a at 500', 'b at 600', 'c at 700']);
  expect(timers()).toBe(0);
});

test('a call that is closed is not told, wherever it stood, and the last one takes the timer with it', () => {
  const over: string[] = [];
  const deadlines = createDeadlines(500);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => deadlines.open(() => over.push(name)));
  if (a === undefined || b === undefined || c === undefined) throw new Error('three were opened');
  expect([deadlines.close(b), deadlines.close(b)]).toEqual([true, false]);
  expect(deadlines.close(a)).toBe(true);
  expect(timers()).toBe(1);
  expect(deadlines.close(c)).toBe(true);
  expect(timers()).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(over).toEqual([]);
});

test('a call that is over can not be closed, and one that comes later has its whole time', () => {
  const over: string[] = [];
  const deadlines = createDeadlines(500);
  const first = deadlines.open(() => {
    over.push('first');
    deadlines.open(() => over.push('second'));
  });
  vi.advanceTimersByTime(500);
  expect([deadlines.close(first), over]).toEqual([false, ['first']]);
  vi.advanceTimersByTime(499);
  expect(over).toEqual(['first']);
  vi.advanceTimersByTime(1);
  expect(over).toEqual(['first', 'second']);
  expect(timers()).toBe(0);
});
