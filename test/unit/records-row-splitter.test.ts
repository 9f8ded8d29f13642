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
const shown = (rows: readonly SplitRow[]): readonly string[] =>
  rows.map((row) => (row.status === 'row' ? `${row.row.line} ${row.row.text}` : `${row.line} !${row.reason}`));
/** Each row as its line and text, broken ones as line and `!reason`. */
const rowsOf = (text: string | Buffer, framing: RowFraming, maxRowBytes = 1_000): readonly string[] =>
  shown(split(text, { framing, maxRowBytes }));

test.each<readonly [string, string | Buffer, RowFraming, readonly string[]]>([
  [
    'lines end with LF, CRLF or the file, and empty lines only count',
    'a\r\n\nb\n\r\nc',
    'lines',
    ['1 a', '3 b', '5 c'],
  ],
  ['a byte order mark belongs to no row', '\u{feff}a\nb\n', 'lines', ['1 a', '2 b']],
  ['UTF-8 is read as UTF-8', Buffer.from('Zoë\n'), 'lines', ['1 Zoë']],
  ['other octets are read as ISO 8859-1', Buffer.from('Zoë\n', 'latin1'), 'lines', ['1 Zoë']],
  [
    'line ends in a quoted field belong to it, and doubled quotes do not end it',
    '1,"a\nb ""c""\r\nd",2\n3\n',
    'csv',
    ['1 1,"a\nb ""c""\r\nd",2', '4 3'],
  ],
  [
    'a quote that FreeSWITCH did not double ends its field no earlier than the separator',
    '"Bob "B" Smith","1"\n"x"\n',
    'csv',
    ['1 "Bob "B" Smith","1"', '2 "x"'],
  ],
  [
    'an unclosed quote costs its own row only',
    '"a","b\n"c","d"\n"e"\n',
    'csv',
    ['1 !bad-quoting', '2 "c","d"', '3 "e"'],
  ],
  ['an unclosed quote within a row', 'a,"b\nc,"d, e"\nf\n', 'csv', ['1 !bad-quoting', '2 c,"d, e"', '3 f']],
  ['an unclosed quote at the end', 'a\n"b', 'csv', ['1 a', '2 !bad-quoting']],
  [
    'NUL octets before a row are one broken row',
    `a\n${'\0'.repeat(5_000)}b\nc\n`,
    'lines',
    ['1 a', '2 !not-text', '2 b', '3 c'],
  ],
  ['a NUL octet within a row breaks it', 'a\nb\0c\nd\n', 'lines', ['1 a', '2 !not-text', '3 d']],
  [
    'a document is a row, on one line or many, and so is each of several',
    '{"a":"}"}\n{\n "b": [{}, {"c": "\\""}]\n}\n\n[1]{"d":1}',
    'json',
    ['1 {"a":"}"}', '2 {\n "b": [{}, {"c": "\\""}]\n}', '6 [1]', '6 {"d":1}'],
  ],
  ['a document that is cut off at the end', '{"a":1}{"b', 'json', ['1 {"a":1}', '1 !bad-json']],
])('%s', (_claim, text, framing, expected) => {
  expect(rowsOf(text, framing)).toEqual(expected);
});

test('an unclosed quote costs no row of the forty behind it', () => {
  const plain = Array.from({ length: 40 }, (_, at) => `${at}`);
  expect(rowsOf(`"a\n${plain.join('\n')}\n`, 'csv')).toEqual([
    '1 !bad-quoting',
    ...plain.map((text, at) => `${at + 2} ${text}`),
  ]);
});

test('the hash of a row is that of its bytes without the line end', () => {
  const [row] = split('"a","b"\r\n', { framing: 'csv' });
  expect(row).toMatchObject({ status: 'row', row: { sha256: sha256('"a","b"') }, endOffset: 9 });
});

test('a row that is too long is passed over with its size and hash, and the next is read', () => {
  const long = 'x'.repeat(100_000);
  const splitter = createRowSplitter({ framing: 'lines', maxRowBytes: 1_000 });
  const rows = [`a\n${long}`, `${long}y`, '\nb\n'].flatMap((piece) => splitter.push(Buffer.from(piece)));
  expect(shown(rows)).toEqual(['1 a', '2 !too-long', '3 b']);
  expect(rows[1]).toMatchObject({ sizeBytes: 200_002, sha256: sha256(`${long}${long}y\n`) });
  expect(rows[1]?.bytes.length).toBe(MAX_REJECTED_BYTES);
});

test.each(['{"a":1,"b', '{"a":1,', '{"a', '{"a":[1', 'null', '"a"', '}', '{"a":"\\'])(
  'a document that was cut off to %s costs no other',
  (cut) => {
    expect(rowsOf(`${cut}\n{"c":3}\n{"d":4}\n`, 'json')).toEqual(['1 !bad-json', '2 {"c":3}', '3 {"d":4}']);
  },
);

test('another splitter takes up where the last row ended', () => {
  const text = 'a\r\n"b\nc"\nd,"';
  const first = createRowSplitter({ framing: 'csv' });
  expect(shown(first.push(Buffer.from(text)))).toHaveLength(2);
  const { offset, line } = first.place();
  expect([offset, line]).toEqual([9, 4]);
  const second = createRowSplitter({ framing: 'csv', startOffset: offset, startLine: line });
  expect(shown(second.push(Buffer.from(`${text.slice(offset)}e"\n`)))).toEqual(['4 d,"e"']);
  expect(second.place()).toEqual({ offset: 15, line: 5 });
});
