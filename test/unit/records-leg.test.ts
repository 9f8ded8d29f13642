import { expect, test } from 'vitest';
import { callRecord, legReading, legSource, MAX_NAME_CHARS, nameOf } from '../../sdk/src/records/ingest/formats/leg.js';
import type { LegParts } from '../../sdk/src/records/ingest/formats/leg.js';
import type { RowReading, SourceDescription } from '../../sdk/src/records/ingest/record-reader.js';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';

const ROW = { text: 'row', sha256: 'ab'.repeat(32), line: 1 };
const INVITE = { status: 'instant', atUs: 1_781_528_400_000_000, basis: { written: 'utc', resolutionUs: 1 } } as const;

const SOURCE: SourceDescription = { id: 'sbc-1', format: 'columns', time: { zone: 'utc' } };
const PARTS: LegParts = { legId: 'l', callGroupId: 'g', invite: INVITE, disposition: 'busy' };

function record(parts: Partial<LegParts>, more: Partial<SourceDescription> = {}): CallRecord {
  return callRecord(ROW, legSource({ ...SOURCE, ...more }, 3), { ...PARTS, ...parts });
}

function reading(parts: Partial<LegParts>): readonly RowReading[] {
  return legReading(ROW, legSource(SOURCE, 3), { ...PARTS, ...parts });
}

test('what a row does not say is no member of the record', () => {
  const members = 'format recordId source legId callGroupId inviteAtUs time ingress egress disposition'.split(' ');
  expect(Object.keys(record({ calling: '', called: undefined, customerId: '', release: undefined }))).toEqual(members);
});

const providers = { 'trunk-1': 'A', '192.0.2.1:5070': 'B', '192.0.2.1': 'C', '2001:db8::1': 'D' };

test.each([
  [{ trunk: 'trunk-1', address: '192.0.2.1' }, 'A'],
  [{ trunk: 'trunk-2', address: '192.0.2.1:5070' }, 'B'],
  [{ trunk: '', address: '192.0.2.1:5060' }, 'C'],
  [{ address: '192.0.2.1' }, 'C'],
  [{ address: '[2001:db8::1]:5060' }, 'D'],
  [{ address: '2001:db8::1' }, 'D'],
  [{ address: '192.0.2.2' }, undefined],
  [{ trunk: 'constructor', address: '__proto__' }, undefined],
])('the provider of %j is %s', (ingress, provider) => {
  expect(record({ ingress }, { providers }).ingress.provider).toBe(provider);
});

test('an asserted number is kept where it is another than that of From', () => {
  expect(record({ calling: '2025550101', asserted: '+12025550101' }).asserted).toBeUndefined();
  expect(record({ calling: '2025550101', asserted: '+12025550102' }).asserted).toMatchObject({ tn: '12025550102' });
  expect(record({ calling: 'anonymous', asserted: '"X" <sip:+12025550102@192.0.2.1>' }).asserted).toMatchObject({
    tn: '12025550102',
  });
});

test('a number sent on to is a translation, and the routing number is none', () => {
  expect(record({ called: '18005550143', sentTo: '12125550143' }).called).toEqual({
    asWritten: '18005550143',
    tn: '18005550143',
    translatedTn: '12125550143',
  });
  expect(record({ called: '12125550143', sentTo: '+12125550143' }).called).toEqual({
    asWritten: '12125550143',
    tn: '12125550143',
  });
  expect(record({ called: '12125550143', sentTo: '12125550199', lrn: '2125550199' }).called).toEqual({
    asWritten: '12125550143',
    tn: '12125550143',
    lrn: '12125550199',
  });
  expect(record({ called: '12125550143', sentTo: '12125550143;npdi;rn=2125550199' }).called).toMatchObject({
    lrn: '12125550199',
  });
});

test('both instants of the hour that comes twice are in the record', () => {
  const invite = { ...INVITE, otherUs: INVITE.atUs + 3_600_000_000 };
  expect(record({ invite }).time).toEqual({
    written: 'utc',
    resolutionUs: 1,
    otherInviteAtUs: INVITE.atUs + 3_600_000_000,
  });
});

test('names of legs and calls that are too long stay apart from each other', () => {
  const of = (end: string): CallRecord => {
    const name = `${'x'.repeat(MAX_NAME_CHARS)}${end}`;
    return record({ legId: name, callGroupId: name });
  };
  expect(of('a').legId).toHaveLength(MAX_NAME_CHARS);
  expect(of('a').recordId).not.toBe(of('b').recordId);
  expect(of('a').callGroupId).not.toBe(of('b').callGroupId);
  expect(of('a').callGroupId).toBe(of('a').legId);
  const atBound = 'x'.repeat(MAX_NAME_CHARS);
  expect(record({ legId: atBound }).legId).toBe(atBound);
  expect(nameOf('  ')).toBeUndefined();
});

test('a technical prefix is known in a URI too, where its # is escaped', () => {
  expect(record({ called: '<sip:1234%2312125550143;rn=%2B12125550199@192.0.2.1>' }).called).toEqual({
    asWritten: '<sip:1234%2312125550143;rn=%2B12125550199@192.0.2.1>',
    tn: '12125550143',
    lrn: '12125550199',
    techPrefix: '1234#',
  });
  expect(record({ called: 'sip:%zz@192.0.2.1' }).called).toEqual({ asWritten: 'sip:%zz@192.0.2.1' });
});

test.each([
  ['was answered before it began', { answeredAtUs: INVITE.atUs - 1_000_001 }],
  ['ended before it began', { endedAtUs: INVITE.atUs - 1_000_001 }],
  ['ended before it was answered', { answeredAtUs: INVITE.atUs + 9_000_000, endedAtUs: INVITE.atUs + 7_999_999 }],
])('a leg that %s is no record', (what, times) => {
  expect(reading(times)).toEqual([{ status: 'rejected', reason: 'bad-time', detail: `the call ${what}` }]);
});

test('times of one leg that are rounded differently make a record', () => {
  const times = { answeredAtUs: INVITE.atUs - 1_000_000, endedAtUs: INVITE.atUs - 900_000 };
  expect(reading(times)).toMatchObject([{ status: 'record', record: times }]);
});
