import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { DeliveryResult } from '../../sdk/src/contract/record-batch.js';
import {
  everyInBackground,
  STEADY_CLOCK,
  scheduleInBackground,
  schedule,
  nextTurn,
  MACHINE_CLOCK,
  every,
  abortedAfter,
} from '../../sdk/src/core/runtime/clock.js';
import { wait } from '../../sdk/src/internal/runtime.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { sampleRecord } from '../support/stream-lab.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';

const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each([schedule, scheduleInBackground])(
  'a timer of 30 and one of 100 days fire on their day, not at once',
  (timer) => {
    const fired: number[] = [];
    for (const days of [30, 100]) timer(() => fired.push(days), days * DAY_MS);
    vi.advanceTimersByTime(30 * DAY_MS - 1);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([30]);
    vi.advanceTimersByTime(70 * DAY_MS);
    expect(fired).toEqual([30, 100]);
  },
);

test('a long timer can be cancelled in each of its parts', () => {
  for (const days of [1, 26, 51]) {
    let hasFired = false;
    const cancel = schedule(() => (hasFired = true), 60 * DAY_MS);
    vi.advanceTimersByTime(days * DAY_MS);
    cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(hasFired).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  }
});

test('a delay that is no number fires once, as with Node', () => {
  let runs = 0;
  schedule(() => (runs += 1), Number.NaN);
  vi.advanceTimersByTime(1_000);
  expect([runs, vi.getTimerCount()]).toEqual([1, 0]);
});

test('a timer without end never fires, and leaves nothing behind', () => {
  schedule(() => expect.unreachable(), Infinity)();
  expect(vi.getTimerCount()).toBe(0);
});

test.each([every, everyInBackground])('what is repeated goes on until it is ended, also by itself', (timer) => {
  let runs = 0;
  const end = timer(() => (runs += 1), 30 * DAY_MS);
  vi.advanceTimersByTime(90 * DAY_MS);
  expect(runs).toBe(3);
  end();
  const endSoon = timer(() => {
    runs += 1;
    endSoon();
  }, 1_000);
  vi.advanceTimersByTime(90 * DAY_MS);
  expect([runs, vi.getTimerCount()]).toEqual([4, 0]);
});

test('a wait ends in time, or at once when its signal aborts, and leaves nothing behind', async () => {
  const done = wait(30 * DAY_MS);
  vi.advanceTimersByTime(30 * DAY_MS);
  await done;
  const reason = new Error('enough');
  const controller = new AbortController();
  const waits = [wait(DAY_MS, controller.signal), wait(DAY_MS, AbortSignal.abort(reason))];
  controller.abort(reason);
  const rejected = { status: 'rejected', reason };
  expect(await Promise.allSettled(waits)).toEqual([rejected, rejected]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a signal aborts after its time with a TimeoutError', async () => {
  const long = abortedAfter(30 * DAY_MS);
  vi.advanceTimersByTime(30 * DAY_MS - 1);
  expect(long.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(long.reason).toMatchObject({ name: 'TimeoutError' });
  vi.useRealTimers();
  const short = abortedAfter(1.5);
  await new Promise((resolve) => short.addEventListener('abort', resolve));
  expect(short.reason).toMatchObject({ name: 'TimeoutError' });
});

test('the next turn comes behind what is due already', async () => {
  vi.useRealTimers();
  const order: string[] = [];
  setImmediate(() => order.push('due'));
  await nextTurn();
  order.push('next');
  expect(order).toEqual(['due', 'next']);
});

test('a fraction of a millisecond is waited for', () => {
  let hasFired = false;
  schedule(() => (hasFired = true), 2.5);
  vi.advanceTimersByTime(2);
  expect(hasFired).toBe(false);
  vi.advanceTimersByTime(1);
  expect(hasFired).toBe(true);
});

test('a stream that may take 30 days to empty is not given up at once', async () => {
  vi.useRealTimers();
  await using folder = await createTemporaryDirectory();
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  let answer: (result: DeliveryResult) => void = () => undefined;
  const deliver = (): Promise<DeliveryResult> => {
    asked();
    return new Promise((resolve) => (answer = resolve));
  };
  await using opened = await openStreamOnDisk(folder.path, { transport: { deliver, close: async () => {} } });
  opened.stream.record(sampleRecord(1));
  const drained = opened.stream.drain({ timeoutMs: 30 * DAY_MS });
  await isAsked;
  // Where the time passes at once, it has passed by now.
  await new Promise((resolve) => setTimeout(resolve, 50));
  answer({ status: 'acknowledged', rejected: [] });
  expect(await drained).toEqual({ status: 'drained' });
});

test('steady time goes forward, and is near that of the machine', () => {
  vi.useRealTimers();
  const beforeMs = STEADY_CLOCK.nowMs();
  expect(STEADY_CLOCK.nowMs()).toBeGreaterThanOrEqual(beforeMs);
  expect(Math.abs(beforeMs - MACHINE_CLOCK.nowMs())).toBeLessThan(60_000);
});

test('a timer in the background keeps no process alive', () => {
  const script = `import { schedule, scheduleInBackground } from '@hopback/sdk/internal/runtime';
    scheduleInBackground(() => console.log('background'), 60_000);
    schedule(() => console.log('foreground'), 5);`;
  const options = { encoding: 'utf8', timeout: 30_000 } as const;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], options);
  expect({ stdout, status }).toEqual({ stdout: 'foreground\n', status: 0 });
});
