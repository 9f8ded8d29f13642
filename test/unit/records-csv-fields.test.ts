import { expect, test } from 'vitest';
import {
  csvFields,
  MAX_CSV_FIELD_CHARS,
  MAX_CSV_FIELDS,
  MAX_CSV_ROW_CHARS,
  rowText,
} from '../../sdk/src/records/ingest/record-reader.js';

function fields(text: string, layout?: Parameters<typeof csvFields>[1]): readonly string[] | string {
  const read = csvFields(text, layout);
  return read.status === 'fields' ? read.fields : read.reason;
}

test.each([
  ['', ['']],
  ['a', ['a']],
  ['a,,b,', ['a', '', 'b', '']],
  ['"a","b"', ['a', 'b']],
  ['"",""', ['', '']],
  ['"say ""hi""",x', ['say "hi"', 'x']],
  ['"""",1', ['"', '1']],
  ['"a,b",c', ['a,b', 'c']],
  ['a,"b\nc",d', ['a', 'b\nc', 'd']],
  ['a,"b",', ['a', 'b', '']],
])('splits %j into %j', (text, expected) => {
  expect(fields(text)).toEqual(expected);
});

test.each(['a"b,c', 'a,b"', '"a"b,c', '"a', '"a""', 'x, "a"', '"a","b'])('%j is a fault of quoting', (text) => {
  expect(fields(text)).toBe('bad-quoting');
});

test('spaces before a quote are no part of the field where the layout says so, and those of bare fields are', () => {
  expect(fields('"a", "b", c ,"d"', { spacesBeforeQuotes: true })).toEqual(['a', 'b', ' c ', 'd']);
});

test('another separator leaves commas alone', () => {
  expect(fields('1,5;"a;b";c', { separator: ';' })).toEqual(['1,5', 'a;b', 'c']);
  expect(fields('a\tb', { separator: '\t' })).toEqual(['a', 'b']);
});

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

test('NUL bytes are no text', () => {
  expect(fields('a,\0\0\0')).toBe('not-text');
});

test('a byte order mark and a carriage return are no part of a row', () => {
  expect(rowText({ text: '\uFEFFa,b\r' })).toBe('a,b');
  expect(rowText({ text: '' })).toBe('');
});
