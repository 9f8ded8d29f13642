import { expect, test } from 'vitest';
import { CallRecord, SharedRecord, VerdictEvidence } from '../../sdk/src/platform/index.js';
import { sampleRecords } from '../support/record-samples.js';
import { SENDING_LEVELS, sharedRecord } from '../support/shared-records.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const RECORDS: readonly CallRecord[] = [...sampleRecords(), sampleRecord(0, NOON_US), sampleRecord(1, NOON_US)];

test.each(SENDING_LEVELS)('what leaves of every sample at the level %s is read as it is', (level) => {
  expect(RECORDS.length).toBeGreaterThan(80);
  for (const record of RECORDS) {
    const shared = sharedRecord(record, level);
    expect(SharedRecord.safeParse(shared)).toEqual({ success: true, data: shared });
    // As it comes over the wire.
    expect(SharedRecord.safeParse(JSON.parse(JSON.stringify(shared))).success).toBe(true);
  }
});

test('a record as the carrier keeps it is none that leaves, nor the other way round', () => {
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

test('what is wrong is told by member and rule', () => {
  const shared = { ...sharedRecord(RECORDS[0]!, 'suspicious'), inviteAtUs: -1 };
  const reading = SharedRecord.safeParse(shared);
  expect(reading.success || reading.error.issues.map(({ path, code }) => [path, code])).toEqual([
    [['inviteAtUs'], 'too_small'],
  ]);
});
