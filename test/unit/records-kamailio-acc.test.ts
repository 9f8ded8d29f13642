import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { createKamailioAccReader } from '../../sdk/src/records/ingest/formats/kamailio-acc.js';
import { type KamailioAccLayout, accDatabaseRow } from '../../sdk/src/records/ingest/formats/kamailio-row.js';
import type { RecordReader, SourceRow } from '../../sdk/src/records/ingest/record-reader.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import { permutations, recordsOf } from '../support/record-samples.js';

const DESCRIPTION = { id: 'proxy', format: 'kamailio-acc', time: { zone: 'utc' } } as const;
const T = 1_795_615_200;

function readerOf(layout: Partial<KamailioAccLayout> = {}): RecordReader {
  return createKamailioAccReader(DESCRIPTION, { form: 'json', ...layout });
}

function rowOf(values: Readonly<Record<string, unknown>>): SourceRow {
  const text = JSON.stringify(values);
  return { text, sha256: sourceSha256(text), line: 1 };
}

const DIALOG = { callid: 'c1', from_tag: 'a', to_tag: 'b' };
const OK = { sip_code: '200', sip_reason: 'OK' };
const INVITE = rowOf({ ...DIALOG, ...OK, method: 'INVITE', time: T, src_user: '12025550101' });
const BYE = rowOf({ ...DIALOG, ...OK, method: 'BYE', time: T + 60 });
const CANCEL = rowOf({ callid: 'c1', from_tag: 'a', to_tag: '', method: 'CANCEL', sip_code: '200', time: T });
const FAILURE = rowOf({ ...DIALOG, method: 'INVITE', sip_code: '487', sip_reason: 'Request Terminated', time: T });
const FAILED_CDR = rowOf({ callid: 'c1', from_tag: 'a', start_time: `${T}.1`, end_time: `${T}.1`, duration: '0' });

function readAll(reader: RecordReader, rows: readonly SourceRow[]): readonly CallRecord[] {
  const readings = rows.flatMap((row) => reader.read(row));
  return recordsOf([...readings, ...reader.expire(Number.POSITIVE_INFINITY)]);
}

test('has one record of a failed call in every order of its rows, with who gave up where the CANCEL came first', () => {
  for (const rows of permutations([CANCEL, FAILURE, FAILED_CDR, FAILURE])) {
    const records = readAll(readerOf({ cdrs: 'beside' }), rows);
    const isCancelFirst = rows.indexOf(CANCEL) < rows.indexOf(FAILURE);
    expect(records.map(({ disposition, release }) => [disposition, release?.party])).toEqual([
      ['cancelled', isCancelFirst ? 'calling' : undefined],
    ]);
  }
});

test('gives up a call that nobody ended: answered, without an end', () => {
  const reader = readerOf();
  expect(reader.read(INVITE)).toEqual([{ status: 'waiting' }]);
  expect(reader.waiting()).toBe(1);
  expect(reader.expire(T * 1_000_000)).toEqual([]);
  const [record] = recordsOf(reader.expire(T * 1_000_000 + 1));
  expect([record?.disposition, record?.endedAtUs, reader.waiting()]).toEqual(['answered', undefined, 0]);
});

test('goes on from what was saved as if it had never stopped', () => {
  const before = readerOf();
  for (const row of [INVITE, rowOf({ ...DIALOG, callid: 'c2', method: 'BYE', time: T + 9 })]) before.read(row);
  const saved = before.saveWaiting?.() ?? '';
  const after = readerOf();
  expect([after.restoreWaiting?.(saved), after.waiting()]).toEqual([true, 2]);
  expect(recordsOf(after.read(BYE))).toEqual(recordsOf(before.read(BYE)));
  expect(after.saveWaiting?.()).toBe(before.saveWaiting?.());
});

test.each([
  '',
  'hopback.other.1',
  'hopback.kamailio-acc.1\n{',
  'hopback.kamailio-acc.1\n["x","y",1]',
  'hopback.kamailio-acc.1\n[1,2]',
])('does not go on from %j', (saved) => {
  const reader = readerOf();
  expect([reader.restoreWaiting?.(saved), reader.waiting()]).toEqual([false, 0]);
});

test('the hash of a joined record is that of the hashes of its rows, in whatever order they came', () => {
  const expected = sourceSha256(`${[INVITE.sha256, BYE.sha256].toSorted().join('\n')}\n`);
  for (const rows of permutations([INVITE, BYE])) expect(readAll(readerOf(), rows)[0]?.source.sha256).toBe(expected);
  expect(readAll(readerOf(), [FAILURE])[0]?.source.sha256).toBe(FAILURE.sha256);
});

test('reads rows as drivers of databases hand them out', () => {
  const values = { id: 7n, method: 'INVITE', sip_code: '486', sip_reason: 'Busy Here', time: new Date(T * 1_000) };
  const row = accDatabaseRow({ ...DIALOG, ...values, created: null, src_user: '12025550101' });
  const source = { ...DESCRIPTION, time: { zone: 'America/New_York' } };
  const [record] = readAll(createKamailioAccReader(source, { form: 'json' }), [row]);
  expect(record).toMatchObject({
    inviteAtUs: T * 1_000_000,
    disposition: 'busy',
    time: { written: 'utc', resolutionUs: 1_000_000 },
  });
});

test('rejects an impossible layout', () => {
  const wrong: readonly Partial<KamailioAccLayout>[] = [
    { form: 'csv' },
    { form: 'flat', columns: ['method', 'method'] },
    { separator: '||' },
    { extra: { a: 'calling', b: 'calling' } },
  ];
  for (const layout of wrong)
    expect(() => readerOf(layout)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
  expect(() => readerOf({ form: 'flat', columns: ['method'] })).not.toThrow();
});

test('a device that begins anew with the same Call-ID and tags makes another call, and a row read again does not', () => {
  const later = (row: SourceRow): SourceRow =>
    rowOf({ ...JSON.parse(row.text), time: JSON.parse(row.text).time + 3_600 });
  const reader = readerOf();
  const read = (rows: readonly SourceRow[]): readonly CallRecord[] =>
    rows.flatMap((row) => recordsOf(reader.read(row)));
  const first = read([INVITE, BYE, INVITE, BYE, FAILURE, FAILURE]);
  expect(first.map(({ disposition }) => disposition)).toEqual(['answered', 'cancelled']);
  const second = read([INVITE, BYE, FAILURE, BYE].map(later));
  expect(second.map(({ inviteAtUs, endedAtUs }) => [inviteAtUs, endedAtUs])).toEqual(
    first.map(({ inviteAtUs, endedAtUs = 0 }) => [inviteAtUs + 3_600e6, endedAtUs + 3_600e6]),
  );
  expect(reader.waiting()).toBe(0);
});

test('branches of a call whose Call-ID fills a name have records of their own', () => {
  const reader = readerOf();
  const callid = 'x'.repeat(300);
  const branch = (to: string): SourceRow =>
    rowOf({ callid, from_tag: 'a', to_tag: to, method: 'INVITE', sip_code: '486', time: T });
  const records = ['b', 'c'].flatMap((to) => recordsOf(reader.read(branch(to))));
  const [first, second] = records;
  expect(first?.recordId).not.toBe(second?.recordId);
  expect(first?.callGroupId).toBe(second?.callGroupId);
});

test('a call that comes back to the proxy is a record each time it passes, and each names from whom it came', () => {
  const extra = { src_ip: 'sourceAddress', trunk: 'egressTrunk' } as const;
  const passing = (code: string, from: string, trunk: string): SourceRow =>
    rowOf({ ...DIALOG, method: 'INVITE', sip_code: code, time: T, src_ip: from, trunk });
  const read = (rows: readonly SourceRow[]): readonly (readonly [string | undefined, string | undefined])[] => {
    const reader = readerOf({ extra });
    const records = rows.flatMap((row) => recordsOf(reader.read(row)));
    expect(new Set(records.map(({ recordId }) => recordId)).size).toBe(records.length);
    expect(reader.waiting()).toBe(0);
    return records.map(({ ingress, egress }) => [ingress.address, egress.trunk]);
  };
  // The response comes to the last passage first.
  const back = passing('200', '203.0.113.20', 'out-2');
  const first = passing('200', '192.0.2.10', 'out-1');
  const passages = [
    ['203.0.113.20', 'out-2'],
    ['192.0.2.10', 'out-1'],
  ];
  expect(read([back, first, back, BYE, BYE, first, back])).toEqual(passages);
  const same = passing('200', '192.0.2.10', 'out-2');
  expect(read([same, first, BYE])).toEqual([passages[1]!.with(1, 'out-2'), passages[1]]);
  const [busyBack, busyFirst] = [passing('486', '203.0.113.20', 'out-2'), passing('486', '192.0.2.10', 'out-1')];
  expect(read([busyBack, busyBack, busyFirst, busyFirst])).toEqual(passages);
  // What waits is saved with all its passages.
  const [saving, restored] = [readerOf({ extra }), readerOf({ extra })];
  for (const row of [back, first]) saving.read(row);
  expect(restored.restoreWaiting?.(saving.saveWaiting?.() ?? '')).toBe(true);
  expect(recordsOf(restored.read(BYE))).toHaveLength(2);
});
