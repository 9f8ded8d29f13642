import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { RowFraming } from '../../sdk/src/records/ingest/record-reader.js';
import {
  createRowSplitter,
  MAX_REJECTED_BYTES,
  type RowSplitterOptions,
  type SplitRow,
} from '../../sdk/src/records/ingest/row-splitter.js';

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Rows of a file that comes in one piece; broken ones as `!reason`. */
function split(text: string | Buffer, options: RowSplitterOptions): readonly SplitRow[] {
  const splitter = createRowSplitter(options);
  return [...splitter.push(Buffer.from(text)), ...splitter.end()];
}
const shown = (rows: readonly SplitRow[]): readonly (readonly [number, string])[] =>
  rows.map((row) => (row.status === 'row' ? [row.row.line, row.row.text] : [row.line, `!${row.reason}`]));
const rowsOf = (text: string | Buffer, framing: RowFraming, maxRowBytes = 1_000): ReturnType<typeof shown> =>
  shown(split(text, { framing, maxRowBytes }));

test('lines end with LF or CRLF, the last with neither, and empty ones are no rows but count', () => {
  expect(rowsOf('a\r\n\nb\n\r\nc', 'lines')).toEqual([
    [1, 'a'],
    [3, 'b'],
    [5, 'c'],
  ]);
});

test('the hash of a row is that of its bytes without the line end', () => {
  const [row] = split('"a","b"\r\n', { framing: 'csv' });
  expect(row).toMatchObject({ status: 'row', row: { sha256: sha256('"a","b"') }, endOffset: 9 });
});

test('a byte order mark belongs to no row', () => {
  expect(rowsOf('\u{feff}a\nb\n', 'lines')).toEqual([
    [1, 'a'],
    [2, 'b'],
  ]);
});

test('UTF-8 is read as such, and what is none as ISO 8859-1', () => {
  expect(rowsOf(Buffer.from('Zoë\n'), 'lines')).toEqual([[1, 'Zoë']]);
  expect(rowsOf(Buffer.from('Zoë\n', 'latin1'), 'lines')).toEqual([[1, 'Zoë']]);
});

test('line ends in a quoted field belong to it, and doubled quotes end nothing', () => {
  expect(rowsOf('1,"a\nb ""c""\r\nd",2\n3\n', 'csv')).toEqual([
    [1, '1,"a\nb ""c""\r\nd",2'],
    [4, '3'],
  ]);
});

test('a quote that FreeSWITCH did not double ends its field no earlier than the separator', () => {
  expect(rowsOf('"Bob "B" Smith","1"\n"x"\n', 'csv')).toEqual([
    [1, '"Bob "B" Smith","1"'],
    [2, '"x"'],
  ]);
});

test('a quote that is never closed costs its own row and no other', () => {
  expect(rowsOf('"a","b\n"c","d"\n"e"\n', 'csv')).toEqual([
    [1, '!bad-quoting'],
    [2, '"c","d"'],
    [3, '"e"'],
  ]);
  expect(rowsOf('a,"b\nc,"d, e"\nf\n', 'csv')).toEqual([
    [1, '!bad-quoting'],
    [2, 'c,"d, e"'],
    [3, 'f'],
  ]);
  expect(rowsOf('a\n"b', 'csv')).toEqual([
    [1, 'a'],
    [2, '!bad-quoting'],
  ]);
  const plain = Array.from({ length: 40 }, (_, at) => `${at}`);
  expect(rowsOf(`"a\n${plain.join('\n')}\n`, 'csv')).toEqual([
    [1, '!bad-quoting'],
    ...plain.map((text, at) => [at + 2, text]),
  ]);
});

test('a row that is too long is passed over with its size and hash, and the next is read', () => {
  const long = 'x'.repeat(100_000);
  const splitter = createRowSplitter({ framing: 'lines', maxRowBytes: 1_000 });
  const rows = [`a\n${long}`, `${long}y`, '\nb\n'].flatMap((piece) => splitter.push(Buffer.from(piece)));
  expect(shown(rows)).toEqual([
    [1, 'a'],
    [2, '!too-long'],
    [3, 'b'],
  ]);
  expect(rows[1]).toMatchObject({ sizeBytes: 200_002, sha256: sha256(`${long}${long}y\n`) });
  expect(rows[1]?.bytes.length).toBe(MAX_REJECTED_BYTES);
});

test('NUL octets before a row are one broken row, and the row behind them is read', () => {
  expect(rowsOf(`a\n${'\0'.repeat(5_000)}b\nc\n`, 'lines')).toEqual([
    [1, 'a'],
    [2, '!not-text'],
    [2, 'b'],
    [3, 'c'],
  ]);
  expect(rowsOf('a\nb\0c\nd\n', 'lines')).toEqual([
    [1, 'a'],
    [2, '!not-text'],
    [3, 'd'],
  ]);
});

test('a document is a row, on one line or many, and so is each of several', () => {
  expect(rowsOf('{"a":"}"}\n{\n "b": [{}, {"c": "\\""}]\n}\n\n[1]{"d":1}', 'json')).toEqual([
    [1, '{"a":"}"}'],
    [2, '{\n "b": [{}, {"c": "\\""}]\n}'],
    [6, '[1]'],
    [6, '{"d":1}'],
  ]);
});

test('a document that was cut off costs no other', () => {
  for (const cut of ['{"a":1,"b', '{"a":1,', '{"a', '{"a":[1', 'null', '"a"', '}', '{"a":"\\']) {
    expect([cut, ...rowsOf(`${cut}\n{"c":3}\n{"d":4}\n`, 'json')]).toEqual([
      cut,
      [1, '!bad-json'],
      [2, '{"c":3}'],
      [3, '{"d":4}'],
    ]);
  }
  expect(rowsOf('{"a":1}{"b', 'json')).toEqual([
    [1, '{"a":1}'],
    [1, '!bad-json'],
  ]);
});

test('another splitter takes up where the last row ended', () => {
  const text = 'a\r\n"b\nc"\nd,"';
  const first = createRowSplitter({ framing: 'csv' });
  expect(shown(first.push(Buffer.from(text)))).toHaveLength(2);
  const { offset, line } = first.place();
  expect([offset, line]).toEqual([9, 4]);
  const second = createRowSplitter({ framing: 'csv', startOffset: offset, startLine: line });
  expect(shown(second.push(Buffer.from(`${text.slice(offset)}e"\n`)))).toEqual([[4, 'd,"e"']]);
  expect(second.place()).toEqual({ offset: 15, line: 5 });
});
