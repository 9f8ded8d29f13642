import { expect, test } from 'vitest';
import type { ColumnMap, ColumnsDescription } from '../../sdk/src/records/ingest/formats/columns.js';
import { createColumnsReader } from '../../sdk/src/records/ingest/formats/columns.js';
import type { RecordReader, RowReading } from '../../sdk/src/records/ingest/record-reader.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';

const GOOD: ColumnMap = { timeLayout: 'date-time', columns: { legId: 0, inviteAt: 1, calling: 2, called: 3 } };

function reader(map: ColumnMap, more: Partial<ColumnsDescription> = {}): RecordReader {
  return createColumnsReader({ id: 'switch-7', format: 'columns', time: { zone: 'utc' }, columns: map, ...more });
}

function read(from: RecordReader, text: string, line = 1): RowReading | undefined {
  return from.read({ text, sha256: sourceSha256(text), line })[0];
}

function columns(more: Record<string, unknown>): ColumnMap {
  return { ...GOOD, columns: { ...GOOD.columns, ...more } };
}

test.each<readonly [string, ColumnMap]>([
  ['a member that does not exist', columns({ caller: 4 })],
  ['a member named like a property of all objects', columns({ constructor: 4 })],
  ['a negative place', columns({ called: -1 })],
  ['a place that is no whole number', columns({ called: 1.5 })],
  ['a place beyond all rows', columns({ called: 1_024 })],
  ['an empty name', columns({ called: ' ' })],
  ['no leg id', { ...GOOD, columns: { inviteAt: 1, called: 3 } }],
  ['no time', { ...GOOD, columns: { legId: 0, called: 3 } }],
  ['a date without a time of day', { ...GOOD, columns: { legId: 0, inviteDate: 1, called: 3 } }],
  ['a time in one column and in two', columns({ inviteDate: 4, inviteTime: 5 })],
  ['no number', { ...GOOD, columns: { legId: 0, inviteAt: 1 } }],
  ['a layout that does not exist', { ...GOOD, timeLayout: 'rfc-2822' as 'compact' }],
  ['a separator of two characters', { ...GOOD, separator: '::' }],
  ['a quote as separator', { ...GOOD, separator: '"' }],
  ['header rows without number', { ...GOOD, headerRows: Number.NaN }],
  ['fewer columns at most than at least', { ...GOOD, leastColumns: 9, mostColumns: 8 }],
  ['names without a header row', { ...columns({ called: 'to' }), headerRows: 0 }],
  ['rows to skip by a place that is none', { ...GOOD, leaveOut: { column: -2, words: ['x'] } }],
])('refuses %s', (_, map) => {
  expect(() => reader(map)).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
});

test('refuses a source without name, and a zone that does not exist', () => {
  const refused = expect.objectContaining({ code: 'invalid-configuration' }) as unknown as Error;
  expect(() => reader(GOOD, { id: '' })).toThrow(refused);
  expect(() => reader(GOOD, { id: 'x'.repeat(129) })).toThrow(refused);
  expect(() => reader(GOOD, { time: { zone: 'America/Nowhere' } })).toThrow(refused);
});

test('declared header rows are left out, at the top of every file', () => {
  const map = { ...GOOD, headerRows: 2 };
  expect(read(reader(map), 'anything', 1)).toEqual({ status: 'skipped', why: 'header' });
  expect(read(reader(map), 'id,start,from,to', 2)).toEqual({ status: 'skipped', why: 'header' });
});

const BY_NAME: ColumnMap = {
  timeLayout: 'epoch-seconds',
  columns: { legId: 'ID', inviteAt: 'Start', calling: 'From', called: 'To' },
};

test('names are looked up in the header row in any case, anew in every file', () => {
  const from = reader(BY_NAME);
  expect(read(from, '\uFEFFto,FROM, start ,id')).toEqual({ status: 'skipped', why: 'header' });
  expect(read(from, '12125550143,2025550101,1781528400,c-1', 2)).toMatchObject({ record: { legId: 'c-1' } });
  expect(read(from, 'id,start,from,to', 1)).toEqual({ status: 'skipped', why: 'header' });
  expect(read(from, 'c-2,1781528400,2025550101,12125550143', 2)).toMatchObject({ record: { legId: 'c-2' } });
});

test('a header row without a name that is mapped is rejected, and so are the rows behind it', () => {
  const from = reader(BY_NAME);
  expect(read(from, 'id,start,from')).toMatchObject({ reason: 'missing-field', field: 'To' });
  expect(read(from, 'c-1,1781528400,2025550101', 2)).toMatchObject({ reason: 'missing-field' });
});

test('a header row in the middle, of files that were put together, tells where columns are from there on', () => {
  const mapped = { legId: 'id', inviteAt: 'start', calling: 'from', called: 'to' } as const;
  const from = reader({ timeLayout: 'date-time', columns: mapped });
  const lines = ['id,start,from,to', 'a,2026-06-15 09:00:00,12025550101,12125550143', 'ID,start,to,from'];
  expect(lines.map((text, at) => read(from, text, at + 1)?.status)).toEqual(['skipped', 'record', 'skipped']);
  expect(read(from, 'b,2026-06-15 09:00:00,12125550143,12025550101', 4)).toMatchObject({
    record: { calling: { tn: '12025550101' }, called: { tn: '12125550143' } },
  });
  // Where a name is missing the old places hold no more, neither here nor for who goes on from here.
  const lacks = { status: 'rejected', reason: 'missing-field', field: 'to' };
  expect(read(from, 'id,start,from,called', 5)).toMatchObject(lacks);
  expect(read(from, 'c,2026-06-15 09:00:00,12025550101,12125550143', 6)).toMatchObject(lacks);
  const next = reader({ timeLayout: 'date-time', columns: mapped });
  expect(next.restoreWaiting?.(from.saveWaiting?.() ?? '')).toBe(true);
  expect(read(next, 'c,2026-06-15 09:00:00,12025550101,12125550143', 7)).toMatchObject({ reason: 'missing-field' });
});

test('a reader that goes on in the middle of a file knows its header row', () => {
  const first = reader(BY_NAME);
  read(first, 'to,from,start,id');
  const saved = first.saveWaiting?.() ?? '';
  const second = reader(BY_NAME);
  expect(second.restoreWaiting?.(saved)).toBe(true);
  expect(read(second, '12125550143,2025550101,1781528400,c-9', 900)).toMatchObject({ record: { legId: 'c-9' } });
});

test.each(['', '{}', '[1]', '["id"]', '[', 'null'])('what was not saved, %j, is not gone on from', (saved) => {
  expect(reader(BY_NAME).restoreWaiting?.(saved)).toBe(false);
});

test('durations tell the end and the answer where no column does', () => {
  const map = columns({ duration: 4, answeredDuration: 5 });
  expect(read(reader(map), 'c-1,2026-06-15 09:00:00,2025550101,12125550143,70,60')).toMatchObject({
    record: { answeredAtUs: 1_781_514_010_000_000, endedAtUs: 1_781_514_070_000_000, disposition: 'answered' },
  });
  expect(read(reader(map), 'c-1,2026-06-15 09:00:00,2025550101,12125550143,70,0')).toMatchObject({
    record: { endedAtUs: 1_781_514_070_000_000, disposition: 'failed' },
  });
});

test('a call that talked was answered, also where nothing tells when', () => {
  const map = columns({ answeredDuration: 4 });
  const reading = read(reader(map), 'c-1,2026-06-15 09:00:00,2025550101,12125550143,60');
  expect(reading).toMatchObject({ record: { disposition: 'answered' } });
  expect(reading).not.toHaveProperty('record.answeredAtUs');
  expect(read(reader(map), 'c-1,2026-06-15 09:00:00,2025550101,12125550143,0')).toMatchObject({
    record: { disposition: 'failed' },
  });
});

test('a technical prefix that is declared is taken off, and a number plan of another country is followed', () => {
  const numbers = {
    techPrefixes: ['9911'],
    plan: { countryCode: '44', nationalPrefixes: ['0'], internationalPrefixes: ['00'] },
  };
  expect(read(reader(GOOD, { numbers }), 'c-1,2026-06-15 09:00:00,02079460018,9911002125550143')).toMatchObject({
    record: { calling: { tn: '442079460018' }, called: { techPrefix: '9911', tn: '2125550143' } },
  });
});
