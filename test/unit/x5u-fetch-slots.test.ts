import { expect, test } from 'vitest';
import { createFetchSlots } from '../../sdk/src/stir/certificates/x5u-fetch.js';
import { settle } from './x5u-laboratory.js';

test('slots go round by site and never exceed their limits', async () => {
  const slots = createFetchSlots({ maxConcurrent: 2, maxConcurrentPerSite: 1, maxQueued: 4, maxQueuedPerSite: 2 });
  const order: string[] = [];
  const take = (site: string): void =>
    void slots.acquire(site).then((slot) => order.push(slot === undefined ? `${site}:full` : site));
  const first = await slots.acquire('a');
  for (const site of ['a', 'a', 'a', 'b', 'c', 'c', 'd']) take(site);
  await settle();
  expect(order).toEqual(['a:full', 'b', 'd:full']);
  expect([slots.active(), slots.queued()]).toEqual([2, 4]);
  first?.release();
  first?.release();
  await settle();
  expect(order.at(-1)).toBe('a');
  expect([slots.active(), slots.queued()]).toEqual([2, 3]);
  slots.close();
  await settle();
  expect(order.slice(-3).sort()).toEqual(['a:full', 'c:full', 'c:full']);
  expect(await slots.acquire('e')).toBeUndefined();
});

test('who waits for a slot gives up at the signal, and leaves the place to the next', async () => {
  const slots = createFetchSlots({ maxConcurrent: 1, maxConcurrentPerSite: 1, maxQueued: 2, maxQueuedPerSite: 2 });
  const first = await slots.acquire('a');
  const deadline = new AbortController();
  const impatient = slots.acquire('a', deadline.signal);
  const patient = slots.acquire('a', new AbortController().signal);
  expect(await slots.acquire('a')).toBeUndefined();
  deadline.abort();
  expect(await impatient).toBeUndefined();
  expect(slots.queued()).toBe(1);
  first?.release();
  const second = await patient;
  expect([slots.active(), slots.queued()]).toEqual([1, 0]);
  second?.release();
  expect(await slots.acquire('a', deadline.signal)).toBeUndefined();
  expect(slots.active()).toBe(0);
});

test('an abort after the slot was given takes nothing from those who wait', async () => {
  const slots = createFetchSlots({ maxConcurrent: 1, maxConcurrentPerSite: 1, maxQueued: 2, maxQueuedPerSite: 2 });
  const first = await slots.acquire('a');
  const deadline = new AbortController();
  const second = slots.acquire('a', deadline.signal);
  first?.release();
  await second;
  expect([slots.active(), slots.queued()]).toEqual([1, 0]);
  const third = slots.acquire('a');
  deadline.abort();
  expect([slots.active(), slots.queued()]).toEqual([1, 1]);
  (await second)?.release();
  (await third)?.release();
  expect([slots.active(), slots.queued()]).toEqual([0, 0]);
});
