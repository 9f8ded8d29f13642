import { expect, test } from 'vitest';
import { ManualClock } from '@hopback/sdk/testing';
import {
  checkedPolicy,
  duration,
  followPolicy,
  headerLines,
  reasonPhrase,
  rejection,
} from '../../harness/src/phones/answer-policy.js';
import { createCallProgress } from '../../harness/src/phones/phone-call.js';
import { Inbox } from '../../harness/src/phones/phone.js';
import { BlockingSubscriber, Phone } from '../../harness/src/phones/index.js';
import type { AnswerPolicy, CallState, IncomingCall, PhoneOptions } from '../../harness/src/phones/index.js';

const INVALID = expect.objectContaining({ code: 'invalid-argument' }) as Error;

test('an inbox gives each thing to one reader, in order, and ends', async () => {
  const inbox = new Inbox<number>(10);
  const [one, two] = [inbox.items(), inbox.items()];
  inbox.put(1);
  inbox.put(2);
  expect([await one.next(), await two.next()].map(({ value }) => value as number)).toEqual([1, 2]);
  const waiting = [one.next(), two.next()];
  inbox.put(3);
  inbox.put(4);
  inbox.put(5);
  expect((await Promise.all(waiting)).map(({ value }) => value as number)).toEqual([3, 4]);
  inbox.end();
  inbox.put(6);
  expect([(await one.next()).value, (await two.next()).done]).toEqual([5, true]);
});

test('an inbox that nobody reads forgets the oldest', async () => {
  const inbox = new Inbox<number>(2);
  for (const item of [1, 2, 3]) inbox.put(item);
  inbox.end();
  const left: number[] = [];
  for await (const item of inbox.items()) left.push(item);
  expect(left).toEqual([2, 3]);
});

test('a reader that leaves takes nothing with it, also what it waited for', async () => {
  const inbox = new Inbox<number>(2);
  const leaving = inbox.items();
  const [waiting, other] = [leaving.next(), inbox.items().next()];
  await leaving.return?.();
  inbox.put(1);
  expect([await waiting, await other, await leaving.next()].map(({ done }) => done)).toEqual([true, false, true]);
  inbox.put(2);
  for await (const item of inbox.items()) {
    expect(item).toBe(2);
    break;
  }
  inbox.put(3);
  expect((await inbox.items().next()).value).toBe(3);
});

test('a call never goes back, its first end counts, and its timers end with it', async () => {
  const clock = new ManualClock();
  const seen: CallState[] = [];
  const progress = createCallProgress(clock, (state) => seen.push(state));
  let fired = 0;
  progress.after(1_000, () => (fired += 1));
  progress.after(2_000, () => (fired += 1));
  const cancel = progress.after(500, () => (fired += 10));
  cancel();
  clock.advance(1_000);
  progress.answer();
  progress.ring();
  progress.end({ by: 'remote', status: 200, reason: 'OK' });
  progress.end({ by: 'local', status: 487, reason: 'Request Terminated' });
  progress.answer();
  progress.after(1, () => (fired += 100))();
  clock.advance(10_000);
  expect({ fired, seen, timers: clock.pendingTimers() }).toEqual({ fired: 1, seen: ['answered', 'ended'], timers: 0 });
  expect([await progress.ringing, await progress.established]).toEqual([false, true]);
  expect(await progress.ended).toMatchObject({ by: 'remote', status: 200 });
});

test.each([
  { action: 'hide' },
  { action: 'reject', status: 200 },
  { action: 'reject', status: 486.5 },
  { action: 'reject', status: 486, reason: 'no\r\nX: y' },
  { action: 'reject', status: 486, ringMs: -1 },
  { action: 'answer', ringMs: Number.NaN },
  { action: 'answer', hangUpAfterMs: 2 ** 31 },
])('%j is no policy', (policy) => {
  expect(() => checkedPolicy(policy as AnswerPolicy)).toThrow(INVALID);
});

test('a policy that a function returns is checked as well', async () => {
  const progress = createCallProgress(new ManualClock(), () => undefined);
  const following = followPolicy(() => ({ action: 'reject', status: 1 }), { call: {} as IncomingCall, progress });
  await expect(following).rejects.toThrow(INVALID);
});

test('header fields are lines, and those that would break a message are refused', () => {
  expect(headerLines({ Identity: ['a', 'b'], 'X-Y': '' })).toEqual(['Identity: a', 'Identity: b', 'X-Y: ']);
  expect(headerLines()).toEqual([]);
  for (const headers of [
    { 'X Y': 'a' },
    { '': 'a' },
    { X: 'a\r\nY: b' },
    { X: '\0' },
    { Via: 'a' },
    { i: 'a' },
    { CONTACT: 'a' },
  ]) {
    expect(() => headerLines(headers)).toThrow(INVALID);
  }
});

test('durations, statuses and reason phrases have bounds', () => {
  expect([duration(0, 'x'), rejection(300), rejection(699), reasonPhrase('Non merci é')]).toEqual([
    0,
    300,
    699,
    'Non merci é',
  ]);
  expect(() => duration(Infinity, 'x')).toThrow(INVALID);
  for (const status of [299, 700, 486.5, Number.NaN]) expect(() => rejection(status)).toThrow(INVALID);
  expect(() => reasonPhrase('a\nb')).toThrow(INVALID);
});

const OPTIONS: PhoneOptions = { server: 'ws://127.0.0.1:1', number: '12025550101', domain: 'a.example' };

test.each<Partial<PhoneOptions>>([
  { server: 'wss://127.0.0.1:1' },
  { server: '127.0.0.1:1' },
  { number: 'alice' },
  { number: '12' },
  { number: '+1 202 555 0101' },
  { domain: '' },
  { domain: 'a.example>\r\nX: y' },
  { registrationSeconds: 59 },
  { registrationSeconds: 86_401 },
  { reconnectMs: -1 },
  { displayName: 'Al "Scarface"' },
  { displayName: 'Al\r\nX: y' },
  { credentials: { username: 'a"b', password: '' } },
  { onIncoming: { action: 'reject', status: 100 } },
])('no phone is made of %j', async (wrong) => {
  await expect(Phone.open({ ...OPTIONS, ...wrong })).rejects.toThrow(INVALID);
});

test('no subscriber is made that blocks with another status, or does nonsense with calls it lets through', async () => {
  await expect(BlockingSubscriber.open({ ...OPTIONS, rule: {}, blockingStatus: 486 as 603 })).rejects.toThrow(INVALID);
  const onAllowed = { action: 'answer', ringMs: -1 } as const;
  await expect(BlockingSubscriber.open({ ...OPTIONS, rule: {}, onAllowed })).rejects.toThrow(INVALID);
});
