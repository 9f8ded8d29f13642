import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryAfterMs, retryClassOf } from '../../sdk/src/platform/retry.js';
import { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { readRecordBatchAnswer } from '../../sdk/src/contract/record-batch.js';
import type { DeliveryResult } from '../../sdk/src/contract/record-batch.js';
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  frameAcceptedAtMs,
  isFrame,
  lineRecordId,
  lineText,
} from '../../sdk/src/records/stream/packed-spool.js';
import { createMemorySegmentLog } from '../support/memory-segment-log.js';
import { sharedRecord } from '../support/shared-records.js';
import { createStreamLab, sampleRecord, settled, until, type SentBatch } from '../support/stream-lab.js';

/** What a receiver does with a batch. `lost-answer`: it stores it, and the sender never hears of it. */
type Doing = 'take' | 'fail' | 'busy' | 'lost-answer' | 'refuse' | 'reject-some' | 'bar' | 'hang';

const doing = fc.constantFrom<Doing>(
  'take',
  'take',
  'fail',
  'busy',
  'lost-answer',
  'refuse',
  'reject-some',
  'bar',
  'hang',
);

/** A receiver that counts, and does to each batch what comes next in the list, then takes everything. */
function receiver(list: readonly Doing[]): {
  readonly stored: Set<string>;
  /** Records that came again after the sender was told that they are settled. */
  readonly again: string[];
  readonly reply: (sent: SentBatch) => DeliveryResult | undefined;
} {
  const stored = new Set<string>();
  const again: string[] = [];
  const settledIds = new Set<string>();
  let next = 0;
  const take = (ids: readonly string[]): void => ids.forEach((id) => stored.add(id));
  const settle = (ids: readonly string[]): void => ids.forEach((id) => settledIds.add(id));
  const reply = ({ recordIds }: SentBatch): DeliveryResult | undefined => {
    again.push(...recordIds.filter((id) => settledIds.has(id)));
    switch (list[next++] ?? 'take') {
      case 'take':
        take(recordIds);
        settle(recordIds);
        return { status: 'acknowledged', rejected: [] };
      case 'fail':
        return { status: 'unavailable', reason: 'receiver-failed', httpStatus: 500 };
      case 'busy':
        return { status: 'unavailable', reason: 'receiver-busy', httpStatus: 429, retryAfterMs: 5_000 };
      case 'lost-answer':
        take(recordIds);
        return { status: 'unavailable', reason: 'connection-failed' };
      case 'refuse':
        return { status: 'refused', reason: 'content', httpStatus: 422 };
      case 'reject-some':
        take(recordIds.slice(1));
        settle(recordIds);
        return { status: 'acknowledged', rejected: [{ recordId: recordIds[0] ?? '', code: 'odd' }] };
      case 'bar':
        return { status: 'barred', reason: 'unauthorized', httpStatus: 401 };
      case 'hang':
        return undefined;
    }
  };
  return { stored, again, reply };
}

test('whatever the receiver does, and however often the sender starts anew, every accepted record is stored or a dead letter', async () => {
  const script = fc.record({
    lives: fc.array(fc.record({ does: fc.array(doing, { maxLength: 12 }), legs: fc.integer({ min: 0, max: 12 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    maxInFlight: fc.integer({ min: 1, max: 4 }),
    batchRecords: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(script, async ({ lives, maxInFlight, batchRecords }) => {
      const log = createMemorySegmentLog();
      const dead = createMemorySegmentLog();
      const values = new Map<string, string>();
      const stored = new Set<string>();
      const accepted: string[] = [];
      const buried = new Set<string>();
      for (const [life, { does, legs }] of lives.entries()) {
        const isLast = life === lives.length - 1;
        const { reply, again, stored: storedNow } = receiver(isLast ? does.filter((step) => step !== 'hang') : does);
        await using lab = createStreamLab({ log, dead, values, policy: { maxInFlight, batchRecords, lingerMs: 20 } });
        lab.reply = reply;
        for (let leg = 0; leg < legs; leg += 1) {
          const record = sharedRecord(sampleRecord(life * 100 + leg, leg % 5), 'all-pseudonymous');
          if (lab.stream.record(record).accepted) accepted.push(record.recordId);
          if (leg % 3 === 2) await settled(2);
        }
        if (isLast) await until(lab, () => lab.stream.status().acknowledgedSequence === log.lastSequence, 1_000);
        else await settled();
        for await (const { line } of lab.stream.deadLetters())
          buried.add((JSON.parse(line) as { recordId: string }).recordId);
        for (const id of storedNow) stored.add(id);
        expect(again).toEqual([]);
      }
      expect(accepted.filter((id) => !stored.has(id) && !buried.has(id))).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test('reads any answer of a receiver, and believes none that does not account for the batch', () => {
  const batch = { id: 'a'.repeat(32), count: 3 };
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      (text) => {
        expect(readRecordBatchAnswer(text, batch).status).toBe('unreadable');
      },
    ),
  );
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.anything(), { maxLength: 5 }), (accepted, rejected) => {
      const reading = readRecordBatchAnswer(JSON.stringify({ batchId: batch.id, accepted, rejected }), batch);
      if (reading.status === 'read') expect(accepted + rejected.length).toBe(3);
    }),
  );
});

test('reads any Retry-After and any status, never throws', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), fc.double(), (value, nowMs, status) => {
      const waitMs = retryAfterMs(value, nowMs);
      expect(waitMs === undefined || (waitMs >= 0 && waitMs <= 600_000)).toBe(true);
      expect(retryClassOf(status)).toBeTypeOf('string');
    }),
  );
});

test('reads any bytes as a frame, never throws, and gives back what was spooled', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      if (isFrame(bytes, 0, bytes.length)) lineRecordId(bytes.subarray(FRAME_HEADER_BYTES));
    }),
  );
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      fc.string(),
      fc.integer({ min: 0, max: 2 ** 48 - 1 }),
      (recordId, callGroupId, text, atMs) => {
        const record = { recordId, callGroupId, text };
        const frame = encodeFrame(record, atMs);
        expect(isFrame(frame, 0, frame.length)).toBe(true);
        expect(frameAcceptedAtMs(frame, 0)).toBe(atMs);
        const line = frame.subarray(FRAME_HEADER_BYTES);
        expect(JSON.parse(lineText(line))).toEqual(JSON.parse(JSON.stringify(record)));
        expect(lineRecordId(line)).toBe((JSON.parse(JSON.stringify(record)) as typeof record).recordId);
      },
    ),
  );
});

test('judges anything as a shared record, never throws', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expect(SharedRecord.safeParse(value).success).toBe(false);
    }),
  );
});
