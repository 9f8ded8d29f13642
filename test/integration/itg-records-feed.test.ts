import { afterEach, expect, test } from 'vitest';
import { gzipSync } from 'node:zlib';
import { LiveFeed } from '../../harness/src/platform/records/live-feed.js';
import { ManualClock } from '../../sdk/src/testing/index.js';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../../sdk/src/contract/record-batch.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import {
  batchCall,
  keptLog,
  liveSample,
  NINETY_DAYS_MS,
  openFeed,
  outcome,
  rememberingListener,
  SAMPLES_MS,
} from '../support/itg-live-records.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function folder(): Promise<string> {
  const directory = await createTemporaryDirectory();
  closers.push(() => Promise.resolve(directory[Symbol.asyncDispose]()));
  return directory.path;
}

async function openedFeed(directory?: string) {
  const log = keptLog();
  const feed = await openFeed(directory ?? (await folder()), log);
  closers.push(feed.close);
  return { feed, log };
}

/** Room for 8,192 parsed records is taken by nine batches of a thousand. */
const BATCH_RECORDS = 1_000;
const ROOM_BATCHES = 9;

const EVERYTHING = { fromMs: SAMPLES_MS - 60_000, toMs: SAMPLES_MS + 60_000, limit: 1_000 };
const samples = (from: number, count: number) => Array.from({ length: count }, (_, index) => liveSample(from + index));

test('records are found by provider, number, pseudonym, id and all of them together', async () => {
  const { feed } = await openedFeed();
  await feed.take(batchCall(samples(0, 9), { providerId: 'carrier-1' }));
  await feed.take(batchCall(samples(9, 9), { providerId: 'carrier-2' }));
  const count = async (keys: object) => (await feed.reader.find({ ...EVERYTHING, ...keys })).records.length;
  expect(await count({ providerIds: ['carrier-2'] })).toBe(9);
  expect(await count({ providerIds: ['carrier-1', 'carrier-2', 'carrier-3'] })).toBe(18);
  // Every third is sent with its numbers.
  expect(await count({ calledTns: ['13035550145'] })).toBe(6);
  expect(await count({ calledTns: ['13035550145'], providerIds: ['carrier-2'] })).toBe(3);
  const { called } = liveSample(0);
  expect(called?.shown).toBe('pseudonym');
  const pseudonym = called?.shown === 'pseudonym' ? called.pseudonym : '';
  expect(await count({ calledTns: [pseudonym] })).toBe(12);
  const { recordId } = liveSample(4);
  expect(await count({ recordIds: [{ providerId: 'carrier-1', recordId }] })).toBe(1);
  expect(await count({ recordIds: [{ providerId: 'carrier-2', recordId }] })).toBe(0);
  expect(await count({ providerIds: [] })).toBe(0);
  expect(await count({ fromMs: SAMPLES_MS + 1 })).toBe(0);
});

test('a result that was cut is marked, and pages of records of one microsecond lose no record', async () => {
  const { feed } = await openedFeed();
  const at = liveSample(0).inviteAtUs;
  const sent = samples(0, 40).map((record) => ({ ...record, inviteAtUs: at }));
  await feed.take(batchCall(sent));
  const found = await feed.reader.find({ ...EVERYTHING, limit: 39 });
  expect([found.records.length, found.isCut]).toEqual([39, true]);
  // Of them, those that are shown whole: the pages that are read hold others too.
  const keys = { providerIds: ['carrier-1'], callingTns: ['12025550123'] };
  expect((await feed.reader.find({ ...EVERYTHING, ...keys, limit: 13 })).records.length).toBe(13);
});

test('a carrier can neither overwrite nor pre-empt the record of another', async () => {
  const { feed } = await openedFeed();
  const record = liveSample(2);
  const forged = { ...record, disposition: 'busy' as const };
  await feed.take(batchCall([forged], { providerId: 'carrier-2' }));
  await feed.take(batchCall([record], { providerId: 'carrier-1' }));
  await feed.take(batchCall([{ ...record, inviteAtUs: record.inviteAtUs + 5 }], { atMs: SAMPLES_MS + 70_000 }));
  expect((await feed.reader.record('carrier-1', record.recordId))?.record).toEqual(record);
  expect((await feed.reader.record('carrier-2', record.recordId))?.record).toEqual(forged);
  expect(await feed.reader.record('carrier-3', record.recordId)).toBeUndefined();
});

test('the same batch, at once or later, and the same record in another batch are stored once', async () => {
  const { feed } = await openedFeed();
  const listener = rememberingListener();
  feed.listen('test', listener);
  const call = batchCall(samples(0, 10));
  const atOnce = await Promise.all([feed.take(call), feed.take(call), feed.take(call)]);
  expect(atOnce.map(outcome)).toEqual([10, 10, 10]);
  expect(outcome(await feed.take(call))).toBe(10);
  expect(outcome(await feed.take(batchCall(samples(5, 10))))).toBe(10);
  await feed.told();
  expect((await feed.reader.find(EVERYTHING)).records.length).toBe(15);
  // A known batch is not handed to listeners again; all records of another batch are.
  expect(listener.heard.length).toBe(20);
});

test('other octets under the id of a batch are refused, and those of another carrier are not', async () => {
  const { feed } = await openedFeed();
  const batchId = '0'.repeat(32);
  expect(outcome(await feed.take(batchCall(samples(0, 1), { batchId })))).toBe(1);
  expect(outcome(await feed.take(batchCall(samples(1, 1), { batchId })))).toBe('idempotency-key-reused');
  expect(outcome(await feed.take(batchCall(samples(1, 1), { batchId, providerId: 'carrier-2' })))).toBe(1);
});

test('records are rejected one by one, each with its reason, and the rest is stored', async () => {
  const { feed, log } = await openedFeed();
  const [first, second, third, fourth, fifth] = samples(0, 5);
  const lines = [
    first,
    { ...second, disposition: 'answered-perhaps' },
    { ...third, inviteAtUs: (SAMPLES_MS - 100 * 86_400_000) * 1_000 },
    { ...fourth, inviteAtUs: (SAMPLES_MS + 86_400_000) * 1_000 },
    { ...fifth, format: 'hopback.shared-record.2' },
    { ...liveSample(5), ofLaterReleases: { tn: '12025550123' } },
  ];
  const answer = await feed.take(batchCall(lines));
  expect(outcome(answer)).toEqual([2, 'invalid-record', 'too-old', 'in-the-future', 'unknown-format']);
  const { records } = await feed.reader.find(EVERYTHING);
  expect(records.map(({ record }) => record)).toEqual([first, liveSample(5)]);
  expect(JSON.stringify(answer) + log.lines.join()).not.toContain('5550123');
});

test.each([
  ['a line that is no JSON', ['{"recordId":'], 'invalid-body'],
  ['a line without an id', [{ format: 'hopback.shared-record.1' }], 'invalid-body'],
  ['an id that is none', [{ ...liveSample(0), recordId: 'x' }], 'invalid-body'],
  ['more lines than a batch has', Array.from({ length: MAX_BATCH_RECORDS + 1 }, () => '{}'), 'invalid-body'],
])('a batch with %s is refused as a whole', async (_name, lines, code) => {
  const { feed } = await openedFeed();
  expect(outcome(await feed.take(batchCall([liveSample(1), ...lines])))).toBe(code);
  expect(feed.behind()).toBe(0);
});

test('a batch that grows beyond its bound, is not compressed or is not text is refused', async () => {
  const { feed } = await openedFeed();
  const call = batchCall([]);
  for (const [bytes, code] of [
    [gzipSync(Buffer.alloc(16 * MAX_BATCH_BYTES)), 'too-large'],
    [Buffer.from('{}\n'), 'invalid-body'],
    [gzipSync(Buffer.from([0xff, 0xfe, 0x0a])), 'invalid-body'],
  ] as const)
    expect(outcome(await feed.take({ ...call, request: { ...call.request, bytes } }))).toBe(code);
});

test('an id that differs from the key, or is no id of a batch, is refused', async () => {
  const { feed } = await openedFeed();
  const call = batchCall(samples(0, 1));
  const { parameters, bytes } = call.request;
  const other = { ...parameters, 'Idempotency-Key': '1'.repeat(32) };
  expect(outcome(await feed.take({ ...call, request: { parameters: other, bytes } }))).toBe('invalid-parameter');
  expect(outcome(await feed.take(batchCall(samples(0, 1), { batchId: 'batch-1' })))).toBe('invalid-parameter');
});

test('records that a listener has not settled are handed to it again after a restart, settled ones are not', async () => {
  const directory = await folder();
  const before = await openFeed(directory);
  let isSettling = true;
  const first = rememberingListener(() => (isSettling ? Promise.resolve() : Promise.reject(new Error('not yet'))));
  before.listen('test', first);
  await before.take(batchCall(samples(0, 5)));
  await before.told();
  await before.close();
  const between = await openFeed(directory);
  isSettling = false;
  const second = rememberingListener(first.settled);
  between.listen('test', second);
  const cut = [...samples(5, 5), { ...liveSample(11), inviteAtUs: 1 }];
  await between.take(batchCall(cut));
  await between.told();
  expect(second.heard.map(({ record }) => record)).toEqual(samples(5, 5));
  await between.close();
  const { feed, log } = await openedFeed(directory);
  const third = rememberingListener();
  feed.listen('test', third);
  await feed.told();
  expect(third.heard.map(({ record }) => record)).toEqual(samples(5, 5));
  expect(log.lines).toEqual([]);
  expect((await feed.reader.find(EVERYTHING)).records.length).toBe(10);
});

test('a batch waits for room among the parsed records, but not for a listener that makes no progress', async () => {
  const clock = new ManualClock(SAMPLES_MS);
  let waits: () => void = () => undefined;
  const isWaiting = new Promise<void>((resolve) => (waits = resolve));
  const schedule: typeof clock.schedule = (callback, delayMs) => {
    waits();
    return clock.schedule(callback, delayMs);
  };
  const feed = await LiveFeed.open({
    context: { clock: { nowMs: clock.nowMs, schedule }, log: keptLog() },
    ...{ directory: await folder(), keptMs: NINETY_DAYS_MS },
  });
  closers.push(feed.close);
  let goOn: () => void = () => undefined;
  const free = new Promise<void>((resolve) => (goOn = resolve));
  const listener = { ...rememberingListener(), free: () => free };
  feed.listen('test', listener);
  const take = (batch: number): ReturnType<typeof feed.take> =>
    feed.take(batchCall(samples(batch * BATCH_RECORDS, BATCH_RECORDS)));
  for (let batch = 0; batch < ROOM_BATCHES; batch += 1) await take(batch);
  const late = take(ROOM_BATCHES);
  await isWaiting;
  expect(feed.journalRange().last).toBe(ROOM_BATCHES);
  clock.advance(1_000);
  expect(outcome(await late)).toBe(BATCH_RECORDS);
  expect(outcome(await take(ROOM_BATCHES + 1))).toBe(BATCH_RECORDS);
  goOn();
  await feed.told();
  expect(listener.heard.map(({ record }) => record.recordId)).toEqual(
    samples(0, (ROOM_BATCHES + 2) * BATCH_RECORDS).map(({ recordId }) => recordId),
  );
});
