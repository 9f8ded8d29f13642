import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallRecord, SharedRecord, VerdictEvidence } from '../../sdk/src/contract/call-record.js';
import { anyCallRecord } from '../support/any-call-record.js';
import { changed, places, type Place } from '../support/json-places.js';
import { SENDING_LEVELS, sharedRecord } from '../support/shared-records.js';
import { sampleRecords } from '../support/record-samples.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';
import { forAll } from '../support/for-all.js';

/** Any record within the bounds of its schema: names are not empty. */
const boundedRecord = anyCallRecord().map(
  (record) =>
    JSON.parse(JSON.stringify(record), (name, value: unknown) =>
      value === '' && name !== 'base64' ? 'x' : value,
    ) as CallRecord,
);
const anyLevel = fc.constantFrom(...SENDING_LEVELS);
const anyShared = fc.tuple(boundedRecord, anyLevel).map(([record, level]) => sharedRecord(record, level));

test('whatever is shared of a valid record is read back unchanged, at every level', () => {
  forAll([boundedRecord], 500, (record) => {
    expect(CallRecord.safeParse(record)).toEqual({ success: true, data: record });
    for (const level of SENDING_LEVELS) {
      const shared = sharedRecord(record, level);
      expect(SharedRecord.safeParse(JSON.parse(JSON.stringify(shared)))).toEqual({ success: true, data: shared });
    }
  });
});

// A time or a count of a verification may be any number.
const isFree = (place: Place): boolean => /Seconds$|Ms$|^(?:expected|actual)$/.test(String(place.at(-1)));
const REQUIRED = [
  ...'format recordId sharing source callGroupId inviteAtUs time ingress egress disposition'.split(' '),
  ...'sharing.policyId sharing.form sharing.rotationId source.format source.readerVersion'.split(' '),
  ...['time.written', 'time.resolutionUs'],
].map((path) => path.split('.'));

test.each<readonly [string, readonly unknown[], (shared: SharedRecord) => readonly Place[]]>([
  ['in which any one place holds what cannot be there', [null, NaN, Symbol('none'), () => 'none', 1n], places],
  [
    'with a text or number out of its bounds',
    ['x'.repeat(5_000), '\u0000'.repeat(4_097), -0.5, 2 ** 53, Number.POSITIVE_INFINITY],
    (shared) => places(shared).filter((place) => !isFree(place)),
  ],
  ['without a required member', [undefined], () => REQUIRED],
])('a shared record %s is refused', (_what, values, placesOf) => {
  forAll([anyShared, fc.nat(), fc.constantFrom(...values)], 2_000, (shared, pick, by) => {
    const all = placesOf(shared);
    expect(SharedRecord.safeParse(changed(shared, all[pick % all.length]!, by)).success).toBe(false);
  });
});

test('reads anything, never throws', () => {
  forAll([fc.oneof(fc.anything(), fc.anything({ withNullPrototype: true, withDate: true }))], 100, (value) => {
    for (const schema of [SharedRecord, CallRecord, VerdictEvidence])
      expect(schema.safeParse(value).success).toBe(false);
  });
});

const RECORDS: readonly CallRecord[] = [...sampleRecords(), sampleRecord(0, NOON_US), sampleRecord(1, NOON_US)];

test('a record of the carrier is no shared record, and a shared record is no record of the carrier', () => {
  for (const record of RECORDS) {
    expect(SharedRecord.safeParse(record).success).toBe(false);
    expect(CallRecord.safeParse(sharedRecord(record, 'all')).success).toBe(false);
    expect(CallRecord.safeParse(record)).toEqual({ success: true, data: record });
  }
});

test('raw rows, the customer and whatever else somebody sends along are left out of a shared record', () => {
  const shared = sharedRecord(RECORDS[0]!, 'all');
  const { source } = shared;
  const more = { ...shared, customerId: 'acct-1', later: [1], source: { ...source, raw: [{ text: 'a,b' }] } };
  expect(SharedRecord.safeParse(more)).toEqual({ success: true, data: shared });
});

test('the evidence of a verdict is read in both forms, each under its own name', () => {
  const full = sharedRecord(sampleRecord(0, NOON_US), 'all').received?.evidence;
  const veiled = sharedRecord(sampleRecord(0, NOON_US), 'suspicious').received?.evidence;
  expect([full?.format, veiled?.format]).toEqual(['hopback.verdict-evidence.1', 'hopback.shared-evidence.1']);
  expect(VerdictEvidence.safeParse(full)).toEqual({ success: true, data: full });
  expect(VerdictEvidence.safeParse(veiled).success).toBe(false);
});

test('a raw row is text or base64, and not both; of rows there is one at least', () => {
  const record = RECORDS[0]!;
  const withRaw = (raw: unknown): boolean =>
    CallRecord.safeParse({ ...record, source: { ...record.source, raw } }).success;
  expect([[{ text: '' }], [{ base64: 'SEVQM/8=' }], [{ text: 'a' }, { base64: '' }]].map(withRaw)).toEqual([
    ...[true, true, true],
  ]);
  const wrong: unknown[] = [[], [{}], [{ text: 'a', base64: 'YQ==' }], [{ base64: 'YQ' }], [7], 'a', null];
  expect(wrong.map(withRaw)).toEqual(wrong.map(() => false));
});
