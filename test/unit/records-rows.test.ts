import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  instantNearest,
  instantNotBefore,
  leadsTo,
  rowClock,
  startByDuration,
  startNotAfter,
} from '../../sdk/src/records/ingest/formats/row-times.js';
import type { RowInstant } from '../../sdk/src/records/ingest/formats/row-times.js';
import {
  csvFields,
  MAX_CSV_FIELD_CHARS,
  MAX_CSV_FIELDS,
  MAX_CSV_ROW_CHARS,
} from '../../sdk/src/records/ingest/record-reader.js';
import { createRowSplitter, MAX_REJECTED_BYTES } from '../../sdk/src/records/ingest/row-splitter.js';
import { shownRows } from '../support/record-samples.js';

// What rows fall into, and times mean, is in test/vectors/rows: here is what no vector can show.

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function fields(text: string): readonly string[] | string {
  const read = csvFields(text);
  return read.status === 'fields' ? read.fields : read.reason;
}

test.each([
  ['bare', 'x'],
  ['quoted', '"x"'],
])('%s fields are counted up to the bound', (_, field) => {
  expect(fields(Array.from({ length: MAX_CSV_FIELDS }, () => field).join(','))).toHaveLength(MAX_CSV_FIELDS);
  expect(fields(Array.from({ length: MAX_CSV_FIELDS + 1 }, () => field).join(','))).toBe('too-long');
});

test('fields and rows are read up to their bounds', () => {
  const longest = 'x'.repeat(MAX_CSV_FIELD_CHARS);
  expect(fields(`${longest},a`)).toEqual([longest, 'a']);
  expect(fields(`${longest}x,a`)).toBe('too-long');
  expect(fields(`"${longest}",a`)).toEqual([longest, 'a']);
  expect(fields(`"${longest}x",a`)).toBe('too-long');
  expect(fields(','.repeat(MAX_CSV_ROW_CHARS + 1))).toBe('too-long');
});

test('NUL octets before a row are one broken row, however many they are', () => {
  const splitter = createRowSplitter({ framing: 'lines', maxRowBytes: 1_000 });
  const rows = [...splitter.push(Buffer.from(`a\n${'\0'.repeat(5_000)}b\nc\n`)), ...splitter.end()];
  expect(shownRows(rows)).toEqual(['1 a', '2 !not-text', '2 b', '3 c']);
});

test('the hash of a row is that of its bytes without the line end', () => {
  const [row] = createRowSplitter({ framing: 'csv' }).push(Buffer.from('"a","b"\r\n'));
  expect(row).toMatchObject({ status: 'row', row: { sha256: sha256('"a","b"') }, endOffset: 9 });
});

test('a row that is too long is passed over with its size and hash, and the next is read', () => {
  const long = 'x'.repeat(100_000);
  const splitter = createRowSplitter({ framing: 'lines', maxRowBytes: 1_000 });
  const rows = [`a\n${long}`, `${long}y`, '\nb\n'].flatMap((piece) => splitter.push(Buffer.from(piece)));
  expect(shownRows(rows)).toEqual(['1 a', '2 !too-long', '3 b']);
  expect(rows[1]).toMatchObject({ sizeBytes: 200_002, sha256: sha256(`${long}${long}y\n`) });
  expect(rows[1]?.bytes.length).toBe(MAX_REJECTED_BYTES);
});

test('another splitter takes up where the last row ended', () => {
  const text = 'a\r\n"b\nc"\nd,"';
  const first = createRowSplitter({ framing: 'csv' });
  expect(shownRows(first.push(Buffer.from(text)))).toHaveLength(2);
  const { offset, line } = first.place();
  expect([offset, line]).toEqual([9, 4]);
  const second = createRowSplitter({ framing: 'csv', startOffset: offset, startLine: line });
  expect(shownRows(second.push(Buffer.from(`${text.slice(offset)}e"\n`)))).toEqual(['4 d,"e"']);
  expect(second.place()).toEqual({ offset: 15, line: 5 });
});

test('the basis says how a time was written, and is one object for all that are alike', () => {
  const clock = rowClock({ zone: 'America/New_York' });
  const [a, b] = [clock.read('2026-06-15 09:00:00', 'date-time'), clock.read('2026-06-16 09:00:00', 'date-time')];
  if (a.status !== 'instant' || b.status !== 'instant') throw new Error('no instant');
  expect(a.basis).toEqual({ written: 'local', zone: 'America/New_York', resolutionUs: 1_000_000 });
  expect(b.basis).toBe(a.basis);
  expect(clock.read('1781528400.25', 'epoch-seconds')).toMatchObject({
    basis: { written: 'utc', resolutionUs: 10_000 },
  });
  expect(rowClock({ zone: 'utc' }).read('2026-06-15 09:00:00', 'date-time')).toMatchObject({
    basis: { written: 'utc' },
  });
});

test('a zone that does not exist is refused', () => {
  const refused = expect.objectContaining({ code: 'invalid-configuration' }) as Error;
  expect(() => rowClock({ zone: 'America/Nowhere' })).toThrow(refused);
});

test('of two instants the one after the INVITE, or next to what the duration says, is taken', () => {
  const basis = { written: 'utc', resolutionUs: 1 } as const;
  const instant: RowInstant = { status: 'instant', atUs: 100, otherUs: 200, basis };
  expect([50, 150, 250].map((us) => instantNotBefore(instant, us))).toEqual([100, 200, 100]);
  expect([120, 190].map((us) => instantNearest(instant, us))).toEqual([100, 200]);
});

test('a start of one meaning is left as it is', () => {
  const basis = { written: 'utc', resolutionUs: 1_000_000 } as const;
  const start = { status: 'instant', atUs: 10_000_000, basis } as const;
  expect(startNotAfter(start, [{ ...start, atUs: 0 }, undefined])).toBe(start);
  expect(startByDuration(start, { ...start, atUs: 0 }, 5)).toBe(start);
  expect(leadsTo({ ...start, otherUs: 20_000_000 }, 19_000_000)).toBe(true);
  expect(leadsTo(start, 11_000_001)).toBe(false);
});
