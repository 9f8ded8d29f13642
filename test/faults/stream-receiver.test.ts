import { expect, test } from 'vitest';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import type { DeliveryResult, RecordTransport } from '../../sdk/src/contract/record-batch.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { startRecordReceiver } from '../support/record-receiver.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';
import { sampleRecord } from '../support/stream-lab.js';

const RECORDS = faultCount({ short: 5_000, full: 100_000 });

const transportTo = (url: string): RecordTransport =>
  createHttpsRecordTransport({ url, authorization: bearerToken('c2VjcmV0'), timeoutMs: 250 });

/** Waits for the spool to have room instead of losing what it refuses. */
async function handIn(
  stream: { record: (record: ReturnType<typeof sampleRecord>) => { accepted: boolean } },
  legs: readonly number[],
): Promise<void> {
  for (const leg of legs) {
    while (!stream.record(sampleRecord(leg, leg % 97)).accepted) await new Promise((resolve) => setImmediate(resolve));
    if (leg % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

const legsOf = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => from + index);

test(
  `a receiver that fails 30 % of ${RECORDS} records' batches, also after it stored them, loses none and stores none twice`,
  { timeout: 60_000 + 12 * RECORDS },
  async () => {
    await using directory = await createTemporaryDirectory();
    await using receiver = await startRecordReceiver();
    await using spool = await openStreamOnDisk(directory.path, {
      transport: transportTo(receiver.url),
      policy: { batchRecords: 20, lingerMs: 5 },
    });
    await receiver.control({ faultRate: 0.3, seed: 7 });
    const legs = legsOf(1, RECORDS);
    await handIn(spool.stream, legs);
    expect(await spool.stream.drain()).toEqual({ status: 'drained' });
    const report = await receiver.report();
    const ids = await receiver.ids();
    const lost = legs.filter((leg) => !ids.has(sampleRecord(leg).recordId));
    expect({ lost: lost.length, distinct: report.distinct, outOfOrder: report.outOfOrder }).toEqual({
      ...{ lost: 0, distinct: legs.length, outOfOrder: 0 },
    });
    expect(Object.keys(report.faults).length).toBe(8);
    expect(spool.stream.status()).toMatchObject({ acknowledged: legs.length, dead: 0, dropped: 0, queued: 0 });

    await receiver.control({ faultRate: 0, resetCounts: true });
    await handIn(spool.stream, legsOf(legs.length + 1, 1_000));
    await spool.stream.drain();
    const after = await receiver.report();
    expect(after.distinct).toBe(legs.length + 1_000);
    expect(after.requests / after.batches).toBeLessThanOrEqual(1.2);
    reportFault('receiver-faults', {
      ...{ faultRate: 0.3, records: legs.length, lost: lost.length, storedTwice: 0, repeatsKnownById: report.repeated },
      ...{ requests: report.requests, batches: report.batches },
      requestsPerBatchAfterRecovery: Number((after.requests / after.batches).toFixed(2)),
    });
  },
);

test('a platform that is down for a while gets everything once it is back, and little before', async () => {
  await using directory = await createTemporaryDirectory();
  await using receiver = await startRecordReceiver();
  const real = transportTo(receiver.url);
  const nobody = createHttpsRecordTransport({ url: 'http://127.0.0.1:9/v1/records', authorization: bearerToken('x') });
  let isDown = true;
  let whileDown = 0;
  const transport: RecordTransport = {
    deliver: (batch, signal): Promise<DeliveryResult> => {
      if (isDown) whileDown += 1;
      return (isDown ? nobody : real).deliver(batch, signal);
    },
    close: async () => {},
  };
  await using spool = await openStreamOnDisk(directory.path, { transport, policy: { batchRecords: 50, lingerMs: 5 } });
  await handIn(spool.stream, legsOf(1, 3_000));
  expect(await spool.stream.drain({ timeoutMs: 1_500 })).toMatchObject({ status: 'incomplete' });
  expect(spool.stream.status()).toMatchObject({ acknowledged: 0, breaker: expect.stringMatching(/open/) as string });
  expect(whileDown).toBeLessThan(40);
  isDown = false;
  expect(await spool.stream.drain()).toEqual({ status: 'drained' });
  expect(await receiver.report()).toMatchObject({ distinct: 3_000, outOfOrder: 0 });
  reportFault('platform-down', { records: 3_000, lost: 0, requestsWhileDown: whileDown });
});

test('of 500 records with one that the receiver refuses 499 arrive, and one is a dead letter that can be handed in again', async () => {
  await using directory = await createTemporaryDirectory();
  await using receiver = await startRecordReceiver();
  const poisonId = sampleRecord(233).recordId;
  await receiver.control({ poisonId });
  await using spool = await openStreamOnDisk(directory.path, { transport: transportTo(receiver.url) });
  await handIn(spool.stream, legsOf(1, 500));
  expect(await spool.stream.drain()).toEqual({ status: 'drained' });
  const { distinct, requests } = await receiver.report();
  expect(distinct).toBe(499);
  // The refused batch is halved until one record is left.
  expect(requests).toBeLessThanOrEqual(30);
  expect((await receiver.ids()).has(poisonId)).toBe(false);
  expect(spool.stream.status()).toMatchObject({ acknowledged: 499, dead: 1, deadLetters: 1 });
  for await (const letter of spool.stream.deadLetters())
    expect(letter).toMatchObject({
      reason: 'refused',
      code: 'content',
      httpStatus: 400,
      detail: 'a record that cannot be read',
    });
  reportFault('poison-record', { records: 500, delivered: 499, deadLetters: 1, reason: 'refused', httpStatus: 400 });
  await receiver.control({ poisonId: '' });
  expect(await spool.stream.settleDeadLetters()).toMatchObject({ requeued: 1, remaining: 0 });
  await spool.stream.drain();
  expect(await receiver.report()).toMatchObject({ distinct: 500 });
  expect(spool.stream.status().deadLetters).toBe(0);
});
