import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { calledKeys, callingKey, createLiveFilter } from '../../harness/src/platform/records/live-reader.js';
import { isUsualRecord, readRecordLine } from '../../harness/src/platform/domain/records/read-record-line.js';
import { LEAST_NUMBER_DIGITS, maskSpokenNumbers } from '../../harness/src/platform/domain/records/mask-numbers.js';
import { readComplaint } from '../../harness/src/platform/domain/records/read-complaint.js';
import {
  decodeBatchFrame,
  encodeBatchFrame,
  readBatch,
  readTakenBatch,
} from '../../harness/src/platform/records/batch-intake.js';
import { liveRecordOf, liveRow } from '../../harness/src/platform/records/live-reader.js';
import type { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { readWireBody } from '../../sdk/src/contract/read-platform-request.js';
import { WIRE_SCHEMAS } from '../../sdk/src/platform/index.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { benchRecord } from '../bench/stream-deliver.js';
import { liveSample } from '../support/itg-live-records.js';
import { changed, places } from '../support/json-places.js';
import { SENDING_LEVELS, sharedRecord } from '../support/shared-records.js';
import { sampleRecords } from '../support/record-samples.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const ANY_TIME = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };

/** Shared records of every form that carriers send. */
const SAMPLES: readonly SharedRecord[] = [
  ...sampleRecords().flatMap((record) => SENDING_LEVELS.map((level) => sharedRecord(record, level))),
  ...SENDING_LEVELS.map((level) => sharedRecord(benchRecord(1), level)),
  liveSample(0),
].map((record) => JSON.parse(JSON.stringify(record)) as SharedRecord);

/** What may stand in the place of a member: what is nearly right, and what is not. */
const anything = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', 'A', 'pseudonym', 'whole', 'number', ...[256, 257].map((length) => 'x'.repeat(length))),
  fc.constantFrom('0'.repeat(32), '0'.repeat(64)),
  fc.constantFrom<unknown>(-0, -1, 0.5, 1, 127, 128, 699, 700, 2 ** 53, Infinity, NaN, null, true, [], {}),
  fc.constant({ shown: 'number', tn: '1' }),
);

/** Samples with some places changed, and some with a member more: as they come out of JSON. */
const variants = fc
  .tuple(fc.constantFrom(...SAMPLES), fc.array(fc.tuple(fc.nat(), anything, fc.boolean()), { maxLength: 3 }))
  .map(([sample, changes]) => {
    const made = changes.reduce<unknown>((value, [seed, by, isMore]) => {
      const all = places(value).filter((place) => place.length > 0);
      const place = all[seed % Math.max(1, all.length)];
      if (place === undefined) return value;
      return changed(value, isMore ? [...place.slice(0, -1), '__more'] : place, by);
    }, sample);
    return JSON.parse(JSON.stringify(made)) as unknown;
  });

test('every form of record that carriers send is a usual one', () => {
  expect(SAMPLES.length).toBeGreaterThan(10);
  expect(SAMPLES.filter((record) => !isUsualRecord(record))).toEqual([]);
});

test('every record that passes the short check passes the schema of the contract unchanged', () => {
  let taken = 0;
  forAll([variants], 4_000, (value) => {
    if (!isUsualRecord(value)) return;
    taken += 1;
    const { errors, surplus, value: read } = readWireBody(WIRE_SCHEMAS.SharedRecord, value);
    expect({ errors, surplus }).toEqual({ errors: [], surplus: [] });
    expect(read).toEqual(value);
  });
  expect(taken).toBeGreaterThan(400);
});

test('a line is read, rejected or unreadable, whatever it is, and by the schema in any case', () => {
  forAll(
    [
      fc.oneof(
        fc.string(),
        fc.json(),
        variants.map((value) => JSON.stringify(value) ?? ''),
      ),
    ],
    2_000,
    (line) => {
      const reading = readRecordLine(line, ANY_TIME);
      if (reading.status === 'read')
        expect(reading.record).toEqual(readWireBody(WIRE_SCHEMAS.SharedRecord, JSON.parse(line)).value);
      else if (reading.status === 'rejected') expect(reading.recordId).toMatch(/^[0-9a-f]{32}$/);
    },
  );
});

test('a batch is read or refused, whatever its octets, and read again it has the same records', async () => {
  const lines = fc.array(fc.oneof(variants, fc.jsonValue()), { maxLength: 12 });
  const bodies = fc.oneof(
    fc.uint8Array().map((body) => ({ body, encoding: 'gzip' as const })),
    fc.uint8Array().map((body) => ({ body: gzipSync(body), encoding: 'gzip' as const })),
    lines.map((all) => ({
      ...{ body: brotliCompressSync(all.map((one) => JSON.stringify(one)).join('\n')), encoding: 'br' as const },
    })),
  );
  await forAllAsync([bodies, fc.nat()], 300, async ({ body, encoding }, fromUs) => {
    const reading = await readBatch(body, encoding, { fromUs: fromUs * 1_000_000, toUs: 1_790_000_000_000_000 });
    if (reading.status !== 'read') return;
    const { records, rejectedLines } = reading;
    expect(await readTakenBatch(body, { encoding, rejectedLines })).toEqual(records);
    const header = { providerId: 'p', batchId: 'b', receivedAtMs: 1, encoding, count: records.length, rejectedLines };
    const frame = decodeBatchFrame(encodeBatchFrame({ header, body }));
    expect([frame.header, new Uint8Array(frame.body)]).toEqual([header, new Uint8Array(body)]);
  });
});

test('a record that is kept comes back as it was, and is found by its numbers', async () => {
  await using directory = await createTemporaryDirectory();
  await using store = await openDuckDbRecordStore({ directory: directory.path });
  let legs = 0;
  await forAllAsync([fc.array(variants, { minLength: 1, maxLength: 20 })], 12, async (values) => {
    const usual = values.filter(isUsualRecord) as SharedRecord[];
    for (const value of usual) {
      legs += 1;
      const inviteAtUs = 1_790_000_000_000_000 + legs;
      const record = { ...value, recordId: legs.toString(16).padStart(32, '0'), inviteAtUs };
      const row = liveRow('carrier-1', record, 5);
      expect(await store.insert([row])).toMatchObject({ inserted: 1 });
      const { records } = await store.find({ window: ANY_TIME, recordId: row.recordId });
      expect(records.map(liveRecordOf)).toEqual([{ providerId: 'carrier-1', record, receivedAtMs: 5 }]);
      const [calledTn] = calledKeys(record.called);
      const callingTn = callingKey(record.calling);
      const keys = { ...(calledTn !== undefined && { calledTn }), ...(callingTn !== undefined && { callingTn }) };
      if (Object.keys(keys).length === 0) continue;
      const window = { fromUs: record.inviteAtUs, toUs: record.inviteAtUs };
      expect((await store.find({ window, ...keys })).records).toHaveLength(1);
      const filter = createLiveFilter({
        ...(calledTn !== undefined && { calledTns: ['x', calledTn] }),
        ...(callingTn !== undefined && { callingTns: ['x', callingTn] }),
      });
      expect(filter('carrier-1', record)).toBe(true);
    }
  });
}, 240_000);

test('no number is left of a text, in digits or in words', () => {
  const words = 'zero one two five nine oh double triple hundred cinco call us 555'.split(' ');
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc
      .array(fc.oneof(fc.constantFrom(...words), fc.nat().map(String), fc.constantFrom('(', ')', '-', '. ')), {
        maxLength: 40,
      })
      .map((parts) => parts.join(' ')),
  );
  forAll([texts], 1_000, (text) => {
    const masked = maskSpokenNumbers(text, (digits) => {
      expect(digits.length).toBeGreaterThanOrEqual(LEAST_NUMBER_DIGITS);
      return '#';
    });
    expect(masked.text).not.toMatch(/\d{7}/);
    expect(maskSpokenNumbers(masked.text, () => '#').count).toBe(0);
    expect(maskSpokenNumbers(text, (digits) => digits).count).toBe(masked.count);
  });
});

test('a row of a file of complaints is read or rejected, whatever is in its fields', () => {
  const field = fc.oneof(
    fc.string(),
    fc.constantFrom('2026-09-20', '9/20/2026', '1:02 PM', '202-555-0123', 'x'.repeat(300)),
  );
  const fields = fc.record({
    ...{ date: field, time: field, callerNumber: field, type: field },
    ...{ subject: field, state: field, comment: field, id: field },
  });
  forAll([fields], 1_000, (row) => {
    const reading = readComplaint(row, { fromMs: 0, nowMs: 1_790_000_000_000 });
    if (reading.status === 'read') expect(Number.isSafeInteger(reading.complaint.atMs)).toBe(true);
  });
});
