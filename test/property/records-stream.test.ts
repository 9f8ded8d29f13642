import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SegmentLog } from '../../sdk/src/log/index.js';
import type {
  BatchEncoding,
  DeliveryResult,
  RecordBatch,
  RecordTransport,
} from '../../sdk/src/contract/record-batch.js';
import { readRecordBatchAnswer } from '../../sdk/src/contract/record-batch.js';
import { retryAfterMs, retryClassOf } from '../../sdk/src/platform/retry.js';
import { createDeadLetters } from '../../sdk/src/records/stream/dead-letters.js';
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  frameAcceptedAtMs,
  isFrame,
  lineRecordId,
  lineText,
  openPackedSpool,
} from '../../sdk/src/records/stream/packed-spool.js';
import { streamOn } from '../support/stream-lab.js';
import type { RecordStreamParts } from '../../sdk/src/records/stream/record-stream.js';
import type { StreamPolicy } from '../../sdk/src/records/stream/stream-policy.js';
import { forAll, forAllAsync } from '../support/for-all.js';

/** What a receiver does with a batch. `lost-answer`: it stores it, and the sender never hears of it. */
type Doing = 'take' | 'fail' | 'busy' | 'bar' | 'lost-answer' | 'refuse' | 'reject-some';

const step = fc.record({
  does: fc.constantFrom<Doing>('take', 'take', 'take', 'fail', 'busy', 'bar', 'lost-answer', 'refuse', 'reject-some'),
  /** Milliseconds until the answer. */
  waits: fc.constantFrom(0, 0, 1, 5),
  /** So often in a row where it fails: then it is away. */
  times: fc.constantFrom(1, 1, 12),
});

/** Room for all records, and for as many dead letters: these have as much as the spool. */
const ROOMY_BYTES = 16 * 1_048_576;

const policy = fc.record({
  maxInFlight: fc.constantFrom(1, 2, 4, 64),
  batchRecords: fc.constantFrom(1, 2, 7, 50, 10_000),
  batchBytes: fc.constantFrom(1_024, 2_000, 10_000, 1_048_576),
  lingerMs: fc.constantFrom(0, 1, 10),
  windowBytes: fc.constantFrom(1_024, 8_192, 100_000, 16 * 1_048_576),
  /** Often so little that all is packed that waits while the receiver fails. */
  packAboveBytes: fc.constantFrom(1_024, 1_024, 5_000, 20_000, 16 * 1_048_576),
  /** Where the spool is small, the oldest are dropped. */
  maxSpoolBytes: fc.constantFrom(4_096, 20_000, ROOMY_BYTES, ROOMY_BYTES),
});

const script = fc.record({
  policy,
  encoding: fc.constantFrom<BatchEncoding>('gzip', 'gzip', 'br'),
  segmentBytes: fc.constantFrom(4_096, 65_536, 1_048_576),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
  /** One element for each record: of which call, octets of text beside what every record has, turns of the loop before the next. */
  records: fc.array(
    fc.record({
      call: fc.integer({ min: 0, max: 9 }),
      textBytes: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 900 }) }, fc.constant(3_000)),
      turns: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 3, 30),
      isUnreadable: fc.integer({ min: 0, max: 29 }).map((drawn) => drawn === 7),
    }),
    { maxLength: 300, size: 'max' },
  ),
  /** Records until the sender is closed and opened again. */
  livesFor: fc.constantFrom(40, 300, 300),
  /** Whether every other life sends otherwise, what was packed in the one before included. */
  isChanging: fc.boolean(),
});

/** How every other life sends, then. */
const CHANGED = { maxInFlight: 3, batchRecords: 5 };

interface NumberedRecord {
  readonly recordId: string;
  readonly callGroupId: string;
  readonly number: number;
  readonly text: string;
}

interface Receiver {
  readonly stored: ReadonlyMap<number, NumberedRecord>;
  /** What it saw that must not be. */
  readonly wrong: readonly string[];
  readonly transport: (encoding: BatchEncoding) => RecordTransport;
  readonly forget: () => void;
}

/** A receiver that does to each batch what comes next in the list, then takes everything. */
function receiver(steps: readonly { readonly does: Doing; readonly waits: number }[]): Receiver {
  const stored = new Map<number, NumberedRecord>();
  const settledNumbers = new Set<number>();
  const wrong: string[] = [];
  const newestOfCall = new Map<string, number>();
  /** Not taken when their turn was: a sender that is opened again may send them again, and then they are. */
  const putAside = new Set<number>();
  const onItsWay = new Set<string>();
  const contents = new Map<string, string>();
  let next = 0;

  const look = (batch: RecordBatch): readonly NumberedRecord[] => {
    const records = recordsOf(batch);
    if (records.length !== batch.count) wrong.push(`${batch.count} records said, ${records.length} there`);
    const digest = digestOf(batch);
    if ((contents.get(batch.id) ?? digest) !== digest) wrong.push('other octets under the same id');
    contents.set(batch.id, digest);
    for (const { number } of records) if (settledNumbers.has(number)) wrong.push(`${number} again`);
    for (const call of new Set(records.map(({ callGroupId }) => callGroupId))) {
      if (onItsWay.has(call)) wrong.push(`${call} twice on its way`);
      onItsWay.add(call);
    }
    return records;
  };
  const take = (records: readonly NumberedRecord[]): void => {
    for (const record of records) {
      const { number, callGroupId } = record;
      if (stored.has(number)) continue;
      stored.set(number, record);
      if (putAside.has(number)) continue;
      if (number < (newestOfCall.get(callGroupId) ?? -1)) wrong.push(`${number} overtaken`);
      newestOfCall.set(callGroupId, number);
    }
  };
  const settle = (records: readonly NumberedRecord[]): void =>
    records.forEach(({ number }) => settledNumbers.add(number));
  const answer = (does: Doing, records: readonly NumberedRecord[]): DeliveryResult => {
    const [first] = records;
    switch (does) {
      case 'fail':
        return { status: 'unavailable', reason: 'receiver-failed', httpStatus: 500 };
      case 'busy':
        return { status: 'unavailable', reason: 'receiver-busy', httpStatus: 429, retryAfterMs: 2 };
      case 'bar':
        return { status: 'barred', reason: 'unauthorized', httpStatus: 401 };
      case 'lost-answer':
        take(records);
        return { status: 'unavailable', reason: 'connection-failed' };
      case 'refuse':
        if (first !== undefined && records.length === 1) putAside.add(first.number);
        return { status: 'refused', reason: 'content', httpStatus: 422 };
      case 'reject-some':
        if (first !== undefined) putAside.add(first.number);
        take(records.slice(1));
        settle(records);
        return { status: 'acknowledged', rejected: [{ recordId: first?.recordId ?? '', code: 'odd' }] };
      case 'take':
        take(records);
        settle(records);
        return { status: 'acknowledged', rejected: [] };
    }
  };
  const deliver = async (batch: RecordBatch): Promise<DeliveryResult> => {
    const { does, waits } = steps[next++] ?? { does: 'take', waits: 0 };
    const before = digestOf(batch);
    const records = look(batch);
    if (waits > 0) await passed(waits);
    if (digestOf(batch) !== before) wrong.push('octets changed on their way');
    for (const { callGroupId } of records) onItsWay.delete(callGroupId);
    return answer(does, records);
  };
  /** A sender that is opened again may send again what was settled behind what was not. */
  const forget = (): void => {
    settledNumbers.clear();
    onItsWay.clear();
  };
  return { stored, wrong, forget, transport: (encoding) => ({ encoding, deliver, close: async () => {} }) };
}

const digestOf = ({ body }: RecordBatch): string => createHash('sha256').update(body).digest('hex');

function recordsOf({ encoding, body }: RecordBatch): readonly NumberedRecord[] {
  const lines = encoding === 'br' ? brotliDecompressSync(body) : gunzipSync(body);
  return lines
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as NumberedRecord);
}

function numberedRecord(number: number, call: number, textBytes: number): NumberedRecord {
  const text = createHash('sha512').update(String(number)).digest('hex').repeat(30).slice(0, textBytes);
  return { recordId: number.toString(16).padStart(32, '0'), callGroupId: `call-${call}`, number, text };
}

const buriesNothing = ({ does }: { readonly does: Doing }): boolean => does !== 'refuse' && does !== 'reject-some';

/** Waits that a test has time for. */
const WAITS: Partial<StreamPolicy> = {
  retry: { baseMs: 1, capMs: 4 },
  breakerFailures: 2,
  breakerOpen: { baseMs: 1, capMs: 4 },
};

type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

/** What was handed in over all lives of a sender, and what became of it. */
interface Account {
  readonly values: Map<string, string>;
  readonly accepted: Map<number, NumberedRecord>;
  unreadable: number;
  dropped: number;
  /** Packs that were made, over all lives. */
  packed: number;
}

/** A sender from when it opens its files until it closes them; the last one waits until everything is settled. */
async function live(directory: string, account: Account, life: Life): Promise<void> {
  const { transport, segmentBytes, limits, records, isLast } = life;
  const { values, accepted } = account;
  await using log = await SegmentLog.open({ directory: join(directory, 'spool'), segmentBytes });
  await using packs = await SegmentLog.open({ directory: join(directory, 'packed'), segmentBytes });
  await using deadLetters = await SegmentLog.open({ directory: join(directory, 'dead-letters') });
  const options: RecordStreamParts = {
    ...{ log, deadLetters, transport, source: '/test/stream' },
    policy: { ...WAITS, ...limits, dropPolicy: 'drop-oldest' },
    values: { get: (key) => values.get(key), set: async (key, value) => void values.set(key, value) },
  };
  await using stream = streamOn(options, await openPackedSpool(packs));
  const begin = stream.status().acknowledgedSequence;
  for (const { number, call, textBytes, turns, isUnreadable } of records) {
    const record = numberedRecord(number, call, textBytes);
    if (isUnreadable && log.append(`of another release: ${number}`).accepted) account.unreadable += 1;
    if (stream.record(record).accepted) accepted.set(number, record);
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  if (isLast) {
    expect(await stream.drain({ timeoutMs: 10_000 })).toEqual({ status: 'drained' });
    const status = stream.status();
    expect(status.acknowledged + status.dead + status.dropped).toBe(log.lastSequence - begin);
    expect(status).toMatchObject({
      ...{ queued: 0, inFlight: 0, oldestAgeMs: 0, refused: 0, storageFailures: 0 },
      acknowledgedSequence: log.lastSequence,
    });
  }
  await stream.close();
  account.packed += packs.lastSequence;
  account.dropped += stream.status().dropped;
}

interface Life {
  readonly transport: RecordTransport;
  readonly segmentBytes: number;
  readonly limits: Partial<StreamPolicy>;
  readonly records: readonly (Script['records'][number] & { readonly number: number })[];
  readonly isLast: boolean;
}

/** Numbers of the records that were put aside, and how many could not be read. */
async function buried(
  directory: string,
  { values, accepted }: Account,
): Promise<{ numbers: number[]; unreadable: number }> {
  await using log = await SegmentLog.open({ directory: join(directory, 'dead-letters') });
  const letters = createDeadLetters({
    ...{ log, nowMs: () => 0, maxBytes: 1 },
    values: { get: (key) => values.get(key), set: async () => {} },
  });
  const found = { numbers: [] as number[], unreadable: 0 };
  for await (const { reason, line } of letters.read()) {
    if (reason === 'unreadable') {
      found.unreadable += 1;
      continue;
    }
    const record = JSON.parse(line) as NumberedRecord;
    expect(record).toEqual(accepted.get(record.number));
    found.numbers.push(record.number);
  }
  return found;
}

test('records come as they were handed in, in the order of their call, and are missing only where they are counted as dropped', async () => {
  let packs = 0;
  await forAllAsync(
    [script],
    40,
    async ({ policy: limits, encoding, segmentBytes, steps, records, livesFor, isChanging }) => {
      const directory = await mkdtemp(join(tmpdir(), 'hopback-'));
      const account: Account = { values: new Map(), accepted: new Map(), unreadable: 0, dropped: 0, packed: 0 };
      const isRoomy = limits.maxSpoolBytes === ROOMY_BYTES;
      const numbered = records.map((record, number) => ({
        ...record,
        number,
        isUnreadable: record.isUnreadable && isRoomy,
      }));
      const taken = (isRoomy ? steps : steps.filter(buriesNothing)).flatMap((one) =>
        Array.from({ length: one.does === 'fail' ? one.times : 1 }, () => one),
      );
      const { stored, wrong, transport, forget } = receiver(taken);
      let isChanged = false;
      for (let from = 0; from === 0 || from < numbered.length; from += livesFor) {
        const part = numbered.slice(from, from + livesFor);
        const isLast = from + livesFor >= numbered.length;
        const changed = isChanged ? { ...limits, ...CHANGED } : limits;
        const sent = isChanged ? (encoding === 'br' ? 'gzip' : 'br') : encoding;
        const sender = { transport: transport(sent), segmentBytes, limits: changed, records: part, isLast };
        await live(directory, account, sender);
        isChanged = isChanging && !isChanged;
        forget();
      }
      const dead = await buried(directory, account);
      expect(wrong).toEqual([]);
      for (const [number, record] of stored) expect(record).toEqual(account.accepted.get(number));
      const isThere = new Set([...stored.keys(), ...dead.numbers]);
      const missing = account.accepted.size + account.unreadable - isThere.size - dead.unreadable;
      expect(missing).toBeLessThanOrEqual(account.dropped);
      packs += account.packed;
      await rm(directory, { recursive: true });
    },
  );
  expect(packs).toBeGreaterThan(0);
});

test('reads any answer of a receiver, and believes none that does not account for the batch', () => {
  const batch = { id: 'a'.repeat(32), count: 3 };
  forAll(
    [
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
    ],
    100,
    (text) => {
      expect(readRecordBatchAnswer(text, batch).status).toBe('unreadable');
    },
  );
  forAll([fc.integer(), fc.array(fc.anything(), { maxLength: 5 })], 100, (accepted, rejected) => {
    const reading = readRecordBatchAnswer(JSON.stringify({ batchId: batch.id, accepted, rejected }), batch);
    if (reading.status === 'read') expect(accepted + rejected.length).toBe(3);
  });
});

test('reads any Retry-After and any status, never throws', () => {
  forAll([fc.string(), fc.integer(), fc.double()], 100, (value, nowMs, status) => {
    const waitMs = retryAfterMs(value, nowMs);
    expect(waitMs === undefined || (waitMs >= 0 && waitMs <= 600_000)).toBe(true);
    expect(retryClassOf(status)).toBeTypeOf('string');
  });
});

test('reads any bytes as a frame, never throws, and gives back what was spooled', () => {
  forAll([fc.uint8Array({ maxLength: 200 })], 100, (bytes) => {
    if (isFrame(bytes, 0, bytes.length)) lineRecordId(bytes.subarray(FRAME_HEADER_BYTES));
  });
  forAll(
    [fc.string(), fc.string(), fc.string(), fc.integer({ min: 0, max: 2 ** 48 - 1 })],
    100,
    (recordId, callGroupId, text, atMs) => {
      const record = { recordId, callGroupId, text };
      const frame = encodeFrame(record, atMs);
      expect(isFrame(frame, 0, frame.length)).toBe(true);
      expect(frameAcceptedAtMs(frame, 0)).toBe(atMs);
      const line = frame.subarray(FRAME_HEADER_BYTES);
      expect(JSON.parse(lineText(line))).toEqual(JSON.parse(JSON.stringify(record)));
      expect(lineRecordId(line)).toBe((JSON.parse(JSON.stringify(record)) as typeof record).recordId);
    },
  );
});
