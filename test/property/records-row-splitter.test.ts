import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RowFraming } from '../../sdk/src/records/ingest/record-reader.js';
import { createRowSplitter, type SplitRow } from '../../sdk/src/records/ingest/row-splitter.js';
import { forAll } from '../support/for-all.js';

const FRAMINGS: readonly RowFraming[] = ['lines', 'csv', 'json'];
const framing = fc.constantFrom(...FRAMINGS);
/** Octets of which files are made, and those that make trouble in them. */
const octets = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...Buffer.from('\n\r",{}[]:\\a 1')) }, fc.nat(255)), {
    maxLength: 400,
  })
  .map((values) => Uint8Array.from(values));
const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 20 });

/** Rows of a file that comes in pieces of the sizes given, the rest in one; `bytes` kept. */
function splitIn(file: Uint8Array, sizes: readonly number[], kind: RowFraming, maxRowBytes: number): SplitRow[] {
  const splitter = createRowSplitter({ framing: kind, maxRowBytes });
  const rows: SplitRow[] = [];
  let at = 0;
  for (const size of [...sizes, file.length]) {
    const piece = Uint8Array.from(file.subarray(at, at + size));
    for (const row of splitter.push(piece)) rows.push({ ...row, bytes: Uint8Array.from(row.bytes) });
    piece.fill(0x58);
    at += size;
  }
  for (const row of splitter.end()) rows.push({ ...row, bytes: Uint8Array.from(row.bytes) });
  return rows;
}

test('any file falls into rows, never throws, and ends where it ends', () => {
  forAll([octets, cuts, framing, fc.integer({ min: 1, max: 200 })], 100, (file, sizes, kind, maxRowBytes) => {
    const splitter = createRowSplitter({ framing: kind, maxRowBytes });
    let last = 0;
    for (const row of [...splitter.push(file), ...splitter.end()]) {
      expect(row.endOffset).toBeGreaterThan(last);
      last = row.endOffset;
    }
    expect(splitter.place().offset).toBe(file.length);
    expect(() => splitIn(file, sizes, kind, maxRowBytes)).not.toThrow();
  });
});

test('rows do not depend on the pieces in which a file is read', () => {
  forAll([octets, cuts, framing], 100, (file, sizes, kind) => {
    expect(splitIn(file, sizes, kind, 10_000)).toEqual(splitIn(file, [], kind, 10_000));
  });
});

test('lines without quotes or NUL are found whatever stands around them', () => {
  const plain = fc.stringMatching(/^[a-z0-9,]{1,30}$/);
  const noise = fc.constantFrom('"open', 'x"y', '\0\0', '"a"b"c', 'y'.repeat(300), 'z\0z', '');
  forAll([fc.array(fc.oneof(plain, noise), { maxLength: 30 })], 100, (lines) => {
    const file = Buffer.from(`${lines.join('\n')}\n`);
    const rows = splitIn(file, [], 'csv', 200);
    const texts = new Set(rows.map((row) => (row.status === 'row' ? row.row.text : '')));
    for (const line of lines.filter((text) => /^[a-x0-9,]{1,30}$/.test(text))) expect(texts).toContain(line);
  });
});
