import { expect, test } from 'vitest';
import type { ColumnMap, ColumnsDescription } from '../../sdk/src/records/ingest/formats/columns.js';
import { createColumnsReader } from '../../sdk/src/records/ingest/formats/columns.js';
import type { RecordReader } from '../../sdk/src/records/ingest/record-reader.js';

const GOOD: ColumnMap = { timeLayout: 'date-time', columns: { legId: 0, inviteAt: 1, calling: 2, called: 3 } };

function reader(map: ColumnMap, more: Partial<ColumnsDescription> = {}): RecordReader {
  return createColumnsReader({ id: 'switch-7', format: 'columns', time: { zone: 'utc' }, columns: map, ...more });
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

const BY_NAME: ColumnMap = {
  timeLayout: 'epoch-seconds',
  columns: { legId: 'ID', inviteAt: 'Start', calling: 'From', called: 'To' },
};

test.each(['', '{}', '[1]', '["id"]', '[', 'null'])('what was not saved, %j, is not gone on from', (saved) => {
  expect(reader(BY_NAME).restoreWaiting?.(saved)).toBe(false);
});
