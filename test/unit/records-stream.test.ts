import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { DeliveryResult } from '../../sdk/src/contract/record-batch.js';
import { compressFast } from '../../sdk/src/records/stream/record-chunk.js';
import type { DeadLetter } from '../../sdk/src/records/stream/dead-letters.js';
import { createMemorySegmentLog } from '../support/memory-segment-log.js';
import { ACKNOWLEDGED, createStreamLab, passed, sampleRecord, settled, until } from '../support/stream-lab.js';

const failing = (more: Partial<DeliveryResult & { status: 'unavailable' }> = {}): DeliveryResult => ({
  ...{ status: 'unavailable', reason: 'receiver-failed', httpStatus: 503 },
  ...more,
});

async function letters(source: AsyncIterable<DeadLetter>): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of source) found.push(letter);
  return found;
}

test('delivers what was accepted, in order, and frees the spool after the receiver has acknowledged', async () => {
  await using lab = createStreamLab({ reply: () => ACKNOWLEDGED });
  const records = [1, 2, 3].map((leg) => sampleRecord(leg));
  for (const [index, record] of records.entries())
    expect(lab.stream.record(record)).toEqual({ accepted: true, sequence: index + 1 });
  await until(lab, () => lab.log.trimmedThrough() === 3);
  expect(lab.sent.flatMap(({ records: got }) => got)).toEqual(records);
  expect(lab.values.get('stream.acknowledged')).toBe('3');
  expect(lab.stream.status()).toMatchObject({ queued: 0, inFlight: 0, acknowledged: 3, acknowledgedSequence: 3 });
});

test('sends nothing that is not on disk yet', async () => {
  await using lab = createStreamLab({ log: createMemorySegmentLog({ isManual: true }) });
  lab.stream.record(sampleRecord(1));
  await passed(lab, 60_000);
  expect(lab.sent).toHaveLength(0);
  expect(lab.stream.durableSequence).toBe(0);
  lab.log.sync();
  await until(lab, () => lab.sent.length === 1);
  expect(lab.stream.durableSequence).toBe(1);
});

test('makes the next batch while one is on its way, and sends it as it is, also when that one was split', async () => {
  await using lab = createStreamLab({ policy: { batchRecords: 4 } });
  for (let leg = 1; leg <= 12; leg += 1) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.sent.length === 1);
  await settled();
  lab.clock.advance(5_000);
  lab.sent[0]?.answer({ status: 'refused', reason: 'content', httpStatus: 400 });
  for (const half of [1, 2]) {
    await until(lab, () => lab.sent.length === half + 1);
    lab.sent[half]?.answer(ACKNOWLEDGED);
  }
  await until(lab, () => lab.sent.length === 4);
  const [first, ...rest] = lab.sent.map(({ batch }) => batch.timeMs);
  expect(rest.map((timeMs) => timeMs - (first ?? 0) >= 5_000)).toEqual([true, true, false]);
  lab.reply = () => ACKNOWLEDGED;
  lab.sent[3]?.answer(ACKNOWLEDGED);
  await until(lab, () => lab.stream.status().acknowledged === 12);
  expect(lab.sent.slice(1).flatMap(({ recordIds }) => recordIds)).toEqual(
    Array.from({ length: 12 }, (_none, index) => sampleRecord(index + 1).recordId),
  );
});

test('at every moment a record waits, is on its way, or is acknowledged', async () => {
  await using lab = createStreamLab({ policy: { batchRecords: 2 } });
  for (let leg = 1; leg <= 3; leg += 1) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.sent.length === 1);
  lab.sent[0]?.answer(ACKNOWLEDGED);
  const seen = new Set<string>();
  for (let turn = 0; turn < 50; turn += 1) {
    await Promise.resolve();
    const { queued, inFlight, acknowledged } = lab.stream.status();
    seen.add(`${queued} + ${inFlight} + ${acknowledged}`);
  }
  expect([...seen]).toEqual(['1 + 2 + 0', '1 + 0 + 2', '0 + 1 + 2']);
});

test('waits for a batch to fill, but no longer than the linger', async () => {
  await using lab = createStreamLab({ policy: { lingerMs: 200, batchRecords: 3 }, reply: () => ACKNOWLEDGED });
  lab.stream.record(sampleRecord(1));
  await settled();
  await passed(lab, 199);
  expect(lab.sent).toHaveLength(0);
  await passed(lab, 1);
  expect(lab.sent).toHaveLength(1);
  for (const leg of [2, 3, 4]) lab.stream.record(sampleRecord(leg));
  await settled();
  expect(lab.sent.map(({ batch }) => batch.count)).toEqual([1, 3]);
});

test('cuts a batch by octets, and sends a record that is larger alone', async () => {
  await using lab = createStreamLab({ policy: { batchBytes: 2_000 }, reply: () => ACKNOWLEDGED });
  const large = { ...sampleRecord(2), customerId: 'x'.repeat(3_000) };
  for (const record of [sampleRecord(1), large, sampleRecord(3), sampleRecord(4)]) lab.stream.record(record);
  await until(lab, () => lab.stream.status().acknowledged === 4);
  expect(lab.sent.map(({ batch }) => batch.count)).toEqual([1, 1, 2]);
});

test('keeps the records of a call in one batch at a time while others overtake them', async () => {
  await using lab = createStreamLab({ policy: { maxInFlight: 4, batchRecords: 1 } });
  const stuck = sampleRecord(1, 1).recordId;
  lab.reply = ({ recordIds }) => (recordIds[0] === stuck ? undefined : ACKNOWLEDGED);
  for (let leg = 1; leg <= 40; leg += 1) lab.stream.record(sampleRecord(leg, ((leg - 1) % 8) + 1));
  await until(lab, () => lab.stream.status().acknowledged >= 20);
  const ofCall = lab.sent.flatMap(({ records }) => records).filter(({ callGroupId }) => callGroupId === 'call-1');
  expect(ofCall).toHaveLength(1);
  lab.sent.find(({ recordIds }) => recordIds[0] === stuck)?.answer(ACKNOWLEDGED);
  await until(lab, () => lab.stream.status().acknowledged === 40);
});

test('repeats a batch as it was: same octets, same id, after a wait with full jitter', async () => {
  await using lab = createStreamLab({ policy: { retry: { baseMs: 1_000, capMs: 8_000 }, breakerFailures: 100 } });
  lab.reply = () => (lab.sent.length <= 6 ? failing() : ACKNOWLEDGED);
  lab.stream.record(sampleRecord(1));
  await until(lab, () => lab.stream.status().acknowledged === 1, 10);
  expect(new Set(lab.sent.map(({ batch }) => batch.id)).size).toBe(1);
  expect(new Set(lab.sent.map(({ batch }) => Buffer.from(batch.body).toString('hex'))).size).toBe(1);
  const waits = lab.sent.slice(1).map(({ atMs }, index) => atMs - (lab.sent[index]?.atMs ?? 0));
  // random() is 0.5: half of 1, 2, 4, 8, 8, 8 s, and the steps in which the test moves time.
  for (const [index, expected] of [500, 1_000, 2_000, 4_000, 4_000, 4_000].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(expected);
    expect(waits[index]).toBeLessThanOrEqual(expected + 60);
  }
  expect(lab.stream.status()).toMatchObject({ requests: 7, retried: 6, batches: 1, dead: 0 });
});

test('leaves the receiver alone for as long as it asks, with every batch', async () => {
  await using lab = createStreamLab({ policy: { maxInFlight: 4, batchRecords: 1, retry: { baseMs: 1, capMs: 1 } } });
  lab.reply = () =>
    lab.sent.length === 1 ? failing({ httpStatus: 429, reason: 'receiver-busy', retryAfterMs: 30_000 }) : ACKNOWLEDGED;
  lab.stream.record(sampleRecord(1));
  await until(lab, () => lab.stream.status().retried === 0 && lab.stream.status().trouble !== undefined, 1);
  for (let leg = 2; leg <= 20; leg += 1) lab.stream.record(sampleRecord(leg));
  await settled();
  const before = lab.clock.monotonicMs();
  await passed(lab, 29_000);
  expect(lab.sent).toHaveLength(1);
  await until(lab, () => lab.stream.status().acknowledged === 20);
  expect((lab.sent[1]?.atMs ?? 0) - before).toBeGreaterThanOrEqual(29_900);
});

test('opens the breaker after failures in a row, tries one batch, and closes it when that is acknowledged', async () => {
  const policy = {
    maxInFlight: 4,
    batchRecords: 1,
    breakerFailures: 4,
    breakerOpen: { baseMs: 10_000, capMs: 40_000 },
  };
  await using lab = createStreamLab({ policy: { ...policy, retry: { baseMs: 1, capMs: 1 } } });
  let isDown = true;
  lab.reply = () => (isDown ? failing() : ACKNOWLEDGED);
  for (let leg = 1; leg <= 40; leg += 1) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.stream.status().breaker === 'open', 1);
  const opened = lab.sent.length;
  expect(opened).toBeLessThanOrEqual(8);
  // Half an hour of outage: 7.5 s, 15 s, then every 30 s one batch.
  await passed(lab, 1_000, { steps: 1_800, turns: 6 });
  expect(lab.sent.length - opened).toBeLessThanOrEqual(64);
  expect(lab.sent.length - opened).toBeGreaterThanOrEqual(50);
  // Not always the same batch: one that fails for itself must not keep the breaker open.
  expect(new Set(lab.sent.slice(opened).map(({ batch }) => batch.id)).size).toBe(4);
  isDown = false;
  await until(lab, () => lab.stream.status().acknowledged === 40);
  expect(lab.stream.status()).toMatchObject({ breaker: 'closed', dead: 0, queued: 0 });
});

test('splits a batch that is too large, and puts aside a record that is too large alone', async () => {
  await using lab = createStreamLab();
  lab.reply = ({ batch }) =>
    batch.count > 3 ? { status: 'refused', reason: 'too-large', httpStatus: 413 } : ACKNOWLEDGED;
  for (let leg = 1; leg <= 10; leg += 1) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.stream.status().acknowledged === 10);
  expect(lab.stream.status().dead).toBe(0);
  lab.reply = () => ({ status: 'refused', reason: 'too-large', httpStatus: 413 });
  lab.stream.record(sampleRecord(11));
  await until(lab, () => lab.stream.status().dead === 1);
  expect(await letters(lab.stream.deadLetters())).toMatchObject([{ reason: 'too-large' }]);
});

test('never sends a batch again that was answered with 409', async () => {
  await using lab = createStreamLab({ reply: () => ({ status: 'refused', reason: 'conflict', httpStatus: 409 }) });
  for (const leg of [1, 2]) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.stream.status().dead === 2);
  expect(new Set(lab.sent.map(({ batch }) => batch.id)).size).toBe(lab.sent.length);
});

test('makes no dead letter of a 5xx, however often it comes', async () => {
  await using lab = createStreamLab({ reply: () => failing({ httpStatus: 500 }) });
  lab.stream.record(sampleRecord(1));
  await until(lab, () => lab.sent.length >= 50, 10_000);
  expect(lab.stream.status()).toMatchObject({ dead: 0, deadLetters: 0, acknowledgedSequence: 0 });
});

test('keeps everything while the credential is refused, and tries seldom', async () => {
  await using lab = createStreamLab({ policy: { batchRecords: 1, breakerOpen: { baseMs: 1_000, capMs: 60_000 } } });
  let isBarred = true;
  lab.reply = () => (isBarred ? { status: 'barred', reason: 'unauthorized', httpStatus: 401 } : ACKNOWLEDGED);
  for (let leg = 1; leg <= 5; leg += 1) lab.stream.record(sampleRecord(leg));
  await passed(lab, 1_000, { steps: 600, turns: 4 });
  expect(lab.sent.length).toBeLessThanOrEqual(22);
  expect(lab.stream.status()).toMatchObject({ dead: 0, breaker: 'open', trouble: { reason: 'unauthorized' } });
  isBarred = false;
  await until(lab, () => lab.stream.status().acknowledged === 5, 1_000);
  expect(lab.stream.status().trouble).toBeUndefined();
});

test.each([
  ['of another batch', ['f'.repeat(32)]],
  ['twice that is there once', [sampleRecord(1).recordId, sampleRecord(1).recordId]],
])('believes no answer that rejects a record %s: the batch is sent again', async (_name, recordIds) => {
  await using lab = createStreamLab({ policy: { maxInFlight: 1 } });
  const rejected = recordIds.map((recordId) => ({ recordId, code: 'bad' }));
  lab.reply = () => (lab.sent.length === 1 ? { status: 'acknowledged', rejected } : ACKNOWLEDGED);
  for (const leg of [1, 2, 3]) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.sent.length === 1);
  await settled();
  expect(lab.stream.status()).toMatchObject({ acknowledged: 0, dead: 0, trouble: { reason: 'answer-unreadable' } });
  await until(lab, () => lab.stream.status().acknowledged === 3);
  expect(lab.sent[1]?.batch.id).toBe(lab.sent[0]?.batch.id);
  expect(lab.stream.status().deadLetters).toBe(0);
});

test('settles no batch whose dead letters the disk does not take, and repeats it', async () => {
  await using lab = createStreamLab();
  const bad = sampleRecord(1).recordId;
  lab.reply = () => ({ status: 'acknowledged', rejected: [{ recordId: bad, code: 'bad' }] });
  lab.dead.disk = 'refuses-writes';
  lab.stream.record(sampleRecord(1));
  await until(lab, () => lab.sent.length >= 3, 1_000);
  expect(lab.stream.status()).toMatchObject({ acknowledgedSequence: 0, dead: 0 });
  expect(lab.stream.status().storageFailures).toBeGreaterThanOrEqual(2);
  lab.dead.disk = 'works';
  await until(lab, () => lab.stream.status().acknowledgedSequence === 1, 1_000);
});

test('hands dead letters in again, keeps or discards them, as is decided', async () => {
  const values = new Map<string, string>();
  const dead = createMemorySegmentLog();
  {
    await using lab = createStreamLab({ values, dead, policy: { batchRecords: 1 } });
    lab.reply = () => ({ status: 'refused', reason: 'content', httpStatus: 422 });
    for (const leg of [1, 2, 3]) lab.stream.record(sampleRecord(leg));
    await until(lab, () => lab.stream.status().dead === 3);
    lab.reply = () => ACKNOWLEDGED;
    const decisions = ['requeue', 'keep', 'discard'] as const;
    const outcome = await lab.stream.settleDeadLetters(({ sequence }) => decisions[sequence - 1] ?? 'keep');
    expect(outcome).toEqual({ requeued: 1, kept: 1, discarded: 1, remaining: 0 });
    await until(lab, () => lab.stream.status().acknowledged === 1);
    expect(lab.sent.at(-1)?.records).toEqual([sampleRecord(1)]);
    expect(lab.stream.status().deadLetters).toBe(1);
  }
  await using next = createStreamLab({ values, dead });
  const left = await letters(next.stream.deadLetters());
  expect(left.map(({ line }) => JSON.parse(line) as unknown)).toEqual([sampleRecord(2)]);
});

test('refuses new records when the spool is full, says so, and takes them again when there is room', async () => {
  await using lab = createStreamLab({ policy: { maxSpoolBytes: 10_000 } });
  let accepted = 0;
  for (let leg = 1; leg <= 50; leg += 1) {
    const acceptance = lab.stream.record(sampleRecord(leg));
    if (acceptance.accepted) accepted += 1;
    else expect(acceptance).toEqual({ accepted: false, reason: 'spool-full' });
    await settled(2);
  }
  expect(accepted).toBeGreaterThan(5);
  expect(accepted).toBeLessThan(20);
  expect(lab.stream.status().refused).toBe(50 - accepted);
  lab.reply = () => ACKNOWLEDGED;
  for (const { answer } of lab.sent) answer(ACKNOWLEDGED);
  await until(lab, () => lab.stream.status().acknowledged === accepted);
  expect(lab.stream.record(sampleRecord(51)).accepted).toBe(true);
});

test('gives up the oldest and counts them where the policy says so', async () => {
  const policy = {
    dropPolicy: 'drop-oldest',
    maxSpoolBytes: 10_000,
    breakerOpen: { baseMs: 1e6, capMs: 1e6 },
  } as const;
  await using lab = createStreamLab({ policy: { ...policy, batchRecords: 1, breakerFailures: 1 } });
  lab.reply = () => failing();
  for (let leg = 1; leg <= 50; leg += 1) {
    expect(lab.stream.record(sampleRecord(leg)).accepted).toBe(true);
    await settled(4);
  }
  const { dropped, queued } = lab.stream.status();
  expect(dropped).toBeGreaterThan(20);
  expect(dropped + queued).toBe(50);
  lab.reply = () => ACKNOWLEDGED;
  const before = lab.sent.length;
  await until(lab, () => lab.stream.status().queued + lab.stream.status().inFlight === 0, 10_000);
  const delivered = lab.sent.slice(before).flatMap(({ recordIds }) => recordIds);
  expect(delivered).toEqual(
    Array.from({ length: queued }, (_, index) => sampleRecord(50 - queued + 1 + index).recordId),
  );
});

test('gives up what has waited too long, by time that nobody sets', async () => {
  const policy = {
    dropPolicy: 'drop-oldest',
    maxSpoolAgeMs: 60_000,
    breakerOpen: { baseMs: 1e6, capMs: 1e6 },
  } as const;
  await using lab = createStreamLab({ policy: { ...policy, breakerFailures: 1 }, reply: () => failing() });
  lab.stream.record(sampleRecord(1));
  await until(lab, () => lab.sent.length === 1, 1);
  lab.clock.jump(3_600_000);
  lab.stream.record(sampleRecord(2));
  await settled();
  expect(lab.stream.status().dropped).toBe(0);
  lab.clock.advance(61_000);
  lab.stream.record(sampleRecord(3));
  await settled();
  expect(lab.stream.status()).toMatchObject({ dropped: 2, queued: 1 });
});

test('refuses new records while the oldest has waited too long', async () => {
  await using lab = createStreamLab({ policy: { maxSpoolAgeMs: 60_000 } });
  lab.stream.record(sampleRecord(1));
  await until(lab, () => lab.sent.length === 1, 1);
  lab.clock.advance(61_000);
  expect(lab.stream.record(sampleRecord(2))).toEqual({ accepted: false, reason: 'spool-too-old' });
});

test('never throws out of record: no JSON, too large, a disk that is behind, a log that throws, closed', async () => {
  const lab = createStreamLab({ policy: { maxRecordBytes: 1_000 } });
  const circular: Record<string, unknown> = { recordId: 'a', callGroupId: 'b' };
  circular['self'] = circular;
  expect(lab.stream.record(circular as never)).toEqual({ accepted: false, reason: 'not-json' });
  expect(lab.stream.record(undefined as never)).toEqual({ accepted: false, reason: 'not-json' });
  expect(lab.stream.record({ recordId: 'a' } as never)).toEqual({ accepted: false, reason: 'not-json' });
  const large = { ...sampleRecord(1), customerId: 'x'.repeat(1_000) };
  expect(lab.stream.record(large)).toEqual({ accepted: false, reason: 'too-large' });
  lab.log.disk = 'throws';
  expect(lab.stream.record(sampleRecord(1))).toEqual({ accepted: false, reason: 'disk-behind' });
  await lab.stream.close();
  expect(lab.stream.record(sampleRecord(1))).toEqual({ accepted: false, reason: 'closed' });
  expect(lab.clock.pendingTimers()).toBe(0);
});

test('drains without waiting for batches to fill, and says what is left when time is up', async () => {
  await using lab = createStreamLab({ policy: { lingerMs: 3_600_000 } });
  for (const leg of [1, 2]) lab.stream.record(sampleRecord(leg));
  const early = lab.stream.drain({ timeoutMs: 1_000 });
  await until(lab, () => lab.sent.length === 1, 1);
  lab.clock.advance(1_000);
  expect(await early).toEqual({ status: 'incomplete', remaining: 2 });
  const late = lab.stream.drain();
  lab.sent[0]?.answer(ACKNOWLEDGED);
  expect(await late).toEqual({ status: 'drained' });
  expect(await lab.stream.drain()).toEqual({ status: 'drained' });
});

test('begins anew where the position is that of a spool that is no more', async () => {
  await using lab = createStreamLab({ values: new Map([['stream.acknowledged', '900']]) });
  await settled();
  // At once: the new spool may have more than 900 records before the first of them is acknowledged.
  expect(lab.values.get('stream.acknowledged')).toBe('0');
  lab.reply = () => ACKNOWLEDGED;
  lab.stream.record(sampleRecord(1));
  await until(lab, () => lab.stream.status().acknowledged === 1);
});

test('goes round records that the disk has lost', async () => {
  await using lab = createStreamLab({ log: createMemorySegmentLog({ isManual: true }), reply: () => ACKNOWLEDGED });
  for (let leg = 1; leg <= 4; leg += 1) lab.stream.record(sampleRecord(leg));
  lab.log.lose(2);
  lab.log.lose(4);
  lab.log.sync();
  await until(lab, () => lab.stream.status().acknowledgedSequence === 4);
  expect(lab.stream.status().acknowledged).toBe(2);
});

test('does not ask a disk that refused again and again while nobody wants what it has', async () => {
  await using lab = createStreamLab({ policy: { batchRecords: 1, retry: { baseMs: 60_000, capMs: 60_000 } } });
  for (let leg = 1; leg <= 3; leg += 1) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.sent.length === 1);
  lab.log.disk = 'refuses-reads';
  lab.stream.record(sampleRecord(4));
  await until(lab, () => lab.stream.status().storageFailures === 1);
  lab.sent[0]?.answer(failing());
  await settled();
  // Throws where timers are set without end.
  lab.clock.advance(20_000);
  expect(lab.stream.status()).toMatchObject({ queued: 4, inFlight: 0, storageFailures: 1 });
  lab.log.disk = 'works';
  lab.reply = () => ACKNOWLEDGED;
  await until(lab, () => lab.stream.status().acknowledged === 4, 1_000);
});

test.each([3_600_000, -3_600_000, -86_400_000])('loses nothing when the clock is set by %i ms', async (jumpMs) => {
  await using lab = createStreamLab({ policy: { batchRecords: 1 } });
  lab.reply = () => (lab.sent.length % 3 === 0 ? ACKNOWLEDGED : failing());
  for (let leg = 1; leg <= 10; leg += 1) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.stream.status().acknowledged === 3);
  lab.clock.jump(jumpMs);
  await until(lab, () => lab.stream.status().acknowledged === 10);
  expect(lab.sent).toHaveLength(30);
  expect(lab.stream.status().dropped).toBe(0);
  const waits = lab.sent.slice(1).map(({ atMs }, index) => atMs - (lab.sent[index]?.atMs ?? 0));
  expect(Math.max(...waits)).toBeLessThan(60_000);
});

test('puts aside what was spooled in a form that it does not know', async () => {
  await using lab = createStreamLab({ reply: () => ACKNOWLEDGED });
  lab.stream.record(sampleRecord(1));
  lab.log.append(new Uint8Array([9, 9, 9]));
  lab.stream.record(sampleRecord(2));
  await until(lab, () => lab.stream.status().acknowledgedSequence === 3);
  expect(lab.stream.status()).toMatchObject({ acknowledged: 2, dead: 1 });
  expect(await letters(lab.stream.deadLetters())).toMatchObject([{ reason: 'unreadable', line: 'CQkJ' }]);
});

test('tells how things stand whenever that has changed, and ends with the stream', async () => {
  const lab = createStreamLab({ reply: () => ACKNOWLEDGED });
  const seen: number[] = [];
  const listening = (async () => {
    for await (const { acknowledged } of lab.stream.statuses()) seen.push(acknowledged);
  })();
  await settled();
  for (let leg = 1; leg <= 30; leg += 1) lab.stream.record(sampleRecord(leg));
  await until(lab, () => lab.stream.status().acknowledged === 30);
  await until(lab, () => seen.at(-1) === 30);
  await lab.stream.close();
  await listening;
  expect(seen.length).toBeLessThan(12);
});

test('a receiver that refuses every record is asked seldom, and the spool is not turned into dead letters at full speed', async () => {
  await using lab = createStreamLab({ policy: { batchRecords: 10, breakerOpen: { baseMs: 1_000, capMs: 60_000 } } });
  let refusesAll = true;
  lab.reply = () => (refusesAll ? { status: 'refused', reason: 'content', httpStatus: 400 } : ACKNOWLEDGED);
  for (let leg = 1; leg <= 200; leg += 1) lab.stream.record(sampleRecord(leg));
  await passed(lab, 1_000, { steps: 600, turns: 4 });
  const { dead, breaker } = lab.stream.status();
  expect({ breaker }).toEqual({ breaker: 'open' });
  expect(dead).toBeGreaterThan(20);
  expect(dead).toBeLessThan(40);
  expect(lab.sent.length).toBeLessThan(90);
  refusesAll = false;
  await until(lab, () => lab.stream.status().acknowledgedSequence === 200, 1_000);
  expect(lab.stream.status()).toMatchObject({ acknowledged: 200 - dead, breaker: 'closed' });
});

test('puts nothing more aside when dead letters take as much room as they may, and goes on when they are settled', async () => {
  await using lab = createStreamLab({ policy: { batchRecords: 1, maxSpoolBytes: 2_500 } });
  lab.reply = () => ({ status: 'refused', reason: 'content', httpStatus: 400 });
  for (const leg of [1, 2, 3]) await until(lab, () => lab.stream.record(sampleRecord(leg)).accepted);
  await until(lab, () => lab.stream.status().dead === 3);
  lab.reply = ({ recordIds }) =>
    recordIds.includes(sampleRecord(5).recordId)
      ? ACKNOWLEDGED
      : { status: 'refused', reason: 'content', httpStatus: 400 };
  for (const leg of [4, 5]) {
    await until(lab, () => lab.stream.record(sampleRecord(leg)).accepted);
  }
  await until(lab, () => lab.stream.status().storageFailures >= 3, 1_000);
  expect(lab.stream.status()).toMatchObject({ dead: 3, acknowledgedSequence: 3 });
  await lab.stream.settleDeadLetters(() => 'discard');
  await until(lab, () => lab.stream.status().acknowledgedSequence === 5, 1_000);
  expect(lab.stream.status()).toMatchObject({ dead: 4, acknowledged: 1 });
});

test.each([
  ['gzip', gunzipSync],
  ['br', brotliDecompressSync],
] as const)('lines compressed as %s are the same lines again, from none to a whole batch', async (encoding, plain) => {
  for (const lines of ['', '{}\n', `${JSON.stringify(sampleRecord(1))}\n`.repeat(10_000)]) {
    const compressed = await compressFast(Buffer.from(lines), encoding);
    expect(plain(compressed).toString()).toBe(lines);
  }
});
