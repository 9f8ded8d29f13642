import { expect, test } from 'vitest';
import { createChunkPool } from '../../sdk/src/records/stream/record-chunk.js';
import { SpoolReader, encodeFrameOfLine } from '../../sdk/src/records/stream/packed-spool.js';
import { createMemorySegmentLog, type MemorySegmentLog } from '../support/memory-segment-log.js';
import { createStreamTestClock, settled } from '../support/stream-lab.js';

const frameOf = (octets: number): Uint8Array => encodeFrameOfLine('x'.repeat(octets - 1), 'call-1', 0);

function spoolOf(records: number): MemorySegmentLog {
  const log = createMemorySegmentLog({ isManual: true });
  for (let number = 1; number <= records; number += 1) log.append(frameOf(100));
  log.sync();
  return log;
}

test('a chunk of few records has the memory of few records', () => {
  const capacityOf = (records: number): number => {
    const chunk = createChunkPool({ records, bytes: 1_048_576 }, { chunks: 1, bytes: 1_048_576 }).take(true);
    chunk.add(1, frameOf(100), 0, frameOf(100).length);
    return chunk.capacityBytes;
  };
  expect([1, 10, 500].map(capacityOf)).toEqual([100, 1_000, 4_096]);
});

test('a pool keeps as many chunks and octets as it may, and gives out again what it keeps', () => {
  const pool = createChunkPool({ records: 1, bytes: 1_024 }, { chunks: 3, bytes: 1_000 });
  const [first, second, third] = [600, 600, 300].map((octets) => {
    const chunk = pool.take(true);
    chunk.add(1, frameOf(octets), 0, frameOf(octets).length);
    return chunk;
  });
  for (const chunk of [first, second, third]) if (chunk !== undefined) pool.give(chunk);
  const again = [1, 2, 3].map(() => pool.take(true));
  expect(again.slice(0, 2)).toEqual([third, first]);
  expect(again[2]?.capacityBytes).toBe(0);
});

test('a record that there was no memory for is read again', async () => {
  const clock = createStreamTestClock();
  const pushed: number[] = [];
  let isOutOfMemory = true;
  let failed = 0;
  const reader = new SpoolReader({
    ...{ log: spoolOf(3), clock, fromSequence: 1, onRead: () => {}, onFailed: () => void (failed += 1) },
    push: (sequence) => {
      if (sequence === 2 && isOutOfMemory) throw new RangeError('Array buffer allocation failed');
      pushed.push(sequence);
    },
  });
  reader.read();
  await settled();
  expect([pushed, failed, reader.nextSequence()]).toEqual([[1], 1, 2]);
  isOutOfMemory = false;
  clock.advance(1_000);
  reader.read();
  await settled();
  expect([pushed, reader.nextSequence()]).toEqual([[1, 2, 3], 4]);
});

test('what is behind records that were left out, and trimmed, while they were to be read is not taken for lost', async () => {
  const log = spoolOf(5);
  const pushed: number[] = [];
  let trim: (() => void) | undefined;
  /** Finds its segment gone, as where it was trimmed before it could be opened. */
  const lateVisit = (): Promise<number> => new Promise((resolve) => (trim = () => resolve(0)));
  const reader = new SpoolReader({
    log: {
      ...log,
      durableSequence: 5,
      visit: (from, ...rest) => (from === 1 ? lateVisit() : log.visit(from, ...rest)),
    },
    ...{ clock: createStreamTestClock(), fromSequence: 1, onRead: () => {}, onFailed: () => {} },
    push: (sequence) => void pushed.push(sequence),
  });
  reader.read();
  reader.skipThrough(3);
  trim?.();
  await settled();
  reader.read();
  await settled();
  expect(pushed).toEqual([4, 5]);
});
