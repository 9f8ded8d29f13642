import { expect, test } from 'vitest';
import { type CallRecord, type RawRow, MAX_RAW_BYTES, MAX_RAW_ROWS } from '../../sdk/src/contract/call-record.js';
import { rawKeeper, rawPacketsOf, rawRowsOf } from '../../sdk/src/records/ingest/record-reader.js';
import { createRowSplitter } from '../../sdk/src/records/ingest/row-splitter.js';
import { rawEvidence, sourceSha256 } from '../../sdk/src/records/record-id.js';
import { NOON_US, sparseRecord } from '../support/stored-records.js';

const ROW = 'a,b,c';

function recordWith(raw: unknown, sha256: string = sourceSha256(ROW)): CallRecord {
  const { source, ...record } = sparseRecord('leg', NOON_US);
  return { ...record, source: { ...source, sha256, raw: raw as readonly RawRow[] } };
}

test('gives the bytes of a row back, and says that they are those of the hash', () => {
  expect(rawEvidence(recordWith([{ text: ROW }]))).toEqual({
    status: 'kept',
    rows: [new TextEncoder().encode(ROW)],
    matches: true,
  });
});

test('a row with one other byte does not match', () => {
  expect(rawEvidence(recordWith([{ text: 'a,b,d' }]))).toMatchObject({ status: 'kept', matches: false });
});

test('several rows match in any order, and not with one missing, one more or one twice', () => {
  const rows: RawRow[] = [{ text: 'one' }, { base64: '/w==' }, { text: 'three' }];
  const hashes = [sourceSha256('one'), sourceSha256(Uint8Array.of(0xff)), sourceSha256('three')];
  const joined = sourceSha256(hashes.toSorted().join('\n') + '\n');
  const matches = (raw: readonly RawRow[]): unknown => {
    const evidence = rawEvidence(recordWith(raw, joined));
    return evidence.status === 'kept' && evidence.matches;
  };
  expect(matches(rows)).toBe(true);
  expect(matches(rows.toReversed())).toBe(true);
  expect(matches(rows.slice(1))).toBe(false);
  expect(matches([...rows, { text: 'four' }])).toBe(false);
  expect(matches([...rows, rows[0]!])).toBe(false);
});

test('the list of hashes that several rows are hashed to is not taken for a row', () => {
  const hashes = [sourceSha256('one'), sourceSha256('two')].toSorted();
  const list = hashes.map((hash) => `${hash}\n`).join('');
  expect(rawEvidence(recordWith([{ text: list }], sourceSha256(list)))).toMatchObject({ matches: false });
});

test('a record without raw rows has none to show', () => {
  expect(rawEvidence(sparseRecord('leg', NOON_US))).toEqual({ status: 'not-kept' });
  expect(rawEvidence(recordWith([], sourceSha256('')))).toEqual({ status: 'not-kept' });
});

test.each([
  [[null]],
  [[7, 'a,b,c']],
  [[{}]],
  [[{ text: 7 }]],
  [[{ text: ROW, base64: '' }]],
  [[{ base64: 'not base64' }]],
  [[{ base64: 'YSxiLGM' }]],
  [[{ base64: 'YSxiLGN=' }]],
])('entries that are no rows, %j, do not match and do not throw', (raw) => {
  const evidence = rawEvidence(recordWith(raw));
  expect(evidence).toMatchObject({ status: 'kept', matches: false });
  if (evidence.status === 'kept') expect(evidence.rows).toHaveLength(raw.length);
});

test.each([null, undefined, 7, 'source', { raw: 'text' }, { raw: { length: 1 } }])('source %j: no rows', (source) => {
  const record = { ...sparseRecord('leg', NOON_US), source } as unknown as CallRecord;
  expect(rawEvidence(record)).toEqual({ status: 'not-kept' });
});

test.each([
  ['ASCII', Buffer.from('a,b'), { text: 'a,b' }],
  ['UTF-8', Buffer.from('Zoë,b'), { text: 'Zoë,b' }],
  ['UTF-8 beyond Latin-1', Buffer.from('Łódź é'), { text: 'Łódź é' }],
  ['Latin-1', Buffer.from('Zoë,b', 'latin1'), { base64: Buffer.from('Zoë,b', 'latin1').toString('base64') }],
  ['two characters of UTF-8 within Latin-1', Buffer.from('Ã«'), { text: 'Ã«' }],
])('a row of %s is kept as its bytes, however it was read', (_name, bytes, kept) => {
  const splitter = createRowSplitter({ framing: 'lines' });
  const [found] = [...splitter.push(bytes), ...splitter.end()];
  if (found?.status !== 'row') throw new Error('no row');
  const raw = rawRowsOf([found.row]);
  expect(raw).toEqual([kept]);
  expect(rawEvidence(recordWith(raw, found.row.sha256))).toEqual({
    status: 'kept',
    rows: [Uint8Array.from(bytes)],
    matches: true,
  });
});

test('a record of more rows or bytes than it may keep keeps none of them', () => {
  const row = (text: string) => ({ text, sha256: sourceSha256(text) });
  expect(rawRowsOf([row('x'.repeat(MAX_RAW_BYTES))])).toHaveLength(1);
  expect(rawRowsOf([row('x'.repeat(MAX_RAW_BYTES)), row('y')])).toBeUndefined();
  expect(rawRowsOf(Array.from({ length: MAX_RAW_ROWS }, () => row('x')))).toHaveLength(MAX_RAW_ROWS);
  expect(rawRowsOf(Array.from({ length: MAX_RAW_ROWS + 1 }, () => row('x')))).toBeUndefined();
  expect(rawPacketsOf([new Uint8Array(MAX_RAW_BYTES), new Uint8Array(1)])).toBeUndefined();
  expect(rawPacketsOf([Uint8Array.of(0x48, 0xff), Uint8Array.of(0x48)])).toEqual([{ base64: 'SP8=' }, { text: 'H' }]);
});

test('rows that wait take the room that there is; a leg that finds none gives all of its rows up, and room comes back', () => {
  const keeper = rawKeeper<string>(true, 10);
  let first = keeper.begin();
  first = keeper.add(first, 'first', 5);
  let second = keeper.add(keeper.begin(), 'sec', 3);
  expect(second?.rows).toEqual(['sec']);
  second = keeper.add(second, 'ond', 3);
  expect(second).toBeUndefined();
  expect(keeper.add(second, 'later', 1)).toBeUndefined();
  first = keeper.add(first, 'again', 5);
  expect(first?.rows).toEqual(['first', 'again']);
  expect(keeper.add(keeper.begin(), 'x', 1)).toBeUndefined();
  keeper.end(first);
  expect(keeper.add(keeper.begin(), 'ten octets', 10)?.rows).toHaveLength(1);
});

test('where rows are not kept none is', () => {
  const keeper = rawKeeper<string>(false);
  expect(keeper.add(keeper.begin(), 'x', 1)).toBeUndefined();
});
