import { ManualClock } from '@hopback/sdk/testing';
import { beforeEach, expect, test } from 'vitest';
import { createDeliverySchedule, type DeliverySchedule } from '../../harness/src/faults/delivery-schedule.js';
import { SeededRandom } from '../../harness/src/faults/index.js';

let clock: ManualClock;
let out: string[];
let schedule: DeliverySchedule<string>;
beforeEach(() => {
  clock = new ManualClock(0);
  out = [];
  schedule = createDeliverySchedule<string>(clock, (item) => {
    if (item === 'bad') throw new Error(item);
    out.push(item);
  });
});

test('hands out in order of the instants, and of being added within one instant', () => {
  for (const [atMs, item] of [
    [30, 'c'],
    [10, 'a'],
    [30, 'd'],
    [20, 'b'],
    [30, 'e'],
  ] as const)
    schedule.add(atMs, item);
  clock.advance(25);
  expect(out).toEqual(['a', 'b']);
  expect(schedule.waiting()).toBe(3);
  clock.advance(5);
  expect(out).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('hands out a thousand in the right order with one timer', () => {
  const random = new SeededRandom(1);
  const instants = Array.from({ length: 1_000 }, () => 1 + random.int(500));
  for (const atMs of instants) schedule.add(atMs, String(atMs));
  expect(clock.pendingTimers()).toBe(1);
  clock.advance(500);
  expect(out.map(Number)).toEqual(instants.toSorted((one, other) => one - other));
  expect(clock.pendingTimers()).toBe(0);
});

test('hands out at once what is due, behind what was due before it', () => {
  schedule.add(0, 'now');
  expect(out).toEqual(['now']);
  expect(clock.pendingTimers()).toBe(0);
  schedule.add(5, 'soon');
  schedule.add(0, 'past');
  expect(out).toEqual(['now', 'past']);
});

test('takes what is added while it hands out', () => {
  const given: number[] = [];
  const growing: DeliverySchedule<number> = createDeliverySchedule<number>(clock, (item) => {
    given.push(item);
    if (item < 5) growing.add(item < 3 ? 0 : 20, item + 1);
  });
  growing.add(0, 1);
  expect(given).toEqual([1, 2, 3]);
  clock.advance(20);
  expect(given).toEqual([1, 2, 3, 4, 5]);
});

test('goes on after a delivery that threw', () => {
  schedule.add(10, 'bad');
  schedule.add(10, 'good');
  expect(() => clock.advance(10)).toThrow('bad');
  clock.advance(0);
  expect(out).toEqual(['good']);
});

test('hands out nothing and leaves no timer once closed', () => {
  schedule.add(10, 'late');
  schedule.close();
  schedule.add(0, 'later');
  clock.advance(20);
  expect([out, schedule.waiting(), clock.pendingTimers()]).toEqual([[], 0, 0]);
});
